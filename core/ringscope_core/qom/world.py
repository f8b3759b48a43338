"""World: one emulated QEMU process, as far as objects are concerned."""

from __future__ import annotations

from typing import Final, final

from mypy_extensions import i64, mypyc_attr

from ringscope_core.qom.base_types import register_base_types
from ringscope_core.qom.errp import AbortErrp, Error
from ringscope_core.qom.heap import Heap
from ringscope_core.qom.object import Object, object_new, object_resolve_path
from ringscope_core.qom.profile import DEFAULT_MACHINE, PROFILE_4_1, PROFILE_7_2, machine_of
from ringscope_core.qom.symbols import SYMBOLS
from ringscope_core.qom.types import TypeTable
from ringscope_core.trace.log import SEVERITY_ERROR, SEVERITY_WARNING, EventLog
from ringscope_core.trace.state import MachineState, ObjectState

MESSAGES_KEPT: Final = 1 << 16
"""Messages that are remembered."""


@final
class GlobalProperty:
    """One ``-global driver.property=value``."""

    def __init__(self, driver: str, prop: str, value: str) -> None:
        self.driver: str = driver
        self.property: str = prop
        self.value: str = value


@mypyc_attr(allow_interpreted_subclasses=True)
class QapiEventSink:
    """Hears the events that QEMU's monitor would send."""

    def qapi_event(self, name: str, data: dict[str, object]) -> None:
        """An event; `data` as QMP has it."""


@final
class World:
    """Types, objects, addresses and messages of one process.

    `context` is the machine as devices see it (HwContext); it is an object here because the object model stands below the hardware.
    """

    def __init__(self, log: EventLog, profile: str = PROFILE_4_1, machine_type: str = DEFAULT_MACHINE) -> None:
        self.log: EventLog = log
        self.profile: str = profile
        """Which QEMU is modelled (`qom.profile`)."""
        self.v7_2: bool = profile == PROFILE_7_2
        self.machine_type: str = machine_of(profile, machine_type)
        """Machine type whose properties hold, such as ``pc-i440fx-4.1``."""
        self.heap: Heap = Heap()
        self.types: TypeTable = TypeTable(log, self.heap, self.v7_2)
        self.objects: dict[int, Object] = {}
        """Every live object by id."""
        self.globals: list[GlobalProperty] = []
        self.messages: list[str] = []
        """What went to stderr of late, without the program's name."""
        self.location: str = ""
        """Prefix of messages while an option is being worked on (loc_set_cmdline), such as ``-device ARGS: ``."""
        self.context: object = None
        self.unattached_count: int = 0
        """Devices that /machine/unattached has adopted so far."""
        self.anonymous_count: int = 0
        """Devices without an id that were made so far."""
        self.boot_order: dict[int, int] = {}
        """Object id by boot index."""
        self.deleted_devices: list[tuple[str, str]] = []
        """Id and path of devices that are gone, for DEVICE_DELETED."""
        self.event_sink: QapiEventSink | None = None
        self.qdev_hotplug: bool = False
        """The machine is complete: devices made from now on are hotplugged."""
        self.fatal: Error | None = None
        """What QEMU would have exited with where a hook has no caller to tell (error_fatal)."""
        register_base_types(self.types)
        self.root_or_none: Object | None = None
        self.machine_or_none: Object | None = None

    def qapi_event(self, name: str, data: dict[str, object]) -> None:
        """An event for the monitor's clients (qapi_event_send_*)."""
        if self.event_sink is not None:
            self.event_sink.qapi_event(name, data)

    @property
    def root(self) -> Object:
        """The composition tree's root, made at first use (object_get_root)."""
        found = self.root_or_none
        if found is None:
            found = object_new(self, "container")
            self.root_or_none = found
        return found

    @property
    def machine_obj(self) -> Object:
        """``/machine``."""
        found = self.machine_or_none
        assert found is not None, "the board is not built yet"
        return found

    def container_get(self, parent: Object, name: str) -> Object:
        """The container `name` below `parent`, made at first use (container_get, for one component)."""
        found = parent.resolve_path_component(name)
        if found is None:
            found = object_new(self, "container")
            parent.property_add_child(name, found, AbortErrp())
            found.unref()
        return found

    def resolve_path(self, path: str) -> Object | None:
        """object_resolve_path."""
        return object_resolve_path(self, path)

    def symbol(self, name: str) -> int:
        """Address of a function, or of a string literal given with its quotes; 0 when unknown."""
        return SYMBOLS.get(name, 0)

    def literal(self, text: str) -> i64:
        """Address of a string literal, 0 when unknown."""
        return SYMBOLS.get(f'"{text}"', 0)

    # -- messages -----------------------------------------------------------------------------------------------------
    def error_report(self, text: str) -> None:
        """error_report: the text with the location in front, as a message."""
        full = self.location + text
        self._keep(full)
        self.log.message(SEVERITY_ERROR, full)

    def warn_report(self, text: str) -> None:
        """warn_report."""
        full = f"{self.location}warning: {text}"
        self._keep(full)
        self.log.message(SEVERITY_WARNING, full)

    def error_printf(self, text: str) -> None:
        """error_printf: more text without a location, such as a hint."""
        self._keep(text)
        self.log.message(SEVERITY_ERROR, text)

    def _keep(self, text: str) -> None:
        """Remember a message; a guest may cause any number, so the oldest are forgotten."""
        self.messages.append(text)
        if len(self.messages) > MESSAGES_KEPT:
            del self.messages[: MESSAGES_KEPT // 2]

    # -- keyframes ----------------------------------------------------------------------------------------------------
    def snapshot(self, state: MachineState) -> None:
        """Put every live object and the fields it logs into `state`."""
        log = self.log
        for oid, obj in self.objects.items():
            size = obj.klass.type.instance_size() or 0
            entry = ObjectState(log.text(obj.typename), obj.addr, size)
            entry.ref = obj.ref_count
            parent = obj.parent
            if parent is not None:
                entry.parent = parent.oid
                entry.name_id = log.text(obj.path_component())
            entry.bus = obj.bus_oid()
            state.objects[oid] = entry
            fields: dict[int, int] = {}
            obj.snapshot(fields)
            if fields:
                state.fields[oid] = fields
