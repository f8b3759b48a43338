"""The types "device", "bus" and "hotplug-handler" with their hooks (hw/core/qdev.c, bus.c, hotplug.c)."""

from __future__ import annotations

from typing import Final

from mypy_extensions import i64

from ringscope_core.hw.qdev.bus import BusClass, BusState, bus_class_init, qbus_finalize, qbus_initfn
from ringscope_core.hw.qdev.compat import object_apply_compat_props
from ringscope_core.hw.qdev.device import F_INSTANCE_ID_ALIAS, DeviceState, device_class_of, device_of, qdev_leave_parent_bus
from ringscope_core.hw.qdev.device_class import DeviceClass
from ringscope_core.hw.qdev.hotplug import TYPE_HOTPLUG_HANDLER, HotplugHandlerClass
from ringscope_core.hw.qdev.properties import LegacyObjectProperty, Property, QdevObjectProperty
from ringscope_core.hw.qdev.realize import device_get_realized, device_set_realized
from ringscope_core.hw.qdev.services import hw_context
from ringscope_core.qom.calls import declare
from ringscope_core.qom.errp import AbortErrp, Errp
from ringscope_core.qom.klass import InterfaceClass, ObjectClass
from ringscope_core.qom.object import Object
from ringscope_core.qom.property import BOOL_PROPERTY_SIZE, BoolObjectProperty, LinkProperty, ObjectProperty
from ringscope_core.qom.types import TypeInfo, TypeTable

NEWER_INTERFACES: Final = ("resettable", "vmstate-if", "fw-path-provider", "user-creatable", "cxl-device")
"""Interfaces that devices and buses of 7.2 meet."""

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
    if not dev.world.v7_2:
        if prop.legacy_twin:
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
    if not world.v7_2:
        opaque = world.heap.alloc(f"bool-property:{obj.typename}.realized", BOOL_PROPERTY_SIZE)
        for own in device_properties(opaque):
            obj.property_add(own, AbortErrp())
    for klass in dev.device_class_chain():
        for prop in klass.props:
            _add_static(dev, prop)
    if not world.v7_2:
        obj.property_add(LinkProperty("parent_bus", "bus", _parent_bus), AbortErrp())
    world.log.leave()


def device_properties(opaque: i64) -> list[ObjectProperty]:
    """What every device has beside its static properties and its bus; 7.2's class_init makes class properties of them."""
    return [
        BoolObjectProperty("realized", opaque, device_get_realized, device_set_realized),
        BoolObjectProperty("hotpluggable", 0, device_get_hotpluggable, None),
        BoolObjectProperty("hotplugged", 0, device_get_hotplugged, None),
    ]


def device_post_init(obj: Object) -> None:
    """instance_post_init of "device" (qdev.c:981): the machine type's compat properties (4.1's own have none), then ``-global``."""
    world = obj.world
    FN_POST_INIT.enter(world.log, obj.addr)
    object_apply_compat_props(obj)
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
        data: dict[str, object] = {"path": dev.canonical_path_text}
        if dev.id:
            data["device"] = dev.id
        world.qapi_event("DEVICE_DELETED", data)
    world.log.leave()


def device_class_init(klass: ObjectClass) -> None:
    """class_init of "device" (qdev.c:1049)."""
    dc = device_class_of(klass)
    klass.unparent = device_unparent
    dc.hotpluggable = True
    dc.user_creatable = True
    table = klass.type.table
    if table.v7_2:
        for own in device_properties(table.heap.alloc("bool-property:device.realized", BOOL_PROPERTY_SIZE)):
            klass.properties[own.name] = own
        klass.properties["parent_bus"] = LinkProperty("parent_bus", "bus", _parent_bus)


def device_class_base_init(klass: ObjectClass) -> None:
    """class_base_init of "device" for every descendant (qdev.c:1020): a type does not inherit the table, objects walk the chain."""
    device_class_of(klass).props = []


def register_qdev_types(table: TypeTable) -> None:
    """Register device, bus and hotplug-handler; 7.2 has more interfaces."""
    if table.v7_2:
        for name in NEWER_INTERFACES:
            table.register(TypeInfo(name, "interface", class_struct="InterfaceClass", class_size_unknown=True, abstract=True, class_new=InterfaceClass))
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
            interfaces=("resettable",) if table.v7_2 else (),
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
            interfaces=("vmstate-if", "resettable") if table.v7_2 else (),
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
