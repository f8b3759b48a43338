"""Searches for the last write and the next change equal a search by brute force, on runs and on random events."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ringscope_core.query.recording import Recording
from ringscope_core.query.travel import Found, find_last_write, find_next_change, last_write, next_change, value_at
from ringscope_core.query.watch import Value, Watch, counter_watch, field_watch, object_watch, ring_watch, run_watch, settled, value_in
from ringscope_core.session.rows import EVENT_DTYPE
from ringscope_core.trace import kinds as k
from ringscope_core.trace.fields import field
from ringscope_core.trace.oids import ring_oid
from ringscope_core.trace.state import (
    F_INUSE,
    F_LAST_AVAIL,
    F_NOTIFICATION,
    F_NUM_FREE,
    F_SHADOW_AVAIL,
    F_USED_IDX,
    MachineState,
    ObjectState,
    RingImage,
    apply,
)
from tests.core.query.recordings import Script, record

_COLUMNS = list(EVENT_DTYPE.names or ())[1:]
RING = int(ring_oid(0x18, 0))
NUM = 8


class Truth:
    """The value after every event, and which events wrote it, found by folding everything and by poisoning what an event may write."""

    def __init__(self, recording: Recording, watch: Watch) -> None:
        reader = recording.reader
        rows = reader.events(reader.first_seq, reader.last_seq)
        frames = set(reader.keyframes()["seq"].tolist())
        self.watch = watch
        self.values: dict[int, Value] = {}
        self.writes: dict[int, bool] = {}
        """Event -> whether the change at it is only sampled."""
        state = MachineState()
        for seq, row in zip(rows["seq"].tolist(), rows[_COLUMNS].tolist(), strict=True):
            state.seq = seq - 1
            if _writes(state, row, watch):
                self.writes[seq] = False
            apply(state, row)
            if seq in frames:
                before = value_in(state, watch)
                state = reader.keyframe_state(seq)
                if settled(watch, value_in(state, watch)) != settled(watch, before):
                    self.writes[seq] = True
            self.values[seq] = value_in(state, watch)

    def last_write(self, seq: int) -> int:
        return max((s for s in self.writes if s <= seq), default=-1)

    def next_change(self, seq: int) -> int:
        return next((s for s, value in self.values.items() if s > seq and settled(self.watch, value) != settled(self.watch, self.values[seq])), -1)


def _writes(state: MachineState, row: Any, watch: Watch) -> bool:
    kind, obj = row[2], row[3]
    if kind == k.EV_RING_RESET:
        return bool(watch.kind == "ring" and obj == watch.oid)
    if obj != watch.oid:
        return False
    if watch.kind in ("run", "object"):
        poisoned = _part(state, watch.oid)
        poisoned.run_state = poisoned.level = 77
        for other in poisoned.objects.values():
            other.ref = other.parent = other.name_id = other.bus = -7
        if not watch.member and kind in (k.EV_OBJ_NEW, k.EV_OBJ_FREE):
            return bool(obj == watch.oid)
        before = value_in(poisoned, watch)
        apply(poisoned, row)
        return value_in(poisoned, watch) != before
    return any(_survives_not(state, row, watch, poison) for poison in (0x5A5A, 0x3C3C))


def _part(state: MachineState, oid: int) -> MachineState:
    """A copy of the state of one object: an event writes nothing of another one."""
    part = MachineState()
    part.objects = {oid: ObjectState.from_plain(state.objects[oid].to_plain())} if oid in state.objects else {}
    part.fields = {oid: dict(state.fields[oid])} if oid in state.fields else {}
    part.rings = {oid: RingImage.from_plain(state.rings[oid].to_plain())} if oid in state.rings else {}
    part.stack = [[0] * 7]
    return part


def _survives_not(state: MachineState, row: Any, watch: Watch, poison: int) -> bool:
    poisoned = _part(state, watch.oid)
    if watch.kind == "field":
        poisoned.fields.setdefault(watch.oid, {})[watch.number] = poison
    ring = poisoned.rings.get(watch.oid)
    if ring is not None:
        for area in (ring.desc, ring.avail, ring.used, *ring.indirect.values()):
            area[:] = bytes([poison & 0xFF]) * len(area)
    before = value_in(poisoned, watch)
    apply(poisoned, row)
    return value_in(poisoned, watch) != before


def check(recording: Recording, watch: Watch, seqs: list[int]) -> None:
    """The searches from `seqs` say what the truth says."""
    truth = Truth(recording, watch)
    for seq in seqs:
        assert value_at(recording, watch, seq) == truth.values[seq], (watch, seq)
        written, changed = truth.last_write(seq), truth.next_change(seq)
        assert last_write(recording, watch, seq) == written, (watch, seq)
        assert next_change(recording, watch, seq) == changed, (watch, seq)
        found = find_last_write(recording, watch, seq)
        assert (found is None) == (written < 0)
        if found is not None:
            assert found.sampled == truth.writes[written], (watch, seq)
            if found.sampled:
                assert found.since < found.seq


def watches_of(recording: Recording) -> list[Watch]:
    """Some of every sort."""
    state = recording.reader.state_at(recording.reader.last_seq)
    rings = sorted(state.rings)[:2]
    found = [run_watch(), run_watch("trace_level")]
    for oid in list(state.objects)[::9]:
        found += [object_watch(oid), object_watch(oid, "ref"), object_watch(oid, "bus"), object_watch(oid, "parent")]
        found += [field_watch(oid, number) for number in list(state.fields.get(oid, {}))[:3]]
    for oid in rings:
        found += [field_watch(oid, int(number)) for number in (F_LAST_AVAIL, F_SHADOW_AVAIL, F_USED_IDX, F_INUSE, F_NOTIFICATION, F_NUM_FREE)]
        found += [ring_watch(oid, "desc", 3, member) for member in ("", "addr", "len", "flags", "next", "id")]
        found += [ring_watch(oid, "avail", -1, member) for member in ("flags", "idx", "used_event", "off_wrap")]
        found += [ring_watch(oid, "avail", 2, "ring"), ring_watch(oid, "used", 2, "ring"), ring_watch(oid, "used", 0, "len"), ring_watch(oid, "used", 1, "id")]
        found += [ring_watch(oid, "used", -1, member) for member in ("flags", "idx", "avail_event", "off_wrap")]
        heads = list(state.rings[oid].indirect)[:2] or [0]
        found += [ring_watch(oid, "indirect", head, "addr", entry) for head in heads for entry in (0, 1)]
    return found


@pytest.mark.parametrize(("scenario", "level"), [("ping", 2), ("packed", 2), ("default", 2), ("udp-echo", 1), ("bulk-tx", 0)])
def test_a_run(tmp_path: Path, scenario: str, level: int) -> None:
    recording = record(tmp_path / "a.ringscope", scenario, level, virtual_ns=60_000_000, packets=60)
    reader = recording.reader
    with reader:
        step = max((reader.last_seq - reader.first_seq) // 7, 1)
        seqs = [*range(reader.first_seq, reader.last_seq, step), reader.last_seq]
        for watch in watches_of(recording):
            check(recording, watch, seqs)


def test_below_level_full_a_change_is_found_between_two_samples(tmp_path: Path) -> None:
    recording = record(tmp_path / "a.ringscope", "bulk-tx", 0, virtual_ns=100_000_000)
    reader = recording.reader
    with reader:
        ring = max(reader.state_at(reader.last_seq).rings)
        tx = next(oid for oid in sorted(reader.state_at(reader.last_seq).rings) if recording.names.name(oid) == "tx0")
        found = find_last_write(recording, field_watch(tx, int(F_USED_IDX)), reader.last_seq)
        frames = reader.keyframes()["seq"].tolist()
        assert ring and found is not None and found.sampled
        assert found.seq in frames and found.since in frames and found.since < found.seq
        before, after = (value_at(recording, field_watch(tx, int(F_USED_IDX)), seq) for seq in (found.since, found.seq))
        assert before != after


def test_lost_events_hide_no_change(tmp_path: Path) -> None:
    script = Script(tmp_path / "a.ringscope")
    number = int(field("VirtIODevice.status"))
    script.log.emit(k.EV_OBJ_NEW, 1, 0, 0, 0)
    script.log.field(1, number, 1, 0)
    script.keyframe()
    script.lose(50)
    script.rows.state.fields[1][number] = 7
    script.log.emit(k.EV_DROPPED, 0, 50, 0)
    script.keyframe()
    script.log.emit(k.EV_MARK, 0, 0)
    recording = script.open()
    with recording.reader:
        watch = field_watch(1, number)
        assert find_last_write(recording, watch, 53) == Found(52, True, 1)
        assert find_next_change(recording, watch, 1) == Found(52, True, 1)
        assert last_write(recording, watch, 1) == 1


def test_a_counter_is_known_at_samples(tmp_path: Path) -> None:
    recording = record(tmp_path / "a.ringscope", "ping", 2, virtual_ns=3_000_000_000)
    reader = recording.reader
    with reader:
        tx = next(oid for oid in recording.names.known() if recording.names.name(oid) == "tx0")
        watch = counter_watch(tx, "packets")
        seq = reader.last_seq
        values = []
        for _ in range(100):
            found = find_last_write(recording, watch, seq)
            if found is None:
                break
            assert found.sampled
            values.append(value_at(recording, watch, seq))
            seq = min(found.since, seq - 1)
        assert len(values) > 2
        assert values == sorted(values, reverse=True)
        assert reader.counters(0, 1 << 60).values[-1, reader.counters(0, 1 << 60).oids.index(tx), 0] == values[0]
        first = find_next_change(recording, watch, reader.first_seq)
        assert first is not None and first.sampled
        assert find_next_change(recording, watch, reader.last_seq) is None


# -- random events ------------------------------------------------------------------------------------------------------
_SMALL = st.integers(0, NUM - 1)
_VALUE = st.integers(0, 3)
_RING_KINDS = sorted(spec.number for spec in k.KINDS if k.EV_DESC_WRITE <= spec.number <= k.EV_NOTIFY_SUPPRESSED and spec.number != k.EV_RING_RESET)
_EVENT = st.one_of(
    st.tuples(st.sampled_from(_RING_KINDS), st.just(RING), _SMALL, _SMALL, _VALUE, _VALUE, _VALUE, _VALUE),
    st.tuples(st.just(int(k.EV_FIELD)), st.sampled_from([1, 2, RING]), st.sampled_from([int(F_INUSE), int(F_USED_IDX), 3]), _VALUE),
    st.tuples(st.just(int(k.EV_RING_RESET)), st.just(RING), st.sampled_from([0, NUM, NUM // 2]), _VALUE, _VALUE, _VALUE, st.integers(0, 1)),
    st.tuples(st.sampled_from([int(k.EV_OBJ_NEW), int(k.EV_OBJ_FREE)]), st.sampled_from([1, 2]), _VALUE),
    st.tuples(st.just(int(k.EV_TRACE_LEVEL)), st.just(0), st.integers(0, 2), st.just(2)),
    st.just((-1,)),
    st.just((-2,)),
)
_WATCHES = [
    *(field_watch(RING, int(number)) for number in (F_INUSE, F_USED_IDX, F_NOTIFICATION)),
    field_watch(1, 3),
    object_watch(1),
    run_watch("trace_level"),
    *(ring_watch(RING, "desc", 3, member) for member in ("", "addr", "len", "id", "next", "flags")),
    ring_watch(RING, "desc", NUM - 1, "addr"),
    ring_watch(RING, "avail", -1, "idx"),
    ring_watch(RING, "avail", -1, "off_wrap"),
    ring_watch(RING, "avail", -1, "used_event"),
    ring_watch(RING, "avail", 2, "ring"),
    ring_watch(RING, "used", 2, "len"),
    ring_watch(RING, "used", -1, "flags"),
    ring_watch(RING, "used", -1, "avail_event"),
    ring_watch(RING, "indirect", 1, "addr", 1),
]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(st.lists(_EVENT, min_size=3, max_size=60), st.data())
def test_random_events(tmp_path_factory: pytest.TempPathFactory, events: list[tuple[int, ...]], data: st.DataObject) -> None:
    script = Script(tmp_path_factory.mktemp("r") / "a.ringscope")
    script.log.emit(k.EV_RING_RESET, RING, NUM)
    level = 2
    for event in events:
        if event[0] == -1:
            script.keyframe()
        elif event[0] == -2:
            # below level full things change unseen
            if level < 2 and RING in script.state.rings:
                script.rows.state.fields.setdefault(RING, {})[int(F_INUSE)] = 9
                script.rows.state.rings[RING].desc[48:50] = b"\x11\x22"
        else:
            if event[0] == k.EV_TRACE_LEVEL:
                event = (*event[:2], event[2], level)
                if event[2] == level:
                    continue
                level = event[2]
            script.log.emit(*event)
            if event[0] == k.EV_TRACE_LEVEL and level == 2:
                # whoever traces fully again tells the whole state first
                script.keyframe()
    recording = script.open()
    with recording.reader as reader:
        watch = data.draw(st.sampled_from(_WATCHES))
        check(recording, watch, list(range(reader.first_seq, reader.last_seq + 1)))
