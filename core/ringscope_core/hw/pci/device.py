"""PCIDevice and PCIDeviceClass: a function's state and what a guest does to its configuration space (hw/pci/pci.c)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, final

from mypy_extensions import i64

from ringscope_core.hw.pci import regs as r
from ringscope_core.hw.pci.address_space import AddressSpace, Mapping
from ringscope_core.hw.pci.config_space import ConfigSpace, put_le, ranges_overlap
from ringscope_core.hw.pci.memory_region import MemoryRegion
from ringscope_core.hw.qdev.device import DeviceState
from ringscope_core.hw.qdev.device_class import DeviceClass
from ringscope_core.hw.qdev.services import hw_context
from ringscope_core.qom.calls import declare
from ringscope_core.qom.errp import Errp
from ringscope_core.qom.klass import ObjectClass
from ringscope_core.qom.object import Object
from ringscope_core.trace.fields import field

if TYPE_CHECKING:
    from ringscope_core.hw.pci.bus import PCIBus
    from ringscope_core.hw.pci.msix import Msix

F_DEVFN: Final[i64] = field("PCIDevice.devfn", "flags")
F_NAME: Final[i64] = field("PCIDevice.name", "str")
F_CAP_PRESENT: Final[i64] = field("PCIDevice.cap_present", "flags")
F_IRQ_STATE: Final[i64] = field("PCIDevice.irq_state", "flags")
F_HAS_ROM: Final[i64] = field("PCIDevice.has_rom", "bool")
F_ROMFILE: Final[i64] = field("PCIDevice.romfile", "str")
F_ROMSIZE: Final[i64] = field("PCIDevice.romsize", "bytes")
F_COMMAND: Final[i64] = field("PCIDevice.config.command", "flags")
F_STATUS: Final[i64] = field("PCIDevice.config.status", "flags")
F_BARS: Final[list[int]] = [int(field(f"PCIDevice.bar{n}", "gpa")) for n in range(r.PCI_NUM_REGIONS)]

FN_ADD_CAPABILITY = declare("pci_add_capability", "pdev:ptr cap_id:flags offset:flags size:bytes errp:unknown")
FN_REGISTER_BAR = declare("pci_register_bar", "pci_dev:ptr region_num:count type:flags memory:ptr")


class PCIDeviceClass(DeviceClass):
    """What a kind of PCI function is and does (include/hw/pci/pci.h)."""

    def __init__(self) -> None:
        super().__init__()
        self.pci_realize: Callable[[PCIDevice, Errp], None] | None = None
        """PCIDeviceClass.realize."""
        self.exit: Callable[[PCIDevice], None] | None = None
        self.vendor_id: int = 0
        self.device_id: int = 0
        self.revision: int = 0
        self.class_id: int = 0
        self.subsystem_vendor_id: int = 0
        self.subsystem_id: int = 0
        self.is_bridge: bool = False
        self.romfile: str | None = None

    def copy_from(self, parent: ObjectClass) -> None:
        super().copy_from(parent)
        if isinstance(parent, PCIDeviceClass):
            self.pci_realize = parent.pci_realize
            self.exit = parent.exit
            self.vendor_id = parent.vendor_id
            self.device_id = parent.device_id
            self.revision = parent.revision
            self.class_id = parent.class_id
            self.subsystem_vendor_id = parent.subsystem_vendor_id
            self.subsystem_id = parent.subsystem_id
            self.is_bridge = parent.is_bridge
            self.romfile = parent.romfile


@final
class PCIIORegion:
    """One BAR: `addr` is where it answers now, `PCI_BAR_UNMAPPED` for nowhere; `size` 0 means that it does not exist."""

    def __init__(self) -> None:
        self.addr: i64 = 0
        self.size: i64 = 0
        self.type: int = 0
        self.memory: MemoryRegion | None = None
        self.parts: list[tuple[int, int]] = []
        """First and last addresses at which it answers: all of it, or what the bridges above let through."""

    @property
    def is_io(self) -> bool:
        """Whether it lies in I/O space."""
        return self.type & r.PCI_BASE_ADDRESS_SPACE_IO != 0

    @property
    def is_mem64(self) -> bool:
        """Whether it takes two registers."""
        return not self.is_io and self.type & r.PCI_BASE_ADDRESS_MEM_TYPE_64 != 0


class PCIDevice(DeviceState):
    """A PCI function."""

    def __init__(self) -> None:
        super().__init__()
        self.space: ConfigSpace = ConfigSpace(r.PCI_CONFIG_SPACE_SIZE)
        self.devfn: i64 = 0
        self.name: str = ""
        self.io_regions: list[PCIIORegion] = [PCIIORegion() for _ in range(r.PCI_NUM_REGIONS)]
        self.irq_state: i64 = 0
        self.cap_present: i64 = 0
        self.msix: Msix | None = None
        self.romfile: str | None = None
        self.has_rom: bool = False
        self.rom_bar: i64 = 0
        self.romsize: i64 = r.PCI_ROMSIZE_UNSET
        """Bytes of the ROM BAR (7.2); unset: as large as the file, rounded up."""
        self.failover_pair_id: str | None = None
        """7.2: id of the standby device whose primary this is."""
        self.acpi_index: i64 = 0
        self.exp_cap: int = 0
        """Offset of the PCI Express capability, and below of power management; 0 for none."""
        self.pm_cap: int = 0
        self.bus_master_container: MemoryRegion | None = None
        self.bus_master_region: MemoryRegion | None = None
        """bus_master_enable_region: enabled while COMMAND has bus master."""
        self._command: int = 0
        """What events last said of COMMAND, and below of STATUS."""
        self._status: int = 0

    @property
    def pci_class(self) -> PCIDeviceClass:
        """The class as a PCI function's."""
        klass = self.klass
        assert isinstance(klass, PCIDeviceClass)
        return klass

    def pci_bus(self) -> PCIBus:
        """pci_get_bus."""
        from ringscope_core.hw.pci.bus import PCIBus

        bus = self.parent_bus
        assert isinstance(bus, PCIBus)
        return bus

    def bdf(self) -> i64:
        """Bus and devfn as one number."""
        return self.pci_bus().bus_num << 8 | self.devfn

    def ring_bdf(self) -> i64:
        """A number that no other function has, whatever the guest calls its bus: `bdf` on the root bus, else with the bridge's place for a bus."""
        bridge = self.pci_bus().upstream
        return self.devfn if bridge is None else (bridge.devfn + 1) << 8 | self.devfn

    def config_limit(self) -> i64:
        """Bytes of configuration space that a guest can address (pci_config_size)."""
        return r.PCIE_CONFIG_SPACE_SIZE if self.cap_present & r.QEMU_PCI_CAP_EXPRESS else r.PCI_CONFIG_SPACE_SIZE

    def snapshot(self, fields: dict[int, int]) -> None:
        super().snapshot(fields)
        log = self.world.log
        fields[F_DEVFN] = self.devfn
        fields[F_NAME] = log.text(self.name)
        fields[F_CAP_PRESENT] = self.cap_present
        fields[F_IRQ_STATE] = self.irq_state
        fields[F_HAS_ROM] = 1 if self.has_rom else 0
        fields[F_ROMFILE] = log.text(self.romfile or "")
        fields[F_COMMAND] = self.space.get(r.PCI_COMMAND, 2)
        fields[F_STATUS] = self.space.get(r.PCI_STATUS, 2)
        for n, region in enumerate(self.io_regions):
            fields[F_BARS[n]] = region.addr
        msix = self.msix
        if msix is not None:
            msix.snapshot(fields)

    # -- fields on record ---------------------------------------------------------------------------------------------
    def set_cap_present(self, value: i64) -> None:
        """PCIDevice.cap_present."""
        self.world.log.field(self.oid, F_CAP_PRESENT, value, self.cap_present)
        self.cap_present = value

    def sync_command_status(self) -> None:
        """Record COMMAND and STATUS when they changed."""
        log = self.world.log
        command = self.space.get(r.PCI_COMMAND, 2)
        status = self.space.get(r.PCI_STATUS, 2)
        log.field(self.oid, F_COMMAND, command, self._command)
        log.field(self.oid, F_STATUS, status, self._status)
        self._command = command
        self._status = status

    # -- the guest's access -------------------------------------------------------------------------------------------
    def config_read(self, offset: i64, size: i64) -> i64:
        """A guest reads configuration space; devices override it."""
        return self.space.read(offset, size)

    def config_write(self, offset: i64, size: i64, value: i64) -> None:
        """A guest writes configuration space; devices override it and call `default_write_config`."""
        self.default_write_config(offset, size, value)

    def default_write_config(self, offset: i64, size: i64, value: i64) -> None:
        """pci_default_write_config: masks, BARs, INTx disable, bus master, MSI-X."""
        was_irq_disabled = self.irq_disabled()
        self.space.write(offset, size, value)
        covers_command = offset <= r.PCI_COMMAND < offset + size
        if (
            ranges_overlap(offset, size, r.PCI_BASE_ADDRESS_0, 24)
            or ranges_overlap(offset, size, r.PCI_ROM_ADDRESS, 4)
            or ranges_overlap(offset, size, r.PCI_ROM_ADDRESS1, 4)
            or covers_command
        ):
            self.update_mappings()
        if covers_command or offset <= r.PCI_COMMAND + 1 < offset + size:
            self._update_irq_disabled(was_irq_disabled)
        if covers_command:
            region = self.bus_master_region
            if region is not None and region.enabled != self.bus_master():
                region.set_enabled(self.bus_master())
                hw_context(self.world).memory_commit()
        msix = self.msix
        if msix is not None:
            msix.write_config(offset, size)
        self.sync_command_status()

    def add_capability(self, cap_id: int, size: int) -> int:
        """pci_add_capability: a capability at the head of the list; returns its offset."""
        log = self.world.log
        FN_ADD_CAPABILITY.enter(log, self.addr, cap_id, 0, size)
        offset = self.space.add_capability(cap_id, size)
        self.sync_command_status()
        log.leave(offset)
        return offset

    def bus_master(self) -> bool:
        """Whether the function may access memory."""
        return self.space.get(r.PCI_COMMAND, 2) & r.PCI_COMMAND_MASTER != 0

    # -- BARs ---------------------------------------------------------------------------------------------------------
    def bar_offset(self, number: int) -> int:
        """pci_bar: the register of BAR `number`."""
        return r.PCI_ROM_ADDRESS if number == r.PCI_ROM_SLOT else r.PCI_BASE_ADDRESS_0 + 4 * number

    def register_bar(self, number: int, kind: int, memory: MemoryRegion) -> None:
        """pci_register_bar: the guest may place `memory`, whose size is a power of two."""
        size = int(memory.size)
        assert size & (size - 1) == 0, "a BAR's size is a power of two"
        log = self.world.log
        FN_REGISTER_BAR.enter(log, self.addr, number, kind, memory.addr)
        region = self.io_regions[number]
        self._set_bar_addr(number, r.PCI_BAR_UNMAPPED)
        region.size = size
        region.type = kind
        region.memory = memory
        at = self.bar_offset(number)
        wmask = ~(size - 1)
        if number == r.PCI_ROM_SLOT:
            wmask |= r.PCI_ROM_ADDRESS_ENABLE
        self.space.put(at, 4, kind)
        width = 8 if region.is_mem64 else 4
        put_le(self.space.wmask, at, width, wmask)
        put_le(self.space.cmask, at, width, -1)
        log.leave()

    def unregister_io_regions(self) -> None:
        """Every BAR stops answering."""
        for n, region in enumerate(self.io_regions):
            if region.parts:
                self._space_of(region).unmap(self, n)
            region.parts = []
            self._set_bar_addr(n, 0)
            region.size = 0
            region.memory = None

    def _set_bar_addr(self, number: int, addr: i64) -> None:
        region = self.io_regions[number]
        self.world.log.field(self.oid, F_BARS[number], addr, region.addr)
        region.addr = addr

    def _space_of(self, region: PCIIORegion) -> AddressSpace:
        bus = self.pci_bus()
        return bus.address_space_io if region.is_io else bus.address_space_mem

    def bar_address(self, number: int) -> int:
        """Where BAR `number` shall answer by its register and COMMAND, -1 for nowhere (pci_bar_address)."""
        region = self.io_regions[number]
        at = self.bar_offset(number)
        command = self.space.get(r.PCI_COMMAND, 2)
        size = int(region.size)
        if region.is_io:
            if not command & r.PCI_COMMAND_IO:
                return -1
            addr = self.space.get(at, 4) & ~(size - 1)
            last = addr + size - 1
            return -1 if addr == 0 or last >= 0xFFFFFFFF else addr
        if not command & r.PCI_COMMAND_MEMORY:
            return -1
        addr = self.space.get(at, 8 if region.is_mem64 else 4)
        if number == r.PCI_ROM_SLOT and not addr & r.PCI_ROM_ADDRESS_ENABLE:
            return -1
        addr &= ~(size - 1)
        last = addr + size - 1
        if addr == 0 or last >= 1 << 64 or last == (1 << 64) - 1:
            return -1
        if not region.is_mem64 and last >= 0xFFFFFFFF:
            return -1
        # beyond what an address can say: never mapped
        return -1 if last >= (1 << 63) - 1 else addr

    def update_mappings(self) -> None:
        """Make every BAR answer where its register says (pci_update_mappings)."""
        for n, region in enumerate(self.io_regions):
            if not region.size:
                continue
            addr = self.bar_address(n)
            memory = region.memory
            parts: list[tuple[int, int]] = []
            if addr != r.PCI_BAR_UNMAPPED and memory is not None:
                parts = self.pci_bus().visible(region.is_io, addr, addr + int(region.size) - 1)
            if addr == region.addr and parts == region.parts:
                continue
            space = self._space_of(region)
            was_mapped = bool(region.parts)
            if was_mapped:
                space.unmap(self, n)
            self._set_bar_addr(n, addr)
            region.parts = parts
            if memory is not None:
                for first, last in parts:
                    space.map(Mapping(first, last - first + 1, memory, self, n, addr))
            # the old place and the new one are changes of their own
            for _ in range(int(was_mapped) + int(bool(parts))):
                hw_context(self.world).memory_commit()

    def forwards(self, io: bool, first: int, last: int) -> list[tuple[int, int]]:
        """The parts of an address range that it lets through when it is a bridge."""
        return []

    # -- INTx ---------------------------------------------------------------------------------------------------------
    def irq_disabled(self) -> bool:
        """Whether COMMAND masks the interrupt pin."""
        return self.space.get(r.PCI_COMMAND, 2) & r.PCI_COMMAND_INTX_DISABLE != 0

    def set_irq(self, level: i64) -> None:
        """pci_set_irq: drive the function's interrupt pin."""
        pin = self.space.config[r.PCI_INTERRUPT_PIN]
        if pin == 0 or level == self.irq_state:
            return
        self.world.log.field(self.oid, F_IRQ_STATE, level, self.irq_state)
        self.irq_state = level
        status = self.space.config[r.PCI_STATUS]
        self.space.config[r.PCI_STATUS] = status | r.PCI_STATUS_INTERRUPT if level else status & ~r.PCI_STATUS_INTERRUPT
        self.sync_command_status()
        if not self.irq_disabled():
            self.pci_bus().change_irq_level(self, pin - 1, 1 if level else -1)

    def deassert_intx(self) -> None:
        """pci_device_deassert_intx."""
        if self.irq_state:
            self.set_irq(0)

    def _update_irq_disabled(self, was_disabled: bool) -> None:
        disabled = self.irq_disabled()
        if disabled == was_disabled or not self.irq_state:
            return
        pin = self.space.config[r.PCI_INTERRUPT_PIN]
        self.pci_bus().change_irq_level(self, pin - 1, -1 if disabled else 1)

    # -- reset --------------------------------------------------------------------------------------------------------
    def pci_reset(self) -> None:
        """pci_do_device_reset: what a bus reset does to every function."""
        self.deassert_intx()
        space = self.space
        for at in (r.PCI_COMMAND, r.PCI_COMMAND + 1, r.PCI_STATUS, r.PCI_STATUS + 1, r.PCI_INTERRUPT_LINE):
            space.config[at] &= ~(space.wmask[at] | space.w1cmask[at]) & 0xFF
        space.config[r.PCI_CACHE_LINE_SIZE] = 0
        for n, region in enumerate(self.io_regions):
            if region.size:
                space.put(self.bar_offset(n), 8 if region.is_mem64 else 4, region.type)
        self.update_mappings()
        region_bm = self.bus_master_region
        if region_bm is not None and region_bm.enabled:
            region_bm.set_enabled(False)
        msix = self.msix
        if msix is not None:
            msix.reset()
        self.sync_command_status()


def pci_device_of(obj: Object) -> PCIDevice:
    """PCI_DEVICE."""
    assert isinstance(obj, PCIDevice)
    return obj
