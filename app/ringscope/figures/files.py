"""Files that are whole or not there."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from ringscope_core.scenario.errors import InputError


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
