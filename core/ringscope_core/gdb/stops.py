"""What is printed when a move ends: why, where, the source line, and the displays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ringscope_core.gdb.backtrace import return_address
from ringscope_core.gdb.layout import Flow
from ringscope_core.gdb.printer import show
from ringscope_core.query.decode import format_clock
from ringscope_core.query.hits import search_of
from ringscope_core.trace.kinds import EV_FRAME_AT, EV_FRAME_ENTER, EV_FRAME_LEAVE

if TYPE_CHECKING:
    from ringscope_core.gdb.backtrace import BtFrame
    from ringscope_core.gdb.console import Console
    from ringscope_core.gdb.inferior import Stop
    from ringscope_core.query.breakpoints import Breakpoint

THREAD: Final = 'Thread 1 "qemu-system-x86"'
_CALLS: Final = (int(EV_FRAME_ENTER), int(EV_FRAME_AT), int(EV_FRAME_LEAVE))


def frame_line(frame: BtFrame, width: int, lead: str = "", numbered: bool = False) -> str:
    """A frame as gdb prints it at a stop (or, `numbered`, in a list)."""
    flow = Flow(width)
    where = f"0x{frame.address:016x} in " if frame.address else ""
    head = f"#{frame.number:<3}" if numbered else ""
    flow.put(f"{lead}{head}{where}{frame.function} (")
    for place, (name, value) in enumerate(frame.args):
        flow.put(", " if place else "")
        flow.wrap(4)
        flow.put(f"{name}={value}")
    flow.put(")")
    flow.wrap(3)
    flow.put(f" at {frame.source}")
    return flow.text()


def place_of(console: Console) -> tuple[int, str]:
    """What tells one frame from another, and the function."""
    frames = console.frames
    return (frames[0].shown.seq, frames[0].shown.function) if frames else (-1, "")


def event_line(console: Console) -> str:
    """The event at the cursor in words."""
    recording, seq = console.inferior.recording, console.inferior.seq
    rows = recording.reader.events(seq, seq)
    if not len(rows):
        return f"#{seq}"
    row = rows[0]
    kind = recording.kinds.get(int(row["kind"]))
    name = recording.names.name(int(row["obj"]))
    return "  ".join(part for part in (f"#{seq}", f"{format_clock(int(row['vt']))} s", kind.name if kind else "", name, recording.describe(row)) if part)


def at_call(console: Console) -> bool:
    """Whether the event at the cursor is one of calls, lines and returns: then the frame says it all."""
    rows = console.inferior.recording.reader.events(console.inferior.seq, console.inferior.seq)
    return bool(len(rows)) and int(rows[0]["kind"]) in _CALLS


def location(console: Console, before: tuple[int, str], lead: str = "", full: bool = False, returned: bool = False) -> list[str]:
    """Frame and source line; the line alone in the frame where one was before.  `returned`: a call has ended in the middle of the line."""
    frames = console.frames
    if not frames:
        return [f"{lead}{event_line(console)}"]
    lines: list[str] = []
    shown = frames[0].shown
    if returned:
        shown = shown._replace(address=return_address(shown.function, shown.line))
    if full or lead or place_of(console) != before:
        lines.append(frame_line(shown, console.width, lead))
    lines.append(console.source.line(shown.path, shown.line))
    if not at_call(console):
        lines.append(event_line(console))
    return lines


def stop_text(console: Console, stop: Stop, before: tuple[int, str]) -> str:
    """Everything that a stop prints."""
    lines: list[str] = []
    point = stop.point
    if stop.reason == "breakpoint" and point is not None:
        if "silent" not in console.scripts.get(point.id, ())[:1]:
            lines += _hit(console, stop, point)
    elif stop.reason in ("start", "end"):
        lines += ["", "No more reverse-execution history." if stop.reason == "start" else "The recording ends here.", *location(console, before, full=True)]
    elif stop.reason == "exited":
        lines.append(f"[The run ended: {stop.detail}]" if stop.detail else "[The run ended]")
    elif stop.reason == "interrupt":
        lines += ["", f"{THREAD} received signal SIGINT, Interrupt.", *location(console, before, full=True)]
    else:
        lines += location(console, before, full=stop.reason == "goto")
    lines += displays(console)
    if point is not None:
        lines += console.run_script(point.id)
    return "\n".join(lines)


def _hit(console: Console, stop: Stop, point: Breakpoint) -> list[str]:
    if point.what == "field":
        label = console.labels.get(point.id, point.where)
        lines = ["", f"{THREAD} hit Hardware watchpoint {point.id}: {label}", *_change(console, stop, point), ""]
        return [*lines, *location(console, (-2, ""), full=True)]
    if point.what in ("function", "checkpoint"):
        sort = "Temporary breakpoint" if point.temporary else "Breakpoint"
        return ["", *location(console, (-2, ""), f"{THREAD} hit {sort} {point.id}, ")]
    sort = "Temporary catchpoint" if point.temporary else "Catchpoint"
    return ["", f"{THREAD} hit {sort} {point.id} ({point.what} {point.where}),", *location(console, (-2, ""), full=True)]


def _change(console: Console, stop: Stop, point: Breakpoint) -> list[str]:
    recording = console.inferior.recording
    hit = next(search_of(recording).search(point).matches(stop.seq, stop.seq, False), None)
    if hit is None:
        return []
    oid = int(hit.row["obj"])
    struct_field = ".".join(point.where.split(".")[-2:]) if recording.field_id(point.where) < 0 else point.where
    number = recording.field_id(struct_field)
    spec = recording.fields.get(number)
    state = recording.reader.state_at(stop.seq)
    new = state.fields.get(oid, {}).get(number, 0)
    if spec is None:
        return [f"Old value = {hit.old}", f"New value = {new}"]
    return ["", f"Old value = {field_text(console, oid, struct_field, hit.old)}", f"New value = {field_text(console, oid, struct_field, new)}"]


def field_text(console: Console, oid: int, full: str, value: int) -> str:
    """A recorded number as the field of that name prints."""
    from ringscope_core.gdb.ctypes import parse_type
    from ringscope_core.gdb.memory import scalar_place

    recording = console.inferior.recording
    spec = recording.fields[recording.field_id(full)]
    if not spec.ctype:
        return recording.decoder.field_value(spec.number, value)
    return show(scalar_place(console.moment, parse_type(spec.ctype), value, spec.unit, 0, (oid, full)).load())


def displays(console: Console) -> list[str]:
    """The displays that have something to show."""
    from ringscope_core.gdb.errors import ConsoleError
    from ringscope_core.gdb.words_data import shown_as

    lines: list[str] = []
    for one in console.displays:
        if not one.enabled:
            continue
        try:
            lines.append(shown_as(console, one))
        except ConsoleError:
            # gdb leaves out what has no meaning in a frame
            continue
    return lines
