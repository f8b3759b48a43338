"""Frames of a rescued session: those whose bytes are gone go too."""

from __future__ import annotations

import sqlite3
from typing import Any, Final

from ringscope_core.session.packing import unpack

_MAX_BYTES: Final = 1024 * 70_000


def weed_packets(database: sqlite3.Connection, tables: set[str], wrong: tuple[type[Exception], ...]) -> int:
    """Take out what does not hold, in either version's form; the number of frames that are missing by their numbers."""
    return _weed_blocks(database, wrong) if "packet_data" in tables else _weed_rows(database, wrong)


def _weed_rows(database: sqlite3.Connection, wrong: tuple[type[Exception], ...]) -> int:
    """Version 1: a row each, which says where in which block its bytes are."""
    sizes: dict[int, int] = {}
    for (number,) in database.execute("SELECT id FROM packet_block").fetchall():
        try:
            (blob,) = database.execute("SELECT data FROM packet_block WHERE id = ?", (number,)).fetchone()
            sizes[number] = len(unpack(blob, _MAX_BYTES))
        except wrong:
            database.execute("DELETE FROM packet_block WHERE id = ?", (number,))
    database.execute("CREATE TEMP TABLE size (block INTEGER PRIMARY KEY, bytes INTEGER)")
    database.executemany("INSERT INTO size VALUES (?, ?)", sizes.items())
    database.execute(
        "DELETE FROM packet WHERE id < 1 OR offset < 0 OR length < 0 OR NOT EXISTS"
        " (SELECT 1 FROM size WHERE size.block = packet.block AND packet.offset <= size.bytes - packet.length)"
    )
    return _missing(database, "SELECT coalesce(max(id), 0), count(*) FROM packet")


def _weed_blocks(database: sqlite3.Connection, wrong: tuple[type[Exception], ...]) -> int:
    """Later versions: rows and bytes in blobs."""
    from ringscope_core.session.packet_blocks import MAX_BYTES, decode_rows

    expected, last_vt, missing = 1, -(1 << 62), 0
    for first, count in database.execute("SELECT first_id, count FROM packet_block ORDER BY first_id").fetchall():
        try:
            rows: Any = decode_rows(database.execute("SELECT rows FROM packet_data WHERE first_id = ?", (first,)).fetchone()[0], count)
            data = unpack(database.execute("SELECT data FROM packet_data WHERE first_id = ?", (first,)).fetchone()[0], MAX_BYTES)
            if first < expected or int(rows[0, 0]) != first or int(rows[0, 1]) < last_vt or int(rows[:, 7].sum()) != len(data) or int(rows[:, 7].min()) < 0:
                raise ValueError(f"packets from {first} on")
        except wrong:
            database.execute("DELETE FROM packet_block WHERE first_id = ?", (first,))
            database.execute("DELETE FROM packet_data WHERE first_id = ?", (first,))
            database.execute("DELETE FROM packet WHERE id BETWEEN ? AND ?", (first, first + max(count, 1) - 1))
            continue
        missing += first - expected
        expected, last_vt = first + count, int(rows[-1, 1])
    return missing


def _missing(database: sqlite3.Connection, statement: str) -> int:
    last, count = database.execute(statement).fetchone()
    return int(last) - int(count)
