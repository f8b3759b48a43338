"""Our own source of QEMU's functions: which Python function opens the call frame, and where it passes which checkpoint.

The sources are read as they lie beside the compiled modules.  A module declares QEMU's function (``FN = declare("virtio_init", ...)``), a
Python function opens its frame (``FN.enter(...)``), and it, or a helper below it in the same module, passes checkpoints (``log.at(2394)``).
"""

from __future__ import annotations

import ast
from bisect import bisect_right
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

from ringscope_core.trace.function_lines import FUNCTION_LINES

_ROOT: Final = Path(__file__).resolve().parent.parent
_MODEL: Final = ("qom", "net", "hw", "guest", "memory", "trace")
"""Packages that open call frames."""
_DECLARE: Final = "declare("


class Checkpoint(NamedTuple):
    """A place in our source (line from 1) where QEMU's `line` is passed."""

    at: int
    line: int


class OurSource(NamedTuple):
    """One module of ours with one function of QEMU's in it."""

    path: Path
    """The file that was read."""
    module: str
    """Path below the package, ``hw/virtio/virtio.py``."""
    name: str
    """The Python function that opens the frame."""
    text: str
    first: int
    """Its first line, from 1."""
    last: int
    entry: Checkpoint
    """Where the frame is opened, at QEMU's line."""
    checkpoints: tuple[Checkpoint, ...]
    """What it and its helpers pass, in our order."""

    def place_of(self, line: int) -> int:
        """Our line for QEMU's `line` of this function; the entry for one that has no checkpoint."""
        return next((point.at for point in self.checkpoints if point.line == line), self.entry.at)


class _Function(NamedTuple):
    name: str
    first: int
    last: int
    enters: tuple[tuple[str, int, int], ...]
    """Frames that it opens: constant, our line, QEMU's line or -1 for the definition's."""
    points: tuple[Checkpoint, ...]
    calls: frozenset[str]


class _Module(NamedTuple):
    path: Path
    text: str
    declared: dict[str, str]
    """Constant to QEMU's function."""
    functions: tuple[_Function, ...]


def our_source(function: str) -> OurSource | None:
    """Where QEMU's `function` is ours, None when no call frame of it is opened."""
    first, end = _extent(function)
    for path in _candidates(function):
        module = _read(path)
        constants = {constant for constant, name in module.declared.items() if name == function}
        for ours in module.functions:
            entry = next(((at, line) for constant, at, line in ours.enters if constant in constants), None)
            if entry is not None:
                points = tuple(point for point in _points(module, ours) if first <= point.line < end)
                start = Checkpoint(entry[0], entry[1] if entry[1] >= 0 else first)
                return OurSource(path, path.relative_to(_ROOT).as_posix(), ours.name, module.text, ours.first, ours.last, start, points)
    return None


def checkpoints_of(function: str) -> tuple[int, ...]:
    """QEMU's lines at which a breakpoint FUNCTION:LINE can stop, ascending; empty for a function without any."""
    found = our_source(function)
    return tuple(sorted({point.line for point in found.checkpoints})) if found is not None else ()


def _extent(function: str) -> tuple[int, int]:
    """QEMU's lines from where it defines `function` to the next definition that is known: a helper of ours may do two functions' work."""
    path, first = FUNCTION_LINES.get(function, ("", 0))
    starts = _starts(path)
    place = bisect_right(starts, first)
    return first, starts[place] if place < len(starts) else 1 << 31


@cache
def _starts(path: str) -> list[int]:
    return sorted(line for file, line in FUNCTION_LINES.values() if file == path)


@cache
def _candidates(function: str) -> tuple[Path, ...]:
    """Files that name the function, those that declare it with a constant of their own."""
    return tuple(path for path, text in _texts().items() if f'"{function}"' in text)


@cache
def _texts() -> dict[Path, str]:
    """Every file of the model that declares functions."""
    found: dict[Path, str] = {}
    for package in _MODEL:
        for path in sorted((_ROOT / package).rglob("*.py")):
            text = path.read_text(encoding="utf-8")
            if _DECLARE in text:
                found[path] = text
    return found


@cache
def _read(path: Path) -> _Module:
    text = _texts()[path]
    tree = ast.parse(text)
    constants = _integers(tree)
    declared: dict[str, str] = {}
    for node in tree.body:
        target, value = _assigned(node)
        if isinstance(target, ast.Name) and isinstance(value, ast.Call) and _called(value) == "declare" and value.args:
            name = value.args[0]
            if isinstance(name, ast.Constant):
                declared[target.id] = str(name.value)
    functions = tuple(_function(node, constants) for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))
    return _Module(path, text, declared, functions)


def _integers(tree: ast.Module) -> dict[str, int]:
    """Constants of the module that are plain numbers: a line may be given by name."""
    found: dict[str, int] = {}
    for node in tree.body:
        target, value = _assigned(node)
        if isinstance(target, ast.Name) and isinstance(value, ast.Constant) and type(value.value) is int:
            found[target.id] = value.value
    return found


def _assigned(node: ast.stmt) -> tuple[ast.expr | None, ast.expr | None]:
    """Target and value of a plain assignment."""
    if isinstance(node, ast.AnnAssign):
        return node.target, node.value
    return (node.targets[0], node.value) if isinstance(node, ast.Assign) else (None, None)


def _called(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else call.func.attr if isinstance(call.func, ast.Attribute) else ""


def _number(node: ast.expr, constants: dict[str, int]) -> int:
    if isinstance(node, ast.Constant) and type(node.value) is int:
        return node.value
    return constants.get(node.id, -1) if isinstance(node, ast.Name) else -1


def _function(node: ast.FunctionDef, constants: dict[str, int]) -> _Function:
    enters: list[tuple[str, int, int]] = []
    points: list[Checkpoint] = []
    calls: set[str] = set()
    handed: list[tuple[str, int, int]] = []
    for call in ast.walk(node):
        if not isinstance(call, ast.Call):
            continue
        name = _called(call)
        calls.add(name)
        holder = call.func.value if isinstance(call.func, ast.Attribute) else None
        # a class that opens the frame for others is given the function
        handed.extend((arg.id, call.lineno, -1) for arg in call.args if isinstance(arg, ast.Name))
        if name in ("enter", "enter_at") and isinstance(holder, ast.Name):
            enters.append((holder.id, call.lineno, _number(call.args[1], constants) if name == "enter_at" and len(call.args) > 1 else -1))
        elif name == "at" and holder is not None and len(call.args) == 1:
            line = _number(call.args[0], constants)
            if line > 0:
                points.append(Checkpoint(call.lineno, line))
    first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
    return _Function(node.name, first, node.end_lineno or node.lineno, (*enters, *handed), tuple(sorted(points)), frozenset(calls))


def _points(module: _Module, start: _Function) -> tuple[Checkpoint, ...]:
    """Checkpoints of `start` and of everything that it calls in the module."""
    by_name = {one.name: one for one in module.functions}
    found: set[Checkpoint] = set()
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        one = waiting.pop()
        if one.name not in seen:
            seen.add(one.name)
            found.update(one.points)
            waiting.extend(by_name[name] for name in one.calls if name in by_name)
    return tuple(sorted(found))
