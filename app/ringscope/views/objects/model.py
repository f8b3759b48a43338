"""Trees of a moment's objects, from `MachineState.objects` alone."""

from __future__ import annotations

from ringscope.store import Store
from ringscope.type_rows import TypeForest
from ringscope.widgets.tree_list import Node
from ringscope.words import t
from ringscope_core.trace.oids import ring_index
from ringscope_core.trace.state import MachineState, ObjectState

RINGS_KEY = -1


def _address(found: ObjectState) -> str:
    return f"0x{found.addr:x}" if found.addr else t("unknown")


def _tip(path: str, found: ObjectState, type_name: str, references: str) -> str:
    count = t("references: {references}", references=references) if references else t("a plain structure, not a QOM object: it has no reference count")
    return f"{path}\n{type_name} at {_address(found)}\n{count}"


def _name(store: Store, oid: int, found: ObjectState) -> str:
    return store.text(found.name_id) or store.name_of(oid)


def composition(state: MachineState, store: Store) -> Node:
    """Objects below their parents; those without one at the top.  The rings follow, by queue."""
    root = Node(0, [])
    nodes: dict[int, Node] = {}
    qom_types = {str(plain["name"]) for plain in store.reader.types}
    for oid, found in sorted(state.objects.items()):
        type_name = store.text(found.type_id)
        # VirtQueue and MSIXEntry are structures inside an object: nothing counts references to them
        references = str(found.ref) if type_name in qom_types or not qom_types else ""
        texts = [_name(store, oid, found), type_name, references, _address(found)]
        nodes[oid] = Node(oid, texts, tip=_tip(store.path_of(oid), found, type_name, references))
    for oid, node in nodes.items():
        parent = state.objects[oid].parent
        (nodes.get(parent, root) if parent != oid else root).add(node)
    if state.rings:
        rings = root.add(Node(RINGS_KEY, [t("virtqueues"), t("{n} rings", n=len(state.rings)), "", ""], heading=True))
        for oid, ring in sorted(state.rings.items(), key=lambda item: (int(ring_index(item[0])), item[0])):
            rings.add(
                Node(
                    oid,
                    [store.name_of(oid), t("{num} descriptors", num=ring.num), "", f"gpa 0x{ring.desc_gpa:x}"],
                    tip=t("{path}: descriptors at guest physical 0x{desc_gpa:x}", path=store.path_of(oid), desc_gpa=ring.desc_gpa),
                )
            )
    return root


def bus_tree(state: MachineState, store: Store, forest: TypeForest) -> Node:
    """Buses, the devices on them, and those devices' own buses, as `info qtree` nests them."""
    root = Node(0, [])
    buses = {oid for oid, found in state.objects.items() if _is_a(forest, store.text(found.type_id), "bus")}
    on_bus: dict[int, list[int]] = {}
    for oid, found in sorted(state.objects.items()):
        if found.bus:
            on_bus.setdefault(found.bus, []).append(oid)
    devices = {oid for oids in on_bus.values() for oid in oids}
    tops = [bus for bus in sorted(buses | set(on_bus)) if state.objects.get(bus) is None or state.objects[bus].parent not in devices]
    for bus in tops:
        _add_bus(root, bus, state, store, buses, on_bus)
    return root


def _is_a(forest: TypeForest, name: str, ancestor: str) -> bool:
    return any(row.name == ancestor for row in forest.chain(name))


def _add_bus(parent: Node, bus: int, state: MachineState, store: Store, buses: set[int], on_bus: dict[int, list[int]]) -> None:
    found = state.objects.get(bus)
    kind = store.text(found.type_id) if found else store.type_of(bus)
    node = parent.add(
        Node(
            bus,
            [
                f"bus: {_field_text(state, store, bus, 'BusState.name') or store.name_of(bus)}  type {kind}",
                kind,
                str(found.ref) if found else "",
                _address(found) if found else "",
            ],
            heading=True,
        )
    )
    for device in on_bus.get(bus, ()):
        one = state.objects[device]
        kind = store.text(one.type_id)
        child = node.add(Node(device, [f'dev: {kind}, id "{_device_id(store, device, one)}"', kind, str(one.ref), _address(one)]))
        for own in sorted(buses):
            if state.objects[own].parent == device:
                _add_bus(child, own, state, store, buses, on_bus)


def _field_text(state: MachineState, store: Store, oid: int, name: str) -> str:
    """A string field of an object, empty when it was not recorded."""
    return store.text(state.value(oid, store.field_id(name)))


def _device_id(store: Store, oid: int, found: ObjectState) -> str:
    """The user's id: the child name under /machine/peripheral; anonymous and built-in devices have none."""
    return store.text(found.name_id) if store.path_of(oid).rsplit("/", 1)[0] == "/machine/peripheral" else ""
