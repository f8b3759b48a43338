"""device_set_realized: how a device comes alive and goes, with rollback (hw/core/qdev.c:795)."""

from __future__ import annotations

from ringscope_core.hw.qdev.bus import BusState, bus_of
from ringscope_core.hw.qdev.device import DeviceState, device_of
from ringscope_core.hw.qdev.hotplug import HotplugHandlerClass, qdev_get_hotplug_handler
from ringscope_core.qom.calls import declare
from ringscope_core.qom.errp import AbortErrp, Errp
from ringscope_core.qom.object import Object
from ringscope_core.qom.symbols import LOCAL_ERR_OF_DEVICE_SET_REALIZED

FN_SET_REALIZED = declare("device_set_realized", "obj:opt value:opt errp:ptr")
FN_CHECK_MIGRATABLE = declare("check_only_migratable", "obj:ptr errp:ptr")
FN_GET_HOTPLUG_HANDLER = declare("qdev_get_hotplug_handler", "dev:ptr")
FN_PRE_PLUG = declare("hotplug_handler_pre_plug", "plug_handler:ptr plugged_dev:ptr errp:ptr")
FN_PLUG = declare("hotplug_handler_plug", "plug_handler:ptr plugged_dev:ptr errp:ptr")
FN_RESET = declare("device_reset", "dev:ptr")


def device_get_realized(obj: Object, errp: Errp) -> bool:
    """Getter of ``realized``."""
    return device_of(obj).realized


def device_set_realized(obj: Object, value: bool, errp: Errp) -> None:
    """Setter of ``realized``.  On failure everything done so far is undone and the device stays unrealized."""
    dev = device_of(obj)
    log = obj.world.log
    FN_SET_REALIZED.enter(log, errp.addr)
    log.at(805)
    if dev.hotplugged and not dev.device_class.hotpluggable:
        errp.set(log, f"Device '{dev.typename}' does not support hotplugging")
    elif value and not dev.realized:
        _realize(dev, errp)
    elif not value and dev.realized:
        _unrealize(dev, errp)
    log.leave()


def _realize(dev: DeviceState, errp: Errp) -> None:
    log = dev.world.log
    local = errp.local(LOCAL_ERR_OF_DEVICE_SET_REALIZED)
    log.at(811)
    check_only_migratable(dev, local)
    log.at(815)
    unattached = dev.parent is None
    if unattached:
        _adopt(dev)
    log.at(825)
    handler = _hotplug_handler(dev)
    if handler is not None:
        log.at(827)
        hotplug_handler_pre_plug(handler, dev, local)
    if not local.failed():
        realize = dev.device_class.realize
        if realize is not None:
            log.at(834)
            realize(dev, local)
        if not local.failed():
            _after_realize(dev, handler, local)
    if local.failed():
        local.propagate_to(errp)
        if unattached:
            dev.unparent()
        return
    log.at(900)
    dev.set_realized_flag(True)


def _after_realize(dev: DeviceState, handler: Object | None, local: Errp) -> None:
    """From the listeners to the plug hook; undoes the device's own realize when one of them fails."""
    log = dev.world.log
    log.at(841)
    log.at(848)
    dev.set_canonical_path()
    log.at(850)
    if dev.device_class.vmsd:
        log.at(851)
    for bus in list(dev.child_buses):
        log.at(859)
        bus.property_set_bool(True, "realized", local)
        if local.failed():
            break
    if not local.failed():
        if dev.hotplugged:
            log.at(866)
            device_reset(dev)
        dev.set_pending_deleted(False)
        if handler is not None:
            log.at(872)
            hotplug_handler_plug(handler, dev, local)
    if local.failed():
        _undo(dev)


def _undo(dev: DeviceState) -> None:
    """Labels child_realize_fail and post_realize_fail: later errors are dropped."""
    for bus in list(dev.child_buses):
        bus.property_set_bool(False, "realized", Errp())
    dev.set_canonical_path_none()
    unrealize = dev.device_class.unrealize
    if unrealize is not None:
        unrealize(dev, Errp())


def _unrealize(dev: DeviceState, errp: Errp) -> None:
    local = errp.local(LOCAL_ERR_OF_DEVICE_SET_REALIZED)
    for bus in list(dev.child_buses):
        # the first error counts, later ones are dropped
        bus.property_set_bool(False, "realized", Errp() if local.failed() else local)
    unrealize = dev.device_class.unrealize
    if unrealize is not None:
        unrealize(dev, Errp() if local.failed() else local)
    dev.set_pending_deleted(True)
    if local.failed():
        local.propagate_to(errp)
        return
    dev.world.log.at(900)
    dev.set_realized_flag(False)


def _adopt(dev: DeviceState) -> None:
    """A device that nobody owns becomes a child of /machine/unattached."""
    world = dev.world
    name = f"device[{world.unattached_count}]"
    world.unattached_count += 1
    world.container_get(world.machine_obj, "unattached").property_add_child(name, dev, AbortErrp())


def check_only_migratable(dev: DeviceState, errp: Errp) -> None:
    """qdev.c:781: only ``-only-migratable`` makes it refuse a device, and we do not offer that option."""
    log = dev.world.log
    FN_CHECK_MIGRATABLE.enter(log, dev.addr, errp.addr)
    log.leave(1)


def _hotplug_handler(dev: DeviceState) -> Object | None:
    log = dev.world.log
    FN_GET_HOTPLUG_HANDLER.enter(log, dev.addr)
    handler = qdev_get_hotplug_handler(dev)
    log.leave(0 if handler is None else handler.addr)
    return handler


def _handler_class(handler: Object) -> HotplugHandlerClass:
    for iface in handler.klass.interfaces:
        if isinstance(iface, HotplugHandlerClass):
            return iface
    raise AssertionError(f"{handler.typename} is no hotplug handler")


def hotplug_handler_pre_plug(handler: Object, dev: DeviceState, errp: Errp) -> None:
    """hotplug.c:16."""
    log = dev.world.log
    FN_PRE_PLUG.enter(log, handler.addr, dev.addr, errp.addr)
    hook = _handler_class(handler).pre_plug
    if hook is not None:
        hook(handler, dev, errp)
    log.leave()


def hotplug_handler_plug(handler: Object, dev: DeviceState, errp: Errp) -> None:
    """hotplug.c:27."""
    log = dev.world.log
    FN_PLUG.enter(log, handler.addr, dev.addr, errp.addr)
    hook = _handler_class(handler).plug
    if hook is not None:
        hook(handler, dev, errp)
    log.leave()


def device_reset(dev: DeviceState) -> None:
    """The class's reset hook alone (qdev.c:1089)."""
    log = dev.world.log
    FN_RESET.enter(log, dev.addr)
    reset = dev.device_class.reset
    if reset is not None:
        reset(dev)
    log.leave()


def qbus_reset_all(obj: Object) -> None:
    """Reset a bus and everything below it, the deepest first (qbus_reset_all: a post-order walk)."""
    bus: BusState = bus_of(obj)
    for dev in bus.devices():
        qdev_reset_all(dev)
    reset = bus.bus_class.reset
    if reset is not None:
        reset(bus)


def qdev_reset_all(dev: DeviceState) -> None:
    """Reset a device and everything below it, the deepest first."""
    for bus in list(dev.child_buses):
        qbus_reset_all(bus)
    device_reset(dev)
