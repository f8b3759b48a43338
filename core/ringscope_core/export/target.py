"""Where an export goes: beside its name until it is whole, so that what is called off or fails leaves nothing."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ringscope_core.scenario.errors import InputError


@contextmanager
def written(path: Path, force: bool, folder: bool = False) -> Iterator[Path]:
    """A name beside `path` to write to, a file's or (with `folder`) an empty folder's; it becomes `path` when the block ends well.

    Raises InputError when `path` is there already (without `force`) or cannot be written.
    """
    check_free(path, force, folder)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        _remove(unfinished)
        if folder:
            unfinished.mkdir(parents=True)
        yield unfinished
        _put(unfinished, path, folder)
    except OSError as error:
        raise InputError("output", str(path), f"a place that can be written ({error.strerror or error})") from None
    finally:
        _remove(unfinished)


def check_free(path: Path, force: bool, folder: bool = False) -> None:
    """Raises InputError when `path` cannot become the export's."""
    if not path.name:
        raise InputError("output", str(path), "the name of a file")
    if path.is_dir() and not folder:
        raise InputError("output", str(path), "the name of a file, this is a folder")
    if folder and path.exists() and not path.is_dir():
        raise InputError("output", str(path), "the name of a folder, this is a file")
    if path.exists() and not force:
        raise InputError("output", str(path), "a name that is not taken, or --force to replace it")
    if not folder and not path.absolute().parent.is_dir():
        raise InputError("output", str(path), "a file in a folder that exists")


def _put(unfinished: Path, path: Path, folder: bool) -> None:
    if folder and path.exists():
        old = unfinished.with_suffix(".old")
        path.rename(old)
        unfinished.rename(path)
        _remove(old)
    else:
        os.replace(unfinished, path)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def size_of(path: Path) -> int:
    """Bytes of a file, or of all files under a folder."""
    if path.is_dir():
        return sum(part.stat().st_size for part in path.rglob("*") if part.is_file())
    return path.stat().st_size
