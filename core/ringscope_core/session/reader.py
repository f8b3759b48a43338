"""Reads a session, finished or still growing in another process.

What is asked for most (newest events, states along a cursor, counters of the last minute) comes from memory; everything
else is one indexed query.  A file that is damaged or made to harm ends in `SessionError`.
"""

from __future__ import annotations

import sqlite3
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np

from ringscope_core.session import blocks, keyframes
from ringscope_core.session.bound import BOUND_GAP
from ringscope_core.session.condense import fold_events
from ringscope_core.session.counter_reader import MOST_SAMPLES, CounterReader
from ringscope_core.session.errors import SessionError
from ringscope_core.session.guard import Deadline, bounded_rows, guarded, open_database
from ringscope_core.session.index import BlockEntry, BlockIndex
from ringscope_core.session.kept import Kept
from ringscope_core.session.packet_reader import PacketBlockReader, PacketRowReader, PacketSource
from ringscope_core.session.peek import Wanted, may_hold
from ringscope_core.session.rows import (
    EVENT_DTYPE,
    GAP_BOUND,
    GAP_DAMAGED,
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
from ringscope_core.trace.fields import FieldSpec
from ringscope_core.trace.functions import FunctionSpec
from ringscope_core.trace.kinds import EV_DROPPED, ArgSpec, KindSpec
from ringscope_core.trace.state import MachineState

_BLOCK_BYTES_KEPT: Final = 64 << 20
_STATES_KEPT: Final = 16
_SELECT_BLOCKS: Final = "SELECT first_seq, count, first_vt, last_vt, last_wall, kinds FROM block WHERE first_seq BETWEEN ? AND ? ORDER BY first_seq"
_FOREVER: Final = 2**63 - 1
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
        self._counters: CounterReader = CounterReader(self._query, self._load_latency)
        self._blocks: Kept[Events] = Kept(_BLOCK_BYTES_KEPT)
        self._states: OrderedDict[int, MachineState] = OrderedDict()
        self._bound: tuple[int, int] = (-1, -1)
        """First and last number of what a flight recorder has let go."""
        self._behind_bound: bool = False
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
        self.version: int = 0
        """Of the file: an older one reads as one of this version all the same."""
        try:
            with guarded(self.path):
                self.version = int(self._query("PRAGMA user_version")[0][0])
            self._packets: PacketSource = PacketBlockReader(self._query) if self.version > 1 else PacketRowReader(self._query)
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
            with self._moment():
                self._read_news()
            # marks and notes that were edited are news as well, and show in no count
            self._data_version = version
            return True

    @contextmanager
    def _moment(self) -> Iterator[None]:
        """All reads inside see one moment of the file."""
        if self._database.in_transaction:
            yield
            return
        self._database.execute("BEGIN")
        try:
            yield
        finally:
            self._database.execute("COMMIT")

    def _read_news(self) -> bool:
        meta = {str(key): msgspec.json.decode(value) for key, value in self._query("SELECT key, value FROM meta")}
        news = meta != self.meta
        self.meta = meta
        self.damage = str(meta.get("damage") or "")
        for number, text in self._query("SELECT id, text FROM string WHERE id >= ? ORDER BY id", len(self.strings)):
            if number != len(self.strings) or not isinstance(text, str):
                raise ValueError(f"string {number} is out of order")
            self.strings.append(text)
        news |= self._read_bound()
        resume = self._bound[0] if self._behind_bound else self._index.resume_at
        news |= self._index.replace(resume, _FOREVER, self._query(_SELECT_BLOCKS, resume, _FOREVER))
        news |= self._read_keyframe_index()
        news |= self._counters.refresh()
        packets = self._packets.last()
        news |= packets != self.packet_count
        self.packet_count = packets
        if len(self.types) != self._query("SELECT count(*) FROM type")[0][0]:
            self._read_tables()
            news = True
        return news

    def _read_bound(self) -> bool:
        """What a flight recorder has let go since: everything behind the head is looked at again, then."""
        rows = self._query("SELECT first_seq, last_seq FROM gap WHERE id = ? AND reason = ?", BOUND_GAP, GAP_BOUND)
        bound = (int(rows[0][0]), int(rows[0][1])) if rows else (-1, -1)
        self._behind_bound = bound != self._bound and bool(self._index.entries)
        self._bound = bound
        if not self._behind_bound:
            return False
        first, last = bound
        seqs = self._keyframes["seq"]
        self._keyframes = self._keyframes[(seqs < first) | (seqs >= last)]
        for seq in [seq for seq in self._states if first <= seq < last]:
            del self._states[seq]
        return True

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
        return bounded_rows(self._database.execute(statement, args), self.path)

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
        """Events and packets that were lost while recording: the disk was slow, or full.  What went to keep a bound is not lost but let go."""
        gaps = [gap for gap in self.gaps() if gap.reason not in (GAP_BOUND, GAP_DAMAGED)]
        if gaps or not self._index.counts().get(int(EV_DROPPED)):
            return sum(gap.events for gap in gaps), sum(gap.packets for gap in gaps)
        # version 1, and whoever writes no gaps
        rows = self.find_events((int(EV_DROPPED),), self.first_seq, self.last_seq, 1 << 16)
        return int(rows["a0"].sum()), int(rows["a1"].sum())

    @property
    def let_go(self) -> GapRow | None:
        """What a flight recorder has let go to stay within its size, None for nothing."""
        return next((gap for gap in self.gaps() if gap.reason == GAP_BOUND), None)

    @property
    def keep_bytes(self) -> int:
        """The size that the file is kept within, 0 for a complete recording."""
        keep = self.meta.get("keep", 0)
        return keep if isinstance(keep, int) else 0

    def events(self, first: int, last: int) -> Events:
        """The events numbered `first` to `last`, both included, in `EVENT_DTYPE`; numbers that were dropped are left out."""
        with guarded(self.path):
            parts: list[Events] = []
            for place in self._index.covering(first, last):
                parts.append(_part(self._block(place), first, last))
            if not parts:
                return _NO_EVENTS
            return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def _block(self, place: int) -> Events:
        entry = self._index.entries[place]
        return self._blocks.get((entry.first_seq, entry.size), lambda: self._load_block(entry.first_seq, entry.size))

    def _load_block(self, first_seq: int, count: int) -> tuple[int, Events]:
        last = first_seq + count - 1
        with self._moment():
            # since the index was read, the writer may have put pieces together, or let the front of a block go
            rows = self._query("SELECT first_seq, count FROM block WHERE first_seq <= ? ORDER BY first_seq DESC LIMIT 1", last)
            if not rows or rows[0][0] + rows[0][1] <= last:
                if self.keep_bytes:
                    return 0, _NO_EVENTS
                raise ValueError(f"block {first_seq} is missing")
            start, size = map(int, rows[0])
            if not 0 < size <= blocks.MAX_BLOCK_ROWS:
                raise ValueError(f"block {start} of {size} events")
            data = self._query("SELECT data FROM block_data WHERE first_seq = ?", start)
        if not data or not isinstance(data[0][0], bytes):
            raise ValueError(f"block {start} is missing")
        block = blocks.decode(start, size, data[0][0])
        if start > first_seq and not self.keep_bytes:
            raise ValueError(f"block {first_seq} is missing")
        # a copy where it is a part, so that the whole does not stay in memory
        part = block if (start, size) == (first_seq, count) else block[max(first_seq - start, 0) : last - start + 1].copy()
        part.flags.writeable = False
        return part.nbytes, part

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
        part = _part(self._block(place), first, last)
        column = part["kind"]
        # a few comparisons are quicker than a search in a set
        mask = np.logical_or.reduce([column == kind for kind in kinds]) if 0 < len(kinds) <= 4 else np.isin(column, list(kinds))
        places = np.flatnonzero(mask)
        if oids is not None:
            places = places[np.isin(part["obj"][places], list(oids))]
        return part[places]

    def pieces_with(self, kinds: Collection[int], first: int, last: int, backwards: bool = False, wanted_events: Sequence[Wanted] = ()) -> Iterator[Events]:
        """The events numbered `first` to `last` in pieces, without the blocks that hold none of `kinds`; `backwards` the last piece first.

        With `wanted_events`, blocks that hold none of them are left out too, after a look at a few of their columns.
        """
        wanted = set(kinds)
        places = self._index.covering(first, last)
        for place in reversed(places) if backwards else places:
            if wanted.isdisjoint(self._index.entries[place].kinds) or (wanted_events and not self._may_hold(place, wanted_events)):
                continue
            with guarded(self.path):
                part = _part(self._block(place), first, last)
            if len(part):
                yield part

    def _may_hold(self, place: int, wanted: Sequence[Wanted]) -> bool:
        """Whether a block that is not in memory is worth reading."""
        entry = self._index.entries[place]
        if (entry.first_seq, entry.size) in self._blocks:
            return True
        with guarded(self.path):
            rows = self._query("SELECT count, data FROM block JOIN block_data USING (first_seq) WHERE first_seq = ?", entry.first_seq)
            # put together anew since the index was read: reading it whole finds out
            return not rows or int(rows[0][0]) != entry.size or may_hold(entry.size, rows[0][1], wanted)

    def block_entries(self) -> Sequence[BlockEntry]:
        """The index: one entry a block, with its events counted by kind.  Shared: readers do not change it."""
        return self._index.entries

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
            if not len(block):
                return self._index.entries[place].first_seq
            return int(block["seq"][max(int(np.searchsorted(block["vt"], vt, "right")) - 1, 0)])

    def vt_at_seq(self, seq: int) -> int:
        """Virtual time, ns, of event `seq`, or of the one before where that was dropped; 0 before the first."""
        with guarded(self.path):
            places = self._index.covering(seq, seq)
            if places:
                entry = self._index.entries[places[0]]
                block = self._block(places[0])
                return int(block["vt"][max(seq - int(block["seq"][0]), 0)]) if len(block) else entry.first_vt
            return self._index.entries[places.start - 1].last_vt if places.start else 0

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
            rows = self._query("SELECT data FROM keyframe_data WHERE seq = ?", seq)
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
            part = _part(self._block(place), first, last)
            if len(part):
                yield part

    # -- counters -----------------------------------------------------------------------------------------------------
    @property
    def sample_count(self) -> int:
        """How many counter samples there are."""
        with guarded(self.path):
            return self._counters.count()

    def counters(self, first_vt: int, last_vt: int, most: int = MOST_SAMPLES) -> CounterSeries:
        """The samples from virtual time `first_vt` to `last_vt`, ns, both included.

        Of a stretch with many more than `most` samples that are not in memory every n-th, which serves a picture; 0 means each of them.
        """
        with guarded(self.path), self._moment():
            return self._counters.between(first_vt, last_vt, most)

    def _load_latency(self, first: int, last: int) -> dict[int, dict[int, Ints]]:
        with guarded(self.path):
            return self._counters.load_latency(first, last)

    # -- packets and marks --------------------------------------------------------------------------------------------
    def packets(self, first: int, last: int) -> list[PacketRow]:
        """The frames numbered `first` to `last`, both included."""
        with guarded(self.path), self._moment():
            return self._packets.rows(first, last)

    def packet_array(self, first: int, last: int) -> Ints:
        """The same as an array: a row a frame, columns as in `PacketRow`."""
        with guarded(self.path), self._moment():
            return self._packets.array(first, last)

    def packet_places(self, first: int, last: int) -> list[tuple[int, int, int, int, int, int]]:
        """(id, vt, seq, length, block, offset in its bytes) of the frames numbered `first` to `last`, both included."""
        with guarded(self.path), self._moment():
            return self._packets.places(first, last)

    def packet_block(self, number: int) -> bytes:
        """The bytes of the frames of one block, one after the other, each behind its header."""
        with guarded(self.path), self._moment():
            return self._packets.block(number)

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
        with guarded(self.path), self._moment():
            return self._packets.frames(first, last)

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
            tables = {"events": "block_data", "keyframes": "keyframe_data", "packets": self._packets.TABLE}
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


def _part(block: Events, first: int, last: int) -> Events:
    """The events numbered `first` to `last` of a block, which may have been let go."""
    if not len(block):
        return block
    start = int(block["seq"][0])
    return block[max(first - start, 0) : max(last - start + 1, 0)]
