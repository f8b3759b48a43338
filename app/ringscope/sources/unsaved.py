"""Recordings that nobody has saved: where they lie, whose they are, and what of them is left when a window died.

Each window records into a folder of its own under the user's state folder and holds a lock on it for as long as it lives; the
system lets go of the lock however the window ends.  What lies in a folder that nobody holds is offered by the next window.
"""

from __future__ import annotations

import shutil
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

import platformdirs

from ringscope.words import t
from ringscope_core.session.errors import SessionError

try:
    from fcntl import LOCK_EX, LOCK_NB, flock
except ImportError:  # no such locks on this system: nothing is then offered while it may be in use
    flock = None  # type: ignore[assignment]

KEEP_DAYS: Final = 30
KEEP_BYTES: Final = 10 << 30
"""What was left behind goes when it is older than that, and the oldest when all together is larger."""
QUIET_S: Final = 3.0
"""An engine may outlive its window for a moment: a file that changed less than so long ago still grows."""
_LOCK: Final = "lock"
_PATTERN: Final = "*.ringscope"


def unsaved_root() -> Path:
    """Where the folders lie."""
    return Path(platformdirs.user_state_dir("ringscope")) / "unsaved"


class UnsavedFolder:
    """A folder that this process holds until `release` or `discard`."""

    def __init__(self, path: Path, lock: IO[bytes]) -> None:
        self.path: Path = path
        self._lock: IO[bytes] = lock

    @staticmethod
    def make(root: Path | None = None) -> UnsavedFolder:
        """A new one; in the temporary folder where the state folder cannot be written, for a run that cannot be kept is better than none."""
        path = (root or unsaved_root()) / str(uuid.uuid4())
        try:
            path.mkdir(parents=True, mode=0o700)
        except OSError:
            path = Path(tempfile.mkdtemp(prefix="ringscope-unsaved-"))
        found = UnsavedFolder.hold(path)
        assert found is not None
        return found

    @staticmethod
    def hold(path: Path) -> UnsavedFolder | None:
        """Take hold of a folder that is there; None when another window has it, or it is gone."""
        try:
            lock = (path / _LOCK).open("ab")
        except OSError:
            return None
        try:
            if flock is not None:
                flock(lock, LOCK_EX | LOCK_NB)
        except OSError:
            lock.close()
            return None
        return UnsavedFolder(path, lock)

    def release(self) -> None:
        """Let go; what lies in it is offered the next time."""
        self._lock.close()

    def discard(self) -> None:
        """Delete it."""
        # before the lock goes, so that nobody offers what is being deleted
        shutil.rmtree(self.path, ignore_errors=True)
        self._lock.close()


@dataclass(frozen=True)
class Unsaved:
    """A recording that was left behind.  Times in s, sizes in bytes; `problem` says what is wrong with the file, "" for nothing."""

    path: Path
    title: str
    when: float
    virtual_s: float
    events: int
    size: int
    problem: str = ""


def find_unsaved(root: Path | None = None) -> tuple[list[Unsaved], bool]:
    """What is left behind, newest first, and whether something still grows and should be looked for again.  Reads files: not for the window's thread."""
    found: list[Unsaved] = []
    busy = False
    for folder in _folders(root or unsaved_root()):
        held = UnsavedFolder.hold(folder)
        if held is None:
            continue
        sessions = sorted(folder.glob(_PATTERN))
        if any(time.time() - _changed(path) < QUIET_S for path in sessions):
            busy = True
        elif sessions:
            found += [_look(path) for path in sessions]
        else:
            held.discard()
        held.release()
    return sorted(found, key=lambda one: -one.when), busy


def clean_up(root: Path | None = None, now: float | None = None) -> int:
    """Delete what is older than `KEEP_DAYS`, and the oldest beyond `KEEP_BYTES`; returns how many folders went."""
    left = KEEP_BYTES
    gone = 0
    moment = time.time() if now is None else now
    for folder in sorted(_folders(root or unsaved_root()), key=_newest, reverse=True):
        size = sum(_size(path) for path in folder.iterdir())
        left -= size
        if left >= 0 and moment - _newest(folder) < KEEP_DAYS * 86400:
            continue
        held = UnsavedFolder.hold(folder)
        if held is not None:
            held.discard()
            gone += 1
    return gone


def delete_unsaved(path: Path) -> str:
    """Delete a recording that was left behind, and its folder when it was the last in it; one line when that failed."""
    held = UnsavedFolder.hold(path.parent)
    if held is None:
        return t("{name} is in use", name=path.name) if path.exists() else ""
    try:
        for one in (path, *(path.with_name(path.name + suffix) for suffix in ("-wal", "-shm"))):
            one.unlink(missing_ok=True)
    except OSError as error:
        held.release()
        return t("{path} was not deleted ({strerror})", path=path, strerror=error.strerror)
    if any(path.parent.glob(_PATTERN)):
        held.release()
    else:
        held.discard()
    return ""


def _folders(root: Path) -> Iterator[Path]:
    with suppress(OSError):
        yield from [path for path in root.iterdir() if path.is_dir()]


def _changed(path: Path) -> float:
    times = [0.0]
    for one in (path, path.with_name(path.name + "-wal")):
        with suppress(OSError):
            times.append(one.stat().st_mtime)
    return max(times)


def _newest(folder: Path) -> float:
    return max((_changed(path) for path in folder.glob(_PATTERN)), default=0.0)


def _size(path: Path) -> int:
    with suppress(OSError):
        return path.stat().st_size
    return 0


def _look(path: Path) -> Unsaved:
    """What the file says about itself; a damaged one is still offered."""
    from ringscope_core.session.reader import SessionReader

    size = _size(path) + _size(path.with_name(path.name + "-wal"))
    when = _changed(path)
    try:
        with SessionReader(path) as reader:
            title = str(reader.meta.get("title") or reader.meta.get("scenario") or path.stem)
            return Unsaved(path, title, when, reader.last_vt / 1e9, reader.event_count, size)
    except SessionError as error:
        return Unsaved(path, path.stem, when, 0.0, 0, size, error.reason)
