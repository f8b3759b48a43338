"""Marks and notes of a session that nobody writes any more: changed in the file itself, or beside it where that cannot be written.

A change is one short transaction.  A file that is read-only, of an older version or on a medium that refuses keeps its annotations in a
*sidecar*: a JSON file in the user's data folder, named after the session's id, that holds all of its marks and notes from then on.
What is written while a run goes on goes through its engine (`SessionWriter.annotate`) in the same form.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

import msgspec

from ringscope_core.scenario.errors import InputError
from ringscope_core.session.changes import Change, Remove
from ringscope_core.session.errors import SessionError
from ringscope_core.session.rows import MarkRow, NoteRow
from ringscope_core.session.schema import VERSION
from ringscope_core.session.seal import broken_pages, seal

if TYPE_CHECKING:
    from ringscope_core.session.reader import SessionReader

MAX_SIDECAR: Final = 16 << 20
"""Bytes of a sidecar; a larger one is none of ours."""
_BUSY_S: Final = 1.0
"""So long another writer may take to finish."""


class _Kept(msgspec.Struct):
    """A sidecar's contents."""

    session: str
    marks: list[tuple[int, int, int, str, str]] = []
    notes: list[tuple[int, int, int, dict[str, Any], str]] = []


def data_folder() -> Path:
    """Where things about a person's sessions live; ``RINGSCOPE_DATA`` names another folder."""
    folder = os.environ.get("RINGSCOPE_DATA", "")
    if folder:
        return Path(folder)
    import platformdirs

    return Path(platformdirs.user_data_dir("ringscope"))


def _sealed(path: Path) -> bool:
    """Whether the file carries checksums and is as they say."""
    try:
        return broken_pages(path) == []
    except OSError:
        return False


class Annotations:
    """The marks and notes of one session.  One thread's, like its reader."""

    def __init__(self, reader: SessionReader, folder: Path | None = None) -> None:
        self._reader: SessionReader = reader
        self._folder: Path = folder if folder is not None else data_folder() / "annotations"
        self._kept: _Kept | None = self._load()

    # -- reading ------------------------------------------------------------------------------------------------------
    @property
    def sidecar(self) -> Path:
        """Where annotations stand that the session itself cannot take."""
        said = self._reader.meta.get("id")
        # a name of our own making: what a file says of itself is no path
        name = hashlib.sha256((said if isinstance(said, str) else str(self._reader.path.resolve())).encode()).hexdigest()[:32]
        return self._folder / f"{name}.json"

    @property
    def beside(self) -> bool:
        """Whether the annotations stand in the sidecar."""
        return self._kept is not None

    def marks(self) -> list[MarkRow]:
        """Every mark, in the order of their numbers."""
        return [MarkRow(*row) for row in self._kept.marks] if self._kept is not None else self._reader.marks()

    def notes(self) -> list[NoteRow]:
        """Every entry of the notebook, in order."""
        return [NoteRow(*row) for row in self._kept.notes] if self._kept is not None else self._reader.notes()

    # -- changing -----------------------------------------------------------------------------------------------------
    def apply(self, change: Change) -> int:
        """Carry out `change`; returns the number of what was changed.

        Raises SessionError when neither the session nor a sidecar can be written, InputError for a number that there is not.
        """
        if self._kept is None and self._writable():
            try:
                return self._in_file(change)
            except (sqlite3.Error, OSError):
                # a disk that is full, or a medium that lets nobody write: beside it, then
                pass
        return self._in_sidecar(change)

    def _writable(self) -> bool:
        return os.access(self._reader.path, os.W_OK) and os.access(self._reader.path.parent, os.W_OK)

    def _in_file(self, change: Change) -> int:
        sealed = _sealed(self._reader.path)
        where = f"file:{quote(str(self._reader.path.absolute()))}?mode=rw"
        database = sqlite3.connect(where, uri=True, isolation_level=None, timeout=_BUSY_S)
        try:
            database.execute("PRAGMA trusted_schema = OFF")
            database.execute("BEGIN IMMEDIATE")
            if database.execute("PRAGMA user_version").fetchone()[0] != VERSION:
                raise sqlite3.NotSupportedError("a file of an older version is never changed")
            number = _carry_out(database, change)
            database.execute("COMMIT")
        finally:
            database.close()
        if sealed:
            with suppress(OSError):
                seal(self._reader.path)
        return number

    # -- the sidecar --------------------------------------------------------------------------------------------------
    def _load(self) -> _Kept | None:
        path = self.sidecar
        try:
            if not path.is_file() or path.stat().st_size > MAX_SIDECAR:
                return None
            return msgspec.json.decode(path.read_bytes(), type=_Kept)
        except (OSError, msgspec.DecodeError):
            # damaged: what the session itself holds is still there
            return None

    def _in_sidecar(self, change: Change) -> int:
        kept = _Kept(str(self._reader.path), [(*row,) for row in self.marks()], [(*row,) for row in self.notes()])
        rows: list[Any] = kept.marks if change.table == "mark" else kept.notes
        place = next((i for i, row in enumerate(rows) if row[0] == change.id), -1)
        if change.id and place < 0:
            raise InputError(change.table, str(change.id), "the number of one of the session")
        number = change.id
        if isinstance(change, Remove):
            del rows[place]
        elif place >= 0:
            rows[place] = (change.id, *change.values())
        else:
            number = max((row[0] for row in rows), default=0) + 1
            rows.append((number, *change.values()))
        path = self.sidecar
        fresh = path.with_suffix(".new")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            fresh.write_bytes(msgspec.json.encode(kept))
            fresh.replace(path)
        except OSError as error:
            raise SessionError(str(self._reader.path), f"cannot be annotated, nor can {path} be written ({error.strerror or error})") from None
        self._kept = kept
        return number


def _carry_out(database: sqlite3.Connection, change: Change) -> int:
    if isinstance(change, Remove):
        if not database.execute(f"DELETE FROM {change.table} WHERE id = ?", (change.id,)).rowcount:
            raise InputError(change.table, str(change.id), "the number of one of the session")
        return change.id
    number = change.id
    if not number:
        (number,) = database.execute(f"SELECT coalesce(max(id), 0) + 1 FROM {change.table}").fetchone()
    elif not database.execute(f"SELECT count(*) FROM {change.table} WHERE id = ?", (number,)).fetchone()[0]:
        raise InputError(change.table, str(number), "the number of one of the session")
    row = change.row(number)
    database.execute(f"INSERT OR REPLACE INTO {change.table} VALUES ({', '.join('?' * len(row))})", row)
    return int(number)
