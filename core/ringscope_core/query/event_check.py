"""What must hold of events in any session: numbers go up, times never fall, and what an argument names exists."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from ringscope_core.query.decode import ARGS
from ringscope_core.trace.kinds import EV_FRAME_ENTER

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ringscope_core.query.recording import Recording
    from ringscope_core.session.rows import Events

_LISTED: Final = 3
"""Of one kind of mistake in one piece, so many are listed."""


class Finding(NamedTuple):
    """Something wrong: the check that saw it, the event it is about (-1 for none), and one line."""

    check: str
    seq: int
    text: str


class EventCheck:
    """Checks pieces of events by the declarations of one recording."""

    def __init__(self, recording: Recording) -> None:
        reader = recording.reader
        self._recording = recording
        self._strings = len(reader.strings)
        self._functions = reader.functions
        self._known_functions = np.array(sorted(reader.functions), np.int64)
        self._known_fields = np.array(sorted(reader.fields), np.int64)
        self._known_kinds = np.array(sorted(reader.kinds), np.int64)

    def check(self, rows: Events) -> Iterator[Finding]:
        """What is wrong in `rows` (`EVENT_DTYPE`)."""
        for name, words in (("vt", "virtual time"), ("wall", "wall time")):
            yield from self._listed("times", rows, np.flatnonzero(np.diff(rows[name]) < 0) + 1, f"{words} falls")
        yield from self._listed("causes", rows, np.flatnonzero((rows["cause"] >= rows["seq"]) | (rows["cause"] < -1)), "its cause does not come before it")
        kinds = rows["kind"]
        for number in np.unique(kinds):
            places = np.flatnonzero(kinds == number)
            spec = self._recording.kinds.get(int(number))
            if spec is None:
                yield from self._listed("kinds", rows, places, f"kind {number} is not declared")
                continue
            for name, arg in zip(ARGS, spec.args, strict=False):
                yield from self._argument(rows, places, name, arg.unit)
            if number == EV_FRAME_ENTER:
                yield from self._calls(rows, places)

    def _argument(self, rows: Events, places: NDArray[np.int64], name: str, unit: str) -> Iterator[Finding]:
        values = rows[name][places]
        if unit in ("str", "type"):
            yield from self._listed("strings", rows, places[(values < 0) | (values >= self._strings)], f"{name} names a text that the session does not have")
        elif unit == "fn":
            yield from self._listed("functions", rows, places[~np.isin(values, self._known_functions)], f"{name} names a function that is not declared")
        elif unit == "field":
            yield from self._listed("fields", rows, places[~np.isin(values, self._known_fields)], f"{name} names a field that is not declared")

    def _calls(self, rows: Events, places: NDArray[np.int64]) -> Iterator[Finding]:
        """Arguments of calls have the units of their functions; see `Decoder.call_arguments`."""
        functions = rows["a0"][places]
        for number in np.unique(functions):
            spec = self._functions.get(int(number))
            for name, unit in call_columns(spec.args if spec else ()):
                if unit == "str" or unit == "type":
                    yield from self._argument(rows, places[functions == number], name, unit)

    def _listed(self, check: str, rows: Events, places: NDArray[np.int64], text: str) -> Iterator[Finding]:
        for place in places[:_LISTED]:
            yield Finding(check, int(rows["seq"][place]), f"event {int(rows['seq'][place])}: {text}")
        if len(places) > _LISTED:
            yield Finding(check, int(rows["seq"][places[_LISTED]]), f"{len(places) - _LISTED} more events after it: {text}")


def call_columns(args: tuple[tuple[str, str], ...]) -> list[tuple[str, str]]:
    """(column, unit) of what a frame_enter carries for a function's arguments: a C string takes two, pointer and text."""
    left = list(ARGS[2:])
    found: list[tuple[str, str]] = []
    for _, unit in args:
        if unit in ("opt", "unknown") or not left:
            continue
        if unit == "cstr" and len(left) > 1:
            found += [(left.pop(0), "ptr"), (left.pop(0), "str")]
        else:
            found.append((left.pop(0), unit))
    return found
