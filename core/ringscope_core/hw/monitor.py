"""Answers of the monitor: ``info qtree``, and the QOM queries of QMP (qdev-monitor.c, qom/qom-qmp-cmds.c)."""

from __future__ import annotations

from ringscope_core.hw.context import HwContext
from ringscope_core.hw.monitor_error import MonitorError as MonitorError
from ringscope_core.hw.qdev.bus import BusState
from ringscope_core.hw.qdev.device import DeviceState
from ringscope_core.hw.qdev.properties import Property
from ringscope_core.hw.types import register_all_types
from ringscope_core.memory.ram import PAGE, anonymous_ram
from ringscope_core.qom.errp import Errp
from ringscope_core.qom.object import Object, object_initialize_with_type, table_order
from ringscope_core.qom.property import ObjectProperty
from ringscope_core.qom.types import TypeTable, object_class_get_list
from ringscope_core.qom.visitor import PropValue
from ringscope_core.qom.world import World
from ringscope_core.trace.clock import Clock
from ringscope_core.trace.log import EventLog
from ringscope_core.trace.mainloop import MainLoop

Row = dict[str, PropValue]


# -- info qtree -------------------------------------------------------------------------------------------------------
def info_qtree(sysbus: BusState) -> str:
    """Buses and devices from the system bus down, each line ended."""
    lines: list[str] = []
    _print_bus(sysbus, 0, lines)
    return "".join(line + "\n" for line in lines)


def _print_bus(bus: BusState, indent: int, lines: list[str]) -> None:
    lines.append(f"{' ' * indent}bus: {bus.name}")
    lines.append(f"{' ' * (indent + 2)}type {bus.typename}")
    for dev in bus.devices():
        _print_device(dev, indent + 2, lines)


def _print_device(dev: DeviceState, indent: int, lines: list[str]) -> None:
    lines.append(f'{" " * indent}dev: {dev.typename}, id "{dev.id}"')
    pad = " " * (indent + 2)
    for klass in dev.device_class_chain():
        lines.extend(f"{pad}{prop.name} = {_print_property(dev, prop)}" for prop in klass.props)
    bus = dev.parent_bus
    if bus is not None and bus.bus_class.print_dev is not None:
        lines.extend(pad + line for line in bus.bus_class.print_dev(dev))
    for child in dev.child_buses:
        _print_bus(child, indent + 2, lines)


def _print_property(dev: DeviceState, prop: Property) -> str:
    text = prop.print_legacy(dev) or prop.print_human(dev)
    if text is None:
        text = dev.property_print(prop.name, True, Errp())
    return text or "<null>"


# -- QOM over QMP -----------------------------------------------------------------------------------------------------
def _resolve(world: World, path: str) -> Object:
    found = world.resolve_path(path)
    if found is None:
        raise MonitorError(f"Device '{path}' not found", True)
    return found


def _listed(world: World, props: list[ObjectProperty]) -> list[ObjectProperty]:
    """The order of an answer: each row goes to its head (7.2)."""
    return props[::-1] if world.v7_2 else props


def qom_list(world: World, path: str) -> list[Row]:
    """Properties of the object at `path`: name and type."""
    return [{"name": prop.name, "type": prop.type} for prop in _listed(world, _resolve(world, path).all_properties())]


def info_qom_tree(world: World, path: str = "/machine") -> str:
    """The text of ``info qom-tree PATH``: objects and their children, by name, each line ended."""
    lines: list[str] = []
    _print_tree(_resolve(world, path), 0, lines)
    return "".join(line + "\n" for line in lines)


def _print_tree(obj: Object, indent: int, lines: list[str]) -> None:
    lines.append(f"{' ' * indent}/{obj.path_component()} ({obj.typename})")
    for child in sorted(obj.children(), key=child_name):
        _print_tree(child, indent + 2, lines)


def child_name(obj: Object) -> bytes:
    """By what children are sorted (strcmp)."""
    return obj.path_component().encode()


def qom_get(world: World, path: str, name: str) -> PropValue:
    """The value of a property."""
    errp = Errp()
    value = _resolve(world, path).property_get(name, errp)
    error = errp.error
    if error is not None:
        raise MonitorError(error.text)
    return value


def qom_list_types(world: World, implements: str = "", abstract: bool = False) -> list[Row]:
    """Types that are `implements` or below it ("" for all); abstract ones when asked for."""
    return qom_list_types_of(world.types, implements, abstract)


def qom_list_types_of(table: TypeTable, implements: str = "", abstract: bool = False) -> list[Row]:
    """As `qom_list_types`, of a table of types."""
    if implements and table.lookup(implements) is None:
        return []
    rows: list[Row] = []
    for klass in object_class_get_list(table, implements, abstract):
        row: Row = {"name": klass.name}
        impl = klass.type
        if impl.abstract:
            row["abstract"] = True
        if impl.info.parent:
            row["parent"] = impl.info.parent
        rows.append(row)
    return rows


def _describe(prop: ObjectProperty) -> Row:
    row: Row = {"name": prop.name, "type": prop.type}
    if prop.description:
        row["description"] = prop.description
    return row


def _scratch_world(profile: str, machine_type: str) -> World:
    """A process of its own with the same types, so that asking leaves no trace in the one that runs."""
    log = EventLog(Clock())
    world = World(log, profile, machine_type)
    world.context = HwContext(log, MainLoop(log.clock), anonymous_ram(int(PAGE)))
    register_all_types(world)
    return world


def _properties_of_type(world: World, typename: str) -> list[ObjectProperty]:
    """Properties that an object of the type would have: one is made, as QEMU does, but for an abstract type's, which are its classes'."""
    if world.types.lookup(typename) is None:
        raise MonitorError(f"Class '{typename}' not found", True)
    scratch = _scratch_world(world.profile, world.machine_type)
    impl = scratch.types.get(typename)
    impl.initialize()
    if impl.abstract:
        return [prop for ancestor in impl.chain() for prop in table_order(world, ancestor.initialize().properties)]
    return object_initialize_with_type(scratch, impl, 0).all_properties()


def qom_list_properties(world: World, typename: str) -> list[Row]:
    """Properties of a type's objects."""
    return [_describe(prop) for prop in _listed(world, _properties_of_type(world, typename))]


DEVICE_LIST_SKIPPED = ("type", "realized", "hotpluggable", "hotplugged", "parent_bus")


def device_list_properties(world: World, typename: str) -> list[Row]:
    """What ``-device TYPE`` takes: the properties without those of every device and the legacy twins."""
    impl = world.types.lookup(typename)
    if impl is None:
        raise MonitorError(f"Device '{typename}' not found", True)
    if not impl.is_ancestor_named("device"):
        raise MonitorError("Parameter 'typename' expects device")
    if impl.abstract:
        raise MonitorError("Parameter 'typename' expects non-abstract device type")
    rows: list[Row] = []
    for prop in _listed(world, _properties_of_type(world, typename)):
        if prop.name in DEVICE_LIST_SKIPPED or prop.name.startswith("legacy-"):
            continue
        row = _describe(prop)
        if world.v7_2 and prop.default is not None:
            row["default-value"] = prop.default
        rows.append(row)
    return rows


def device_help(world: World, typename: str) -> str:
    """What ``-device TYPE,help`` prints (7.2): the properties by name."""
    rows = sorted(device_list_properties(world, typename), key=row_name)
    lines = [f"{typename} options:"] if rows else [f"There are no options for {typename}."]
    for row in rows:
        start = f"  {row['name']}=<{row['type']}>"
        description, default = row.get("description"), row.get("default-value")
        text = ""
        if default is not None:
            text = f" (default: {_json(default)})"
        if description is not None or default is not None:
            lines.append(f"{start:<24} - {description or ''}{text}")
        else:
            lines.append(start)
    return "".join(line + "\n" for line in lines)


def row_name(row: Row) -> bytes:
    """By what help is sorted (strcmp)."""
    return str(row["name"]).encode()


def _json(value: PropValue) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return f'"{value}"' if isinstance(value, str) else str(value)
