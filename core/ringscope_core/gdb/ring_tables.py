"""A virtqueue at one moment as tables: indices of the three parties, descriptors, available and used ring, a chain."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ringscope_core.gdb.tables import Table
from ringscope_core.trace.packed_slots import DESC_F_AVAIL, DESC_F_USED
from ringscope_core.trace.slot_states import SlotStates, descriptor_at
from ringscope_core.trace.slots import chain_of, slot_states, table_of
from ringscope_core.trace.state import DESC_F_INDIRECT, DESC_F_NEXT, DESC_F_WRITE, RingImage

if TYPE_CHECKING:
    from ringscope_core.gdb.moment import Moment

UNKNOWN: Final = "unknown"
STATES: Final = ("free", "available", "in flight", "used")
"""The words for a slot's state, in the order of a descriptor's life."""
STALE: Final = "stale"
_NO_VECTOR: Final = 0xFFFF
_EVENT_WORDS: Final = ("ENABLE", "DISABLE", "DESC", "RESERVED")
_FLAGS: Final = (("AVAIL", int(DESC_F_AVAIL)), ("USED", int(DESC_F_USED)), ("NEXT", DESC_F_NEXT), ("WRITE", DESC_F_WRITE), ("INDIRECT", DESC_F_INDIRECT))


def flag_words(flags: int, packed: bool = False) -> str:
    """A descriptor's flags in the specification's words; bits without a name in hexadecimal."""
    named = _FLAGS if packed else _FLAGS[2:]
    rest = flags & ~sum(bit for _, bit in named)
    return " ".join([*(word for word, bit in named if flags & bit), *([f"0x{rest:x}"] if rest else [])])


class RingTables:
    """The tables of ring `oid` at `moment`; `image` is None while the ring has no memory that is known."""

    def __init__(self, moment: Moment, oid: int) -> None:
        self._moment: Moment = moment
        self.oid: int = oid
        self.name: str = moment.recording.names.name(oid)
        self.image: RingImage | None = moment.state.rings.get(oid)
        self.packed: bool = self.image is not None and self.image.packed
        self._slots = slot_states(self.image, moment.state.fields.get(oid, {})) if self.image is not None else None

    # -- everything at once -------------------------------------------------------------------------------------------
    def title(self) -> str:
        """The ring in one line: name, layout, size, how many descriptors are in each state."""
        if self.image is None or self._slots is None:
            return f"{self.name}: no memory of it is known at this moment"
        counts = ", ".join(f"{self._slots.count(state)} {word}" for state, word in enumerate(STATES))
        odd = "" if self._slots.consistent else "; its indices contradict each other"
        return f"{self.name}: {'packed' if self.packed else 'split'} ring of {self.image.num} descriptors: {counts}{odd}"

    def counts(self) -> tuple[int, int, int, int]:
        """Descriptors that are free, available, in flight and used; zeros while no memory is known."""
        found = self._slots
        return (0, 0, 0, 0) if found is None else (found.count(0), found.count(1), found.count(2), found.count(3))

    def indices(self) -> Table:
        """What driver, memory and device each hold."""
        rows = self._packed_rows() if self.packed else self._split_rows()
        return Table(("kept by", "name", "value", "slot"), tuple(rows), frozenset((2, 3)), self.title())

    # -- indices ------------------------------------------------------------------------------------------------------
    def value(self, full: str) -> int | None:
        """A field of the ring; None where it is not known."""
        return self._moment.field(self.oid, full)

    def _recorded(self, full: str) -> int | None:
        """A field that does not begin with 0: None until it was recorded."""
        return self._moment.state.fields.get(self.oid, {}).get(self._moment.recording.field_id(full))

    def _row(self, side: str, name: str, full: str, place: bool = False, wrap: str = "") -> tuple[str, str, str, str]:
        value = self.value(full)
        if value is None:
            return side, name, UNKNOWN, ""
        if full.endswith(".vector"):
            return side, name, "NO_VECTOR" if value == _NO_VECTOR else str(value), ""
        if self._moment.unit(full) == "bool":
            return side, name, "true" if value else "false", ""
        if self._moment.unit(full) == "flags":
            return side, name, f"0x{value:x}", ""
        counter = self._recorded(wrap) if wrap else None
        text = str(value) if not wrap else f"{value} wrap {UNKNOWN if counter is None else counter}"
        return side, name, text, self._slot(value) if place else ""

    def _slot(self, value: int) -> str:
        return str(value % self.image.num) if self.image is not None and self.image.num else ""

    def _memory_row(self, name: str, value: int, place: bool = True) -> tuple[str, str, str, str]:
        return "memory", name, str(value), self._slot(value) if place else ""

    def _split_rows(self) -> list[tuple[str, str, str, str]]:
        row = self._row
        driver = [
            row("driver", "avail_idx_shadow", "vring_virtqueue.avail_idx_shadow", True),
            row("driver", "last_used_idx", "vring_virtqueue.last_used_idx", True),
            row("driver", "num_added", "vring_virtqueue.num_added"),
            row("driver", "num_free", "vring_virtqueue.num_free"),
            row("driver", "free_head", "vring_virtqueue.free_head"),
            row("driver", "avail_flags_shadow", "vring_virtqueue.avail_flags_shadow"),
            row("driver", "event", "vring_virtqueue.event"),
            row("driver", "indirect", "vring_virtqueue.indirect"),
        ]
        memory: list[tuple[str, str, str, str]] = []
        if self.image is not None:
            avail, used, num = self.image.avail, self.image.used, self.image.num
            memory = [
                self._memory_row("avail.idx", _u16(avail, 2)),
                self._memory_row("used.idx", _u16(used, 2)),
                self._memory_row("used_event", _u16(avail, 4 + 2 * num)),
                self._memory_row("avail_event", _u16(used, 4 + 8 * num)),
                ("memory", "avail.flags", _flags(_u16(avail, 0), "NO_INTERRUPT"), ""),
                ("memory", "used.flags", _flags(_u16(used, 0), "NO_NOTIFY"), ""),
                ("memory", "desc", f"0x{self.image.desc_gpa:x}", ""),
                ("memory", "avail", f"0x{self.image.avail_gpa:x}", ""),
                ("memory", "used", f"0x{self.image.used_gpa:x}", ""),
            ]
        device = [
            row("device", "last_avail_idx", "VirtQueue.last_avail_idx", True),
            row("device", "shadow_avail_idx", "VirtQueue.shadow_avail_idx", True),
            row("device", "used_idx", "VirtQueue.used_idx", True),
            row("device", "signalled_used", "VirtQueue.signalled_used", True),
        ]
        return [*driver, *memory, *device, *self._device_rest()]

    def _device_rest(self) -> list[tuple[str, str, str, str]]:
        names = ("signalled_used_valid", "inuse", "notification", "vector")
        return [self._row("device", name, f"VirtQueue.{name}") for name in names]

    def _packed_rows(self) -> list[tuple[str, str, str, str]]:
        row, image = self._row, self.image
        assert image is not None
        driver = [
            row("driver", "next_avail_idx", "vring_virtqueue.next_avail_idx", True, "vring_virtqueue.avail_wrap_counter"),
            row("driver", "last_used_idx", "vring_virtqueue.last_used_idx", True, "vring_virtqueue.used_wrap_counter"),
            row("driver", "num_added", "vring_virtqueue.num_added"),
            row("driver", "num_free", "vring_virtqueue.num_free"),
            row("driver", "free_head (id)", "vring_virtqueue.free_head"),
            row("driver", "event", "vring_virtqueue.event"),
            row("driver", "indirect", "vring_virtqueue.indirect"),
        ]
        memory = [
            ("memory", "descriptor ring", f"0x{image.desc_gpa:x}", ""),
            ("memory", "driver event", *_event(image.avail)),
            ("memory", "device event", *_event(image.used)),
        ]
        device = [
            row("device", "last_avail_idx", "VirtQueue.last_avail_idx", True, "VirtQueue.last_avail_wrap_counter"),
            row("device", "shadow_avail_idx", "VirtQueue.shadow_avail_idx", True, "VirtQueue.shadow_avail_wrap_counter"),
            row("device", "used_idx", "VirtQueue.used_idx", True, "VirtQueue.used_wrap_counter"),
            row("device", "signalled_used", "VirtQueue.signalled_used", True),
        ]
        return [*driver, *memory, *device, *self._device_rest()]

    # -- slots --------------------------------------------------------------------------------------------------------
    def descriptors(self, first: int, last: int) -> Table:
        """Descriptors `first` to `last`."""
        image, slots = self._ring()
        rows = []
        for slot in range(first, last + 1):
            addr, length, third, fourth = descriptor_at(image.desc, slot)
            head = str(slots.head[slot]) if slots.head[slot] >= 0 else ""
            state = STATES[slots.state[slot]]
            if self.packed:
                rows.append((str(slot), str(third), state, f"0x{addr:x}", str(length), flag_words(fourth, True), head))
            else:
                rows.append((str(slot), head, state, f"0x{addr:x}", str(length), flag_words(third), str(fourth) if third & DESC_F_NEXT else ""))
        headings = ("slot", "id", "state", "addr", "len", "flags", "chain from") if self.packed else ("slot", "head", "state", "addr", "len", "flags", "next")
        return Table(headings, tuple(rows), frozenset((0, 1, 4, 6)), f"{self.name}: {'descriptor ring' if self.packed else 'descriptor table'}")

    def available(self, first: int, last: int) -> Table:
        """Places `first` to `last` of a split ring's available ring."""
        image, slots = self._ring()
        rows = [
            (str(slot), str(_u16(image.avail, 4 + 2 * slot)), STATES[slots.avail_state[slot]] if slots.avail_state[slot] else STALE)
            for slot in range(first, last + 1)
        ]
        title = f"{self.name}: available ring, flags {_flags(_u16(image.avail, 0), 'NO_INTERRUPT')}, idx {_u16(image.avail, 2)}"
        return Table(("slot", "head", "state"), tuple(rows), frozenset((0, 1)), f"{title}, used_event {_u16(image.avail, 4 + 2 * image.num)}")

    def used(self, first: int, last: int) -> Table:
        """Places `first` to `last` of a split ring's used ring."""
        image, slots = self._ring()
        rows = []
        for slot in range(first, last + 1):
            at = 4 + 8 * slot
            ident, length = int.from_bytes(image.used[at : at + 4], "little"), int.from_bytes(image.used[at + 4 : at + 8], "little")
            rows.append((str(slot), str(ident), str(length), STATES[3] if slots.used_live[slot] else STALE))
        title = f"{self.name}: used ring, flags {_flags(_u16(image.used, 0), 'NO_NOTIFY')}, idx {_u16(image.used, 2)}"
        return Table(("slot", "id", "len", "state"), tuple(rows), frozenset((0, 1, 2)), f"{title}, avail_event {_u16(image.used, 4 + 8 * image.num)}")

    def chain(self, head: int) -> Table:
        """The chain that begins at descriptor `head`, and its indirect table."""
        image, slots = self._ring()
        rows = []
        for indirect, found in ((False, chain_of(image, head)), (True, table_of(image, head))):
            for slot, addr, length, flags, link in found:
                name = f"  indirect[{slot}]" if indirect else f"desc[{slot}]"
                shown = "" if indirect and self.packed or not self.packed and not flags & DESC_F_NEXT else str(link)
                rows.append((name, f"0x{addr:x}", str(length), shown, flag_words(flags, self.packed)))
        headings = ("descriptor", "addr", "len", "id" if self.packed else "next", "flags")
        return Table(headings, tuple(rows), frozenset((2, 3)), f"{self.name}: chain of head {head}, {STATES[slots.state[head]]}")

    def _ring(self) -> tuple[RingImage, SlotStates]:
        assert self.image is not None and self._slots is not None
        return self.image, self._slots


def _u16(data: bytearray, at: int) -> int:
    return int.from_bytes(data[at : at + 2], "little")


def _flags(value: int, word: str) -> str:
    return f"0x{value:x}{f' {word}' if value & 1 else ''}"


def _event(data: bytearray) -> tuple[str, str]:
    """An event suppression structure: its flags in a word, and the descriptor it names."""
    place, flags = _u16(data, 0), _u16(data, 2)
    return (f"DESC wrap {place >> 15}", str(place & 0x7FFF)) if flags == 2 else (_EVENT_WORDS[flags & 3], "")
