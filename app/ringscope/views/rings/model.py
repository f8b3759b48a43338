"""What the Rings view shows of one virtqueue at one moment, as plain numbers: no Qt here.

A split ring has three tables of the same length (descriptors, available ring, used ring) and eight indices that move over
them, kept by three parties: the driver, the shared memory and the device.  `RingSnapshot` gathers them from a
`MachineState`; the painters and tables only read it.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from ringscope_core.trace.fields import field
from ringscope_core.trace.oids import is_ring
from ringscope_core.trace.slots import slot_states
from ringscope_core.trace.state import (
    DESC_F_INDIRECT,
    DESC_F_NEXT,
    DESC_F_WRITE,
    F_LAST_AVAIL,
    F_LAST_USED,
    F_SHADOW_AVAIL,
    F_SIGNALLED,
    F_SIGNALLED_VALID,
    F_USED_IDX,
    MachineState,
    RingImage,
)

F_DRIVER_EVENT: Final = int(field("vring_virtqueue.event", "bool"))
F_AVAIL_SHADOW: Final = int(field("vring_virtqueue.avail_idx_shadow", "idx"))
F_FREE_HEAD: Final = int(field("vring_virtqueue.free_head", "head"))
F_NUM_ADDED: Final = int(field("vring_virtqueue.num_added", "count"))
F_NUM: Final = int(field("VRing.num", "count"))
F_BROKEN: Final = int(field("VirtIODevice.broken", "bool"))
F_VECTOR: Final = int(field("VirtQueue.vector", "count"))

STATES: Final = ("free", "available", "in flight", "used")
"""The words for a slot's state, in the order of a descriptor's life."""
FREE, AVAILABLE, IN_FLIGHT, USED = range(4)

DESC_DTYPE: Final = np.dtype([("addr", "<u8"), ("len", "<u4"), ("flags", "<u2"), ("next", "<u2")])
USED_DTYPE: Final = np.dtype([("id", "<u4"), ("len", "<u4")])

MAX_CHAIN: Final = 1024
"""A chain may not be longer than a queue can be; a table that loops is cut here."""


class Index(NamedTuple):
    """One of the eight indices.  `space` is the ring it moves over (``avail`` or ``used``), `side` who keeps it."""

    name: str
    side: str
    space: str
    value: int
    slot: int
    note: str


class Descriptor(NamedTuple):
    """One descriptor of a chain, of the table (`indirect` False) or of an indirect table."""

    slot: int
    addr: int
    length: int
    flags: int
    next: int
    indirect: bool
    depth: int


def flag_words(flags: int) -> str:
    """A descriptor's flags in the specification's words; bits without a name in hexadecimal."""
    words = [word for bit, word in ((DESC_F_NEXT, "NEXT"), (DESC_F_WRITE, "WRITE"), (DESC_F_INDIRECT, "INDIRECT")) if flags & bit]
    rest = flags & ~7
    if rest:
        words.append(f"0x{rest:x}")
    return " ".join(words)


def vring_need_event(event_idx: int, new_idx: int, old_idx: int) -> bool:
    """Whether moving an index from `old_idx` to `new_idx` passes `event_idx` (virtio 1.3, 2.7.10; all modulo 65536)."""
    return ((new_idx - event_idx - 1) & 0xFFFF) < ((new_idx - old_idx) & 0xFFFF)


class EventIndex(NamedTuple):
    """One side's event index: will the next step of `idx_name` notify, and why, in numbers."""

    title: str
    event_name: str
    event: int
    idx_name: str
    old: int
    new: int
    enabled: bool
    notifies: bool
    verdict: str
    formula: str


class RingSnapshot:
    """One virtqueue at one moment.  All arrays have `num` entries, except where said."""

    def __init__(self, oid: int, image: RingImage, fields: dict[int, int]) -> None:
        self.oid: int = oid
        self.image: RingImage = image
        self.fields: dict[int, int] = fields
        self.num: int = image.num
        num = image.num
        self.desc = np.frombuffer(bytes(image.desc), dtype=DESC_DTYPE)
        avail = np.frombuffer(bytes(image.avail), dtype="<u2")
        self.avail_flags: int = int(avail[0])
        self.avail_idx: int = int(avail[1])
        self.avail_ring = avail[2 : 2 + num]
        self.used_event: int = int(avail[2 + num])
        used = bytes(image.used)
        self.used_flags: int = int.from_bytes(used[0:2], "little")
        self.used_idx: int = int.from_bytes(used[2:4], "little")
        self.used_ring = np.frombuffer(used, dtype=USED_DTYPE, count=num, offset=4)
        self.avail_event: int = int.from_bytes(used[4 + 8 * num : 6 + 8 * num], "little")
        slots = slot_states(image, fields)
        self.consistent: bool = slots.consistent
        """False when indices or entries contradict each other: a broken driver, or a moment in the middle of an update."""
        self.states: npt.NDArray[np.uint8] = np.frombuffer(slots.state, dtype=np.uint8)
        """State of each descriptor, as a place in `STATES`."""
        self.heads: list[int] = slots.head
        """Head of the chain each descriptor belongs to, -1 for a free one."""
        self.places: list[int] = slots.place
        """Place in its chain, 0 for the head, -1 for a free one."""
        self.avail_states: npt.NDArray[np.uint8] = np.frombuffer(slots.avail_state, dtype=np.uint8)
        """For each place of the available ring: the state of what it holds, free when it is stale."""
        self.used_states: npt.NDArray[np.uint8] = np.frombuffer(slots.used_live, dtype=np.uint8) * USED
        """For each place of the used ring: used when the driver has not taken it yet, free when it is stale."""
        counts = np.bincount(self.states, minlength=4)
        self.counts: tuple[int, int, int, int] = (int(counts[0]), int(counts[1]), int(counts[2]), int(counts[3]))

    # -- indices --------------------------------------------------------------------------------------------------------
    def get(self, field_id: int) -> int:
        """A field of the ring, 0 where it was never set."""
        return self.fields.get(field_id, 0)

    @property
    def event_idx(self) -> bool:
        """Whether VIRTIO_RING_F_EVENT_IDX is in use, as the driver keeps it."""
        return bool(self.get(F_DRIVER_EVENT))

    def indices(self) -> list[Index]:
        """The eight indices, the available ring's first, in the order of travel (furthest first)."""
        num = self.num
        event_note = "" if self.event_idx else "EVENT_IDX not negotiated"
        signalled_note = "" if self.get(F_SIGNALLED_VALID) else "not valid"
        rows = [
            ("avail.idx", "driver", "avail", self.avail_idx, ""),
            ("shadow_avail_idx", "device", "avail", self.get(F_SHADOW_AVAIL), ""),
            ("last_avail_idx", "device", "avail", self.get(F_LAST_AVAIL), ""),
            ("avail_event", "device", "avail", self.avail_event, event_note),
            ("used.idx", "device", "used", self.get(F_USED_IDX), ""),
            ("signalled_used", "device", "used", self.get(F_SIGNALLED), signalled_note),
            ("last_used_idx", "driver", "used", self.get(F_LAST_USED), ""),
            ("used_event", "driver", "used", self.used_event, event_note),
        ]
        return [Index(name, side, space, value, value % num if num else 0, note) for name, side, space, value, note in rows]

    def pending_avail(self) -> int:
        """Chains published and not yet taken by the device."""
        return (self.avail_idx - self.get(F_LAST_AVAIL)) & 0xFFFF

    def pending_used(self) -> int:
        """Used elements the driver has not yet taken."""
        return (self.used_idx - self.get(F_LAST_USED)) & 0xFFFF

    def event_indices(self) -> tuple[EventIndex, EventIndex]:
        """Will the next used element interrupt, and will the next available chain kick?"""
        return self._used_event_index(), self._avail_event_index()

    def _used_event_index(self) -> EventIndex:
        old = self.get(F_SIGNALLED)
        new = (self.used_idx + 1) & 0xFFFF
        valid = bool(self.get(F_SIGNALLED_VALID))
        if self.event_idx:
            notifies = not valid or vring_need_event(self.used_event, new, old)
            formula = _formula(self.used_event, new, old) if valid else "signalled_used is not valid: notify in any case"
        else:
            notifies = not self.avail_flags & 1
            formula = f"no EVENT_IDX: avail.flags = 0x{self.avail_flags:x}, NO_INTERRUPT {'set' if self.avail_flags & 1 else 'clear'}"
        verdict = f"the next push (used.idx {self.used_idx} to {new}) {'interrupts' if notifies else 'does not interrupt'}"
        return EventIndex("interrupt", "used_event", self.used_event, "used.idx", old, new, self.event_idx, notifies, verdict, formula)

    def _avail_event_index(self) -> EventIndex:
        # virtqueue_kick_prepare_split: what was added since the last kick counts as not yet announced
        old = (self.avail_idx - self.get(F_NUM_ADDED)) & 0xFFFF
        new = (self.avail_idx + 1) & 0xFFFF
        if self.event_idx:
            notifies = vring_need_event(self.avail_event, new, old)
            formula = _formula(self.avail_event, new, old)
        else:
            notifies = not self.used_flags & 1
            formula = f"no EVENT_IDX: used.flags = 0x{self.used_flags:x}, NO_NOTIFY {'set' if self.used_flags & 1 else 'clear'}"
        verdict = f"the next add (avail.idx {self.avail_idx} to {new}) {'kicks' if notifies else 'does not kick'}"
        return EventIndex("kick", "avail_event", self.avail_event, "avail.idx", old, new, self.event_idx, notifies, verdict, formula)

    # -- chains -----------------------------------------------------------------------------------------------------------
    def chain(self, head: int) -> list[Descriptor]:
        """The chain that begins at descriptor `head`, with its indirect table's entries after it; cut where it loops."""
        out: list[Descriptor] = []
        if not 0 <= head < self.num:
            return out
        index = head
        seen: set[int] = set()
        while 0 <= index < self.num and index not in seen and len(out) < MAX_CHAIN:
            seen.add(index)
            row = self.desc[index]
            item = Descriptor(index, int(row["addr"]), int(row["len"]), int(row["flags"]), int(row["next"]), False, 0)
            out.append(item)
            if item.flags & DESC_F_INDIRECT:
                out.extend(self._indirect(index))
                # QEMU looks at INDIRECT on the head alone and then no longer at its NEXT (virtqueue_split_pop)
                return out
            if not item.flags & DESC_F_NEXT:
                return out
            index = item.next
        return out

    def _indirect(self, head: int) -> list[Descriptor]:
        table = np.frombuffer(bytes(self.image.indirect.get(head, b"")), dtype=DESC_DTYPE)
        out: list[Descriptor] = []
        index, seen = 0, set[int]()
        while 0 <= index < len(table) and index not in seen:
            seen.add(index)
            row = table[index]
            out.append(Descriptor(index, int(row["addr"]), int(row["len"]), int(row["flags"]), int(row["next"]), True, 1))
            if not out[-1].flags & DESC_F_NEXT:
                break
            index = out[-1].next
        return out

    def head_of(self, slot: int) -> int:
        """The head of the chain that descriptor `slot` belongs to; the slot itself when it is free."""
        head = self.heads[slot] if 0 <= slot < self.num else -1
        return head if head >= 0 else slot

    def avail_place_of(self, head: int) -> int:
        """The available-ring place that holds `head` and is not stale, -1 when none does."""
        places = np.flatnonzero((self.avail_ring == head) & (self.avail_states > 0))
        return int(places[0]) if len(places) else -1

    def used_place_of(self, head: int) -> int:
        """The used-ring place that holds `head` and is not stale, -1 when none does."""
        places = np.flatnonzero((self.used_ring["id"] == head) & (self.used_states > 0))
        return int(places[0]) if len(places) else -1

    def telling_head(self) -> int:
        """The head to show when none is selected: one in flight, else the last one given back, else what the device takes next."""
        in_flight = np.flatnonzero(self.states == IN_FLIGHT)
        if len(in_flight):
            return self.head_of(int(in_flight[0]))
        if self.used_idx or self.get(F_LAST_USED):
            return int(self.used_ring[(self.used_idx - 1) % self.num]["id"]) % self.num
        return int(self.avail_ring[self.active_slot()]) % self.num

    def active_slot(self) -> int:
        """The available-ring slot where things happen: what the device takes next."""
        return self.get(F_LAST_AVAIL) % self.num if self.num else 0


def _formula(event: int, new: int, old: int) -> str:
    left, right = (new - event - 1) & 0xFFFF, (new - old) & 0xFFFF
    return f"(u16)({new} - {event} - 1) = {left} {'<' if left < right else '>='} (u16)({new} - {old}) = {right}"


def ring_oids(state: MachineState) -> list[int]:
    """The rings the moment knows of, set up or not, in the order of function and index."""
    found = set(state.rings) | {oid for oid, values in state.fields.items() if is_ring(oid) and values.get(F_NUM)}
    return sorted(found)


def queue_word(short: str) -> str:
    """The specification's name of a queue (virtio 1.3, 5.1.2, counted from 0) for the store's short one: rx0, tx0, ctrl."""
    for prefix, word in (("rx", "receiveq"), ("tx", "transmitq"), ("ctrl", "controlq")):
        if short.startswith(prefix):
            return word + short[len(prefix) :]
    return short


def queue_role(name: str) -> str:
    """``rx``, ``tx`` or ``ctrl``: what the theme colours by."""
    if "controlq" in name:
        return "ctrl"
    return "tx" if "transmitq" in name else "rx"
