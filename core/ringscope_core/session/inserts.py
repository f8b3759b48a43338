"""The writer's statements.  Rows go in many at a time: each SQLite step lets the run's thread have the interpreter
for a whole slice, so what counts is the number of steps."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import numpy as np

from ringscope_core.session import blocks, keyframes, latency
from ringscope_core.session.create import to_json, write_tables
from ringscope_core.session.packing import pack
from ringscope_core.session.rows import PacketRow
from ringscope_core.trace.counters import COUNTER_NAMES
from ringscope_core.trace.log import ROW_BYTES

_FULL_ROWS: Final = 8192
_SMALL_ROWS: Final = 2048
"""A last block with fewer events than this is written again with the next ones, so that slow runs do not make dust."""
_PACKETS_A_BLOCK: Final = 1024
_ROWS_A_STEP: Final = 500


class Inserter:
    """Turns what the run hands over into rows, inside the writer's transactions."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database: sqlite3.Connection = database
        self._tail_seq: int = 0
        self._tail: bytes = b""
        """The events of the last block while it is small."""
        self._fresh: list[tuple[int, bytes]] = []
        """Runs of consecutive events of this transaction."""
        self._counts: Counter[int] = Counter()
        self._packet_block: int = 0
        self._sample: int = 0

    # -- events -------------------------------------------------------------------------------------------------------
    def block(self, first_seq: int, rows: bytes) -> None:
        """Events, written by `finish`."""
        self._fresh.append((first_seq, rows))

    def finish(self) -> None:
        """Write the transaction's events in blocks of a good size, and the counts of their kinds."""
        if not self._fresh:
            return
        for first_seq, rows in _join(self._tail_seq, self._tail, self._fresh):
            self._write_run(first_seq, rows)
        self._fresh = []
        self._database.executemany("INSERT INTO event_count VALUES (?, ?) ON CONFLICT (kind) DO UPDATE SET count = excluded.count", list(self._counts.items()))

    def _write_run(self, first_seq: int, rows: bytes) -> None:
        full = _FULL_ROWS * int(ROW_BYTES)
        for start in range(0, len(rows), full):
            part = rows[start : start + full]
            self._write_block(first_seq + start // int(ROW_BYTES), part)

    def _write_block(self, first_seq: int, part: bytes) -> None:
        rows = blocks.as_rows(part)
        numbers, counts = np.unique(rows["kind"], return_counts=True)
        kinds = dict(zip(numbers.tolist(), counts.tolist(), strict=True))
        self._counts.update(kinds)
        if first_seq == self._tail_seq and self._tail:
            old, old_counts = np.unique(blocks.as_rows(self._tail)["kind"], return_counts=True)
            self._counts.subtract(dict(zip(old.tolist(), old_counts.tolist(), strict=True)))
        self._database.execute(
            "INSERT OR REPLACE INTO block VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                first_seq,
                len(rows),
                int(rows["vt"][0]),
                int(rows["vt"][-1]),
                int(rows["wall"][-1]),
                to_json(kinds),
                blocks.encode(first_seq, rows),
            ),
        )
        self._tail_seq, self._tail = (first_seq, part) if len(rows) < _SMALL_ROWS else (0, b"")

    # -- everything else ----------------------------------------------------------------------------------------------
    def strings(self, first_id: int, texts: Sequence[str]) -> None:
        """Texts with consecutive numbers."""
        self._many("string", [(first_id + i, text) for i, text in enumerate(texts)])

    def keyframe(self, seq: int, vt: int, wall: int, plain: Mapping[str, Any]) -> None:
        """A state; a second one after the same event replaces the first."""
        self._many("keyframe", [(seq, vt, wall, keyframes.encode(dict(plain)))])

    def packets(self, rows: Sequence[PacketRow], frames: Sequence[bytes], headers: Sequence[bytes] | None) -> None:
        """Frames: a row each, and their bytes together; `offset` is the frame's place, its header lies before it."""
        for start in range(0, len(rows), _PACKETS_A_BLOCK):
            self._packet_block += 1
            block = self._packet_block
            values: list[tuple[object, ...]] = []
            end = start + _PACKETS_A_BLOCK
            offset = 0
            if headers is None:
                parts = list(frames[start:end])
                for row in rows[start:end]:
                    values.append((*row[:8], block, offset, -1))
                    offset += row[7]
            else:
                parts = [part for pair in zip(headers[start:end], frames[start:end], strict=True) for part in pair]
                for row in rows[start:end]:
                    offset += row[8]
                    values.append((*row[:8], block, offset, row[8]))
                    offset += row[7]
            self._many("packet", values)
            self._many("packet_block", [(block, pack(b"".join(parts)))])

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

    def _many(self, table: str, rows: Sequence[tuple[object, ...]]) -> None:
        for start in range(0, len(rows), _ROWS_A_STEP):
            some = rows[start : start + _ROWS_A_STEP]
            place = "(" + ", ".join("?" * len(some[0])) + ")"
            statement = f"INSERT OR REPLACE INTO {table} VALUES {', '.join([place] * len(some))}"
            self._database.execute(statement, [value for row in some for value in row])


def _join(tail_seq: int, tail: bytes, fresh: list[tuple[int, bytes]]) -> list[tuple[int, bytes]]:
    """Consecutive pieces put together, the unfinished last block first."""
    runs: list[tuple[int, list[bytes], int]] = []
    for first_seq, rows in [(tail_seq, tail), *fresh] if tail else fresh:
        count = len(rows) // int(ROW_BYTES)
        if runs and runs[-1][2] == first_seq:
            start, parts, end = runs[-1]
            parts.append(rows)
            runs[-1] = (start, parts, end + count)
        else:
            runs.append((first_seq, [rows], first_seq + count))
    return [(start, b"".join(parts)) for start, parts, _ in runs]
