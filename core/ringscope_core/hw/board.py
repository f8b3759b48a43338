"""The boards i440FX and Q35, as far as a virtio-net-pci meets them: system bus, host bridge, root bus, chipset functions, hotplug handler."""

from __future__ import annotations

from typing import Final

from ringscope_core.hw.pci.address_space import AddressSpace
from ringscope_core.hw.pci.bus import PCIBus, pci_bus_of
from ringscope_core.hw.pci.chipset import I440FX, Q35, build_chipset, chipset_class_init, register_chipset_types
from ringscope_core.hw.qdev.bus import BusState, bus_of, qbus_realize
from ringscope_core.hw.qdev.device import DeviceState, device_class_of, device_of, qdev_set_parent_bus
from ringscope_core.hw.qdev.hotplug import HotplugHandlerClass
from ringscope_core.qom.calls import declare
from ringscope_core.qom.errp import AbortErrp, Errp
from ringscope_core.qom.klass import ObjectClass
from ringscope_core.qom.object import Object, object_new
from ringscope_core.qom.profile import is_q35
from ringscope_core.qom.types import TypeInfo, TypeTable
from ringscope_core.qom.world import World

FN_PRE_PLUG = declare("piix4_device_pre_plug_cb", "hotplug_dev:ptr dev:ptr errp:ptr")
FN_PLUG = declare("piix4_device_plug_cb", "hotplug_dev:ptr dev:ptr errp:ptr")
FN_PCIHP_PRE_PLUG = declare("acpi_pcihp_device_pre_plug_cb", "hotplug_dev:ptr dev:ptr errp:ptr")
FN_PCIHP_PLUG = declare("acpi_pcihp_device_plug_cb", "hotplug_dev:ptr s:unknown dev:ptr errp:ptr")


def piix4_pre_plug(handler: Object, dev: DeviceState, errp: Errp) -> None:
    """piix4.c:371: nothing stands in the way of a device on pci.0."""
    log = dev.world.log
    FN_PRE_PLUG.enter(log, handler.addr, dev.addr, errp.addr)
    FN_PCIHP_PRE_PLUG.enter(log, handler.addr, dev.addr, errp.addr)
    log.leave()
    log.leave()


def piix4_plug(handler: Object, dev: DeviceState, errp: Errp) -> None:
    """piix4.c:391: a cold-plugged device needs no ACPI event."""
    log = dev.world.log
    FN_PLUG.enter(log, handler.addr, dev.addr, errp.addr)
    FN_PCIHP_PLUG.enter(log, handler.addr, dev.addr, errp.addr)
    log.leave()
    log.leave()


def _piix4_class_init(klass: ObjectClass) -> None:
    chipset_class_init(klass)
    for iface in klass.interfaces:
        if isinstance(iface, HotplugHandlerClass):
            iface.pre_plug = piix4_pre_plug
            iface.plug = piix4_plug


HOST_BRIDGES: Final = (
    ("sys-bus-device", "device", True),
    ("pci-host-bridge", "sys-bus-device", True),
    ("pcie-host-bridge", "pci-host-bridge", True),
    ("i440FX-pcihost", "pci-host-bridge", False),
    ("q35-pcihost", "pcie-host-bridge", False),
)
"""Types with their parents, and whether they are abstract."""


def _board_device_class_init(klass: ObjectClass) -> None:
    device_class_of(klass).user_creatable = False


def register_board_types(table: TypeTable, machine_type: str) -> None:
    """Register the machine, the system bus, the host bridges and the power management function that handles hotplug."""
    parent = "object"
    for name in ("machine", "x86-machine", "generic-pc-machine") if table.v7_2 else ("machine", "generic-pc-machine"):
        table.register(TypeInfo(name, parent, abstract=True, instance_size_unknown=True, class_size_unknown=True))
        parent = name
    table.register(TypeInfo(f"{machine_type}-machine", parent, instance_size_unknown=True, class_size_unknown=True))
    table.register(TypeInfo("System", "bus"))
    for name, parent, abstract in HOST_BRIDGES:
        table.register(TypeInfo(name, parent, abstract=abstract, instance_size_unknown=True, class_size_unknown=True, class_init=_board_device_class_init))
    register_chipset_types(table)
    table.register(
        TypeInfo(
            "PIIX4_PM",
            "pci-device",
            interfaces=("hotplug-handler", "conventional-pci-device"),
            instance_size_unknown=True,
            class_init=_piix4_class_init,
        )
    )


def build_board(world: World, io_space: AddressSpace, mem_space: AddressSpace) -> tuple[BusState, PCIBus]:
    """Make /machine with its containers, the system bus and the root bus; returns the two buses (machine_run_board_init)."""
    machine = object_new(world, f"{world.machine_type}-machine")
    world.root.property_add_child("machine", machine, AbortErrp())
    machine.unref()
    world.machine_or_none = machine
    for name in ("peripheral", "peripheral-anon", "unattached"):
        world.container_get(machine, name)
    sysbus = bus_of(object_new(world, "System"))
    qbus_realize(sysbus, None, "main-system-bus")
    world.container_get(machine, "unattached").property_add_child("sysbus", sysbus, AbortErrp())
    q35 = is_q35(world.machine_type)
    pci = _build_host(world, sysbus, machine, "q35" if q35 else "i440fx", "PCIE" if q35 else "PCI")
    pci.address_space_io = io_space
    pci.address_space_mem = mem_space
    functions = build_chipset(world, pci, Q35 if q35 else I440FX)
    if not q35:
        pci.set_hotplug_handler(functions[-1])
    return sysbus, pci


def _build_host(world: World, sysbus: BusState, machine: Object, child: str, bus_type: str) -> PCIBus:
    """The host bridge as ``/machine/CHILD``, and its bus."""
    host = device_of(object_new(world, "q35-pcihost" if child == "q35" else "i440FX-pcihost"))
    qdev_set_parent_bus(host, sysbus)
    machine.property_add_child(child, host, AbortErrp())
    pci = pci_bus_of(bus_of(object_new(world, bus_type)))
    qbus_realize(pci, host, "pcie.0" if child == "q35" else "pci.0")
    host.property_set_bool(True, "realized", AbortErrp())
    host.unref()
    return pci
