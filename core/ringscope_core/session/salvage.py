"""Opens a damaged session as far as it is whole.

What can be read is copied, row by row, into a session of its own in the temporary folder; what cannot be, or does not unpack, is left
out, declared as a loss (`gap` with reason ``damaged``) and said in one sentence.  The damaged file itself is never changed.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

from ringscope_core.session.errors import DamagedSession, SessionError
from ringscope_core.session.first_pages import mend_first_pages, statements_of
from ringscope_core.session.guard import Deadline, restrict
from ringscope_core.session.losses import Losses
from ringscope_core.session.reader import SessionReader
from ringscope_core.session.rescue_rows import Budget, Rescue, Table, parse_table
from ringscope_core.session.schema import APPLICATION_ID
from ringscope_core.session.seal import broken_pages
from ringscope_core.session.weed import weed

T = TypeVar("T")
Progress = Callable[[int, int], bool]
"""Called with bytes copied and bytes in all; false cancels."""


def open_session(path: str | Path, progress: Progress | None = None) -> SessionReader:
    """A reader of the session at `path`, of what is whole of it when it is damaged: `SessionReader.damage` then says what is missing.

    Raises SessionError for a file that is no session, of a newer version, or of which nothing can be read.
    """
    try:
        return open_whole(path)
    except DamagedSession as error:
        return salvage(path, error.reason, progress)


def open_whole(path: str | Path) -> SessionReader:
    """A reader of an undamaged session, also where a killed writer left a log in a folder that cannot be written, in which SQLite reads none.

    Raises SessionError, DamagedSession for a damaged one.
    """
    source = Path(path)
    try:
        return SessionReader(source)
    except DamagedSession:
        raise
    except SessionError:
        if not _size(_log_of(source)) or os.access(source.parent, os.W_OK):
            raise
    folder = Path(tempfile.mkdtemp(prefix="ringscope-copy-"))
    try:
        _check_room(source, folder, "stands where nothing may be written; to read its log")
        copy = folder / source.name
        shutil.copyfile(source, copy)
        shutil.copyfile(_log_of(source), _log_of(copy))
        reader = SessionReader(copy)
    except BaseException as error:
        shutil.rmtree(folder, ignore_errors=True)
        if isinstance(error, OSError):
            raise SessionError(str(source), f"cannot be read ({error})") from None
        raise
    reader.origin = source
    reader.on_close = lambda: shutil.rmtree(folder, ignore_errors=True)
    return reader


def reading(path: str | Path, action: Callable[[SessionReader], T], progress: Progress | None = None) -> T:
    """`action` on the session at `path`; once more on what is whole of it when damage shows only while it is read."""
    with open_session(path, progress) as reader:
        try:
            return action(reader)
        except DamagedSession as error:
            if reader.damage:
                raise
            reason = error.reason
    with salvage(path, reason, progress) as rest:
        return action(rest)


def salvage(path: str | Path, why: str = "is damaged", progress: Progress | None = None) -> SessionReader:
    """What is whole of the session at `path`; `why` is the error that led here, raised again when nothing is."""
    source = Path(path)
    folder = Path(tempfile.mkdtemp(prefix="ringscope-salvage-"))
    try:
        _check_room(source, folder, "is damaged; to open what is whole")
        target = folder / (source.stem + ".ringscope")
        _Copy(source, target, folder, why, progress).run()
        reader = SessionReader(target)
    except BaseException as error:
        shutil.rmtree(folder, ignore_errors=True)
        if isinstance(error, OSError | sqlite3.Error):
            raise SessionError(str(source), f"{why}, and what is whole cannot be copied ({error})") from None
        raise
    reader.origin = source
    reader.on_close = lambda: shutil.rmtree(folder, ignore_errors=True)
    return reader


def _check_room(source: Path, folder: Path, why: str) -> None:
    """The copy, and once more for a copy with mended pages."""
    size = _size(source) + _size(_log_of(source))
    free = shutil.disk_usage(folder).free
    if free < 2 * size + (16 << 20):
        raise SessionError(str(source), f"{why} {folder.parent} needs {(2 * size >> 20) + 16} MiB, it has {free >> 20}")


class _Copy:
    def __init__(self, source: Path, target: Path, folder: Path, why: str, progress: Progress | None) -> None:
        self._source, self._target, self._folder, self._why = source, target, folder, why
        self._progress = progress
        self._deadline = Deadline()
        self._size = source.stat().st_size + _size(_log_of(source))
        self._done = 0
        self._incomplete: list[str] = []

    def run(self) -> Losses:
        readable = self._readable()
        version, statements = statements_of(readable)
        if not statements:
            raise DamagedSession(str(self._source), self._why)
        database = self._connect(readable)
        out = sqlite3.connect(self._target, isolation_level=None)
        try:
            self._check_tables(database, statements)
            out.execute("PRAGMA synchronous = OFF")
            out.execute("PRAGMA journal_mode = OFF").fetchall()
            out.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            out.execute("BEGIN")
            out.execute(f"PRAGMA user_version = {version:d}")
            for statement in statements.values():
                out.execute(statement)
            self._copy_tables(database, out, statements)
            losses = weed(out, self._incomplete)
            out.execute("COMMIT")
        finally:
            database.close()
            out.close()
        if not losses.kept:
            raise DamagedSession(str(self._source), self._why)
        return losses

    def _readable(self) -> Path:
        """The file itself, or a copy in which pages that are known to be wrong are wiped and the first pages mended."""
        broken = broken_pages(self._source) or []
        if not broken and statements_of(self._source)[1]:
            return self._source
        copy = self._folder / "mended"
        shutil.copyfile(self._source, copy)
        if _log_of(self._source).exists():
            shutil.copyfile(_log_of(self._source), _log_of(copy))
        mend_first_pages(copy, broken)
        return copy

    def _connect(self, path: Path) -> sqlite3.Connection:
        """With a log where there is one.  A file that is cut off is read with `writable_schema`, or SQLite would refuse it whole; nothing is written."""
        options = "mode=ro" if _size(_log_of(path)) else "mode=ro&immutable=1"
        database = sqlite3.connect(f"file:{quote(str(path.absolute()))}?{options}", uri=True, isolation_level=None, timeout=2.0)
        with contextlib.suppress(sqlite3.Error):
            # before anything that reads the file
            database.execute("PRAGMA writable_schema = ON")
            restrict(database)
        database.set_progress_handler(self._deadline.passed, 50_000)
        return database

    def _check_tables(self, database: sqlite3.Connection, statements: dict[str, str]) -> None:
        """Only tables that are what they should be are ever asked; anything else in the file makes it a foreign one."""
        self._deadline.restart()
        with contextlib.suppress(sqlite3.DatabaseError):
            rows = database.execute("SELECT name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\'").fetchmany(len(statements) + 2)
            if any(statements.get(name) != sql for name, sql in rows):
                raise SessionError(str(self._source), "does not have the tables of a session")

    def _copy_tables(self, database: sqlite3.Connection, out: sqlite3.Connection, statements: dict[str, str]) -> None:
        budget = Budget(self._size, self._go_on)
        for name, statement in statements.items():
            if not statement.startswith("CREATE TABLE"):
                continue
            table = parse_table(name, statement)
            rescue = Rescue(database, table, budget)
            self._insert(out, table, rescue)
            if not rescue.whole:
                self._incomplete.append(name)

    def _insert(self, out: sqlite3.Connection, table: Table, rescue: Rescue) -> None:
        place = ", ".join("?" * len(table.columns))
        self._deadline.restart()
        for row in rescue.rows():
            self._deadline.restart()
            self._done += sum(len(value) for value in row if isinstance(value, bytes))
            out.execute(f'INSERT OR IGNORE INTO "{table.name}" VALUES ({place})', row)

    def _go_on(self) -> bool:
        self._deadline.restart()
        if self._progress is not None and not self._progress(self._done, self._size):
            raise SessionError(str(self._source), f"{self._why}; opening what is whole was cancelled")
        return True


def _log_of(path: Path) -> Path:
    return path.with_name(path.name + "-wal")


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
