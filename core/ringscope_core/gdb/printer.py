"""Values as gdb prints them: structures on one flow, repeats counted, characters escaped, unknown parts said to be unknown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ringscope_core.gdb.ctypes import ARRAY, BOOL, CHAR, ENUM, ENUM_NAMES, FUNCTION, INT, OPAQUE, POINTER, STRUCT, VOID, CType, spelled
from ringscope_core.gdb.errors import ConsoleError
from ringscope_core.gdb.layout import Flow
from ringscope_core.gdb.value import UNKNOWN, Value

REPEATS: Final = 10
"""From that many equal elements on they are counted."""
ELEMENTS: Final = 200
"""Elements of an array that are printed."""
FORMATS: Final = "xduotzcafsi"
_ESCAPES: Final = {7: "\\a", 8: "\\b", 9: "\\t", 10: "\\n", 11: "\\v", 12: "\\f", 13: "\\r", 27: "\\033", 92: "\\\\"}
_MASK64: Final = 0xFFFF_FFFF_FFFF_FFFF


@dataclass(frozen=True)
class Style:
    """How to print: gdb's format letter ("" for the type's own), the width of the screen (0 for none), one member a line."""

    letter: str = ""
    width: int = 0
    pretty: bool = False


def show(value: Value, style: Style = Style(), lead: str = "") -> str:
    """`value` as ``print`` shows it, behind `lead` (``$1 = ``)."""
    flow = Flow(style.width)
    flow.put(lead)
    _Printer(flow, style).top(value)
    return flow.text()


def brief(value: Value, style: Style = Style()) -> str:
    """`value` as it stands inside a structure or a list of arguments."""
    flow = Flow(0)
    _Printer(flow, style).value(value, 1)
    return flow.text()


class _Printer:
    def __init__(self, flow: Flow, style: Style) -> None:
        self._flow: Flow = flow
        self._style: Style = style
        self._line: int = 0

    def top(self, value: Value) -> None:
        """With the type in front of a pointer, as at the top level."""
        ctype = value.ctype
        if ctype.kind == POINTER and not self._style.letter and not ctype.points_to_char and not value.note:
            self._flow.put(f"({spelled(ctype)}) ")
        elif ctype.kind == FUNCTION and value.text:
            self._flow.put(f"{{{ctype.name}}} ")
        self.value(value, 0)

    def value(self, value: Value, depth: int) -> None:
        """Without one."""
        put = self._flow.put
        if value.note:
            put(value.note)
        elif value.ctype.kind == STRUCT:
            self._struct(value, depth)
        elif value.ctype.kind == ARRAY:
            self._array(value, depth)
        else:
            put(scalar(value, self._style.letter))

    def _struct(self, value: Value, depth: int) -> None:
        place = value.place
        if place is None or not place.any_known():
            self._flow.put(UNKNOWN)
            return
        self._flow.put("{")
        for index, name in enumerate(place.names()):
            inner = place.member(name)
            if index:
                self._flow.put("," if self._style.pretty else ", ")
            self._next(depth)
            self._flow.put(f"{name} = ")
            self.value(inner.load() if inner is not None else Value(value.ctype, note=UNKNOWN), depth + 1)
        self._end(depth)
        self._flow.put("}")

    def _next(self, depth: int) -> None:
        if self._style.pretty:
            self._flow.put("\n" + "  " * (depth + 1))
        else:
            self._flow.wrap(2 + 2 * depth)

    def _end(self, depth: int) -> None:
        if self._style.pretty:
            self._flow.put("\n" + "  " * depth)

    def _array(self, value: Value, depth: int) -> None:
        ctype, place = value.ctype, value.place
        assert ctype.target is not None
        if place is None or not ctype.count:
            self._flow.put(UNKNOWN if ctype.count else "{}" if place is not None else UNKNOWN)
            return
        if ctype.target.kind == CHAR and self._style.letter in ("", "s"):
            data = [place.element(index).load().number for index in range(min(ctype.count, ELEMENTS))]
            if None in data:
                self._flow.put(UNKNOWN)
            else:
                self._flow.put(quoted(bytes(byte & 0xFF for byte in data if byte is not None), ctype.count > ELEMENTS))
            return
        self._elements(value, depth)

    def _elements(self, value: Value, depth: int) -> None:
        ctype, place = value.ctype, value.place
        assert ctype.target is not None and place is not None
        texts = [self._text(place.element(index).load(), depth) for index in range(min(ctype.count, 4096))]
        if all(text == UNKNOWN for text in texts):
            self._flow.put(UNKNOWN)
            return
        self._flow.put("{")
        index = printed = 0
        while index < len(texts) and printed < ELEMENTS:
            run = 1
            while index + run < len(texts) and texts[index + run] == texts[index]:
                run += 1
            if printed:
                self._flow.put(", ")
            self._flow.wrap(2 + 2 * depth)
            if run >= REPEATS:
                self._flow.put(f"{texts[index]} <repeats {run} times>")
                index += run
                printed += REPEATS
            else:
                self._flow.put(texts[index])
                index += 1
                printed += 1
        if index < ctype.count:
            self._flow.put("...")
        self._flow.put("}")

    def _text(self, value: Value, depth: int) -> str:
        flow = Flow(0)
        _Printer(flow, self._style).value(value, depth + 1)
        return flow.text()


def scalar(value: Value, letter: str = "") -> str:
    """One number, pointer or function."""
    ctype = value.ctype
    if letter and letter != "s" and ctype.kind not in (FUNCTION, VOID, OPAQUE):
        return formatted(value, letter)
    if ctype.kind == POINTER:
        return _pointer(value)
    if ctype.kind == FUNCTION:
        return f"{_address(value.number)} <{value.text}>" if value.text else UNKNOWN
    if ctype.kind == VOID:
        return "void"
    if value.number is None:
        return UNKNOWN
    if ctype.kind == BOOL:
        return "true" if value.number else "false"
    if ctype.kind == CHAR:
        return f"{value.number} {character(value.number)}"
    if ctype.kind == ENUM:
        names = ENUM_NAMES.get(ctype.name, ())
        return names[value.number] if 0 <= value.number < len(names) else str(value.number)
    return str(value.number)


def _address(number: int | None) -> str:
    return UNKNOWN if number is None else f"0x{number & _MASK64:x}"


def _pointer(value: Value) -> str:
    text = _address(value.number)
    if value.text is None:
        return text
    if value.ctype.points_to_function:
        return f"{text} <{value.text}>"
    return f"{text} {quoted(value.text.encode() + bytes(1))}"


def formatted(value: Value, letter: str) -> str:
    """A number in one of gdb's formats."""
    if value.number is None:
        return UNKNOWN
    size = value.ctype.size or 8
    bits = 8 * size
    unsigned = value.number & ((1 << bits) - 1)
    signed = unsigned - (1 << bits) if unsigned >> (bits - 1) else unsigned
    if letter == "x":
        return f"0x{unsigned:x}"
    if letter == "z":
        return f"0x{unsigned:0{2 * size}x}"
    if letter == "d":
        return str(signed)
    if letter == "u":
        return str(unsigned)
    if letter == "o":
        return f"0{unsigned:o}" if unsigned else "0"
    if letter == "t":
        return f"{unsigned:b}"
    if letter == "c":
        low = unsigned & 0xFF
        low = low - 256 if low > 127 and value.ctype.signed or low > 127 and value.ctype.kind == INT else low
        return f"{low} {character(low)}"
    if letter == "a":
        return f"0x{unsigned:x}" + (f" <{value.text}>" if value.text and value.ctype.points_to_function else "")
    if letter == "f":
        return str(signed if value.ctype.signed else unsigned)
    raise ConsoleError(f'Undefined output format "{letter}".')


def character(number: int) -> str:
    """A character constant."""
    return f"'{_escaped(number & 0xFF, False, chr(39))[0]}'"


def _escaped(byte: int, after_octal: bool, quote: str) -> tuple[str, bool]:
    """A character inside quotes, and whether it is an octal escape (a digit behind one is escaped too)."""
    if chr(byte) == quote:
        return f"\\{quote}", False
    if byte in _ESCAPES:
        return _ESCAPES[byte], byte == 27
    if 32 <= byte < 127 and not (after_octal and 48 <= byte <= 57):
        return chr(byte), False
    return f"\\{byte:03o}", True


def quoted(data: bytes, more: bool = False) -> str:
    """A character array: ``"text"``, with runs counted and one closing zero left out."""
    if not more and data and data[-1] == 0:
        data = data[:-1]
    parts: list[str] = []
    open_text = ""
    index, after = 0, False
    while index < len(data):
        run = 1
        while index + run < len(data) and data[index + run] == data[index]:
            run += 1
        if run >= REPEATS:
            if open_text:
                parts.append(f'"{open_text}"')
                open_text = ""
            parts.append(f"{character(data[index])} <repeats {run} times>")
            index, after = index + run, False
            continue
        text, after = _escaped(data[index], after, '"')
        open_text += text
        index += 1
    if open_text or not parts:
        parts.append(f'"{open_text}"')
    return ", ".join(parts) + ("..." if more else "")


def type_name(ctype: CType) -> str:
    """The type as `whatis` says it."""
    return spelled(ctype)
