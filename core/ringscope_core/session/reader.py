"""Reads a session, finished or still growing in another process.

What is asked for most (newest events, states along a cursor, counters of the last minute) comes from memory; everything
else is one indexed query.  A file that is damaged or made to harm ends in `SessionError`.
"""

from __future__ import annotations

import sqlite3
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np

from ringscope_core.session import blocks, keyframes, latency
from ringscope_core.session.condense import fold_events
from ringscope_core.session.counter_store import CounterStore
from ringscope_core.session.errors import SessionError
from ringscope_core.session.guard import Deadline, guarded, open_database
from ringscope_core.session.index import BlockIndex
from ringscope_core.session.packing import unpack
from ringscope_core.session.rows import (
    EVENT_DTYPE,
    KEYFRAME_DTYPE,
    BreakpointRow,
    ControlRow,
    CounterSeries,
    Events,
    FrameRow,
    GapRow,
    Ints,
    LogRow,
    MarkRow,
    NoteRow,
    PacketRow,
)
from ringscope_core.trace.counters import COUNTER_NAMES
from ringscope_core.trace.fields import FieldSpec
from ringscope_core.trace.functions import FunctionSpec
from ringscope_core.trace.kinds import EV_DROPPED, ArgSpec, KindSpec
from ringscope_core.trace.state import MachineState

_BLOCKS_KEPT: Final = 24
_STATES_KEPT: Final = 16
_PACKET_BLOCKS_KEPT: Final = 8
_MAX_PACKETS: Final = 1024 * 70_000
_SELECT_COUNTERS: Final = f"SELECT sample, vt, wall, oid, {', '.join(COUNTER_NAMES)} FROM counter WHERE sample > ? ORDER BY sample, oid"
_SELECT_FRAMES: Final = "SELECT id, vt, wall, direction, queue, head, seq, length, header, block, offset FROM packet WHERE id BETWEEN ? AND ? ORDER BY id"
_SELECT_BLOCKS: Final = "SELECT first_seq, count, first_vt, last_vt, last_wall, kinds FROM block WHERE first_seq >= ? ORDER BY first_seq"
_NO_EVENTS: Final = np.zeros(0, EVENT_DTYPE)


class SessionReader:
    """The contents of a session file.  One thread's; raises SessionError from every method."""

    def __init__(self, path: str | Path) -> None:
        self.path: Path = Path(path)
        self.origin: Path = self.path
        """The file that a person named: `path`, or the damaged one that `path` was rescued from (`session.salvage`)."""
        self.damage: str = ""
        """What is missing of a damaged file, in one sentence."""
        self.on_close: Callable[[], object] | None = None
        self._deadline: Deadline = Deadline()
        self._database: sqlite3.Connection = open_database(self.path, self._deadline)
        self._index: BlockIndex = BlockIndex()
        self._counters: CounterStore = CounterStore()
        self._blocks: OrderedDict[tuple[int, int], Events] = OrderedDict()
        self._states: OrderedDict[int, MachineState] = OrderedDict()
        self._packet_blocks: OrderedDict[int, bytes] = OrderedDict()
        self._keyframes: Events = np.zeros(0, KEYFRAME_DTYPE)
        self._data_version: int = -1
        self.meta: dict[str, object] = {}
        self.strings: list[str] = [""]
        self.kinds: dict[int, KindSpec] = {}
        self.functions: dict[int, FunctionSpec] = {}
        self.fields: dict[int, FieldSpec] = {}
        self.types: list[dict[str, Any]] = []
        self.packet_count: int = 0
        """Number of the last packet; packets are numbered from 1."""
        try:
            self._read_tables()
            self.refresh()
        except BaseException:
            self._database.close()
            raise

    # -- growing ------------------------------------------------------------------------------------------------------
    def refresh(self) -> bool:
        """Look for what the writer has added; true when there is anything new.  Cheap when there is not."""
        with guarded(self.path):
            (version,) = self._query("PRAGMA data_version")[0]
            if version == self._data_version:
                return False
            # all reads of one refresh see one moment of the file
            self._database.execute("BEGIN")
            try:
                return self._read_news()
            finally:
                self._database.execute("COMMIT")
                self._data_version = version

    def _read_news(self) -> bool:
        meta = {str(key): msgspec.json.decode(value) for key, value in self._query("SELECT key, value FROM meta")}
        news = meta != self.meta
        self.meta = meta
        for number, text in self._query("SELECT id, text FROM string WHERE id >= ? ORDER BY id", len(self.strings)):
            if number != len(self.strings) or not isinstance(text, str):
                raise ValueError(f"string {number} is out of order")
            self.strings.append(text)
        for row in self._query(_SELECT_BLOCKS, self._index.resume_at):
            news |= self._index.put(*row)
        news |= self._read_keyframe_index()
        for sample, vt, wall, oid, *values in self._query(_SELECT_COUNTERS, self._counters.last_sample):
            self._counters.put(sample, vt, wall, oid, values)
            news = True
        (packets,) = self._query("SELECT coalesce(max(id), 0) FROM packet")[0]
        news |= packets != self.packet_count
        self.packet_count = int(packets)
        if len(self.types) != self._query("SELECT count(*) FROM type")[0][0]:
            self._read_tables()
            news = True
        return news

    def _read_keyframe_index(self) -> bool:
        last = int(self._keyframes["seq"][-1]) if len(self._keyframes) else -2
        rows = self._query("SELECT seq, vt, wall FROM keyframe WHERE seq > ? ORDER BY seq", last)
        if rows:
            self._keyframes = np.concatenate((self._keyframes, np.array(rows, KEYFRAME_DTYPE)))
        return bool(rows)

    def _read_tables(self) -> None:
        with guarded(self.path):
            pairs = tuple[tuple[str, str], ...]
            self.kinds = {
                i: KindSpec(i, str(name), str(group), int(level), tuple(ArgSpec(*arg) for arg in msgspec.json.decode(args, type=pairs)), str(title))
                for i, name, group, level, title, args in self._query("SELECT id, name, grp, level, title, args FROM kind")
            }
            self.functions = {
                i: FunctionSpec(i, str(name), str(file), int(line), msgspec.json.decode(args, type=pairs))
                for i, name, file, line, args in self._query("SELECT id, name, file, line, args FROM function")
            }
            self.fields = {
                i: FieldSpec(i, str(struct), str(name), str(ctype), int(offset), str(unit))
                for i, struct, name, ctype, offset, unit in self._query("SELECT id, struct, name, ctype, offset, unit FROM field")
            }
            self.types = [msgspec.json.decode(spec, type=dict[str, Any]) for (spec,) in self._query("SELECT spec FROM type ORDER BY name")]

    def _query(self, statement: str, *args: object) -> list[Any]:
        self._deadline.restart()
        return self._database.execute(statement, args).fetchall()

    # -- events -------------------------------------------------------------------------------------------------------
    @property
    def first_seq(self) -> int:
        """Number of the first event, -1 for none."""
        entries = self._index.entries
        return entries[0].first_seq if entries else -1

    @property
    def last_seq(self) -> int:
        """Number of the last event, -1 for none."""
        entries = self._index.entries
        return entries[-1].last_seq if entries else -1

    @property
    def last_vt(self) -> int:
        """Virtual time, ns, of the last thing recorded."""
        return self._last("vt", self._index.entries[-1].last_vt if self._index.entries else 0, self._counters.last_vt)

    @property
    def last_wall(self) -> int:
        """Wall time, ns since the run began, of the last thing recorded."""
        return self._last("wall", self._index.entries[-1].last_wall if self._index.entries else 0, self._counters.last_wall)

    def _last(self, column: str, event: int, sample: int) -> int:
        keyframe = int(self._keyframes[column][-1]) if len(self._keyframes) else 0
        return max(event, sample, keyframe)

    @property
    def event_count(self) -> int:
        """How many events are recorded."""
        return self._index.event_count

    def event_counts(self) -> dict[int, int]:
        """Events by kind."""
        return self._index.counts()

    @property
    def dropped(self) -> tuple[int, int]:
        """Events and packets that the recorder could not keep up with."""
        if not self._index.counts().get(int(EV_DROPPED)):
            return 0, 0
        rows = self.find_events((int(EV_DROPPED),), self.first_seq, self.last_seq, 1 << 30)
        return int(rows["a0"].sum()), int(rows["a1"].sum())

    def events(self, first: int, last: int) -> Events:
        """The events numbered `first` to `last`, both included, in `EVENT_DTYPE`; numbers that were dropped are left out."""
        with guarded(self.path):
            parts: list[Events] = []
            for place in self._index.covering(first, last):
                block = self._block(place)
                start = int(block["seq"][0])
                parts.append(block[max(first - start, 0) : last - start + 1])
            if not parts:
                return _NO_EVENTS
            return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def _block(self, place: int) -> Events:
        entry = self._index.entries[place]
        key = (entry.first_seq, entry.size)
        found = self._blocks.get(key)
        if found is None:
            found = self._load_block(entry.first_seq, entry.size)
            self._blocks[key] = found
            if len(self._blocks) > _BLOCKS_KEPT:
                self._blocks.popitem(last=False)
        self._blocks.move_to_end(key)
        return found

    def _load_block(self, first_seq: int, count: int) -> Events:
        rows = self._query("SELECT count, data FROM block WHERE first_seq = ?", first_seq)
        if not rows or not isinstance(rows[0][1], bytes) or not count <= rows[0][0] <= blocks.MAX_BLOCK_ROWS:
            raise ValueError(f"block {first_seq} is missing")
        # the last block may have grown since the index was read
        block = blocks.decode(first_seq, rows[0][0], rows[0][1])[:count]
        block.flags.writeable = False
        return block

    def find_events(self, kinds: Collection[int], first: int, last: int, limit: int, backwards: bool = False, oids: Collection[int] | None = None) -> Events:
        """At most `limit` events of `kinds` (and of objects `oids`) between numbers `first` and `last`, both included.

        Always in the order of their numbers; `backwards` means the last ones instead of the first ones.
        """
        wanted = set(kinds)
        parts: list[Events] = []
        left = limit
        places = self._index.covering(first, last)
        with guarded(self.path):
            for place in reversed(places) if backwards else places:
                if left <= 0:
                    break
                if wanted.isdisjoint(self._index.entries[place].kinds):
                    continue
                some = self._matching(place, wanted, first, last, oids)
                some = some[-left:] if backwards else some[:left]
                left -= len(some)
                parts.append(some)
        if not parts:
            return _NO_EVENTS
        return np.concatenate(parts[::-1] if backwards else parts)

    def _matching(self, place: int, kinds: set[int], first: int, last: int, oids: Collection[int] | None) -> Events:
        block = self._block(place)
        mask = np.isin(block["kind"], list(kinds)) & (block["seq"] >= first) & (block["seq"] <= last)
        if oids is not None:
            mask &= np.isin(block["obj"], list(oids))
        return block[mask]

    def pieces_with(self, kinds: Collection[int], first: int, last: int, backwards: bool = False) -> Iterator[Events]:
        """The events numbered `first` to `last` in pieces, without the blocks that hold none of `kinds`; `backwards` the last piece first."""
        wanted = set(kinds)
        places = self._index.covering(first, last)
        for place in reversed(places) if backwards else places:
            entry = self._index.entries[place]
            if wanted.isdisjoint(entry.kinds):
                continue
            with guarded(self.path):
                block = self._block(place)
            part = block[max(first - entry.first_seq, 0) : last - entry.first_seq + 1]
            if len(part):
                yield part

    def holes(self) -> list[tuple[int, int]]:
        """Where events are missing: (the last one before, the first one behind) of each stretch."""
        return self._index.holes()

    def seq_at_vt(self, vt: int) -> int:
        """Number of the last event at or before virtual time `vt` ns, -1 when there is none."""
        with guarded(self.path):
            place = self._index.at_vt(vt)
            if place < 0:
                return -1
            block = self._block(place)
            return int(block["seq"][max(int(np.searchsorted(block["vt"], vt, "right")) - 1, 0)])

    def vt_at_seq(self, seq: int) -> int:
        """Virtual time, ns, of event `seq`, or of the one before where that was dropped; 0 before the first."""
        with guarded(self.path):
            places = self._index.covering(seq, seq)
            if places:
                block = self._block(places[0])
                return int(block["vt"][seq - int(block["seq"][0])])
            before = [entry.last_vt for entry in self._index.entries[: places.start] if entry.last_seq <= seq]
            return before[-1] if before else 0

    # -- states -------------------------------------------------------------------------------------------------------
    def keyframes(self) -> Events:
        """Every keyframe's (seq, vt, wall), in order."""
        return self._keyframes

    def state_at(self, seq: int) -> MachineState:
        """The machine after event `seq`: the nearest state known before it, and the events since folded in.

        The result is shared with later calls: read it, do not change it.
        """
        found = self._states.get(seq)
        if found is None:
            with guarded(self.path):
                found = self._make_state(seq)
            self._states[seq] = found
            if len(self._states) > _STATES_KEPT:
                self._states.popitem(last=False)
        self._states.move_to_end(seq)
        return found

    def state_near(self, seq: int, most_events: int = 4096) -> MachineState:
        """`state_at`, but where that would fold more than `most_events` events the last keyframe's state instead; its `seq` tells.

        For following a run flat out, where nobody could tell the two apart and a view has milliseconds.
        """
        place = int(np.searchsorted(self._keyframes["seq"], seq, "right")) - 1
        base = int(self._keyframes["seq"][place]) if place >= 0 else -1
        known = max((s for s in self._states if s <= seq), default=-1)
        return self.state_at(seq if seq - max(base, known) <= most_events else base)

    def keyframe_state(self, seq: int) -> MachineState:
        """The state that keyframe `seq` (a number from `keyframes`) holds, as the machine itself told it."""
        with guarded(self.path):
            rows = self._query("SELECT data FROM keyframe WHERE seq = ?", seq)
            if not rows or not isinstance(rows[0][0], bytes):
                raise ValueError(f"keyframe {seq} is missing")
            state = keyframes.decode(rows[0][0])
            state.seq = seq
            return state

    def _make_state(self, seq: int) -> MachineState:
        place = int(np.searchsorted(self._keyframes["seq"], seq, "right")) - 1
        base = int(self._keyframes["seq"][place]) if place >= 0 else -1
        near = max((s for s in self._states if base <= s <= seq), default=-2)
        if near > base:
            state = keyframes.copy(self._states[near])
        elif place >= 0:
            state = self.keyframe_state(base)
        else:
            state = MachineState()
        for part in self._pieces(state.seq + 1, seq):
            fold_events(state, part)
        state.seq = seq
        return state

    def _pieces(self, first: int, last: int) -> Iterator[Events]:
        for place in self._index.covering(first, last):
            block = self._block(place)
            start = int(block["seq"][0])
            part = block[max(first - start, 0) : last - start + 1]
            if len(part):
                yield part

    # -- counters -----------------------------------------------------------------------------------------------------
    def counters(self, first_vt: int, last_vt: int) -> CounterSeries:
        """The samples from virtual time `first_vt` to `last_vt`, ns, both included."""
        samples, vt, wall, values = self._counters.between(first_vt, last_vt)
        return CounterSeries(vt, wall, list(self._counters.oids), values, samples, self._load_latency)

    def _load_latency(self, first: int, last: int) -> dict[int, dict[int, Ints]]:
        out: dict[int, dict[int, Ints]] = {}
        with guarded(self.path):
            for sample, oid, blob in self._query("SELECT sample, oid, latency FROM counter WHERE sample BETWEEN ? AND ?", first, last):
                out.setdefault(sample, {})[oid] = latency.decode(blob)
        return out

    # -- packets and marks --------------------------------------------------------------------------------------------
    def packets(self, first: int, last: int) -> list[PacketRow]:
        """The frames numbered `first` to `last`, both included."""
        with guarded(self.path):
            rows = self._query("SELECT id, vt, wall, direction, queue, head, seq, length, header FROM packet WHERE id BETWEEN ? AND ? ORDER BY id", first, last)
            return [PacketRow(*map(int, row)) for row in rows]

    def packet_bytes(self, number: int) -> bytes:
        """A frame's bytes, without virtio_net_hdr; raises SessionError when there is no such packet."""
        return self._frame(number).data

    def packet_header(self, number: int) -> bytes | None:
        """The virtio_net_hdr in the driver's buffer, empty when the frame came to none, None where headers were not recorded; raises SessionError."""
        return self._frame(number).header

    def _frame(self, number: int) -> FrameRow:
        found = self.frames(number, number)
        if not found:
            raise SessionError(str(self.path), f"has no packet {number}")
        return found[0]

    def frames(self, first: int, last: int) -> list[FrameRow]:
        """The packets numbered `first` to `last`, both included, with their bytes."""
        found: list[FrameRow] = []
        with guarded(self.path):
            for *values, block, offset in self._query(_SELECT_FRAMES, first, last):
                row = PacketRow(*map(int, values))
                data = self._packet_block(int(block))
                start = int(offset) - max(row.header, 0)
                if start < 0 or row.length < 0 or int(offset) + row.length > len(data):
                    raise ValueError(f"packet {row.id} is out of its block")
                found.append(FrameRow(row, data[start : int(offset)] if row.header >= 0 else None, data[int(offset) : int(offset) + row.length]))
        return found

    def _packet_block(self, number: int) -> bytes:
        found = self._packet_blocks.get(number)
        if found is None:
            rows = self._query("SELECT data FROM packet_block WHERE id = ?", number)
            found = unpack(rows[0][0], _MAX_PACKETS)
            self._packet_blocks[number] = found
            if len(self._packet_blocks) > _PACKET_BLOCKS_KEPT:
                self._packet_blocks.popitem(last=False)
        return found

    def marks(self) -> list[MarkRow]:
        """Every mark, in order."""
        with guarded(self.path):
            return [MarkRow(int(i), int(s), int(v), str(n), str(t)) for i, s, v, n, t in self._query("SELECT id, seq, vt, name, note FROM mark ORDER BY id")]

    def controls(self) -> list[ControlRow]:
        """The commands that changed the run, in order."""
        with guarded(self.path):
            rows = self._query("SELECT id, seq, vt, name, arguments FROM control ORDER BY id")
            return [ControlRow(int(i), int(s), int(v), str(n), msgspec.json.decode(a, type=dict[str, Any])) for i, s, v, n, a in rows]

    def breakpoints(self) -> list[BreakpointRow]:
        """Every breakpoint that the session keeps."""
        with guarded(self.path):
            rows = self._query("SELECT id, spec FROM breakpoint ORDER BY id")
            return [BreakpointRow(int(i), msgspec.json.decode(spec, type=dict[str, Any])) for i, spec in rows]

    def logs(self) -> list[LogRow]:
        """What breakpoints that only log said, in order."""
        with guarded(self.path):
            rows = self._query("SELECT id, seq, vt, breakpoint, text FROM log ORDER BY id")
            return [LogRow(int(i), int(s), int(v), int(b), str(t)) for i, s, v, b, t in rows]

    def notes(self) -> list[NoteRow]:
        """The notebook, in order."""
        with guarded(self.path):
            rows = self._query("SELECT id, seq, vt, place, text FROM note ORDER BY id")
            return [NoteRow(int(i), int(s), int(v), msgspec.json.decode(p, type=dict[str, Any]), str(t)) for i, s, v, p, t in rows]

    def gaps(self) -> list[GapRow]:
        """Every loss that the recording knows of, in order; files of version 1 tell theirs only by events."""
        with guarded(self.path):
            rows = self._query("SELECT id, first_seq, last_seq, events, packets, reason FROM gap ORDER BY id")
            return [GapRow(int(i), int(f), int(n), int(e), int(p), str(r)) for i, f, n, e, p, r in rows]

    def stored_bytes(self) -> dict[str, int]:
        """Compressed bytes of events, keyframes and frames."""
        with guarded(self.path):
            tables = {"events": "block", "keyframes": "keyframe", "packets": "packet_block"}
            return {name: int(self._query(f"SELECT coalesce(sum(length(data)), 0) FROM {table}")[0][0]) for name, table in tables.items()}

    # -- the end ------------------------------------------------------------------------------------------------------
    def close(self) -> None:
        """Let go of the file."""
        self._database.close()
        if self.on_close is not None:
            self.on_close()

    def __enter__(self) -> SessionReader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
