"""The driver's half of a packed ring against a device of a few lines."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringscope_core.guest.packed_ring import EVENT_DESC, EVENT_DISABLE, EVENT_ENABLE, PackedRing, packed_ring_bytes
from ringscope_core.guest.virtqueue import DESC_WRITE, RingMode
from ringscope_core.memory.ram import anonymous_ram
from ringscope_core.trace.clock import Clock
from ringscope_core.trace.counters import RingCounters
from ringscope_core.trace.kinds import EV_DESC_WRITE
from ringscope_core.trace.log import EventLog
from ringscope_core.trace.state import F_NOTIFICATION, MachineState, fold
from tests.core.guest.test_ring import DATA, OID, TABLES, Rows
from tests.core.guest.tiny_packed import AVAIL, USED, TinyPackedDevice


class Bench:
    """A packed ring, a device, a log."""

    def __init__(self, num: int = 8, event: bool = True, indirect: bool = False, in_order: bool = False, fifo: bool = False) -> None:
        self.log = EventLog(Clock())
        self.rows = Rows()
        self.log.sink = self.rows
        self.memory = anonymous_ram(0x20000)
        self.counters = RingCounters()
        mode = RingMode()
        mode.packed, mode.event, mode.indirect, mode.in_order, mode.fifo = True, event, indirect, in_order, fifo
        self.ring = PackedRing(self.memory, self.log, self.counters, OID, 0, num, 0x1000, mode)
        if indirect:
            self.ring.use_tables(TABLES, 4)
        self.device = TinyPackedDevice(self.ring, self.log)

    def chain(self, pieces: int, flags: int = 0) -> int:
        for i in range(pieces):
            self.ring.segment(DATA + 64 * i, 60 + i, flags)
        return self.ring.add_chain()

    def take_all(self) -> list[int]:
        self.ring.begin_take(self.ring.num)
        ids = []
        while (ident := self.ring.take()) >= 0:
            ids.append(ident)
        self.ring.end_take()
        return ids

    def folded(self) -> MachineState:
        self.log.flush()
        return fold(MachineState(), list(self.rows.rows))

    def snapshot(self) -> MachineState:
        state = MachineState()
        self.ring.snapshot(state)
        return state

    def assert_fold(self) -> None:
        folded, real = self.folded(), self.snapshot()
        assert folded.rings[OID].to_plain() == real.rings[OID].to_plain()
        mine = {key: value for key, value in folded.fields[OID].items() if value and key != int(F_NOTIFICATION)}
        assert mine == {key: value for key, value in real.fields[OID].items() if value}


def test_layout() -> None:
    assert packed_ring_bytes(256) == 4096 + 8
    ring = Bench(num=6).ring
    assert (ring.avail_gpa - ring.desc_gpa, ring.used_gpa - ring.avail_gpa) == (96, 4)


def test_buffers_reach_the_device_in_order_and_come_back() -> None:
    bench = Bench()
    ids = [bench.ring.add(DATA + 64 * i, 64, 0) for i in range(5)]
    assert bench.device.pop() is None, "nothing is visible before publish"
    assert bench.ring.publish() == 5
    chains = [chain for _ in range(5) if (chain := bench.device.pop()) is not None]
    assert [chain.ident for chain in chains] == ids
    assert bench.device.pop() is None
    assert chains[2].pieces == [(DATA + 128, 64, 0)]
    for chain in chains:
        bench.device.push(chain, 7)
    assert bench.take_all() == ids
    assert bench.ring.taken_len == 7
    assert bench.ring.num_free == 8
    bench.assert_fold()


def test_the_ring_wraps_and_the_counters_flip() -> None:
    bench = Bench(num=5)
    seen: list[tuple[int, int]] = []
    for _ in range(7):
        for _ in range(3):
            bench.ring.add(DATA, 64, DESC_WRITE)
        bench.ring.publish()
        while (chain := bench.device.pop()) is not None:
            bench.device.push(chain, 60)
        assert len(bench.take_all()) == 3
        seen.append((bench.ring.next_avail_idx, bench.ring.avail_wrap))
        assert (bench.ring.last_used_idx, bench.ring.used_wrap) == seen[-1]
        bench.assert_fold()
    assert seen == [(3, 1), (1, 0), (4, 0), (2, 1), (0, 0), (3, 0), (1, 1)]


def test_flags_of_a_descriptor_follow_the_wrap_counter() -> None:
    bench = Bench(num=2)
    for turn in range(4):
        bench.ring.add(DATA, 64, DESC_WRITE)
        bench.ring.publish()
        flags = bench.device.descriptor(turn % 2)[3]
        assert flags == (AVAIL if turn < 2 else USED) | DESC_WRITE
        chain = bench.device.pop()
        assert chain is not None
        bench.device.push(chain)
        assert bench.take_all() == [chain.ident]


def test_ids_come_back_in_another_order() -> None:
    bench = Bench()
    first, second, third = (bench.chain(2) for _ in range(3))
    bench.ring.publish()
    chains = [bench.device.pop() for _ in range(3)]
    assert [chain.slots for chain in chains if chain] == [2, 2, 2]
    assert chains[0] and chains[1] and chains[2]
    bench.device.push(chains[2])
    bench.device.push(chains[0])
    assert bench.take_all() == [third, first]
    assert bench.ring.num_free == 6
    assert bench.chain(3) == first, "the last freed is the next given"
    bench.ring.publish()
    bench.device.push(chains[1])
    assert bench.take_all() == [second]
    bench.assert_fold()


def test_freed_ids_are_used_in_turn_with_fifo() -> None:
    bench = Bench(num=4, fifo=True)
    order = []
    for _ in range(6):
        order.append(bench.chain(2))
        bench.ring.publish()
        chain = bench.device.pop()
        assert chain is not None
        bench.device.push(chain)
        bench.take_all()
    assert order == [0, 1, 2, 3, 0, 1]


def test_a_full_ring_takes_no_more() -> None:
    bench = Bench(num=4)
    assert bench.chain(3) == 0
    assert bench.chain(2) == -1
    assert bench.ring.add(DATA, 1, 0) == 1
    assert bench.ring.add(DATA, 1, 0) == -1
    assert bench.counters.ring_full == 2


def test_every_descriptor_of_a_chain_carries_the_id() -> None:
    """The specification wants it in the last one; QEMU 7.2 looks at the first."""
    bench = Bench()
    bench.ring.add(DATA, 1, 0)
    ident = bench.chain(3)
    bench.ring.publish()
    assert [bench.device.descriptor(slot)[2] for slot in (1, 2, 3)] == [ident] * 3


def test_a_chain_goes_through_an_indirect_table() -> None:
    bench = Bench(indirect=True)
    bench.ring.segment(DATA, 10, 0)
    bench.ring.segment(DATA + 512, 1, DESC_WRITE)
    ident = bench.ring.add_chain()
    bench.ring.publish()
    assert bench.ring.num_free == 7
    assert bench.device.descriptor(0) == (TABLES + 64 * ident, 32, ident, 4 | AVAIL)
    chain = bench.device.pop()
    assert chain is not None and chain.pieces == [(DATA, 10, 0), (DATA + 512, 1, DESC_WRITE)]
    assert len(bench.snapshot().rings[OID].indirect[ident]) == 32
    bench.assert_fold()
    bench.device.push(chain, 1)
    bench.take_all()
    assert not bench.folded().rings[OID].indirect


def test_a_batch_that_wraps_is_written_whole() -> None:
    bench = Bench(num=8)
    for _ in range(5):
        bench.ring.add(DATA, 1, 0)
    bench.ring.publish()
    while (chain := bench.device.pop()) is not None:
        bench.device.push(chain)
    bench.take_all()
    ids = [bench.ring.add(DATA, 1, 0), bench.chain(4), bench.ring.add(DATA, 1, 0)]
    assert bench.ring.publish() == 3
    chains = [bench.device.pop() for _ in range(3)]
    assert [chain.ident for chain in chains if chain] == ids
    bench.assert_fold()


def test_an_id_that_was_not_given_out_breaks_the_ring() -> None:
    bench = Bench()
    bench.ring.add(DATA, 64, 0)
    bench.ring.publish()
    chain = bench.device.pop()
    assert chain is not None
    bench.memory.write(bench.ring.desc_gpa + 8, struct.pack("<IHH", 0, 5, AVAIL | USED))
    bench.ring.begin_take(8)
    assert bench.ring.take() == -1
    assert bench.ring.broken
    assert "is not a head" in bench.log.strings.texts[-1]
    assert bench.ring.begin_take(8) == 0


# -- notifications ----------------------------------------------------------------------------------------------------
def _publish(bench: Bench, count: int = 1) -> None:
    for _ in range(count):
        bench.ring.add(DATA, 1, 0)
    bench.ring.publish()


def test_kick_follows_the_devices_flags() -> None:
    bench = Bench(event=False)
    _publish(bench)
    assert bench.ring.kick_prepare()
    assert not bench.ring.kick_prepare(), "nothing new"
    bench.device.want(0, 0, EVENT_DISABLE)
    _publish(bench)
    assert not bench.ring.kick_prepare()
    assert bench.counters.kicks_suppressed == 1
    bench.device.want(0, 0, EVENT_ENABLE)
    _publish(bench)
    assert bench.ring.kick_prepare()


@given(st.integers(2, 9), st.integers(0, 8), st.integers(1, 9), st.integers(0, 8), st.booleans())
def test_kick_at_a_descriptor_is_passing_it(num: int, before: int, count: int, slot: int, this_turn: bool) -> None:
    """Whatever the ring's size and place: a notification exactly when the batch covers the named descriptor."""
    bench = Bench(num=num)
    slot %= num
    before %= num
    count = min(count, num)
    for _ in range(before):
        _publish(bench)
        chain = bench.device.pop()
        assert chain is not None
        bench.device.push(chain)
        bench.take_all()
    bench.ring.kick_prepare()
    wrap = 1 if this_turn else 0
    bench.device.want(slot, wrap, EVENT_DESC)
    _publish(bench, count)
    # positions on a line: this turn's descriptors are 0..num-1, the next turn's follow
    wanted = slot if this_turn else slot + num
    assert bench.ring.kick_prepare() == (before <= wanted < before + count)


def test_callbacks_without_event_index_are_a_flag() -> None:
    bench = Bench(event=False)
    bench.ring.disable_cb()
    assert bench.device.driver_event()[1] == EVENT_DISABLE
    mark = bench.ring.enable_cb_prepare()
    assert bench.device.driver_event() == (0, EVENT_ENABLE)
    assert not bench.ring.poll(mark)
    _publish(bench)
    chain = bench.device.pop()
    assert chain is not None
    bench.device.push(chain)
    assert bench.ring.poll(mark)
    bench.assert_fold()


def test_callbacks_with_event_index_name_a_descriptor() -> None:
    bench = Bench(num=4)
    bench.ring.disable_cb()
    _publish(bench, 3)
    assert bench.ring.enable_cb_delayed()
    assert bench.device.driver_event() == (2 | 1 << 15, EVENT_DESC), "three quarters of three"
    for _ in range(3):
        chain = bench.device.pop()
        assert chain is not None
        bench.device.push(chain)
    assert not bench.ring.enable_cb_delayed(), "there is something to take"
    bench.take_all()
    assert bench.device.driver_event() == (3 | 1 << 15, EVENT_DESC), "the next element"
    _publish(bench, 2)
    mark = bench.ring.enable_cb_prepare()
    assert mark == 3 | 1 << 15
    assert bench.ring.enable_cb_delayed()
    assert bench.device.driver_event() == (0, EVENT_DESC), "behind the wrap the bit is 0"
    bench.assert_fold()


# -- in order ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("indirect", [False, True])
def test_a_batch_is_completed_by_its_last_buffer(indirect: bool) -> None:
    bench = Bench(num=8, in_order=True, indirect=indirect)
    for _ in range(5):
        ids = [bench.chain(2, DESC_WRITE), bench.ring.add(DATA, 100, DESC_WRITE), bench.chain(1, DESC_WRITE)]
        bench.ring.publish()
        chains = [chain for _ in range(3) if (chain := bench.device.pop()) is not None]
        bench.device.push(chains[2], 9, batch=2)
        assert bench.ring.more_used()
        lengths = []
        assert bench.ring.begin_take(2) == 2
        for _ in range(3):
            assert bench.ring.take() == ids[len(lengths)]
            lengths.append(int(bench.ring.taken_len))
        bench.ring.end_take()
        assert lengths == [60 + 61, 100, 9], "skipped buffers are used to the full"
        assert not bench.ring.more_used()
        assert bench.ring.num_free == 8
        bench.assert_fold()


def test_in_order_an_unknown_id_breaks_the_ring() -> None:
    bench = Bench(in_order=True)
    _publish(bench)
    chain = bench.device.pop()
    assert chain is not None
    bench.device.taken[0] = chain._replace(ident=3)
    bench.device.push(bench.device.taken[0])
    assert bench.ring.begin_take(8) == 0
    assert bench.ring.broken


# -- fold -------------------------------------------------------------------------------------------------------------
OPS = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.integers(1, 3)),
        st.tuples(st.just("publish"), st.just(0)),
        st.tuples(st.just("pop"), st.integers(1, 4)),
        st.tuples(st.just("push"), st.integers(0, 7)),
        st.tuples(st.just("take"), st.just(0)),
        st.tuples(st.just("kick"), st.just(0)),
        st.tuples(st.just("disable"), st.just(0)),
        st.tuples(st.just("enable"), st.just(0)),
        st.tuples(st.just("delayed"), st.just(0)),
        st.tuples(st.just("want"), st.integers(0, 0xFFFF)),
    ),
    max_size=80,
)


def _step(bench: Bench, name: str, number: int, given: list[int], back: list[int]) -> None:
    ring, device = bench.ring, bench.device
    if name == "add":
        ident = bench.chain(number)
        if ident >= 0:
            given.append(ident)
    elif name == "publish":
        ring.publish()
    elif name == "pop":
        for _ in range(number):
            device.pop()
    elif name == "push" and device.taken:
        device.push(device.taken[0 if ring.order else number % len(device.taken)], number)
    elif name == "take":
        back.extend(bench.take_all())
    elif name == "kick":
        ring.kick_prepare()
    elif name == "disable":
        ring.disable_cb()
    elif name == "enable":
        ring.enable_cb_prepare()
    elif name == "delayed":
        ring.enable_cb_delayed()
    elif name == "want":
        device.want(number & 7, number >> 3 & 1, number >> 4 & 3)


@given(OPS, st.integers(3, 9), st.booleans(), st.booleans(), st.booleans(), st.booleans())
def test_the_fold_of_events_is_the_ring(ops: list[tuple[str, int]], num: int, event: bool, indirect: bool, in_order: bool, fifo: bool) -> None:
    bench = Bench(num, event, indirect, in_order, fifo)
    given: list[int] = []
    back: list[int] = []
    for name, number in ops:
        _step(bench, name, number, given, back)
    bench.ring.publish()
    back += bench.take_all()
    bench.assert_fold()
    assert not bench.ring.broken
    # nothing is lost, nothing comes twice: what was given is back, or at the device
    while bench.device.pop() is not None:
        pass
    assert sorted(given) == sorted(back + [chain.ident for chain in bench.device.taken])
    assert bench.ring.num_free == num - sum(chain.slots for chain in bench.device.taken)


def test_an_empty_poll_costs_no_event() -> None:
    bench = Bench()
    _publish(bench)
    seq = bench.log.seq
    assert not bench.ring.more_used()
    assert bench.ring.begin_take(8) == 0
    assert bench.log.seq == seq


def test_release_clears_everything() -> None:
    bench = Bench()
    for _ in range(6):
        _publish(bench)
        chain = bench.device.pop()
        assert chain is not None
        bench.device.push(chain)
        bench.take_all()
    bench.ring.disable_cb()
    bench.ring.release()
    folded = bench.folded()
    assert OID not in folded.rings
    assert {key for key, value in folded.fields[OID].items() if value} <= {int(F_NOTIFICATION)}
    assert any(row[2] == EV_DESC_WRITE for row in bench.rows.rows)
