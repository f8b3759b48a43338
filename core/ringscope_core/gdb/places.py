"""Places in QEMU's sources as people name them: a function, FUNCTION:LINE, FILE:LINE, a line of the current file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ringscope_core.gdb.backtrace import ENTRY_LINES
from ringscope_core.gdb.errors import ConsoleError
from ringscope_core.query.matching import FIRST_CHECKPOINTS
from ringscope_core.query.suggest import suggestion
from ringscope_core.trace.kinds import EV_FRAME_AT, EV_FRAME_ENTER

if TYPE_CHECKING:
    from ringscope_core.gdb.console import Console
    from ringscope_core.query.breakpoints import Breakpoint
    from ringscope_core.session.rows import Events
    from ringscope_core.trace.functions import FunctionSpec

_EVENTS: Final = 50_000
"""So many of a recording are looked at for where a function begins."""


def function_named(console: Console, name: str) -> FunctionSpec | None:
    """QEMU's function `name`."""
    return next((spec for spec in console.inferior.recording.functions.values() if spec.name == name), None)


def location_plain(console: Console, text: str) -> dict[str, object]:
    """A location as a breakpoint's plain form; raises ConsoleError in gdb's words."""
    text = text.strip()
    head, colon, tail = text.rpartition(":")
    if not colon and text.isdigit():
        frames = console.frames
        if not frames:
            raise ConsoleError("No default source file: there is no frame.")
        return _at_line(console, frames[console.level].shown.path, int(text))
    if colon and tail.strip().isdigit():
        if function_named(console, head) is not None:
            return {"what": "checkpoint", "where": f"{head}:{int(tail)}"}
        return _at_line(console, head, int(tail))
    name = tail if colon else text
    if function_named(console, name) is None:
        near = suggestion(name, [spec.name for spec in console.inferior.recording.functions.values()])
        raise ConsoleError(f'Function "{name}" not defined.' + (f"  Did you mean {near}?" if near else ""))
    return {"what": "function", "where": name}


def _at_line(console: Console, path: str, line: int) -> dict[str, object]:
    specs = list(console.inferior.recording.functions.values())
    files = {spec.file for spec in specs if spec.file == path or spec.file.endswith(f"/{path}") or path.endswith(f"/{spec.file}")}
    if not files:
        near = suggestion(path, {spec.file for spec in specs} | {spec.file.rsplit("/", 1)[-1] for spec in specs})
        raise ConsoleError(f"No source file named {path}." + (f"  Did you mean {near}?" if near else ""))
    above = [spec for spec in specs if spec.file in files and spec.line <= line]
    if not above:
        raise ConsoleError(f'Line {line} is in no function of "{path}" that is known.')
    return {"what": "checkpoint", "where": f"{max(above, key=lambda spec: spec.line).name}:{line}"}


def shown_place(console: Console, plain: dict[str, object]) -> tuple[str, int]:
    """(QEMU's file, line) of a function or a checkpoint in a breakpoint's plain form; a function's first line as far as the recording shows it."""
    where = str(plain["where"])
    name, _, line = where.partition(":") if plain["what"] == "checkpoint" else (where, "", "")
    spec = function_named(console, name)
    if spec is None:
        return "", 0
    if line:
        return spec.file, int(line)
    seen = _entries(console, spec)
    return spec.file, int(seen[0]["a1"]) if len(seen) else spec.line


def stop_place(console: Console, point: Breakpoint) -> tuple[str, int]:
    """(QEMU's file, line) where a breakpoint on a function or a checkpoint stops, as gdb announces it: of a function behind its prologue."""
    spec = function_named(console, point.where) if point.what == "function" else None
    if spec is None:
        return shown_place(console, {"what": point.what, "where": point.where})
    seen = _entries(console, spec)
    if not len(seen):
        return spec.file, FIRST_CHECKPOINTS.get(spec.name, ENTRY_LINES.get(spec.name, spec.line))
    if spec.name in FIRST_CHECKPOINTS:
        seq = int(seen[0]["seq"]) + 1
        after = console.inferior.recording.reader.events(seq, seq)
        if len(after) and int(after[0]["kind"]) == EV_FRAME_AT:
            return spec.file, int(after[0]["a1"])
    return spec.file, int(seen[0]["a1"])


def _entries(console: Console, spec: FunctionSpec) -> Events:
    """Calls of a function, as far as a recording's beginning has them."""
    reader = console.inferior.recording.reader
    first = max(reader.first_seq, 0)
    rows = reader.find_events([int(EV_FRAME_ENTER)], first, min(reader.last_seq, first + _EVENTS), _EVENTS)
    calls: Events = rows[rows["a0"] == spec.number]
    return calls
