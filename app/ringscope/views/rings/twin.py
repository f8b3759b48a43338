"""Everything that the Rings view draws as text: queues, indices, event index, slots, both rings, the chain."""

from __future__ import annotations

from collections.abc import Sequence

from ringscope.views.rings.model import STATES, RingSnapshot
from ringscope.views.rings.queues import Card
from ringscope.views.rings.split import SplitSnapshot
from ringscope.words import later, t

SIDES = (later("driver"), later("memory"), later("device"))
"""Who keeps an index, as `RingSnapshot.parties` calls them."""


def queues_text(cards: Sequence[Card], oid: int) -> str:
    """The strip of queues, and which of them is shown below."""
    head = (t("queue"), t("descriptors"), *map(t, STATES), t("shown"))
    rows = [(card.name, str(card.num) if card.num else t("not set up"), *map(str, card.counts), "*" if card.oid == oid else "") for card in cards]
    return "\n".join("\t".join(row) for row in (head, *rows))


def indices_text(snap: RingSnapshot) -> str:
    """What driver, memory and device hold, and where each index points."""
    # a name of one word is a field's, which no language changes
    rows = [(t(side), t(name) if " " in name else name, value) for side, _, cells in snap.parties() for name, value in cells]
    return "\n".join("\t".join(row) for row in ((t("kept by"), t("name"), t("value")), *rows))


def events_text(snap: RingSnapshot) -> str:
    """Whether the next step notifies, and the arithmetic behind it."""
    rows = [(t(side.title), side.verdict, side.formula) for side in snap.event_indices()]
    return "\n".join("\t".join(row) for row in ((t("notification"), t("verdict"), t("arithmetic")), *rows))


def rings_text(snap: RingSnapshot) -> list[str]:
    """Available and used ring, place by place; nothing of a packed ring, whose descriptors say it all."""
    if not isinstance(snap, SplitSnapshot):
        return []
    stale = t("stale")
    avail = [("avail.ring", t("head"), t("state"))]
    used = [("used.ring", "id", "len", t("state"))]
    for slot in range(snap.num):
        state = int(snap.avail_states[slot])
        avail.append((str(slot), str(int(snap.avail_ring[slot])), t(STATES[state]) if state else stale))
        element, taken = snap.used_ring[slot], not snap.used_states[slot]
        used.append((str(slot), str(int(element["id"])), str(int(element["len"])), stale if taken else t(STATES[int(snap.used_states[slot])])))
    return ["\n".join("\t".join(row) for row in rows) for rows in (avail, used)]
