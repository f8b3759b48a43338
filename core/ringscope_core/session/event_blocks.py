"""The writer's events, in blocks that are as large as can be and yet committed at once.

What comes in is stored at each commit, as pieces; as soon as a block's worth has gathered, it takes the place of its pieces.  So a
slow run leaves no dust, a fast one is encoded hardly more than once, and a killed one loses nothing that was committed.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from typing import Final

import numpy as np

from ringscope_core.session import blocks
from ringscope_core.session.create import to_json
from ringscope_core.session.grouped import kind_groups
from ringscope_core.session.many import delete_many, put_many
from ringscope_core.session.rows import RAW_DTYPE, Events
from ringscope_core.trace.log import ROW_BYTES

FULL_ROWS: Final = blocks.MAX_BLOCK_ROWS
SMALL_ROWS: Final = 2048
"""A piece with fewer events is written again with the next ones."""
MAX_PIECES: Final = FULL_ROWS // SMALL_ROWS + 1
_ROW: Final = int(ROW_BYTES)


def kind_counts(rows: Events) -> dict[int, int]:
    """How many events of each kind."""
    numbers, counts, _ = kind_groups(rows["kind"])
    return dict(zip(numbers.tolist(), counts.tolist(), strict=True))


class EventBlocks:
    """Inside the writer's transactions: `add` what came in, then `commit`."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database: sqlite3.Connection = database
        self._first: int = 0
        """Number of the first event of `_tail`."""
        self._tail: bytearray = bytearray()
        """Events since the last full block."""
        self._pieces: list[tuple[int, int, dict[int, int]]] = []
        """First number, count and kinds of the stored pieces of the tail."""
        self._counts: Counter[int] = Counter()
        self._changed: bool = False

    @property
    def tail_first(self) -> int:
        """Number of the first event that may still be stored again with others."""
        return self._first

    @property
    def gathers(self) -> bool:
        """Whether there are events that may still be stored again with others."""
        return bool(self._tail)

    def close_tail(self) -> None:
        """The next event begins a block of its own."""
        if self._tail:
            self._store_whole(len(self._tail) // _ROW)

    def add(self, first_seq: int, rows: bytes) -> None:
        """Events as the log's sink gets them."""
        if self._tail and first_seq != self._first + len(self._tail) // _ROW:
            self.close_tail()
        if not self._tail:
            self._first = first_seq
        self._tail += rows
        self._changed = True
        while len(self._tail) >= FULL_ROWS * _ROW:
            self._store_whole(FULL_ROWS)

    def commit(self, whole: bool = False) -> None:
        """Store what is not stored yet; `whole` puts the pieces together too, for nothing more will come."""
        if not self._changed and not whole:
            return
        if self._tail:
            self.close_tail() if whole else self._store_piece()
        self._changed = False
        self._write_counts()

    def subtract(self, kinds: dict[int, int]) -> None:
        """Events that were taken out of the file."""
        self._counts.subtract(kinds)
        self._changed = True

    def _write_counts(self) -> None:
        put_many(self._database, "event_count", list(self._counts.items()))

    def _store_whole(self, count: int) -> None:
        """The first `count` events of the tail as one block, in place of their pieces."""
        if [piece[:2] for piece in self._pieces] != [(self._first, count)]:
            self.delete([first for first, _, _ in self._pieces])
            for _, _, kinds in self._pieces:
                self._counts.subtract(kinds)
            self._counts.update(self.store(self._first, bytes(memoryview(self._tail)[: count * _ROW])))
        del self._tail[: count * _ROW]
        self._first += count
        self._pieces = []

    def _store_piece(self) -> None:
        if self._pieces and self._pieces[-1][1] < SMALL_ROWS:
            self._counts.subtract(self._pieces.pop()[2])
        start = sum(self._pieces[-1][:2]) if self._pieces else self._first
        rows = bytes(memoryview(self._tail)[(start - self._first) * _ROW :])
        if rows:
            kinds = self.store(start, rows)
            self._counts.update(kinds)
            self._pieces.append((start, len(rows) // _ROW, kinds))

    def store(self, first_seq: int, rows: bytes) -> dict[int, int]:
        """One block, in place of one that begins with the same event; returns how many events of each kind it has."""
        events = blocks.as_rows(rows)
        vt = events["vt"]
        kinds = kind_counts(events)
        entry = (first_seq, len(events), int(vt[0]), int(vt[-1]), int(events["wall"][-1]), to_json(kinds))
        self._database.execute("INSERT OR REPLACE INTO block VALUES (?, ?, ?, ?, ?, ?)", entry)
        self._database.execute("INSERT OR REPLACE INTO block_data VALUES (?, ?)", (first_seq, blocks.encode(first_seq, events)))
        return kinds

    def delete(self, firsts: list[int]) -> None:
        """Take whole blocks out."""
        for table in ("block", "block_data"):
            delete_many(self._database, table, "first_seq", firsts)


def raw_rows(events: Events) -> bytes:
    """Events that were decoded, as the log wrote them."""
    out = np.empty(len(events), RAW_DTYPE)
    for name in RAW_DTYPE.names or ():
        out[name] = events[name]
    return out.tobytes()
