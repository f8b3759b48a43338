"""Keeps the file of an unsaved run within a size: a flight recorder that lets the oldest go.

What goes are the oldest whole blocks behind the pinned head, with their packets, keyframes and counters, up to a keyframe: every
event that stays can be folded.  The pages are used again, so the file does not grow.  The head, where the machine was built and
the driver probed, stays for good: it is what people look at most.  One row of table ``gap`` says what went.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from typing import Final

import msgspec

from ringscope_core.session import blocks
from ringscope_core.session.event_blocks import EventBlocks, kind_counts, raw_rows
from ringscope_core.session.packet_blocks import PacketBlocks
from ringscope_core.session.rows import GAP_BOUND

BOUND_GAP: Final = 0
"""The row of table ``gap`` that says what went."""
_HEAD_SHARE: Final = 4
"""A head larger than this part of the bound is not kept."""
_STEP_SHARE: Final = 32
"""So much of the bound is made free at once, so that it is not done at each commit."""


def wal_limit(limit: int) -> int:
    """How large the write-ahead log of a file bounded to `limit` bytes may become."""
    return max(min(64 << 20, limit // 8), 1 << 20)


class FlightRecorder:
    """Inside the writer's transactions, after each."""

    def __init__(self, database: sqlite3.Connection, events: EventBlocks, packets: PacketBlocks, limit: int) -> None:
        self._database: sqlite3.Connection = database
        self._events: EventBlocks = events
        self._packets: PacketBlocks = packets
        self.limit: int = limit
        self._page: int = int(self._one("PRAGMA page_size"))
        self._head_seq: int = -1
        """The last event of the pinned head."""
        self._head_packet: int = 0
        self._dropped: tuple[int, int] = (0, 0)
        self._last_dropped: int = -1

    def _one(self, statement: str, *args: object) -> int:
        row = self._database.execute(statement, args).fetchone()
        return int(row[0]) if row is not None and row[0] is not None else -1

    def used(self) -> int:
        """Bytes of the pages in use."""
        return (self._one("PRAGMA page_count") - self._one("PRAGMA freelist_count")) * self._page

    def pin(self) -> None:
        """What is in the file now stays, unless it is a large part of the bound already."""
        if self.used() <= self.limit // _HEAD_SHARE:
            self._head_seq = self._one("SELECT max(first_seq + count - 1) FROM block")
            self._head_packet = self._one("SELECT max(first_id + count - 1) FROM packet_block")

    @property
    def full(self) -> bool:
        """Whether something has to go."""
        return self.used() > self.limit - wal_limit(self.limit)

    def trim(self) -> None:
        """Let the oldest go until there is room again, as far as there is a keyframe to begin with."""
        target = self.limit - wal_limit(self.limit) - self.limit // _STEP_SHARE
        begin = -1
        while self.used() > target:
            keyframe = self._next_beginning(max(begin, self._head_seq, self._last_dropped))
            if keyframe < 0:
                # a small bound: what is still being gathered is most of it
                if not (self._events.gathers or self._packets.gathers):
                    break
                self._events.close_tail()
                self._packets.close_tail()
                continue
            begin = keyframe
            self._let_go(begin)
        if begin >= 0:
            self._cut(begin)
            self._note(begin)

    def _next_beginning(self, after: int) -> int:
        """The first keyframe at or behind the end of the oldest whole block behind event `after`; -1 when that must stay."""
        row = self._database.execute("SELECT first_seq + count - 1 FROM block WHERE first_seq + count - 1 > ? ORDER BY first_seq LIMIT 1", (after,)).fetchone()
        if row is None:
            return -1
        keyframe = self._one("SELECT min(seq) FROM keyframe WHERE seq >= ?", row[0])
        return keyframe if 0 <= keyframe < self._events.tail_first - 1 else -1

    def _let_go(self, begin: int) -> None:
        """Everything whole between the head and keyframe `begin`."""
        run = self._database.execute
        rows = run("SELECT first_seq, count, kinds FROM block WHERE first_seq > ? AND first_seq + count - 1 <= ?", (self._head_seq, begin)).fetchall()
        kinds: Counter[int] = Counter()
        for _, count, text in rows:
            kinds.update(msgspec.json.decode(text, type=dict[int, int]))
            self._dropped = (self._dropped[0] + count, self._dropped[1])
        self._events.subtract(kinds)
        self._events.delete([int(first) for first, _, _ in rows])
        packets = run(
            "SELECT first_id, count FROM packet_block WHERE first_id > ? AND first_id < ? AND last_seq <= ?",
            (self._head_packet, self._packets.tail_first, begin),
        ).fetchall()
        self._packets.delete([int(first) for first, _ in packets])
        self._dropped = (self._dropped[0], self._dropped[1] + sum(int(count) for _, count in packets))
        run("DELETE FROM packet WHERE seq > ? AND seq <= ?", (self._head_seq, begin))
        for table in ("keyframe", "keyframe_data"):
            run(f"DELETE FROM {table} WHERE seq > ? AND seq < ?", (self._head_seq, begin))
        vt = self._one("SELECT vt FROM keyframe WHERE seq = ?", begin)
        run("DELETE FROM counter WHERE sample < (SELECT coalesce(max(sample), 0) FROM counter WHERE vt <= ?)", (vt,))
        self._last_dropped = begin

    def _cut(self, begin: int) -> None:
        """The block that holds the event after keyframe `begin` starts with it."""
        row = self._database.execute(
            "SELECT first_seq, count, data FROM block JOIN block_data USING (first_seq) WHERE first_seq <= ? AND first_seq > ? ORDER BY first_seq DESC LIMIT 1",
            (begin, self._head_seq),
        ).fetchone()
        if row is None or row[0] + row[1] - 1 <= begin:
            return
        first, count, data = row
        events = blocks.decode(first, count, data)
        before, after = events[: begin + 1 - first], events[begin + 1 - first :]
        self._events.delete([first])
        self._events.store(begin + 1, raw_rows(after))
        self._events.subtract(kind_counts(before))
        self._dropped = (self._dropped[0] + len(before), self._dropped[1])

    def _note(self, begin: int) -> None:
        events, packets = self._dropped
        self._database.execute("INSERT OR REPLACE INTO gap VALUES (?, ?, ?, ?, ?, ?)", (BOUND_GAP, self._head_seq + 1, begin, events, packets, GAP_BOUND))
        self._events.commit()
