"""PCI-to-PCI bridges: the bus behind one, its number, and the windows that forward to it (hw/pci/pci_bridge.c)."""

from __future__ import annotations

from typing import Final

from mypy_extensions import i64

from ringscope_core.hw.pci import regs as r
from ringscope_core.hw.pci.bus import PCIBus, pci_bus_of
from ringscope_core.hw.pci.config_space import put_le, ranges_overlap
from ringscope_core.hw.pci.device import PCIDevice, PCIDeviceClass
from ringscope_core.hw.qdev.bus import bus_of, qbus_realize
from ringscope_core.qom.klass import ObjectClass
from ringscope_core.qom.object import object_new

PRIMARY_BUS: Final = 0x18
SECONDARY_BUS: Final = 0x19
SUBORDINATE_BUS: Final = 0x1A
IO_BASE: Final = 0x1C
IO_LIMIT: Final = 0x1D
MEMORY_BASE: Final = 0x20
MEMORY_LIMIT: Final = 0x22
PREF_BASE: Final = 0x24
PREF_LIMIT: Final = 0x26
PREF_BASE_UPPER: Final = 0x28
PREF_LIMIT_UPPER: Final = 0x2C
BRIDGE_CONTROL: Final = 0x3E

PREF_64BIT: Final = 1
CONTROL_WMASK: Final = 0x005F


class PCIBridge(PCIDevice):
    """A bridge; `sec_bus` is there from its realize on."""

    def __init__(self) -> None:
        super().__init__()
        self.sec_bus: PCIBus | None = None

    def secondary(self) -> PCIBus:
        """The bus behind it."""
        bus = self.sec_bus
        assert bus is not None
        return bus

    def config_write(self, offset: i64, size: i64, value: i64) -> None:
        """pci_bridge_write_config: numbers and windows decide what lies behind."""
        self.default_write_config(offset, size, value)
        if ranges_overlap(offset, size, r.PCI_COMMAND, 2) or ranges_overlap(offset, size, PRIMARY_BUS, PREF_LIMIT_UPPER + 4 - PRIMARY_BUS):
            self.update_windows()

    def update_windows(self) -> None:
        """The bus has the number that the register says; what it holds answers where the windows let it."""
        bus = self.sec_bus
        if bus is None:
            return
        bus.bus_num = self.space.config[SECONDARY_BUS]
        for dev in bus.functions:
            if dev is not None:
                dev.update_mappings()

    def leads_to(self, number: i64) -> bool:
        """Whether the bus that the guest calls `number` is behind it."""
        config = self.space.config
        return config[SECONDARY_BUS] != 0 and config[SECONDARY_BUS] <= number <= config[SUBORDINATE_BUS]

    # -- windows, as first and last address ---------------------------------------------------------------------------
    def io_range(self) -> tuple[int, int]:
        """Of I/O space."""
        base, limit = self.space.config[IO_BASE] >> 4, self.space.config[IO_LIMIT] >> 4
        return base << 12, limit << 12 | 0xFFF

    def memory_range(self) -> tuple[int, int]:
        """Of memory that must not be prefetched."""
        return self.space.get(MEMORY_BASE, 2) >> 4 << 20, self.space.get(MEMORY_LIMIT, 2) >> 4 << 20 | 0xFFFFF

    def prefetchable_range(self) -> tuple[int, int]:
        """Of prefetchable memory."""
        base, limit = self.space.get(PREF_BASE, 2) >> 4 << 20, self.space.get(PREF_LIMIT, 2) >> 4 << 20 | 0xFFFFF
        if self.space.config[PREF_BASE] & 0xF == PREF_64BIT:
            base |= self.space.get(PREF_BASE_UPPER, 4) << 32
            limit |= self.space.get(PREF_LIMIT_UPPER, 4) << 32
        return base, limit

    def forwards(self, io: bool, first: int, last: int) -> list[tuple[int, int]]:
        """What of a range both this bridge and those above let through."""
        command = self.space.get(r.PCI_COMMAND, 2)
        if io:
            windows = [self.io_range()] if command & r.PCI_COMMAND_IO else []
        else:
            windows = [self.memory_range(), self.prefetchable_range()] if command & r.PCI_COMMAND_MEMORY else []
        found: list[tuple[int, int]] = []
        for base, limit in windows:
            if max(base, first) <= min(limit, last):
                found += self.pci_bus().visible(io, max(base, first), min(limit, last))
        return found


def pci_find_bus_nr(bus: PCIBus, number: i64) -> PCIBus | None:
    """The bus that the guest calls `number`, at or below `bus` (pci_find_bus_nr); a bridge without a number hides what is behind it."""
    if number == bus.bus_num:
        return bus
    for dev in bus.functions:
        if isinstance(dev, PCIBridge) and dev.sec_bus is not None and dev.leads_to(number):
            found = pci_find_bus_nr(dev.sec_bus, number)
            if found is not None:
                return found
    return None


def pci_bridge_initfn(bridge: PCIBridge, bus_type: str) -> None:
    """The header of type 1, and the bus, which is called as its device is."""
    space = bridge.space
    space.put(r.PCI_CLASS_DEVICE, 2, 0x0604)
    space.config[r.PCI_HEADER_TYPE] = space.config[r.PCI_HEADER_TYPE] & r.PCI_HEADER_TYPE_MULTI_FUNCTION | 1
    bus = pci_bus_of(bus_of(object_new(bridge.world, bus_type)))
    qbus_realize(bus, bridge, bridge.id)
    parent = bridge.pci_bus()
    bus.address_space_io = parent.address_space_io
    bus.address_space_mem = parent.address_space_mem
    bus.upstream = bridge
    bridge.sec_bus = bus


def pci_bridge_init_masks(bridge: PCIBridge) -> None:
    """pci_init_mask_bridge: what a guest may write of numbers, windows and control."""
    space = bridge.space
    wmask = space.wmask
    wmask[PRIMARY_BUS : SUBORDINATE_BUS + 1] = b"\xff\xff\xff"
    wmask[IO_BASE] = wmask[IO_LIMIT] = 0xF0
    for at in (MEMORY_BASE, MEMORY_LIMIT, PREF_BASE, PREF_LIMIT):
        put_le(wmask, at, 2, 0xFFF0)
    wmask[PREF_BASE_UPPER : PREF_LIMIT_UPPER + 4] = b"\xff" * 8
    space.config[PREF_BASE] |= PREF_64BIT
    space.config[PREF_LIMIT] |= PREF_64BIT
    put_le(wmask, BRIDGE_CONTROL, 2, CONTROL_WMASK)


def pci_bridge_reset(bridge: PCIBridge) -> None:
    """pci_bridge_reset: no numbers, windows that let nothing through."""
    space = bridge.space
    space.config[PRIMARY_BUS : SUBORDINATE_BUS + 1] = bytes(3)
    space.config[IO_BASE] = 0xF0
    space.config[IO_LIMIT] = 0
    space.put(MEMORY_BASE, 2, 0xFFF0)
    space.put(MEMORY_LIMIT, 2, 0)
    space.put(PREF_BASE, 2, 0xFFF0 | PREF_64BIT)
    space.put(PREF_LIMIT, 2, PREF_64BIT)
    space.put(PREF_BASE_UPPER, 4, 0)
    space.put(PREF_LIMIT_UPPER, 4, 0)
    space.put(BRIDGE_CONTROL, 2, 0)
    bridge.update_windows()


def pci_bridge_class_init(klass: ObjectClass) -> None:
    """class_init of "base-pci-bridge"."""
    assert isinstance(klass, PCIDeviceClass)
    klass.is_bridge = True
