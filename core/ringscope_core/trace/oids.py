"""Object ids.  Objects count from 1, around the rings; a ring's id follows from its function's bus address, so that the driver and
the device, which share no object, name the same ring alike."""

from __future__ import annotations

from typing import Final

from mypy_extensions import i64

RING_BASE: Final[i64] = 0x10000
RINGS_PER_FUNCTION: Final[i64] = 1024
RING_END: Final[i64] = 0x4010000
"""Behind the last ring of the last function (65536 functions); objects count on from here when they have come to the rings."""


def ring_oid(bdf: i64, index: i64) -> i64:
    """The id of virtqueue `index` of the PCI function at `bdf` (bus << 8 | devfn)."""
    return RING_BASE + bdf * RINGS_PER_FUNCTION + index


def is_ring(oid: i64) -> bool:
    """Whether `oid` is a ring."""
    return RING_BASE <= oid < RING_END


def ring_index(oid: i64) -> i64:
    """The virtqueue's index of a ring id."""
    return (oid - RING_BASE) % RINGS_PER_FUNCTION


def ring_bdf(oid: i64) -> i64:
    """The PCI function of a ring id."""
    return (oid - RING_BASE) // RINGS_PER_FUNCTION
