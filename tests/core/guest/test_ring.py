"""The driver's half of a split ring against a device of a few lines."""

from __future__ import annotations

import struct

from hypothesis import given
from hypothesis import strategies as st

from ringscope_core.guest.ring import Vring, ring_bytes
from ringscope_core.guest.virtqueue import DESC_WRITE, RingMode, vring_need_event
from ringscope_core.memory.ram import anonymous_ram
from ringscope_core.trace.clock import Clock
from ringscope_core.trace.counters import RingCounters
from ringscope_core.trace.kinds import EV_DESC_WRITE, EV_USED_EVENT
from ringscope_core.trace.log import BlockSink, EventLog
from ringscope_core.trace.oids import ring_oid
from ringscope_core.trace.state import F_INUSE, F_NOTIFICATION, F_SIGNALLED_VALID, F_USED_IDX, MachineState, Row, fold
from tests.core.guest.tiny_device import TinyDevice

OID = ring_oid(0x18, 0)
DATA = 0x8000
TABLES = 0x10000


class Rows(BlockSink):
    """Keeps the rows in the form that `fold` takes."""

    def __init__(self) -> None:
        self.rows: list[Row] = []

    def on_block(self, first_seq: int, rows: bytes) -> None:

        self.rows.extend(struct.iter_unpack("<qqiiqqqqqqq", rows))


class Bench:
    """A ring, a device, a log."""

    def __init__(self, num: int = 8, event: bool = True, indirect: bool = False, in_order: bool = False, fifo: bool = False, ram: int = 0x20000) -> None:
        self.log = EventLog(Clock())
        self.rows = Rows()
        self.log.sink = self.rows
        self.memory = anonymous_ram(ram)
        self.counters = RingCounters()
        mode = RingMode()
        mode.event, mode.indirect, mode.in_order, mode.fifo = event, indirect, in_order, fifo
        self.ring = Vring(self.memory, self.log, self.counters, OID, 0, num, 0x1000, mode)
        if indirect:
            self.ring.use_tables(TABLES, 4)
        self.device = TinyDevice(self.ring, self.log)

    def events(self, kind: int) -> list[tuple[int, ...]]:
        self.log.flush()
        return [row[5:] for row in self.rows.rows if row[2] == kind]

    def folded(self) -> MachineState:
        self.log.flush()
        return fold(MachineState(), list(self.rows.rows))

    def snapshot(self) -> MachineState:
        state = MachineState()
        self.ring.snapshot(state)
        return state

    def take_all(self) -> list[int]:
        self.ring.begin_take(self.ring.num)
        heads = []
        while (head := self.ring.take()) >= 0:
            heads.append(head)
        self.ring.end_take()
        return heads


def test_layout_is_the_specifications() -> None:
    avail, used, total, _ = ring_bytes(256)
    assert (avail, used, total) == (4096, 8192, 8192 + 6 + 8 * 256)
    assert used % 4 == 0 and avail % 2 == 0


def test_heads_reach_the_device_in_order_and_come_back() -> None:
    bench = Bench()
    heads = [bench.ring.add(DATA + 64 * i, 64, 0) for i in range(5)]
    assert bench.device.pop() == -1, "nothing is visible before publish"
    assert bench.ring.publish() == 5
    assert [bench.device.pop() for _ in range(6)] == [*heads, -1]
    assert bench.device.chain(heads[2]) == [(DATA + 128, 64, 0)]
    for head in heads:
        bench.device.push(head, 7)
    assert bench.take_all() == heads
    assert bench.ring.taken_len == 7
    assert bench.ring.num_free == 8


def test_in_order_a_batch_is_completed_by_its_last_head() -> None:
    bench = Bench(num=8, in_order=True, fifo=True)
    order: list[int] = []
    for _ in range(7):
        heads = [bench.ring.add(DATA, 100 + i, DESC_WRITE) for i in range(3)]
        bench.ring.publish()
        order += heads
        for _ in range(3):
            bench.device.pop()
        bench.device.push(heads[2], 9, batch=2)
        lengths = []
        assert bench.ring.begin_take(2) == 2
        for head in heads:
            assert bench.ring.take() == head
            lengths.append(int(bench.ring.taken_len))
        bench.ring.end_take()
        assert lengths == [100, 101, 9], "skipped buffers are used to the full"
        assert bench.ring.num_free == 8
        assert bench.folded().rings[OID].to_plain() == bench.snapshot().rings[OID].to_plain()
    assert order == [i % 8 for i in range(21)], "descriptors are used in order"


def test_in_order_one_by_one_is_a_batch_of_one() -> None:
    bench = Bench(num=4, in_order=True)
    heads = [bench.ring.add(DATA, 10, 0) for _ in range(4)]
    bench.ring.publish()
    for head in heads:
        bench.device.pop()
        bench.device.push(head)
    assert bench.take_all() == heads
    assert bench.ring.last_used_idx == 4


def test_in_order_a_head_that_is_not_outstanding_breaks_the_ring() -> None:
    bench = Bench(num=4, in_order=True)
    bench.ring.add(DATA, 10, 0)
    bench.ring.publish()
    bench.device.pop()
    bench.device.taken.append(2)
    bench.device.push(2)
    assert bench.ring.begin_take(4) == 0
    assert bench.ring.broken


def test_freed_descriptors_are_used_first_in_first_out_with_fifo() -> None:
    bench = Bench(num=8, fifo=True)
    heads = []
    for _ in range(4):
        for i in range(3):
            bench.ring.segment(DATA + i, 1, 0)
        heads.append(bench.ring.add_chain())
        bench.ring.publish()
        bench.device.push(bench.device.pop())
        bench.take_all()
    assert heads == [0, 3, 6, 1]


def test_freed_descriptors_are_used_last_in_first_out() -> None:
    bench = Bench()
    heads = [bench.ring.add(DATA, 64, 0) for _ in range(3)]
    bench.ring.publish()
    for _ in range(3):
        bench.device.push(bench.device.pop())
    bench.take_all()
    assert bench.ring.free_head == heads[-1]
    assert [bench.ring.add(DATA, 64, 0) for _ in range(4)] == [2, 1, 0, 3]


def test_a_full_ring_takes_no_more() -> None:
    bench = Bench(num=4)
    assert [bench.ring.add(DATA, 1, 0) for _ in range(5)] == [0, 1, 2, 3, -1]
    assert bench.counters.ring_full == 1


def test_an_unchanged_descriptor_is_not_written_again() -> None:
    bench = Bench(num=4)
    for _ in range(6):
        bench.ring.add(DATA, 64, DESC_WRITE)
        bench.ring.publish()
        bench.device.push(bench.device.pop(), 60)
        bench.take_all()
    assert len(bench.events(EV_DESC_WRITE)) == 1


def test_a_chain_lies_in_the_table_in_order() -> None:
    bench = Bench()
    for i in range(3):
        bench.ring.segment(DATA + 256 * i, 10 + i, DESC_WRITE if i == 2 else 0)
    head = bench.ring.add_chain()
    bench.ring.publish()
    assert bench.device.chain(bench.device.pop()) == [(DATA, 10, 0), (DATA + 256, 11, 0), (DATA + 512, 12, DESC_WRITE)]
    assert bench.ring.num_free == 5
    bench.device.push(head)
    bench.take_all()
    assert bench.ring.num_free == 8


def test_a_chain_goes_through_an_indirect_table() -> None:
    bench = Bench(indirect=True)
    bench.ring.segment(DATA, 10, 0)
    bench.ring.segment(DATA + 512, 1, DESC_WRITE)
    head = bench.ring.add_chain()
    bench.ring.publish()
    assert bench.ring.num_free == 7
    assert bench.device.descriptor(head) == (TABLES + 64 * head, 32, 4, 0)
    assert bench.device.chain(bench.device.pop()) == [(DATA, 10, 0), (DATA + 512, 1, DESC_WRITE)]
    assert len(bench.snapshot().rings[OID].indirect[head]) == 32


def test_a_head_that_was_not_given_out_breaks_the_ring() -> None:
    bench = Bench()
    bench.ring.add(DATA, 64, 0)
    bench.ring.publish()
    bench.device.pop()
    bench.device.taken.append(5)
    bench.device.push(5)
    bench.ring.begin_take(8)
    assert bench.ring.take() == -1
    assert bench.ring.broken
    assert "is not a head" in bench.log.strings.texts[-1]


@given(st.integers(0, 0xFFFF), st.integers(0, 0xFFFF), st.integers(0, 200))
def test_need_event_is_passing_the_event(event: int, old: int, step: int) -> None:
    passed = any((old + i) & 0xFFFF == event for i in range(step))
    assert vring_need_event(event, (old + step) & 0xFFFF, old) == passed


def test_kick_follows_avail_event() -> None:
    bench = Bench()
    bench.ring.add(DATA, 1, 0)
    bench.ring.publish()
    assert bench.ring.kick_prepare(), "avail_event 0: the first buffer is wanted"
    bench.ring.add(DATA, 1, 0)
    bench.ring.publish()
    assert not bench.ring.kick_prepare()
    bench.device.set_avail_event(3)
    bench.ring.add(DATA, 1, 0)
    bench.ring.publish()
    assert not bench.ring.kick_prepare(), "index 2 only"
    bench.ring.add(DATA, 1, 0)
    bench.ring.publish()
    assert bench.ring.kick_prepare()
    assert bench.counters.kicks_suppressed == 2


def test_kick_follows_used_flags_without_event_index() -> None:
    bench = Bench(event=False)
    bench.device.set_no_notify(1)
    bench.ring.add(DATA, 1, 0)
    bench.ring.publish()
    assert not bench.ring.kick_prepare()
    bench.device.set_no_notify(0)
    bench.ring.add(DATA, 1, 0)
    bench.ring.publish()
    assert bench.ring.kick_prepare()


def test_callbacks_without_event_index_are_a_flag_in_memory() -> None:
    bench = Bench(event=False)
    bench.ring.disable_cb()
    assert bench.device.avail_flags() == 1
    mark = bench.ring.enable_cb_prepare()
    assert bench.device.avail_flags() == 0
    bench.ring.add(DATA, 1, 0)
    bench.ring.publish()
    bench.device.push(bench.device.pop())
    assert bench.ring.poll(mark)


def test_callbacks_with_event_index_are_used_event() -> None:
    bench = Bench()
    bench.ring.disable_cb()
    assert bench.device.avail_flags() == 0, "only the driver's shadow changes"
    for _ in range(4):
        bench.ring.add(DATA, 1, 0)
    bench.ring.publish()
    assert bench.ring.enable_cb_delayed()
    assert bench.device.used_event() == 3, "three quarters of four"
    for _ in range(4):
        bench.device.push(bench.device.pop())
    assert not bench.ring.enable_cb_delayed(), "all are used already"
    bench.take_all()
    assert bench.device.used_event() == 4, "get_buf asks for the next element"
    assert len(bench.events(EV_USED_EVENT)) == 3


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
        st.tuples(st.just("event"), st.integers(0, 0xFFFF)),
    ),
    max_size=80,
)


def _step(bench: Bench, name: str, number: int) -> None:
    ring, device = bench.ring, bench.device
    if name == "add":
        for i in range(number):
            ring.segment(DATA + 64 * i, 60 + i, 0)
        ring.add_chain()
    elif name == "publish":
        ring.publish()
    elif name == "pop":
        for _ in range(number):
            device.pop()
    elif name == "push" and device.taken:
        device.push(device.taken[number % len(device.taken)], number)
    elif name == "take":
        bench.take_all()
    elif name == "kick":
        ring.kick_prepare()
    elif name == "disable":
        ring.disable_cb()
    elif name == "enable":
        ring.enable_cb_prepare()
    elif name == "delayed":
        ring.enable_cb_delayed()
    elif name == "event":
        device.set_avail_event(number)


@given(OPS, st.booleans(), st.booleans())
def test_the_fold_of_events_is_the_ring(ops: list[tuple[str, int]], event: bool, indirect: bool) -> None:
    bench = Bench(4, event, indirect)
    for name, number in ops:
        _step(bench, name, number)
    bench.ring.publish()
    bench.take_all()
    folded, real = bench.folded(), bench.snapshot()
    device_fields = {int(F_USED_IDX), int(F_INUSE), int(F_SIGNALLED_VALID), int(F_NOTIFICATION)}
    assert folded.rings[OID].to_plain() == real.rings[OID].to_plain()
    mine = {key: value for key, value in folded.fields[OID].items() if value and key not in device_fields}
    assert mine == {key: value for key, value in real.fields[OID].items() if value}


def test_release_clears_everything() -> None:
    bench = Bench()
    bench.ring.add(DATA, 1, 0)
    bench.ring.publish()
    bench.device.push(bench.device.pop())
    bench.take_all()
    bench.ring.release()
    folded = bench.folded()
    device_fields = {int(F_USED_IDX), int(F_INUSE), int(F_SIGNALLED_VALID), int(F_NOTIFICATION)}
    assert OID not in folded.rings
    assert {key for key, value in folded.fields[OID].items() if value} <= device_fields
