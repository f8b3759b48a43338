"""Guest RAM.  The device reads it by snapshots (`bytes`) and writes it by slices."""

from __future__ import annotations

import mmap
from typing import Final, final

from mypy_extensions import i64

PAGE: Final[i64] = 4096


class RamRegion:
    """`size` bytes of RAM at guest physical address `gpa`, over any writable buffer."""

    def __init__(self, gpa: i64, size: i64, view: memoryview) -> None:
        self.gpa: i64 = gpa
        self.size: i64 = size
        self.view: memoryview = view


@final
class GuestMemory:
    """A guest's RAM.  Region 0 is the one nearly every access falls into.

    `turn` counts the times the guest (or anyone else) may have written: what the device remembers of a ring is good
    for one turn only.
    """

    def __init__(self, regions: list[RamRegion]) -> None:
        if not regions:
            raise ValueError("guest memory needs at least one region")
        self.regions: list[RamRegion] = regions
        first = regions[0]
        self.base: i64 = first.gpa
        self.end: i64 = first.gpa + first.size
        self.view: memoryview = first.view
        """Region 0's bytes; index 0 is guest address `base`."""
        self.turn: i64 = 0
        self.bounce_busy: bool = False
        """QEMU's single bounce buffer, for DMA to what is not RAM, is in use."""

    def region_at(self, gpa: i64) -> RamRegion | None:
        """The region that holds `gpa`, None where there is no RAM."""
        for region in self.regions:
            if region.gpa <= gpa < region.gpa + region.size:
                return region
        return None

    def mapped_length(self, gpa: i64, length: i64) -> i64:
        """How many of the `length` bytes from `gpa` on are RAM of one region (address_space_map's shortened length)."""
        region = self.region_at(gpa)
        if region is None:
            return 0
        room = region.gpa + region.size - gpa
        return min(length, room)

    def read(self, gpa: i64, length: i64) -> bytes:
        """`length` bytes at `gpa`; what is not RAM reads as zeros (unassigned memory)."""
        start = gpa - self.base
        if gpa >= self.base and length >= 0 and length <= self.end - gpa:
            return self.view[start : start + length].tobytes()
        return self._read_slow(gpa, length)

    def _read_slow(self, gpa: i64, length: i64) -> bytes:
        parts: list[bytes] = []
        while length > 0:
            region = self.region_at(gpa)
            if region is None:
                n = self._hole(gpa, length)
                parts.append(bytes(n))
                gpa += n
                length -= n
                continue
            n = self.mapped_length(gpa, length)
            start = gpa - region.gpa
            parts.append(region.view[start : start + n].tobytes())
            gpa += n
            length -= n
        return b"".join(parts)

    def _hole(self, gpa: i64, length: i64) -> i64:
        """How many of the `length` bytes from `gpa` on, which is no RAM, come before the next RAM."""
        room = length
        for region in self.regions:
            if region.gpa > gpa and region.gpa - gpa < room:
                room = region.gpa - gpa
        return room

    def write(self, gpa: i64, data: bytes) -> None:
        """Write `data` at `gpa`; what is not RAM is dropped."""
        n: i64 = len(data)
        if gpa >= self.base and n <= self.end - gpa:
            start = gpa - self.base
            self.view[start : start + n] = data
            return
        self._write_slow(gpa, data)

    def _write_slow(self, gpa: i64, data: bytes) -> None:
        offset: i64 = 0
        total: i64 = len(data)
        while offset < total:
            n = self.mapped_length(gpa + offset, total - offset)
            if n == 0:
                offset += self._hole(gpa + offset, total - offset)
                continue
            region = self.region_at(gpa + offset)
            assert region is not None
            start = gpa + offset - region.gpa
            region.view[start : start + n] = data[offset : offset + n]
            offset += n

    def read_u16(self, gpa: i64) -> i64:
        """The little-endian 16 bit word at `gpa`."""
        data = self.read(gpa, 2)
        return i64(data[0]) | i64(data[1]) << 8

    def write_u16(self, gpa: i64, value: i64) -> None:
        """Write a little-endian 16 bit word."""
        self.write(gpa, bytes([value & 0xFF, value >> 8 & 0xFF]))


def anonymous_ram(size: int) -> GuestMemory:
    """`size` bytes of zeroed RAM from address 0 on."""
    if size < PAGE or size % PAGE:
        raise ValueError(f"guest RAM of {size} bytes: must be a positive multiple of {PAGE}")
    return GuestMemory([RamRegion(0, size, memoryview(mmap.mmap(-1, size)))])
