"""Moments named by a breakpoint: ``break:virtio_net_device_realize`` is where a run with that breakpoint stops first."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ringscope.figures.parse import near
from ringscope_core.query.breakpoints import Breakpoint, find_hit, parse_breakpoint
from ringscope_core.scenario.errors import InputError

if TYPE_CHECKING:
    from ringscope_core.query.recording import Recording

PREFIX: Final = "break:"
FORMS: Final = "break:FUNCTION, break:FUNCTION:LINE, break:EVENT or break:Struct.field, each also with ` if FILTER`"
_IF: Final = re.compile(r"(?:^|\s+)if(?:\s+|$)")


def break_moment(recording: Recording, text: str) -> int:
    """The event at which a run with the breakpoint `text` (see `FORMS`) stops first; raises InputError for ``at``."""
    place, *condition = _IF.split(text.removeprefix(PREFIX).strip(), maxsplit=1)
    if condition and not condition[0]:
        raise InputError("at", text, f"{FORMS}; the filter behind if is missing")
    try:
        point = parse_breakpoint({**_plain(recording, text, place.strip()), "condition": condition[0] if condition else ""}, recording)
        found = find_hit(recording, [point], recording.reader.first_seq - 1, 1)
    except InputError as error:
        if error.field == "at":
            raise
        raise InputError("at", text, f"{FORMS} ({error})") from None
    if found is None:
        raise InputError("at", text, _never(recording, point))
    return found[0]


def _plain(recording: Recording, text: str, place: str) -> dict[str, object]:
    """The breakpoint that is meant by `place`."""
    functions = {spec.name for spec in recording.functions.values()}
    kinds = {spec.name for spec in recording.kinds.values()}
    name, colon, line = place.rpartition(":")
    if colon and line.isascii() and line.isdigit():
        if name in functions:
            return {"what": "checkpoint", "where": place}
        raise _unknown(text, name, functions)
    if place in functions:
        return {"what": "function", "where": place}
    if place and all(part.strip() in kinds for part in place.split(",")):
        return {"what": "event", "where": place}
    if "." in place:
        return {"what": "field", "where": place}
    raise _unknown(text, place, functions | kinds)


def _unknown(text: str, name: str, known: set[str]) -> InputError:
    if not name:
        return InputError("at", text, f"{FORMS}; what to stop at is missing")
    meant = near(name, known)
    return InputError("at", text, f"{FORMS}; {name} is none that is known" + (f" (did you mean {meant}?)" if meant else ""))


def _never(recording: Recording, point: Breakpoint) -> str:
    if point.what == "checkpoint":
        name = point.where.rpartition(":")[0]
        lines = _lines(recording, name)
        if lines:
            return f"a line of {name} that is reached: {', '.join(map(str, lines))}"
    return f"a breakpoint that is hit; {point.title()} never is in this recording"


def _lines(recording: Recording, name: str) -> list[int]:
    """Lines at which function `name` was seen; at most a few."""
    from ringscope_core.query.matching import AT, ENTER

    number = next((number for number, spec in recording.functions.items() if spec.name == name), -1)
    reader = recording.reader
    rows = reader.find_events([AT, ENTER], reader.first_seq, reader.last_seq, 1 << 16)
    return sorted({int(line) for line in rows["a1"][rows["a0"] == number].tolist()})[:20]
