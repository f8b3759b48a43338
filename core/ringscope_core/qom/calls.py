"""Call frames of QEMU's functions: declare one by name, open it at its definition's line.

Argument units are those of `trace.kinds.ArgSpec` and some more.  ``opt`` and ``unknown`` carry no value and print as gdb's
``<optimized out>`` and as ``<unknown>``; ``cstr`` carries two, the address and the string id, and prints as
``0xADDR "text"``; ``literal`` carries the string id alone and prints alike, at the address that `symbols.SYMBOLS` knows of such a string
literal; ``entry_bool`` is a bool that is known where the function begins and optimized out later.  The values of
a frame go to the remaining arguments in order.
"""

from __future__ import annotations

from typing import final

from mypy_extensions import i64

from ringscope_core.trace.function_lines import FUNCTION_LINES
from ringscope_core.trace.functions import fn
from ringscope_core.trace.log import EventLog


@final
class Fn:
    """A function that opens frames: its number, its name and the line where it starts."""

    def __init__(self, number: i64, name: str, line: i64) -> None:
        self.number: i64 = number
        self.name: str = name
        self.line: i64 = line

    def enter(self, log: EventLog, a0: i64 = 0, a1: i64 = 0, a2: i64 = 0, a3: i64 = 0) -> None:
        """Open a frame at the function's first line."""
        log.enter(self.number, self.line, a0, a1, a2, a3)

    def enter_at(self, log: EventLog, line: i64, a0: i64 = 0, a1: i64 = 0, a2: i64 = 0, a3: i64 = 0) -> None:
        """Open a frame that stands on `line`."""
        log.enter(self.number, line, a0, a1, a2, a3)


def declare(name: str, args: str = "") -> Fn:
    """Declare that frames of QEMU's function `name` are opened; raises KeyError for one that is not in the table."""
    return Fn(fn(name, args), name, FUNCTION_LINES[name][1])
