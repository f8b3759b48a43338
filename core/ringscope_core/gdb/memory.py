"""The structures of a moment: QOM objects, virtqueues, classes and types, with what the recording tells of each member."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from ringscope_core.gdb import casts
from ringscope_core.gdb.ctypes import (
    ARRAY,
    CHAR,
    DRIVER_STRUCTS,
    INT,
    PACKED_ONLY,
    POINTER,
    SPLIT_ONLY,
    STRUCT,
    CType,
    Member,
    member,
    members,
    parse_type,
    struct_named,
)
from ringscope_core.gdb.hooks import effective_hooks
from ringscope_core.gdb.value import Leaf, Place, Row, Value, bytes_value, number_of
from ringscope_core.qom.symbols import HEAP, SYMBOLS
from ringscope_core.trace.oids import is_ring, ring_bdf, ring_index, ring_oid

if TYPE_CHECKING:
    from ringscope_core.gdb.moment import Moment

_NO_CLASS_DATA: Final = frozenset(("object", "device", "bus", "pci-device", "virtio-device", "virtio-net-device", "virtio-pci", "virtio-bus", "virtio-pci-bus"))
"""Types that are registered without class_data."""
_ALLOCATED: Final = frozenset(("virtio-net-pci", "virtio-net-pci-transitional", "virtio-net-pci-non-transitional"))
"""Types whose instances here come from object_new, which leaves g_free in Object.free; what lies inside another object has none."""


def struct_type(name: str) -> CType:
    """The structure `name`, opaque when it is not laid out."""
    return struct_named(name) or CType("opaque", name)


def string_pointer(ctype: CType, text: str, address: int | None = None) -> Value:
    """A ``char *`` to `text`, at a literal's address when that is known."""
    return Value(ctype, address or SYMBOLS.get(f'"{text}"'), text=text)


def function_pointer(ctype: CType, name: str) -> Value:
    """A pointer to QEMU's function `name`; "" is a null pointer."""
    return Value(ctype, SYMBOLS.get(name) if name else 0, text=name or None)


def queue_pointer(moment: Moment, ctype: CType, ring: int) -> Value:
    """A pointer to a virtqueue, null until virtio_add_queue has made it."""
    made = ring and moment.field(ring, "VRing.num_default")
    return Value(ctype, None, target=ring_place(moment, ring, "VirtQueue")) if made else Value(ctype, 0)


class StructPlace(Place):
    """A structure whose members' values a subclass knows.

    `owner` is the structure that the tables of fields name, `prefix` what stands before the member there (``mac_table.``).
    """

    def __init__(self, moment: Moment, ctype: CType, address: int, owner: str = "", prefix: str = "") -> None:
        super().__init__(ctype, address)
        self.moment: Moment = moment
        self.owner: str = owner or ctype.name
        self.prefix: str = prefix

    def member(self, name: str) -> Place | None:
        found = self._member(name)
        if found is None:
            return None
        address = self.address + found.offset if self.address and found.offset >= 0 else 0
        special = self.special(found, address)
        if special is not None:
            return special
        if found.ctype.kind == STRUCT:
            return self.inner(found, address)
        return self.stored(found, address)

    def _member(self, name: str) -> Member | None:
        return member(self.ctype.name, name)

    def special(self, found: Member, address: int) -> Place | None:
        """A member that needs more than its field; None when it does not."""
        return None

    def inner(self, found: Member, address: int) -> Place:
        """A structure inside this one."""
        return Place(found.ctype, address)

    def stored(self, found: Member, address: int) -> Place:
        """A scalar or an array."""
        return Place(found.ctype, address)


class ObjectPlace(StructPlace):
    """A structure of object or ring `oid`."""

    def __init__(self, moment: Moment, ctype: CType, address: int, oid: int, owner: str = "", prefix: str = "") -> None:
        super().__init__(moment, ctype, address, owner, prefix)
        self.oid: int = oid

    def _member(self, name: str) -> Member | None:
        found = member(self.ctype.name, name)
        if found is not None:
            return found
        number = self.moment.recording.field_id(f"{self.owner}.{self.prefix}{name}")
        spec = self.moment.recording.fields.get(number)
        if spec is None or spec.offset >= 0 or "." in name:
            return None
        # the driver's own fields, and what a later QEMU has beside 4.1.0's
        return Member(name, -1, parse_type("bool" if spec.unit == "bool" else "unsigned int" if spec.unit in ("count", "idx", "head") else "uint64_t"), name)

    def names(self) -> list[str]:
        own = super().names()
        if self.prefix:
            return own
        fields = self.moment.recording.fields
        if self.owner in DRIVER_STRUCTS:
            return [spec.name for spec in fields.values() if spec.struct == self.owner and "." not in spec.name and spec.name not in self._other_layout()]
        if own and self.moment.recording.reader.meta.get("profile") != "7.2":
            return own
        specs = [fields[number] for number in sorted(self.moment.state.fields.get(self.oid, ())) if number in fields]
        return own + [spec.name for spec in specs if spec.struct == self.owner and spec.offset < 0 and "." not in spec.name and spec.name not in own]

    def _other_layout(self) -> frozenset[str]:
        """Fields that a ring of this layout has not."""
        ring = self.moment.state.rings.get(self.oid)
        if self.owner != "vring_virtqueue" or ring is None:
            return frozenset()
        return SPLIT_ONLY if ring.packed else PACKED_ONLY

    def neighbour(self, count: int) -> Place | None:
        if is_ring(self.oid) and int(ring_index(self.oid)) + count >= 0:
            return ring_place(self.moment, int(ring_oid(ring_bdf(self.oid), ring_index(self.oid) + count)), self.ctype.name)
        return None

    def special(self, found: Member, address: int) -> Place | None:
        struct, name, moment = self.owner, found.name, self.moment
        if struct == "Object":
            return self._object(found, address)
        if struct == "VirtIODevice" and name == "vq":
            return self._allocated(found, address, "VirtIODevice.device_id", lambda: ring_place(moment, moment.ring_of(self.oid, 0), "VirtQueue"))
        if struct == "VirtIONet" and name == "vqs":
            return self._allocated(found, address, "VirtIONet.curr_queues", lambda: PairPlace(moment, self.oid, 0))
        if struct == "VirtIONet" and name == "ctrl_vq":
            pairs = moment.field(self.oid, "VirtIONet.max_queues")
            return None if pairs is None else Leaf(queue_pointer(moment, found.ctype, moment.ring_of(self.oid, 2 * pairs) if pairs else 0), address)
        if struct == "VirtIOPCIProxy" and name == "vqs":
            return QueueTable(moment, found.ctype, address, self.oid)
        if struct == "VirtQueue" and name == "vdev":
            device = device_of_ring(moment, self.oid)
            return Leaf(Value(found.ctype, moment.address_of(device) or None), address) if device else None
        if struct == "PCIDevice" and name == "io_regions":
            return RegionTable(moment, found.ctype, address, self.oid)
        return None

    def _allocated(self, found: Member, address: int, full: str, target: Callable[[], Place]) -> Place | None:
        """A pointer to what is allocated when field `full` is set: null before."""
        value = self.moment.field(self.oid, full)
        if value is None or value and not self.moment.ring_of(self.oid, 0):
            return None
        return Leaf(Value(found.ctype, None, target=target()) if value else Value(found.ctype, 0), address)

    def _object(self, found: Member, address: int) -> Place | None:
        moment, oid = self.moment, self.oid
        state = moment.state.objects.get(oid)
        if state is None:
            return None
        typename = moment.type_of(oid)
        if found.name == "class":
            known = moment.types.address(typename, "class_addr")
            return Leaf(Value(found.ctype, known or None), address) if known else None
        if found.name == "ref":
            return Leaf(number_of(found.ctype, state.ref), address)
        if found.name == "parent":
            parent = moment.state.objects.get(state.parent)
            return Leaf(Value(found.ctype, parent.addr if parent is not None and parent.addr else None if state.parent else 0), address)
        if found.name == "free":
            if self._embedded():
                return Leaf(Value(found.ctype, 0), address)
            return Leaf(function_pointer(found.ctype, "g_free"), address) if typename in _ALLOCATED else None
        if found.name == "properties" and state.addr == HEAP["object:virtio-net-pci"] + 33136 and typename == "virtio-net-device":
            return Leaf(Value(found.ctype, HEAP["properties:virtio-net-device"]), address)
        return None

    def _embedded(self) -> bool:
        """Whether the object lies inside another one."""
        start = self.moment.address_of(self.oid)
        objects = self.moment.state.objects
        return any(other.addr < start < other.addr + other.size for oid, other in objects.items() if oid != self.oid and other.addr and start)

    def inner(self, found: Member, address: int) -> Place:
        other = self.moment.object_at(address, found.ctype.name) if address else 0
        if other and other != self.oid:
            return object_place(self.moment, other, found.ctype.name)
        if found.ctype.name == "MACAddr":
            return MacPlace(self, found, address)
        if found.full and found.ctype.name.startswith("struct {"):
            return ObjectPlace(self.moment, found.ctype, address, self.oid, self.owner, f"{found.name}.")
        if found.ctype.name == "MemoryRegion" or found.ctype.name in ("VirtIOPCIRegion", "MemoryListener"):
            # only regions that have been initialised are objects; of these nothing is recorded here
            return StructPlace(self.moment, found.ctype, address) if not address else RegionPlace(self.moment, found.ctype, address)
        return ObjectPlace(self.moment, found.ctype, address, self.oid)

    def stored(self, found: Member, address: int) -> Place:
        full = f"{self.owner}.{self.prefix}{found.name}"
        value = self.moment.field(self.oid, full)
        where = (self.oid, full) if self.moment.unit(full) else None
        if value is None or where is None:
            return Place(found.ctype, address, where)
        return scalar_place(self.moment, found.ctype, value, self.moment.unit(full), address, where)


class RegionPlace(StructPlace):
    """A structure inside a device of which only the parts that are objects of their own are known."""

    def inner(self, found: Member, address: int) -> Place:
        other = self.moment.object_at(address, found.ctype.name) if address else 0
        return object_place(self.moment, other, found.ctype.name) if other else Place(found.ctype, address)


class MacPlace(StructPlace):
    """A MACAddr, which is recorded as one number."""

    def __init__(self, outer: ObjectPlace, found: Member, address: int) -> None:
        super().__init__(outer.moment, found.ctype, address)
        self._full: tuple[int, str] = (outer.oid, f"{outer.owner}.{found.name}")

    def stored(self, found: Member, address: int) -> Place:
        value = self.moment.field(*self._full)
        return Place(found.ctype, address) if value is None else scalar_place(self.moment, found.ctype, value, "mac", address, self._full)


def scalar_place(moment: Moment, ctype: CType, value: int, unit: str, address: int, where: tuple[int, str]) -> Place:
    """What the recorded number `value` of a field means as a `ctype`."""
    text = moment.recording.decoder.text(value) if unit == "str" else None
    if ctype.kind == ARRAY and ctype.target is not None:
        if unit == "mac":
            return bytes_value(ctype, (value & 0xFFFF_FFFF_FFFF).to_bytes(6, "big"), address, where)
        if text is not None and ctype.target.kind == CHAR:
            return bytes_value(ctype, text.encode()[: ctype.count - 1].ljust(ctype.count, b"\0"), address, where)
        if ctype.target.kind == INT and ctype.size <= 16:
            bits = 8 * ctype.target.size
            return Row(ctype, [number_of(ctype.target, value >> bits * index) for index in range(ctype.count)], address, None, where)
        return Place(ctype, address, where)
    if ctype.points_to_function and text is not None:
        return Leaf(function_pointer(ctype, text), address, where)
    if ctype.kind == POINTER and text is not None:
        # the recording keeps a text where QEMU has a pointer: a string's own, or a description of a table
        string = ctype.target is not None and ctype.target.name in ("char", "gchar")
        found = string_pointer(ctype, text) if string and text else Value(ctype, 0 if string else None)
        return Leaf(found, address, where)
    if ctype.kind == STRUCT or not ctype.scalar:
        return Place(ctype, address, where)
    return Leaf(number_of(ctype, value), address, where)


class PairPlace(StructPlace):
    """VirtIONetQueue `index` of a VirtIONet."""

    def __init__(self, moment: Moment, device: int, index: int) -> None:
        super().__init__(moment, struct_type("VirtIONetQueue"), 0)
        self._device: int = device
        self._index: int = index

    def neighbour(self, count: int) -> Place | None:
        pairs = self.moment.field(self._device, "VirtIONet.max_queues") or 0
        return PairPlace(self.moment, self._device, self._index + count) if 0 <= self._index + count < pairs else None

    def special(self, found: Member, address: int) -> Place | None:
        moment = self.moment
        if found.name in ("rx_vq", "tx_vq"):
            ring = moment.ring_of(self._device, 2 * self._index + (found.name == "tx_vq"))
            return Leaf(queue_pointer(moment, found.ctype, ring))
        if found.name == "n":
            return Leaf(Value(found.ctype, moment.address_of(self._device) or None))
        if found.name == "tx_waiting":
            ring = moment.ring_of(self._device, 2 * self._index + 1)
            value = moment.field(ring, "VirtIONetQueue.tx_waiting") if ring else None
            return None if value is None else Leaf(number_of(found.ctype, value), 0, (ring, "VirtIONetQueue.tx_waiting"))
        return None


class QueueTable(Place):
    """VirtIOPCIProxy.vqs: what the driver wrote of each queue."""

    def __init__(self, moment: Moment, ctype: CType, address: int, proxy: int) -> None:
        super().__init__(ctype, address)
        self._moment: Moment = moment
        children = [oid for oid, found in moment.state.objects.items() if found.parent == proxy and "VirtIODevice" in moment.structs_of(oid)]
        self._device: int = children[0] if children else 0

    def element(self, index: int) -> Place:
        assert self.ctype.target is not None
        address = self.address + index * self.ctype.target.size if self.address else 0
        ring = self._moment.ring_of(self._device, index) if self._device else 0
        return ObjectPlace(self._moment, self.ctype.target, address, ring) if ring else Place(self.ctype.target, address)


class RegionTable(Place):
    """PCIDevice.io_regions: the base addresses are recorded."""

    def __init__(self, moment: Moment, ctype: CType, address: int, oid: int) -> None:
        super().__init__(ctype, address)
        self._moment: Moment = moment
        self._oid: int = oid

    def element(self, index: int) -> Place:
        assert self.ctype.target is not None
        address = self.address + index * self.ctype.target.size if self.address else 0
        return BarPlace(self._moment, self.ctype.target, address, self._oid, index)


class BarPlace(StructPlace):
    """One PCIIORegion."""

    def __init__(self, moment: Moment, ctype: CType, address: int, oid: int, index: int) -> None:
        super().__init__(moment, ctype, address)
        self._full: tuple[int, str] = (oid, f"PCIDevice.bar{index}")

    def stored(self, found: Member, address: int) -> Place:
        value = self.moment.field(*self._full) if found.name == "addr" else None
        return Place(found.ctype, address) if value is None else Leaf(number_of(found.ctype, value), address, self._full)


class ClassPlace(StructPlace):
    """A class, or the part of it that a base class has."""

    def __init__(self, moment: Moment, ctype: CType, address: int, typename: str) -> None:
        super().__init__(moment, ctype, address)
        self._typename: str = typename
        chain = moment.types.chain(typename)
        self._hooks: dict[str, str] = {slot: function for slot, function, _, _ in effective_hooks(chain)}

    def special(self, found: Member, address: int) -> Place | None:
        types, name = self.moment.types, found.name
        if self.owner != "ObjectClass":
            return None
        if name == "type":
            return Leaf(Value(found.ctype, types.address(self._typename, "addr") or None), address)
        if name == "interfaces":
            some = any(types.rows[one].get("interfaces") for one in types.chain(self._typename))
            return None if some else Leaf(Value(found.ctype, 0), address)
        if name in ("object_cast_cache", "class_cast_cache"):
            cache = casts.object_casts(self.moment, self._typename) if name == "object_cast_cache" else casts.class_casts(self._typename)
            if cache is None:
                return None
            inner = found.ctype.target
            assert inner is not None
            given = [string_pointer(inner, text) if text else Value(inner, 0) for text in cache]
            return Row(found.ctype, given, address)
        return None

    def inner(self, found: Member, address: int) -> Place:
        return ClassPlace(self.moment, found.ctype, address, self._typename)

    def stored(self, found: Member, address: int) -> Place:
        function = self._hooks.get(f"{self.owner}.{found.name}")
        if function is not None and (found.ctype.points_to_function or found.ctype.kind == POINTER):
            return Leaf(function_pointer(found.ctype, function), address)
        return Place(found.ctype, address)


class ImplPlace(StructPlace):
    """A TypeImpl."""

    def __init__(self, moment: Moment, typename: str) -> None:
        super().__init__(moment, struct_type("TypeImpl"), moment.types.address(typename, "addr"))
        self._typename: str = typename

    def special(self, found: Member, address: int) -> Place | None:
        types, typename = self.moment.types, self._typename
        row, name = types.rows[typename], found.name
        parent = str(row.get("parent") or "")
        if name in ("name", "parent"):
            text = typename if name == "name" else parent
            known = types.address(typename, "name_addr" if name == "name" else "parent_addr")
            return Leaf(string_pointer(found.ctype, text, known or None) if text else Value(found.ctype, 0), address)
        if name in ("class_size", "instance_size"):
            size = row.get(name)
            return Leaf(number_of(found.ctype, int(size)), address) if isinstance(size, int) else None
        if name == "class_data":
            return Leaf(Value(found.ctype, 0), address) if typename in _NO_CLASS_DATA else None
        if name == "abstract":
            return Leaf(number_of(found.ctype, bool(row.get("abstract"))), address)
        if name in ("parent_type", "class"):
            known = types.address(parent, "addr") if name == "parent_type" else types.address(typename, "class_addr")
            none = name == "parent_type" and not parent
            return Leaf(Value(found.ctype, 0 if none else known), address) if none or known else None
        if name == "num_interfaces":
            return Leaf(number_of(found.ctype, len(row.get("interfaces") or ())), address)
        return Leaf(function_pointer(found.ctype, str(row.get(name) or "")), address) if found.ctype.points_to_function else None

    def stored(self, found: Member, address: int) -> Place:
        if found.name != "interfaces":
            return Place(found.ctype, address)
        return InterfaceTable(self.moment, found.ctype, address, [str(name) for name in self.moment.types.rows[self._typename].get("interfaces") or ()])


class InterfaceTable(Place):
    """TypeImpl.interfaces: names, then empty ones."""

    def __init__(self, moment: Moment, ctype: CType, address: int, names: list[str]) -> None:
        super().__init__(ctype, address)
        self._moment: Moment = moment
        self._names: list[str] = names

    def element(self, index: int) -> Place:
        assert self.ctype.target is not None
        address = self.address + index * self.ctype.target.size if self.address else 0
        return _Interface(self._moment, self.ctype.target, address, self._names[index] if index < len(self._names) else "")


class _Interface(StructPlace):
    def __init__(self, moment: Moment, ctype: CType, address: int, name: str) -> None:
        super().__init__(moment, ctype, address)
        self._name: str = name

    def stored(self, found: Member, address: int) -> Place:
        return Leaf(string_pointer(found.ctype, self._name) if self._name else Value(found.ctype, 0), address)


def device_of_ring(moment: Moment, ring: int) -> int:
    """The virtio device that a ring belongs to, 0 when it is not known."""
    devices = [oid for oid in moment.state.objects if "VirtIODevice" in moment.structs_of(oid)]
    return next((oid for oid in devices if moment.ring_of(oid, int(ring_index(ring))) == ring), 0)


def object_place(moment: Moment, oid: int, struct: str) -> Place:
    """Object `oid` seen as a `struct` (one of those it is)."""
    if is_ring(oid):
        return ring_place(moment, oid, struct)
    return ObjectPlace(moment, struct_type(struct), moment.address_of(oid), oid)


def ring_place(moment: Moment, ring: int, struct: str) -> Place:
    """Ring `ring` as a VirtQueue, or as the driver's vring_virtqueue."""
    return ObjectPlace(moment, struct_type(struct), 0, ring)


def class_place(moment: Moment, typename: str, struct: str) -> Place | None:
    """The class of a type seen as a `struct`, None when it is no such class."""
    if struct not in moment.types.structs(typename, "class_struct"):
        return None
    return ClassPlace(moment, struct_type(struct), moment.types.address(typename, "class_addr"), typename)


def impl_place(moment: Moment, typename: str) -> Place:
    """The TypeImpl of a type."""
    return ImplPlace(moment, typename)


def field_names(struct: str) -> list[str]:
    """Members of a structure, for completion."""
    return [one.name for one in members(struct)]
