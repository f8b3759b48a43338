"""PCI from the guest's side: scan of the buses, sizing and placing of BARs, bridges' numbers and windows, capability walk.

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
# a bridge's header
PRIMARY_BUS: Final[i64] = 0x18
SECONDARY_BUS: Final[i64] = 0x19
SUBORDINATE_BUS: Final[i64] = 0x1A
BRIDGE_IO_BASE: Final[i64] = 0x1C
BRIDGE_MEMORY_BASE: Final[i64] = 0x20
BRIDGE_PREFETCH_BASE: Final[i64] = 0x24
BRIDGE_PREFETCH_UPPER: Final[i64] = 0x28

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
BRIDGE_IO: Final[i64] = 0x1000
BRIDGE_MEMORY: Final[i64] = 0x200000
BRIDGE_PREFETCH: Final[i64] = 0x1000000
"""What a bridge gets, so that a card can be plugged in later."""


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
class PciWindows:
    """The I/O ports, memory and prefetchable memory that one bus hands out to its functions."""

    def __init__(self, io: i64, io_end: i64, memory: i64, memory_end: i64, prefetch: i64, prefetch_end: i64) -> None:
        self.io: i64 = io
        self.io_end: i64 = io_end
        self.memory: i64 = memory
        self.memory_end: i64 = memory_end
        self.prefetch: i64 = prefetch
        self.prefetch_end: i64 = prefetch_end
        self.bus: i64 = 0
        """The bus they are for."""
        self._whole: tuple[int, int, int] = (int(io), int(memory), int(prefetch))
        """Where each begins."""
        self._freed: list[PciBar] = []
        """Places of functions that are gone."""
        self._carved: list[PciWindows] = []
        """Windows of bridges that are gone."""

    def place(self, bar: PciBar) -> None:
        """Give `bar` an address; raises PciResourceError."""
        for number, old in enumerate(self._freed):
            if old.size == bar.size and old.io == bar.io and old.prefetch == bar.prefetch:
                del self._freed[number]
                bar.address = old.address
                return
        if bar.io:
            bar.address = _aligned(self.io, bar.size, self.io_end)
            self.io = bar.address + bar.size
        elif bar.prefetch:
            bar.address = _aligned(self.prefetch, bar.size, self.prefetch_end)
            self.prefetch = bar.address + bar.size
        else:
            bar.address = _aligned(self.memory, bar.size, self.memory_end)
            self.memory = bar.address + bar.size

    def give_back(self, bars: list[PciBar]) -> None:
        """Places that are free again."""
        self._freed.extend(bars)

    def take_back(self, windows: PciWindows) -> None:
        """The bridge that had `windows` is gone, and all behind it."""
        windows.io, windows.memory, windows.prefetch = windows._whole
        windows._freed = []
        windows._carved = []
        self._carved.append(windows)

    def carve(self, bus: i64) -> PciWindows:
        """Windows for a bridge, with room for a card to come; without I/O ports when there are no more.  Raises PciResourceError.

        `bus`: the number of the bus behind it, unless the windows are those of a bridge that is gone: they have theirs.
        """
        if self._carved:
            return self._carved.pop(0)
        io = (self.io + BRIDGE_IO - 1) // BRIDGE_IO * BRIDGE_IO
        io_end = io
        if io + BRIDGE_IO <= self.io_end:
            io_end = io + BRIDGE_IO
            self.io = io_end
        memory = _aligned(self.memory, BRIDGE_MEMORY, self.memory_end)
        self.memory = memory + BRIDGE_MEMORY
        prefetch = _aligned(self.prefetch, BRIDGE_PREFETCH, self.prefetch_end)
        self.prefetch = prefetch + BRIDGE_PREFETCH
        windows = PciWindows(io, io_end, memory, self.memory, prefetch, self.prefetch)
        windows.bus = bus
        return windows


@final
class PciFunction:
    """A function the scan found."""

    def __init__(self, ports: GuestPorts, bdf: i64, windows: PciWindows, bridge: PciFunction | None = None) -> None:
        """`windows`: those of its bus; `bridge`: what leads to it, None on the root bus."""
        self.ports: GuestPorts = ports
        self.bdf: i64 = bdf
        self.windows: PciWindows = windows
        self.behind: PciWindows | None = None
        """A bridge's windows."""
        self.secondary: i64 = 0
        """The bus behind a bridge."""
        self.ring_bdf: i64 = bdf if bridge is None else ((bridge.bdf & 0xFF) + 1) << 8 | (bdf & 0xFF)
        """What its rings are recorded under: the place in the tree, which does not depend on the numbers that buses are given."""
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
    """Every bus, from the root on: their functions, and the windows their BARs are placed in."""

    def __init__(self, ports: GuestPorts) -> None:
        self.ports: GuestPorts = ports
        self.functions: list[PciFunction] = []
        self.windows: PciWindows = PciWindows(IO_WINDOW, IO_WINDOW_END, MEMORY_WINDOW, MEMORY_WINDOW_END, PREFETCH_WINDOW, PREFETCH_WINDOW_END)
        self._last_bus: i64 = 0

    def scan(self) -> None:
        """Find every function in the order of its number, size and place its BARs, read its capabilities; bridges first get their bus."""
        self._scan_bus(0, self.windows, None, set())

    def _scan_bus(self, bus: i64, windows: PciWindows, bridge: PciFunction | None, known: set[int]) -> None:
        for slot in range(32):
            place = bus << 8 | slot << 3
            if place not in known:
                self._scan_slot(place, windows, bridge)

    def _scan_slot(self, place: i64, windows: PciWindows, bridge: PciFunction | None) -> None:
        functions: i64 = 1
        if self.ports.cfg_read(place, VENDOR_ID, 2) != 0xFFFF and self.ports.cfg_read(place, HEADER_TYPE, 1) & 0x80:
            functions = 8
        for number in range(functions):
            self._probe(place | number, windows, bridge)

    def rescan(self) -> list[PciFunction]:
        """Forget functions that are gone, find new ones; returns the latter.  What the slot's hot plug notification makes a guest do."""
        kept: list[PciFunction] = []
        for function in self.functions:
            if self.is_there(function):
                kept.append(function)
            else:
                function.windows.give_back(function.bars)
                if function.behind is not None:
                    function.windows.take_back(function.behind)
        known = {int(function.bdf) & ~7 for function in kept}
        self.functions = []
        self._scan_bus(0, self.windows, None, known)
        for function in kept:
            if function.behind is not None:
                self._scan_bus(function.secondary, function.behind, function, known)
        found = self.functions
        self.functions = sorted(kept + found, key=_number)
        return found

    def is_there(self, function: PciFunction) -> bool:
        """Whether that very function still stands in its slot."""
        return self.ports.cfg_read(function.bdf, VENDOR_ID, 2) == function.vendor and self._is_placed(function)

    def _is_placed(self, function: PciFunction) -> bool:
        """Whether the BARs are where they were put, and a bridge's bus has its number: a new function in an old one's place has neither."""
        if function.behind is not None:
            return self.ports.cfg_read(function.bdf, SECONDARY_BUS, 1) == function.secondary
        for bar in function.bars:
            register = ROM_BAR if bar.index == 6 else BAR0 + 4 * bar.index
            if self.ports.cfg_read(function.bdf, register, 4) & 0xFFFFFFF0 != bar.address & 0xFFFFFFF0:
                return False
        return True

    def _probe(self, bdf: i64, windows: PciWindows, bridge: PciFunction | None) -> None:
        if self.ports.cfg_read(bdf, VENDOR_ID, 2) == 0xFFFF:
            return
        function = PciFunction(self.ports, bdf, windows, bridge)
        self.functions.append(function)
        header = self.ports.cfg_read(bdf, HEADER_TYPE, 1) & 0x7F
        if header == 0:
            self._size_bars(function)
            for bar in function.bars:
                self._place(function, bar)
            function.read_capabilities()
        elif header == 1:
            # a bridge's header has other things where a device's has its BARs 2..5
            self._open(function)

    def _open(self, function: PciFunction) -> None:
        """Number the bus behind a bridge, give it windows, find what is there."""
        ports, bdf = self.ports, function.bdf
        behind = function.windows.carve(self._last_bus + 1)
        function.behind = behind
        function.secondary = behind.bus
        if behind.bus > self._last_bus:
            self._last_bus = behind.bus
        ports.cfg_write(bdf, PRIMARY_BUS, 1, bdf >> 8)
        ports.cfg_write(bdf, SECONDARY_BUS, 1, function.secondary)
        # until what lies deeper is known, everything
        ports.cfg_write(bdf, SUBORDINATE_BUS, 1, 0xFF)
        self._set_windows(bdf, behind)
        function.set_command(COMMAND_IO | COMMAND_MEMORY | COMMAND_MASTER)
        self._scan_bus(function.secondary, behind, function, set())
        ports.cfg_write(bdf, SUBORDINATE_BUS, 1, self._last_bus)

    def _set_windows(self, bdf: i64, windows: PciWindows) -> None:
        """First and last address of each, in the registers' units: 4 KB of I/O, 1 MB of memory."""
        ports = self.ports
        if windows.io_end > windows.io:
            ports.cfg_write(bdf, BRIDGE_IO_BASE, 1, windows.io >> 8)
            ports.cfg_write(bdf, BRIDGE_IO_BASE + 1, 1, (windows.io_end - 1) >> 8)
        ports.cfg_write(bdf, BRIDGE_MEMORY_BASE, 2, windows.memory >> 16)
        ports.cfg_write(bdf, BRIDGE_MEMORY_BASE + 2, 2, (windows.memory_end - 1) >> 16)
        ports.cfg_write(bdf, BRIDGE_PREFETCH_BASE, 2, windows.prefetch >> 16)
        ports.cfg_write(bdf, BRIDGE_PREFETCH_BASE + 2, 2, (windows.prefetch_end - 1) >> 16)
        ports.cfg_write(bdf, BRIDGE_PREFETCH_UPPER, 4, windows.prefetch >> 32)
        ports.cfg_write(bdf, BRIDGE_PREFETCH_UPPER + 4, 4, (windows.prefetch_end - 1) >> 32)

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
        function.windows.place(bar)
        register = ROM_BAR if bar.index == 6 else BAR0 + 4 * bar.index
        self.ports.cfg_write(function.bdf, register, 4, bar.address)
        if bar.wide:
            self.ports.cfg_write(function.bdf, register + 4, 4, bar.address >> 32)


def _number(function: PciFunction) -> int:
    return int(function.bdf)


def _aligned(address: i64, size: i64, end: i64) -> i64:
    """The first multiple of `size` from `address` on; raises PciResourceError when it passes `end`."""
    start = (address + size - 1) // size * size
    if start + size > end:
        raise PciResourceError(f"a BAR of {size:#x} bytes does not fit below {end:#x}")
    return start
