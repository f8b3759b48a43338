"""Keep a recording under another name, also while it grows."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING

from ringscope.words import t
from ringscope_core.session.errors import DamagedSession, SessionError
from ringscope_core.session.guard import check_whole
from ringscope_core.session.salvage import salvage
from ringscope_core.session.seal import seal

if TYPE_CHECKING:
    from ringscope_core.session.reader import SessionReader


def copy_session(source: Path, target: Path) -> str:
    """Copy the session whole and consistent, of a damaged one what is whole; returns one line when that failed, else nothing.

    SQLite's backup sees one moment of a file that another process writes; the copy appears under its name only when it is whole.
    """
    if source.resolve() == target.resolve():
        return t("{target} is the recording itself", target=target)
    try:
        check_whole(source)
    except DamagedSession as error:
        # a plain copy would carry the damage on, and its checksums would vouch for it
        return _copy_rest(source, target, error)
    except SessionError as error:
        return t("{target} was not written ({reason})", target=target, reason=error.reason)
    return _copy(source, target)


def _copy_rest(source: Path, target: Path, error: DamagedSession) -> str:
    try:
        with salvage(source, error.reason) as rest:
            return _copy(rest.path, target)
    except SessionError as failure:
        return t("{target} was not written ({reason})", target=target, reason=failure.reason)


def _copy(source: Path, target: Path) -> str:
    fresh = target.with_name(target.name + ".part")
    try:
        fresh.unlink(missing_ok=True)
        reading = sqlite3.connect(f"file:{source}?mode=ro", uri=True)
        writing = sqlite3.connect(fresh)
        try:
            reading.backup(writing)
            writing.execute("PRAGMA journal_mode = DELETE")
        finally:
            writing.close()
            reading.close()
        seal(fresh)
        fresh.replace(target)
    except (OSError, sqlite3.Error) as error:
        fresh.unlink(missing_ok=True)
        return t("{target} was not written ({error})", target=target, error=error)
    return ""


def notes_of(reader: SessionReader) -> int:
    """Marks that the scenario did not make, and notes."""
    scenario = reader.meta.get("scenario_data")
    made = scenario.get("mark", []) if isinstance(scenario, dict) else []
    own = {str(mark.get("name")) for mark in made if isinstance(mark, dict)} if isinstance(made, list) else set()
    return sum(mark.name not in own for mark in reader.marks()) + len(reader.notes())
