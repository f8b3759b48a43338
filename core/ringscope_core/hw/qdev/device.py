"""DeviceState and what every device goes through outside realize: making, bus, id, parting (hw/core/qdev.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mypy_extensions import i64

from ringscope_core.hw.context import HwContext
from ringscope_core.hw.qdev.device_class import DeviceClass as DeviceClass
from ringscope_core.qom.calls import declare
from ringscope_core.qom.klass import ObjectClass
from ringscope_core.qom.object import Object
from ringscope_core.trace.fields import field
from ringscope_core.trace.kinds import EV_BUS_ATTACH, EV_BUS_DETACH

if TYPE_CHECKING:
    from ringscope_core.hw.qdev.bus import BusState

F_ID = field("DeviceState.id", "str")
F_CANONICAL_PATH = field("DeviceState.canonical_path", "str")
F_REALIZED = field("DeviceState.realized", "bool")
F_PENDING_DELETED = field("DeviceState.pending_deleted_event", "bool")
F_HOTPLUGGED = field("DeviceState.hotplugged", "bool")
F_PARENT_BUS = field("DeviceState.parent_bus", "ptr")
F_NUM_CHILD_BUS = field("DeviceState.num_child_bus", "count")
F_INSTANCE_ID_ALIAS = field("DeviceState.instance_id_alias", "value")

FN_SET_PARENT_BUS = declare("qdev_set_parent_bus", "dev:ptr bus:ptr")
FN_BUS_ADD_CHILD = declare("bus_add_child", "bus:ptr child:ptr")
FN_BUS_REMOVE_CHILD = declare("bus_remove_child", "bus:ptr child:ptr")


class DeviceState(Object):
    """A device.  Fields as in include/hw/qdev-core.h; setters record what changes."""

    ctx: HwContext
    """The machine as this device sees it; there from instance_init on."""

    def __init__(self) -> None:
        super().__init__()
        self.id: str = ""
        self.canonical_path_text: str = ""
        self.realized: bool = False
        self.pending_deleted_event: bool = False
        self.opts_text: str = ""
        """The option string that made it, "" for none."""
        self.hotplugged: bool = False
        self.parent_bus: BusState | None = None
        self.child_buses: list[BusState] = []
        """Newest first, as QEMU inserts at the head."""
        self.instance_id_alias: i64 = 0

    @property
    def device_class(self) -> DeviceClass:
        """The class as a device's."""
        klass = self.klass
        assert isinstance(klass, DeviceClass)
        return klass

    def device_class_chain(self) -> list[DeviceClass]:
        """Classes that may hold static properties: this type's up to, but not, "device"."""
        out: list[DeviceClass] = []
        for impl in self.klass.type.chain():
            if impl.name == "device":
                break
            klass = impl.initialize()
            assert isinstance(klass, DeviceClass)
            out.append(klass)
        return out

    def bus_oid(self) -> i64:
        bus = self.parent_bus
        return 0 if bus is None else bus.oid

    def snapshot(self, fields: dict[int, int]) -> None:
        log = self.world.log
        fields[F_ID] = log.text(self.id)
        fields[F_CANONICAL_PATH] = log.text(self.canonical_path_text)
        fields[F_REALIZED] = 1 if self.realized else 0
        fields[F_PENDING_DELETED] = 1 if self.pending_deleted_event else 0
        fields[F_HOTPLUGGED] = 1 if self.hotplugged else 0
        bus = self.parent_bus
        fields[F_PARENT_BUS] = 0 if bus is None else bus.addr
        fields[F_NUM_CHILD_BUS] = len(self.child_buses)
        fields[F_INSTANCE_ID_ALIAS] = self.instance_id_alias
        for klass in self.device_class_chain():
            for prop in klass.props:
                prop.member.snapshot(self, fields)

    # -- fields that events follow ------------------------------------------------------------------------------------
    def set_id(self, ident: str) -> None:
        """The user's name for it."""
        log = self.world.log
        log.field(self.oid, F_ID, log.text(ident), log.text(self.id))
        self.id = ident

    def set_realized_flag(self, value: bool) -> None:
        """DeviceState.realized; see `realize.device_set_realized` for what realizing is."""
        self.world.log.field(self.oid, F_REALIZED, 1 if value else 0, 1 if self.realized else 0)
        self.realized = value

    def set_pending_deleted(self, value: bool) -> None:
        """DeviceState.pending_deleted_event."""
        self.world.log.field(self.oid, F_PENDING_DELETED, 1 if value else 0, 1 if self.pending_deleted_event else 0)
        self.pending_deleted_event = value

    def set_hotplugged(self) -> None:
        """It was made after the machine was complete."""
        self.world.log.field(self.oid, F_HOTPLUGGED, 1, 1 if self.hotplugged else 0)
        self.hotplugged = True

    def set_canonical_path(self) -> None:
        """Remember where in the composition tree it was when it was realized."""
        self._store_canonical_path(self.canonical_path())

    def set_canonical_path_none(self) -> None:
        """Forget it: realize failed after all."""
        self._store_canonical_path("")

    def _store_canonical_path(self, path: str) -> None:
        log = self.world.log
        log.field(self.oid, F_CANONICAL_PATH, log.text(path), log.text(self.canonical_path_text))
        self.canonical_path_text = path

    def set_parent_bus_field(self, bus: BusState | None) -> None:
        """DeviceState.parent_bus alone; see `qdev_set_parent_bus`."""
        old = self.parent_bus
        self.world.log.field(self.oid, F_PARENT_BUS, 0 if bus is None else bus.addr, 0 if old is None else old.addr)
        self.parent_bus = bus

    def add_child_bus(self, bus: BusState) -> None:
        """A bus of its own."""
        self.child_buses.insert(0, bus)
        self.world.log.field(self.oid, F_NUM_CHILD_BUS, len(self.child_buses), len(self.child_buses) - 1)

    def remove_child_bus(self, bus: BusState) -> None:
        """A bus of its own goes."""
        self.child_buses.remove(bus)
        self.world.log.field(self.oid, F_NUM_CHILD_BUS, len(self.child_buses), len(self.child_buses) + 1)


def device_class_of(klass: ObjectClass) -> DeviceClass:
    """DEVICE_CLASS."""
    assert isinstance(klass, DeviceClass)
    return klass


def device_of(obj: Object) -> DeviceState:
    """DEVICE."""
    assert isinstance(obj, DeviceState)
    return obj


def qdev_set_parent_bus(dev: DeviceState, bus: BusState) -> None:
    """Put `dev` on `bus`: the device holds the bus, the bus holds the device (qdev.c:95)."""
    log = dev.world.log
    FN_SET_PARENT_BUS.enter(log, dev.addr, bus.addr)
    dev.set_parent_bus_field(bus)
    bus.ref()
    FN_BUS_ADD_CHILD.enter(log, bus.addr, dev.addr)
    index = bus.add_child(dev)
    log.emit(EV_BUS_ATTACH, dev.oid, bus.oid, index)
    log.leave()
    log.leave()


def qdev_leave_parent_bus(dev: DeviceState) -> None:
    """Take `dev` off its bus, both references dropped (the end of device_unparent)."""
    bus = dev.parent_bus
    if bus is None:
        return
    log = dev.world.log
    FN_BUS_REMOVE_CHILD.enter(log, bus.addr, dev.addr)
    log.emit(EV_BUS_DETACH, dev.oid, bus.oid)
    bus.remove_child(dev)
    log.leave()
    dev.set_parent_bus_field(None)
    bus.unref()
