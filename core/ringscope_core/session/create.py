"""A new session file: whole or not there.  It is built under another name and renamed when its tables are complete."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from ringscope_core.session.errors import SessionError
from ringscope_core.session.schema import APPLICATION_ID, OBJECTS, VERSION
from ringscope_core.trace.fields import field_table
from ringscope_core.trace.functions import function_table
from ringscope_core.trace.kinds import KINDS


def to_json(value: object) -> str:
    """`value` as JSON text."""
    return msgspec.json.encode(value).decode()


def create(path: Path, meta: Mapping[str, object], types: Iterable[Mapping[str, Any]]) -> None:
    """Write a session without events at `path`, replacing a file that was there; raises SessionError."""
    if not path.name or (path.exists() and not path.is_file()):
        raise SessionError(str(path), "cannot be created (not the name of a file)")
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        unfinished.unlink(missing_ok=True)
        _build(unfinished, meta, types)
        for suffix in ("-wal", "-shm"):
            # a write-ahead log left by a killed writer belongs to the file that goes away
            path.with_name(path.name + suffix).unlink(missing_ok=True)
        os.replace(unfinished, path)
    except (OSError, sqlite3.Error) as error:
        unfinished.unlink(missing_ok=True)
        raise SessionError(str(path), f"cannot be created ({error})") from None


def _build(path: Path, meta: Mapping[str, object], types: Iterable[Mapping[str, Any]]) -> None:
    database = sqlite3.connect(path, isolation_level=None)
    try:
        database.execute("PRAGMA synchronous = OFF")
        database.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        database.execute("BEGIN")
        database.execute(f"PRAGMA user_version = {VERSION}")
        for statement in OBJECTS.values():
            database.execute(statement)
        write_tables(database, types)
        database.executemany("INSERT INTO meta VALUES (?, ?)", [(key, to_json(value)) for key, value in meta.items()])
        database.execute("COMMIT")
    finally:
        database.close()


def write_tables(database: sqlite3.Connection, types: Iterable[Mapping[str, Any]]) -> None:
    """The declarations that the events are read by: kinds, functions, fields, QOM types."""
    database.executemany(
        "INSERT OR REPLACE INTO kind VALUES (?, ?, ?, ?, ?, ?)",
        [(spec.number, spec.name, spec.group, spec.level, spec.title, to_json([tuple(arg) for arg in spec.args])) for spec in KINDS],
    )
    database.executemany(
        "INSERT OR REPLACE INTO function VALUES (?, ?, ?, ?, ?)",
        [(f.number, f.name, f.file, f.line, to_json(f.args)) for f in function_table().values()],
    )
    database.executemany("INSERT OR REPLACE INTO field VALUES (?, ?, ?, ?, ?, ?)", [tuple(f) for f in field_table().values()])
    database.executemany("INSERT OR REPLACE INTO type VALUES (?, ?)", [(str(row["name"]), to_json(row)) for row in types])
