"""What a recording says about the moments between turns: the places at which something came from outside."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from ringscope_core.engine.control import CHANGING
from ringscope_core.trace.kinds import EV_DROPPED, EV_MARK, EV_RUN_STATE, EV_SAMPLE, EV_TRACE_LEVEL

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ringscope_core.session.reader import SessionReader
    from ringscope_core.session.rows import ControlRow

_KINDS: Final = (int(EV_SAMPLE), int(EV_TRACE_LEVEL), int(EV_DROPPED), int(EV_MARK), int(EV_RUN_STATE))
_BATCH: Final = 4096
CONTROL: Final = 0
"""The kind of an `Item` that is a command and no event."""


class Item(NamedTuple):
    """Something to do when the next event has number `seq` and virtual time is `vt` ns.

    `kind` is that of the event that it makes, `CONTROL` for a command (`name`, `arguments`).
    """

    seq: int
    kind: int
    vt: int
    a0: int = 0
    a1: int = 0
    name: str = ""
    arguments: Mapping[str, object] = {}


def changing_controls(reader: SessionReader, last: int) -> list[ControlRow]:
    """The commands that changed the machine and took effect at or before event `last`."""
    return [row for row in reader.controls() if row.seq <= last and row.name in CHANGING]


class Guide:
    """The items of a recording up to event `last`, in order.  Reads as it goes: a long run has many samples."""

    def __init__(self, reader: SessionReader, last: int) -> None:
        self._reader: SessionReader = reader
        self._last: int = last
        self._next: int = max(reader.first_seq, 0)
        """First event that was not looked at yet."""
        self._events: list[Item] = []
        self._controls: list[Item] = [Item(row.seq, CONTROL, row.vt, name=row.name, arguments=row.arguments) for row in changing_controls(reader, last)]
        self._controls.reverse()

    def peek(self, seq: int) -> Item | None:
        """The next item, without those whose events have been made: `seq` is the number of the next event."""
        events = self._events
        while events and events[-1].seq < seq:
            events.pop()
        if not events and self._next <= self._last:
            self._load(seq)
            events = self._events
        control = self._controls[-1] if self._controls else None
        event = events[-1] if events else None
        if control is None or (event is not None and (event.seq, event.vt) < (control.seq, control.vt)):
            return event
        # a command comes before the event that has the number it was given
        return control

    def take(self, item: Item) -> None:
        """`item` is done."""
        (self._controls if item.kind == CONTROL else self._events).pop()

    def _load(self, seq: int) -> None:
        rows = self._reader.find_events(_KINDS, max(self._next, seq), self._last, _BATCH)
        self._next = int(rows[-1]["seq"]) + 1 if len(rows) == _BATCH else self._last + 1
        self._events = [Item(int(row["seq"]), int(row["kind"]), int(row["vt"]), int(row["a0"]), int(row["a1"])) for row in rows[::-1]]
