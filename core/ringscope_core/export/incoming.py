"""A session that is made of something else: written beside its name, and there only when it is whole."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from ringscope_core import __version__
from ringscope_core.export import target
from ringscope_core.scenario.errors import InputError
from ringscope_core.session.writer import SessionWriter

PENDING: Final = 64 << 20
"""Bytes that may wait for the disk."""


@contextmanager
def session_writer(path: Path, meta: Mapping[str, object], force: bool) -> Iterator[SessionWriter]:
    """A writer for a new session at `path`.  Raises InputError for a place that cannot be written, SessionError when the writing failed."""
    with target.written(path, force) as unfinished:
        writer = SessionWriter(unfinished, {"program": f"ringscope {__version__}", **meta})
        try:
            yield writer
        except BaseException:
            _forget(writer, unfinished)
            raise
        writer.close()
        _without_log(unfinished)


def _forget(writer: SessionWriter, path: Path) -> None:
    try:
        writer.close()
    finally:
        _without_log(path)


def _without_log(path: Path) -> None:
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def wait_for_room(writer: SessionWriter) -> None:
    """Let the disk catch up.  Raises SessionError when it cannot be written any more."""
    while writer.error is None and writer.pending_bytes > PENDING:
        time.sleep(0.002)
    if writer.error is not None:
        raise writer.error


def described(path: Path, form: str) -> dict[str, object]:
    """What the session says of the file that it was made of.  Raises InputError when it cannot be read."""
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        return {"file": path.name, "format": form, "bytes": path.stat().st_size, "sha256": digest}
    except OSError as error:
        raise unreadable(path, error) from None


def unreadable(path: Path, error: OSError) -> InputError:
    """The error for a file that the system does not let us read."""
    return InputError("file", str(path), f"a file that can be read ({error.strerror or error})")
