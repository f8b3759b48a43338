"""Files that are whole or not there, and whether they can be written at all, asked before anything is drawn for them."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

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
    """Write a file at once or not at all: into a new one beside it, which then takes its name.  Raises InputError when it cannot be written."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        fresh.write_bytes(data)
        fresh.replace(path)
    except OSError as error:
        raise InputError("output", str(path), f"a file that can be written ({error.strerror})") from None
    finally:
        # also when somebody interrupts
        with contextlib.suppress(OSError):
            fresh.unlink()
