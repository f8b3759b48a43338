"""The types "pci-device", "PCI", "PCIE" and the two interfaces of PCI functions (hw/pci/pci.c)."""

from __future__ import annotations

from ringscope_core.hw.pci import regs as r
from ringscope_core.hw.pci.bus import (
    PCIBus,
    PCIBusClass,
    pci_bus_realize,
    pcibus_dev_print,
    pcibus_get_dev_path,
    pcibus_reset,
    pcie_bus_realize,
)
from ringscope_core.hw.pci.device import PCIDevice, PCIDeviceClass
from ringscope_core.hw.pci.realize import INTERFACE_CONVENTIONAL_PCI_DEVICE, INTERFACE_PCIE_DEVICE, pci_qdev_realize, pci_qdev_unrealize
from ringscope_core.hw.qdev.device_class import device_class_set_props
from ringscope_core.hw.qdev.member import Member
from ringscope_core.hw.qdev.properties import BitProperty, Property, StringProperty, UintProperty
from ringscope_core.hw.qdev.system_properties import PciDevfnProperty
from ringscope_core.qom.klass import InterfaceClass, ObjectClass, object_class_dynamic_cast
from ringscope_core.qom.types import TypeInfo, TypeTable

_CAP_PRESENT = Member("cap_present", "PCIDevice.cap_present", "flags")


def pci_props(v7_2: bool) -> list[Property]:
    """Static properties of "pci-device" (pci.c:62)."""
    devfn = PciDevfnProperty("addr", Member("devfn", "PCIDevice.devfn", "flags"), -1)
    romfile = StringProperty("romfile", Member("romfile", "PCIDevice.romfile", "str"))
    rombar = UintProperty("rombar", Member("rom_bar", "PCIDevice.rom_bar", "count"), 32, 1)
    multifunction = BitProperty("multifunction", _CAP_PRESENT, r.QEMU_PCI_CAP_MULTIFUNCTION_BIT, False)
    express = [
        BitProperty("x-pcie-lnksta-dllla", _CAP_PRESENT, r.QEMU_PCIE_LNKSTA_DLLLA_BIT, True),
        BitProperty("x-pcie-extcap-init", _CAP_PRESENT, r.QEMU_PCIE_EXTCAP_INIT_BIT, True),
    ]
    if not v7_2:
        serr = BitProperty("command_serr_enable", _CAP_PRESENT, r.QEMU_PCI_CAP_SERR_BIT, True)
        return [devfn, romfile, rombar, multifunction, serr, *express]
    romsize = UintProperty("romsize", Member("romsize", "PCIDevice.romsize", "bytes"), 32, r.PCI_ROMSIZE_UNSET)
    failover = StringProperty("failover_pair_id", Member("failover_pair_id", "PCIDevice.failover_pair_id", "str"))
    index = UintProperty("acpi-index", Member("acpi_index", "PCIDevice.acpi_index", "count"), 32, 0)
    return [devfn, romfile, romsize, rombar, multifunction, *express, failover, index]


def pci_device_class_init(klass: ObjectClass) -> None:
    """class_init of "pci-device" (pci.c:2588)."""
    assert isinstance(klass, PCIDeviceClass)
    klass.realize = pci_qdev_realize
    klass.unrealize = pci_qdev_unrealize
    klass.bus_type = "PCI"
    device_class_set_props(klass, pci_props(klass.type.table.v7_2))


def pci_device_class_base_init(klass: ObjectClass) -> None:
    """class_base_init of "pci-device" for every descendant (pci.c:2598): a type that can be made says which bus it fits."""
    if klass.type.abstract:
        return
    express = object_class_dynamic_cast(klass, INTERFACE_PCIE_DEVICE)
    conventional = object_class_dynamic_cast(klass, INTERFACE_CONVENTIONAL_PCI_DEVICE)
    assert express is not None or conventional is not None, f"{klass.name} has no PCI interface"


def pci_bus_class_init(klass: ObjectClass) -> None:
    """class_init of "PCI" (pci.c:167)."""
    assert isinstance(klass, PCIBusClass)
    klass.print_dev = pcibus_dev_print
    klass.get_dev_path = pcibus_get_dev_path
    klass.realize = pci_bus_realize
    klass.reset = pcibus_reset


def pcie_bus_class_init(klass: ObjectClass) -> None:
    """class_init of "PCIE" (pci.c:201)."""
    assert isinstance(klass, PCIBusClass)
    klass.realize = pcie_bus_realize


def register_pci_types(table: TypeTable) -> None:
    """Register PCI buses, interfaces and the abstract function."""
    for name, line in (("conventional-pci-device", 196), ("pci-express-device", 191)):
        table.register(TypeInfo(name, "interface", class_struct="InterfaceClass", abstract=True, class_new=InterfaceClass, file_line=f"hw/pci/pci.c:{line}"))
    table.register(
        TypeInfo(
            "PCI",
            "bus",
            instance_struct="PCIBus",
            instance_size_unknown=True,
            class_struct="PCIBusClass",
            class_size=168,
            instance_new=PCIBus,
            class_new=PCIBusClass,
            class_init=pci_bus_class_init,
            class_init_name="pci_bus_class_init",
            file_line="hw/pci/pci.c:183",
        )
    )
    table.register(TypeInfo("PCIE", "PCI", class_init=pcie_bus_class_init, class_init_name="pcie_bus_class_init", file_line="hw/pci/pci.c:208"))
    table.register(
        TypeInfo(
            "pci-device",
            "device",
            abstract=True,
            instance_struct="PCIDevice",
            instance_size=2272,
            class_struct="PCIDeviceClass",
            class_size=232,
            instance_new=PCIDevice,
            class_new=PCIDeviceClass,
            class_init=pci_device_class_init,
            class_init_name="pci_device_class_init",
            class_base_init=pci_device_class_base_init,
            class_base_init_name="pci_device_class_base_init",
            file_line="hw/pci/pci.c:2728",
        )
    )
