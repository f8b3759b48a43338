"""Values of expressions, and the places they live in.

A `Place` is memory of the recorded machine: it may know its address, what is stored there, or both.  What was not recorded has a place
all the same, whose value is unknown.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ringscope_core.gdb.ctypes import ARRAY, BOOL, CHAR, CHAR_TYPE, FUNCTION, INT, POINTER, STRUCT, CType, array_of, member, members, pointer_to

UNKNOWN: Final = "<unknown>"
OPTIMIZED_OUT: Final = "<optimized out>"


@dataclass(frozen=True)
class Value:
    """A value of type `ctype`.

    `number` is a scalar's value, a pointer's address, None where it is not known.  `place` is where it lives (None for the result of a
    calculation), `target` what a pointer points at when that is known without the address, `text` a string (pointed at, or an array's) or
    a function's name, `note` what prints in its place.
    """

    ctype: CType
    number: int | None = None
    place: Place | None = None
    target: Place | None = None
    text: str | None = None
    note: str = ""

    @property
    def known(self) -> bool:
        """Whether anything of it is known."""
        if self.ctype.kind in (STRUCT, ARRAY):
            return self.text is not None or self.place is not None and self.place.any_known()
        return self.number is not None or self.text is not None or self.target is not None


class Place:
    """A place of type `ctype`; `address` 0 is unknown.  `field` names what is stored there: (object id, ``Struct.field``)."""

    def __init__(self, ctype: CType, address: int = 0, field: tuple[int, str] | None = None) -> None:
        self.ctype: CType = ctype
        self.address: int = address
        self.field: tuple[int, str] | None = field

    def load(self) -> Value:
        """What is there."""
        return Value(self.ctype, None, self)

    def member(self, name: str) -> Place | None:
        """The member `name` of a structure, None when it has none of that name."""
        found = member(self.ctype.name, name) if self.ctype.kind == STRUCT else None
        if found is None:
            return None
        return Place(found.ctype, self.address + found.offset if self.address else 0)

    def element(self, index: int) -> Place:
        """Element `index` of an array."""
        assert self.ctype.target is not None
        return Place(self.ctype.target, self.address + index * self.ctype.target.size if self.address else 0)

    def neighbour(self, count: int) -> Place | None:
        """The place `count` elements further in the array that this one is in, None when nothing is known of one."""
        return None

    def names(self) -> list[str]:
        """The members of a structure."""
        return [found.name for found in members(self.ctype.name)] if self.ctype.kind == STRUCT else []

    def any_known(self) -> bool:
        """Whether anything in a structure or an array is known."""
        if self.ctype.kind == STRUCT:
            return any((inner := self.member(name)) is not None and inner.load().known for name in self.names())
        if self.ctype.kind == ARRAY:
            return self.ctype.count > 0 and self.element(0).load().known
        return self.load().known


class Leaf(Place):
    """A place of which the value is known."""

    def __init__(self, value: Value, address: int = 0, field: tuple[int, str] | None = None) -> None:
        super().__init__(value.ctype, address, field)
        self._value: Value = value

    def load(self) -> Value:
        found = self._value
        return Value(found.ctype, found.number, self, found.target, found.text, found.note)


class Row(Place):
    """An array whose elements are given; those behind the last given one are unknown."""

    def __init__(self, ctype: CType, given: list[Value], address: int = 0, text: str | None = None, field: tuple[int, str] | None = None) -> None:
        super().__init__(ctype, address, field)
        self._given: list[Value] = given
        self._text: str | None = text

    def load(self) -> Value:
        return Value(self.ctype, None, self, text=self._text)

    def element(self, index: int) -> Place:
        if 0 <= index < len(self._given):
            assert self.ctype.target is not None
            inner = self._given[index].place
            if inner is not None:
                return inner
            return Leaf(self._given[index], self.address + index * self.ctype.target.size if self.address else 0)
        return super().element(index)


class ErrorPlace(Place):
    """An Error that was set: its message is recorded."""

    def __init__(self, message: str) -> None:
        super().__init__(CType(STRUCT, "Error"))
        self._message: str = message

    def member(self, name: str) -> Place | None:
        return Leaf(Value(pointer_to(CHAR_TYPE), None, text=self._message)) if name == "msg" else None

    def names(self) -> list[str]:
        return ["msg"]


def pointer(target: CType, address: int | None, text: str | None = None, place: Place | None = None) -> Value:
    """A pointer to `target`."""
    return Value(pointer_to(target), address, target=place, text=text)


def number_of(ctype: CType, value: int) -> Value:
    """`value` as an object of `ctype` holds it: cut to its size, signed as it is."""
    return Value(ctype, wrapped(ctype, value))


def wrapped(ctype: CType, value: int) -> int:
    """`value` cut to `ctype`."""
    if ctype.kind == BOOL:
        return int(bool(value))
    if ctype.size == 0 or ctype.kind == FUNCTION:
        return value
    bits = 8 * ctype.size
    value &= (1 << bits) - 1
    return value - (1 << bits) if ctype.signed and value >> (bits - 1) else value


def bytes_value(ctype: CType, data: bytes, address: int = 0, field: tuple[int, str] | None = None) -> Place:
    """An array of bytes with contents."""
    target = ctype.target
    assert target is not None
    return Row(ctype, [number_of(target, byte) for byte in data], address, None, field)


def literal(text: str) -> Value:
    """A string literal of the person's own."""
    ctype = array_of(CHAR_TYPE, len(text.encode()) + 1)
    return Row(ctype, [number_of(CHAR_TYPE, byte) for byte in (*text.encode(), 0)], 0, None).load()


def bytes_of(value: Value) -> bytes | None:
    """The bytes of a scalar or of an array of known elements, None when they are not all known."""
    ctype = value.ctype
    if ctype.kind == ARRAY:
        if value.place is None:
            return None
        parts = [bytes_of(value.place.element(index).load()) for index in range(ctype.count)]
        return None if any(part is None for part in parts) else b"".join(part for part in parts if part is not None)
    if value.number is None or ctype.kind not in (INT, BOOL, CHAR, POINTER, "enum") or not ctype.size:
        return None
    return (value.number & ((1 << 8 * ctype.size) - 1)).to_bytes(ctype.size, "little")
