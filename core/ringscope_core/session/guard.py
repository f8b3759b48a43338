"""Opens a database that may be damaged or made to harm, and turns every way it can fail into `SessionError`."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import msgspec

from ringscope_core.session.errors import DamagedSession, SessionError
from ringscope_core.session.migrate import migrate
from ringscope_core.session.old_schemas import OLD_OBJECTS
from ringscope_core.session.packing import PackingError
from ringscope_core.session.schema import APPLICATION_ID, OBJECTS, VERSION
from ringscope_core.session.seal import broken_pages, missing_bytes

MAX_CELL: Final = 80 << 20
"""No text or blob of ours is larger."""
QUERY_LIMIT_S: Final = 10.0
_STEPS: Final = 200_000
_FEW: Final = 1 << 20
"""Bytes of an answer that are not worth a question."""

DATA_ERRORS: Final = (
    sqlite3.Error,
    PackingError,
    msgspec.DecodeError,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    OverflowError,
    MemoryError,
    RecursionError,
    UnicodeError,
)
"""What wrong contents can raise on their way through decoding."""


@contextmanager
def guarded(path: Path) -> Iterator[None]:
    """Whatever wrong contents raise inside leaves as a SessionError."""
    try:
        yield
    except SessionError:
        raise
    except sqlite3.OperationalError as error:
        if "interrupted" in str(error):
            raise DamagedSession(str(path), "takes too long to read") from None
        raise SessionError(str(path), f"cannot be read ({error})") from None
    except DATA_ERRORS as error:
        raise DamagedSession(str(path), f"is damaged ({error})") from None


class Deadline:
    """Interrupts a query that runs longer than `QUERY_LIMIT_S`; restarted before each one."""

    def __init__(self) -> None:
        self._end: float = 0.0

    def restart(self) -> None:
        """A query begins."""
        self._end = time.monotonic() + QUERY_LIMIT_S

    def passed(self) -> bool:
        """Asked by SQLite now and then; true interrupts."""
        return time.monotonic() > self._end


def open_database(path: Path, deadline: Deadline) -> sqlite3.Connection:
    """A read-only connection to a session of this version; raises SessionError for anything else."""
    if not path.is_file():
        raise SessionError(str(path), "is not a file" if path.exists() else "no such file")
    check_whole(path)
    _check_magic(path)
    with guarded(path):
        database = _connect(path)
        try:
            deadline.restart()
            database.set_progress_handler(deadline.passed, _STEPS)
            _check(path, database)
        except BaseException:
            database.close()
            raise
    return database


def check_whole(path: Path) -> None:
    """Raises DamagedSession for a file that is cut off, or not as its writer closed it."""
    try:
        broken, short = broken_pages(path), missing_bytes(path)
    except OSError as error:
        raise SessionError(str(path), f"cannot be read ({error.strerror})") from None
    if broken:
        what = f"page {broken[0]} is" if len(broken) == 1 else f"{len(broken)} pages are"
        raise DamagedSession(str(path), f"is damaged ({what} not as written)")
    if short:
        raise DamagedSession(str(path), f"is cut off ({short} bytes are missing)")


def _check_magic(path: Path) -> None:
    try:
        with path.open("rb") as file:
            head = file.read(16)
    except OSError as error:
        raise SessionError(str(path), f"cannot be read ({error.strerror})") from None
    if head != b"SQLite format 3\0":
        raise SessionError(str(path), "is not a Ringscope session")


def _connect(path: Path) -> sqlite3.Connection:
    """Read-only.  Where no log may be made beside a finished file (a read-only folder), open it as immutable."""
    where = f"file:{quote(str(path.absolute()))}?mode=ro"
    database = sqlite3.connect(where, uri=True, isolation_level=None, check_same_thread=False, timeout=2.0)
    try:
        restrict(database)
        database.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.OperationalError:
        database.close()
        if path.with_name(path.name + "-wal").exists():
            raise
        database = sqlite3.connect(where + "&immutable=1", uri=True, isolation_level=None, check_same_thread=False)
        restrict(database)
    return database


def restrict(database: sqlite3.Connection) -> None:
    """Nothing that the file says may run, write, or take more than a session needs."""
    database.execute("PRAGMA trusted_schema = OFF")
    database.execute("PRAGMA query_only = ON")
    database.execute("PRAGMA cell_size_check = ON")
    database.execute("PRAGMA cache_size = -8000")
    database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_CELL)
    database.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)


def _check(path: Path, database: sqlite3.Connection) -> None:
    (application,) = database.execute("PRAGMA application_id").fetchone()
    if application != APPLICATION_ID:
        raise SessionError(str(path), "is not a Ringscope session")
    (version,) = database.execute("PRAGMA user_version").fetchone()
    if version > VERSION:
        raise SessionError(str(path), f"is of version {version}, this program reads up to {VERSION}")
    wanted = OBJECTS if version == VERSION else OLD_OBJECTS.get(version)
    if wanted is None:
        raise SessionError(str(path), f"is of version {version}, which no released program wrote")
    found = {
        str(name): str(sql)
        for name, sql in database.execute("SELECT name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\'").fetchmany(len(wanted) + 2)
    }
    if found != wanted:
        raise SessionError(str(path), "does not have the tables of a session")
    if version < VERSION:
        # nothing can be written into the file, which is open read-only; the steps make temporary tables
        database.execute("PRAGMA query_only = OFF")
        migrate(database, version)
        database.execute("PRAGMA query_only = ON")


def bounded_rows(rows: sqlite3.Cursor, path: Path) -> list[Any]:
    """Every row of a query, as long as they hold no more than the file can: pages that are pointed to again and again make endless ones.

    Raises ValueError.
    """
    found: list[Any] = []
    held = 0
    room = _FEW
    for row in rows:
        found.append(row)
        held += 8
        for value in row:
            if type(value) is str or type(value) is bytes:
                held += len(value)
        if held > room:
            # asked only of what is large: most queries give a few rows
            room = max(_FEW, 4 * (path.stat().st_size + _log_size(path)))
            if held > room:
                raise ValueError("it claims more than it holds")
    return found


def _log_size(path: Path) -> int:
    log = path.with_name(path.name + "-wal")
    return log.stat().st_size if log.exists() else 0
