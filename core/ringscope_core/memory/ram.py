"""Guest RAM.  The device reads it by snapshots (`bytes`) and writes it by slices."""

from __future__ import annotations

import mmap
from typing import Final, final

from librt.vecs import vec
from mypy_extensions import i64

PAGE: Final[i64] = 4096
NO_PAGE: Final[i64] = -0x4000000000000000
OPTION_ROMS: Final = 0xC0000
"""Where a PC's option ROMs lie, 128 KiB; RAM goes on behind them, up to the BIOS."""
OPTION_ROMS_SIZE: Final = 0x20000
BIOS_START: Final = 0xF0000
BIOS_SIZE: Final = 0x10000
HIGH_START: Final = 0x100000
BIOS_TOP: Final = 0xFFFF0000
"""The BIOS is seen here too, below 4 GiB."""
HLT: Final = b"\xf4"
"""The BIOS of a machine without an emulated processor does nothing but halt."""


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
    for one turn only.  The device itself writes frames meanwhile; a page that something is remembered of is *held*, and
    who writes into a held page ends the turn.
    """

    def __init__(self, regions: list[RamRegion]) -> None:
        if not regions:
            raise ValueError("guest memory needs at least one region")
        self.regions: list[RamRegion] = regions
        first = regions[0]
        self.base: i64 = first.gpa
        self.end: i64 = first.gpa + first.size
        self.view: memoryview = first.view
        """The RAM as one buffer; of a PC the whole, so that the index is the guest address."""
        self._fast: memoryview = first.view
        """Region 0's bytes; index 0 is guest address `base`."""
        self.roms: list[RamRegion] = []
        """What can be read like RAM and not be written."""
        self._mapping: mmap.mmap | None = None
        """All regions again, where they are parts of one map: a slice of it is `bytes` at once, half the price of a slice of a view."""
        self._origin: i64 = first.gpa
        """The guest address of the map's first byte."""
        self._low_base: i64 = 0
        self._low_end: i64 = 0
        """The region below the ROMs, in which a driver may put its rings."""
        self.turn: i64 = 0
        self._held: vec[i64] = vec[i64]([-1] * ((first.size + PAGE - 1) // PAGE))
        """The turn in which each page of region 0 (of the map, where there is one) was held last."""
        self._held_elsewhere: i64 = -1
        """The turn in which something outside of that was held last."""
        self.table: bytes = b""
        """Where `find_table` found it."""
        self._table_turn: i64 = -1
        self._table_page: i64 = NO_PAGE
        """The page that `table` is a copy of, NO_PAGE when it is a table alone."""
        self._other_table: bytes = b""
        self._other_turn: i64 = -1
        self._other_page: i64 = NO_PAGE
        self._last_page: i64 = NO_PAGE
        """Where the last table lay."""
        self._page_before: i64 = NO_PAGE
        """Where a table lay before that, in another page."""
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

    def rom_at(self, gpa: i64) -> RamRegion | None:
        """The ROM that holds `gpa`."""
        for rom in self.roms:
            if rom.gpa <= gpa < rom.gpa + rom.size:
                return rom
        return None

    def rom_length(self, gpa: i64, length: i64) -> i64:
        """How many of the `length` bytes from `gpa` on are one ROM's."""
        rom = self.rom_at(gpa)
        return 0 if rom is None else min(length, rom.gpa + rom.size - gpa)

    def section_length(self, gpa: i64, length: i64) -> i64:
        """How many of the `length` bytes from `gpa` on are one thing's: a RAM region's, a ROM's, or nobody's."""
        mapped = self.mapped_length(gpa, length)
        if mapped == 0:
            mapped = self.rom_length(gpa, length)
        if mapped:
            return mapped
        mapped = length
        if gpa < 0:
            # the upper half of the address space, as its signed twin; it ends at 2**64
            return -gpa if gpa > -length else length
        for region in self.regions + self.roms:
            if region.gpa > gpa and region.gpa - gpa < mapped:
                mapped = region.gpa - gpa
        return mapped

    def lies_in(self, mapping: mmap.mmap, origin: i64) -> None:
        """Every region is a part of `mapping`, whose first byte is guest address `origin`."""
        self._mapping = mapping
        self._origin = origin
        self._held = vec[i64]([-1] * ((len(mapping) + PAGE - 1) // PAGE))
        if len(self.regions) > 1:
            low = self.regions[1]
            self._low_base = low.gpa
            self._low_end = low.gpa + low.size

    def add_rom(self, gpa: i64, content: bytes) -> None:
        """`content` can be read at `gpa`; writes there are dropped."""
        self.roms.append(RamRegion(gpa, len(content), memoryview(content)))

    def read(self, gpa: i64, length: i64) -> bytes:
        """`length` bytes at `gpa`; where there is neither RAM nor ROM they are zeros (unassigned memory)."""
        start = gpa - self.base
        if gpa >= self.base and length >= 0 and length <= self.end - gpa:
            mapping = self._mapping
            if mapping is not None:
                start = gpa - self._origin
                return mapping[start : start + length]
            return self._fast[start : start + length].tobytes()
        if gpa >= self._low_base and length >= 0 and length <= self._low_end - gpa:
            mapping = self._mapping
            if mapping is not None:
                start = gpa - self._origin
                return mapping[start : start + length]
        return self._read_slow(gpa, length)

    def _read_slow(self, gpa: i64, length: i64) -> bytes:
        parts: list[bytes] = []
        while length > 0:
            n = self.section_length(gpa, length)
            region = self.region_at(gpa)
            if region is None:
                region = self.rom_at(gpa)
            if region is None:
                parts.append(bytes(n))
                gpa += n
                length -= n
                continue
            start = gpa - region.gpa
            parts.append(region.view[start : start + n].tobytes())
            gpa += n
            length -= n
        return b"".join(parts)

    def write(self, gpa: i64, data: bytes) -> None:
        """Write `data` at `gpa`; what is not RAM is dropped."""
        n: i64 = len(data)
        if gpa >= self.base and n <= self.end - gpa:
            start = gpa - self.base
            mapping = self._mapping
            if mapping is not None:
                start = gpa - self._origin
                mapping[start : start + n] = data
            else:
                self._fast[start : start + n] = data
            return
        if gpa >= self._low_base and n <= self._low_end - gpa:
            mapping = self._mapping
            if mapping is not None:
                start = gpa - self._origin
                mapping[start : start + n] = data
                return
        self._write_slow(gpa, data)

    def _write_slow(self, gpa: i64, data: bytes) -> None:
        offset: i64 = 0
        total: i64 = len(data)
        while offset < total:
            n = self.mapped_length(gpa + offset, total - offset)
            if n == 0:
                offset += self.section_length(gpa + offset, total - offset)
                continue
            region = self.region_at(gpa + offset)
            assert region is not None
            start = gpa + offset - region.gpa
            region.view[start : start + n] = data[offset : offset + n]
            offset += n

    def is_direct(self, gpa: i64) -> bool:
        """Whether a ring at `gpa` is read straight from memory (RAM or ROM)."""
        return self.region_at(gpa) is not None or self.rom_at(gpa) is not None

    def cached_table(self, gpa: i64, length: i64) -> bytes:
        """A descriptor table as the device reads it through a region cache (address_space_read_cached, 16 bytes at a time).

        Where there is neither RAM nor ROM, QEMU takes the first piece of a read (4 bytes, fewer when not aligned) from nobody and looks
        for the rest at its place in the cache as if that were a guest address; so does this.
        """
        if self.is_direct(gpa):
            return self.read(gpa, length)
        table = bytearray(self.read(0, length))
        for place in range(first_piece(gpa)):
            table[place::16] = bytes(len(table[place::16]))
        return bytes(table)

    def cached_write(self, gpa: i64, offset: i64, data: bytes) -> None:
        """Write `data` at `offset` of a region cache that begins at `gpa` (address_space_write_cached), with QEMU's slip of `cached_table`."""
        if self.region_at(gpa) is not None:
            self.write(gpa + offset, data)
            return
        piece = first_piece(gpa + offset)
        self.write(offset + piece, data[piece:])

    # -- what is remembered for a turn --------------------------------------------------------------------------------
    def hold(self, gpa: i64, length: i64) -> None:
        """The device remembers what it read at `gpa` until the turn ends."""
        if length <= 0:
            return
        offset = gpa - self._origin
        if gpa < self._origin or length > len(self._held) * PAGE - offset:
            self._held_elsewhere = self.turn
            return
        page = offset // PAGE
        last = (offset + length - 1) // PAGE
        while page <= last:
            self._held[page] = self.turn
            page += 1

    def held(self, gpa: i64, length: i64) -> bool:
        """Whether something is remembered of a page that these bytes lie in; where pages are not counted always, to be safe."""
        if length <= 0:
            return False
        offset = gpa - self._origin
        if gpa < self._origin or length > len(self._held) * PAGE - offset:
            return True
        if self._held_elsewhere == self.turn:
            return True
        page = offset // PAGE
        last = (offset + length - 1) // PAGE
        while page <= last:
            if self._held[page] == self.turn:
                return True
            page += 1
        return False

    def find_table(self, gpa: i64, length: i64, packed: bool = False) -> i64:
        """Read a table of descriptors; it begins in `table` at the offset returned.

        Drivers take their tables from the same page one after the other, so the second one of a page brings all of them.  Two
        pages are kept, for a frame goes from one queue to another.
        """
        page = gpa // PAGE
        start = page * PAGE
        turn = self.turn
        if length <= PAGE - (gpa - start):
            if page == self._table_page and self._table_turn == turn:
                return gpa - start
            self._swap_tables()
            if page == self._table_page and self._table_turn == turn:
                return gpa - start
            self._table_turn = turn
            if (page == self._last_page or page == self._page_before) and start >= self.base and start <= self.end - PAGE:
                self._table_page = page
                self.table = self.read(start, PAGE)
                self.hold(start, PAGE)
                return gpa - start
        if page != self._last_page:
            self._page_before = self._last_page
            self._last_page = page
        self._table_page = NO_PAGE
        # a packed descriptor is read member by member, none of which is longer than a piece
        self.table = self.read(gpa, length) if packed else self.cached_table(gpa, length)
        return 0

    def _swap_tables(self) -> None:
        """The other page kept comes to the front."""
        table = self.table
        page = self._table_page
        turn = self._table_turn
        self.table = self._other_table
        self._table_page = self._other_page
        self._table_turn = self._other_turn
        self._other_table = table
        self._other_page = page
        self._other_turn = turn

    def read_u16(self, gpa: i64) -> i64:
        """The little-endian 16 bit word at `gpa`."""
        data = self.read(gpa, 2)
        return i64(data[0]) | i64(data[1]) << 8

    def write_u16(self, gpa: i64, value: i64) -> None:
        """Write a little-endian 16 bit word."""
        self.write(gpa, bytes([value & 0xFF, value >> 8 & 0xFF]))


def first_piece(gpa: i64) -> i64:
    """Bytes that an access to what is not RAM moves at once: 4, or as many as `gpa` is aligned to."""
    if gpa & 1:
        return 1
    return 2 if gpa & 2 else 4


def anonymous_ram(size: int) -> GuestMemory:
    """`size` bytes of zeroed RAM from address 0 on."""
    if size < PAGE or size % PAGE:
        raise ValueError(f"guest RAM of {size} bytes: must be a positive multiple of {PAGE}")
    mapping = mmap.mmap(-1, size)
    memory = GuestMemory([RamRegion(0, size, memoryview(mapping))])
    memory.lies_in(mapping, 0)
    return memory


def pc_ram(size: int) -> GuestMemory:
    """`size` bytes of zeroed RAM as a PC without a display adapter shows it to devices: option ROMs and BIOS lie over it below 1 MiB."""
    if size < PAGE or size % PAGE:
        raise ValueError(f"guest RAM of {size} bytes: must be a positive multiple of {PAGE}")
    mapping = mmap.mmap(-1, size)
    view = memoryview(mapping)
    spans = [(HIGH_START, size), (0, min(size, OPTION_ROMS)), (OPTION_ROMS + OPTION_ROMS_SIZE, min(size, BIOS_START))]
    memory = GuestMemory([RamRegion(start, end - start, view[start:end]) for start, end in spans if end > start])
    memory.view = view
    memory.lies_in(mapping, 0)
    memory.add_rom(OPTION_ROMS, bytes(OPTION_ROMS_SIZE))
    memory.add_rom(BIOS_START, HLT * BIOS_SIZE)
    memory.add_rom(BIOS_TOP, HLT * BIOS_SIZE)
    return memory
