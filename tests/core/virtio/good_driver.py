"""A driver that keeps the rules, for split and packed rings: it knows which chains are out and takes each back once."""

from __future__ import annotations

import struct

from tests.core.rig import INDIRECT, NEXT, WRITE, Rig

AVAIL, USED = 0x80, 0x8000
Buffers = list[tuple[int, int, bool]]
"""(address, length, writable)"""


class GoodQueue:
    """The driver's half of one ring."""

    def __init__(self, rig: Rig, index: int, size: int) -> None:
        self.rig = rig
        self.index = index
        self.size = size
        self.packed = bool(rig.n.packed)
        self.base = rig.ring_at(index)
        self.table_at = 0x2C0000 + index * 0x20000
        self.out: dict[int, list[int]] = {}
        """Chains that are out: the ring's descriptors by id."""
        self.free = list(range(size))
        self.avail_idx = 0
        self.avail_wrap = True
        self.used_idx = 0
        self.used_wrap = True

    def room(self) -> int:
        """Descriptors that are free."""
        return len(self.free)

    def add(self, buffers: Buffers, indirect: bool) -> int:
        """Give a chain; returns its id."""
        if indirect:
            ident = self.free[0]
            table = self.table_at + 512 * ident
            entries = b""
            for i, (addr, length, writable) in enumerate(buffers):
                flags = (WRITE if writable else 0) | (0 if self.packed or i == len(buffers) - 1 else NEXT)
                entries += struct.pack("<QIHH", addr, length, 0, flags) if self.packed else struct.pack("<QIHH", addr, length, flags, i + 1)
            self.rig.write(table, entries)
            buffers = [(table, 16 * len(buffers), False)]
        slots = [self.free.pop(0) for _ in buffers]
        self.out[slots[0]] = slots
        if self.packed:
            self._add_packed(slots[0], buffers, indirect)
        else:
            for i, ((addr, length, writable), slot) in enumerate(zip(buffers, slots, strict=True)):
                flags = (WRITE if writable else 0) | (INDIRECT if indirect else 0) | (NEXT if i < len(buffers) - 1 else 0)
                self.rig.desc(self.index, slot, addr, length, flags, slots[i + 1] if i < len(slots) - 1 else 0)
            self.rig.publish(self.index, slots[0])
        return slots[0]

    def _add_packed(self, ident: int, buffers: Buffers, indirect: bool) -> None:
        place, wrap = self.avail_idx, self.avail_wrap
        first: tuple[int, bytes] | None = None
        for i, (addr, length, writable) in enumerate(buffers):
            flags = (WRITE if writable else 0) | (INDIRECT if indirect else 0) | (NEXT if i < len(buffers) - 1 else 0) | (AVAIL if wrap else USED)
            data = struct.pack("<QIHH", addr, length, ident, flags)
            if first is None:
                first = (place, data)
            else:
                self.rig.write(self.base + 16 * place, data)
            place += 1
            if place == self.size:
                place, wrap = 0, not wrap
        assert first is not None
        # the first descriptor last: with it the chain is there
        self.rig.write(self.base + 16 * first[0], first[1])
        self.avail_idx, self.avail_wrap = place, wrap

    def take(self) -> list[tuple[int, int]]:
        """What the device has used since the last time, (id, length); a chain that is not out is an error."""
        found = []
        while True:
            if self.packed:
                _, length, ident, flags = struct.unpack("<QIHH", self.rig.read(self.base + 16 * self.used_idx, 16))
                if not bool(flags & AVAIL) == bool(flags & USED) == self.used_wrap:
                    return found
            else:
                if self.rig.u16(self.base + 0x8002) == self.used_idx:
                    return found
                ident, length = struct.unpack("<II", self.rig.read(self.base + 0x8004 + 8 * (self.used_idx % self.size), 8))
            slots = self.out.pop(ident)
            self.free += slots
            if self.packed:
                self.used_idx += len(slots)
                if self.used_idx >= self.size:
                    self.used_idx -= self.size
                    self.used_wrap = not self.used_wrap
            else:
                self.used_idx = (self.used_idx + 1) & 0xFFFF
            found.append((ident, length))
