"""A filter for one event at a time: what a debugger asks at each event, where `filters.Filter` asks of a million at once.

The same text means the same: the tests compare both on the same events.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from ringscope_core.query.filters import COLUMNS, NUMBERS, Compare, Filter, FilterError, Join, Node, number_of
from ringscope_core.trace.kinds import ENUMS

if TYPE_CHECKING:
    from ringscope_core.query.vocabulary import Vocabulary

Row = Sequence[int]
"""seq, vt, wall, kind, obj, cause, a0..a5: the columns of `EVENT_DTYPE`."""
Test = Callable[[Row], bool]
Number = Callable[[int], bool]

SEQ: Final = 0
VT: Final = 1
KIND: Final = 3
OBJ: Final = 4
A0: Final = 6
_PLACES: Final = {"seq": 0, "vt": 1, "wall": 2, "cause": 5}
_OPERATORS: Final[dict[str, Callable[[int, int], bool]]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_BY_NUMBER: Final = ("<", "<=", ">", ">=", "range")


class RowFilter:
    """`text` bound to a vocabulary that may grow.  Raises FilterError, also for comparisons that could never be carried out."""

    def __init__(self, text: str, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self._filter = Filter(text, vocabulary)
        self.uses_names: bool = False
        """Whether names of objects matter: then what an object is called at that moment does."""
        self.matches: Test = self._node(self._filter.node) if self._filter.node is not None else lambda row: True

    def _node(self, node: Node) -> Test:
        if isinstance(node, Join):
            parts = [self._node(part) for part in node.parts]
            if node.op == "not":
                inner = parts[0]
                return lambda row: not inner(row)
            if node.op == "and":
                return lambda row: all(part(row) for part in parts)
            return lambda row: any(part(row) for part in parts)
        name = node.name
        if name in COLUMNS:
            number, place = _numbers(node), _PLACES[name]
            return lambda row: number(row[place])
        if name == "kind":
            return self._named(node, KIND, self._kind_name)
        if name == "group":
            return self._named(node, KIND, self._group_name)
        if name == "obj":
            return self._object(node, self._object_name)
        if name == "type" and name not in self._filter.places:
            return self._object(node, self._object_type)
        if name == "any":
            return self._anything(node)
        return self._argument(node)

    # -- comparisons --------------------------------------------------------------------------------------------------
    def _named(self, node: Compare, place: int, name_of: Callable[[int], str | None]) -> Test:
        compare = self._by_name(node, name_of)
        return lambda row: compare(row[place])

    def _object(self, node: Compare, name_of: Callable[[int], str | None]) -> Test:
        self.uses_names = True
        return self._named(node, OBJ, name_of)

    def _by_name(self, node: Compare, name_of: Callable[[int], str | None]) -> Number:
        """A number that stands for a name; what has none equals none."""
        if node.op in _BY_NUMBER or all(number_of(value) is not None for value in node.values):
            return _numbers(node)
        wanted = {value.lower() for value in node.values}
        if node.op == "~":
            return lambda value: (name := name_of(value)) is not None and any(part in name.lower() for part in wanted)
        inverse = node.op == "!="
        return lambda value: ((name := name_of(value)) is not None and name.lower() in wanted) != inverse

    def _argument(self, node: Compare) -> Test:
        tests: dict[int, list[tuple[int, Number]]] = {}
        for kind, column, unit in self._filter.places[node.name]:
            tests.setdefault(kind, []).append((A0 + int(column[1:]), self._unit(node, unit)))

        def matches(row: Row) -> bool:
            return any(test(row[place]) for place, test in tests.get(row[KIND], ()))

        return matches

    def _unit(self, node: Compare, unit: str) -> Number:
        if unit in NUMBERS:
            return _numbers(node)
        if unit == "oid":
            self.uses_names = True
        return self._by_name(node, self._table(unit))

    def _table(self, unit: str) -> Callable[[int], str | None]:
        vocabulary = self._vocabulary
        if unit in ("str", "type"):
            return lambda n: vocabulary.strings[n] if 0 <= n < len(vocabulary.strings) else None
        if unit == "fn":
            return lambda n: spec.name if (spec := vocabulary.functions.get(n)) else None
        if unit == "field":
            return lambda n: f"{spec.struct}.{spec.name}" if (spec := vocabulary.fields.get(n)) else None
        if unit == "oid":
            return self._object_name
        names = ENUMS.get(unit.removeprefix("enum:"), ())
        return lambda n: names[n] if 0 <= n < len(names) else None

    def _anything(self, node: Compare) -> Test:
        self.uses_names = True
        needle = node.values[0].lower()
        texts: dict[int, list[tuple[int, Callable[[int], str | None]]]] = {}
        for places in self._filter.places.values():
            for kind, column, unit in places:
                if unit not in NUMBERS:
                    texts.setdefault(kind, []).append((A0 + int(column[1:]), self._table(unit)))

        def matches(row: Row) -> bool:
            kind = row[KIND]
            spec = self._vocabulary.kinds.get(kind)
            if spec is not None and needle in f"{spec.name} {spec.title} {spec.group}".lower():
                return True
            name = self._object_name(row[OBJ])
            if name is not None and needle in name.lower():
                return True
            return any((text := table(row[place])) is not None and needle in text.lower() for place, table in texts.get(kind, ()))

        return matches

    # -- names --------------------------------------------------------------------------------------------------------
    def _kind_name(self, number: int) -> str | None:
        spec = self._vocabulary.kinds.get(number)
        return spec.name if spec else None

    def _group_name(self, number: int) -> str | None:
        spec = self._vocabulary.kinds.get(number)
        return spec.group if spec else None

    def _object_name(self, oid: int) -> str | None:
        names = self._vocabulary.names
        return names.name(oid) if names.knows(oid) else None

    def _object_type(self, oid: int) -> str | None:
        names = self._vocabulary.names
        return names.type_name(oid) if names.knows(oid) else None


def _numbers(node: Compare) -> Number:
    values = [number for number in map(number_of, node.values) if number is not None]
    if len(values) != len(node.values):
        raise FilterError(f"{node.name} is compared with a number")
    first = values[0]
    if first >= 1 << 63:
        first -= 1 << 64
    if node.op == "range":
        low, high = values
        return lambda value: low <= value <= high
    if node.op == "in":
        return frozenset(values).__contains__
    if node.op == "~":
        return lambda value: str(first) in str(value)
    compare = _OPERATORS[node.op]
    return lambda value: compare(value, first)
