"""The fold: each kind of event does to a state what it did to the machine."""

from __future__ import annotations

import struct

from hypothesis import given
from hypothesis import strategies as st

from ringscope_core.trace import kinds as k
from ringscope_core.trace.counters import BUCKETS, LatencyHistogram, bucket_floor_ns
from ringscope_core.trace.fields import field
from ringscope_core.trace.state import F_INUSE, F_LAST_AVAIL, F_USED_IDX, MachineState, Row, apply, fold


def row(kind: int, obj: int, *args: int) -> Row:
    """A row at time 0."""
    a = (*args, *(0,) * (6 - len(args)))
    return (0, 0, kind, obj, -1, a[0], a[1], a[2], a[3], a[4], a[5])


RING = 0x10000


def test_a_chain_goes_round_the_ring() -> None:
    state = fold(
        MachineState(),
        [
            row(k.EV_RING_RESET, RING, 4, 0x1000, 0x2000, 0x3000),
            row(k.EV_DESC_WRITE, RING, 2, 0xABCD, 64, 1, 3),
            row(k.EV_AVAIL_ADD, RING, 0, 2),
            row(k.EV_AVAIL_IDX, RING, 1),
            row(k.EV_USED_EVENT, RING, 9),
            row(k.EV_POP, RING, 2, 1, 1, 1, 0, 1),
            row(k.EV_FILL, RING, 0, 2, 77),
            row(k.EV_FLUSH, RING, 1, 1, 0, 0),
            row(k.EV_AVAIL_EVENT, RING, 1, 1),
        ],
    )
    ring = state.rings[RING]
    assert struct.unpack_from("<QIHH", ring.desc, 32) == (0xABCD, 64, 1, 3)
    assert struct.unpack("<HH4HH", ring.avail) == (0, 1, 2, 0, 0, 0, 9)
    assert struct.unpack_from("<HHII", ring.used) == (0, 1, 2, 77)
    assert struct.unpack_from("<H", ring.used, 4 + 8 * 4) == (1,)
    assert (state.value(RING, F_LAST_AVAIL), state.value(RING, F_USED_IDX), state.value(RING, F_INUSE)) == (1, 1, 0)


def test_indirect_tables_live_until_the_driver_takes_the_head_back() -> None:
    state = MachineState()
    apply(state, row(k.EV_RING_RESET, RING, 4, 0, 0, 0))
    apply(state, row(k.EV_IND_WRITE, RING, 1, 1, 0x50, 5, 2, 0))
    assert struct.unpack_from("<QIHH", state.rings[RING].indirect[1], 16) == (0x50, 5, 2, 0)
    apply(state, row(k.EV_USED_TAKE, RING, 1, 1, 0, 4))
    assert state.rings[RING].indirect == {}


def test_the_stack_follows_calls() -> None:
    state = MachineState()
    apply(state, row(k.EV_FRAME_ENTER, 0, 10, 100, 1, 2, 3, 4))
    apply(state, row(k.EV_FRAME_AT, 0, 10, 105))
    apply(state, row(k.EV_FRAME_ENTER, 0, 11, 200))
    assert [frame[:2] for frame in state.stack] == [[10, 105], [11, 200]]
    assert state.stack[1][6] == 2
    apply(state, row(k.EV_FRAME_LEAVE, 0, 11, 0))
    assert [frame[0] for frame in state.stack] == [10]


def test_objects_come_and_go() -> None:
    state = MachineState()
    some = field("VirtIODevice.status")
    apply(state, row(k.EV_OBJ_NEW, 7, 1, 0x1000, 8960))
    apply(state, row(k.EV_OBJ_CHILD, 7, 3, 2))
    apply(state, row(k.EV_OBJ_REF, 7, 2))
    apply(state, row(k.EV_BUS_ATTACH, 7, 5, 0))
    apply(state, row(k.EV_FIELD, 7, some, 15, 0))
    assert state.objects[7].to_plain() == [1, 0x1000, 8960, 3, 2, 2, 5]
    assert state.value(7, some) == 15
    apply(state, row(k.EV_OBJ_FREE, 7))
    assert 7 not in state.objects
    assert state.value(7, some) == 0


def test_the_plain_form_brings_everything_back() -> None:
    state = MachineState()
    apply(state, row(k.EV_OBJ_NEW, 7, 1, 0x1000, 8960))
    apply(state, row(k.EV_RING_RESET, RING, 8, 1, 2, 3))
    apply(state, row(k.EV_DESC_WRITE, RING, 1, -1, 2, 3, 4))
    apply(state, row(k.EV_IND_WRITE, RING, 1, 0, 5, 6, 2, 0))
    apply(state, row(k.EV_FRAME_ENTER, 0, 10, 100, 1, 2, 3, 4))
    apply(state, row(k.EV_FIELD, 7, 3, -5, 0))
    assert MachineState.from_plain(state.to_plain()).to_plain() == state.to_plain()


def test_a_zero_field_equals_one_that_was_never_set() -> None:
    state = MachineState()
    apply(state, row(k.EV_FIELD, 7, 3, 5, 0))
    apply(state, row(k.EV_FIELD, 7, 3, 0, 5))
    assert state.comparable()["fields"] == {}


@given(st.integers(min_value=0, max_value=2**50))
def test_a_duration_counts_in_the_bucket_that_holds_it(duration: int) -> None:
    histogram = LatencyHistogram()
    histogram.add(duration)
    bucket = histogram.to_list().index(1)
    assert bucket_floor_ns(bucket) <= duration
    if bucket + 1 < BUCKETS:
        assert duration < bucket_floor_ns(bucket + 1)
        assert bucket_floor_ns(bucket + 1) - bucket_floor_ns(bucket) <= max(1, bucket_floor_ns(bucket) // 4)


def test_a_packed_buffer_goes_round_the_ring() -> None:
    state = fold(
        MachineState(),
        [
            row(k.EV_RING_RESET, RING, 4, 0x1000, 0x2000, 0x3000, 1),
            row(k.EV_DESC_WRITE, RING, 2, 0xABCD, 64, 0x81, 9),
            row(k.EV_IND_WRITE, RING, 9, 1, 0x50, 5, 2, 0),
            row(k.EV_DRIVER_EVENT, RING, 0x8003, 2),
            row(k.EV_DEVICE_EVENT, RING, 1, 1, 0),
            row(k.EV_POP, RING, 9, 3, 3, 1, 0, 1),
            row(k.EV_USED_DESC, RING, 2, 9, 77, 0x8080),
            row(k.EV_USED_DESC, RING, 4, 9, 77, 0x8080),
            row(k.EV_FLUSH, RING, 3, 1, 0, 1),
        ],
    )
    ring = state.rings[RING]
    assert ring.packed
    assert struct.unpack_from("<QIHH", ring.desc, 32) == (0xABCD, 77, 9, 0x8080)
    assert len(ring.desc) == 64, "a used descriptor beyond the ring changes nothing"
    assert (struct.unpack("<HH", ring.avail), struct.unpack("<HH", ring.used)) == ((0x8003, 2), (1, 1))
    assert struct.unpack_from("<QIHH", ring.indirect[9], 16) == (0x50, 5, 0, 2)
    assert MachineState.from_plain(state.to_plain()).rings[RING].packed
