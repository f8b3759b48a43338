"""PCI from the guest's side: bus scan, sizing and placing of BARs, capability walk.

There is no firmware, so the guest's own start-up places the BARs where a PC's BIOS would.
"""

from __future__ import annotations

from typing import Final, final

from mypy_extensions import i64

from ringscope_core.hw.ports import GuestPorts

VENDOR_ID: Final[i64] = 0x00
DEVICE_ID: Final[i64] = 0x02
COMMAND: Final[i64] = 0x04
STATUS: Final[i64] = 0x06
REVISION: Final[i64] = 0x08
HEADER_TYPE: Final[i64] = 0x0E
BAR0: Final[i64] = 0x10
SUBSYSTEM_ID: Final[i64] = 0x2E
ROM_BAR: Final[i64] = 0x30
CAPABILITIES: Final[i64] = 0x34
INTERRUPT_PIN: Final[i64] = 0x3D

COMMAND_IO: Final[i64] = 1
COMMAND_MEMORY: Final[i64] = 2
COMMAND_MASTER: Final[i64] = 4
COMMAND_INTX_DISABLE: Final[i64] = 0x400
STATUS_CAP_LIST: Final[i64] = 0x10

CAP_VENDOR: Final[i64] = 0x09
CAP_MSIX: Final[i64] = 0x11

IO_WINDOW: Final[i64] = 0xC000
IO_WINDOW_END: Final[i64] = 0x10000
PREFETCH_WINDOW: Final[i64] = 0xE0000000
PREFETCH_WINDOW_END: Final[i64] = 0xFC000000
MEMORY_WINDOW: Final[i64] = 0xFC000000
MEMORY_WINDOW_END: Final[i64] = 0xFEC00000
"""Below the IOAPIC, as a PC's BIOS has it."""


class PciResourceError(Exception):
    """A BAR does not fit the windows of the board."""


@final
class PciBar:
    """One base address register after sizing."""

    def __init__(self, index: i64, io: bool, prefetch: bool, wide: bool, size: i64) -> None:
        self.index: i64 = index
        """0..5; 6 is the expansion ROM."""
        self.io: bool = io
        self.prefetch: bool = prefetch
        self.wide: bool = wide
        """A 64 bit BAR, which takes the next register too."""
        self.size: i64 = size
        self.address: i64 = 0
        """Where it was placed: an I/O port or a guest physical address."""


@final
class PciCapability:
    """One entry of the capability list."""

    def __init__(self, number: i64, offset: i64) -> None:
        self.number: i64 = number
        self.offset: i64 = offset


@final
class PciFunction:
    """A function the scan found."""

    def __init__(self, ports: GuestPorts, bdf: i64) -> None:
        self.ports: GuestPorts = ports
        self.bdf: i64 = bdf
        self.vendor: i64 = ports.cfg_read(bdf, VENDOR_ID, 2)
        self.device: i64 = ports.cfg_read(bdf, DEVICE_ID, 2)
        self.revision: i64 = ports.cfg_read(bdf, REVISION, 1)
        self.subsystem: i64 = ports.cfg_read(bdf, SUBSYSTEM_ID, 2)
        self.pin: i64 = ports.cfg_read(bdf, INTERRUPT_PIN, 1)
        self.bars: list[PciBar] = []
        self.capabilities: list[PciCapability] = []

    def bar(self, index: i64) -> PciBar | None:
        """BAR `index`, None when the function has none there."""
        for bar in self.bars:
            if bar.index == index:
                return bar
        return None

    def capability(self, number: i64) -> PciCapability | None:
        """The first capability with that id."""
        for cap in self.capabilities:
            if cap.number == number:
                return cap
        return None

    def read_capabilities(self) -> None:
        """Walk the list from offset 0x34; stops after 48 entries, as many as fit into configuration space."""
        ports = self.ports
        if not ports.cfg_read(self.bdf, STATUS, 2) & STATUS_CAP_LIST:
            return
        offset = ports.cfg_read(self.bdf, CAPABILITIES, 1) & 0xFC
        while offset and len(self.capabilities) < 48:
            self.capabilities.append(PciCapability(ports.cfg_read(self.bdf, offset, 1), offset))
            offset = ports.cfg_read(self.bdf, offset + 1, 1) & 0xFC

    def set_command(self, bits: i64) -> None:
        """Turn on bits of the command register (I/O, memory, bus master)."""
        command = self.ports.cfg_read(self.bdf, COMMAND, 2)
        self.ports.cfg_write(self.bdf, COMMAND, 2, command | bits)

    def clear_command(self, bits: i64) -> None:
        """Turn off bits of the command register."""
        command = self.ports.cfg_read(self.bdf, COMMAND, 2)
        self.ports.cfg_write(self.bdf, COMMAND, 2, command & ~bits)


@final
class PciBus:
    """Bus 0: its functions, and the windows their BARs are placed in."""

    def __init__(self, ports: GuestPorts) -> None:
        self.ports: GuestPorts = ports
        self.functions: list[PciFunction] = []
        self._io: i64 = IO_WINDOW
        self._memory: i64 = MEMORY_WINDOW
        self._prefetch: i64 = PREFETCH_WINDOW
        self._freed: list[PciBar] = []
        """Places of functions that are gone."""

    def scan(self) -> None:
        """Find every function of the bus in the order of its number, size and place its BARs, read its capabilities."""
        for slot in range(32):
            self._scan_slot(slot)

    def _scan_slot(self, slot: i64) -> None:
        functions: i64 = 1
        if self.ports.cfg_read(slot << 3, VENDOR_ID, 2) != 0xFFFF and self.ports.cfg_read(slot << 3, HEADER_TYPE, 1) & 0x80:
            functions = 8
        for number in range(functions):
            self._probe(slot << 3 | number)

    def rescan(self) -> list[PciFunction]:
        """Forget functions that are gone, find new ones; returns the latter.  What the slot's hot plug notification makes a guest do."""
        kept: list[PciFunction] = []
        for function in self.functions:
            if self.is_there(function):
                kept.append(function)
            else:
                self._freed.extend(function.bars)
        known = {int(function.bdf) >> 3 for function in kept}
        self.functions = []
        for slot in range(32):
            if slot not in known:
                self._scan_slot(slot)
        found = self.functions
        self.functions = sorted(kept + found, key=_number)
        return found

    def is_there(self, function: PciFunction) -> bool:
        """Whether that very function still stands in its slot."""
        return self.ports.cfg_read(function.bdf, VENDOR_ID, 2) == function.vendor and self._is_placed(function)

    def _is_placed(self, function: PciFunction) -> bool:
        """Whether the BARs are where they were put: a new function in an old one's place has none."""
        for bar in function.bars:
            register = ROM_BAR if bar.index == 6 else BAR0 + 4 * bar.index
            if self.ports.cfg_read(function.bdf, register, 4) & 0xFFFFFFF0 != bar.address & 0xFFFFFFF0:
                return False
        return True

    def _probe(self, bdf: i64) -> None:
        if self.ports.cfg_read(bdf, VENDOR_ID, 2) == 0xFFFF:
            return
        function = PciFunction(self.ports, bdf)
        # A bridge's header has other things where a device's has its BARs 2..5.
        if self.ports.cfg_read(bdf, HEADER_TYPE, 1) & 0x7F == 0:
            self._size_bars(function)
            for bar in function.bars:
                self._place(function, bar)
            function.read_capabilities()
        self.functions.append(function)

    def _size_bars(self, function: PciFunction) -> None:
        index: i64 = 0
        while index < 6:
            bar = self._size_bar(function, index)
            if bar is None:
                index += 1
                continue
            function.bars.append(bar)
            index += 2 if bar.wide else 1
        mask = self._write_ones(function, ROM_BAR, 0xFFFFF800)
        if mask & 0xFFFFF800:
            function.bars.append(PciBar(6, False, False, False, (~(mask & 0xFFFFF800) + 1) & 0xFFFFFFFF))

    def _size_bar(self, function: PciFunction, index: i64) -> PciBar | None:
        """Write all ones and see which address bits stick."""
        register = BAR0 + 4 * index
        mask = self._write_ones(function, register, 0xFFFFFFFF)
        if mask == 0:
            return None
        if mask & 1:
            return PciBar(index, True, False, False, (~(mask & 0xFFFFFFFC) + 1) & 0xFFFF)
        wide = mask >> 1 & 3 == 2
        size = (~(mask & 0xFFFFFFF0) + 1) & 0xFFFFFFFF
        if wide:
            self._write_ones(function, register + 4, 0xFFFFFFFF)
        return PciBar(index, False, mask & 8 != 0, wide, size)

    def _write_ones(self, function: PciFunction, register: i64, ones: i64) -> i64:
        ports = self.ports
        old = ports.cfg_read(function.bdf, register, 4)
        ports.cfg_write(function.bdf, register, 4, ones)
        mask = ports.cfg_read(function.bdf, register, 4)
        ports.cfg_write(function.bdf, register, 4, old)
        return mask

    def _place(self, function: PciFunction, bar: PciBar) -> None:
        freed = self._take_freed(bar)
        if freed:
            bar.address = freed
        elif bar.io:
            bar.address = _aligned(self._io, bar.size, IO_WINDOW_END)
            self._io = bar.address + bar.size
        elif bar.prefetch:
            bar.address = _aligned(self._prefetch, bar.size, PREFETCH_WINDOW_END)
            self._prefetch = bar.address + bar.size
        else:
            bar.address = _aligned(self._memory, bar.size, MEMORY_WINDOW_END)
            self._memory = bar.address + bar.size
        register = ROM_BAR if bar.index == 6 else BAR0 + 4 * bar.index
        self.ports.cfg_write(function.bdf, register, 4, bar.address)
        if bar.wide:
            self.ports.cfg_write(function.bdf, register + 4, 4, bar.address >> 32)

    def _take_freed(self, bar: PciBar) -> i64:
        """A place of the same kind and size that is free again, 0 for none."""
        for place, old in enumerate(self._freed):
            if old.size == bar.size and old.io == bar.io and old.prefetch == bar.prefetch:
                del self._freed[place]
                return old.address
        return 0


def _number(function: PciFunction) -> int:
    return int(function.bdf)


def _aligned(address: i64, size: i64, end: i64) -> i64:
    """The first multiple of `size` from `address` on; raises PciResourceError when it passes `end`."""
    start = (address + size - 1) // size * size
    if start + size > end:
        raise PciResourceError(f"a BAR of {size:#x} bytes does not fit below {end:#x}")
    return start
