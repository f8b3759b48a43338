"""The device's half of a packed ring in a few lines, for tests of the driver's half (virtio 1.1, 2.7)."""

from __future__ import annotations

import struct
from typing import NamedTuple

from ringscope_core.guest.packed_ring import PackedRing
from ringscope_core.trace.kinds import EV_DEVICE_EVENT, EV_USED_DESC
from ringscope_core.trace.log import EventLog

AVAIL, USED = 0x80, 0x8000


class Chain(NamedTuple):
    """One buffer as the device sees it."""

    ident: int
    slots: int
    pieces: list[tuple[int, int, int]]
    """(address, length, flags without AVAIL, USED and NEXT) of each piece, indirect or not."""


class TinyPackedDevice:
    """Takes buffers in order, gives them back in any order, and logs what it writes."""

    def __init__(self, ring: PackedRing, log: EventLog) -> None:
        self.ring = ring
        self.memory = ring.memory
        self.log = log
        self.next, self.wrap = 0, 1
        self.used, self.used_wrap = 0, 1
        self.taken: list[Chain] = []

    def descriptor(self, slot: int) -> tuple[int, int, int, int]:
        """Address, length, id, flags."""
        addr, length, ident, flags = struct.unpack("<QIHH", self.memory.read(self.ring.desc_gpa + 16 * slot, 16))
        return addr, length, ident, flags

    def driver_event(self) -> tuple[int, int]:
        """off_wrap and flags of the driver's event suppression structure."""
        return self.memory.read_u16(self.ring.avail_gpa), self.memory.read_u16(self.ring.avail_gpa + 2)

    def pop(self) -> Chain | None:
        """The next buffer, None when the driver has made no more available."""
        slot, wrap, slots = self.next, self.wrap, 0
        pieces: list[tuple[int, int, int]] = []
        while True:
            addr, length, ident, flags = self.descriptor(slot)
            if slots == 0 and (bool(flags & AVAIL) != bool(wrap) or bool(flags & USED) == bool(wrap)):
                return None
            assert bool(flags & AVAIL) == bool(wrap) and bool(flags & USED) != bool(wrap), "the whole chain is available"
            slots += 1
            slot += 1
            if slot == self.ring.num:
                slot, wrap = 0, 1 - wrap
            if flags & 4:
                for at in range(0, length, 16):
                    a, n, zero, f = struct.unpack("<QIHH", self.memory.read(addr + at, 16))
                    assert zero == 0
                    pieces.append((a, n, f))
            else:
                pieces.append((addr, length, flags & ~(AVAIL | USED | 1)))
            if flags & 4 or not flags & 1:
                break
        self.next, self.wrap = slot, wrap
        chain = Chain(ident, slots, pieces)
        self.taken.append(chain)
        return chain

    def push(self, chain: Chain, length: int = 0, batch: int = 0) -> None:
        """Give `chain` back; with `batch` it stands for itself and the `batch` buffers before it (in order only)."""
        flags = AVAIL | USED if self.used_wrap else 0
        where = self.ring.desc_gpa + 16 * self.used
        self.memory.write(where + 8, struct.pack("<IHH", length, chain.ident, flags))
        self.log.emit(EV_USED_DESC, self.ring.oid, self.used, chain.ident, length, flags)
        last = self.taken.index(chain)
        for member in self.taken[last - batch : last + 1]:
            self.used += member.slots
            if self.used >= self.ring.num:
                self.used -= self.ring.num
                self.used_wrap = 1 - self.used_wrap
        del self.taken[last - batch : last + 1]

    def want(self, slot: int, wrap: int, flags: int) -> None:
        """The device's event suppression structure."""
        off_wrap = slot | wrap << 15
        self.memory.write(self.ring.used_gpa, struct.pack("<HH", off_wrap, flags))
        self.log.emit(EV_DEVICE_EVENT, self.ring.oid, off_wrap, flags, 1)
