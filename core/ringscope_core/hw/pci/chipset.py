"""The board's own PCI functions, as far as a guest or the monitor sees them: ids, class, BARs, interrupt pin; they do nothing.

Places and ids are those of QEMU's i440FX and Q35 boards, as ``info pci`` of QEMU 7.2 shows them.
"""

from __future__ import annotations

from typing import Final, final

from ringscope_core.hw.pci import regs as r
from ringscope_core.hw.pci.bus import PCIBus
from ringscope_core.hw.pci.device import PCIDevice, PCIDeviceClass
from ringscope_core.hw.pci.memory_region import RomOps, memory_region_init
from ringscope_core.hw.pci.realize import INTERFACE_CONVENTIONAL_PCI_DEVICE
from ringscope_core.hw.qdev.bus import bus_of, qbus_realize
from ringscope_core.hw.qdev.device import device_of, qdev_set_parent_bus
from ringscope_core.qom.errp import AbortErrp, Errp
from ringscope_core.qom.klass import ObjectClass
from ringscope_core.qom.object import object_new
from ringscope_core.qom.property import ObjectProperty
from ringscope_core.qom.types import TypeInfo, TypeTable
from ringscope_core.qom.visitor import QObjectInputVisitor
from ringscope_core.qom.world import World


@final
class ChipsetFunction:
    """One function: its type, place, ids, class, BARs as (number, size, in I/O space), interrupt pin, and buses that devices could go on."""

    def __init__(
        self,
        typename: str,
        devfn: int,
        device_id: int,
        class_id: int,
        revision: int = 0,
        pin: int = 0,
        bars: tuple[tuple[int, int, bool], ...] = (),
        buses: tuple[tuple[str, str], ...] = (),
        multifunction: bool = False,
        hotplug_handler: bool = False,
    ) -> None:
        self.typename: str = typename
        self.devfn: int = devfn
        self.device_id: int = device_id
        self.class_id: int = class_id
        self.revision: int = revision
        self.pin: int = pin
        self.bars: tuple[tuple[int, int, bool], ...] = bars
        self.buses: tuple[tuple[str, str], ...] = buses
        """Type and name of each."""
        self.multifunction: bool = multifunction
        self.hotplug_handler: bool = hotplug_handler


I440FX: Final[list[ChipsetFunction]] = [
    ChipsetFunction("i440FX", 0x00, 0x1237, 0x0600, revision=2),
    ChipsetFunction("PIIX3", 0x08, 0x7000, 0x0601, multifunction=True, buses=(("ISA", "isa.0"),)),
    ChipsetFunction("piix3-ide", 0x09, 0x7010, 0x0101, bars=((4, 16, True),), buses=(("IDE", "ide.0"), ("IDE", "ide.1"))),
    ChipsetFunction("PIIX4_PM", 0x0B, 0x7113, 0x0680, revision=3, pin=1, hotplug_handler=True, buses=(("i2c-bus", "i2c"),)),
]
Q35: Final[list[ChipsetFunction]] = [
    ChipsetFunction("mch", 0x00, 0x29C0, 0x0600),
    ChipsetFunction("ICH9-LPC", 0xF8, 0x2918, 0x0601, revision=2, multifunction=True, buses=(("ISA", "isa.0"),)),
    ChipsetFunction(
        "ich9-ahci",
        0xFA,
        0x2922,
        0x0106,
        revision=2,
        pin=1,
        multifunction=True,
        bars=((4, 32, True), (5, 4096, False)),
        buses=tuple(("IDE", f"ide.{n}") for n in range(6)),
    ),
    ChipsetFunction("ICH9-SMB", 0xFB, 0x2930, 0x0C05, revision=2, pin=1, multifunction=True, bars=((4, 64, True),), buses=(("i2c-bus", "i2c"),)),
]
PARENTS: Final[dict[str, str]] = {"PIIX3": "pci-piix3", "piix3-ide": "pci-ide"}
"""Types that stand on an abstract one of their own."""
BUS_TYPES: Final = ("ISA", "IDE", "i2c-bus")


def _by_type(typename: str) -> ChipsetFunction:
    return next(function for function in I440FX + Q35 if function.typename == typename)


def _realize(pci: PCIDevice, errp: Errp) -> None:
    """PCIDeviceClass.realize of each of them."""
    spec = _by_type(pci.typename)
    pci.space.config[r.PCI_INTERRUPT_PIN] = spec.pin
    for number, size, io in spec.bars:
        region = memory_region_init(pci, 0, f"{pci.typename}-bar{number}", size, RomOps())
        pci.register_bar(number, r.PCI_BASE_ADDRESS_SPACE_IO if io else r.PCI_BASE_ADDRESS_SPACE_MEMORY, region)
    for bus_type, name in spec.buses:
        qbus_realize(bus_of(object_new(pci.world, bus_type)), pci, name)


def _class_init(klass: ObjectClass) -> None:
    """Ids of the type; nobody adds one with -device."""
    assert isinstance(klass, PCIDeviceClass)
    spec = _by_type(klass.name)
    klass.user_creatable = False
    klass.hotpluggable = False
    klass.vendor_id = 0x8086
    klass.device_id = spec.device_id
    klass.revision = spec.revision
    klass.class_id = spec.class_id
    klass.pci_realize = _realize


def register_chipset_types(table: TypeTable) -> None:
    """Register the functions of both boards, but for those that are hotplug handlers, which the board registers."""
    for bus_type in BUS_TYPES:
        table.register(TypeInfo(bus_type, "bus", instance_size_unknown=True, class_size_unknown=True))
    for base in PARENTS.values():
        table.register(TypeInfo(base, "pci-device", abstract=True, instance_size_unknown=True))
    for spec in I440FX + Q35:
        if not spec.hotplug_handler:
            parent = PARENTS.get(spec.typename, "pci-device")
            table.register(TypeInfo(spec.typename, parent, interfaces=(INTERFACE_CONVENTIONAL_PCI_DEVICE,), instance_size_unknown=True, class_init=_class_init))


def chipset_class_init(klass: ObjectClass) -> None:
    """class_init of a function that the board registers itself."""
    _class_init(klass)


def _set(prop: ObjectProperty | None, pci: PCIDevice, value: int) -> None:
    assert prop is not None
    prop.set(pci, QObjectInputVisitor(pci.world.log, value), prop.name, AbortErrp())


def build_chipset(world: World, bus: PCIBus, functions: list[ChipsetFunction]) -> list[PCIDevice]:
    """Make the functions and put them on the root bus."""
    made: list[PCIDevice] = []
    for spec in functions:
        dev = device_of(object_new(world, spec.typename))
        assert isinstance(dev, PCIDevice)
        _set(dev.property_find("addr"), dev, spec.devfn)
        if spec.multifunction:
            dev.set_cap_present(dev.cap_present | r.QEMU_PCI_CAP_MULTIFUNCTION)
        qdev_set_parent_bus(dev, bus)
        dev.property_set_bool(True, "realized", AbortErrp())
        dev.unref()
        made.append(dev)
    return made
