"""A split ring (virtio 1.3, 2.7): three tables of the same length, and eight indices that move over them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from ringscope.views.rings import model as m
from ringscope.views.rings.model import Band, Descriptor, EventIndex, Index, LensBand, RingSnapshot, flag_words, vring_need_event
from ringscope.words import later, t
from ringscope_core.trace import state as s
from ringscope_core.trace.fields import field
from ringscope_core.trace.state import DESC_F_INDIRECT, DESC_F_NEXT, DESC_F_WRITE, RingImage

DESC_DTYPE: Final = np.dtype([("addr", "<u8"), ("len", "<u4"), ("flags", "<u2"), ("next", "<u2")])
USED_DTYPE: Final = np.dtype([("id", "<u4"), ("len", "<u4")])

F_AVAIL_SHADOW: Final = int(field("vring_virtqueue.avail_idx_shadow", "idx"))
F_AVAIL_FLAGS_SHADOW: Final = int(field("vring_virtqueue.avail_flags_shadow", "flags"))


class SplitSnapshot(RingSnapshot):
    """Descriptor table, available ring and used ring."""

    layout = "split"
    legends = (
        later("outer: available ring   \N{MIDDLE DOT}   middle: descriptor table   \N{MIDDLE DOT}   inner: used ring"),
        later("outside in: avail.ring, desc, used.ring"),
        "avail, desc, used",
    )
    headings = (later("slot"), later("head"), later("state"), "addr", "len", "flags", "next")
    right = frozenset((0, 1, 4, 6))
    chain_headings = (later("descriptor"), "addr", "len", "next", "flags")

    def __init__(self, oid: int, image: RingImage, fields: dict[int, int]) -> None:
        super().__init__(oid, image, fields, DESC_DTYPE)
        num = image.num
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
        self.avail_states: npt.NDArray[np.uint8] = np.frombuffer(self.slots.avail_state, dtype=np.uint8)
        """For each place of the available ring: the state of what it holds, free when it is stale."""
        self.used_states: npt.NDArray[np.uint8] = np.frombuffer(self.slots.used_live, dtype=np.uint8) * m.USED
        """For each place of the used ring: used when the driver has not taken it yet, free when it is stale."""

    # -- numbers --------------------------------------------------------------------------------------------------------
    def indices(self) -> list[Index]:
        """The eight indices, the available ring's first, in the order of travel (furthest first)."""
        event_note = "" if self.event_idx else "EVENT_IDX not negotiated"
        signalled_note = "" if self.get(s.F_SIGNALLED_VALID) else "not valid"
        rows = [
            ("avail.idx", "driver", "avail", self.avail_idx, ""),
            ("shadow_avail_idx", "device", "avail", self.get(s.F_SHADOW_AVAIL), ""),
            ("last_avail_idx", "device", "avail", self.get(s.F_LAST_AVAIL), ""),
            ("avail_event", "device", "avail", self.avail_event, event_note),
            ("used.idx", "device", "used", self.get(s.F_USED_IDX), ""),
            ("signalled_used", "device", "used", self.get(s.F_SIGNALLED), signalled_note),
            ("last_used_idx", "driver", "used", self.get(s.F_LAST_USED), ""),
            ("used_event", "driver", "used", self.used_event, event_note),
        ]
        return [self._index(*row) for row in rows]

    def _index(self, name: str, side: str, space: str, value: int, note: str) -> Index:
        slot = value % self.num if self.num else 0
        arrow = f"{value} \N{RIGHTWARDS ARROW}"
        return Index(name, side, space, value, slot, note, space == "used", t("{arrow} slot {slot}", arrow=arrow, slot=slot), f"{arrow} {slot}")

    def pending_avail(self) -> int:
        """Chains published and not yet taken by the device."""
        return (self.avail_idx - self.get(s.F_LAST_AVAIL)) & 0xFFFF

    def pending_used(self) -> int:
        """Used elements the driver has not yet taken."""
        return (self.used_idx - self.get(s.F_LAST_USED)) & 0xFFFF

    def event_indices(self) -> tuple[EventIndex, EventIndex]:
        """By used_event and avail_event, or by the flags."""
        return self._used_event_index(), self._avail_event_index()

    def _used_event_index(self) -> EventIndex:
        old = self.get(s.F_SIGNALLED)
        new = (self.used_idx + 1) & 0xFFFF
        valid = bool(self.get(s.F_SIGNALLED_VALID))
        lines = _lines("used_event", self.used_event, "used.idx", old, "signalled_used", new)
        if not self.event_idx:
            notifies = not self.avail_flags & 1
            formula, lines = _by_flag("avail", self.avail_flags, "NO_INTERRUPT")
        elif valid:
            notifies = vring_need_event(self.used_event, new, old)
            formula = _formula(self.used_event, new, old)
        else:
            notifies = True
            formula = t("signalled_used is not valid: notify in any case")
            lines = ((f"event used_event = {self.used_event}", "value"), (formula, "text.muted"))
        verdict = t(
            "the next push (used.idx {used_idx} to {new}) {value}",
            used_idx=self.used_idx,
            new=new,
            value=t("interrupts") if notifies else t("does not interrupt"),
        )
        return EventIndex("interrupt", "used_event", self.used_event, "used.idx", old, new, self.event_idx, notifies, verdict, formula, lines)

    def _avail_event_index(self) -> EventIndex:
        # virtqueue_kick_prepare_split: what was added since the last kick counts as not yet announced
        old = (self.avail_idx - self.get(m.F_NUM_ADDED)) & 0xFFFF
        new = (self.avail_idx + 1) & 0xFFFF
        if self.event_idx:
            notifies = vring_need_event(self.avail_event, new, old)
            formula = _formula(self.avail_event, new, old)
            lines = _lines("avail_event", self.avail_event, "avail.idx", old, t("avail.idx at kick"), new)
        else:
            notifies = not self.used_flags & 1
            formula, lines = _by_flag("used", self.used_flags, "NO_NOTIFY")
        verdict = t(
            "the next add (avail.idx {avail_idx} to {new}) {value}", avail_idx=self.avail_idx, new=new, value=t("kicks") if notifies else t("does not kick")
        )
        return EventIndex("kick", "avail_event", self.avail_event, "avail.idx", old, new, self.event_idx, notifies, verdict, formula, lines)

    def parties(self) -> list[tuple[str, str, list[m.Cell]]]:
        """The driver's copies (Linux's vring_virtqueue), what stands in guest memory, the device's copies (QEMU's VirtQueue)."""
        return [
            ("driver", later("driver: vring_virtqueue"), self._driver_cells()),
            ("memory", later("memory: index \N{RIGHTWARDS ARROW} slot"), self._memory_cells()),
            ("device", later("device: VirtQueue"), self._device_cells()),
        ]

    def _place(self, value: int) -> str:
        return f"{value} \N{RIGHTWARDS ARROW} {value % self.num}"

    def _driver_cells(self) -> list[m.Cell]:
        get = self.get
        return [
            ("avail_idx_shadow", self._place(get(F_AVAIL_SHADOW) or self.avail_idx)),
            ("last_used_idx", self._place(get(s.F_LAST_USED))),
            ("num_added", str(get(m.F_NUM_ADDED))),
            ("num_free", t("{get} of {num}", get=get(s.F_NUM_FREE), num=self.num)),
            ("free_head", str(get(m.F_FREE_HEAD))),
            ("avail_flags_shadow", f"0x{get(F_AVAIL_FLAGS_SHADOW):x}"),
            (later("event / indirect"), f"{_truth(get(m.F_DRIVER_EVENT))} / {_truth(get(m.F_DRIVER_INDIRECT))}"),
        ]

    def _memory_cells(self) -> list[m.Cell]:
        return [
            ("avail.idx", self._place(self.avail_idx)),
            ("used.idx", self._place(self.used_idx)),
            ("used_event", self._place(self.used_event)),
            ("avail_event", self._place(self.avail_event)),
            ("avail.flags", f"0x{self.avail_flags:x}{' NO_INTERRUPT' if self.avail_flags & 1 else ''}"),
            ("used.flags", f"0x{self.used_flags:x}{' NO_NOTIFY' if self.used_flags & 1 else ''}"),
            ("desc", f"0x{self.image.desc_gpa:x}"),
        ]

    def _device_cells(self) -> list[m.Cell]:
        get = self.get
        vector = get(m.F_VECTOR)
        valid = "" if get(s.F_SIGNALLED_VALID) else t(" (invalid)")
        return [
            ("last_avail_idx", self._place(get(s.F_LAST_AVAIL))),
            ("shadow_avail_idx", self._place(get(s.F_SHADOW_AVAIL))),
            ("used_idx", self._place(get(s.F_USED_IDX))),
            ("signalled_used", self._place(get(s.F_SIGNALLED)) + valid),
            ("inuse", t("{get} of {num}", get=get(s.F_INUSE), num=self.num)),
            ("notification", _truth(get(s.F_NOTIFICATION))),
            ("vector", "NO_VECTOR" if vector == 0xFFFF else str(vector)),
        ]

    # -- slots ----------------------------------------------------------------------------------------------------------
    def bands(self) -> tuple[Band, ...]:
        """Available ring outside, used ring inside."""
        return (
            Band("avail", 0.885, 1.0, self.avail_states, m.STATE_COLORS),
            Band("desc", 0.685, 0.865, self.states, m.STATE_COLORS),
            Band("used", 0.55, 0.665, self.used_states, m.STATE_COLORS),
        )

    def lens_bands(self, head: int) -> tuple[LensBand, ...]:
        """Centred on the focused chain's places, else where device and driver work."""
        num = self.num
        avail_at, used_at = self.active_slot(), self.used_idx % num
        desc_at = int(self.avail_ring[avail_at]) % num
        if 0 <= head < num:
            desc_at = head
            avail_place, used_place = self.avail_place_of(head), self.used_place_of(head)
            avail_at = avail_place if avail_place >= 0 else avail_at
            used_at = used_place if used_place >= 0 else used_at
        return (
            LensBand("avail", "avail.ring", later("slot: head"), avail_at, self.avail_states, 3, "all"),
            LensBand("desc", "desc", "len, flags", desc_at, self.states, 3),
            LensBand("used", "used.ring", later("slot: id, len"), used_at, self.used_states, 3, "all"),
        )

    def lens_words(self, band: str, slot: int) -> tuple[str, ...]:
        """What the entry holds."""
        if band == "avail":
            return f"{slot}", t("head {avail_ring}", avail_ring=int(self.avail_ring[slot]))
        if band == "used":
            element = self.used_ring[slot]
            return f"{slot}: {int(element['id'])}", f"len {int(element['len'])}"
        row = self.desc[slot]
        letters = "".join(word[0] for word in flag_words(int(row["flags"])).split())
        return f"{slot} {letters}", f"{int(row['len'])} B"

    def describe(self, band: str, slot: int) -> str:
        """An entry of either ring, or a descriptor."""
        if band == "avail":
            state = t(m.STATES[int(self.avail_states[slot])] if self.avail_states[slot] else later("stale"))
            return t("avail.ring[{slot}] = head {avail_ring}: {state}", slot=slot, avail_ring=int(self.avail_ring[slot]), state=state)
        if band == "used":
            element = self.used_ring[slot]
            state = t("used, not yet taken by the driver") if self.used_states[slot] else t("stale")
            return f"used.ring[{slot}] = id {int(element['id'])}, len {int(element['len'])}: {state}"
        row = self.desc[slot]
        words = flag_words(int(row["flags"])) or t("no flags")
        return t(
            "desc[{slot}]: {state}, head {head}, addr 0x{addr:x}, len {length}, {words}",
            slot=slot,
            state=t(m.STATES[int(self.states[slot])]),
            head=self.head_of(slot),
            addr=int(row["addr"]),
            length=int(row["len"]),
            words=words,
        )

    def descriptor_of(self, band: str, slot: int) -> int:
        """The head that an available or used entry names."""
        if band == "avail":
            return int(self.avail_ring[slot])
        if band == "used":
            return int(self.used_ring[slot]["id"])
        return self.head_of(slot)

    def cells(self, slot: int) -> tuple[str, ...]:
        """One descriptor as text."""
        addr, length, flags, following = self.desc[slot].item()
        head = self.heads[slot]
        state = int(self.states[slot])
        chained = str(following) if flags & 1 else ""
        return (str(slot), str(head) if head >= 0 else "", t(m.STATES[state]), f"0x{addr:x}", str(length), flag_words(flags), chained)

    def sort_keys(self) -> tuple[Sequence[int] | npt.NDArray[Any], ...]:
        """By number, not by text."""
        return (np.arange(self.num), np.asarray(self.heads), self.states, self.desc["addr"], self.desc["len"], self.desc["flags"], self.desc["next"])

    # -- chains -----------------------------------------------------------------------------------------------------------
    def chain(self, head: int) -> list[Descriptor]:
        """Linked by NEXT."""
        out: list[Descriptor] = []
        if not 0 <= head < self.num:
            return out
        index = head
        seen: set[int] = set()
        while 0 <= index < self.num and index not in seen and len(out) < m.MAX_CHAIN:
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
            index = item.link
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
            index = out[-1].link
        return out

    def chain_title(self, head: int, chain: list[Descriptor]) -> str:
        """State, owner, bytes, and where in the two rings it stands."""
        data = [item for item in chain if not item.flags & DESC_F_INDIRECT or item.indirect]
        out_bytes = sum(item.length for item in data if not item.flags & DESC_F_WRITE)
        in_bytes = sum(item.length for item in data if item.flags & DESC_F_WRITE)
        kind = int(self.states[head])
        owner = t({m.FREE: later("driver"), m.USED: later("driver, to take")}.get(kind, later("device")))
        buffers = t("{n} buffer" if len(data) == 1 else "{n} buffers", n=len(data))
        text = t(
            "Chain of head {head}: {state} (owner: {owner}), {buffers}, {out_bytes} B out, {in_bytes} B in",
            head=head,
            state=t(m.STATES[kind]),
            owner=owner,
            buffers=buffers,
            out_bytes=out_bytes,
            in_bytes=in_bytes,
        )
        where = ", ".join(f"{band}.ring[{place}]" for band, place in self.places_of(head))
        return f"{text}  \N{MIDDLE DOT}  {where}" if where else text

    def chain_cells(self, item: Descriptor) -> tuple[str, ...]:
        """Of the table, or of an indirect one."""
        name = f"  indirect[{item.slot}]" if item.indirect else f"desc[{item.slot}]"
        return (name, f"0x{item.addr:x}", str(item.length), str(item.link) if item.flags & 1 else "", flag_words(item.flags) or "-")

    def places_of(self, head: int) -> tuple[tuple[str, int], ...]:
        """Its entries in the available and the used ring, where they are not stale."""
        places = (("avail", self.avail_place_of(head)), ("used", self.used_place_of(head)))
        return tuple((band, place) for band, place in places if place >= 0)

    def avail_place_of(self, head: int) -> int:
        """The available-ring place that holds `head` and is not stale, -1 when none does."""
        places = np.flatnonzero((self.avail_ring == head) & (self.avail_states > 0))
        return int(places[0]) if len(places) else -1

    def used_place_of(self, head: int) -> int:
        """The used-ring place that holds `head` and is not stale, -1 when none does."""
        places = np.flatnonzero((self.used_ring["id"] == head) & (self.used_states > 0))
        return int(places[0]) if len(places) else -1

    def active_head(self) -> int:
        """What the available ring names there."""
        return int(self.avail_ring[self.active_slot()]) % self.num

    def telling_head(self) -> int:
        """One in flight, else the last used element, else the next available one."""
        in_flight = np.flatnonzero(self.states == m.IN_FLIGHT)
        if len(in_flight):
            return self.head_of(int(in_flight[0]))
        if self.used_idx or self.get(s.F_LAST_USED):
            return int(self.used_ring[(self.used_idx - 1) % self.num]["id"]) % self.num
        return self.active_head()


def _truth(value: int) -> str:
    return "true" if value else "false"


def _formula(event: int, new: int, old: int) -> str:
    left, right = (new - event - 1) & 0xFFFF, (new - old) & 0xFFFF
    return f"(u16)({new} - {event} - 1) = {left} {'<' if left < right else '>='} (u16)({new} - {old}) = {right}"


def _lines(event_name: str, event: int, idx_name: str, old: int, old_name: str, new: int) -> tuple[tuple[str, str], ...]:
    left, right = (new - event - 1) & 0xFFFF, (new - old) & 0xFFFF
    return (
        (f"event {event:>5} {event_name}", "cursor"),
        (f"old   {old:>5} {old_name}", "text"),
        (f"new   {new:>5} {idx_name} + 1", "text"),
        (f"new-event-1 = {left}", "text.muted"),
        (f"{'<' if left < right else '>='} new-old = {right}", "text.muted"),
    )


def _by_flag(ring: str, flags: int, word: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    says = t("{ring}.flags = 0x{flags:x}, {word} set" if flags & 1 else "{ring}.flags = 0x{flags:x}, {word} clear", ring=ring, flags=flags, word=word)
    return t("no EVENT_IDX: {says}", says=says), ((t("no EVENT_IDX"), "text.muted"), (says, "text"))
