"""Which value a place of the Rings view stands for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ringscope.values import named_value
from ringscope.views.rings.model import Descriptor
from ringscope_core.query.watch import Watch, ring_watch

if TYPE_CHECKING:
    from ringscope_core.query.recording import Recording

_MEMBERS: Final = ("addr", "len", "flags", "next", "id")
_EVENTS: Final = {"driver event": "avail", "device event": "used"}
_OTHER_NAMES: Final = {"free_head (id)": "free_head", "event / indirect": "event"}


def slot_watch(oid: int, slot: int, heading: str) -> Watch:
    """A row of the slot table: the descriptor's member that the column shows, else the whole descriptor."""
    return ring_watch(oid, "desc", slot, heading if heading in _MEMBERS else "")


def band_watch(oid: int, band: str, slot: int) -> Watch:
    """A place of the picture or the lens."""
    return ring_watch(oid, band, slot, "ring") if band in ("avail", "used") else ring_watch(oid, "desc", slot)


def chain_watch(oid: int, head: int, item: Descriptor, heading: str) -> Watch:
    """A row of the chain; `head` is what events call it."""
    member = heading if heading in _MEMBERS else ""
    return ring_watch(oid, "indirect", head, member, item.slot) if item.indirect else ring_watch(oid, "desc", item.slot, member)


def cell_watch(oid: int, name: str, before: str, recording: Recording) -> Watch | None:
    """A line of the numbers, by its name and that of the line before; None for what is derived from several values."""
    if name in _EVENTS:
        return ring_watch(oid, _EVENTS[name], -1, "off_wrap")
    if name.startswith("  ") and before in _EVENTS:
        return ring_watch(oid, _EVENTS[before], -1, "flags")
    return named_value(oid, _OTHER_NAMES.get(name, name), recording)
