"""Words about values: print, types, memory, displays, listings."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ringscope_core.gdb import ctypes as c
from ringscope_core.gdb.console import Display, split_format
from ringscope_core.gdb.ctypes import CType
from ringscope_core.gdb.errors import ConsoleError
from ringscope_core.gdb.examine import Memory
from ringscope_core.gdb.parse import parse, parse_type_or_none
from ringscope_core.gdb.places import location_plain, shown_place
from ringscope_core.gdb.printer import FORMATS, Style, formatted, quoted, show
from ringscope_core.gdb.value import UNKNOWN, Value
from ringscope_core.gdb.words import word

if TYPE_CHECKING:
    from ringscope_core.gdb.console import Console

_SIZES: Final = {"b": 1, "h": 2, "w": 4, "g": 8}
_PER_LINE: Final = {1: 8, 2: 8, 4: 4, 8: 2}
_NAMES: Final = {1: "uint8_t", 2: "uint16_t", 4: "uint32_t", 8: "uint64_t"}
_MOST: Final = 65_536


def _letters(text: str, command: str) -> str:
    if text and text not in tuple(FORMATS):
        if text.isdigit() or any(one.isdigit() for one in text):
            raise ConsoleError(f'Item count other than 1 is meaningless in "{command}" command.')
        raise ConsoleError(f'Undefined output format "{text}".' if len(text) == 1 else f'Size letters are meaningless in "{command}" command.')
    if text == "i":
        raise ConsoleError('Format letter "i" is meaningless in "print" command.')
    return text


@word("print", "Data", "[/FMT] EXPR", "p,inspect,call", False)
def _print(console: Console, rest: str) -> str:
    """The value of an expression; /x /d /u /o /t /c /a /z choose a format. Without an expression the last value again."""
    letters, text = split_format(rest)
    letter = _letters(letters, "print")
    value = console.value(text) if text else console.history[-1] if console.history else None
    if value is None:
        raise ConsoleError("The history is empty.")
    if value.ctype.kind == "void":
        return f"{console.record(value)} = void"
    name = console.record(value)
    return show(value, console.style(letter), f"{name} = ")


@word("output", "Data", "[/FMT] EXPR")
def _output(console: Console, rest: str) -> str:
    """The value alone, without a name in the history."""
    letters, text = split_format(rest)
    return show(console.value(text), console.style(_letters(letters, "output")))


@word("set variable", "Data", "NAME = EXPR", "set var")
def _set(console: Console, rest: str) -> str:
    """Set a convenience variable ($x = 3), or on a live run what may safely be changed: n->status = 0 takes the link down."""
    node = parse(rest) if rest else None
    if node is None:
        raise ConsoleError("Argument required (expression to compute).")
    if node.op != "assign":
        raise ConsoleError("An assignment is needed: set var NAME = VALUE.")
    console.value(rest)
    return ""


def _type_of(console: Console, text: str) -> CType:
    found = parse_type_or_none(text)
    return found if found is not None else console.value(text).ctype


@word("whatis", "Data", "EXPR | TYPE")
def _whatis(console: Console, rest: str) -> str:
    """The type of an expression."""
    if not rest:
        raise ConsoleError("The history is empty." if not console.history else "Argument required (an expression or a type).")
    return f"type = {c.spelled(_type_of(console, rest))}"


@word("ptype", "Data", "[/o] EXPR | TYPE")
def _ptype(console: Console, rest: str) -> str:
    """What a type consists of; /o with offsets and sizes."""
    letters, text = split_format(rest)
    if not text:
        raise ConsoleError("Argument required (an expression or a type).")
    ctype, stars = _type_of(console, text), ""
    while ctype.kind == "pointer" and ctype.target is not None:
        ctype, stars = ctype.target, stars + "*"
    if ctype.kind == "function":
        return f"type = {ctype.name}"
    if ctype.kind != "struct":
        return f"type = {c.spelled(ctype)}" + (f" {stars}" if stars else "")
    return "\n".join(_struct_lines(console, ctype, "o" in letters, stars))


def _struct_lines(console: Console, ctype: CType, offsets: bool, stars: str) -> list[str]:
    tail = f" {stars}" if stars else ""
    rows = c.members(ctype.name)
    if not rows:
        specs = [spec for spec in console.inferior.recording.fields.values() if spec.struct == ctype.name and "." not in spec.name]
        body = [f"    {'bool' if spec.unit == 'bool' else 'unsigned int'} {spec.name};" for spec in specs]
        return [f"type = struct {ctype.name} {{", *body, "}" + tail]
    if not offsets:
        return [f"type = struct {ctype.name} {{", *(f"    {c.declaration(one.ctype, one.name)};" for one in rows), "}" + tail]
    lines = [f"/* offset    |  size */  type = struct {ctype.name} {{"]
    for place, one in enumerate(rows):
        end = rows[place + 1].offset if place + 1 < len(rows) else ctype.size
        size = one.ctype.size or end - one.offset
        lines.append(f"/* {one.offset:4}      | {size:5} */    {c.declaration(one.ctype, one.name)};")
    return [*lines, "", f"                           /* total size: {ctype.size:4} bytes */", "                         }" + tail]


# -- memory -----------------------------------------------------------------------------------------------------------
@word("x", "Data", "/NFU EXPR", repeats=True)
def _x(console: Console, rest: str) -> str:
    """Memory: N units of size b, h, w or g in format x, d, u, o, t, c, a or s. Guest addresses are those of rings."""
    letters, text = split_format(rest)
    found = re.fullmatch(r"(\d*)([a-z]*)", letters)
    if found is None:
        raise ConsoleError(f'Invalid format "{letters}".')
    if not letters and not text and console.examined is not None:
        letters, address = console.examined[0], console.examined[1]
        found = re.fullmatch(r"(\d*)([a-z]*)", letters)
        assert found is not None
        count, words = 1, found[2]
    else:
        count, words = int(found[1] or 1), found[2]
        address = -1
    size = next((_SIZES[one] for one in words if one in _SIZES), 0)
    formats = [one for one in words if one not in _SIZES]
    if len(formats) > 1 or formats and formats[0] not in FORMATS:
        raise ConsoleError(f'Undefined output format "{"".join(formats)}".')
    letter = formats[0] if formats else "x"
    if letter == "i":
        raise ConsoleError("No machine code is modelled, so there is nothing to disassemble.")
    if count > _MOST:
        raise ConsoleError(f"At most {_MOST} units at a time.")
    if address < 0:
        if not text:
            raise ConsoleError("Argument required (starting display address).")
        value = console.value(text)
        if letter == "s" and value.text is not None and value.ctype.points_to_char:
            lead = UNKNOWN if value.number is None else f"0x{value.number:x}"
            return f"{lead}:\t{quoted(value.text.encode() + bytes(1))}"
        address = _address(value)
    memory = Memory(console.moment, console.inferior.guest_memory)
    if letter == "s":
        return _strings(memory, address, count)
    size = size or (1 if letter == "c" else 8 if letter == "a" else 4)
    console.examined = (f"{letter}{next(one for one, width in _SIZES.items() if width == size)}", address + count * size)
    return _units(memory, address, count, size, letter)


def _address(value: Value) -> int:
    if value.ctype.kind in ("struct", "array") and value.place is not None and value.place.address:
        return value.place.address
    if value.number is None:
        raise ConsoleError("Cannot access memory: the address is not known")
    return value.number & ((1 << 64) - 1)


def _units(memory: Memory, address: int, count: int, size: int, letter: str) -> str:
    ctype = c.parse_type(_NAMES[size])
    lines: list[str] = []
    for start in range(0, count, _PER_LINE[size] if letter != "t" or size < 4 else 1):
        per = min(_PER_LINE[size] if letter != "t" or size < 4 else 1, count - start)
        at = address + start * size
        try:
            units = [memory.unit(at + index * size, size) for index in range(per)]
        except ConsoleError as error:
            if not lines:
                raise
            return "\n".join([*lines, str(error)])
        shown = [UNKNOWN if one is None else _unit(ctype, one, letter) for one in units]
        lines.append(f"0x{at:x}:\t" + "\t".join(shown))
    return "\n".join(lines)


def _unit(ctype: CType, number: int, letter: str) -> str:
    if letter == "x":
        return f"0x{number:0{2 * ctype.size}x}"
    if letter == "t":
        return f"{number:0{8 * ctype.size}b}"
    if letter == "o":
        return f"0{number:o}" if number else "0"
    return formatted(Value(ctype, number), letter)


def _strings(memory: Memory, address: int, count: int) -> str:
    lines: list[str] = []
    for _ in range(count):
        data = bytearray()
        while len(data) < 200:
            byte = memory.unit(address + len(data), 1)
            if byte is None:
                break
            data.append(byte)
            if not byte:
                break
        lines.append(f"0x{address:x}:\t{quoted(bytes(data))}" if data else f"0x{address:x}:\t{UNKNOWN}")
        address += max(len(data), 1)
    return "\n".join(lines)


# -- displays ---------------------------------------------------------------------------------------------------------
def shown_as(console: Console, one: Display) -> str:
    """A display's line."""
    return show(console.value(one.text), Style(one.letters, console.width), f"{one.number}: {'/' + one.letters + ' ' if one.letters else ''}{one.text} = ")


@word("display", "Data", "[/FMT] EXPR")
def _display(console: Console, rest: str) -> str:
    """Show an expression at every stop."""
    from ringscope_core.gdb.stops import displays

    letters, text = split_format(rest)
    if not text:
        return "\n".join(displays(console))
    one = Display(max((other.number for other in console.displays), default=0) + 1, text, _letters(letters, "display"))
    line = shown_as(console, one)
    console.displays.append(one)
    return line


@word("undisplay", "Data", "[N..]")
def _undisplay(console: Console, rest: str) -> str:
    """Take displays away."""
    from ringscope_core.gdb.words_breakpoints import point_numbers

    numbers = point_numbers(console, rest)
    known = {one.number for one in console.displays}
    for number in numbers:
        if number not in known:
            raise ConsoleError("Arguments must be display numbers.")
    console.displays = [one for one in console.displays if numbers and one.number not in numbers]
    return ""


@word("info display", "Information")
def _info_display(console: Console, rest: str) -> str:
    """Every display."""
    if not console.displays:
        return "There are no auto-display expressions now."
    return "\n".join(
        [
            "Auto-display expressions now in effect:",
            "Num Enb Expression",
            *(f"{one.number}:   {'y' if one.enabled else 'n'}  {one.text}" for one in console.displays),
        ]
    )


# -- sources ----------------------------------------------------------------------------------------------------------
@word("list", "Sources", "[LOCATION]", "l", True)
def _list(console: Console, rest: str) -> str:
    """Ten lines of QEMU's source around a place (`directory DIR` says where the tree is)."""
    if rest == "-":
        raise ConsoleError("Give a location to list lines before.")
    if rest:
        path, line = shown_place(console, location_plain(console, rest))
        first = max(line - 5, 1)
    elif console.listed is not None:
        path, first = console.listed
    else:
        shown = console.frame.shown
        path, first = shown.path, max(shown.line - 5, 1)
    lines = console.source.lines(path)
    if not lines:
        return console.source.line(path, first)
    if first > len(lines):
        raise ConsoleError(f'Line number {first} out of range; "{path}" has {len(lines)} lines.')
    console.listed = (path, first + 10)
    return "\n".join(f"{number}\t{lines[number - 1]}" for number in range(first, min(first + 10, len(lines) + 1)))
