"""BusState, BusClass and what buses do (hw/core/bus.c)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, final

from mypy_extensions import i64

from ringscope_core.hw.qdev.device import DeviceState
from ringscope_core.qom.calls import declare
from ringscope_core.qom.errp import AbortErrp, Errp
from ringscope_core.qom.klass import ObjectClass
from ringscope_core.qom.object import Object, object_initialize_with_type
from ringscope_core.qom.property import BOOL_PROPERTY_SIZE, BoolObjectProperty, LinkProperty
from ringscope_core.trace.fields import field

if TYPE_CHECKING:
    from ringscope_core.qom.world import World

F_PARENT = field("BusState.parent", "ptr")
F_NAME = field("BusState.name", "str")
F_HOTPLUG_HANDLER = field("BusState.hotplug_handler", "ptr")
F_MAX_INDEX = field("BusState.max_index", "count")
F_REALIZED = field("BusState.realized", "bool")
F_NUM_CHILDREN = field("BusState.num_children", "count")

FN_CREATE_INPLACE = declare("qbus_create_inplace", "bus:ptr size:bytes typename:str parent:ptr")
FN_REALIZE = declare("qbus_realize", "bus:ptr parent:ptr name:str")
FN_SET_REALIZED = declare("bus_set_realized", "obj:ptr value:bool errp:ptr")
FN_UNPARENT = declare("bus_unparent", "obj:ptr")

_LINE_CREATE_INITIALIZE = 126
_LINE_CREATE_REALIZE = 127


class BusClass(ObjectClass):
    """Hooks of a bus type (include/hw/qdev-core.h)."""

    def __init__(self) -> None:
        super().__init__()
        self.print_dev: Callable[[DeviceState], list[str]] | None = None
        """Lines that ``info qtree`` adds for a device on such a bus."""
        self.get_dev_path: Callable[[DeviceState], str] | None = None
        self.get_fw_dev_path: Callable[[DeviceState], str] | None = None
        self.reset: Callable[[BusState], None] | None = None
        self.realize: Callable[[BusState, Errp], None] | None = None
        self.unrealize: Callable[[BusState, Errp], None] | None = None
        self.max_dev: i64 = 0
        """Devices it takes, 0 for any number."""
        self.automatic_ids: i64 = 0

    def copy_from(self, parent: ObjectClass) -> None:
        super().copy_from(parent)
        if isinstance(parent, BusClass):
            self.print_dev = parent.print_dev
            self.get_dev_path = parent.get_dev_path
            self.get_fw_dev_path = parent.get_fw_dev_path
            self.reset = parent.reset
            self.realize = parent.realize
            self.unrealize = parent.unrealize
            self.max_dev = parent.max_dev
            self.automatic_ids = parent.automatic_ids


@final
class BusChild:
    """A device's place on a bus."""

    def __init__(self, child: DeviceState, index: i64) -> None:
        self.child: DeviceState = child
        self.index: i64 = index

    def target(self, bus: Object) -> Object | None:
        """What the link ``child[N]`` leads to."""
        return self.child


class BusState(Object):
    """A bus."""

    def __init__(self) -> None:
        super().__init__()
        self.parent_dev: DeviceState | None = None
        """BusState.parent: the device whose bus this is."""
        self.name: str = ""
        self.hotplug_handler: Object | None = None
        self.max_index: i64 = 0
        self.realized: bool = False
        self.kids: list[BusChild] = []
        """BusState.children, newest first."""

    @property
    def bus_class(self) -> BusClass:
        """The class as a bus's."""
        klass = self.klass
        assert isinstance(klass, BusClass)
        return klass

    @property
    def parent_device(self) -> DeviceState | None:
        """The device whose bus this is, under a speaking name."""
        return self.parent_dev

    def devices(self) -> list[DeviceState]:
        """The devices on it, newest first."""
        return [kid.child for kid in self.kids]

    def snapshot(self, fields: dict[int, int]) -> None:
        parent = self.parent_dev
        handler = self.hotplug_handler
        fields[F_PARENT] = 0 if parent is None else parent.addr
        fields[F_NAME] = self.world.log.text(self.name)
        fields[F_HOTPLUG_HANDLER] = 0 if handler is None else handler.addr
        fields[F_MAX_INDEX] = self.max_index
        fields[F_REALIZED] = 1 if self.realized else 0
        fields[F_NUM_CHILDREN] = len(self.kids)

    def set_parent_dev(self, dev: DeviceState | None) -> None:
        """BusState.parent."""
        old = self.parent_dev
        self.world.log.field(self.oid, F_PARENT, 0 if dev is None else dev.addr, 0 if old is None else old.addr)
        self.parent_dev = dev

    def set_name(self, name: str) -> None:
        """BusState.name."""
        log = self.world.log
        log.field(self.oid, F_NAME, log.text(name), log.text(self.name))
        self.name = name

    def set_realized_flag(self, value: bool) -> None:
        """BusState.realized."""
        self.world.log.field(self.oid, F_REALIZED, 1 if value else 0, 1 if self.realized else 0)
        self.realized = value

    def set_hotplug_handler(self, handler: Object) -> None:
        """qbus_set_hotplug_handler."""
        old = self.hotplug_handler
        self.world.log.field(self.oid, F_HOTPLUG_HANDLER, handler.addr, 0 if old is None else old.addr)
        self.hotplug_handler = handler

    def add_child(self, dev: DeviceState) -> i64:
        """bus_add_child: the link ``child[N]`` and a reference; returns N."""
        log = self.world.log
        index = self.max_index
        kid = BusChild(dev, index)
        log.field(self.oid, F_MAX_INDEX, index + 1, index)
        self.max_index = index + 1
        self.kids.insert(0, kid)
        log.field(self.oid, F_NUM_CHILDREN, len(self.kids), len(self.kids) - 1)
        dev.ref()
        self.property_add(LinkProperty(f"child[{index}]", dev.typename, kid.target), AbortErrp())
        return index

    def remove_child(self, dev: DeviceState) -> None:
        """bus_remove_child."""
        for kid in self.kids:
            if kid.child is dev:
                self.kids.remove(kid)
                self.world.log.field(self.oid, F_NUM_CHILDREN, len(self.kids), len(self.kids) + 1)
                self.property_del(f"child[{kid.index}]")
                dev.unref()
                return


def bus_of(obj: Object) -> BusState:
    """BUS."""
    assert isinstance(obj, BusState)
    return obj


def _hotplug_handler(obj: Object) -> Object | None:
    return bus_of(obj).hotplug_handler


def qbus_initfn(obj: Object) -> None:
    """instance_init of "bus" (bus.c:182)."""
    world = obj.world
    obj.property_add(LinkProperty("hotplug-handler", "hotplug-handler", _hotplug_handler), AbortErrp())
    opaque = world.heap.alloc(f"bool-property:{obj.typename}.realized", BOOL_PROPERTY_SIZE)
    obj.property_add(BoolObjectProperty("realized", opaque, bus_get_realized, bus_set_realized), AbortErrp())


def qbus_finalize(obj: Object) -> None:
    """instance_finalize of "bus": nothing of ours is left to free, the name goes with the object."""


def bus_get_realized(obj: Object, errp: Errp) -> bool:
    """Getter of ``realized``."""
    return bus_of(obj).realized


def bus_set_realized(obj: Object, value: bool, errp: Errp) -> None:
    """Setter of ``realized`` (bus.c:147)."""
    bus = bus_of(obj)
    log = obj.world.log
    FN_SET_REALIZED.enter(log, obj.addr, 1 if value else 0, errp.addr)
    local = errp.local(0)
    klass = bus.bus_class
    if value and not bus.realized:
        if klass.realize is not None:
            klass.realize(bus, local)
    elif not value and bus.realized:
        for dev in bus.devices():
            dev.property_set_bool(False, "realized", local)
            if local.failed():
                break
        if not local.failed() and klass.unrealize is not None:
            klass.unrealize(bus, local)
    if local.failed():
        local.propagate_to(errp)
    else:
        bus.set_realized_flag(value)
    log.leave()


def bus_unparent(obj: Object) -> None:
    """Class hook: the devices on the bus go first (bus.c:106)."""
    bus = bus_of(obj)
    log = obj.world.log
    FN_UNPARENT.enter(log, obj.addr)
    while bus.kids:
        bus.kids[0].child.unparent()
    parent = bus.parent_dev
    if parent is not None:
        parent.remove_child_bus(bus)
        bus.set_parent_dev(None)
    log.leave()


def bus_class_init(klass: ObjectClass) -> None:
    """class_init of "bus" (bus.c:202)."""
    assert isinstance(klass, BusClass)
    klass.unparent = bus_unparent
    klass.get_fw_dev_path = default_bus_get_fw_dev_path


def default_bus_get_fw_dev_path(dev: DeviceState) -> str:
    """A device's firmware path component: its type's name."""
    return dev.typename


def _automatic_name(bus: BusState, parent: DeviceState | None) -> str:
    if parent is not None and parent.id:
        return f"{parent.id}.{len(parent.child_buses)}"
    klass = bus.bus_class
    number = klass.automatic_ids
    klass.automatic_ids = number + 1
    return f"{bus.typename}.{number}".lower()


def qbus_realize(bus: BusState, parent: DeviceState | None, name: str) -> None:
    """Name the bus and hang it below its device (bus.c:71)."""
    log = bus.world.log
    FN_REALIZE.enter(log, bus.addr, 0 if parent is None else parent.addr, log.text(name))
    bus.set_parent_dev(parent)
    bus.set_name(name or _automatic_name(bus, parent))
    if parent is not None:
        parent.add_child_bus(bus)
        parent.property_add_child(bus.name, bus, AbortErrp())
        bus.unref()
    log.leave()


def qbus_create_inplace(world: World, addr: i64, typename: str, parent: DeviceState | None, name: str) -> BusState:
    """A bus inside its device's memory at `addr` (bus.c:123)."""
    log = world.log
    impl = world.types.get(typename)
    FN_CREATE_INPLACE.enter(log, addr, impl.instance_size() or 0, log.text(typename), 0 if parent is None else parent.addr)
    log.at(_LINE_CREATE_INITIALIZE)
    bus = bus_of(object_initialize_with_type(world, impl, addr))
    log.at(_LINE_CREATE_REALIZE)
    qbus_realize(bus, parent, name)
    log.leave()
    return bus
