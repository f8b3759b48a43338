"""A packed ring (virtio 1.3, 2.8): one ring of descriptors that both sides write, and two event suppression structures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from ringscope.views.rings import model as m
from ringscope.views.rings.model import Band, Descriptor, EventIndex, Index, LensBand, LensPanel, RingSnapshot, flag_words
from ringscope.views.rings.packed_events import EventStructure, kick_question, push_question
from ringscope.words import later, t
from ringscope_core.trace import packed_slots as ps
from ringscope_core.trace import state as s
from ringscope_core.trace.fields import field
from ringscope_core.trace.slots import table_of
from ringscope_core.trace.state import DESC_F_INDIRECT, DESC_F_NEXT, DESC_F_WRITE, RingImage

DESC_DTYPE: Final = np.dtype([("addr", "<u8"), ("len", "<u4"), ("id", "<u2"), ("flags", "<u2")])

F_EVENT_FLAGS: Final = int(field("vring_virtqueue.event_flags_shadow", "flags"))

_BIT: Final = ("", "value")
"""Colours of a bit that is clear and one that is set."""
_FLAG: Final = ("", "text.faint")
_BITS: Final = (
    ("AVAIL", ps.DESC_F_AVAIL, 0.755, 0.79, _BIT),
    ("USED", ps.DESC_F_USED, 0.71, 0.745, _BIT),
    ("NEXT", DESC_F_NEXT, 0.655, 0.685, _FLAG),
    ("WRITE", DESC_F_WRITE, 0.615, 0.645, _FLAG),
    ("INDIRECT", DESC_F_INDIRECT, 0.575, 0.605, _FLAG),
)
"""The flags of a descriptor, each a thin ring: name, bit, radii, colours."""


def packed_flag_words(flags: int) -> str:
    """A packed descriptor's flags in the specification's words, those of the wrap counters first."""
    words = [word for word, bit in (("AVAIL", ps.DESC_F_AVAIL), ("USED", ps.DESC_F_USED)) if flags & bit]
    rest = flag_words(flags & ~(ps.DESC_F_AVAIL | ps.DESC_F_USED))
    return " ".join([*words, rest] if rest else words)


def wrapped(place: int, wrap: int) -> str:
    """A place with its wrap counter."""
    return f"{place} wrap {wrap}"


class PackedSnapshot(RingSnapshot):
    """The descriptor ring, its places with their wrap counters, and who wants to hear of what."""

    layout = "packed"
    legends = (
        later("outside in: descriptors  \N{MIDDLE DOT}  AVAIL, USED  \N{MIDDLE DOT}  NEXT, WRITE, INDIRECT"),
        "AVAIL, USED, NEXT, WRITE, INDIRECT",
    )
    headings = (later("slot"), "id", later("state"), "addr", "len", "flags", later("chain from"))
    right = frozenset((0, 1, 4, 6))
    chain_headings = (later("descriptor"), "addr", "len", "id", "flags")
    wraps = True

    def __init__(self, oid: int, image: RingImage, fields: dict[int, int]) -> None:
        super().__init__(oid, image, fields, DESC_DTYPE)
        self.driver_event: EventStructure = EventStructure.read(bytes(image.avail))
        self.device_event: EventStructure = EventStructure.read(bytes(image.used))
        self.next_avail_idx: int = self.get(int(ps.F_DRIVER_NEXT_AVAIL), self.slots.avail_idx)
        self.avail_wrap: int = self.get(int(ps.F_DRIVER_AVAIL_WRAP), 1)
        """The driver's counters; the device's are `last_avail_wrap` and `used_wrap`."""
        self.driver_used_wrap: int = self.get(int(ps.F_DRIVER_USED_WRAP), 1)
        self.last_avail_wrap: int = self.get(int(s.F_LAST_AVAIL_WRAP), 1)
        self.shadow_avail_wrap: int = self.get(int(s.F_SHADOW_AVAIL_WRAP), 1)
        self.used_wrap: int = self.get(int(s.F_USED_WRAP), 1)

    # -- numbers --------------------------------------------------------------------------------------------------------
    def indices(self) -> list[Index]:
        """The places with their wrap counters; an event structure's only where it names a descriptor."""
        get = self.get
        signalled_note = "" if get(s.F_SIGNALLED_VALID) else "not valid"
        rows = [
            ("next_avail_idx", "driver", self.next_avail_idx, self.avail_wrap, "", False),
            ("shadow_avail_idx", "device", get(s.F_SHADOW_AVAIL), self.shadow_avail_wrap, "", False),
            ("last_avail_idx", "device", get(s.F_LAST_AVAIL), self.last_avail_wrap, "", False),
            ("used_idx", "device", get(s.F_USED_IDX), self.used_wrap, "", True),
            ("signalled_used", "device", get(s.F_SIGNALLED), -1, signalled_note, True),
            ("last_used_idx", "driver", get(s.F_LAST_USED), self.driver_used_wrap, "", True),
        ]
        if self.device_event.names_descriptor:
            rows.append((later("device event"), "device", self.device_event.offset, self.device_event.wrap, "", False))
        if self.driver_event.names_descriptor:
            rows.append((later("driver event"), "driver", self.driver_event.offset, self.driver_event.wrap, "", True))
        return [self._index(*row) for row in rows]

    def _index(self, name: str, side: str, value: int, wrap: int, note: str, back: bool) -> Index:
        shown = t("slot {value}", value=value) if wrap < 0 else t("slot {value}, wrap {wrap}", value=value, wrap=wrap)
        brief = str(value) if wrap < 0 else f"{value} w{wrap}"
        return Index(name, side, "desc", value, value % self.num if self.num else 0, note, back, shown, brief)

    def event_indices(self) -> tuple[EventIndex, EventIndex]:
        """By the two event suppression structures (2.8.10)."""
        return push_question(self), kick_question(self)

    def parties(self) -> list[tuple[str, str, list[m.Cell]]]:
        """The driver's places (Linux's vring_virtqueue_packed), what stands in guest memory, the device's (QEMU's VirtQueue)."""
        return [
            ("driver", later("driver: vring_virtqueue"), self._driver_cells()),
            ("memory", later("memory: packed ring"), self._memory_cells()),
            ("device", later("device: VirtQueue"), self._device_cells()),
        ]

    def _driver_cells(self) -> list[m.Cell]:
        get = self.get
        return [
            ("next_avail_idx", wrapped(self.next_avail_idx, self.avail_wrap)),
            ("last_used_idx", wrapped(get(s.F_LAST_USED), self.driver_used_wrap)),
            ("num_added", str(get(m.F_NUM_ADDED))),
            ("num_free", t("{get} of {num}", get=get(s.F_NUM_FREE), num=self.num)),
            (later("free_head (id)"), str(get(m.F_FREE_HEAD))),
            ("event_flags_shadow", EventStructure(0, get(F_EVENT_FLAGS)).word),
            (later("event / indirect"), f"{_truth(get(m.F_DRIVER_EVENT))} / {_truth(get(m.F_DRIVER_INDIRECT))}"),
        ]

    def _memory_cells(self) -> list[m.Cell]:
        return [
            (later("descriptor ring"), f"0x{self.image.desc_gpa:x}"),
            (later("at last_avail_idx"), self._bits(self.active_slot())),
            (later("at last_used_idx"), self._bits(self.get(s.F_LAST_USED) % self.num)),
            (later("driver event"), self.driver_event.brief),
            ("  off_wrap, flags", self.driver_event.raw),
            (later("device event"), self.device_event.brief),
            ("  off_wrap, flags", self.device_event.raw),
        ]

    def _bits(self, slot: int) -> str:
        return packed_flag_words(int(self.desc["flags"][slot]) & (ps.DESC_F_AVAIL | ps.DESC_F_USED)) or t("no bits")

    def _device_cells(self) -> list[m.Cell]:
        get = self.get
        vector = get(m.F_VECTOR)
        valid = "" if get(s.F_SIGNALLED_VALID) else t(" (invalid)")
        return [
            ("last_avail_idx", wrapped(get(s.F_LAST_AVAIL), self.last_avail_wrap)),
            ("shadow_avail_idx", wrapped(get(s.F_SHADOW_AVAIL), self.shadow_avail_wrap)),
            ("used_idx", wrapped(get(s.F_USED_IDX), self.used_wrap)),
            ("signalled_used", f"{get(s.F_SIGNALLED)}{valid}"),
            ("inuse", t("{get} of {num}", get=get(s.F_INUSE), num=self.num)),
            ("notification", _truth(get(s.F_NOTIFICATION))),
            ("vector", "NO_VECTOR" if vector == 0xFFFF else str(vector)),
        ]

    # -- slots ----------------------------------------------------------------------------------------------------------
    def bands(self) -> tuple[Band, ...]:
        """The descriptors, coloured by state, and inside them a thin ring for each flag."""
        flags = self.desc["flags"]
        thin = tuple(Band(name, inner, outer, ((flags & bit) != 0).astype(np.uint8), colors) for name, bit, inner, outer, colors in _BITS)
        return (Band("desc", 0.81, 1.0, self.states, m.STATE_COLORS), *thin)

    def lens_bands(self, head: int) -> tuple[LensBand, ...]:
        """One band, centred on the focused chain, else on what the device takes next."""
        anchor = head if 0 <= head < self.num else self.active_slot()
        return (LensBand("desc", later("descriptor"), later("slot, flags\nid, len\nAVAIL USED"), anchor, self.states, 5, "forth", "back"),)

    def lens_panels(self) -> tuple[LensPanel, ...]:
        """The event suppression structures, decoded."""
        return (
            LensPanel("driver", later("driver event suppression"), (*self.driver_event.lines, self.driver_event.meaning(t("interrupt"), t("used")))),
            LensPanel("device", later("device event suppression"), (*self.device_event.lines, self.device_event.meaning(t("kick"), t("made available")))),
        )

    def notes(self) -> tuple[str, ...]:
        """The four wrap counters."""
        return (
            t("wrap counters"),
            t("driver: avail {avail_wrap}, used {driver_used_wrap}", avail_wrap=self.avail_wrap, driver_used_wrap=self.driver_used_wrap),
            t("device: avail {last_avail_wrap}, used {used_wrap}", last_avail_wrap=self.last_avail_wrap, used_wrap=self.used_wrap),
        )

    def lens_words(self, band: str, slot: int) -> tuple[str, ...]:
        """Slot with the flags' letters, id, length, and the bits of the wrap counters."""
        _, length, ident, flags = self.desc[slot].item()
        letters = "".join(word[0] for word in flag_words(flags & 7).split())
        bits = packed_flag_words(flags & (ps.DESC_F_AVAIL | ps.DESC_F_USED)) or t("no bits")
        return f"{slot} {letters}", f"id {ident}", f"{length} B", bits

    def describe(self, band: str, slot: int) -> str:
        """A descriptor, or one of its flags."""
        addr, length, ident, flags = self.desc[slot].item()
        bit = next((bit for name, bit, _, _, _ in _BITS if name == band), 0)
        lead = t("{band} set in " if flags & bit else "{band} clear in ", band=band) if bit else ""
        words = packed_flag_words(flags) or t("no flags")
        first = t(", chain from {head_of}", head_of=self.head_of(slot)) if self.head_of(slot) != slot else ""
        return f"{lead}desc[{slot}]: {t(m.STATES[int(self.states[slot])])}{first}, addr 0x{addr:x}, len {length}, id {ident}, {words}"

    def cells(self, slot: int) -> tuple[str, ...]:
        """One descriptor as text; the id of a free one is what stood there last."""
        addr, length, ident, flags = self.desc[slot].item()
        head = self.heads[slot]
        return (
            str(slot),
            str(ident),
            t(m.STATES[int(self.states[slot])]),
            f"0x{addr:x}",
            str(length),
            packed_flag_words(flags),
            str(head) if head >= 0 else "",
        )

    def sort_keys(self) -> tuple[Sequence[int] | npt.NDArray[Any], ...]:
        """By number, not by text."""
        return (np.arange(self.num), self.desc["id"], self.states, self.desc["addr"], self.desc["len"], self.desc["flags"], np.asarray(self.heads))

    # -- chains -----------------------------------------------------------------------------------------------------------
    def chain(self, head: int) -> list[Descriptor]:
        """The slots that follow each other, and the indirect table of its buffer id."""
        if not 0 <= head < self.num:
            return []
        slots = self.slots.chain(head) or [row[0] for row in ps.packed_chain(self.image, head)]
        out = [self._descriptor(slot) for slot in slots]
        if self.states[head] != m.FREE:
            out.extend(Descriptor(index, addr, length, flags, link, True, 1) for index, addr, length, flags, link in table_of(self.image, head))
        return out

    def _descriptor(self, slot: int) -> Descriptor:
        addr, length, ident, flags = self.desc[slot].item()
        return Descriptor(slot, addr, length, flags, ident, False, 0)

    def chain_title(self, head: int, chain: list[Descriptor]) -> str:
        """Buffer id, state, owner and bytes; of a used one, what its used descriptor says."""
        kind = int(self.states[head])
        owner = t({m.FREE: later("driver"), m.USED: later("driver, to take")}.get(kind, later("device")))
        slots = [item.slot for item in chain if not item.indirect]
        where = t("slot {slot}", slot=slots[0]) if len(slots) == 1 else t("slots {first} to {last}", first=slots[0], last=slots[-1])
        text = t("Buffer {ident} at {where}: {state} (owner: {owner})", ident=self.ident_of(head), where=where, state=t(m.STATES[kind]), owner=owner)
        if kind == m.USED:
            return t("{words}, used len {length}", words=text, length=chain[0].length)
        data = [item for item in chain if not item.flags & DESC_F_INDIRECT or item.indirect]
        out_bytes = sum(item.length for item in data if not item.flags & DESC_F_WRITE)
        in_bytes = sum(item.length for item in data if item.flags & DESC_F_WRITE)
        elements = t("{n} element" if len(data) == 1 else "{n} elements", n=len(data))
        return t("{words}, {elements}, {out_bytes} B out, {in_bytes} B in", words=text, elements=elements, out_bytes=out_bytes, in_bytes=in_bytes)

    def chain_cells(self, item: Descriptor) -> tuple[str, ...]:
        """Of the ring, or of an indirect table, whose entries have no id."""
        name = f"  indirect[{item.slot}]" if item.indirect else f"desc[{item.slot}]"
        ident = "" if item.indirect else str(item.link)
        return (name, f"0x{item.addr:x}", str(item.length), ident, packed_flag_words(item.flags) or "-")

    def ident_of(self, head: int) -> int:
        """The buffer id, which stands in the chain's descriptors."""
        return int(self.desc["id"][head])

    def buffer_word(self, head: int) -> str:
        """By id."""
        return f"id {self.ident_of(head)}"

    def telling_head(self) -> int:
        """One in flight, else the last one given back, else the next available one."""
        slots = self.slots
        if slots.in_flight:
            return slots.in_flight[0]
        return slots.used[-1] if slots.used else self.active_head()


def _truth(value: int) -> str:
    return "true" if value else "false"
