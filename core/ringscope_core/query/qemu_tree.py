"""A QEMU source tree on the person's disk: the file and line of a function, with a word when the tree is another version."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import Final, NamedTuple

from ringscope_core.query.sources import checkpoints_of
from ringscope_core.trace.function_lines import FUNCTION_LINES

MODELLED: Final = "4.1.0"
"""The version whose lines the model tells."""
MAX_BYTES: Final = 8 << 20
"""A longer file is no source."""
_NEAR: Final = 3
"""The name stands on the definition's line, or as far below (its type may stand on lines of its own)."""


class QemuSource(NamedTuple):
    """What to show for a place in QEMU.  `text` is empty when there is nothing to show; `note` says what is not as it should be."""

    path: Path
    text: str
    line: int
    """The place in this file, from 1; 0 when it is not known here."""
    shift: int
    """How many lines further down than in the modelled version the function stands here."""
    note: str


def version_of(tree: Path) -> str:
    """What the tree's VERSION says; empty when it has none."""
    try:
        return (tree / "VERSION").read_text(encoding="utf-8", errors="replace").strip()[:40]
    except OSError:
        return ""


def tree_problem(tree: Path) -> str:
    """Why `tree` is no QEMU source tree, in one line; empty when it is one."""
    if not tree.is_dir():
        return f"{tree} is no folder"
    if not (tree / "hw" / "net" / "virtio-net.c").is_file():
        return f"{tree} is no QEMU source tree: hw/net/virtio-net.c is missing"
    return ""


def qemu_source(tree: Path, function: str, line: int) -> QemuSource:
    """QEMU's own file at `line` (as 4.1.0 counts) of `function`, found in `tree`."""
    file, definition = FUNCTION_LINES.get(function, ("", 0))
    path = tree / file
    problem = tree_problem(tree)
    if problem or not file:
        return QemuSource(path, "", 0, 0, problem or f"{function} is no function that the model knows")
    text, problem = _read(path, _stamp(path))
    if problem:
        return QemuSource(path, "", 0, 0, problem)
    found = _definition(text, function, definition)
    version = version_of(tree)
    other = f"this tree is QEMU {version}, the model tells lines of {MODELLED}" if version and version != MODELLED else ""
    if not version:
        other = "the tree has no VERSION"
    if not found:
        return QemuSource(path, text, 0, 0, f"{function} is not in this file; {other or 'it is another version'}")
    shift = found - definition
    if shift:
        way = f"{abs(shift)} lines further {'down' if shift > 0 else 'up'}"
        other = f"{other + '; ' if other else 'another version: '}{function} stands {way} here, so the line may be another"
    return QemuSource(path, text, line + shift, shift, other)


def marked_lines(file: str) -> dict[int, str]:
    """QEMU's lines in `file` where a breakpoint can stop: line to function."""
    found: dict[int, str] = {}
    for name, (path, definition) in FUNCTION_LINES.items():
        if path == file:
            found[definition] = name
            found.update(dict.fromkeys(checkpoints_of(name), name))
    return found


def function_at(place: str) -> tuple[str, int] | None:
    """The function around ``FILE:LINE`` (a path may lead to the file), and the line; None when the model knows none there."""
    path, _, number = place.rpartition(":")
    if not number.isdecimal():
        return None
    line, best = int(number), ("", 0)
    for name, (file, definition) in FUNCTION_LINES.items():
        if (path == file or path.endswith(f"/{file}") or file.endswith(f"/{path}")) and best[1] <= definition <= line:
            best = (name, definition)
    return (best[0], line) if best[0] else None


def _stamp(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


@lru_cache(maxsize=16)
def _read(path: Path, _stamp: int) -> tuple[str, str]:
    """The file's text and what is wrong with it; read again when it changed."""
    try:
        if path.stat().st_size > MAX_BYTES:
            return "", f"{path} is too large to be shown"
        return path.read_text(encoding="utf-8", errors="replace"), ""
    except OSError as error:
        return "", f"{path} cannot be read ({error.strerror})"


def _definition(text: str, function: str, expected: int) -> int:
    """The line where `function` is defined, 0 when it is not: the expected one when the name stands there, else the first that looks like it."""
    lines = text.split("\n")
    name = re.compile(rf"\b{re.escape(function)}\s*\(")
    if any(name.search(line) for line in lines[max(expected - 1, 0) : expected + _NEAR]):
        return expected
    starts = re.compile(rf"^(?:[A-Za-z_][\w\s\*]*[\s\*])?{re.escape(function)}\s*\([^;]*$")
    return next((number for number, line in enumerate(lines, 1) if starts.match(line)), 0)
