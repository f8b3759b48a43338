"""Events from a file are numbers from a stranger: those that the fold uses as sizes or positions are checked first."""

from __future__ import annotations

from typing import Final

import numpy as np

from ringscope_core.session.keyframes import MAX_RING
from ringscope_core.session.rows import Events
from ringscope_core.trace import kinds as k

_RANGES: Final[tuple[tuple[int, str, int, int], ...]] = (
    (int(k.EV_RING_RESET), "a0", 0, MAX_RING),
    (int(k.EV_DESC_WRITE), "a0", 0, MAX_RING - 1),
    (int(k.EV_IND_WRITE), "a0", 0, 65535),
    (int(k.EV_IND_WRITE), "a1", 0, 65535),
    (int(k.EV_AVAIL_ADD), "a0", 0, MAX_RING - 1),
    (int(k.EV_FILL), "a0", 0, MAX_RING - 1),
    (int(k.EV_FILL), "a1", 0, 2**32 - 1),
    (int(k.EV_USED_DESC), "a0", 0, MAX_RING - 1),
)
"""Kind, argument, lowest and highest value."""


def check_foldable(events: Events) -> None:
    """Raises ValueError when folding `events` could take memory or time out of proportion."""
    kinds = events["kind"]
    for number, name, low, high in _RANGES:
        values = events[name][kinds == number]
        if len(values) and (int(values.min()) < low or int(values.max()) > high):
            raise ValueError(f"an event {k.KIND_BY_NUMBER[number].name} has {name} = {int(values[np.argmax(np.abs(values))])}")
