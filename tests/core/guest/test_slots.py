"""What `trace.slots` derives, against what a ring and its device really did."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ringscope_core.trace.slot_states import NO_HEAD, SLOT_AVAILABLE, SLOT_FREE, SLOT_IN_FLIGHT, SLOT_USED
from ringscope_core.trace.slots import chain_of, slot_states, table_of
from ringscope_core.trace.state import F_LAST_AVAIL, F_LAST_USED
from tests.core.guest.test_ring import DATA, OID, TABLES, Bench


def _derive(bench: Bench):  # type: ignore[no-untyped-def]
    state = bench.snapshot()
    fields = dict(state.fields[OID])
    fields[int(F_LAST_AVAIL)] = bench.device.last_avail_idx
    return slot_states(state.rings[OID], fields)


def test_each_state_once() -> None:
    bench = Bench()
    heads = [bench.ring.add(DATA, 8, 0) for _ in range(3)]
    bench.ring.publish()
    bench.device.pop()
    bench.device.pop()
    bench.device.push(heads[0])
    states = _derive(bench)
    assert list(states.state) == [SLOT_USED, SLOT_IN_FLIGHT, SLOT_AVAILABLE, *[SLOT_FREE] * 5]
    assert (states.used, states.in_flight, states.available) == ([0], [1], [2])
    assert list(states.used_live) == [1, *[0] * 7]
    assert list(states.avail_state) == [SLOT_FREE, SLOT_IN_FLIGHT, SLOT_AVAILABLE, *[SLOT_FREE] * 5]
    assert states.consistent
    assert states.count(SLOT_FREE) == 5


def test_a_chain_has_places() -> None:
    bench = Bench()
    bench.ring.add(DATA, 8, 0)
    for i in range(3):
        bench.ring.segment(DATA + i, 1, 0)
    head = bench.ring.add_chain()
    bench.ring.publish()
    states = _derive(bench)
    assert states.chain(head) == [1, 2, 3]
    assert states.place[:5] == [0, 0, 1, 2, NO_HEAD]
    ring = bench.snapshot().rings[OID]
    assert [row[0] for row in chain_of(ring, head)] == [1, 2, 3]
    assert table_of(ring, head) == []


def test_an_indirect_chain_is_one_descriptor_and_a_table() -> None:
    bench = Bench(indirect=True)
    bench.ring.segment(DATA, 12, 0)
    bench.ring.segment(DATA + 64, 60, 0)
    head = bench.ring.add_chain()
    bench.ring.publish()
    ring = bench.snapshot().rings[OID]
    assert chain_of(ring, head) == [(head, TABLES + 64 * head, 32, 4, 0)]
    assert table_of(ring, head) == [(0, DATA, 12, 1, 1), (1, DATA + 64, 60, 0, 0)]
    assert _derive(bench).count(SLOT_AVAILABLE) == 1


def test_a_loop_ends() -> None:
    bench = Bench(num=4)
    bench.ring.add(DATA, 8, 0)
    bench.ring.publish()
    ring = bench.snapshot().rings[OID]
    ring.desc[12:16] = b"\x01\x00\x00\x00"
    states = slot_states(ring, {})
    assert not states.consistent
    assert len(chain_of(ring, 0)) == 4


def test_indices_out_of_order_are_said_to_be() -> None:
    bench = Bench(num=4)
    ring = bench.snapshot().rings[OID]
    states = slot_states(ring, {int(F_LAST_AVAIL): 9, int(F_LAST_USED): 0})
    assert not states.consistent
    assert states.count(SLOT_FREE) == 4


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(1, 4)), max_size=60))
def test_in_order_traffic_is_derived_exactly(steps: list[tuple[int, int]]) -> None:
    """A device that completes in order, as virtio-net does: the derivation knows each head's state, over many wraps."""
    bench = Bench(num=8)
    used: list[int] = []
    for what, number in steps * 4:
        if what == 0:
            for _ in range(number):
                if bench.ring.num_free:
                    bench.ring.add(DATA, 4, 0)
            bench.ring.publish()
        elif what == 1:
            for _ in range(number):
                bench.device.pop()
        else:
            for _ in range(min(number, len(bench.device.taken))):
                head = bench.device.taken[0]
                bench.device.push(head)
                used.append(head)
        if what == 2 and number == 4:
            bench.take_all()
            used.clear()
    states = _derive(bench)
    assert states.consistent
    assert states.used == used
    assert states.in_flight == bench.device.taken
    assert states.count(SLOT_FREE) == bench.ring.num_free
