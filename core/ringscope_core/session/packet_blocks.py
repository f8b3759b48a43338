"""Frames in blocks: where and when as columns, and their bytes one after the other.  As with events, what was committed in pieces is
put together as soon as a block's worth has gathered."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from operator import add
from typing import Final

import numpy as np

from ringscope_core.session import columns
from ringscope_core.session.packing import PackingError, pack, unpack
from ringscope_core.session.rows import Ints, PacketRow

FULL_FRAMES: Final = 4096
FULL_BYTES: Final = 1 << 20
MAX_FRAMES: Final = 65536
MAX_BYTES: Final = 1024 * 70_000
SMALL_FRAMES: Final = 256
"""A piece with fewer frames is written again with the next ones."""
SINGLE_ROWS: Final = 16384
"""So many frames, the first of the recording, also have a row each in table ``packet``, for people with the sqlite3 shell."""
_COLUMNS: Final = len(PacketRow._fields)
LENGTH: Final = PacketRow._fields.index("length")
HEADER: Final = PacketRow._fields.index("header")
_ROWS_LIMIT: Final = _COLUMNS * (17 + 8 * MAX_FRAMES)


def as_array(rows: Sequence[PacketRow]) -> Ints:
    """One row a frame, columns in the order of `PacketRow`."""
    return np.array(rows, np.int64).reshape(len(rows), _COLUMNS)


def decode_rows(blob: bytes, count: int) -> Ints:
    """A block's rows, as `as_array` gives them; raises PackingError."""
    if not 0 < count <= MAX_FRAMES:
        raise PackingError(f"a block of {count} packets")
    return np.stack(columns.decode(unpack(blob, _ROWS_LIMIT), _COLUMNS, count), axis=1)


class PacketBlocks:
    """Inside the writer's transactions: `add` what came in, then `commit`."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database: sqlite3.Connection = database
        self._rows: list[Ints] = []
        self._frames: list[bytes] = []
        self._bytes: int = 0
        self._stored: list[tuple[int, int]] = []
        """First number and count of the stored pieces of what is gathered."""
        self._singles: int = 0
        self._changed: bool = False
        self._next: int = 1

    @property
    def tail_first(self) -> int:
        """Number of the first frame that may still be stored again with others."""
        return int(self._rows[0][0, 0]) if self._rows else self._next

    def add(self, rows: Ints, frames: Sequence[bytes], headers: Sequence[bytes] | None = None) -> None:
        """Frames with consecutive numbers; a frame's header lies before it."""
        if not len(rows):
            return
        if headers is None:
            rows[:, HEADER] = -1
        else:
            frames = list(map(add, headers, frames))
        if self._rows and int(rows[0, 0]) != int(self._rows[-1][-1, 0]) + 1:
            self._store_whole()
        self._rows.append(rows)
        self._frames.extend(frames)
        self._bytes += sum(map(len, frames))
        self._next = int(rows[-1, 0]) + 1
        self._changed = True
        if self._singles < SINGLE_ROWS:
            some = rows[: SINGLE_ROWS - self._singles].tolist()
            self._database.executemany("INSERT OR REPLACE INTO packet VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", some)
            self._singles += len(some)
        if len(self._frames) >= FULL_FRAMES or self._bytes >= FULL_BYTES:
            self._store_whole()

    def commit(self, whole: bool = False) -> None:
        """Store what is not stored yet; `whole` puts the pieces together too."""
        if not self._frames or not (self._changed or whole):
            return
        self._changed = False
        if whole:
            self._store_whole()
        else:
            self._store_piece()

    def _store_whole(self) -> None:
        rows = np.concatenate(self._rows)
        self.delete([first for first, _ in self._stored])
        for start in range(0, len(rows), 2 * FULL_FRAMES):
            self._store(rows[start : start + 2 * FULL_FRAMES], self._frames[start : start + 2 * FULL_FRAMES])
        self._rows, self._frames, self._bytes, self._stored = [], [], 0, []

    def _store_piece(self) -> None:
        rows = np.concatenate(self._rows)
        self._rows = [rows]
        if self._stored and self._stored[-1][1] < SMALL_FRAMES:
            self._stored.pop()
        done = sum(count for _, count in self._stored)
        if done < len(rows):
            self._store(rows[done:], self._frames[done:])
            self._stored.append((int(rows[done, 0]), len(rows) - done))

    def _store(self, rows: Ints, frames: list[bytes]) -> None:
        first = int(rows[0, 0])
        seqs, vt = rows[:, 6], rows[:, 1]
        entry = (first, len(rows), int(vt[0]), int(vt[-1]), int(seqs[0]), int(seqs[-1]), int(rows[:, LENGTH].sum()))
        blobs = (first, pack(columns.encode(list(rows.T))), pack(b"".join(frames)))
        self._database.execute("INSERT OR REPLACE INTO packet_block VALUES (?, ?, ?, ?, ?, ?, ?)", entry)
        self._database.execute("INSERT OR REPLACE INTO packet_data VALUES (?, ?, ?)", blobs)

    def delete(self, firsts: Sequence[int]) -> None:
        """Take whole blocks out."""
        places = [(first,) for first in firsts]
        self._database.executemany("DELETE FROM packet_block WHERE first_id = ?", places)
        self._database.executemany("DELETE FROM packet_data WHERE first_id = ?", places)
