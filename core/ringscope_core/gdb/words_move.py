"""Words that move the cursor: run, continue, steps, finish, until, each also backwards; and frames."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from ringscope_core.gdb.ctypes import INT
from ringscope_core.gdb.errors import ConsoleError
from ringscope_core.gdb.frames import returned
from ringscope_core.gdb.inferior import BACKWARD, FORWARD, LiveInferior, Stop
from ringscope_core.gdb.places import location_plain
from ringscope_core.gdb.printer import brief, show
from ringscope_core.gdb.stops import frame_line, location, place_of, stop_text
from ringscope_core.gdb.words import word
from ringscope_core.gdb.words_breakpoints import forget
from ringscope_core.query import travel
from ringscope_core.query.breakpoints import log_lines
from ringscope_core.trace.kinds import EV_FRAME_LEAVE

if TYPE_CHECKING:
    from ringscope_core.gdb.console import Console

_MOST: Final = 1_000_000_000
_SAID: Final = 1000
"""Messages that are told of one move."""
_LEAVE: Final = int(EV_FRAME_LEAVE)


def number_argument(console: Console, rest: str, default: int = 1) -> int:
    """A count; raises ConsoleError for one that is none."""
    if not rest:
        return default
    value = console.value(rest)
    if value.ctype.kind != INT or value.number is None or not 0 <= value.number <= _MOST:
        raise ConsoleError(f"Not a count: {rest}.")
    return value.number


def _after(console: Console, stop: Stop, before: tuple[int, str]) -> str:
    console.moved()
    once = stop.point if stop.reason == "breakpoint" and stop.point is not None and stop.point.id in console.once else None
    if once is None:
        return stop_text(console, stop, before)
    text = stop_text(console, replace(stop, point=replace(once, temporary=True)), before)
    if any(point.id == once.id for point in console.inferior.points()):
        forget(console, once.id)
    return text


def _unmet(console: Console, stop: Stop, complaints: list[str], counted: bool = True) -> bool:
    """Whether the breakpoint's C condition does not hold at a stop; one that cannot be worked out stops, and says so.  `counted`: it was taken for a hit."""
    text = console.conditions.get(stop.point.id) if stop.point is not None else None
    if not text or stop.point is None:
        return False
    console.moved()
    try:
        value = console.value(text)
    except ConsoleError as error:
        complaints.append(f"Error in testing condition for breakpoint {stop.point.id}:\n{error}")
        return False
    if value.number is None or value.number:
        return False
    if isinstance(console.inferior, LiveInferior):
        # the run has counted it, and knows nothing of C
        console.unmet[stop.point.id] = console.unmet.get(stop.point.id, 0) + 1
    elif counted:
        stop.point.hits -= 1
    return True


def _wanted(console: Console, stop: Stop, complaints: list[str]) -> Stop | None:
    """The stop that a breakpoint here means: this one, another breakpoint's at the same event, or None when no condition holds."""
    if stop.reason != "breakpoint" or not _unmet(console, stop, complaints):
        return stop
    for other in console.inferior.others_at(stop):
        if not _unmet(console, other, complaints, False):
            if other.point is not None:
                console.inferior.count(other.point)
            return other
    return None


def _said(console: Console, since: int) -> list[str]:
    """What breakpoints with a message said on the way here from event `since`."""
    inferior = console.inferior
    lines: list[tuple[int, str]] = []
    for point in inferior.points() if inferior.seq > since else ():
        if point.log and point.enabled:
            # a run counts a breakpoint from when it was set; what it says is asked of the recording
            lines += [(seq, text) for seq, _, text in log_lines(inferior.recording, point, since + 1, inferior.seq, _SAID)]
    return [text for _, text in sorted(lines)]


def step(console: Console, kind: str, rest: str, direction: int) -> str:
    """Steps of one kind, and what they print."""
    before = place_of(console)
    complaints: list[str] = []
    since = console.inferior.seq
    stop = console.inferior.step(kind, number_argument(console, rest), direction)
    while (wanted := _wanted(console, stop, complaints)) is None:
        stop = console.inferior.step(kind, 1, direction)
    stop = wanted
    return "\n".join([*_said(console, since), *complaints, _after(console, stop, before)])


def cont(console: Console, direction: int, skip: int = 1) -> str:
    """On to the next stop, `skip` times."""
    return _until_wanted(console, lambda: console.inferior.cont(direction), direction, skip)


def _until_wanted(console: Console, begin: Callable[[], Stop], direction: int = FORWARD, skip: int = 1, begin_here: bool = True) -> str:
    """Begin to move, and go on past breakpoints whose condition does not hold."""
    before = place_of(console)
    complaints: list[str] = []
    since = console.inferior.seq if begin_here else console.inferior.first - 1
    stop = begin()
    while True:
        wanted = _wanted(console, stop, complaints)
        if wanted is not None:
            skip -= 1
            if wanted.reason != "breakpoint" or skip <= 0:
                stop = wanted
                break
        stop = console.inferior.cont(direction)
    return "\n".join([*_said(console, since), *complaints, _after(console, stop, before)])


@word("run", "Running", aliases="r")
def _run(console: Console, rest: str) -> str:
    """Run from the start to the first breakpoint. A recording is played from its beginning."""
    return _until_wanted(console, lambda: console.inferior.run(False), begin_here=False)


@word("start", "Running")
def _start(console: Console, rest: str) -> str:
    """Run from the start to main."""
    before = place_of(console)
    return _after(console, console.inferior.run(True), before)


@word("continue", "Running", "[N]", "c,fg", True)
def _continue(console: Console, rest: str) -> str:
    """Run on to the next breakpoint; N passes it N-1 times."""
    return "Continuing.\n" + cont(console, FORWARD, number_argument(console, rest))


@word("reverse-continue", "Backwards", "[N]", "rc", True)
def _reverse_continue(console: Console, rest: str) -> str:
    """Run backwards over the recording to the breakpoint before."""
    return "Continuing.\n" + cont(console, BACKWARD, number_argument(console, rest))


@word("next", "Running", "[N]", "n", True)
def _next(console: Console, rest: str) -> str:
    """To the next line (checkpoint) of this function; calls are stepped over."""
    return step(console, "over", rest, FORWARD)


@word("step", "Running", "[N]", "s", True)
def _step(console: Console, rest: str) -> str:
    """To the next line, into functions that are called."""
    return step(console, "into", rest, FORWARD)


@word("reverse-next", "Backwards", "[N]", "rn", True)
def _reverse_next(console: Console, rest: str) -> str:
    """Back to the line before; calls are stepped over."""
    return step(console, "over", rest, BACKWARD)


@word("reverse-step", "Backwards", "[N]", "rs", True)
def _reverse_step(console: Console, rest: str) -> str:
    """Back to the line before, into functions that returned."""
    return step(console, "into", rest, BACKWARD)


@word("stepi", "Running", "[N]", "si,nexti,ni,event", True)
def _stepi(console: Console, rest: str) -> str:
    """One event of the recording: the smallest step there is."""
    return step(console, "event", rest, FORWARD)


@word("reverse-stepi", "Backwards", "[N]", "rsi,reverse-nexti,rni", True)
def _reverse_stepi(console: Console, rest: str) -> str:
    """One event back."""
    return step(console, "event", rest, BACKWARD)


@word("packet", "Running", "[N]", repeats=True)
def _packet(console: Console, rest: str) -> str:
    """To the next frame that the device passes on."""
    return step(console, "packet", rest, FORWARD)


@word("kick", "Running", "[N]", repeats=True)
def _kick(console: Console, rest: str) -> str:
    """To the next notification from the driver."""
    return step(console, "kick", rest, FORWARD)


@word("reverse-packet", "Backwards", "[N]", repeats=True)
def _reverse_packet(console: Console, rest: str) -> str:
    """To the frame before."""
    return step(console, "packet", rest, BACKWARD)


@word("reverse-kick", "Backwards", "[N]", repeats=True)
def _reverse_kick(console: Console, rest: str) -> str:
    """To the notification before."""
    return step(console, "kick", rest, BACKWARD)


@word("finish", "Running", "", "fin")
def _finish(console: Console, rest: str) -> str:
    """Run until the selected frame returns."""
    frame = console.frame
    if frame.number == len(console.frames) - 1:
        raise ConsoleError('"finish" not meaningful in the outermost frame.')
    head = "Run till exit from " + frame_line(frame.shown, console.width, numbered=True)
    target = frame.shown.seq
    before = place_of(console)
    complaints: list[str] = []
    since = console.inferior.seq
    while True:
        stop = console.inferior.step("out", 1, FORWARD)
        console.moved()
        stop = _wanted(console, stop, complaints) or Stop(stop.seq, "step")
        if stop.reason != "step" or all(open_.shown.seq != target for open_ in console.frames):
            break
    text = _after(console, stop, before) if stop.reason != "step" else "\n".join(location(console, (-2, ""), full=True, returned=True))
    lines = [head, *_said(console, since), *complaints, text]
    rows = console.inferior.recording.reader.events(stop.seq, stop.seq)
    if stop.reason == "step" and len(rows) and int(rows[0]["kind"]) == _LEAVE:
        value = returned(frame.shown.function, int(rows[0]["a1"]))
        if value is not None:
            lines.append(show(value, console.style(), f"Value returned is {console.record(value)} = "))
    return "\n".join(lines)


@word("reverse-finish", "Backwards")
def _reverse_finish(console: Console, rest: str) -> str:
    """Back to the call of the selected function."""
    frame = console.frame
    if frame.number == len(console.frames) - 1:
        raise ConsoleError('"finish" not meaningful in the outermost frame.')
    head = "Run back to call of " + frame_line(frame.shown, console.width, numbered=True)
    before = place_of(console)
    complaints: list[str] = []
    target, depth = frame.shown.seq, frame.number
    stop = console.inferior.step("out", depth + 1, BACKWARD)
    while (wanted := _wanted(console, stop, complaints)) is None:
        console.moved()
        depth = next((open_.number for open_ in console.frames if open_.shown.seq == target), -1)
        stop = console.inferior.step("out", depth + 1, BACKWARD) if depth >= 0 else Stop(stop.seq, "step")
    stop = wanted
    return "\n".join([head, *complaints, _after(console, stop, before)])


@word("until", "Running", "[LOCATION]", "u", True)
def _until(console: Console, rest: str) -> str:
    """Without a place like next, but not backwards in a loop; with one, run until it (or the end of this function) is reached."""
    return _advance(console, rest) if rest else step(console, "over", "", FORWARD)


@word("advance", "Running", "LOCATION")
def _advance(console: Console, rest: str) -> str:
    """Run until a place is reached."""
    if not rest:
        raise ConsoleError("Argument required (a location).")
    before = place_of(console)
    complaints: list[str] = []
    since, place = console.inferior.seq, location_plain(console, rest)
    stop = console.inferior.until(place)
    while (wanted := _wanted(console, stop, complaints)) is None:
        stop = console.inferior.until(place)
    stop = wanted
    return "\n".join([*_said(console, since), *complaints, _after(console, stop, before)])


@word("interrupt", "Running", aliases="stop")
def _interrupt(console: Console, rest: str) -> str:
    """Stop a run that goes on (let go by somebody else); at a terminal Ctrl-C does it."""
    inferior = console.inferior
    if not isinstance(inferior, LiveInferior):
        raise ConsoleError("The program is not being run: this is a recording.")
    before = place_of(console)
    return _after(console, inferior.pause(), before)


@word("goto", "Running", "MOMENT", "seek")
def _goto(console: Console, rest: str) -> str:
    """Stand at a moment: 1.5s, #1234, mark:NAME, packet:7, start, end."""
    if not rest:
        raise ConsoleError("Argument required (a moment: 1.5s, #1234, mark:NAME, packet:7, start, end).")
    if rest.startswith("$"):
        value = console.value(rest)
        if value.number is None:
            raise ConsoleError("The value is not known.")
        rest = f"#{value.number}"
    before = place_of(console)
    return _after(console, console.inferior.goto(travel.seek(console.inferior.recording, rest)), before)


# -- frames -----------------------------------------------------------------------------------------------------------
def select(console: Console, level: int) -> str:
    """Select a frame and show it."""
    frames = console.frames
    if not frames:
        raise ConsoleError("No stack.")
    console.level = min(max(level, 0), len(frames) - 1)
    console.listed = None
    shown = console.frame.shown
    return frame_line(shown, console.width, numbered=True) + "\n" + console.source.line(shown.path, shown.line)


@word("frame", "Stack", "[N | function NAME]", "f")
def _frame(console: Console, rest: str) -> str:
    """Show or select a frame."""
    if not rest:
        return select(console, console.level)
    if rest.startswith("function"):
        name = rest.removeprefix("function").strip()
        found = [frame.number for frame in console.frames if frame.shown.function == name]
        if not found:
            raise ConsoleError(f'No frame for function "{name}".')
        return select(console, found[0])
    number = number_argument(console, rest.removeprefix("level").strip())
    if number >= len(console.frames):
        raise ConsoleError("No stack." if not console.frames else f"No frame at level {number}.")
    return select(console, number)


@word("up", "Stack", "[N]", repeats=True)
def _up(console: Console, rest: str) -> str:
    """Select the frame that called this one."""
    _ = console.frame
    if console.level >= len(console.frames) - 1:
        raise ConsoleError("Initial frame selected; you can't go up.")
    return select(console, console.level + number_argument(console, rest))


@word("down", "Stack", "[N]", repeats=True)
def _down(console: Console, rest: str) -> str:
    """Select the frame that this one called."""
    _ = console.frame
    if console.level == 0:
        raise ConsoleError("Bottom (innermost) frame selected; you can't go down.")
    return select(console, console.level - number_argument(console, rest))


@word("backtrace", "Stack", "[N | -N] [full]", "bt,where")
def _backtrace(console: Console, rest: str) -> str:
    """The call stack: the N innermost frames, -N the outermost, full with local variables."""
    words = rest.replace("-full", "full").split()
    full = "full" in words
    counts = [one for one in words if one != "full"]
    frames, more = console.frames, False
    if not frames:
        raise ConsoleError("No stack.")
    if counts:
        if len(counts) > 1 or not counts[0].lstrip("-").isdigit():
            raise ConsoleError(f'Invalid count "{" ".join(counts)}".')
        count = int(counts[0])
        # said to a person, not to a script
        more = 0 <= count < len(frames) and not console.scripted
        frames = frames[:count] if count >= 0 else frames[count:]
    lines: list[str] = []
    for frame in frames:
        lines.append(frame_line(frame.shown, console.width, numbered=True))
        if full:
            lines += _locals(console, frame.number)
    if more:
        lines.append("(More stack frames follow...)")
    return "\n".join(lines)


def _locals(console: Console, number: int) -> list[str]:
    selected, console.level = console.level, number
    try:
        found = [(name, console.value(text)) for name, text in console.frames[number].locals]
    except ConsoleError:
        found = []
    finally:
        console.level = selected
    return [f"        {name} = {brief(value)}" for name, value in found] or ["No locals."]
