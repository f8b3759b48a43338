"""From an option string to a living device and back (qdev-monitor.c): qdev_device_add, qdev_unplug, finding buses."""

from __future__ import annotations

from typing import Final

from ringscope_core.hw.qdev.bus import BusState
from ringscope_core.hw.qdev.device import DeviceState, device_of, qdev_set_parent_bus
from ringscope_core.hw.qdev.device_class import DeviceClass
from ringscope_core.hw.qdev.opts import DeviceOpts
from ringscope_core.hw.qdev.services import hw_context
from ringscope_core.qom.calls import declare
from ringscope_core.qom.errp import AbortErrp, Errp
from ringscope_core.qom.klass import object_class_dynamic_cast
from ringscope_core.qom.object import Object, object_new
from ringscope_core.qom.profile import machine_version
from ringscope_core.qom.symbols import ERRP_PCI_QDEV_REALIZE, LOCAL_ERR_OF_DEVICE_SET_REALIZED, LOCAL_ERR_OF_REALIZE
from ringscope_core.qom.visitor import KeyvalInputVisitor, QObjectInputVisitor
from ringscope_core.qom.world import World

FN_DEVICE_ADD = declare("qdev_device_add", "opts:unknown errp:unknown")
FN_GET_CLASS = declare("qdev_get_device_class", "driver:str errp:unknown")
FN_FIND = declare("qbus_find", "path:str errp:unknown")
FN_FIND_RECURSIVE = declare("qbus_find_recursive", "bus:ptr name:str bus_typename:str")
FN_SET_ID = declare("qdev_set_id", "dev:ptr id:str")
FN_OPT_FOREACH = declare("qemu_opt_foreach", "opts:unknown func:unknown opaque:ptr errp:ptr")
FN_SET_PROPERTY = declare("set_property", "opaque:ptr name:str value:str errp:ptr")
FN_UNPLUG = declare("qdev_unplug", "dev:ptr errp:unknown")

ALIASES: Final[dict[str, str]] = {"virtio-net": "virtio-net-pci"}
"""qdev_alias_table, of the types that we have."""

ERR_ADDR: Final = ERRP_PCI_QDEV_REALIZE + LOCAL_ERR_OF_REALIZE + LOCAL_ERR_OF_DEVICE_SET_REALIZED
"""Where qdev_device_add's ``err`` lies, modelled outward from the addresses that are known."""


# -- finding ----------------------------------------------------------------------------------------------------------
def qdev_get_device_class(world: World, driver: str, errp: Errp) -> DeviceClass | None:
    """The class that ``driver=`` names; its errors are QEMU's (qdev-monitor.c:206)."""
    log = world.log
    name = driver
    klass = world.types.class_by_name(name)
    if klass is None and driver in ALIASES:
        name = ALIASES[driver]
        klass = world.types.class_by_name(name)
    if klass is None or object_class_dynamic_cast(klass, "device") is None:
        alias = f" (alias '{name}')" if name != driver else ""
        errp.set(log, f"'{driver}'{alias} is not a valid device model name")
        return None
    if klass.type.abstract:
        errp.set(log, f"Parameter 'driver' expects {'a ' if world.v7_2 else ''}non-abstract device type")
        return None
    assert isinstance(klass, DeviceClass)
    if not klass.user_creatable or (world.qdev_hotplug and not klass.hotpluggable):
        errp.set(log, f"Parameter 'driver' expects {'a ' if world.v7_2 else ''}pluggable device type")
        return None
    return klass


def qbus_is_full(bus: BusState) -> bool:
    """Whether the bus takes no more devices."""
    return bus.bus_class.max_dev > 0 and bus.max_index >= bus.bus_class.max_dev


def qbus_find_recursive(bus: BusState, name: str, bus_typename: str) -> BusState | None:
    """A bus of that name or type ("" for any) at or below `bus`; one with room rather than a full one (qdev-monitor.c:420)."""
    match = (not name or bus.name == name) and (not bus_typename or bus.dynamic_cast(bus_typename) is not None)
    if match and not qbus_is_full(bus):
        return bus
    pick = bus if match else None
    for dev in bus.devices():
        for child in dev.child_buses:
            found = qbus_find_recursive(child, name, bus_typename)
            if found is not None and not qbus_is_full(found):
                return found
            pick = pick or found
    return pick


def qbus_find(sysbus: BusState, path: str, errp: Errp) -> BusState | None:
    """The bus at ``bus=PATH``: a bus's name, then devices and their buses in turn, separated by slashes (qdev-monitor.c:457)."""
    log = sysbus.world.log
    parts = [part for part in path.split("/") if part]
    bus: BusState | None = sysbus
    if not path.startswith("/"):
        name = parts.pop(0) if parts else path
        bus = qbus_find_recursive(sysbus, name, "") if name else None
        if bus is None:
            errp.set(log, f"Bus '{name}' not found")
            return None
    while parts and bus is not None:
        bus = _next_bus(bus, parts, errp)
    if bus is not None and qbus_is_full(bus):
        errp.set(log, f"Bus '{path}' is full")
        return None
    return bus


def _next_bus(bus: BusState, parts: list[str], errp: Errp) -> BusState | None:
    """One device of the path, and the bus of it that the path goes on to."""
    log = bus.world.log
    elem = parts.pop(0)
    dev = next((dev for dev in bus.devices() if elem in (dev.id, dev.typename)), None)
    if dev is None:
        errp.set(log, f"Device '{elem}' not found", _list_hint(f'devices at "{bus.name}"', [dev.id or dev.typename for dev in bus.devices()]))
        return None
    if not parts:
        if not dev.child_buses:
            errp.set(log, f"Device '{elem}' has no child bus")
            return None
        if len(dev.child_buses) > 1:
            errp.set(log, f"Device '{elem}' has multiple child buses", _child_buses(dev))
            return None
        return dev.child_buses[0]
    name = parts.pop(0)
    child = next((child for child in dev.child_buses if child.name == name), None)
    if child is None:
        errp.set(log, f"Bus '{name}' not found", _child_buses(dev))
    return child


def _list_hint(title: str, names: list[str]) -> str:
    return f"{title}: " + ", ".join(f'"{name}"' for name in names)


def _child_buses(dev: DeviceState) -> str:
    """What could have been meant (qbus_error_append_bus_list_hint)."""
    return _list_hint(f'child buses at "{dev.id or dev.typename}"', [child.name for child in dev.child_buses])


def _find_bus(world: World, sysbus: BusState, opts: DeviceOpts, klass: DeviceClass, driver: str, errp: Errp) -> BusState | None:
    log = world.log
    path = opts.get("bus")
    if path is not None:
        log.at(585)
        FN_FIND.enter(log, log.text(path))
        bus = qbus_find(sysbus, path, errp)
        log.leave(0 if bus is None else bus.addr)
        if bus is not None and bus.dynamic_cast(klass.bus_type) is None:
            errp.set(log, f"Device '{driver}' can't go on {bus.typename} bus")
            return None
        return bus
    if not klass.bus_type:
        return None
    log.at(597)
    FN_FIND_RECURSIVE.enter(log, sysbus.addr, 0, log.text(klass.bus_type))
    bus = qbus_find_recursive(sysbus, "", klass.bus_type)
    log.leave(0 if bus is None else bus.addr)
    if bus is None or qbus_is_full(bus):
        log.at(599)
        errp.set(log, f"No '{klass.bus_type}' bus found for device '{driver}'")
        return None
    return bus


# -- adding -----------------------------------------------------------------------------------------------------------
def qdev_device_add(world: World, sysbus: BusState, opts: DeviceOpts, errp: Errp) -> DeviceState | None:
    """Make, place, name, configure and realize a device; on error nothing of it is left (qdev-monitor.c:564).

    The device comes with the reference of its making, which the caller drops.
    """
    log = world.log
    FN_DEVICE_ADD.enter(log)
    dev = _device_add(world, sysbus, opts, errp)
    log.leave(0 if dev is None else dev.addr)
    return dev


def _device_add(world: World, sysbus: BusState, opts: DeviceOpts, errp: Errp) -> DeviceState | None:
    log = world.log
    log.at(572)
    driver = opts.get("driver")
    if not driver:
        errp.set(log, "Parameter 'driver' is missing")
        return None
    log.at(579)
    FN_GET_CLASS.enter(log, log.text(driver))
    klass = qdev_get_device_class(world, driver, errp)
    log.leave(0 if klass is None else klass.addr)
    if klass is None:
        return None
    bus = _find_bus(world, sysbus, opts, klass, klass.name, errp)
    if errp.failed():
        return None
    if world.v7_2 and _hidden(world, bus, opts, errp):
        return None
    if errp.failed():
        return None
    log.at(604)
    if world.qdev_hotplug and bus is not None and bus.hotplug_handler is None:
        errp.set(log, f"Bus '{bus.name}' does not support hotplugging")
        return None
    log.at(615)
    dev = device_of(object_new(world, klass.name))
    err = Errp(ERR_ADDR)
    if world.v7_2:
        _configure_7_2(dev, bus, opts, err)
    else:
        _configure(dev, bus, opts, err)
    if err.failed():
        log.at(641)
        err.propagate_to(errp)
        dev.unparent()
        log.at(645)
        dev.unref()
        return None
    return dev


def _hidden(world: World, bus: BusState | None, opts: DeviceOpts, errp: Errp) -> bool:
    """qdev_should_hide_device: the primary of a failover pair may have to wait; its bus must let it come later."""
    options = opts.as_dict()
    for listener in list(hw_context(world).device_listeners):
        if listener.hide_device(options, errp):
            if bus is not None and bus.hotplug_handler is None and not _handled_for_now(world, bus):
                errp.set(world.log, f"Bus '{bus.name}' does not support hotplugging")
                return False
            return True
        if errp.failed():
            break
    return False


def _handled_for_now(world: World, bus: BusState) -> bool:
    """Q35's root bus has a hotplug handler from machine type 6.1 on, until the machine is complete."""
    return not world.qdev_hotplug and bus.name == "pcie.0" and machine_version(world.machine_type) >= (6, 1)


def _configure(dev: DeviceState, bus: BusState | None, opts: DeviceOpts, err: Errp) -> None:
    """From the bus to ``realized``."""
    world = dev.world
    log = world.log
    if bus is not None:
        log.at(618)
        qdev_set_parent_bus(dev, bus)
    log.at(626)
    qdev_set_id(dev, opts.ident)
    if _failed_early(world, err):
        return
    log.at(629)
    FN_OPT_FOREACH.enter(log, dev.addr, err.addr)
    for name, value in opts.pairs:
        if name not in ("driver", "bus") and not err.failed():
            _set_option(dev, name, str(value), err)
    log.leave()
    if not err.failed():
        dev.opts_text = opts.text
        log.at(634)
        dev.property_set_bool(True, "realized", err)


def _configure_7_2(dev: DeviceState, bus: BusState | None, opts: DeviceOpts, err: Errp) -> None:
    """The id, the options in the order of their dictionary, then the bus and ``realized`` (qdev_realize)."""
    world = dev.world
    log = world.log
    if _failed_early(world, err):
        return
    log.at(626)
    if opts.ident and world.resolve_path(f"/machine/peripheral/{opts.ident}") is not None:
        err.set(log, f"Duplicate device ID '{opts.ident}'")
        return
    qdev_set_id(dev, opts.ident)
    log.at(629)
    FN_OPT_FOREACH.enter(log, dev.addr, err.addr)
    for name, value in opts.in_dict_order():
        if name in ("driver", "bus") or err.failed():
            continue
        if opts.json:
            FN_SET_PROPERTY.enter(log, dev.addr, log.text(name), 0, err.addr)
            dev.property_set(QObjectInputVisitor(log, value, True), name, err)
            log.leave()
        else:
            _set_option(dev, name, str(value), err)
    log.leave()
    if err.failed():
        return
    dev.opts_text = opts.text
    if bus is not None:
        qdev_set_parent_bus(dev, bus)
    log.at(634)
    dev.property_set_bool(True, "realized", err)


def _failed_early(world: World, err: Errp) -> bool:
    """Whether a ``-global`` could not be applied: qdev_prop_set_globals had no caller to tell."""
    fatal = world.fatal
    if fatal is not None:
        err.receive(fatal)
        world.fatal = None
    return fatal is not None


def _set_option(dev: DeviceState, name: str, text: str, err: Errp) -> None:
    """set_property: one option."""
    log = dev.world.log
    FN_SET_PROPERTY.enter(log, dev.addr, log.text(name), log.text(text), err.addr)
    if dev.world.v7_2:
        dev.property_set(KeyvalInputVisitor(log, text), name, err)
    else:
        dev.property_parse(text, name, err)
    log.leave()


def qdev_set_id(dev: DeviceState, ident: str | None) -> None:
    """A child of /machine/peripheral under its id, else of /machine/peripheral-anon (qdev-monitor.c:546)."""
    world = dev.world
    log = world.log
    FN_SET_ID.enter(log, dev.addr, log.text(ident or ""))
    if ident:
        dev.set_id(ident)
        world.container_get(world.machine_obj, "peripheral").property_add_child(ident, dev, AbortErrp())
    else:
        name = f"device[{world.anonymous_count}]"
        world.anonymous_count += 1
        world.container_get(world.machine_obj, "peripheral-anon").property_add_child(name, dev, AbortErrp())
    log.leave()


# -- removing ---------------------------------------------------------------------------------------------------------
def find_device_state(world: World, ident: str, errp: Errp) -> DeviceState | None:
    """The device with an id or at a path (qdev-monitor.c:766)."""
    log = world.log
    path = ident if ident.startswith("/") else f"/machine/peripheral/{ident}"
    found: Object | None = world.resolve_path(path)
    if found is None:
        errp.set(log, f"Device '{ident}' not found")
        return None
    if not isinstance(found, DeviceState):
        errp.set(log, f"{ident} is not a hotpluggable device")
        return None
    return found


def qdev_unplug(dev: DeviceState, errp: Errp) -> None:
    """Ask for the device to go (qdev-monitor.c:795); the guest is taken to eject it at once."""
    log = dev.world.log
    FN_UNPLUG.enter(log, dev.addr)
    bus = dev.parent_bus
    if bus is not None and bus.hotplug_handler is None:
        errp.set(log, f"Bus '{bus.name}' does not support hotplugging")
    elif not dev.device_class.hotpluggable:
        errp.set(log, f"Device '{dev.typename}' does not support hotplugging")
    else:
        dev.unparent()
    log.leave()
