"""Frames of a rescued session: those whose bytes are gone go too."""

from __future__ import annotations

import sqlite3

import numpy as np

from ringscope_core.session.packet_blocks import HEADER, LENGTH, MAX_BYTES, MAX_FRAMES, decode_rows
from ringscope_core.session.packing import unpack
from ringscope_core.session.rows import Ints


def weed_packets(database: sqlite3.Connection, tables: set[str], wrong: tuple[type[Exception], ...]) -> int:
    """Take out what does not hold, in either version's form; the number of frames that are missing by their numbers."""
    return _weed_blocks(database, wrong) if "packet_data" in tables else _weed_rows(database, wrong)


def _weed_rows(database: sqlite3.Connection, wrong: tuple[type[Exception], ...]) -> int:
    """Version 1: a row each, which says where in which block its bytes are."""
    (top,) = database.execute("SELECT coalesce(max(id), 0) FROM packet").fetchone()
    sizes: dict[int, int] = {}
    for (number,) in database.execute("SELECT id FROM packet_block").fetchall():
        try:
            (blob,) = database.execute("SELECT data FROM packet_block WHERE id = ?", (number,)).fetchone()
            sizes[number] = len(unpack(blob, MAX_BYTES))
        except wrong:
            database.execute("DELETE FROM packet_block WHERE id = ?", (number,))
    database.execute("CREATE TEMP TABLE size (block INTEGER PRIMARY KEY, bytes INTEGER)")
    database.executemany("INSERT INTO size VALUES (?, ?)", sizes.items())
    database.execute(
        "DELETE FROM packet WHERE id < 1 OR offset < 0 OR length < 0 OR NOT EXISTS"
        " (SELECT 1 FROM size WHERE size.block = packet.block AND packet.offset <= size.bytes - packet.length)"
    )
    (kept,) = database.execute("SELECT count(*) FROM packet").fetchone()
    return max(int(top) - int(kept), 0)


def _weed_blocks(database: sqlite3.Connection, wrong: tuple[type[Exception], ...]) -> int:
    """Later versions: rows and bytes in blobs."""
    expected, last_vt, kept, top = 1, -(1 << 62), 0, 0
    for first, count in database.execute("SELECT first_id, count FROM packet_block ORDER BY first_id").fetchall():
        top = max(top, first + min(max(count, 0), MAX_FRAMES) - 1)
        try:
            blobs = database.execute("SELECT rows, data FROM packet_data WHERE first_id = ?", (first,)).fetchone()
            rows = decode_rows(blobs[0], count)
            if first < expected or int(rows[0, 1]) < last_vt or not _fills(rows, first, len(unpack(blobs[1], MAX_BYTES))):
                raise ValueError(f"packets from {first} on")
        except wrong:
            for table in ("packet_block", "packet_data"):
                database.execute(f"DELETE FROM {table} WHERE first_id = ?", (first,))
            database.execute("DELETE FROM packet WHERE id BETWEEN ? AND ?", (first, first + max(count, 1) - 1))
            continue
        kept += count
        expected, last_vt = first + count, int(rows[-1, 1])
    return top - kept


def _fills(rows: Ints, first: int, size: int) -> bool:
    """Whether the rows count from `first` and their frames and headers fill `size` bytes."""
    lengths, headers = rows[:, LENGTH], rows[:, HEADER]
    if bool((lengths < 0).any()) or bool((lengths > MAX_BYTES).any()) or bool((headers < -1).any()) or bool((headers > MAX_BYTES).any()):
        return False
    return int(rows[0, 0]) == first and bool((np.diff(rows[:, 0]) == 1).all()) and int((lengths + np.maximum(headers, 0)).sum()) == size
