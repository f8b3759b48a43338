"""Files that are whole or not there, the folders they go into, and whether they can be written at all, asked before anything is drawn for them."""

from __future__ import annotations

import os
from pathlib import Path

from ringscope_core.export.target import written
from ringscope_core.scenario.errors import InputError


def check_writable(folder: Path, field: str, value: Path) -> None:
    """Raise InputError for `field` unless files can be written into `folder`, which need not be there yet; `value` is what the person gave."""
    there = folder.absolute()
    # of what is not there or may not be looked at os.path says no, where Path would raise
    while not os.path.lexists(there) and there != there.parent:
        there = there.parent
    if not os.path.isdir(there):
        raise InputError(field, str(value), f"a place in folders: {there} is none")
    if not os.access(there, os.W_OK | os.X_OK):
        raise InputError(field, str(value), f"a place that can be written: {there} may not be")


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
