"""Who wrote a value last, and when it changes next, over a whole recording.

Blocks that hold none of a value's kinds of events are not read.  Where the recording is sampled (`spans`), keyframes are compared, and what
changed between two of them is found as such: `Found.sampled`, with no event made up for it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from ringscope_core.query.spans import sampled_spans
from ringscope_core.query.watch import COUNTER, RING, Value, Watch, settled, value_in
from ringscope_core.query.writers import RING_KINDS, Writers
from ringscope_core.session.keyframes import copy
from ringscope_core.session.rows import EVENT_DTYPE, Events, Ints
from ringscope_core.session.validate import check_foldable
from ringscope_core.trace.kinds import EV_IND_WRITE, EV_RING_RESET
from ringscope_core.trace.state import MachineState, apply

if TYPE_CHECKING:
    from ringscope_core.query.recording import Recording
    from ringscope_core.session.reader import SessionReader

Tick = Callable[[int], None]
"""Told now and then how far a search has come (an event's number); may raise to end it."""
_COLUMNS: Final = list(EVENT_DTYPE.names or ())[1:]
_FOREVER: Final = 1 << 62


class Found(NamedTuple):
    """A change.  Exactly at event `seq`; where `sampled`, after event `since` and at `seq` at the latest."""

    seq: int
    sampled: bool = False
    since: int = -1


def value_at(recording: Recording, watch: Watch, seq: int) -> Value:
    """The value after event `seq`, None where it is not known."""
    if watch.kind == COUNTER:
        return _Counter(recording.reader, watch).at(seq)
    return value_in(recording.reader.state_at(seq), watch)


def find_last_write(recording: Recording, watch: Watch, seq: int, tick: Tick | None = None) -> Found | None:
    """What wrote `watch` last, at or before event `seq`; None when nothing recorded did.  Raises SessionError."""
    if watch.kind == COUNTER:
        return _Counter(recording.reader, watch).last_change(seq)
    return _Search(recording.reader, watch, tick).backwards(seq)


def find_next_change(recording: Recording, watch: Watch, seq: int, tick: Tick | None = None) -> Found | None:
    """Where `watch` first has another value than after event `seq`; None when it keeps it.  Raises SessionError."""
    if watch.kind == COUNTER:
        return _Counter(recording.reader, watch).next_change(seq)
    return _Search(recording.reader, watch, tick).forwards(seq)


def last_write(recording: Recording, watch: Watch, seq: int) -> int:
    """Number of the event at or before `seq` that wrote `watch` last, of the sample that first shows it where no event did; -1 for none."""
    found = find_last_write(recording, watch, seq)
    return found.seq if found is not None else -1


def next_change(recording: Recording, watch: Watch, seq: int) -> int:
    """Number of the first event after `seq` at which `watch` has another value; -1 for none."""
    found = find_next_change(recording, watch, seq)
    return found.seq if found is not None else -1


class _Search:
    """One search over one recording."""

    def __init__(self, reader: SessionReader, watch: Watch, tick: Tick | None) -> None:
        self._reader: SessionReader = reader
        self._watch: Watch = watch
        self._tick: Tick = tick or _no_tick

    def _sampled_frames(self, first: int, last: int) -> list[int]:
        """Keyframes from `first` to `last` at which a value may be another one than the events before say."""
        frames = self._reader.keyframes()["seq"]
        parts = [frames[np.searchsorted(frames, span.low, "right") : np.searchsorted(frames, span.high, "right")] for span in sampled_spans(self._reader)]
        return [int(seq) for part in parts for seq in part if first <= seq <= last]

    def _value(self, state: MachineState) -> Value:
        return settled(self._watch, value_in(state, self._watch))

    def _writers(self, state: MachineState) -> Writers:
        """The watch's writers while its ring has the form that `state` tells."""
        ring = state.rings.get(self._watch.oid)
        return Writers(self._watch, ring.num, ring.packed) if ring is not None else Writers(self._watch)

    def _writers_at(self, seq: int) -> Writers:
        return self._writers(self._reader.state_at(seq)) if self._watch.kind == RING else Writers(self._watch)

    # -- backwards ----------------------------------------------------------------------------------------------------
    def backwards(self, seq: int) -> Found | None:
        reader = self._reader
        top = min(seq, reader.last_seq)
        for frame in reversed(self._sampled_frames(reader.first_seq, top)):
            found = self._last_event(frame + 1, top) or self._unseen(frame)
            if found is not None:
                return found
            top = frame
        return self._last_event(reader.first_seq, top)

    def _last_event(self, first: int, last: int) -> Found | None:
        """The last event from `first` to `last` that writes the watch."""
        if first > last:
            return None
        writers = self._writers_at(last)
        for rows in self._reader.pieces_with(writers.kinds, first, last, True, writers.wanted()):
            self._tick(int(rows["seq"][0]))
            for place in np.flatnonzero(writers.mask(rows))[::-1]:
                if not writers.unsure or self._stores(rows[place]):
                    return Found(int(rows["seq"][place]))
        return None

    def _stores(self, row: np.void) -> bool:
        """Whether an event writes an entry of an indirect table: it stores to it, or makes it come or go."""
        kind, seq = int(row["kind"]), int(row["seq"])
        if kind == EV_RING_RESET or kind == EV_IND_WRITE and int(row["a1"]) == self._watch.entry:
            return True
        before, after = self._reader.state_at(seq - 1), self._reader.state_at(seq)
        return (value_in(before, self._watch) is None) != (value_in(after, self._watch) is None)

    def _unseen(self, frame: int) -> Found | None:
        """The change that the keyframe at `frame` shows and the events since the one before do not; None when they tell the same."""
        reader, watch = self._reader, self._watch
        state = _base(reader, frame)
        since = max(state.seq, reader.first_seq - 1)
        writers = self._writers(state)
        kinds = writers.kinds | (RING_KINDS if watch.kind == RING else frozenset())
        for rows in reader.pieces_with(kinds, state.seq + 1, frame):
            written = rows["seq"][writers.mask(rows)]
            since = max(since, int(written[-1])) if len(written) else since
            # whatever form the ring takes on the way
            _fold(state, rows[(rows["obj"] == watch.oid) & np.isin(rows["kind"], list(kinds))])
        if self._value(state) == self._value(reader.keyframe_state(frame)):
            return None
        return Found(frame, True, min(since, frame))

    # -- forwards -----------------------------------------------------------------------------------------------------
    def forwards(self, seq: int) -> Found | None:
        reader = self._reader
        if seq >= reader.last_seq:
            return None
        at = max(seq, reader.first_seq - 1)
        state = copy(reader.state_at(at)) if at >= reader.first_seq else MachineState()
        value = self._value(state)
        for frame in [*self._sampled_frames(at + 1, reader.last_seq), -1]:
            found = self._next_event(state, value, at + 1, frame if frame >= 0 else reader.last_seq)
            if found is not None or frame < 0:
                return found
            state = reader.keyframe_state(frame)
            if self._value(state) != value:
                return Found(frame, True, at)
            at = frame
        return None

    def _next_event(self, state: MachineState, value: Value, first: int, last: int) -> Found | None:
        """The first event from `first` to `last` that makes the watch another than `value`; `state` is the one before and is moved."""
        writers = self._writers(state)
        for rows in self._reader.pieces_with(writers.kinds, first, last, False, writers.wanted()):
            self._tick(int(rows["seq"][0]))
            some = rows[writers.mask(rows)]
            some = some[~writers.surely_same(some, value)]
            for place in range(len(some)):
                _fold(state, some[place : place + 1])
                seq = int(some["seq"][place])
                if self._value(state) != value:
                    return Found(seq)
                if self._watch.kind == RING and int(some["kind"][place]) == EV_RING_RESET:
                    # the ring has another form from here on
                    return self._next_event(state, value, seq + 1, last)
        return None


def _base(reader: SessionReader, frame: int) -> MachineState:
    """A state of one's own: the keyframe before the one at `frame`, the empty machine before the first."""
    frames = reader.keyframes()["seq"]
    place = int(np.searchsorted(frames, frame, "left")) - 1
    return reader.keyframe_state(int(frames[place])) if place >= 0 else MachineState()


def _fold(state: MachineState, rows: Events) -> None:
    check_foldable(rows)
    for seq, row in zip(rows["seq"].tolist(), rows[_COLUMNS].tolist(), strict=True):
        state.seq = seq - 1
        apply(state, row)


def _no_tick(_: int) -> None:
    """Nobody asks how far it is."""


class _Counter:
    """A ring's counter, over its samples."""

    def __init__(self, reader: SessionReader, watch: Watch) -> None:
        series = reader.counters(-_FOREVER, _FOREVER, most=0)
        self._reader: SessionReader = reader
        self._vt: Ints = series.vt
        column = series.oids.index(watch.oid) if watch.oid in series.oids else -1
        self._values: Ints = series.values[:, column, watch.number] if column >= 0 else np.zeros(0, np.int64)

    def _sample(self, seq: int) -> int:
        """Place of the last sample taken when event `seq` was the newest, or before."""
        if not len(self._values) or seq < self._reader.first_seq:
            return -1
        # a sample stands behind the events of its moment
        until = self._reader.vt_at_seq(seq + 1) if seq < self._reader.last_seq else _FOREVER
        return int(np.searchsorted(self._vt, until, "left")) - 1

    def at(self, seq: int) -> Value:
        place = self._sample(seq)
        return int(self._values[place]) if place >= 0 else None

    def _found(self, place: int) -> Found:
        since = self._reader.seq_at_vt(int(self._vt[place - 1])) if place else self._reader.first_seq - 1
        return Found(self._reader.seq_at_vt(int(self._vt[place])), True, since)

    def last_change(self, seq: int) -> Found | None:
        place = self._sample(seq)
        changed = np.flatnonzero(np.diff(self._values[: max(place + 1, 0)]))
        return self._found(int(changed[-1]) + 1) if len(changed) else None

    def next_change(self, seq: int) -> Found | None:
        place = max(self._sample(seq), 0)
        changed = np.flatnonzero(self._values[place:] != self._values[place : place + 1])
        return self._found(place + int(changed[0])) if len(changed) else None
