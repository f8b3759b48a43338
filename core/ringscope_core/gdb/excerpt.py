"""A part of a long answer: some lines, or a line with everything below it; where something is left out it says so."""

from __future__ import annotations

import re
from typing import Final

from ringscope_core.gdb.errors import ConsoleError

LEFT_OUT: Final = "..."
_LINES: Final = re.compile(r"(\d+)\.\.(\d+)")


def excerpt(text: str, wanted: str) -> str:
    """The part of `text` that ``N..M`` (lines from 1) or a text names: the first line with it and the lines that are indented deeper.

    Raises ConsoleError when there is no such line.
    """
    lines = text.split("\n")
    found = _LINES.fullmatch(wanted.strip())
    first, last = _range(lines, int(found[1]), int(found[2])) if found else _below(lines, wanted.strip())
    part = lines[first : last + 1]
    space = " " * min((len(line) - len(line.lstrip()) for line in part if line.strip()), default=0)
    before = [f"{space}{LEFT_OUT}"] if any(line.strip() for line in lines[:first]) else []
    behind = [f"{space}{LEFT_OUT}"] if any(line.strip() for line in lines[last + 1 :]) else []
    return "\n".join([*before, *part, *behind])


def _range(lines: list[str], first: int, last: int) -> tuple[int, int]:
    if not 1 <= first <= last <= len(lines):
        raise ConsoleError(f"The answer has lines 1 to {len(lines)}.")
    return first - 1, last - 1


def _below(lines: list[str], wanted: str) -> tuple[int, int]:
    first = next((place for place, line in enumerate(lines) if wanted and wanted in line), -1)
    if first < 0:
        raise ConsoleError(f'No line of the answer has "{wanted}".')
    depth = len(lines[first]) - len(lines[first].lstrip())
    last = first
    while last + 1 < len(lines) and lines[last + 1].strip() and len(lines[last + 1]) - len(lines[last + 1].lstrip()) > depth:
        last += 1
    return first, last
