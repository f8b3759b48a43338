"""Words about breakpoints, watchpoints and catchpoints."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from ringscope_core.gdb.backtrace import SOURCE_PREFIX
from ringscope_core.gdb.errors import ConsoleError
from ringscope_core.gdb.parse import parse
from ringscope_core.gdb.places import location_plain, stop_place
from ringscope_core.gdb.value import UNKNOWN
from ringscope_core.gdb.words import word
from ringscope_core.qom.symbols import SYMBOLS
from ringscope_core.query.suggest import suggestion

if TYPE_CHECKING:
    from ringscope_core.gdb.console import Console
    from ringscope_core.query.breakpoints import Breakpoint

_IF: Final = re.compile(r"(?:^|\s)if(?:\s+|(?=\())(.*)$", re.DOTALL)


def _split_condition(rest: str) -> tuple[str, str]:
    found = _IF.search(rest)
    return (rest[: found.start()].strip(), found[1].strip()) if found else (rest.strip(), "")


def set_point(console: Console, plain: dict[str, object], condition: str, as_filter: bool = False) -> Breakpoint:
    """Set a breakpoint.  A condition is C, worked out at each stop, or (for events) in the filter language."""
    if condition and as_filter:
        return console.inferior.add({**plain, "condition": condition})
    if condition:
        parse(condition)
    point = console.inferior.add(plain)
    if condition:
        console.conditions[point.id] = condition
    return point


def _said(console: Console, point: Breakpoint) -> str:
    sort = "Temporary breakpoint" if point.temporary else "Breakpoint"
    path, line = stop_place(console, point)
    name = point.where.partition(":")[0]
    address = f"0x{SYMBOLS[name]:x}" if name in SYMBOLS else UNKNOWN
    return f"{sort} {point.id} at {address}: file {SOURCE_PREFIX}{path}, line {line}."


def _break(console: Console, rest: str, temporary: bool) -> str:
    place, condition = _split_condition(rest)
    if not place:
        if not console.frames:
            raise ConsoleError("No default breakpoint address now.")
        shown = console.frame.shown
        plain: dict[str, object] = {"what": "checkpoint", "where": f"{shown.function}:{shown.line}"}
    elif place.startswith("*"):
        raise ConsoleError("Breakpoints on addresses are not possible: no machine code is modelled. Give a function or FUNCTION:LINE.")
    else:
        plain = location_plain(console, place)
    point = set_point(console, {**plain, "temporary": temporary and not condition}, condition)
    if temporary and condition:
        console.once.add(point.id)
    return _said(console, replace(point, temporary=temporary))


@word("break", "Breakpoints", "[LOCATION] [if EXPR]", "b,br,hbreak")
def _b(console: Console, rest: str) -> str:
    """Stop at a function, FUNCTION:LINE, FILE:LINE or a line of this file; the condition is a C expression."""
    return _break(console, rest, False)


@word("tbreak", "Breakpoints", "[LOCATION] [if EXPR]", "tb,thbreak")
def _tb(console: Console, rest: str) -> str:
    """A breakpoint that is gone after its first stop."""
    return _break(console, rest, True)


@word("catch", "Breakpoints", "KIND [if FILTER] | time 1.5s")
def _catch(console: Console, rest: str) -> str:
    """Stop at events of a kind (kick, frame_tx, virtio_error; several with commas), on a filter, or at a virtual time."""
    place, condition = _split_condition(rest)
    if not place:
        raise ConsoleError("Argument required (a kind of event, or: time 1.5s).")
    kinds = {spec.name for spec in console.inferior.recording.kinds.values()}
    first = place.split()[0]
    if first == "time":
        point = set_point(console, {"what": "time", "where": place.removeprefix("time").strip()}, condition, True)
    else:
        wrong = [name for name in place.replace(" ", "").split(",") if name not in kinds and name != "*"]
        if wrong:
            near = suggestion(wrong[0], kinds)
            raise ConsoleError(f'Undefined catch command: "{wrong[0]}".  Try "info events".' + (f"  Did you mean {near}?" if near else ""))
        point = set_point(console, {"what": "event", "where": place.replace(" ", "")}, condition, True)
    return f"Catchpoint {point.id} ({point.what} {point.where})"


@word("watch", "Breakpoints", "[-l] EXPR [if EXPR]")
def _watch(console: Console, rest: str) -> str:
    """Stop when a field changes: watch n->status, watch $tx0->inuse."""
    text, condition = _split_condition(rest.removeprefix("-location").removeprefix("-l").strip())
    if not text:
        raise ConsoleError("Argument required (expression to compute).")
    value = console.value(text)
    field = value.place.field if value.place is not None else None
    if field is None:
        if value.place is None:
            raise ConsoleError("Cannot watch constant value `" + text + "'.")
        raise ConsoleError(f"Cannot watch {text}: changes of it are not recorded.")
    point = set_point(console, {"what": "field", "where": field[1], "oid": field[0]}, condition)
    console.labels[point.id] = text
    return f"Hardware watchpoint {point.id}: {text}"


@word("rwatch", "Breakpoints", "EXPR", "awatch")
def _rwatch(console: Console, rest: str) -> str:
    """Not possible: reads are not recorded."""
    raise ConsoleError("Reads are not recorded, so there are no read watchpoints; use watch for writes.")


def point_numbers(console: Console, rest: str) -> list[int]:
    """Numbers and ranges (``1 3-5``); raises ConsoleError."""
    out: list[int] = []
    for part in rest.replace(",", " ").split():
        low, dash, high = part.partition("-")
        if not low.isdigit() or dash and not high.isdigit() or len(part) > 12:
            raise ConsoleError(f"Bad breakpoint number '{part}'")
        out.extend(range(int(low), min(int(high), int(low) + 10_000) + 1) if dash else [int(low)])
    return out


def _is_words(rest: str) -> str:
    return rest.removeprefix("breakpoints").strip() if rest.startswith("breakpoints") else rest


def forget(console: Console, number: int) -> None:
    """Delete a breakpoint with all that the console knows of it."""
    console.inferior.remove(number)
    for table in (console.conditions, console.scripts, console.labels, console.unmet):
        table.pop(number, None)
    console.once.discard(number)


@word("delete", "Breakpoints", "[N..]", "d")
def _delete(console: Console, rest: str) -> str:
    """Delete breakpoints; without numbers all of them. delete display N for displays."""
    if rest.startswith("display"):
        from ringscope_core.gdb.words import WORDS

        return WORDS["undisplay"].action(console, rest.removeprefix("display").strip())
    numbers = point_numbers(console, _is_words(rest))
    for number in numbers or [point.id for point in console.inferior.points()]:
        forget(console, number)
    return ""


@word("clear", "Breakpoints", "LOCATION")
def _clear(console: Console, rest: str) -> str:
    """Delete the breakpoints at a place."""
    plain = location_plain(console, rest) if rest else {"what": "checkpoint", "where": f"{console.frame.shown.function}:{console.frame.shown.line}"}
    found = [point.id for point in console.inferior.points() if point.where == plain["where"]]
    if not found:
        raise ConsoleError(f"No breakpoint at {rest or plain['where']}.")
    for number in found:
        forget(console, number)
    return f"Deleted breakpoint{'s' if len(found) > 1 else ''} {' '.join(map(str, found))} "


def _enable(console: Console, rest: str, on: bool) -> str:
    if rest.startswith("display"):
        numbers = point_numbers(console, rest.removeprefix("display"))
        for one in console.displays:
            if not numbers or one.number in numbers:
                one.enabled = on
        return ""
    once = rest.startswith(("once", "delete")) and on
    if once:
        rest = rest.split(None, 1)[1] if " " in rest else ""
    for number in point_numbers(console, _is_words(rest)) or [point.id for point in console.inferior.points()]:
        console.inferior.update(number, enabled=on, **({"temporary": True} if once else {}))
    return ""


@word("enable", "Breakpoints", "[once] [N..]")
def _on(console: Console, rest: str) -> str:
    """Enable breakpoints (or displays)."""
    return _enable(console, rest, True)


@word("disable", "Breakpoints", "[N..]", "dis")
def _off(console: Console, rest: str) -> str:
    """Disable breakpoints (or displays)."""
    return _enable(console, rest, False)


@word("condition", "Breakpoints", "N [EXPR]")
def _condition(console: Console, rest: str) -> str:
    """Give breakpoint N a condition, or take it away."""
    number, _, text = rest.partition(" ")
    if not number.isdigit():
        raise ConsoleError("Argument required (breakpoint number)." if not number else f"Bad breakpoint argument: '{number}'")
    point, text = console.inferior.point(int(number)), text.strip()
    if point.what in ("event", "time"):
        console.inferior.update(point.id, condition=text)
    elif text:
        parse(text)
        console.conditions[point.id] = text
        if point.temporary:
            console.inferior.update(point.id, temporary=False)
            console.once.add(point.id)
    else:
        console.conditions.pop(point.id, None)
        if point.condition:
            console.inferior.update(point.id, condition="")
    return "" if text else f"Breakpoint {point.id} now unconditional."


@word("ignore", "Breakpoints", "N COUNT")
def _ignore(console: Console, rest: str) -> str:
    """Pass breakpoint N COUNT times."""
    words = rest.split()
    if len(words) != 2 or not all(one.isdigit() for one in words):
        raise ConsoleError("Argument required (a breakpoint number and a count).")
    number, count = int(words[0]), int(words[1])
    since: dict[str, object] = {} if console.inferior.live else {"since": console.inferior.seq + 1}
    console.inferior.update(number, ignore=count, **since)
    if not count:
        return f"Will stop next time breakpoint {number} is reached."
    return f"Will ignore next {count} crossing{'s' if count > 1 else ''} of breakpoint {number}."


@word("commands", "Breakpoints", "[N..]")
def _commands(console: Console, rest: str) -> str:
    """Take the lines up to `end` as what to do when the breakpoint (the last one, without a number) is hit."""
    points = console.inferior.points()
    numbers = point_numbers(console, rest) if rest else [points[-1].id] if points else []
    if not numbers:
        raise ConsoleError("No breakpoints specified.")
    for number in numbers:
        console.inferior.point(number)
    console.collect(numbers)
    return ""


@word("dprintf", "Breakpoints", 'LOCATION,"TEXT"')
def _dprintf(console: Console, rest: str) -> str:
    """Print a text at a place and go on; {name} stands for an argument there, {vt} and {seq} for the moment."""
    place, comma, text = rest.partition(",")
    found = re.fullmatch(r'\s*"((?:[^"\\]|\\.)*)"\s*(,.*)?', text)
    if found is None:
        raise ConsoleError("Format string required" if comma else "Argument required (a location and a text).")
    message = found[1].removesuffix("\\n")
    if found[2] or "%" in message:
        raise ConsoleError("Write {name} for a value: printf's formats are not taken here.")
    point = set_point(console, {**location_plain(console, place), "log": message}, "")
    return _said(console, point).replace("Breakpoint", "Dprintf")


@word("info breakpoints", "Information", "", "info b,info break,info watchpoints,info dprintf")
def _info(console: Console, rest: str) -> str:
    """Every breakpoint: what on, whether enabled, how often hit."""
    points = console.inferior.points()
    if not points:
        return "No breakpoints or watchpoints."
    lines = ["Num     Type           Disp Enb Address            What"]
    for point in points:
        sort = "hw watchpoint" if point.what == "field" else "dprintf" if point.log else "catchpoint" if point.what in ("event", "time") else "breakpoint"
        what = console.labels.get(point.id) or f"{point.what} {point.where}"
        address = ""
        if point.what in ("function", "checkpoint"):
            path, line = stop_place(console, point)
            name = point.where.partition(":")[0]
            what, address = f"in {name} at {SOURCE_PREFIX}{path}:{line}", f"0x{SYMBOLS[name]:016x}" if name in SYMBOLS else UNKNOWN
        disposition = "del" if point.temporary or point.id in console.once else "keep"
        lines.append(f"{point.id:<8}{sort:<15}{disposition:<5}{'y' if point.enabled else 'n':<4}{address:<19}{what}".rstrip())
        condition = console.conditions.get(point.id) or point.condition
        if condition:
            lines.append(f"\tstop only if {condition}")
        hits = point.hits - console.unmet.get(point.id, 0)
        if hits > 0:
            lines.append(f"\tbreakpoint already hit {hits} time{'s' if hits > 1 else ''}")
        if ignored := console.inferior.left_to_ignore(point):
            lines.append(f"\tignore next {ignored} hits")
        if point.log:
            lines.append(f'        printf "{point.log}"')
        lines += [f"        {line}" for line in console.scripts.get(point.id, ())]
    return "\n".join(lines)


__all__ = ["point_numbers", "set_point"]
