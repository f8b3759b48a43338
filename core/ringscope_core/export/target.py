"""Where an export goes: beside its name until it is whole, so that what is called off or fails leaves nothing."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ringscope_core.scenario.errors import InputError


@contextmanager
def written(path: Path, force: bool) -> Iterator[Path]:
    """A name beside `path` to write to; it becomes `path` when the block ends well.

    Raises InputError when `path` is there already (without `force`) or cannot be written.
    """
    check_free(path, force)
    unfinished = _beside(path)
    try:
        unfinished.unlink(missing_ok=True)
        yield unfinished
        os.replace(unfinished, path)
    except OSError as error:
        raise _refused(path, error) from None
    finally:
        unfinished.unlink(missing_ok=True)


@contextmanager
def scratch(path: Path) -> Iterator[Path]:
    """An empty folder beside the folder `path`, gone at the end.  Raises InputError where none can be made."""
    unfinished = _beside(path.absolute())
    try:
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
        yield unfinished
    except OSError as error:
        raise _refused(path, error) from None
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _beside(path: Path) -> Path:
    return path.with_name(f".{path.name}.{os.getpid()}.part")


def _refused(path: Path, error: OSError) -> InputError:
    return InputError("output", str(path), f"a place that can be written ({error.strerror or error})")


def check_free(path: Path, force: bool) -> None:
    """Raises InputError when the file `path` cannot become the export's."""
    if not path.name:
        raise InputError("output", str(path), "the name of a file")
    if path.is_dir():
        raise InputError("output", str(path), "the name of a file, this is a folder")
    if path.exists() and not force:
        raise InputError("output", str(path), "a name that is not taken, or --force to replace it")
    if not path.absolute().parent.is_dir():
        raise InputError("output", str(path), "a file in a folder that exists")


def size_of(path: Path) -> int:
    """Bytes of a file, or of all files under a folder."""
    if path.is_dir():
        return sum(part.stat().st_size for part in path.rglob("*") if part.is_file())
    return path.stat().st_size
