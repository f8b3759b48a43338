"""Hand-made rings for tests: heads used in order, every index where the test puts it."""

from __future__ import annotations

from ringscope_core.trace.fields import field
from ringscope_core.trace.state import (
    F_INUSE,
    F_LAST_AVAIL,
    F_LAST_USED,
    F_NOTIFICATION,
    F_NUM_FREE,
    F_SHADOW_AVAIL,
    F_SIGNALLED,
    F_SIGNALLED_VALID,
    F_USED_IDX,
    RingImage,
)


def _put16(data: bytearray, offset: int, value: int) -> None:
    data[offset : offset + 2] = (value & 0xFFFF).to_bytes(2, "little")


def descriptor(addr: int, length: int, flags: int, following: int) -> bytes:
    """One descriptor's 16 bytes."""
    return addr.to_bytes(8, "little") + length.to_bytes(4, "little") + flags.to_bytes(2, "little") + following.to_bytes(2, "little")


def make_ring(
    num: int, *, avail: int, last_avail: int, used: int, last_used: int, chain: int = 1, used_event: int = 0, avail_event: int = 0
) -> tuple[RingImage, dict[int, int]]:
    """A ring in which publication k has head ``k * chain % num``; indices are free-running and may be over 65535."""
    ring = RingImage(num, 0x10000, 0x20000, 0x30000)
    for slot in range(num):
        last = slot % chain == chain - 1
        ring.desc[16 * slot : 16 * slot + 16] = descriptor(0x100000 + 0x800 * slot, 100 + slot, 0 if last else 1, 0 if last else slot + 1)
    for k in range(max(0, avail - num // chain), avail):
        _put16(ring.avail, 4 + 2 * (k % num), k * chain % num)
    for k in range(max(0, used - num // chain), used):
        ring.used[4 + 8 * (k % num) : 12 + 8 * (k % num)] = (k * chain % num).to_bytes(4, "little") + (7).to_bytes(4, "little")
    _put16(ring.avail, 2, avail)
    _put16(ring.avail, 4 + 2 * num, used_event)
    _put16(ring.used, 2, used)
    _put16(ring.used, 4 + 8 * num, avail_event)
    values = {
        F_LAST_AVAIL: last_avail & 0xFFFF,
        F_SHADOW_AVAIL: avail & 0xFFFF,
        F_USED_IDX: used & 0xFFFF,
        F_SIGNALLED: used & 0xFFFF,
        F_SIGNALLED_VALID: 1,
        F_NOTIFICATION: 1,
        F_INUSE: last_avail - used,
        F_LAST_USED: last_used & 0xFFFF,
        F_NUM_FREE: num - (avail - last_used) * chain,
        field("vring_virtqueue.event", "bool"): 1,
    }
    return ring, {int(number): value for number, value in values.items()}
