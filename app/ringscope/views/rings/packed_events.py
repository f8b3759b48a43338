"""Event suppression of a packed ring (virtio 1.3, 2.8.10): the two structures decoded, and whether the next step notifies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from ringscope.views.rings import model as m
from ringscope.views.rings.model import EventIndex, vring_need_event
from ringscope.words import later, t
from ringscope_core.trace import state as s

if TYPE_CHECKING:
    from ringscope.views.rings.packed import PackedSnapshot

ENABLE, DISABLE, DESC = 0, 1, 2
WORDS: Final = ("ENABLE", "DISABLE", "DESC", "RESERVED")


class EventStructure(NamedTuple):
    """``pvirtq_event_suppress``: offset with the wrap counter in bit 15, and flags."""

    off_wrap: int
    flags: int

    @staticmethod
    def read(data: bytes) -> EventStructure:
        """From its four bytes."""
        return EventStructure(int.from_bytes(data[0:2], "little"), int.from_bytes(data[2:4], "little"))

    @property
    def offset(self) -> int:
        """The descriptor it names."""
        return self.off_wrap & 0x7FFF

    @property
    def wrap(self) -> int:
        """The wrap counter of the lap in which it names it."""
        return self.off_wrap >> 15

    @property
    def names_descriptor(self) -> bool:
        """Whether offset and wrap counter mean anything."""
        return self.flags == DESC

    @property
    def word(self) -> str:
        """The flags by name."""
        return WORDS[self.flags & 3]

    @property
    def brief(self) -> str:
        """In one word, or with the descriptor that it names."""
        return f"DESC {self.offset} wrap {self.wrap}" if self.names_descriptor else self.word

    @property
    def raw(self) -> str:
        """Both words as they stand in memory."""
        return f"0x{self.off_wrap:x}, 0x{self.flags:x}"

    @property
    def lines(self) -> tuple[str, str]:
        """Both words with what they say."""
        return (
            f"off_wrap 0x{self.off_wrap:04x}  {t('slot {value}, wrap {wrap}', value=self.offset, wrap=self.wrap)}",
            f"flags    0x{self.flags:04x}  {self.word}",
        )

    def meaning(self, notification: str, event: str) -> str:
        """What it asks for."""
        if self.flags == ENABLE:
            return t("{notification} at each buffer {event}", notification=notification, event=event)
        if self.flags == DISABLE:
            return t("no {notification}", notification=notification)
        if self.flags == DESC:
            return t("{notification} at slot {offset}, wrap {wrap}", notification=notification, offset=self.offset, wrap=self.wrap)
        return t("not a value that the specification has")


class _Rule(NamedTuple):
    """One question: the structure that answers it and the step it is about."""

    event: EventStructure
    structure: str
    """Who writes it."""
    idx_name: str
    old_name: str
    old: int
    new: int
    """Both modulo 65536, though places end at num - 1."""
    wrap: int
    """The wrap counter after the step."""
    steps: int
    num: int

    def effective(self) -> int:
        """The event's place as a number that `new` and `old` are compared with: a lap back when its wrap counter is another."""
        return (self.event.offset - (self.num if self.event.wrap != self.wrap else 0)) & 0xFFFF

    def lines(self) -> tuple[tuple[str, str], ...]:
        """The arithmetic for the panel."""
        event = self.effective()
        left, right = (self.new - event - 1) & 0xFFFF, (self.new - self.old) & 0xFFFF
        lap = "" if self.event.wrap == self.wrap else f" - {self.num}"
        return (
            (f"event {self.event.offset:>5}{lap} wrap {self.event.wrap}", "cursor"),
            (f"old   {self.old:>5} {self.old_name}", "text"),
            (f"new   {self.new:>5} {self.idx_name} + {self.steps}", "text"),
            (f"new-event-1 = {left}", "text.muted"),
            (f"{'<' if left < right else '>='} new-old = {right}", "text.muted"),
        )

    def formula(self) -> str:
        """The same on one line."""
        event = self.effective()
        left, right = (self.new - event - 1) & 0xFFFF, (self.new - self.old) & 0xFFFF
        return f"(u16)({self.new} - {event} - 1) = {left} {'<' if left < right else '>='} (u16)({self.new} - {self.old}) = {right}"

    def plain(self) -> tuple[tuple[str, str], ...]:
        """Where the flags alone decide."""
        return ((t("{structure} event flags", structure=t(self.structure)), "text.muted"), (f"0x{self.event.flags:x} {self.event.word}", "text"))


def push_question(snap: PackedSnapshot) -> EventIndex:
    """Does the next used buffer interrupt (QEMU: virtio_packed_should_notify after virtqueue_packed_flush)?"""
    slots, num = snap.slots, snap.num
    used_idx = snap.get(s.F_USED_IDX)
    following = slots.in_flight or slots.available
    steps = len(slots.chain(following[0])) if following else 1
    new, wrap = used_idx + steps, snap.used_wrap
    over = new >= num
    if over:
        new, wrap = new - num, 1 - wrap
    event = snap.driver_event
    rule = _Rule(event, "driver", "used_idx", "signalled_used", snap.get(s.F_SIGNALLED), new, wrap, steps, num)
    # a step over the ring's end forgets what was signalled; so does QEMU until its first notification
    valid = bool(snap.get(s.F_SIGNALLED_VALID)) and not over
    if event.flags in (ENABLE, DISABLE):
        notifies = event.flags == ENABLE
        formula, lines = t("driver event flags 0x{flags:x} {word}", flags=event.flags, word=event.word), rule.plain()
    elif not valid:
        notifies = True
        formula = t("the step goes over the ring's end: signalled_used is not valid after it") if over else t("signalled_used is not valid: notify in any case")
        lines = (
            (f"event {event.brief}", "cursor"),
            (t("over the ring's end:") if over else "signalled_used", "text.muted"),
            (t("not valid, so notify"), "text.muted"),
        )
    else:
        notifies = vring_need_event(rule.effective(), new, rule.old)
        formula, lines = rule.formula(), rule.lines()
    verdict = t(
        "the next push (used_idx {used_idx} to {new}, wrap {wrap}) {value}",
        used_idx=used_idx,
        new=new,
        wrap=wrap,
        value=t("interrupts") if notifies else t("does not interrupt"),
    )
    decides = event.flags not in (ENABLE, DISABLE)
    return EventIndex("interrupt", "driver event", event.offset, "used_idx", rule.old, new, decides, notifies, verdict, formula, lines, num)


def kick_question(snap: PackedSnapshot) -> EventIndex:
    """Does the next available buffer kick (Linux: virtqueue_kick_prepare_packed after adding one descriptor)?"""
    num = snap.num
    added = snap.get(m.F_NUM_ADDED) + 1
    new, wrap = snap.next_avail_idx + 1, snap.avail_wrap
    if new >= num:
        new, wrap = new - num, 1 - wrap
    event = snap.device_event
    rule = _Rule(event, "device", "next_avail_idx", later("at the last kick"), (new - added) & 0xFFFF, new, wrap, 1, num)
    if event.flags == DESC:
        notifies = vring_need_event(rule.effective(), new, rule.old)
        formula, lines = rule.formula(), rule.lines()
    else:
        notifies = event.flags != DISABLE
        formula, lines = t("device event flags 0x{flags:x} {word}", flags=event.flags, word=event.word), rule.plain()
    verdict = t(
        "the next add (next_avail_idx {next_avail_idx} to {new}, wrap {wrap}) {value}",
        next_avail_idx=snap.next_avail_idx,
        new=new,
        wrap=wrap,
        value=t("kicks") if notifies else t("does not kick"),
    )
    # on the circle a place before the ring's beginning is one near its end
    old = (new - added) % num
    return EventIndex("kick", "device event", event.offset, "next_avail_idx", old, new, event.flags == DESC, notifies, verdict, formula, lines, num)
