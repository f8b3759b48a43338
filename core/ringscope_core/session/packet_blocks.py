"""Frames in blocks: where and when as columns, and their bytes one after the other.  As with events, what was committed in pieces is
put together as soon as a block's worth has gathered."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Final

import numpy as np

from ringscope_core.session import columns
from ringscope_core.session.many import delete_many, put_flat
from ringscope_core.session.packing import PackingError, pack, unpack
from ringscope_core.session.rows import Ints, PacketRow

FULL_FRAMES: Final = 16384
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


def sizes(rows: Ints) -> Ints:
    """How many bytes each frame takes with its header."""
    return np.asarray(rows[:, LENGTH] + np.maximum(rows[:, HEADER], 0), np.int64)


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
        self._data: list[bytes] = []
        """The bytes that belong to each of `_rows`."""
        self._count: int = 0
        self._bytes: int = 0
        self._stored: list[tuple[int, int, int]] = []
        """First number, count and bytes of the stored pieces of what is gathered."""
        self._singles: int = 0
        self._changed: bool = False
        self._next: int = 1

    @property
    def tail_first(self) -> int:
        """Number of the first frame that may still be stored again with others."""
        return int(self._rows[0][0, 0]) if self._rows else self._next

    @property
    def gathers(self) -> bool:
        """Whether there are frames that may still be stored again with others."""
        return bool(self._rows)

    def close_tail(self) -> None:
        """The next frame begins a block of its own."""
        if self._rows:
            self._store_whole()

    def add(self, rows: Ints, data: bytes) -> None:
        """Frames with consecutive numbers, and their bytes, each frame's behind its header's."""
        if self._rows and int(rows[0, 0]) != self._next:
            self._store_whole()
        self._rows.append(rows)
        self._data.append(data)
        self._count += len(rows)
        self._bytes += len(data)
        self._next = int(rows[-1, 0]) + 1
        self._changed = True
        if self._singles < SINGLE_ROWS:
            some = rows[: SINGLE_ROWS - self._singles]
            put_flat(self._database, "packet", _COLUMNS, some.ravel().tolist())
            self._singles += len(some)
        if self._count >= FULL_FRAMES or self._bytes >= FULL_BYTES:
            self._store_whole()

    def commit(self, whole: bool = False) -> None:
        """Store what is not stored yet; `whole` puts the pieces together too."""
        if not self._rows or not (self._changed or whole):
            return
        self._changed = False
        if whole:
            self._store_whole()
        else:
            self._store_piece()

    def _store_whole(self) -> None:
        rows, data = self._together()
        self.delete([first for first, _, _ in self._stored])
        if len(rows) <= 2 * FULL_FRAMES and len(data) <= 2 * FULL_BYTES:
            self._store(rows, data)
        else:
            self._store_split(rows, data)
        self._rows, self._data, self._stored = [], [], []
        self._count = self._bytes = 0

    def _store_split(self, rows: Ints, data: bytes) -> None:
        """What came at once and is more than a block should hold."""
        ends = np.concatenate(([0], np.cumsum(sizes(rows))))
        start = 0
        while start < len(rows):
            full = int(np.searchsorted(ends, ends[start] + 2 * FULL_BYTES, "right")) - 1
            end = min(max(full, start + 1), start + 2 * FULL_FRAMES, len(rows))
            self._store(rows[start:end], data[int(ends[start]) : int(ends[end])])
            start = end

    def _together(self) -> tuple[Ints, bytes]:
        rows, data = np.concatenate(self._rows), b"".join(self._data)
        if int(sizes(rows).sum()) != len(data):
            raise ValueError(f"{len(data)} bytes of {len(rows)} packets")
        return rows, data

    def _store_piece(self) -> None:
        rows, data = self._together()
        self._rows, self._data = [rows], [data]
        if self._stored and self._stored[-1][1] < SMALL_FRAMES:
            self._stored.pop()
        done, at = sum(count for _, count, _ in self._stored), sum(size for _, _, size in self._stored)
        if done < len(rows):
            self._store(rows[done:], data[at:])
            self._stored.append((int(rows[done, 0]), len(rows) - done, len(data) - at))

    def _store(self, rows: Ints, data: bytes) -> None:
        first = int(rows[0, 0])
        seqs, vt = rows[:, 6], rows[:, 1]
        entry = (first, len(rows), int(vt[0]), int(vt[-1]), int(seqs[0]), int(seqs[-1]), int(rows[:, LENGTH].sum()))
        blobs = (first, pack(columns.encode(rows.T)), pack(data))
        self._database.execute("INSERT OR REPLACE INTO packet_block VALUES (?, ?, ?, ?, ?, ?, ?)", entry)
        self._database.execute("INSERT OR REPLACE INTO packet_data VALUES (?, ?, ?)", blobs)

    def delete(self, firsts: Sequence[int]) -> None:
        """Take whole blocks out."""
        for table in ("packet_block", "packet_data"):
            delete_many(self._database, table, "first_id", firsts)
