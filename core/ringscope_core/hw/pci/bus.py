"""PCIBus: slots, interrupt pins, reset of what sits on it (hw/pci/pci.c)."""

from __future__ import annotations

from typing import Final

from mypy_extensions import i64

from ringscope_core.hw.pci import regs as r
from ringscope_core.hw.pci.address_space import AddressSpace
from ringscope_core.hw.pci.device import PCIDevice, pci_device_of
from ringscope_core.hw.qdev.bus import BusClass, BusState
from ringscope_core.hw.qdev.device import DeviceState
from ringscope_core.qom.calls import declare
from ringscope_core.qom.errp import Errp
from ringscope_core.qom.klass import ObjectClass
from ringscope_core.trace.kinds import EV_INTX

FN_RESET = declare("pcibus_reset", "qbus:ptr")
FN_DEVICE_RESET = declare("pci_do_device_reset", "dev:ptr")
FN_REALIZE = declare("pci_bus_realize", "qbus:ptr errp:ptr")
FN_EXPRESS_REALIZE = declare("pcie_bus_realize", "qbus:ptr errp:ptr")

PCI_NUM_PINS: Final = 4
CLASS_NAMES: Final[dict[int, str]] = {
    0x0101: "IDE controller",
    0x0106: "SATA controller",
    0x0200: "Ethernet controller",
    0x0600: "Host bridge",
    0x0601: "ISA bridge",
    0x0604: "PCI bridge",
    0x0680: "Bridge",
    0x0C05: "SMBus",
}
"""Names of PCI classes that the monitor prints, of functions that we have."""


class PCIBusClass(BusClass):
    """Class of PCI buses."""

    def copy_from(self, parent: ObjectClass) -> None:
        super().copy_from(parent)


class PCIBus(BusState):
    """A PCI bus of 256 functions."""

    address_space_io: AddressSpace
    address_space_mem: AddressSpace

    def __init__(self) -> None:
        super().__init__()
        self.bus_num: i64 = 0
        self.upstream: PCIDevice | None = None
        """The bridge whose bus this is, None for the host bridge's."""
        self.slot_reserved_mask: i64 = 0
        """Slots that the board keeps for itself."""
        self.functions: list[PCIDevice | None] = [None] * r.PCI_DEVFN_MAX
        """PCIBus.devices by devfn."""
        self.irq_count: list[int] = [0] * PCI_NUM_PINS
        """Functions that drive each pin."""

    def is_express(self) -> bool:
        """pci_bus_is_express."""
        return self.typename == "PCIE"

    def is_root(self) -> bool:
        """pci_bus_is_root: the host bridge's own bus."""
        return self.upstream is None

    def visible(self, io: bool, first: int, last: int) -> list[tuple[int, int]]:
        """The parts of an address range at which an access of the guest's comes to this bus."""
        bridge = self.upstream
        return [(first, last)] if bridge is None else bridge.forwards(io, first, last)

    def function_at(self, devfn: i64) -> PCIDevice | None:
        """The function at `devfn`, None for an empty place."""
        return self.functions[devfn]

    def change_irq_level(self, dev: PCIDevice, pin: int, change: int) -> None:
        """pci_change_irq_level: the machine hears when a pin's level changes; a bridge hands it on, turned by the function's slot."""
        bridge = self.upstream
        if bridge is not None:
            bridge.pci_bus().change_irq_level(bridge, (int(r.pci_slot(dev.devfn)) + pin) % PCI_NUM_PINS, change)
            return
        before = self.irq_count[pin] > 0
        self.irq_count[pin] += change
        after = self.irq_count[pin] > 0
        if after != before:
            level = 1 if after else 0
            dev.world.log.emit(EV_INTX, dev.oid, level)
            dev.ctx.irq_set(pin, level)


def pci_bus_of(bus: BusState) -> PCIBus:
    """PCI_BUS."""
    assert isinstance(bus, PCIBus)
    return bus


def pci_bus_realize(bus: BusState, errp: Errp) -> None:
    """Class hook: nothing to prepare, functions come with their devices (pci.c:114)."""
    log = bus.world.log
    FN_REALIZE.enter(log, bus.addr, errp.addr)
    log.leave()


def pcie_bus_realize(bus: BusState, errp: Errp) -> None:
    """Class hook of express buses (pci.c:124)."""
    log = bus.world.log
    FN_EXPRESS_REALIZE.enter(log, bus.addr, errp.addr)
    pci_bus_realize(bus, errp)
    log.leave()


def pcibus_reset(bus: BusState) -> None:
    """Class hook: reset every function, the interrupt pins are silent then (pci.c:337)."""
    pci = pci_bus_of(bus)
    log = bus.world.log
    FN_RESET.enter(log, bus.addr)
    for dev in pci.functions:
        if dev is not None:
            FN_DEVICE_RESET.enter(log, dev.addr)
            dev.pci_reset()
            log.leave()
    assert not any(pci.irq_count), "an interrupt pin is driven after reset"
    log.leave()


def pcibus_get_dev_path(dev: DeviceState) -> str:
    """``0000:00:SS.F``."""
    pci = pci_device_of(dev)
    return f"0000:{pci.pci_bus().bus_num:02x}:{r.pci_slot(pci.devfn):02x}.{r.pci_func(pci.devfn):x}"


def pcibus_dev_print(dev: DeviceState) -> list[str]:
    """What ``info qtree`` says of a function: class, place, ids, BARs (pci.c:2414)."""
    pci = pci_device_of(dev)
    space = pci.space
    class_id = space.get(r.PCI_CLASS_DEVICE, 2)
    name = CLASS_NAMES.get(class_id, f"Class {class_id:04x}")
    place = f"{pci.pci_bus().bus_num:02x}:{r.pci_slot(pci.devfn):02x}.{r.pci_func(pci.devfn):x}"
    ids = f"{space.get(r.PCI_VENDOR_ID, 2):04x}:{space.get(r.PCI_DEVICE_ID, 2):04x}"
    sub = f"{space.get(r.PCI_SUBSYSTEM_VENDOR_ID, 2):04x}:{space.get(r.PCI_SUBSYSTEM_ID, 2):04x}"
    lines = [f"class {name}, addr {place}, pci id {ids} (sub {sub})"]
    for number, region in enumerate(pci.io_regions):
        if region.size:
            addr = int(region.addr) & 0xFFFFFFFFFFFFFFFF
            last = (addr + int(region.size) - 1) & 0xFFFFFFFFFFFFFFFF
            lines.append(f"bar {number}: {'i/o' if region.is_io else 'mem'} at {addr:#x} [{last:#x}]")
    return lines
