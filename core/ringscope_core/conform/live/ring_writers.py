"""The driver's side of a ring, as operations that write guest memory."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

NEXT: Final = 1
WRITE: Final = 2
INDIRECT: Final = 4
MASK64: Final = (1 << 64) - 1
AVAIL: Final = 0x80
USED: Final = 0x8000
MemoryWrite = Callable[[int, bytes], None]


@dataclass
class Descriptor:
    """One buffer; NEXT is added where a chain goes on."""

    addr: int
    length: int
    flags: int = 0


class RingWriter(Protocol):
    """A ring of either layout."""

    index: int
    size: int

    def chain(self, descriptors: list[Descriptor]) -> None:
        """Make a chain available; `publish` shows it."""

    def indirect(self, descriptors: list[Descriptor], table: int, length: int | None = None, flags: int = 0) -> None:
        """The same through an indirect table at `table`."""

    def publish(self) -> None:
        """Let the device see what was made available."""


def _pack(addr: int, length: int, third: int, fourth: int) -> bytes:
    return struct.pack("<QIHH", addr & MASK64, length & 0xFFFFFFFF, third & 0xFFFF, fourth & 0xFFFF)


class SplitWriter:
    """A split ring: descriptor table, available ring, used ring."""

    def __init__(self, write: MemoryWrite, index: int, size: int, desc: int, avail: int, used: int) -> None:
        self.write: MemoryWrite = write
        self.index: int = index
        self.size: int = size
        self.desc: int = desc
        self.avail: int = avail
        self.used: int = used
        self.idx: int = 0
        self.free: int = 0
        self.flags: int = 0

    def slot(self, number: int, addr: int, length: int, flags: int, following: int) -> None:
        """Write one descriptor."""
        self.write(self.desc + 16 * (number % self.size), _pack(addr, length, flags, following))

    def offer(self, head: int) -> None:
        """Put a head into the available ring."""
        self.write(self.avail + 4 + 2 * (self.idx % self.size), struct.pack("<H", head & 0xFFFF))
        self.idx = (self.idx + 1) & 0xFFFF

    def chain(self, descriptors: list[Descriptor]) -> None:
        head = self.free
        at = head
        for number, one in enumerate(descriptors):
            following = (at + 1) % self.size
            last = number == len(descriptors) - 1
            self.slot(at, one.addr, one.length, one.flags | (0 if last else NEXT), 0 if last else following)
            at = following
        self.free = at
        self.offer(head)

    def indirect(self, descriptors: list[Descriptor], table: int, length: int | None = None, flags: int = 0) -> None:
        last = len(descriptors) - 1
        data = b"".join(_pack(one.addr, one.length, one.flags | (NEXT if n < last else 0), n + 1 if n < last else 0) for n, one in enumerate(descriptors))
        if data:
            self.write(table, data)
        self.slot(self.free, table, len(data) if length is None else length, INDIRECT | flags, 0)
        self.offer(self.free)
        self.free = (self.free + 1) % self.size

    def publish(self) -> None:
        self.write(self.avail, struct.pack("<HH", self.flags, self.idx))

    def used_event(self, value: int) -> None:
        """The index at which the driver wants an interrupt."""
        self.write(self.avail + 4 + 2 * self.size, struct.pack("<H", value & 0xFFFF))


class PackedWriter:
    """A packed ring; wrap counters start at 1."""

    def __init__(self, write: MemoryWrite, index: int, size: int, desc: int, driver: int, device: int) -> None:
        self.write: MemoryWrite = write
        self.index: int = index
        self.size: int = size
        self.desc: int = desc
        self.driver: int = driver
        self.device: int = device
        self.place: int = 0
        self.wrap: int = 1
        self.ident: int = 0
        self._pending: list[tuple[int, bytes]] = []

    def flags(self) -> int:
        """What marks a descriptor available now."""
        return AVAIL if self.wrap else USED

    def raw(self, place: int, addr: int, length: int, ident: int, flags: int) -> None:
        """One descriptor, written at once."""
        self.write(self.desc + 16 * (place % self.size), _pack(addr, length, ident, flags))

    def step(self) -> None:
        """Go on to the next place."""
        self.place += 1
        if self.place >= self.size:
            self.place, self.wrap = 0, self.wrap ^ 1

    def _next_ident(self) -> int:
        ident = self.ident
        self.ident = (self.ident + 1) % self.size
        return ident

    def chain(self, descriptors: list[Descriptor]) -> None:
        ident = self._next_ident()
        last = len(descriptors) - 1
        made: list[tuple[int, bytes]] = []
        for number, one in enumerate(descriptors):
            flags = one.flags | self.flags() | (NEXT if number < last else 0)
            made.append((self.desc + 16 * self.place, _pack(one.addr, one.length, ident, flags)))
            self.step()
        self._pending += reversed(made)

    def indirect(self, descriptors: list[Descriptor], table: int, length: int | None = None, flags: int = 0) -> None:
        data = b"".join(_pack(one.addr, one.length, 0, one.flags) for one in descriptors)
        if data:
            self.write(table, data)
        packed = _pack(table, len(data) if length is None else length, self._next_ident(), INDIRECT | self.flags() | flags)
        self._pending.append((self.desc + 16 * self.place, packed))
        self.step()

    def publish(self) -> None:
        for address, data in self._pending:
            self.write(address, data)
        self._pending.clear()

    def event(self, off_wrap: int, flags: int) -> None:
        """The driver's event suppression area."""
        self.write(self.driver, struct.pack("<HH", off_wrap & 0xFFFF, flags & 0xFFFF))
