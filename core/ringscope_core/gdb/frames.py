"""The call stack as variables: frames with typed arguments, for expressions and for the console's words about frames."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ringscope_core.gdb.backtrace import ENTRY_LINES, BtFrame, backtrace
from ringscope_core.gdb.ctypes import parse_type
from ringscope_core.gdb.memory import function_pointer, string_pointer
from ringscope_core.gdb.queue_arguments import queue_argument
from ringscope_core.gdb.signatures import LOCALS, RETURNS, argument_type
from ringscope_core.gdb.value import OPTIMIZED_OUT, UNKNOWN, Value, number_of
from ringscope_core.qom.symbols import SYMBOLS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ringscope_core.gdb.ctypes import CType
    from ringscope_core.gdb.moment import Moment

_MASK64: Final = 0xFFFF_FFFF_FFFF_FFFF


class Frame:
    """One frame that gdb shows: what `backtrace` prints of it, and its arguments as values."""

    def __init__(self, shown: BtFrame, arguments: list[tuple[str, Value]]) -> None:
        self.shown: BtFrame = shown
        self.arguments: list[tuple[str, Value]] = arguments

    @property
    def number(self) -> int:
        """Its number in the backtrace."""
        assert self.shown.number is not None
        return self.shown.number

    @property
    def locals(self) -> list[tuple[str, str]]:
        """Local variables that are known: (name, the expression it is)."""
        return list(LOCALS.get(self.shown.function, ()))


def frames_of(moment: Moment) -> list[Frame]:
    """The open frames, innermost first, without those that tail calls hide."""
    recording = moment.recording
    stack = moment.state.stack
    shown = backtrace(stack, recording.functions, recording.strings)
    out: list[Frame] = []
    for frame, entry in zip(shown, reversed(stack), strict=True):
        if frame.number is not None:
            out.append(Frame(frame, _arguments(moment, entry)))
    return out


def _arguments(moment: Moment, entry: Sequence[int]) -> list[tuple[str, Value]]:
    fn, line, *values, _ = entry
    spec = moment.recording.functions[fn]
    begins = line <= ENTRY_LINES.get(spec.name, spec.line)
    left = list(values)
    out: list[tuple[str, Value]] = []
    for name, unit in spec.args:
        ctype = parse_type(argument_type(spec.name, name, unit))
        if unit == "opt":
            value = Value(ctype, note=OPTIMIZED_OUT)
        elif unit == "unknown" or not left:
            value = queue_argument(moment, ctype, entry) or Value(ctype, note=UNKNOWN)
        elif unit == "entry_bool":
            number = left.pop(0)
            value = number_of(ctype, number) if begins else Value(ctype, note=OPTIMIZED_OUT)
        else:
            value = _value(moment, ctype, unit, left)
        out.append((name, value))
    return out


def _value(moment: Moment, ctype: CType, unit: str, left: list[int]) -> Value:
    decoder = moment.recording.decoder
    number = left.pop(0)
    if unit == "cstr" and left:
        return string_pointer(ctype, decoder.text(left.pop(0)), number & _MASK64 or None)
    if unit == "literal":
        text = decoder.text(number)
        return string_pointer(ctype, text, SYMBOLS.get(f'"{text}"'))
    if unit in ("str", "type"):
        text = decoder.text(number)
        return function_pointer(ctype, text) if ctype.points_to_function else string_pointer(ctype, text)
    if unit == "ptr":
        return Value(ctype, number & _MASK64 or None)
    return number_of(ctype, number)


def returned(function: str, number: int) -> Value | None:
    """What a function returned, None when its value is not recorded."""
    text = RETURNS.get(function)
    if text is None:
        return None
    ctype = parse_type(text)
    return Value(ctype, number & _MASK64) if ctype.kind == "pointer" else number_of(ctype, number)
