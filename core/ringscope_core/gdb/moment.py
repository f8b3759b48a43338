"""The machine at one moment as memory: which structure lies at which address, and what its fields hold."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from ringscope_core.gdb.ctypes import DRIVER_STRUCTS, STRUCT, CType, base_chain, members, struct_named
from ringscope_core.gdb.value import ErrorPlace, Leaf, Place, Value
from ringscope_core.trace.kinds import EV_ERROR_SET
from ringscope_core.trace.oids import RINGS_PER_FUNCTION, is_ring, ring_bdf, ring_oid

if TYPE_CHECKING:
    from ringscope_core.query.recording import Recording
    from ringscope_core.trace.state import MachineState

MASK64: Final = 0xFFFF_FFFF_FFFF_FFFF
RING_STRUCTS: Final = ("VirtQueue", "VRing", "VirtIOPCIQueue", "vring_virtqueue", "send_queue", "receive_queue")
_DEEP: Final = 64


def variable_name(name: str) -> str:
    """The ``$`` variable that an object's name makes: other signs than letters and digits become ``_``."""
    return re.sub(r"\W", "_", name)


class TypeTable:
    """The types that a recording tells of (`qom.types_json`)."""

    def __init__(self, rows: list[dict[str, Any]]) -> None:
        self.rows: dict[str, dict[str, Any]] = {str(row["name"]): row for row in rows}
        self.by_address: dict[int, str] = {int(row["addr"]): name for name, row in self.rows.items() if row.get("addr")}
        self.by_class: dict[int, str] = {int(row["class_addr"]): name for name, row in self.rows.items() if row.get("class_addr")}

    def chain(self, name: str) -> list[str]:
        """`name`, its parent and so on; empty for a type that the recording does not tell of."""
        out: list[str] = []
        while name in self.rows and len(out) < _DEEP:
            out.append(name)
            name = str(self.rows[name].get("parent") or "")
        return out

    def address(self, name: str, what: str) -> int:
        """`what` (``addr``, ``name_addr``, ``parent_addr``, ``class_addr``) of type `name`, 0 when unknown."""
        return int(self.rows.get(name, {}).get(what) or 0)

    def structs(self, name: str, what: str = "instance_struct") -> list[str]:
        """The structures of an instance (or ``class_struct``), the most derived first."""
        found = [str(self.rows[one].get(what) or "") for one in self.chain(name)]
        wide: list[str] = []
        for struct in found:
            if struct and struct_named(struct) is not None:
                wide.extend(base for base in base_chain(struct) if base not in wide)
        return wide


class Moment:
    """One state of a recording."""

    def __init__(self, recording: Recording, seq: int, types: TypeTable) -> None:
        self.recording: Recording = recording
        self.seq: int = seq
        self.state: MachineState = recording.reader.state_at(seq)
        self.types: TypeTable = types
        self._bdf: dict[int, int] = {}
        self._by_address: dict[int, list[int]] = {}
        for oid, found in self.state.objects.items():
            if found.addr:
                self._by_address.setdefault(found.addr, []).append(oid)

    # -- objects ------------------------------------------------------------------------------------------------------
    def type_of(self, oid: int) -> str:
        """The QOM type of a live object, "" for a ring and for none."""
        found = self.state.objects.get(oid)
        return self.recording.decoder.text(found.type_id) if found is not None and not is_ring(oid) else ""

    def structs_of(self, oid: int) -> list[str]:
        """The structures that object `oid` is, the most derived first."""
        if is_ring(oid):
            return list(RING_STRUCTS)
        name = self.type_of(oid)
        return self.types.structs(name) or ([name] if struct_named(name) is not None else [])

    def address_of(self, oid: int) -> int:
        """Where `oid` lies, 0 when unknown or gone."""
        found = self.state.objects.get(oid)
        return found.addr if found is not None else 0

    def object_at(self, address: int, struct: str) -> int:
        """The object that begins at `address` and is a `struct`, 0 for none."""
        for oid in self._by_address.get(address, ()):
            if struct in self.structs_of(oid):
                return oid
        return 0

    def path_of(self, oid: int) -> str:
        """Its place in the composition tree."""
        return self.recording.names.path(oid)

    def named(self, name: str) -> int:
        """The object or ring with that short name or path, 0 for none."""
        names = self.recording.names
        for oid in (*self.state.objects, *self.state.rings):
            if name in (names.name(oid), names.path(oid)):
                return oid
        return next((oid for oid in self.ring_oids() if names.name(oid) == name), 0)

    # -- fields -------------------------------------------------------------------------------------------------------
    def field(self, oid: int, full: str) -> int | None:
        """The value of ``Struct.field`` of `oid`, None when it is not known.

        A field that the model declares (with a unit) is recorded at every write, so before the first one it has the 0 of fresh memory; of
        others nothing is known, nor of the driver's before it has written any.
        """
        number = self.recording.field_id(full)
        values = self.state.fields.get(oid, {})
        if number in values or number < 0:
            return values.get(number)
        spec = self.recording.fields[number]
        exists = bool(values) if is_ring(oid) else oid in self.state.objects
        return 0 if exists and spec.unit and spec.struct not in DRIVER_STRUCTS else None

    def unit(self, full: str) -> str:
        """How the field is printed, "" for one that the recording does not have."""
        found = self.recording.fields.get(self.recording.field_id(full))
        return found.unit if found is not None else ""

    # -- rings --------------------------------------------------------------------------------------------------------
    def ring_oids(self) -> list[int]:
        """Every virtqueue that has memory or fields."""
        return sorted({oid for oid in (*self.state.rings, *self.state.fields) if is_ring(oid)})

    def queues(self) -> list[int]:
        """Those of `ring_oids` that a device has made or that have memory: what may be called a queue at this moment."""
        return [oid for oid in self.ring_oids() if oid in self.state.rings or self.field(oid, "VRing.num")]

    def ring_of(self, device: int, index: int) -> int:
        """Virtqueue `index` of the virtio device with object id `device`; 0 when its function is not known."""
        bdf = self.bdf_of(device)
        return int(ring_oid(bdf, index)) if bdf >= 0 and 0 <= index < int(RINGS_PER_FUNCTION) else 0

    def bdf_of(self, device: int) -> int:
        """The PCI address of the function behind which a virtio device sits, -1 when it is not known.

        The slot is the proxy's ``devfn``; its bus number shows in the rings that there are.
        """
        if device not in self._bdf:
            self._bdf[device] = self._find_bdf(device)
        return self._bdf[device]

    def _find_bdf(self, device: int) -> int:
        proxy = device
        while proxy and "PCIDevice" not in self.structs_of(proxy):
            found = self.state.objects.get(proxy)
            proxy = found.parent if found is not None else 0
        devfn = self.field(proxy, "PCIDevice.devfn") if proxy else None
        if devfn is None:
            return -1
        seen = sorted({int(ring_bdf(oid)) for oid in self.recording.names.known() if is_ring(oid)})
        same = [bdf for bdf in seen if bdf & 0xFF == devfn]
        if len(same) > 1:
            return -1
        return same[0] if same else devfn

    # -- addresses ----------------------------------------------------------------------------------------------------
    def place_at(self, address: int, ctype: CType) -> Place | None:
        """What lies at `address`, seen as `ctype`: an object, a part of one, a class or a type; None for memory nobody knows of."""
        from ringscope_core.gdb.memory import class_place, impl_place, object_place

        if not address:
            return None
        if ctype.name == "Error *":
            return self._error_at(address, ctype)
        if ctype.name == "TypeImpl":
            name = self.types.by_address.get(address)
            return impl_place(self, name) if name else None
        if address in self.types.by_class:
            return class_place(self, self.types.by_class[address], ctype.name)
        oid = self.object_at(address, ctype.name) if ctype.kind == STRUCT else 0
        if oid:
            return object_place(self, oid, ctype.name)
        return self._part_at(address, ctype)

    def _error_at(self, address: int, ctype: CType) -> Place | None:
        """The ``Error *`` that a call was given the address of: null until an error was set there, unknown once one may have come by another way."""
        opened = [frame[6] for frame in self.state.stack if any(value & MASK64 == address for value in frame[2:6])]
        if not opened:
            return None
        rows = self.recording.reader.find_events([int(EV_ERROR_SET)], min(opened), self.seq, 1000)
        mine = [int(row["a0"]) for row in rows if int(row["a1"]) & MASK64 == address]
        if mine:
            error = ErrorPlace(self.recording.decoder.text(mine[-1]))
            return Leaf(Value(ctype, None, target=error), address)
        return Leaf(Value(ctype, None if len(rows) else 0), address)

    def _part_at(self, address: int, ctype: CType) -> Place | None:
        from ringscope_core.gdb.memory import object_place

        for start, oids in self._by_address.items():
            for oid in oids:
                structs = self.structs_of(oid)
                outer = struct_named(structs[0]) if structs else None
                if outer is None or not start <= address < start + outer.size:
                    continue
                found = _descend(object_place(self, oid, structs[0]), address, ctype)
                if found is not None:
                    return found
        return None


def _descend(place: Place, address: int, ctype: CType) -> Place | None:
    """The part of `place` that begins at `address` and is a `ctype`."""
    while True:
        if place.address == address and place.ctype.name == ctype.name:
            return place
        if place.ctype.kind == "array" and place.ctype.target is not None and place.ctype.target.size:
            place = place.element((address - place.address) // place.ctype.target.size)
            continue
        inside = [one for one in members(place.ctype.name) if one.offset <= address - place.address] if place.ctype.kind == STRUCT else []
        found = place.member(inside[-1].name) if inside else None
        if found is None or not found.address:
            return None
        place = found
