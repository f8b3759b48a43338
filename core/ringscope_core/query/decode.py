"""Integers of the log as text: units, fields, functions, enumerations.

Driven by the tables that the session file carries (kinds, functions, fields, strings), so a file of another version decodes
by its own declarations.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from ringscope_core.qom.symbols import SYMBOLS
from ringscope_core.trace.fields import FieldSpec
from ringscope_core.trace.functions import FunctionSpec
from ringscope_core.trace.kinds import ENUMS, EV_EXPERT, EV_FIELD, EV_FRAME_ENTER, EV_FRAME_LEAVE, KindSpec

MASK64: Final = 0xFFFF_FFFF_FFFF_FFFF
ARGS: Final = ("a0", "a1", "a2", "a3", "a4", "a5")

_DIRECT: Final[Mapping[str, Callable[[int], str]]] = {
    "ptr": lambda value: f"0x{value & MASK64:x}" if value else "NULL",
    "gpa": lambda value: f"0x{value & MASK64:x}",
    "flags": lambda value: f"0x{value & MASK64:x}",
    "bytes": lambda value: f"{value} B",
    "idx": lambda value: str(value & 0xFFFF),
    "slot": lambda value: str(value),
    "head": lambda value: str(value),
    "count": lambda value: str(value),
    "bool": lambda value: "true" if value else "false",
    "packet": lambda value: f"#{value}" if value else "none",
    "line": lambda value: str(value),
    "off_wrap": lambda value: f"{value & 0x7FFF}/wrap{value >> 15 & 1}",
    "mac": lambda value: (value & 0xFFFF_FFFF_FFFF).to_bytes(6, "big").hex(":"),
}


def format_ns(value: int) -> str:
    """A time in ns with a unit a person reads: ``1.234 567 s`` is shown as ``1.234567 s``, small ones as ns or us."""
    if abs(value) < 1_000:
        return f"{value} ns"
    if abs(value) < 1_000_000:
        return f"{value / 1_000:.3f} µs"
    if abs(value) < 1_000_000_000:
        return f"{value / 1_000_000:.3f} ms"
    return f"{value / 1_000_000_000:.6f} s"


def format_clock(value: int) -> str:
    """A moment in ns since the run began as ``seconds.microseconds``, of even width for columns."""
    return f"{value / 1_000_000_000:.6f}"


def format_count(value: int) -> str:
    """A whole number with thin groups: ``1 234 567``."""
    return f"{value:,}".replace(",", "\u2009")


def unit_of_field(spec: FieldSpec) -> str:
    """How to print a field: its declared unit, else one that its C type implies."""
    if spec.unit and spec.unit != "value":
        return spec.unit
    if spec.name.rsplit(".", 1)[-1] in ("mac", "macaddr"):
        return "mac"
    ctype = spec.ctype
    if ctype == "bool":
        return "bool"
    if "*" in ctype or ctype.startswith(("QTAILQ", "QLIST")):
        return "ptr"
    if "features" in spec.name or spec.name.endswith(("flags", "status", "address", "config")):
        return "flags"
    return "count"


class Decoder:
    """Prints values and events by the tables of one recording."""

    def __init__(
        self,
        strings: Sequence[str],
        kinds: Mapping[int, KindSpec],
        functions: Mapping[int, FunctionSpec],
        fields: Mapping[int, FieldSpec],
        name_of: Callable[[int], str],
    ) -> None:
        self.strings = strings
        self.kinds = kinds
        self.functions = functions
        self.fields = fields
        self.name_of = name_of

    def text(self, number: int) -> str:
        """The string `number`; one that the recording has not yet written shows as its number."""
        if 0 <= number < len(self.strings):
            return self.strings[number]
        return f"<string {number}>"

    def function(self, number: int) -> str:
        """The name of function `number`."""
        spec = self.functions.get(number)
        return spec.name if spec else f"<function {number}>"

    def field_name(self, number: int) -> str:
        """``Struct.field`` of field `number`."""
        spec = self.fields.get(number)
        return f"{spec.struct}.{spec.name}" if spec else f"<field {number}>"

    def value(self, unit: str, value: int) -> str:
        """`value` as its `unit` (see `kinds.ArgSpec`) is printed."""
        direct = _DIRECT.get(unit)
        if direct is not None:
            return direct(value)
        if unit == "str" or unit == "type":
            return self.text(value)
        if unit == "fn":
            return self.function(value)
        if unit == "field":
            return self.field_name(value)
        if unit == "oid":
            return self.name_of(value) if value else "none"
        if unit == "ns":
            return format_ns(value)
        if unit.startswith("enum:"):
            names = ENUMS.get(unit[5:], ())
            return names[value] if 0 <= value < len(names) else str(value)
        return f"0x{value & MASK64:x}" if value > 0xFFFF or value < 0 else str(value)

    def field_value(self, number: int, value: int) -> str:
        """`value` as field `number` is printed."""
        spec = self.fields.get(number)
        unit = unit_of_field(spec) if spec else "value"
        return f'"{self.text(value)}"' if unit == "str" else self.value(unit, value)

    def arguments(self, kind: int, values: Sequence[int]) -> list[tuple[str, str, str]]:
        """(name, text, unit) of each argument of an event; `values` are a0..a5.

        A call's arguments have the names and units of the function; a field's value has the field's unit.
        """
        spec = self.kinds.get(kind)
        if spec is None:
            return [(name, str(value), "value") for name, value in zip(ARGS, values, strict=False) if value]
        rows = [(arg.name, arg.unit) for arg in spec.args]
        if kind == EV_FRAME_ENTER:
            head = [(name, self.value(unit, values[place]), unit) for place, (name, unit) in enumerate(rows[:2])]
            return head + self.call_arguments(values[0], values[2:])
        if kind == EV_FIELD:
            field = self.fields.get(values[0])
            unit = unit_of_field(field) if field else "value"
            rows = [rows[0], ("value", unit), ("old", unit)]
        return [(name, self.value(unit, int(value)), unit) for (name, unit), value in zip(rows, values, strict=False)]

    def call_arguments(self, function: int, values: Sequence[int]) -> list[tuple[str, str, str]]:
        """(name, text, unit) of a call's arguments; `values` fill those that carry any (see `qom.calls`), the rest is unknown."""
        spec = self.functions.get(function)
        left = list(values)
        found: list[tuple[str, str, str]] = []
        for name, unit in spec.args if spec else ():
            if unit == "opt":
                text = "<optimized out>"
            elif unit == "unknown" or not left:
                text = "<unknown>"
            elif unit == "cstr" and len(left) > 1:
                text = f'{self.value("ptr", left.pop(0))} "{self.text(left.pop(0))}"'
            elif unit == "literal":
                text = self._literal(left.pop(0))
            elif unit == "entry_bool":
                text = self.value("bool", left.pop(0))
            else:
                text = self.value(unit, left.pop(0))
            found.append((name, text, unit))
        return found

    def _literal(self, number: int) -> str:
        """A string literal of QEMU's, with its address when that is known."""
        quoted = f'"{self.text(number)}"'
        return f"0x{SYMBOLS[quoted]:x} {quoted}" if quoted in SYMBOLS else quoted

    def describe(self, kind: int, values: Sequence[int]) -> str:
        """An event's arguments on one line."""
        args = self.arguments(kind, values)
        if kind == EV_FIELD:
            return f"{args[0][1]} = {self.field_value(values[0], values[1])} (was {self.field_value(values[0], values[2])})"
        if kind == EV_FRAME_ENTER:
            inner = ", ".join(f"{name}={text}" for name, text, _ in args[2:])
            return f"{args[0][1]}({inner}) :{args[1][1]}"
        if kind == EV_FRAME_LEAVE:
            return f"{args[0][1]} -> {args[1][1]}"
        if kind == EV_EXPERT:
            return f"{args[0][1]}: {args[1][1]}"
        return "  ".join(f"{name}={text}" for name, text, _ in args)
