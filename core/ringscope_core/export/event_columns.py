"""Events as one wide table: what every event has, then a column for each name an argument can have.

The columns follow from the recording's declarations alone, in their order, so all exports of one version have the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final, NamedTuple

from ringscope_core.trace.kinds import ENUMS

if TYPE_CHECKING:
    from ringscope_core.query.recording import Recording
    from ringscope_core.trace.kinds import KindSpec

FIXED: Final = ("seq", "vt_ns", "wall_ns", "kind", "group", "oid", "object", "cause")
TEXT: Final = "text"
UNSIGNED: Final = "unsigned"
SIGNED: Final = "signed"
_TEXTS: Final = ("str", "type", "fn", "field")
_UNSIGNED: Final = ("ptr", "gpa", "flags")
_SUFFIXES: Final = {"bytes": "_bytes", "ns": "_ns"}
MASK64: Final = 0xFFFF_FFFF_FFFF_FFFF


class Column(NamedTuple):
    """An argument's column: its name, the sort of its values, and the units it is of."""

    name: str
    sort: str
    units: tuple[str, ...]


def sort_of(unit: str) -> str:
    """What values of `unit` are written as: text, an unsigned or a signed number."""
    if unit in _TEXTS or unit.startswith("enum:"):
        return TEXT
    return UNSIGNED if unit in _UNSIGNED else SIGNED


class EventColumns:
    """The argument columns of a recording, and where each argument of a kind goes."""

    def __init__(self, kinds: Mapping[int, KindSpec]) -> None:
        units: dict[str, list[str]] = {}
        self.places: dict[int, list[tuple[int, str, str]]] = {}
        """Kind -> (column, name of the row's column, unit) of each argument."""
        wanted: dict[int, list[tuple[str, str, str]]] = {}
        for kind, spec in sorted(kinds.items()):
            for place, arg in enumerate(spec.args):
                name = self._name(arg.name, arg.unit, units)
                if arg.unit not in units.setdefault(name, []):
                    units[name].append(arg.unit)
                wanted.setdefault(kind, []).append((name, f"a{place}", arg.unit))
        self.columns: list[Column] = [Column(name, _sort(parts), tuple(parts)) for name, parts in units.items()]
        index = {column.name: number for number, column in enumerate(self.columns)}
        for kind in kinds:
            self.places[kind] = [(index[name], row_column, unit) for name, row_column, unit in wanted.get(kind, [])]

    @staticmethod
    def _name(name: str, unit: str, units: Mapping[str, list[str]]) -> str:
        """The column for an argument: numbers and texts of one name are kept apart."""
        full = name + _SUFFIXES.get(unit, "")
        if full in FIXED:
            full = f"arg_{full}"
        if full in units and (sort_of(unit) == TEXT) != (_sort(units[full]) == TEXT):
            full = f"{full}_name" if sort_of(unit) == TEXT else f"{full}_value"
        return full


def _sort(units: list[str]) -> str:
    sorts = {sort_of(unit) for unit in units}
    return TEXT if TEXT in sorts else UNSIGNED if sorts == {UNSIGNED} else SIGNED


class Texts:
    """Numbers of one recording as texts, each looked up and dressed once."""

    def __init__(self, recording: Recording, dress: Callable[[str], str]) -> None:
        self._recording: Recording = recording
        self._dress: Callable[[str], str] = dress
        self._found: dict[str, dict[int, str]] = {}

    def of(self, unit: str, value: int) -> str:
        """`value` of `unit` as text, dressed."""
        known = self._found.setdefault(unit, {})
        found = known.get(value)
        if found is None:
            found = known[value] = self._dress(self._text(unit, value))
        return found

    def object_name(self, oid: int) -> str:
        """The short name of an object, dressed."""
        return self.of("oid", oid)

    def _text(self, unit: str, value: int) -> str:
        if unit == "oid":
            return self._recording.names.name(value)
        if unit.startswith("enum:"):
            names = ENUMS.get(unit[5:], ())
            return names[value] if 0 <= value < len(names) else str(value)
        return self._recording.decoder.value(unit, value)
