"""Files that are whole or not there, and the folders they go into."""

from __future__ import annotations

from pathlib import Path

from ringscope_core.export.target import written
from ringscope_core.scenario.errors import InputError


def write_whole(path: Path, data: bytes) -> None:
    """Write a file at once or not at all, in the place of one that was there.  Raises InputError when it cannot be written."""
    with written(path, force=True) as fresh:
        fresh.write_bytes(data)


def make_folder(folder: Path, field: str) -> Path:
    """`folder`, made with those above it where it is not there; raises InputError for `field` when that cannot be done."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(field, str(folder), f"a folder that can be made ({error.strerror})") from None
    return folder
