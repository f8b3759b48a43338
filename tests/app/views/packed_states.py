"""Hand-made packed rings for tests: buffers one after the other round the ring, every place where the test puts it."""

from __future__ import annotations

from ringscope_core.trace.fields import field
from ringscope_core.trace.packed_slots import DESC_F_AVAIL, DESC_F_USED, F_DRIVER_AVAIL_WRAP, F_DRIVER_NEXT_AVAIL, F_DRIVER_USED_WRAP
from ringscope_core.trace.state import (
    F_INUSE,
    F_LAST_AVAIL,
    F_LAST_AVAIL_WRAP,
    F_LAST_USED,
    F_NOTIFICATION,
    F_NUM_FREE,
    F_SHADOW_AVAIL,
    F_SHADOW_AVAIL_WRAP,
    F_SIGNALLED,
    F_SIGNALLED_VALID,
    F_USED_IDX,
    F_USED_WRAP,
    RingImage,
)

DESC = 2
"""Flags of an event suppression structure that names a descriptor."""


def packed_descriptor(addr: int, length: int, ident: int, flags: int) -> bytes:
    """One descriptor's 16 bytes."""
    return addr.to_bytes(8, "little") + length.to_bytes(4, "little") + ident.to_bytes(2, "little") + flags.to_bytes(2, "little")


def event(off_wrap: int, flags: int) -> bytes:
    """An event suppression structure's 4 bytes."""
    return off_wrap.to_bytes(2, "little") + flags.to_bytes(2, "little")


def make_packed(num: int, *, avail: int, last_avail: int, used: int, last_used: int, chain: int = 1) -> tuple[RingImage, dict[int, int]]:
    """A ring in which descriptor k of all times stands at ``k % num``; buffers have `chain` descriptors, places are counted from the first one on."""
    ring = RingImage(num, 0x10000, 0x20000, 0x20004, True)
    for k in range(max(0, avail - num), avail):
        lap = 1 - k // num % 2
        head = k % chain == 0
        ident = k // chain % num
        if k < used and head:
            flags, length = (DESC_F_AVAIL | DESC_F_USED if lap else 0), 7
        else:
            flags, length = (DESC_F_AVAIL if lap else DESC_F_USED) | (0 if k % chain == chain - 1 else 1), 100 + k
        ring.desc[16 * (k % num) : 16 * (k % num) + 16] = packed_descriptor(0x100000 + 0x800 * (k % num), length, ident, flags)
    values = {
        F_LAST_AVAIL: last_avail % num,
        F_LAST_AVAIL_WRAP: 1 - last_avail // num % 2,
        F_SHADOW_AVAIL: avail % num,
        F_SHADOW_AVAIL_WRAP: 1 - avail // num % 2,
        F_USED_IDX: used % num,
        F_USED_WRAP: 1 - used // num % 2,
        F_SIGNALLED: used % num,
        F_SIGNALLED_VALID: 1,
        F_NOTIFICATION: 1,
        F_INUSE: last_avail - used,
        F_LAST_USED: last_used % num,
        F_DRIVER_USED_WRAP: 1 - last_used // num % 2,
        F_DRIVER_NEXT_AVAIL: avail % num,
        F_DRIVER_AVAIL_WRAP: 1 - avail // num % 2,
        F_NUM_FREE: num - (avail - last_used),
        field("vring_virtqueue.event", "bool"): 1,
    }
    return ring, {int(number): value for number, value in values.items()}
