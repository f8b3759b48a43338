"""Keep a recording under another name, also while it grows."""

from __future__ import annotations

import sqlite3
from pathlib import Path


def copy_session(source: Path, target: Path) -> str:
    """Copy the session whole and consistent; returns one line when that failed, else nothing.

    SQLite's backup sees one moment of a file that another process writes; the copy appears under its name only when it is whole.
    """
    if source.resolve() == target.resolve():
        return f"{target} is the recording itself"
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
        fresh.replace(target)
    except (OSError, sqlite3.Error) as error:
        fresh.unlink(missing_ok=True)
        return f"{target} was not written ({error})"
    return ""
