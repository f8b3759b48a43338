"""Many rows in one statement: each step of SQLite lets the run's thread have the interpreter for a whole slice, so what counts for the
writer is the number of steps."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Final

_ROWS_A_STEP: Final = 500


def put_many(database: sqlite3.Connection, table: str, rows: Sequence[Sequence[object]]) -> None:
    """Insert `rows`, all of one length, each in place of one with the same key."""
    if rows:
        put_flat(database, table, len(rows[0]), [value for row in rows for value in row])


def put_flat(database: sqlite3.Connection, table: str, width: int, values: Sequence[object]) -> None:
    """The same for the values of all rows one after the other, `width` a row."""
    place = "(" + ", ".join("?" * width) + ")"
    for start in range(0, len(values), _ROWS_A_STEP * width):
        some = values[start : start + _ROWS_A_STEP * width]
        database.execute(f"INSERT OR REPLACE INTO {table} VALUES {', '.join([place] * (len(some) // width))}", some)


def delete_many(database: sqlite3.Connection, table: str, key: str, values: Sequence[int]) -> None:
    """Delete the rows whose `key` is one of `values`."""
    for start in range(0, len(values), _ROWS_A_STEP):
        some = values[start : start + _ROWS_A_STEP]
        database.execute(f"DELETE FROM {table} WHERE {key} IN ({', '.join('?' * len(some))})", list(some))
