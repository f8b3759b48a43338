"""The board pc-i440fx-4.1, as far as a virtio-net-pci meets it: system bus, host bridge, pci.0 and its hotplug handler."""

from __future__ import annotations

from typing import Final

from ringscope_core.hw.pci.bus import PCIBus, pci_bus_of
from ringscope_core.hw.qdev.bus import BusState, bus_of, qbus_realize
from ringscope_core.hw.qdev.device import DeviceState, device_class_of, device_of, qdev_set_parent_bus
from ringscope_core.hw.qdev.hotplug import HotplugHandlerClass
from ringscope_core.qom.calls import declare
from ringscope_core.qom.errp import AbortErrp, Errp
from ringscope_core.qom.klass import ObjectClass
from ringscope_core.qom.object import Object, object_new
from ringscope_core.qom.types import TypeInfo, TypeTable
from ringscope_core.qom.world import World

FN_PRE_PLUG = declare("piix4_device_pre_plug_cb", "hotplug_dev:ptr dev:ptr errp:ptr")
FN_PLUG = declare("piix4_device_plug_cb", "hotplug_dev:ptr dev:ptr errp:ptr")
FN_PCIHP_PRE_PLUG = declare("acpi_pcihp_device_pre_plug_cb", "hotplug_dev:ptr dev:ptr errp:ptr")
FN_PCIHP_PLUG = declare("acpi_pcihp_device_plug_cb", "hotplug_dev:ptr s:unknown dev:ptr errp:ptr")

TYPE_MACHINE: Final = "pc-i440fx-4.1-machine"
BOARD_SLOTS: Final = 0b11
"""Slots of pci.0 that the chipset has: i440FX in 0, PIIX3 in 1."""


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
    device_class_of(klass).user_creatable = False
    for iface in klass.interfaces:
        if isinstance(iface, HotplugHandlerClass):
            iface.pre_plug = piix4_pre_plug
            iface.plug = piix4_plug


def _board_device_class_init(klass: ObjectClass) -> None:
    device_class_of(klass).user_creatable = False


def register_board_types(table: TypeTable) -> None:
    """Register the machine, the system bus, the host bridge and the power management function that handles hotplug."""
    table.register(TypeInfo(TYPE_MACHINE, "object", instance_size_unknown=True, class_size_unknown=True))
    table.register(TypeInfo("System", "bus"))
    table.register(TypeInfo("i440FX-pcihost", "device", instance_size_unknown=True, class_size_unknown=True, class_init=_board_device_class_init))
    table.register(
        TypeInfo(
            "PIIX4_PM",
            "pci-device",
            interfaces=("hotplug-handler", "conventional-pci-device"),
            instance_size_unknown=True,
            class_init=_piix4_class_init,
        )
    )


def build_board(world: World) -> tuple[BusState, PCIBus]:
    """Make /machine with its containers, the system bus and pci.0; returns the two buses (machine_run_board_init)."""
    machine = object_new(world, TYPE_MACHINE)
    world.root.property_add_child("machine", machine, AbortErrp())
    machine.unref()
    world.machine_or_none = machine
    for name in ("peripheral", "peripheral-anon", "unattached"):
        world.container_get(machine, name)
    sysbus = bus_of(object_new(world, "System"))
    qbus_realize(sysbus, None, "main-system-bus")
    world.container_get(machine, "unattached").property_add_child("sysbus", sysbus, AbortErrp())
    return sysbus, _build_pci(world, sysbus, machine)


def _build_pci(world: World, sysbus: BusState, machine: Object) -> PCIBus:
    host = device_of(object_new(world, "i440FX-pcihost"))
    qdev_set_parent_bus(host, sysbus)
    machine.property_add_child("i440fx", host, AbortErrp())
    pci = pci_bus_of(bus_of(object_new(world, "PCI")))
    qbus_realize(pci, host, "pci.0")
    pci.slot_reserved_mask = BOARD_SLOTS
    host.property_set_bool(True, "realized", AbortErrp())
    host.unref()
    handler = object_new(world, "PIIX4_PM")
    world.container_get(machine, "unattached").property_add_child("piix4-pm", handler, AbortErrp())
    handler.unref()
    pci.set_hotplug_handler(handler)
    return pci
