"""Expressions worked out at a moment: the tree of `parse` to a `Value`, with C's types and gdb's complaints."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol

from ringscope_core.gdb import ctypes as c
from ringscope_core.gdb.ctypes import ARRAY, BOOL, CHAR, ENUM, FUNCTION, INT, POINTER, STRUCT, CType
from ringscope_core.gdb.errors import ConsoleError
from ringscope_core.gdb.parse import Node
from ringscope_core.gdb.value import Place, Row, Value, literal, number_of, wrapped
from ringscope_core.query.suggest import suggestion

_MASK64: Final = 0xFFFF_FFFF_FFFF_FFFF
_LARGEST: Final = 1 << 20
"""Elements that ``@`` may ask for."""


class Names(Protocol):
    """Where the names of an expression come from."""

    def name(self, name: str) -> Value:
        """A variable of the selected frame, or a global one; raises ConsoleError."""
        ...

    def variable(self, name: str) -> Value:
        """A ``$`` variable; void when it was never set."""
        ...

    def place_at(self, address: int, ctype: CType) -> Place | None:
        """Memory of the machine."""
        ...

    def assign(self, target: Node, place: Value | None, value: Value) -> Value:
        """``target = value``; raises ConsoleError when that is not allowed."""
        ...


class Evaluator:
    """Works out expressions with the names of one context."""

    def __init__(self, names: Names) -> None:
        self._names: Names = names

    def value(self, node: Node) -> Value:
        """The expression's value; raises ConsoleError."""
        method: Callable[[Node], Value] = getattr(self, f"_{node.op}")
        return method(node)

    # -- leaves -------------------------------------------------------------------------------------------------------
    def _number(self, node: Node) -> Value:
        return Value(node.ctype or c.INT_TYPE, node.number)

    def _char(self, node: Node) -> Value:
        return number_of(c.CHAR_TYPE, node.number)

    def _string(self, node: Node) -> Value:
        return literal(node.text)

    def _name(self, node: Node) -> Value:
        return self._names.name(node.text)

    def _variable(self, node: Node) -> Value:
        return self._names.variable(node.text)

    # -- structures and memory ----------------------------------------------------------------------------------------
    def _dot(self, node: Node) -> Value:
        inner = self.value(node.parts[0])
        if inner.ctype.kind == POINTER:
            # gdb is kind enough to follow a pointer here too
            inner = self._follow(inner)
        return _member(inner, node.text)

    def _arrow(self, node: Node) -> Value:
        inner = self.value(node.parts[0])
        if inner.ctype.kind == STRUCT:
            return _member(inner, node.text)
        if inner.ctype.kind == "void":
            raise ConsoleError("Attempt to extract a component of a value that is not a structure pointer.")
        if inner.ctype.kind != POINTER:
            raise ConsoleError("The -> operator must not be applied to non-pointer values.")
        return _member(self._follow(inner), node.text)

    def _index(self, node: Node) -> Value:
        inner, index = self.value(node.parts[0]), self._integer(self.value(node.parts[1]))
        if inner.ctype.kind == ARRAY:
            if inner.place is None:
                raise ConsoleError("Cannot access memory at an unknown address")
            if not 0 <= index < inner.ctype.count and not inner.place.address:
                raise ConsoleError("no such vector element")
            return inner.place.element(index).load()
        if inner.ctype.kind == POINTER:
            return self._follow(self._moved(inner, index))
        raise ConsoleError("cannot subscript something of type `" + c.spelled(inner.ctype) + "'")

    def _at(self, node: Node) -> Value:
        assert node.ctype is not None
        address = self._integer(self.value(node.parts[0]))
        return self._follow(Value(c.pointer_to(node.ctype), address & _MASK64))

    def _cast(self, node: Node) -> Value:
        assert node.ctype is not None
        return self.cast(self.value(node.parts[0]), node.ctype)

    def _sizeof(self, node: Node) -> Value:
        ctype = node.ctype if node.ctype is not None else self.value(node.parts[0]).ctype
        if not ctype.size:
            return Value(c.ULONG_TYPE, None)
        return Value(c.ULONG_TYPE, ctype.size)

    def follow(self, value: Value) -> Value:
        """What a pointer points at."""
        return self._follow(value)

    def _follow(self, value: Value) -> Value:
        target = value.ctype.target
        if value.ctype.kind == FUNCTION:
            return value
        if value.ctype.kind != POINTER or target is None:
            raise ConsoleError("Attempt to take contents of a non-pointer value.")
        if value.note:
            raise ConsoleError("value has been optimized out" if "optimized" in value.note else "Cannot access memory: the address is not known")
        if target.kind == "void":
            raise ConsoleError("Attempt to take contents of a non-pointer value.")
        if target.kind == FUNCTION:
            return Value(target, value.number, text=value.text)
        if value.target is not None and value.target.ctype.name == target.name:
            return value.target.load()
        if value.number is None:
            if value.text is not None and target.kind == CHAR:
                return _first_char(target, value.text)
            raise ConsoleError("Cannot access memory: the address is not known")
        place = self._names.place_at(value.number & _MASK64, target)
        if place is not None:
            return place.load()
        if value.text is not None and target.kind == CHAR:
            return _first_char(target, value.text)
        raise ConsoleError(f"Cannot access memory at address 0x{value.number & _MASK64:x}")

    def _moved(self, value: Value, count: int) -> Value:
        """A pointer, `count` elements further."""
        target = value.ctype.target
        assert target is not None
        size = target.size or 1
        number = (value.number + count * size) & _MASK64 if value.number is not None else None
        beyond = value.target.neighbour(count) if value.target is not None and count else value.target
        text = value.text[count:] if value.text is not None and target.kind == CHAR and 0 <= count <= len(value.text) else None
        return Value(value.ctype, number, target=beyond, text=text)

    def cast(self, value: Value, ctype: CType) -> Value:
        """`value` seen as a `ctype`."""
        if value.note:
            return Value(ctype, note=value.note)
        if ctype.kind == POINTER and value.ctype.kind == ARRAY and value.place is not None:
            return Value(ctype, value.place.address or None, target=value.place.element(0))
        if ctype.kind in (STRUCT, ARRAY):
            if value.ctype.name == ctype.name:
                return value
            raise ConsoleError("Invalid cast.")
        if value.ctype.kind in (STRUCT, ARRAY):
            raise ConsoleError("Invalid cast.")
        if ctype.kind == "void":
            return Value(ctype)
        if ctype.kind == POINTER:
            number = None if value.number is None else value.number & _MASK64
            target = _seen_as(value.target, ctype)
            text = value.text if ctype.points_to_char == value.ctype.points_to_char else None
            return Value(ctype, number, target=target, text=text)
        return Value(ctype, None if value.number is None else wrapped(ctype, value.number))

    # -- operators ----------------------------------------------------------------------------------------------------
    def _unary(self, node: Node) -> Value:
        inner = self.value(node.parts[0])
        if node.text == "&":
            return self._address_of(inner)
        if node.text == "*":
            if inner.ctype.kind == ARRAY and inner.place is not None:
                return inner.place.element(0).load()
            if inner.ctype.kind == INT and inner.number is not None:
                # gdb reads a long there
                return self._follow(Value(c.pointer_to(c.LONG_TYPE), inner.number & _MASK64))
            return self._follow(inner)
        if node.text == "!":
            known = self._truth(inner)
            return Value(c.INT_TYPE, None if known is None else int(not known))
        if inner.ctype.kind not in (INT, BOOL, CHAR, ENUM):
            raise ConsoleError("Argument to arithmetic operation not a number or boolean.")
        promoted = _promoted(inner.ctype)
        if inner.number is None:
            return Value(promoted, note=inner.note)
        return number_of(promoted, {"-": -inner.number, "+": inner.number, "~": ~inner.number}[node.text])

    def _address_of(self, inner: Value) -> Value:
        if inner.place is None:
            raise ConsoleError("Attempt to take address of value not located in memory.")
        return Value(c.pointer_to(inner.ctype), inner.place.address or None, target=inner.place)

    def _binary(self, node: Node) -> Value:
        op = node.text
        if op in ("&&", "||"):
            return self._logical(op, node)
        left, right = self.value(node.parts[0]), self.value(node.parts[1])
        if op == "@":
            return self._several(left, self._integer(right))
        left, right = self._decayed(left), self._decayed(right)
        if op in ("==", "!=", "<", ">", "<=", ">="):
            return self._compared(op, left, right)
        if left.ctype.kind == POINTER and op in ("+", "-"):
            if right.ctype.kind == POINTER and op == "-":
                return self._distance(left, right)
            count = self._integer(right)
            return self._moved(left, count if op == "+" else -count)
        if right.ctype.kind == POINTER and op == "+":
            return self._moved(right, self._integer(left))
        return _calculated(op, left, right)

    def _logical(self, op: str, node: Node) -> Value:
        left = self._truth(self.value(node.parts[0]))
        if left is not None and left == (op == "||"):
            return Value(c.INT_TYPE, int(left))
        right = self._truth(self.value(node.parts[1]))
        return Value(c.INT_TYPE, None if left is None or right is None else int(right))

    def _choose(self, node: Node) -> Value:
        test = self._truth(self.value(node.parts[0]))
        if test is None:
            return Value(c.INT_TYPE, None)
        return self.value(node.parts[1 if test else 2])

    def _assign(self, node: Node) -> Value:
        target = node.parts[0]
        value = self.value(node.parts[1])
        place = None if target.op == "variable" else self.value(target)
        return self._names.assign(target, place, value)

    def _several(self, left: Value, count: int) -> Value:
        if left.place is None:
            raise ConsoleError("Only values in memory can be extended with '@'.")
        if count <= 0:
            raise ConsoleError(f"Invalid number {count} of repetitions.")
        if count > _LARGEST:
            raise ConsoleError("value requires too many bytes")
        ctype = c.array_of(left.ctype, count)
        first = left.place
        values: list[Value] = []
        for index in range(count):
            near = first if not index else first.neighbour(index)
            if near is None and first.address and left.ctype.size:
                near = self._names.place_at(first.address + index * left.ctype.size, left.ctype)
            if near is None:
                break
            values.append(near.load())
        return Row(ctype, values, first.address).load()

    def _compared(self, op: str, left: Value, right: Value) -> Value:
        for one in (left, right):
            if one.ctype.kind not in (INT, BOOL, CHAR, ENUM, POINTER):
                raise ConsoleError("Argument to comparison operation not integer, boolean, or pointer.")
        if left.number is None or right.number is None:
            same = left.target is not None and left.target is right.target
            return Value(c.INT_TYPE, int(op == "==") if same and op in ("==", "!=") else None)
        a, b = left.number, right.number
        if POINTER in (left.ctype.kind, right.ctype.kind) or not _common(left.ctype, right.ctype).signed:
            a, b = a & _MASK64, b & _MASK64
        return Value(c.INT_TYPE, int({"==": a == b, "!=": a != b, "<": a < b, ">": a > b, "<=": a <= b, ">=": a >= b}[op]))

    def _distance(self, left: Value, right: Value) -> Value:
        if left.number is None or right.number is None:
            return Value(c.LONG_TYPE, None)
        size = (left.ctype.target.size if left.ctype.target is not None else 0) or 1
        return number_of(c.LONG_TYPE, (left.number - right.number) // size)

    def _decayed(self, value: Value) -> Value:
        if value.ctype.kind == ARRAY and value.place is not None and value.ctype.target is not None:
            return Value(c.pointer_to(value.ctype.target), value.place.address or None, target=value.place.element(0))
        return value

    def _truth(self, value: Value) -> bool | None:
        if value.ctype.kind in (STRUCT, FUNCTION, "void", "opaque"):
            raise ConsoleError("Attempt to take contents of a non-pointer value." if value.ctype.kind == STRUCT else "Invalid type for a condition.")
        if value.number is None and (value.target is not None or value.text is not None):
            return True
        return None if value.number is None else bool(value.number)

    def _integer(self, value: Value) -> int:
        if value.ctype.kind not in (INT, BOOL, CHAR, ENUM, POINTER):
            raise ConsoleError("Argument to arithmetic operation not a number or boolean.")
        if value.number is None:
            raise ConsoleError("value has been optimized out" if "optimized" in value.note else "the value is not known")
        return value.number


def _seen_as(place: Place | None, ctype: CType) -> Place | None:
    """The place that a pointer keeps through a cast: the same one, when it begins with the structure wanted."""
    target = ctype.target
    while place is not None and target is not None:
        if place.ctype.name == target.name:
            return place
        if place.ctype.kind != STRUCT or target.name not in c.base_chain(place.ctype.name):
            return None
        place = place.member(c.members(place.ctype.name)[0].name)
    return None


def _first_char(ctype: CType, text: str) -> Value:
    data = text.encode() + b"\0"
    return number_of(ctype, data[0])


def _member(inner: Value, name: str) -> Value:
    if inner.ctype.kind == "opaque":
        raise ConsoleError(f"There is no member named {name}: what {c.spelled(inner.ctype)} consists of is not modelled.")
    if inner.ctype.kind != STRUCT:
        raise ConsoleError("Attempt to extract a component of a value that is not a structure.")
    place = inner.place.member(name) if inner.place is not None else None
    if place is None:
        near = suggestion(name, inner.place.names() if inner.place is not None else ())
        raise ConsoleError(f"There is no member named {name}." + (f"  Did you mean {near}?" if near else ""))
    return place.load()


def _promoted(ctype: CType) -> CType:
    return c.INT_TYPE if ctype.size < 4 or ctype.kind in (BOOL, CHAR) else ctype if ctype.kind == INT else c.UINT_TYPE


def _common(left: CType, right: CType) -> CType:
    a, b = _promoted(left), _promoted(right)
    size = max(a.size, b.size)
    unsigned = any(not one.signed and one.size == size for one in (a, b))
    if size == 4:
        return c.UINT_TYPE if unsigned else c.INT_TYPE
    return c.ULONG_TYPE if unsigned else c.LONG_TYPE


def _calculated(op: str, left: Value, right: Value) -> Value:
    for one in (left, right):
        if one.ctype.kind not in (INT, BOOL, CHAR, ENUM):
            raise ConsoleError("Argument to arithmetic operation not a number or boolean.")
    ctype = _promoted(left.ctype) if op in ("<<", ">>") else _common(left.ctype, right.ctype)
    if left.number is None or right.number is None:
        return Value(ctype, None, note=left.note or right.note)
    a, b = wrapped(ctype, left.number), right.number if op in ("<<", ">>") else wrapped(ctype, right.number)
    if op in ("/", "%"):
        if b == 0:
            raise ConsoleError("Division by zero")
        quotient = abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)
        return number_of(ctype, quotient if op == "/" else a - quotient * b)
    if op in ("<<", ">>"):
        if b < 0:
            raise ConsoleError("warning: shift count is negative")
        result = a << min(b, 127) if op == "<<" else a >> min(b, 127)
        return number_of(ctype, result)
    return number_of(ctype, {"+": a + b, "-": a - b, "*": a * b, "&": a & b, "|": a | b, "^": a ^ b}[op])
