"""Breakpoints of a finished session, changed by a person: in the file itself, or beside it where that cannot be written (see `annotate`)."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

import msgspec

from ringscope_core.session.annotate import MAX_SIDECAR, Annotations
from ringscope_core.session.errors import SessionError
from ringscope_core.session.schema import VERSION

if TYPE_CHECKING:
    from ringscope_core.session.reader import SessionReader

_BUSY_S: Final = 0.2
"""So long another writer may take; the window waits."""


class KeptPoints:
    """The breakpoints of one session in plain form."""

    def __init__(self, reader: SessionReader, folder: Path | None = None) -> None:
        self._reader: SessionReader = reader
        self.sidecar: Path = Annotations(reader, folder).sidecar.with_suffix(".points.json")
        """Where they stand when the session cannot take them."""

    def read(self) -> list[dict[str, Any]]:
        """As they were kept last."""
        try:
            if self.sidecar.is_file() and self.sidecar.stat().st_size <= MAX_SIDECAR:
                return msgspec.json.decode(self.sidecar.read_bytes(), type=list[dict[str, Any]])
        except (OSError, msgspec.DecodeError):
            # damaged: what the session itself holds is still there
            pass
        return [row.spec for row in self._reader.breakpoints()]

    def write(self, points: Sequence[Mapping[str, Any]]) -> None:
        """Keep them; raises SessionError when neither the session nor a sidecar can be written."""
        if not self.sidecar.exists():
            try:
                self._into_file(points)
                return
            except sqlite3.Error:
                # read-only, of an older version, or written by somebody else just now: beside it, then
                pass
        fresh = self.sidecar.with_suffix(".new")
        try:
            self.sidecar.parent.mkdir(parents=True, exist_ok=True)
            fresh.write_bytes(msgspec.json.encode([dict(point) for point in points]))
            fresh.replace(self.sidecar)
        except OSError as error:
            why = error.strerror or error
            raise SessionError(str(self._reader.path), f"cannot keep breakpoints, nor can {self.sidecar} be written ({why})") from None

    def _into_file(self, points: Sequence[Mapping[str, Any]]) -> None:
        where = f"file:{quote(str(self._reader.path.absolute()))}?mode=rw"
        database = sqlite3.connect(where, uri=True, isolation_level=None, timeout=_BUSY_S)
        try:
            database.execute("PRAGMA trusted_schema = OFF")
            database.execute("BEGIN IMMEDIATE")
            if database.execute("PRAGMA user_version").fetchone()[0] != VERSION:
                raise sqlite3.NotSupportedError("a file of an older version is never changed")
            database.execute("DELETE FROM breakpoint")
            rows = [(int(point.get("id", 0)), msgspec.json.encode(dict(point)).decode()) for point in points]
            database.executemany("INSERT INTO breakpoint VALUES (?, ?)", rows)
            database.execute("COMMIT")
        finally:
            database.close()
