"""The writer's statements."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ringscope_core.session import keyframes, latency
from ringscope_core.session.create import write_tables
from ringscope_core.session.event_blocks import EventBlocks
from ringscope_core.session.many import put_many
from ringscope_core.session.packet_blocks import PacketBlocks
from ringscope_core.trace.counters import COUNTER_NAMES


class Inserter:
    """Turns what the run hands over into rows, inside the writer's transactions."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database: sqlite3.Connection = database
        self.events: EventBlocks = EventBlocks(database)
        self.packets: PacketBlocks = PacketBlocks(database)
        self._sample: int = 0
        self._states: list[tuple[int, int, int, bytes]] = []
        """Keyframes that wait for the events before them."""

    def commit(self, whole: bool = False) -> None:
        """Store what was gathered; `whole` when nothing more will come."""
        self.events.commit(whole)
        self.packets.commit(whole)
        waiting, self._states = self._states, []
        for seq, vt, wall, blob in waiting:
            self._many("keyframe", [(seq, vt, wall)])
            self._many("keyframe_data", [(seq, blob)])

    def strings(self, first_id: int, texts: Sequence[str]) -> None:
        """Texts with consecutive numbers."""
        self._many("string", [(first_id + i, text) for i, text in enumerate(texts)])

    def keyframe(self, seq: int, vt: int, wall: int, plain: Mapping[str, Any]) -> None:
        """A state; a second one after the same event replaces the first.  It is stored with `commit`, not before the events it follows."""
        self._states.append((seq, vt, wall, keyframes.encode(dict(plain))))

    def counters(self, vt: int, wall: int, rings: Iterable[tuple[int, list[int], list[int]]]) -> None:
        """A sample of every ring."""
        self._sample += 1
        rows: list[tuple[object, ...]] = []
        for oid, values, counts in rings:
            assert len(values) == len(COUNTER_NAMES)
            rows.append((self._sample, vt, wall, oid, *values, latency.encode(counts)))
        self._many("counter", rows)

    def row(self, table: str, *values: object) -> None:
        """A row of a small table, replacing the one with its id."""
        self._many(table, [values])

    def remove(self, table: str, number: int) -> None:
        """A row of a small table goes."""
        self._database.execute(f"DELETE FROM {table} WHERE id = ?", (number,))

    def breakpoints(self, specs: Sequence[tuple[int, str]]) -> None:
        """All breakpoints, in place of those before: id and JSON text."""
        self._database.execute("DELETE FROM breakpoint")
        self._many("breakpoint", specs)

    def meta(self, key: str, value: str) -> None:
        """A JSON value under a key, replacing the former."""
        self._many("meta", [(key, value)])

    def types(self, types: Iterable[Mapping[str, Any]]) -> None:
        """The declarations, once more."""
        write_tables(self._database, types)

    def _many(self, table: str, rows: Sequence[Sequence[object]]) -> None:
        put_many(self._database, table, rows)
