"""What `trace.packed_slots` derives, against a model that keeps every buffer itself, and against a running machine at every event."""

from __future__ import annotations

import struct
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringscope_core.guest.config import TX_SPLIT
from ringscope_core.qom.profile import PROFILE_7_2
from ringscope_core.trace.fields import field
from ringscope_core.trace.kinds import EV_DESC_WRITE, EV_FIELD, EV_NOTIFY_SUPPRESSED, EV_POP, EV_RING_RESET, EV_USED_TAKE
from ringscope_core.trace.packed_slots import DESC_F_AVAIL, DESC_F_USED
from ringscope_core.trace.slot_states import NO_HEAD, SLOT_AVAILABLE, SLOT_FREE, SLOT_IN_FLIGHT, SLOT_USED, SlotStates
from ringscope_core.trace.slots import chain_of, slot_states, table_of
from ringscope_core.trace.state import F_INUSE, F_LAST_AVAIL, F_LAST_AVAIL_WRAP, F_NUM_FREE, F_USED_IDX, F_USED_WRAP, MachineState, RingImage, apply
from tests.core.guest.box import Box, Folding, driver, traffic
from tests.core.guest.test_packed_ring import Bench
from tests.core.guest.test_ring import DATA, OID


class Buffer(NamedTuple):
    """One buffer of the model: its id and the slots its descriptors take."""

    ident: int
    slots: tuple[int, ...]


class Model:
    """The life of every buffer, kept as lists: nothing is derived."""

    def __init__(self, num: int, indirect: bool) -> None:
        self.bench = Bench(num, indirect=indirect)
        self.num = num
        self.next = 0
        self.available: list[Buffer] = []
        self.in_flight: list[Buffer] = []
        self.used: list[Buffer] = []

    def add(self, pieces: int) -> None:
        """The driver publishes a buffer, when it fits."""
        ident = self.bench.chain(pieces)
        if ident < 0:
            return
        self.bench.ring.publish()
        count = 1 if self.bench.ring.indirect and pieces > 1 else pieces
        self.available.append(Buffer(ident, tuple((self.next + i) % self.num for i in range(count))))
        self.next = (self.next + count) % self.num

    def pop(self) -> None:
        """The device takes one."""
        if self.bench.device.pop() is not None:
            self.in_flight.append(self.available.pop(0))

    def push(self) -> None:
        """The device gives the oldest back."""
        if self.in_flight:
            self.bench.device.push(self.bench.device.taken[0], 7)
            self.used.append(self.in_flight.pop(0))

    def take(self, count: int) -> None:
        """The driver takes up to `count` back."""
        ring = self.bench.ring
        ring.begin_take(count)
        for _ in range(min(count, len(self.used))):
            assert ring.take() == self.used.pop(0).ident
        ring.end_take()

    def derived(self) -> SlotStates:
        """What the derivation says; the device's fields as VirtQueue has them."""
        state, device = self.bench.snapshot(), self.bench.device
        fields = dict(state.fields[OID])
        fields[int(F_LAST_AVAIL)], fields[int(F_LAST_AVAIL_WRAP)] = device.next, device.wrap
        fields[int(F_USED_IDX)], fields[int(F_USED_WRAP)] = device.used, device.used_wrap
        fields[int(F_INUSE)] = sum(len(buffer.slots) for buffer in self.in_flight)
        return slot_states(state.rings[OID], fields)

    def check(self) -> None:
        """Every slot."""
        states = self.derived()
        expected = [(SLOT_FREE, NO_HEAD, NO_HEAD, NO_HEAD)] * self.num
        for kind, buffers in ((SLOT_AVAILABLE, self.available), (SLOT_IN_FLIGHT, self.in_flight), (SLOT_USED, self.used)):
            for buffer in buffers:
                for place, slot in enumerate(buffer.slots):
                    expected[slot] = (int(kind), buffer.slots[0], place, buffer.ident)
        assert list(zip(states.state, states.head, states.place, states.ident, strict=True)) == expected
        assert states.available == [buffer.slots[0] for buffer in self.available]
        assert states.in_flight == [buffer.slots[0] for buffer in self.in_flight]
        assert states.used == [buffer.slots[0] for buffer in self.used]
        assert states.avail_idx == self.next
        assert states.consistent


STEP = st.tuples(st.integers(0, 3), st.integers(1, 5))


@given(steps=st.lists(STEP, max_size=60), num=st.integers(1, 9), indirect=st.booleans())
def test_every_slot_as_the_model_has_it(steps: list[tuple[int, int]], num: int, indirect: bool) -> None:
    model = Model(num, indirect)
    for what, number in steps:
        if what == 0:
            model.add(min(number, 4))
        elif what == 3:
            model.take(number)
        else:
            for _ in range(number):
                model.pop() if what == 1 else model.push()
        model.check()


def test_a_full_ring_in_each_state() -> None:
    """All indices are at one place then: what tells the states apart are inuse, the bits, and what the driver has free."""
    model = Model(6, False)
    for turn in range(3):
        for _ in range(3):
            model.add(2)
        assert model.derived().count(SLOT_AVAILABLE) == 6
        for _ in range(3):
            model.pop()
        assert model.derived().count(SLOT_IN_FLIGHT) == 6
        for _ in range(3):
            model.push()
        assert model.derived().count(SLOT_USED) == 6, turn
        model.take(3)
        assert model.derived().count(SLOT_FREE) == 6


def test_chains_and_tables() -> None:
    model = Model(4, True)
    for pieces in (1, 3):
        model.add(pieces)
    ring = model.bench.snapshot().rings[OID]
    assert chain_of(ring, 0) == [(0, DATA, 60, DESC_F_AVAIL, 0)]
    assert [row[0] for row in chain_of(ring, 1)] == [1]
    assert table_of(ring, 1) == [(0, DATA, 60, 0, 0), (1, DATA + 64, 61, 0, 0), (2, DATA + 128, 62, 0, 0)]
    assert table_of(ring, 0) == table_of(ring, 9) == []


def test_a_chain_goes_over_the_end() -> None:
    model = Model(4, False)
    model.add(3)
    model.pop()
    model.push()
    model.take(1)
    model.add(3)
    assert [row[0] for row in chain_of(model.bench.snapshot().rings[OID], 3)] == [3, 0, 1]
    assert model.derived().chain(3) == [3, 0, 1]


def test_a_chain_that_never_ends_is_cut() -> None:
    ring = RingImage(3, 0, 0, 0, True)
    for slot in range(3):
        ring.desc[16 * slot + 14 : 16 * slot + 16] = struct.pack("<H", DESC_F_AVAIL | 1)
    assert [row[0] for row in chain_of(ring, 1)] == [1, 2, 0]
    states = slot_states(ring, {})
    assert states.count(SLOT_AVAILABLE) == 3
    assert not states.consistent


F_DRIVER_USED_WRAP = int(field("vring_virtqueue.used_wrap_counter", "bool"))
F_NEXT_AVAIL = int(field("vring_virtqueue.next_avail_idx", "slot"))


def _full(num: int, flags: int, ident: int) -> RingImage:
    ring = RingImage(num, 0, 0, 0, True)
    for slot in range(num):
        ring.desc[16 * slot : 16 * slot + 16] = struct.pack("<QIHH", 0x1000, 64, ident, flags)
    return ring


@pytest.mark.parametrize(
    ("flags", "ident", "fields"),
    [
        # beyond the ring
        (0, 0, {int(F_LAST_AVAIL): 4}),
        # two descriptors taken by the indices, three by inuse
        (DESC_F_AVAIL, 0, {int(F_LAST_AVAIL): 2, int(F_INUSE): 3}),
        # given back by the indices, yet the descriptor has the driver's bits
        (DESC_F_AVAIL, 0, {int(F_USED_IDX): 1, int(F_LAST_AVAIL): 1}),
        # a used descriptor of an id that no buffer can have
        (DESC_F_AVAIL | DESC_F_USED, 77, {int(F_USED_IDX): 1, int(F_LAST_AVAIL): 1}),
        # a chain whose NEXT leads to what the driver has not made available, though it says so
        (DESC_F_AVAIL | 1, 0, {F_NEXT_AVAIL: 3, int(F_LAST_AVAIL): 0}),
        # taken chains that go on beyond last_avail_idx
        (DESC_F_AVAIL | 1, 0, {int(F_LAST_AVAIL): 1, int(F_INUSE): 1}),
    ],
)
def test_contradictions_are_said(flags: int, ident: int, fields: dict[int, int]) -> None:
    ring = _full(4, flags, ident)
    if F_NEXT_AVAIL in fields:
        ring.desc[30:32] = b"\0\0"
    assert not slot_states(ring, fields).consistent


class EveryEvent(Folding):
    """Folds events and holds the derivation against the machine's own numbers after each that concerns a ring."""

    def __init__(self) -> None:
        super().__init__()
        self.checked = 0
        self._available: dict[int, int] = {}

    def on_block(self, first_seq: int, rows: bytes) -> None:
        for row in struct.iter_unpack("<qqiiqqqqqqq", rows):
            apply(self.state, row)
            kind, oid = row[2], row[3]
            if oid in self.state.rings and (EV_DESC_WRITE <= kind <= EV_NOTIFY_SUPPRESSED or kind == EV_FIELD) and kind != EV_RING_RESET:
                self._check(self.state, oid, kind)

    def _check(self, state: MachineState, oid: int, kind: int) -> None:
        fields = state.fields[oid]
        states = slot_states(state.rings[oid], fields)
        self.checked += 1
        assert states.consistent
        taken = [slot for slot in range(states.num) if (slot - states.used_idx) % states.num < fields.get(int(F_INUSE), 0)]
        assert all(states.state[slot] in (SLOT_IN_FLIGHT, SLOT_USED) for slot in taken)
        assert sum(states.state[slot] == SLOT_IN_FLIGHT for slot in range(states.num)) <= fields.get(int(F_INUSE), 0)
        assert states.count(SLOT_FREE) <= states.num - len(taken)
        if kind == EV_USED_TAKE:
            given = (states.used_idx - states.last_used_idx) % states.num
            assert (fields[F_DRIVER_USED_WRAP] != fields.get(int(F_USED_WRAP), 1)) == (states.last_used_idx + given >= states.num)
        # not even for the one event in which an index and its wrap counter do not belong together
        assert kind == EV_POP or states.count(SLOT_AVAILABLE) >= self._available.get(oid, 0)
        self._available[oid] = states.count(SLOT_AVAILABLE)


SETTINGS: list[dict[str, object]] = [
    {"tx_ring": 16, "rx_ring": 16},
    {"tx_ring": 8, "napi_tx": False, "indirect": False, "tx_layout": TX_SPLIT, "tx_fragments": 3},
    {"tx_layout": TX_SPLIT, "tx_fragments": 5, "event_idx": False},
]


@pytest.mark.parametrize("settings", SETTINGS)
def test_a_running_machine_at_every_event(settings: dict[str, object]) -> None:
    """Slow processors, so that chains are seen in every state; the ring goes round many times."""
    box = Box(
        config=driver(**settings),  # type: ignore[arg-type]
        traffic=[traffic("udp-echo", rate_pps=5000, count=60, size=900), traffic("bulk-tx", count=300, size=200)],
        device="virtio-net-pci,netdev=n0,id=net0,packed=on",
        profile=PROFILE_7_2,
        machine="pc-i440fx-7.2",
    )
    box.folding = EveryEvent()
    box.log.flush()
    box.log.sink = box.folding
    assert box.guest.boot() == 1
    for _ in range(150):
        box.turn()
    box.run()
    box.log.flush()
    assert box.folding.checked > 2000
    echo, bulk = box.guest.stats()
    assert (echo["received"], bulk["sent"]) == (60, 300)
    for ring in box.guest.interfaces[0].rings:
        oid = int(ring.oid)
        fields = box.folding.state.fields[oid]
        states = slot_states(box.folding.state.rings[oid], fields)
        assert states.count(SLOT_FREE) == fields[int(F_NUM_FREE)] == ring.num_free
        assert states.avail_idx == fields.get(F_NEXT_AVAIL, 0)


def test_the_occupancy_counters_are_those_of_the_slots() -> None:
    """What the Throughput view calls available are the descriptors that the device could take."""
    box = Box(
        config=driver(rx_ring=64, indirect=False),
        traffic=[traffic("bulk-tx", count=40, size=200)],
        device="virtio-net-pci,netdev=n0,id=net0,packed=on",
        profile=PROFILE_7_2,
        machine="pc-i440fx-7.2",
    )
    box.guest.boot()
    seen: set[int] = set()
    for _ in range(40):
        box.turn()
        for instrument in box.machine.instruments:
            instrument.sample()
        state = box.folded()
        for ring in box.guest.interfaces[0].rings:
            oid = int(ring.oid)
            states = slot_states(state.rings[oid], state.fields[oid])
            assert (ring.counters.available, ring.counters.inuse) == (states.count(SLOT_AVAILABLE), states.count(SLOT_IN_FLIGHT))
            seen.add(int(ring.counters.available))
    assert len(seen) > 2
