"""Takes out of a rescued session what does not hold: blobs that do not unpack, rows that name what is gone; and says what is missing.

Afterwards the session is one that any reader takes: everything left is what was written, and each stretch of events that the fold
needs whole is whole.  Where a block is lost, the events up to the next keyframe go too, for no state could be told there.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any, Final

import msgspec
import numpy as np

from ringscope_core.session import blocks, keyframes, latency
from ringscope_core.session.create import to_json
from ringscope_core.session.guard import DATA_ERRORS
from ringscope_core.session.losses import Losses
from ringscope_core.session.rows import RAW_DTYPE, Events
from ringscope_core.session.weed_packets import weed_packets
from ringscope_core.trace.kinds import EV_DROPPED, KINDS
from ringscope_core.trace.state import MachineState

_WRONG: Final = DATA_ERRORS
REASON: Final = "damaged"
LOST_TEXT: Final = "<lost>"

_PAIRS: Final = tuple[tuple[str, str], ...]
_JSON: Final[dict[str, tuple[str, str, Any]]] = {
    "meta": ("key", "value", Any),
    "kind": ("id", "args", _PAIRS),
    "function": ("id", "args", _PAIRS),
    "type": ("name", "spec", dict[str, Any]),
    "control": ("id", "arguments", dict[str, Any]),
    "breakpoint": ("id", "spec", dict[str, Any]),
    "note": ("id", "place", dict[str, Any]),
}
_NUMBERED: Final = ("mark", "control", "log", "note", "breakpoint")
"""Rows that count from 1: a missing number is a lost row."""


def weed(database: sqlite3.Connection, incomplete: list[str]) -> Losses:
    """Weed a copy, inside the caller's transaction; `incomplete` names the tables of which rows may be missing."""
    return _Weeder(database, incomplete).run()


class _Weeder:
    def __init__(self, database: sqlite3.Connection, incomplete: list[str]) -> None:
        self._database = database
        self._tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        # totals are counted anew, and single packets are copies of what blocks hold
        copies = {"event_count", "packet"} if "packet_data" in self._tables else {"event_count"}
        self._losses = Losses([name for name in incomplete if name not in copies])
        self._block_data = "block_data" if "block_data" in self._tables else "block"
        self._keyframe_data = "keyframe_data" if "keyframe_data" in self._tables else "keyframe"

    def run(self) -> Losses:
        losses = self._losses
        self._small_tables()
        self._keyframes()
        self._events()
        losses.packets += weed_packets(self._database, self._tables, _WRONG)
        self._counters()
        self._rows("UPDATE meta SET value = 'false' WHERE key = 'closed' AND ?", int(losses.any))
        if losses.any:
            # said again when the rescued session is saved and opened
            self._rows("INSERT OR REPLACE INTO meta VALUES ('damage', ?)", to_json(losses.sentence()))
        if "gap" in self._tables:
            self._declare()
        losses.kept = bool(self._rows("SELECT 1 FROM block LIMIT 1") or self._rows("SELECT 1 FROM keyframe LIMIT 1"))
        return losses

    def _rows(self, statement: str, *args: object) -> list[Any]:
        return self._database.execute(statement, args).fetchall()

    # -- declarations and small rows ----------------------------------------------------------------------------------
    def _small_tables(self) -> None:
        for table, (key, column, kind) in _JSON.items():
            if table in self._tables:
                for name, text in self._rows(f"SELECT {key}, {column} FROM {table}"):
                    if not _good(msgspec.json.Decoder(kind).decode, text):
                        self._losses.count(table)
                        self._database.execute(f"DELETE FROM {table} WHERE {key} = ?", (name,))
        for table in _NUMBERED:
            if table in self._tables:
                last, count = self._rows(f"SELECT coalesce(max(id), 0), count(*) FROM {table} WHERE id > 0")[0]
                self._losses.at_least(table, last - count)
        self._strings()
        if not self._losses.lacks("kind"):
            return
        # numbers of kinds are never given to another, so ours stand for lost ones
        have = {number for (number,) in self._rows("SELECT id FROM kind")}
        for spec in KINDS:
            if spec.number not in have:
                row = (spec.number, spec.name, spec.group, spec.level, spec.title, to_json([tuple(arg) for arg in spec.args]))
                self._database.execute("INSERT INTO kind VALUES (?, ?, ?, ?, ?, ?)", row)

    def _strings(self) -> None:
        """Texts count from 0 without a hole, or a reader refuses them."""
        have = {number for (number,) in self._rows("SELECT id FROM string WHERE id >= 0")}
        self._database.execute("DELETE FROM string WHERE id < 0")
        top = max(have, default=-1)
        if top > 4 * len(have) + 100_000:
            # one absurd number is no reason to write a million texts
            top = max((number for number in have if number <= 4 * len(have) + 100_000), default=-1)
            self._database.execute("DELETE FROM string WHERE id > ?", (top,))
        lost = [number for number in range(1, top + 1) if number not in have]
        self._database.executemany("INSERT INTO string VALUES (?, ?)", [(number, LOST_TEXT) for number in lost])
        self._losses.at_least("string", len(lost))

    # -- states and events --------------------------------------------------------------------------------------------
    def _keyframes(self) -> None:
        last = -(1 << 62), -(1 << 62)
        for seq, vt, wall in self._rows("SELECT seq, vt, wall FROM keyframe ORDER BY seq"):
            if vt < last[0] or wall < last[1] or not _good(self._state, seq):
                self._losses.count("keyframe")
                for table in {"keyframe", self._keyframe_data}:
                    self._database.execute(f"DELETE FROM {table} WHERE seq = ?", (seq,))
            else:
                last = vt, wall

    def _state(self, seq: int) -> MachineState:
        return keyframes.decode(self._blob(self._keyframe_data, "seq", seq))

    def _blob(self, table: str, key: str, value: int) -> bytes:
        rows = self._rows(f"SELECT data FROM {table} WHERE {key} = ?", value)
        if not rows or not isinstance(rows[0][0], bytes):
            raise ValueError(f"{table} {value} is missing")
        return bytes(rows[0][0])

    def _events(self) -> None:
        """Decode every block; cut what follows a hole up to the next keyframe; count the kinds anew."""
        counts: dict[int, int] = {}
        expected = 0
        last_vt = -(1 << 62)
        cut_to = -1
        seqs = [seq for (seq,) in self._rows("SELECT seq FROM keyframe ORDER BY seq")]
        for first, count in self._rows("SELECT first_seq, count FROM block ORDER BY first_seq"):
            rows = self._decoded(first, count)
            if rows is None or first < expected or int(rows["vt"][0]) < last_vt:
                self._drop_block(first)
                continue
            if first > expected and not self._declared(expected, first - 1, rows[0]):
                # nothing is known until a keyframe says it again
                cut_to = next((seq for seq in seqs if seq >= first - 1), 1 << 62)
                self._losses.events(expected, min(cut_to, int(rows["seq"][-1])))
            elif cut_to >= first:
                self._losses.extend(min(cut_to, int(rows["seq"][-1])))
            kept = rows[rows["seq"] > cut_to]
            expected = int(rows["seq"][-1]) + 1
            if len(kept):
                last_vt = int(kept["vt"][-1])
                for kind, number in zip(*np.unique(kept["kind"], return_counts=True), strict=True):
                    counts[int(kind)] = counts.get(int(kind), 0) + int(number)
            if len(kept) < len(rows):
                self._drop_block(first)
                if len(kept):
                    self._store(kept)
        said = sum(number for (number,) in self._rows("SELECT count FROM event_count"))
        missing = max([said, *(seq + 1 for seq in seqs)], default=0)
        self._losses.tail(expected, missing - 1)
        self._database.execute("DELETE FROM event_count")
        self._database.executemany("INSERT INTO event_count VALUES (?, ?)", counts.items())

    def _decoded(self, first: int, count: int) -> Events | None:
        try:
            if not 0 < count <= blocks.MAX_BLOCK_ROWS or first < 0:
                return None
            return blocks.decode(first, count, self._blob(self._block_data, "first_seq", first))
        except _WRONG:
            return None

    def _declared(self, first: int, last: int, after: Any) -> bool:
        """Whether the recorder itself said that these numbers are lost."""
        if int(after["kind"]) == EV_DROPPED and int(after["a0"]) == last - first + 1:
            return True
        gaps = self._rows("SELECT first_seq, last_seq FROM gap ORDER BY first_seq") if "gap" in self._tables else []
        for low, high in gaps:
            if low <= first <= high:
                first = high + 1
        return first > last

    def _drop_block(self, first: int) -> None:
        for table in {"block", self._block_data}:
            self._database.execute(f"DELETE FROM {table} WHERE first_seq = ?", (first,))

    def _store(self, rows: Events) -> None:
        """A block of what is left of one."""
        raw = np.empty(len(rows), RAW_DTYPE)
        for name in RAW_DTYPE.names or ():
            raw[name] = rows[name]
        first = int(rows["seq"][0])
        kinds, numbers = np.unique(raw["kind"], return_counts=True)
        counts = to_json(dict(zip(kinds.tolist(), numbers.tolist(), strict=True)))
        entry = [first, len(raw), int(raw["vt"][0]), int(raw["vt"][-1]), int(raw["wall"][-1]), counts]
        blob = blocks.encode(first, raw)
        if self._block_data == "block":
            self._database.execute("INSERT INTO block VALUES (?, ?, ?, ?, ?, ?, ?)", [*entry, blob])
        else:
            self._database.execute("INSERT INTO block VALUES (?, ?, ?, ?, ?, ?)", entry)
            self._database.execute("INSERT INTO block_data VALUES (?, ?)", (first, blob))

    # -- counters -----------------------------------------------------------------------------------------------------
    def _counters(self) -> None:
        last_sample, last_vt, lost = 0, -(1 << 62), 0
        rings: set[int] = set()
        for sample, vt, oid, blob in self._rows("SELECT sample, vt, oid, latency FROM counter ORDER BY sample, oid"):
            rings.add(oid)
            if vt < last_vt or sample < 1 or len(rings) > 4096 or not _good(latency.decode, blob):
                self._database.execute("DELETE FROM counter WHERE sample = ? AND oid = ?", (sample, oid))
                lost += 1
                continue
            lost += max(sample - last_sample - 1, 0)
            last_sample, last_vt = sample, vt
        self._losses.at_least("counter", lost)

    # -- saying so ----------------------------------------------------------------------------------------------------
    def _declare(self) -> None:
        losses = self._losses
        (number,) = self._rows("SELECT coalesce(max(id), 0) FROM gap")[0]
        ranges = [(first, last, last - first + 1, 0) for first, last in losses.ranges]
        if losses.packets:
            ranges = [(*ranges[0][:3], losses.packets), *ranges[1:]] if ranges else [(0, -1, 0, losses.packets)]
        for place, row in enumerate(ranges, number + 1):
            self._database.execute("INSERT INTO gap VALUES (?, ?, ?, ?, ?, ?)", (place, *row, REASON))


def _good(action: Callable[[Any], object], value: object) -> bool:
    try:
        action(value)
    except _WRONG:
        return False
    return True
