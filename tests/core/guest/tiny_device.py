"""The device's half of a split ring in a few lines, for tests of the driver's half."""

from __future__ import annotations

import struct

from ringscope_core.guest.ring import Vring
from ringscope_core.trace.kinds import EV_AVAIL_EVENT, EV_FILL, EV_FLUSH, EV_USED_FLAGS
from ringscope_core.trace.log import EventLog


class TinyDevice:
    """Takes heads in order, gives them back in any order, and logs what it writes."""

    def __init__(self, ring: Vring, log: EventLog) -> None:
        self.ring = ring
        self.memory = ring.memory
        self.log = log
        self.last_avail_idx = 0
        self.used_idx = 0
        self.taken: list[int] = []

    def avail_idx(self) -> int:
        return self.memory.read_u16(self.ring.avail_gpa + 2)

    def used_event(self) -> int:
        return self.memory.read_u16(self.ring.avail_gpa + 4 + 2 * self.ring.num)

    def avail_flags(self) -> int:
        return self.memory.read_u16(self.ring.avail_gpa)

    def pop(self) -> int:
        """The next head, -1 when the driver has published no more."""
        if self.last_avail_idx == self.avail_idx():
            return -1
        head = self.memory.read_u16(self.ring.avail_gpa + 4 + 2 * (self.last_avail_idx % self.ring.num))
        self.last_avail_idx = (self.last_avail_idx + 1) & 0xFFFF
        self.taken.append(head)
        return head

    def descriptor(self, index: int, table: int = -1) -> tuple[int, int, int, int]:
        """Address, length, flags, next."""
        data = self.memory.read((self.ring.desc_gpa if table < 0 else table) + 16 * index, 16)
        addr, length, flags, following = struct.unpack("<QIHH", data)
        return addr, length, flags, following

    def chain(self, head: int) -> list[tuple[int, int, int]]:
        """(address, length, flags without NEXT) of each buffer, indirect or not."""
        addr, length, flags, following = self.descriptor(head)
        table = -1
        if flags & 4:
            table = addr
            addr, length, flags, following = self.descriptor(0, table)
        found = [(addr, length, flags & ~1)]
        while flags & 1:
            addr, length, flags, following = self.descriptor(following, table)
            found.append((addr, length, flags & ~1))
        return found

    def push(self, head: int, length: int = 0, batch: int = 0) -> None:
        """Give `head` back and publish it; with `batch` it stands for itself and the `batch` heads before it (in order only)."""
        slot = self.used_idx % self.ring.num
        last = self.taken.index(head)
        del self.taken[last - batch : last + 1]
        self.memory.write(self.ring.used_gpa + 4 + 8 * slot, head.to_bytes(4, "little") + length.to_bytes(4, "little"))
        self.log.emit(EV_FILL, self.ring.oid, slot, head, length)
        self.used_idx = (self.used_idx + 1 + batch) & 0xFFFF
        self.memory.write_u16(self.ring.used_gpa + 2, self.used_idx)
        self.log.emit(EV_FLUSH, self.ring.oid, self.used_idx, 1 + batch, len(self.taken), 0)

    def set_no_notify(self, value: int) -> None:
        """used.flags"""
        self.memory.write_u16(self.ring.used_gpa, value)
        self.log.emit(EV_USED_FLAGS, self.ring.oid, value, 1 - value)

    def set_avail_event(self, idx: int) -> None:
        """The index at whose publication the driver shall kick."""
        self.memory.write_u16(self.ring.used_gpa + 4 + 8 * self.ring.num, idx)
        self.log.emit(EV_AVAIL_EVENT, self.ring.oid, idx, 1)
