"""I/O space and memory space as the guest's CPU sees them: which BAR answers where."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, final

from mypy_extensions import i64

from ringscope_core.hw.pci.memory_region import MemoryRegion
from ringscope_core.trace.bits import ones
from ringscope_core.trace.kinds import EV_BAR_READ, EV_BAR_WRITE
from ringscope_core.trace.log import EventLog

if TYPE_CHECKING:
    from ringscope_core.hw.pci.device import PCIDevice

IO_SPACE_SIZE: Final[i64] = 0x10000


@final
class Mapping:
    """A BAR that answers at `start`; it lies at `base`, which is before that when bridges hide its beginning."""

    def __init__(self, start: i64, size: i64, region: MemoryRegion, dev: PCIDevice, bar: i64, base: i64) -> None:
        self.base: i64 = base
        self.start: i64 = start
        self.size: i64 = size
        self.region: MemoryRegion = region
        self.dev: PCIDevice = dev
        self.bar: i64 = bar


@final
class AddressSpace:
    """The mappings of one space.  Where two overlap, the one mapped later answers."""

    def __init__(self, log: EventLog, io: bool) -> None:
        self.log: EventLog = log
        self.io: bool = io
        """I/O space, where nothing reads as ones; in memory space nothing reads as zeros."""
        self.mappings: list[Mapping] = []

    def map(self, mapping: Mapping) -> None:
        """A BAR answers from now on."""
        self.mappings.insert(0, mapping)

    def unmap(self, dev: PCIDevice, bar: i64) -> None:
        """A BAR answers no more."""
        self.mappings = [m for m in self.mappings if m.dev is not dev or m.bar != bar]

    def find(self, addr: i64) -> Mapping | None:
        """The mapping that answers at `addr`."""
        for mapping in self.mappings:
            if addr >= mapping.start and addr - mapping.start < mapping.size:
                return mapping
        return None

    def read(self, addr: i64, size: i64) -> i64:
        """Read 1, 2, 4 or, in memory space, 8 bytes."""
        mapping = self.find(addr)
        if mapping is None:
            return ones(size) if self.io else 0
        offset = addr - mapping.base
        value = mapping.region.read(offset, size)
        self.log.emit(EV_BAR_READ, mapping.dev.oid, mapping.bar, offset, size, value)
        return value

    def write(self, addr: i64, size: i64, value: i64) -> None:
        """Write; what nothing answers is dropped."""
        mapping = self.find(addr)
        if mapping is None:
            return
        offset = addr - mapping.base
        log = self.log
        cause = log.cause
        log.cause = log.emit(EV_BAR_WRITE, mapping.dev.oid, mapping.bar, offset, size, value)
        mapping.region.write(offset, size, value)
        log.cause = cause
