"""The call stack as gdb prints it, from a state's open frames.

What the seed's gdb session on a real QEMU 4.1.0 showed is printed as it stood there: return addresses, values that the
optimizer had removed, and no number for the one frame that a tail call hides.  What is not known says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from ringscope_core.qom.symbols import RETURN_ADDRESSES, SYMBOLS
from ringscope_core.trace.functions import FunctionSpec

SOURCE_PREFIX: Final = "/usr/src/debug/qemu/4.1.0-r0/qemu-4.1.0/"
"""Where the seed's build had its sources."""
UNKNOWN: Final = "<unknown>"
OPTIMIZED_OUT: Final = "<optimized out>"
WRAP_COLUMN: Final = 172
"""gdb broke longer lines before " at "; the seed's terminal was this wide."""
ENTRY_LINES: Final[dict[str, int]] = {
    "device_init_func": 2191,
    "main": 4372,
    "object_property_set_bool": 1336,
    "qemu_opts_foreach": 1170,
    "virtio_net_device_realize": 2658,
}
"""Where a function's arguments are still all in place: gdb's first stop in it, where its frame opens behind the definition's line."""

_CALL_LINES: Final[dict[str, int]] = {
    "virtio_device_realize": 2613,
    "device_set_realized": 834,
    "property_set_bool": 2079,
    "object_property_set_qobject": 26,
    "object_property_set_bool": 1337,
}
"""The call site that each known return address belongs to."""
_TAIL_CALLS: Final[dict[str, int]] = {"object_property_set": 1271}
"""Frames that gdb does not show: their last statement at this line is a jump."""
_SIGNED: Final = ("value", "count", "line", "bytes", "ns", "idx", "slot", "head", "packet")
_HEXADECIMAL: Final = ("flags", "gpa")


class BtFrame(NamedTuple):
    """One frame, innermost first.  `number` is None for a tail call's; `address` is 0 when unknown; `path` is QEMU's own."""

    number: int | None
    address: int
    function: str
    args: tuple[tuple[str, str], ...]
    path: str
    line: int
    seq: int
    """The event that opened it."""

    @property
    def source(self) -> str:
        """File and line as gdb gives them."""
        return f"{SOURCE_PREFIX}{self.path}:{self.line}"


def return_address(function: str, line: int) -> int:
    """Where execution goes on in `function` after its call at `line`; 0 when it is not known."""
    return RETURN_ADDRESSES.get(function, 0) if _CALL_LINES.get(function) == line else 0


def backtrace(stack: Sequence[Sequence[int]], functions: Mapping[int, FunctionSpec], strings: Sequence[str]) -> list[BtFrame]:
    """The open frames of `MachineState.stack` (outermost first) as gdb would list them, innermost first."""
    frames: list[BtFrame] = []
    number = 0
    for depth, (fn, line, a0, a1, a2, a3, seq) in enumerate(reversed(stack)):
        spec = functions[fn]
        tail = depth > 0 and _TAIL_CALLS.get(spec.name) == line
        address = return_address(spec.name, line) if depth > 0 else 0
        begins = line <= ENTRY_LINES.get(spec.name, spec.line)
        args = _arguments(spec, (a0, a1, a2, a3), strings, begins)
        frames.append(BtFrame(None if tail else number, address, spec.name, args, spec.file, line, seq))
        number += not tail
    return frames


def _arguments(spec: FunctionSpec, values: Sequence[int], strings: Sequence[str], begins: bool) -> tuple[tuple[str, str], ...]:
    left = list(values)
    out: list[tuple[str, str]] = []
    for name, unit in spec.args:
        if unit == "opt":
            text = OPTIMIZED_OUT
        elif unit == "unknown" or not left:
            text = UNKNOWN
        elif unit == "cstr" and len(left) > 1:
            text = f"{_pointer(left.pop(0))} {_text(left.pop(0), strings)}"
        elif unit == "literal":
            quoted = _text(left.pop(0), strings)
            text = f"{_pointer(SYMBOLS.get(quoted, 0))} {quoted}"
        elif unit == "entry_bool":
            value = left.pop(0)
            text = ("true" if value else "false") if begins else OPTIMIZED_OUT
        else:
            text = format_argument(unit, left.pop(0), strings)
        out.append((name, text))
    return tuple(out)


def _pointer(value: int) -> str:
    return f"0x{value & 0xFFFFFFFFFFFFFFFF:x}" if value else UNKNOWN


def _text(number: int, strings: Sequence[str]) -> str:
    return f'"{strings[number]}"' if 0 <= number < len(strings) else UNKNOWN


def format_argument(unit: str, value: int, strings: Sequence[str]) -> str:
    """One value in gdb's manner; `unit` as in `trace.kinds.ArgSpec`."""
    if unit == "ptr":
        return _pointer(value)
    if unit in ("str", "type"):
        return _text(value, strings)
    if unit == "bool":
        return "true" if value else "false"
    if unit in _HEXADECIMAL:
        return f"0x{value & 0xFFFFFFFFFFFFFFFF:x}"
    if unit in _SIGNED or unit == "oid":
        return str(value)
    return UNKNOWN


def format_frame(frame: BtFrame) -> str:
    """One frame as a line, or two where gdb breaks it."""
    args = ", ".join(f"{name}={value}" for name, value in frame.args)
    if frame.number is None:
        return f"    (tail call) {frame.function} ({args}) at {frame.source}"
    where = f"0x{frame.address:016x} in " if frame.address else ""
    head = f"#{frame.number:<3}{where}{frame.function} ({args})"
    line = f"{head} at {frame.source}"
    return line if len(line) <= WRAP_COLUMN else f"{head}\n    at {frame.source}"


def format_backtrace(frames: Sequence[BtFrame]) -> str:
    """The whole stack."""
    return "\n".join(map(format_frame, frames))
