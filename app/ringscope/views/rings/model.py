"""What the Rings view shows of one virtqueue at one moment, as plain numbers: no Qt here.

A ring has indices that move over it, kept by three parties: the driver, the shared memory and the device.  `RingSnapshot`
is what the painters and tables read, whatever the layout; `split` and `packed` fill it in, `layouts` chooses between them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from ringscope.words import later, t
from ringscope_core.trace.fields import field
from ringscope_core.trace.oids import is_ring
from ringscope_core.trace.slot_states import SlotStates
from ringscope_core.trace.slots import slot_states
from ringscope_core.trace.state import DESC_F_INDIRECT, DESC_F_NEXT, DESC_F_WRITE, F_LAST_AVAIL, MachineState, RingImage

F_DRIVER_EVENT: Final = int(field("vring_virtqueue.event", "bool"))
F_DRIVER_INDIRECT: Final = int(field("vring_virtqueue.indirect", "bool"))
F_FREE_HEAD: Final = int(field("vring_virtqueue.free_head", "head"))
F_NUM_ADDED: Final = int(field("vring_virtqueue.num_added", "count"))
F_NUM: Final = int(field("VRing.num", "count"))
F_BROKEN: Final = int(field("VirtIODevice.broken", "bool"))
F_VECTOR: Final = int(field("VirtQueue.vector", "count"))

STATES: Final = (later("free"), later("available"), later("in flight"), later("used"))
"""The words for a slot's state, in the order of a descriptor's life."""
FREE, AVAILABLE, IN_FLIGHT, USED = range(4)
STATE_COLORS: Final = ("ring.free", "ring.available", "ring.in_flight", "ring.used")
"""The theme's names of their colours."""

MAX_CHAIN: Final = 1024
"""A chain may not be longer than a queue can be; a table that loops is cut here."""

Cell = tuple[str, str]
"""A name and a value as text."""
Values = npt.NDArray[np.uint8]


class Index(NamedTuple):
    """One index.  `space` is the band of the picture it points at, `side` who keeps it, `back` whether it follows what comes back."""

    name: str
    side: str
    space: str
    value: int
    slot: int
    note: str
    back: bool
    shown: str
    """Value and slot in words."""
    brief: str
    """The same where there is little room."""


class Descriptor(NamedTuple):
    """One descriptor of a chain, of the ring itself (`indirect` False) or of an indirect table."""

    slot: int
    addr: int
    length: int
    flags: int
    link: int
    """Split: the next descriptor.  Packed: the buffer id."""
    indirect: bool
    depth: int


class Band(NamedTuple):
    """One concentric ring of the picture: radii as parts of the circle's, a value of each slot, and the colour of each value ("": none)."""

    name: str
    inner: float
    outer: float
    values: Values
    colors: tuple[str, ...]


class LensBand(NamedTuple):
    """One row of the lens: its place's values are states; `anchor` is the slot it is centred on; `above`, `below`: which indices stand there."""

    name: str
    title: str
    subtitle: str
    anchor: int
    states: Values
    lines: int
    """Lines of text in a cell."""
    above: str = ""
    """``all`` of the band's indices, those that go ``forth`` (see `Index.back`), those that come ``back``, or none."""
    below: str = ""


class LensPanel(NamedTuple):
    """A structure under the lens, in words: who writes it, a title, and lines."""

    side: str
    title: str
    lines: tuple[str, ...]


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
    """Whether an index decides, and not a flag alone."""
    notifies: bool
    verdict: str
    formula: str
    lines: tuple[tuple[str, str], ...]
    """What the panel says, each line with the theme's name of its colour."""
    span: int = 65536
    """How many places the index has: the whole circle."""


class RingSnapshot:
    """One virtqueue at one moment.  All arrays have `num` entries, except where said."""

    layout: str = ""
    legends: tuple[str, ...] = ()
    """Which band is which, from the outside; the longest that fits is shown."""
    headings: tuple[str, ...] = ()
    """Of the table of slots."""
    right: frozenset[int] = frozenset()
    """Its columns of numbers."""
    chain_headings: tuple[str, ...] = ()
    wraps: bool = False
    """Whether places count from 0 to num - 1, so that the ring's end means something."""

    def __init__(self, oid: int, image: RingImage, fields: dict[int, int], dtype: np.dtype[Any]) -> None:
        """`dtype`: a descriptor; it has addr, len, flags and one more."""
        self.oid: int = oid
        self.image: RingImage = image
        self.fields: dict[int, int] = fields
        self.num: int = image.num
        self.desc = np.frombuffer(bytes(image.desc), dtype=dtype)
        self.slots: SlotStates = slot_states(image, fields)
        self.consistent: bool = self.slots.consistent
        """False when indices or entries contradict each other: a broken driver, or a moment in the middle of an update."""
        self.states: Values = np.frombuffer(self.slots.state, dtype=np.uint8)
        """State of each descriptor, as a place in `STATES`."""
        self.heads: list[int] = self.slots.head
        """Head of the chain each descriptor belongs to, -1 for a free one."""
        self.places: list[int] = self.slots.place
        """Place in its chain, 0 for the head, -1 for a free one."""
        counts = np.bincount(self.states, minlength=4)
        self.counts: tuple[int, int, int, int] = (int(counts[0]), int(counts[1]), int(counts[2]), int(counts[3]))

    # -- numbers --------------------------------------------------------------------------------------------------------
    def get(self, field_id: int, default: int = 0) -> int:
        """A field of the ring, `default` where it was never set."""
        return self.fields.get(field_id, default)

    @property
    def event_idx(self) -> bool:
        """Whether VIRTIO_RING_F_EVENT_IDX is in use, as the driver keeps it."""
        return bool(self.get(F_DRIVER_EVENT))

    def indices(self) -> list[Index]:
        """The indices, in the order of travel (furthest first)."""
        raise NotImplementedError

    def event_indices(self) -> tuple[EventIndex, EventIndex]:
        """Will the next used element interrupt, and will the next available chain kick?"""
        raise NotImplementedError

    def parties(self) -> list[tuple[str, str, list[Cell]]]:
        """What driver, memory and device each hold: side, title, names with values."""
        raise NotImplementedError

    # -- slots ----------------------------------------------------------------------------------------------------------
    def bands(self) -> tuple[Band, ...]:
        """The rings of the picture; one is named ``desc``."""
        raise NotImplementedError

    def lens_bands(self, head: int) -> tuple[LensBand, ...]:
        """The rows of the lens for the focused chain of `head`, -1 for none."""
        raise NotImplementedError

    def lens_panels(self) -> tuple[LensPanel, ...]:
        """What stands under the rows of the lens."""
        return ()

    def notes(self) -> tuple[str, ...]:
        """What else stands in the middle of the circle where there is room."""
        return ()

    def lens_words(self, band: str, slot: int) -> tuple[str, ...]:
        """The lines of a cell, without the state's word."""
        raise NotImplementedError

    def describe(self, band: str, slot: int) -> str:
        """One place of the picture in words."""
        raise NotImplementedError

    def descriptor_of(self, band: str, slot: int) -> int:
        """The head that a place of the picture stands for."""
        return self.head_of(slot)

    def cells(self, slot: int) -> tuple[str, ...]:
        """A slot's row in the table, under `headings`."""
        raise NotImplementedError

    def sort_keys(self) -> tuple[Sequence[int] | npt.NDArray[Any], ...]:
        """What each column of the table sorts by."""
        raise NotImplementedError

    # -- chains -----------------------------------------------------------------------------------------------------------
    def chain(self, head: int) -> list[Descriptor]:
        """The chain that begins at descriptor `head`, with its indirect table's entries after it; cut where it loops."""
        raise NotImplementedError

    def chain_title(self, head: int, chain: list[Descriptor]) -> str:
        """A chain in one line."""
        raise NotImplementedError

    def chain_cells(self, item: Descriptor) -> tuple[str, ...]:
        """A descriptor's row under `chain_headings`."""
        raise NotImplementedError

    def places_of(self, head: int) -> tuple[tuple[str, int], ...]:
        """Where else the chain of `head` stands: bands of the picture with their slots."""
        return ()

    def ident_of(self, head: int) -> int:
        """What events call the chain that begins at `head`."""
        return head

    def buffer_word(self, head: int) -> str:
        """The chain of `head` in two words."""
        return t("head {head}", head=head)

    def head_of(self, slot: int) -> int:
        """The head of the chain that descriptor `slot` belongs to; the slot itself when it is free."""
        head = self.heads[slot] if 0 <= slot < self.num else -1
        return head if head >= 0 else slot

    def neighbour(self, head: int, step: int) -> int:
        """The next chain's head (`step` 1), or the one before (-1), by slot."""
        slot = head
        for _ in range(self.num):
            slot = (slot + step) % self.num
            if self.head_of(slot) != head:
                break
        return self.head_of(slot)

    def active_slot(self) -> int:
        """Where things happen: the place of what the device takes next."""
        return self.get(int(F_LAST_AVAIL)) % self.num if self.num else 0

    def active_head(self) -> int:
        """The head of what the device takes next."""
        return self.head_of(self.active_slot())

    def telling_head(self) -> int:
        """The head to show when none is selected: one in flight, else the last one given back, else what the device takes next."""
        raise NotImplementedError


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
