"""An object's fields as gdb's ``p *obj`` prints them: by structure, with offsets, and `unknown` where nothing was observed."""

from __future__ import annotations

from ringscope.store import Store
from ringscope.type_rows import TypeForest
from ringscope.widgets.tree_list import Node
from ringscope.words import later, t
from ringscope_core.gdb.ctypes import PACKED_ONLY, SPLIT_ONLY
from ringscope_core.query.decode import MASK64
from ringscope_core.trace.oids import is_ring
from ringscope_core.trace.state import MachineState
from ringscope_core.trace.structs import STRUCTS

RING_STRUCTS = ["VirtQueue", "VRing", "vring_virtqueue", "VirtIOPCIQueue"]
UNKNOWN = later("unknown")


def structs_of(oid: int, store: Store, forest: TypeForest) -> list[str]:
    """The structures an object has, the most derived first."""
    return RING_STRUCTS if is_ring(oid) else forest.structs(store.type_of(oid))


class Observed:
    """Which fields a recording ever tells of: those it declares a unit for, and those seen in a state.

    A field that was observed and is absent from a state has its initial value, 0; one never observed is unknown.
    """

    def __init__(self) -> None:
        self._by_oid: dict[int, set[int]] = {}

    def note(self, oid: int, state: MachineState) -> None:
        """Remember the fields that `state` has of `oid`."""
        self._by_oid.setdefault(oid, set()).update(state.fields.get(oid, ()))

    def __call__(self, oid: int, number: int) -> bool:
        return number in self._by_oid.get(oid, ())


def _from_object(state: MachineState, oid: int, struct: str, name: str, store: Store) -> str:
    """Fields of `Object` and `DeviceState` that the composition tree tells."""
    found = state.objects.get(oid)
    if found is None:
        return ""
    if struct == "Object" and name == "ref":
        return str(found.ref)
    if struct == "Object" and name == "parent":
        parent = state.objects.get(found.parent)
        return f"0x{parent.addr & MASK64:x} ({store.name_of(found.parent)})" if parent and parent.addr else store.name_of(found.parent) or "NULL"
    if struct == "DeviceState" and name == "parent_bus" and found.bus:
        bus = state.objects.get(found.bus)
        return f"0x{bus.addr & MASK64:x} ({store.name_of(found.bus)})" if bus and bus.addr else store.name_of(found.bus)
    return ""


def field_tree(oid: int, state: MachineState, store: Store, forest: TypeForest, observed: Observed) -> Node:
    """Structures as headings, fields below: name, value, offset."""
    root = Node(None, [])
    values = state.fields.get(oid, {})
    observed.note(oid, state)
    by_struct: dict[str, list[int]] = {}
    for number, spec in store.reader.fields.items():
        by_struct.setdefault(spec.struct, []).append(number)
    wanted = structs_of(oid, store, forest)
    others = {found.struct for number in values if (found := store.field(number)) is not None} - set(wanted)
    for struct in [*wanted, *sorted(others)]:
        if struct not in by_struct:
            continue
        size = STRUCTS[struct][0] if struct in STRUCTS else 0
        head = root.add(Node(struct, [struct, t("{size} bytes", size=size) if size else "", ""], heading=True))
        other = _of_other_layout(oid, struct, state)
        for number in sorted(by_struct[struct], key=lambda n: (_offset(store, n), n)):
            if other and store.reader.fields[number].name in other:
                continue
            head.add(_field(oid, number, state, store, observed))
    return root


def _of_other_layout(oid: int, struct: str, state: MachineState) -> frozenset[str]:
    """Fields of `struct` that do not exist in the layout that ring `oid` has."""
    ring = state.rings.get(oid)
    if struct != "vring_virtqueue" or ring is None:
        return frozenset()
    return SPLIT_ONLY if ring.packed else PACKED_ONLY


def _offset(store: Store, number: int) -> int:
    spec = store.field(number)
    return spec.offset if spec is not None and spec.offset >= 0 else 1 << 30


def _field(oid: int, number: int, state: MachineState, store: Store, observed: Observed) -> Node:
    spec = store.field(number)
    assert spec is not None
    values = state.fields.get(oid, {})
    if number in values:
        text = store.decoder.field_value(number, values[number])
    else:
        text = _from_object(state, oid, spec.struct, spec.name, store)
        if not text:
            text = store.decoder.field_value(number, 0) if observed(oid, number) else UNKNOWN
    offset = f"+{spec.offset}" if spec.offset >= 0 else ""
    node = Node(number, [spec.name, t(text) if text == UNKNOWN else text, offset], tip=f"{spec.ctype or t('(not a C field)')}  {spec.struct}.{spec.name}")
    node.muted = text == UNKNOWN
    return node
