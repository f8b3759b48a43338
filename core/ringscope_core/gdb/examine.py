"""Bytes at addresses: of QEMU's own memory as far as the recording tells its structures, of the guest's as far as it tells its rings."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ringscope_core.gdb.ctypes import ARRAY, STRUCT, members, struct_named
from ringscope_core.gdb.errors import ConsoleError
from ringscope_core.gdb.memory import class_place, impl_place, object_place
from ringscope_core.gdb.value import Place, bytes_of

if TYPE_CHECKING:
    from ringscope_core.gdb.moment import Moment


class Memory:
    """The memory of one moment."""

    def __init__(self, moment: Moment, guest: Callable[[int, int], bytes | None] = lambda address, size: None) -> None:
        """`guest` reads the guest's memory where a run can be asked."""
        self._moment: Moment = moment
        self._guest: Callable[[int, int], bytes | None] = guest
        self._pieces: list[tuple[int, bytes]] = _guest_pieces(moment)
        self._structs: list[Place] = []
        for oid, found in moment.state.objects.items():
            structs = moment.structs_of(oid)
            if found.addr and structs:
                self._structs.append(object_place(moment, oid, structs[0]))
        for address, name in moment.types.by_class.items():
            known = [struct for struct in moment.types.structs(name, "class_struct")[:1] if struct_named(struct) is not None]
            place = class_place(moment, name, known[0]) if known and address else None
            if place is not None:
                self._structs.append(place)
        self._structs += [impl_place(moment, name) for name in moment.types.by_address.values()]

    def unit(self, address: int, size: int) -> int | None:
        """`size` bytes as a little-endian number, None when they are memory of which not all is known; raises ConsoleError for other memory."""
        data = [self._byte(address + index) for index in range(size)]
        known = [byte for byte in data if byte is not None]
        return int.from_bytes(bytes(known), "little") if len(known) == size else None

    def _byte(self, address: int) -> int | None:
        for start, data in self._pieces:
            if start <= address < start + len(data):
                return data[address - start]
        found = None
        inside = False
        # an object inside another one is listed for itself: the innermost tells most
        for place in sorted(self._structs, key=lambda one: one.ctype.size):
            if place.address <= address < place.address + place.ctype.size:
                inside = True
                found = self._in(place, address)
                if found is not None:
                    return found
        if not inside:
            asked = self._guest(address, 1)
            if asked:
                return asked[0]
            raise ConsoleError(f"Cannot access memory at address 0x{address:x}")
        return found

    def _in(self, place: Place, address: int) -> int | None:
        while place.ctype.kind in (STRUCT, ARRAY):
            if place.ctype.kind == ARRAY and place.ctype.target is not None:
                if not place.ctype.target.size:
                    return None
                place = place.element((address - place.address) // place.ctype.target.size)
            else:
                before = [one for one in members(place.ctype.name) if one.offset <= address - place.address]
                inner = place.member(before[-1].name) if before else None
                if inner is None or not inner.address or not inner.ctype.size:
                    return None
                place = inner
            if not place.address or not place.address <= address < place.address + place.ctype.size:
                return None
        data = bytes_of(place.load())
        return data[address - place.address] if data is not None and address - place.address < len(data) else None


def _guest_pieces(moment: Moment) -> list[tuple[int, bytes]]:
    """Guest memory that is known: the parts of rings, and the indirect tables that their descriptors point at."""
    pieces: list[tuple[int, bytes]] = []
    for ring in moment.state.rings.values():
        pieces += [(ring.desc_gpa, bytes(ring.desc)), (ring.avail_gpa, bytes(ring.avail)), (ring.used_gpa, bytes(ring.used))]
        for head, table in ring.indirect.items():
            at = 16 * head
            if not ring.packed and at + 8 <= len(ring.desc):
                pieces.append((int.from_bytes(ring.desc[at : at + 8], "little"), bytes(table)))
    return pieces
