"""Events of two recordings in one form: texts, functions, fields and kinds by what they say, not by the number each session gave them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from ringscope_core.query.decode import ARGS, unit_of_field
from ringscope_core.query.event_check import call_columns
from ringscope_core.trace.kinds import EV_FIELD, EV_FRAME_ENTER

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ringscope_core.query.recording import Recording
    from ringscope_core.session.rows import Events, Ints

_UNKNOWN: Final = 1 << 40
"""Numbers that the session does not explain stay themselves, beyond this."""


class Dictionary:
    """Words of both recordings, each with one number."""

    def __init__(self) -> None:
        self._numbers: dict[object, int] = {}

    def number(self, word: object) -> int:
        """The word's number."""
        return self._numbers.setdefault(word, len(self._numbers))


class Canon:
    """Rewrites one recording's events into the common form."""

    def __init__(self, recording: Recording, words: Dictionary, addresses: bool) -> None:
        self._recording = recording
        self._words = words
        self._addresses = addresses
        self._fresh()

    def _fresh(self) -> None:
        recording, words = self._recording, self._words
        self._strings = np.array([words.number(("text", text)) for text in recording.strings], np.int64)
        self._functions = _table({number: words.number(("function", spec.name)) for number, spec in recording.functions.items()})
        self._fields = _table({number: words.number(("field", spec.struct, spec.name)) for number, spec in recording.fields.items()})
        self._kinds = _table({number: words.number(("kind", spec.name)) for number, spec in recording.kinds.items()})

    def rows(self, events: Events) -> Events:
        """The events in the common form; wall times are nothing."""
        out = events.copy()
        out["wall"] = 0
        kinds = events["kind"]
        for number in np.unique(kinds):
            places = np.flatnonzero(kinds == number)
            spec = self._recording.kinds.get(int(number))
            for name, arg in zip(ARGS, spec.args if spec else (), strict=False):
                self._column(out, places, name, arg.unit)
            if number == EV_FRAME_ENTER:
                self._calls(events, out, places)
            elif number == EV_FIELD:
                self._values(events, out, places)
        out["kind"] = self._mapped(self._kinds, kinds.astype(np.int64))
        return out

    def _column(self, out: Events, places: NDArray[np.int64], name: str, unit: str) -> None:
        values: Ints = out[name][places]
        if unit in ("str", "type"):
            out[name][places] = self._mapped(self._strings, values)
        elif unit == "fn":
            out[name][places] = self._mapped(self._functions, values)
        elif unit == "field":
            out[name][places] = self._mapped(self._fields, values)
        elif unit == "ptr" and not self._addresses:
            out[name][places] = values != 0

    def _calls(self, events: Events, out: Events, places: NDArray[np.int64]) -> None:
        functions = events["a0"][places]
        for number in np.unique(functions):
            spec = self._recording.functions.get(int(number))
            for name, unit in call_columns(spec.args if spec else ()):
                self._column(out, places[functions == number], name, unit)

    def _values(self, events: Events, out: Events, places: NDArray[np.int64]) -> None:
        """A field's values have the field's unit."""
        fields = events["a0"][places]
        for number in np.unique(fields):
            spec = self._recording.fields.get(int(number))
            unit = unit_of_field(spec) if spec else "value"
            if unit in ("ptr", "str", "type"):
                for name in ("a1", "a2"):
                    self._column(out, places[fields == number], name, unit)

    @staticmethod
    def _mapped(table: Ints, values: Ints) -> Ints:
        known = (values >= 0) & (values < len(table))
        found: Ints = np.where(known, table[np.where(known, values, 0)] if len(table) else values, values + _UNKNOWN)
        return found


def _table(numbers: dict[int, int]) -> Ints:
    """An array by number; numbers in between map beyond everything known."""
    top = max(numbers, default=-1) + 1
    out = np.arange(top, dtype=np.int64) + _UNKNOWN
    for number, word in numbers.items():
        out[number] = word
    return out
