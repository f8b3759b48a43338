"""The types "device", "bus" and "hotplug-handler" with their hooks (hw/core/qdev.c, bus.c, hotplug.c)."""

from __future__ import annotations

from typing import Final

from ringscope_core.hw.qdev.bus import BusClass, BusState, bus_class_init, qbus_finalize, qbus_initfn
from ringscope_core.hw.qdev.device import F_INSTANCE_ID_ALIAS, DeviceState, device_class_of, device_of, qdev_leave_parent_bus
from ringscope_core.hw.qdev.device_class import DeviceClass
from ringscope_core.hw.qdev.hotplug import TYPE_HOTPLUG_HANDLER, HotplugHandlerClass
from ringscope_core.hw.qdev.properties import LegacyObjectProperty, Property, QdevObjectProperty
from ringscope_core.hw.qdev.realize import device_get_realized, device_set_realized
from ringscope_core.hw.qdev.services import hw_context
from ringscope_core.qom.calls import declare
from ringscope_core.qom.errp import AbortErrp, Errp
from ringscope_core.qom.klass import ObjectClass
from ringscope_core.qom.object import Object
from ringscope_core.qom.property import BOOL_PROPERTY_SIZE, BoolObjectProperty, LinkProperty
from ringscope_core.qom.types import TypeInfo, TypeTable

FN_INITFN = declare("device_initfn", "obj:ptr")
FN_POST_INIT = declare("device_post_init", "obj:ptr")
FN_UNPARENT = declare("device_unparent", "obj:ptr")
FN_FINALIZE = declare("device_finalize", "obj:ptr")
FN_SET_GLOBALS = declare("qdev_prop_set_globals", "dev:ptr")


def device_get_hotpluggable(obj: Object, errp: Errp) -> bool:
    """Getter of ``hotpluggable``: the class allows it and the bus has a handler."""
    dev = device_of(obj)
    bus = dev.parent_bus
    return dev.device_class.hotpluggable and (bus is None or bus.hotplug_handler is not None)


def device_get_hotplugged(obj: Object, errp: Errp) -> bool:
    """Getter of ``hotplugged``."""
    return device_of(obj).hotplugged


def _parent_bus(obj: Object) -> Object | None:
    return device_of(obj).parent_bus


def _add_static(dev: DeviceState, prop: Property) -> None:
    """qdev_property_add_legacy and qdev_property_add_static."""
    if prop.print_legacy(dev) is not None:
        dev.property_add(LegacyObjectProperty(prop), AbortErrp())
    dev.property_add(QdevObjectProperty(prop), AbortErrp())
    prop.set_default_value(dev)


def device_initfn(obj: Object) -> None:
    """instance_init of "device" (qdev.c:944): its properties, then each class's static ones, the leaf's first."""
    dev = device_of(obj)
    world = obj.world
    dev.ctx = hw_context(world)
    FN_INITFN.enter(world.log, obj.addr)
    if world.qdev_hotplug:
        dev.set_hotplugged()
    world.log.field(obj.oid, F_INSTANCE_ID_ALIAS, -1, 0)
    dev.instance_id_alias = -1
    opaque = world.heap.alloc(f"bool-property:{obj.typename}.realized", BOOL_PROPERTY_SIZE)
    obj.property_add(BoolObjectProperty("realized", opaque, device_get_realized, device_set_realized), AbortErrp())
    obj.property_add(BoolObjectProperty("hotpluggable", 0, device_get_hotpluggable, None), AbortErrp())
    obj.property_add(BoolObjectProperty("hotplugged", 0, device_get_hotplugged, None), AbortErrp())
    for klass in dev.device_class_chain():
        for prop in klass.props:
            _add_static(dev, prop)
    obj.property_add(LinkProperty("parent_bus", "bus", _parent_bus), AbortErrp())
    world.log.leave()


def device_post_init(obj: Object) -> None:
    """instance_post_init of "device" (qdev.c:981): compat properties (pc-i440fx-4.1 has none), then ``-global``."""
    world = obj.world
    FN_POST_INIT.enter(world.log, obj.addr)
    FN_SET_GLOBALS.enter(world.log, obj.addr)
    for glob in world.globals:
        if obj.dynamic_cast(glob.driver) is None:
            continue
        errp = Errp()
        obj.property_parse(glob.value, glob.property, errp)
        errp.prepend(f"can't apply global {glob.driver}.{glob.property}={glob.value}: ")
        error = errp.error
        if error is None:
            continue
        if device_of(obj).hotplugged:
            world.warn_report(error.text)
        elif world.fatal is None:
            world.fatal = error
    world.log.leave()
    world.log.leave()


def device_unparent(obj: Object) -> None:
    """Class hook: unrealize, drop the device's buses, leave the parent bus (qdev.c:1030)."""
    dev = device_of(obj)
    log = obj.world.log
    FN_UNPARENT.enter(log, obj.addr)
    if dev.realized:
        obj.property_set_bool(False, "realized", Errp())
    while dev.child_buses:
        dev.child_buses[0].unparent()
    qdev_leave_parent_bus(dev)
    log.leave()


DELETED_KEPT: Final = 256
"""How many devices that are gone are remembered."""


def device_finalize(obj: Object) -> None:
    """instance_finalize of "device" (qdev.c:992): sends DEVICE_DELETED when the device had been realized."""
    dev = device_of(obj)
    world = obj.world
    FN_FINALIZE.enter(world.log, obj.addr)
    if dev.pending_deleted_event:
        world.deleted_devices.append((dev.id, dev.canonical_path_text))
        del world.deleted_devices[:-DELETED_KEPT]
        dev.pending_deleted_event = False
    world.log.leave()


def device_class_init(klass: ObjectClass) -> None:
    """class_init of "device" (qdev.c:1049)."""
    dc = device_class_of(klass)
    klass.unparent = device_unparent
    dc.hotpluggable = True
    dc.user_creatable = True


def device_class_base_init(klass: ObjectClass) -> None:
    """class_base_init of "device" for every descendant (qdev.c:1020): a type does not inherit the table, objects walk the chain."""
    device_class_of(klass).props = []


def register_qdev_types(table: TypeTable) -> None:
    """Register device, bus and hotplug-handler."""
    table.register(
        TypeInfo(
            "hotplug-handler",
            "interface",
            class_struct="HotplugHandlerClass",
            class_size_unknown=True,
            abstract=True,
            class_new=HotplugHandlerClass,
            file_line="hw/core/hotplug.c:60",
        )
    )
    assert TYPE_HOTPLUG_HANDLER == "hotplug-handler"
    table.register(
        TypeInfo(
            "bus",
            "object",
            abstract=True,
            instance_struct="BusState",
            instance_size=112,
            class_struct="BusClass",
            class_size=152,
            instance_new=BusState,
            class_new=BusClass,
            instance_init=qbus_initfn,
            instance_init_name="qbus_initfn",
            instance_finalize=qbus_finalize,
            instance_finalize_name="qbus_finalize",
            class_init=bus_class_init,
            class_init_name="bus_class_init",
            file_line="hw/core/bus.c:217",
        )
    )
    table.register(
        TypeInfo(
            "device",
            "object",
            abstract=True,
            instance_struct="DeviceState",
            instance_size=120,
            class_struct="DeviceClass",
            class_size=176,
            instance_new=DeviceState,
            class_new=DeviceClass,
            instance_init=device_initfn,
            instance_init_name="device_initfn",
            instance_post_init=device_post_init,
            instance_post_init_name="device_post_init",
            instance_finalize=device_finalize,
            instance_finalize_name="device_finalize",
            class_init=device_class_init,
            class_init_name="device_class_init",
            class_base_init=device_class_base_init,
            class_base_init_name="device_class_base_init",
            file_line="hw/core/qdev.c:1109",
        )
    )
