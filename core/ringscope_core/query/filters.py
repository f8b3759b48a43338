"""The filter language of every list: comparisons of an event's fields, joined with ``and``, ``or``, ``not``.

    kind == kick                    group == ring and obj == tx0
    head == 3 or len > 1500         vt >= 1.5s and vt < 2s
    fn ~ realize                    seq in 100..200
    "virtio_net"  (a word alone: any name or text of the event contains it)

Operators: ``== != < <= > >= ~`` (contains) ``in A..B`` / ``in {a, b}``.  Fields: kind, group, obj, seq, vt, wall, cause, type, and every
argument's name (head, len, idx, queue, fn, field, packet, ...); ``any`` is the text search.

A filter is evaluated on arrays of events, never on single rows: a million events take about a hundred milliseconds.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ringscope_core.trace.kinds import ENUMS, EV_FRAME_ENTER

if TYPE_CHECKING:
    import numpy as np

    from ringscope_core.query.vocabulary import Vocabulary

    Rows = np.ndarray[Any, np.dtype[np.void]]
    Mask = np.ndarray[Any, np.dtype[np.bool_]]

_TOKEN: Final = re.compile(
    r'\s*(?:(?P<op>==|!=|<=|>=|&&|\|\||[<>~!(){},=])|"(?P<text>[^"]*)"|(?P<range>\.\.)|(?P<word>(?:[^\s"<>=!~(){},.&|]|\.(?!\.)|[&|](?![&|]))+))'
)
_COMPARE: Final = ("==", "!=", "<", "<=", ">", ">=", "~", "in", "=")
COLUMNS: Final = ("seq", "vt", "wall", "cause")
"""Numbers that every event has."""
FIELDS: Final = {
    "kind": "the kind of event, such as `kick`",
    "group": "the group of its kind, such as `ring`",
    "obj": "the object by its short name: `net0`, `tx0`; a number is its id",
    "type": "the QOM type that the event is about, where its kind has one: `object_new`, `class_init`, `instance_init`",
    "any": "the text search: kind, title, group, object, and every argument that is a name or a text; a word alone is short for `any ~ word`",
    "seq": "the event's number",
    "vt": "virtual time: ns, or with `us`, `ms`, `s`",
    "wall": "the host's time since the run began, as `vt`",
    "cause": "the number of the event that led to it, -1 for none",
}
"""What every event has, with what it means; the arguments of its kind come besides."""
OPERATORS: Final = {
    "==": "equal; names without regard to case. `=` is the same",
    "!=": "not equal",
    "<": "less",
    "<=": "less or equal",
    ">": "greater",
    ">=": "greater or equal",
    "~": "contains: the name, the text, or the digits of the number",
    "in A..B": "from A to B, both included",
    "in {a, b}": "one of these",
    "and": "both; `&&` is the same",
    "or": "one or both; `||` is the same",
    "not": "the opposite; `!` is the same",
}
"""What stands between and before comparisons."""
_FIXED: Final = tuple(FIELDS)
_TIMES: Final = {"ns": 1, "us": 1_000, "µs": 1_000, "ms": 1_000_000, "s": 1_000_000_000}
NUMBERS: Final = {"ptr", "gpa", "bytes", "idx", "slot", "head", "flags", "count", "bool", "packet", "line", "value", "ns", "off_wrap"}
"""Units of arguments that are compared as numbers."""


FORM: Final = "comparisons such as kind == kick, head in 0..7 or obj == tx0, or words, joined with and, or, not"
"""What a filter is, for who wrote something else."""


class FilterError(ValueError):
    """What is wrong with a filter, in one line, for its author."""


@dataclass(frozen=True)
class Compare:
    """``name op values``; an ``in A..B`` has the op ``range``, a set ``in``."""

    name: str
    op: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class Join:
    """``and``, ``or`` or ``not`` of parts."""

    op: str
    parts: tuple[Node, ...]


Node = Compare | Join


# -- reading ----------------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Token:
    """A piece of the text: its sort (op, text, range, word), itself, and where it begins."""

    sort: str
    text: str
    start: int


def tokens_of(text: str) -> list[Token]:
    """The pieces of a filter; raises FilterError for a character that begins none."""
    found: list[Token] = []
    at = 0
    while at < len(text.rstrip()):
        match = _TOKEN.match(text, at)
        if match is None or match.end() == at:
            raise FilterError(f"column {at + 1}: {text[at:].strip()[:12]!r} is not understood")
        sort = str(match.lastgroup)
        found.append(Token(sort, match.group(sort), match.start(sort)))
        at = match.end()
    return found


class _Parser:
    """Recursive descent; `peek` is empty at the end."""

    def __init__(self, text: str) -> None:
        self.tokens = tokens_of(text)
        self.at = 0

    def peek(self) -> Token:
        return self.tokens[self.at] if self.at < len(self.tokens) else Token("end", "", -1)

    def take(self, *texts: str) -> bool:
        token = self.peek()
        if token.sort in ("op", "word", "range") and token.text.lower() in texts:
            self.at += 1
            return True
        return False

    def either(self) -> Node:
        parts = [self.both()]
        while self.take("or", "||"):
            parts.append(self.both())
        return parts[0] if len(parts) == 1 else Join("or", tuple(parts))

    def both(self) -> Node:
        parts = [self.inverse()]
        while self.take("and", "&&"):
            parts.append(self.inverse())
        return parts[0] if len(parts) == 1 else Join("and", tuple(parts))

    def inverse(self) -> Node:
        if self.take("not", "!"):
            return Join("not", (self.inverse(),))
        if self.take("("):
            inner = self.either()
            if not self.take(")"):
                raise FilterError("a ')' is missing")
            return inner
        return self.comparison()

    def comparison(self) -> Node:
        token = self.peek()
        if token.sort not in ("word", "text"):
            raise FilterError(
                "something to compare is missing" if token.sort == "end" else f"column {token.start + 1}: {token.text!r} stands where a field or a word belongs"
            )
        self.at += 1
        op = self.peek().text.lower() if self.peek().sort in ("op", "word") else ""
        if token.sort == "text" or op not in _COMPARE:
            return Compare("any", "~", (token.text,))
        self.at += 1
        if op == "in":
            return self.membership(token.text)
        return Compare(token.text, "==" if op == "=" else op, (self.value(),))

    def membership(self, name: str) -> Node:
        if self.take("{"):
            values = [self.value()]
            while self.take(","):
                values.append(self.value())
            if not self.take("}"):
                raise FilterError("a '}' is missing")
            return Compare(name, "in", tuple(values))
        first = self.value()
        if not self.take(".."):
            raise FilterError("'in' takes A..B or {a, b}")
        return Compare(name, "range", (first, self.value()))

    def value(self) -> str:
        token = self.peek()
        if token.sort not in ("word", "text"):
            before = " ".join(one.text for one in self.tokens[self.at - 2 : self.at])
            raise FilterError(f"a value is missing behind {before!r}" if token.sort == "end" else f"column {token.start + 1}: {token.text!r} is no value")
        self.at += 1
        return token.text


def parse(text: str) -> Node | None:
    """The filter as a tree, None for an empty one; raises FilterError."""
    if not text.strip():
        return None
    parser = _Parser(text)
    node = parser.either()
    if parser.peek().sort != "end":
        raise FilterError(f"column {parser.peek().start + 1}: {parser.peek().text!r} is too much; join with and / or")
    return node


def number_of(text: str) -> int | None:
    """An integer: decimal, hexadecimal, with underscores, or a time with ns, us, ms, s; None when it is none."""
    try:
        return int(text, 0)
    except ValueError:
        pass
    match = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)(ns|us|µs|ms|s)", text)
    if match:
        return round(float(match[1]) * _TIMES[match[2]])
    return {"true": 1, "false": 0, "null": 0, "none": 0}.get(text.lower())


# -- evaluating -------------------------------------------------------------------------------------------------------
class Filter:
    """A parsed filter bound to a vocabulary.  `mask` says which of an array of events it takes.

    Raises FilterError for names that the recording does not declare.
    """

    def __init__(self, text: str, vocabulary: Vocabulary) -> None:
        import numpy as np

        self._np = np
        self._vocabulary = vocabulary
        self.text = text
        self.node = parse(text)
        self.places = _argument_places(vocabulary)
        """Argument name -> (kind, column, unit) of every kind that has one of that name."""
        if self.node is not None:
            self._check(self.node)
        self._ids_cache: dict[tuple[str, str, bool, int], frozenset[int]] = {}

    def mask(self, rows: Rows) -> Mask:
        """Which of `rows` the filter takes."""
        if self.node is None:
            return self._np.ones(len(rows), bool)
        return self._eval(self.node, rows)

    def _check(self, node: Node) -> None:
        if isinstance(node, Join):
            for part in node.parts:
                self._check(part)
            return
        if node.name not in _FIXED and node.name not in self.places:
            raise FilterError(f"there is no field {node.name!r}")
        if node.name == "kind" and node.op in ("==", "!=", "in"):
            self._check_names("kind", node.values, {spec.name for spec in self._vocabulary.kinds.values()})
        if node.name == "group" and node.op in ("==", "!=", "in"):
            self._check_names("group", node.values, {spec.group for spec in self._vocabulary.kinds.values()})
        if node.name in COLUMNS and any(number_of(value) is None for value in node.values):
            raise FilterError(f"{node.name} is compared with a number")

    def _check_names(self, what: str, values: tuple[str, ...], known: set[str]) -> None:
        for value in values:
            if value not in known and number_of(value) is None:
                raise FilterError(f"there is no {what} {value!r}")

    def _eval(self, node: Node, rows: Rows) -> Mask:
        if isinstance(node, Join):
            masks = [self._eval(part, rows) for part in node.parts]
            if node.op == "not":
                return ~masks[0]
            result = masks[0]
            for mask in masks[1:]:
                result = result & mask if node.op == "and" else result | mask
            return result
        if node.name in COLUMNS:
            return self._numbers(rows[node.name], node)
        if node.name == "kind":
            return self._named(rows["kind"], node, lambda: {n: spec.name for n, spec in self._vocabulary.kinds.items()})
        if node.name == "group":
            return self._named(rows["kind"], node, lambda: {n: spec.group for n, spec in self._vocabulary.kinds.items()})
        if node.name == "obj":
            return self._named(rows["obj"], node, self._object_names)
        if node.name == "type" and node.name not in self.places:
            return self._named(rows["obj"], node, self._object_types)
        if node.name == "any":
            return self._anything(rows, node)
        return self._argument(rows, node)

    def _object_names(self) -> dict[int, str]:
        names = self._vocabulary.names
        return {oid: names.name(oid) for oid in names.known()}

    def _object_types(self) -> dict[int, str]:
        names = self._vocabulary.names
        return {oid: names.type_name(oid) for oid in names.known()}

    def _numbers(self, column: Any, node: Compare) -> Mask:
        np = self._np
        values = [number for number in map(number_of, node.values) if number is not None]
        if len(values) != len(node.values):
            raise FilterError(f"{node.name} is compared with a number")
        first = values[0]
        if first >= 1 << 63:
            first -= 1 << 64
        result: Mask
        if node.op == "range":
            result = (column >= values[0]) & (column <= values[1])
        elif node.op == "in":
            result = np.isin(column, values)
        elif node.op == "~":
            result = np.array([str(first) in str(value) for value in column.tolist()], bool)
        else:
            compare = {"==": np.equal, "!=": np.not_equal, "<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal}[node.op]
            result = compare(column, first)
        return result

    def _named(self, column: Any, node: Compare, table: Callable[[], dict[int, str]]) -> Mask:
        """A column of ids, compared by name; numbers compare as ids."""
        if node.op in ("<", "<=", ">", ">=", "range") or all(number_of(value) is not None for value in node.values):
            return self._numbers(column, node)
        wanted = {value.lower() for value in node.values}
        if node.op == "~":
            ids = [number for number, name in table().items() if any(value in name.lower() for value in wanted)]
        else:
            ids = [number for number, name in table().items() if name.lower() in wanted]
        mask: Mask = self._np.isin(column, ids)
        return ~mask if node.op == "!=" else mask

    def _argument(self, rows: Rows, node: Compare) -> Mask:
        """An argument by name: rows of kinds that have none of that name are never taken."""
        np = self._np
        result: Mask = np.zeros(len(rows), bool)
        kinds = rows["kind"]
        for kind, column, unit in self.places[node.name]:
            where = np.flatnonzero(kinds == kind)
            if len(where):
                result[where] = self._one(rows[column][where], unit, node)
        return result

    def _one(self, column: Any, unit: str, node: Compare) -> Mask:
        if unit in NUMBERS:
            return self._numbers(column, node)
        return self._named(column, node, lambda: self._table(unit))

    def _table(self, unit: str) -> dict[int, str]:
        """Names by number of what `unit` counts."""
        vocabulary = self._vocabulary
        if unit in ("str", "type"):
            return dict(enumerate(vocabulary.strings))
        if unit == "fn":
            return {number: spec.name for number, spec in vocabulary.functions.items()}
        if unit == "field":
            return {number: f"{spec.struct}.{spec.name}" for number, spec in vocabulary.fields.items()}
        if unit == "oid":
            return self._object_names()
        return dict(enumerate(ENUMS.get(unit.removeprefix("enum:"), ())))

    def _anything(self, rows: Rows, node: Compare) -> Mask:
        """The text search: kind, group, object, and every argument that is a name or a text."""
        kinds = {n: f"{spec.name} {spec.title} {spec.group}" for n, spec in self._vocabulary.kinds.items()}
        needle = Compare("any", "~", node.values)
        mask = self._text_in(rows["kind"], needle, kinds) | self._text_in(rows["obj"], needle, self._object_names())
        for places in self.places.values():
            for kind, column, unit in places:
                if unit in NUMBERS:
                    continue
                where = self._np.flatnonzero(rows["kind"] == kind)
                if len(where):
                    mask[where] |= self._text_in(rows[column][where], needle, self._table(unit))
        return mask

    def _text_in(self, column: Any, node: Compare, table: dict[int, str]) -> Mask:
        needle = node.values[0].lower()
        mask: Mask = self._np.isin(column, [number for number, text in table.items() if needle in text.lower()])
        return mask


def _argument_places(vocabulary: Vocabulary) -> dict[str, list[tuple[int, str, str]]]:
    """Argument name -> (kind, column, unit) of every kind that has one of that name."""
    places: dict[str, list[tuple[int, str, str]]] = {}
    for kind, spec in vocabulary.kinds.items():
        for place, arg in enumerate(spec.args):
            if kind == EV_FRAME_ENTER and place >= 2:
                continue
            places.setdefault(arg.name, []).append((kind, f"a{place}", arg.unit))
    return places


# -- completing -------------------------------------------------------------------------------------------------------
def field_names(vocabulary: Vocabulary) -> list[str]:
    """Everything that may stand left of an operator."""
    return sorted({*_FIXED, *_argument_places(vocabulary)})


def completions(text: str, vocabulary: Vocabulary) -> tuple[int, list[str]]:
    """What may stand at the end of `text`: where the unfinished word begins, and the words that fit it."""
    match = re.search(r'[^\s"<>=!~(){},]*$', text)
    assert match is not None
    start, word = match.start(), match.group().lower()
    before = re.search(r"(\w+)\s*(==|!=|~|=|in\s*\{[^}]*)\s*$", text[:start])
    if before:
        return start, [name for name in values_of(before[1], vocabulary) if word in name.lower()][:200]
    words = [*field_names(vocabulary), "and", "or", "not"]
    return start, [name for name in words if name.startswith(word)]


def values_of(name: str, vocabulary: Vocabulary) -> list[str]:
    """Names that the field `name` can have in this recording."""
    if name == "kind":
        return sorted(vocabulary.kinds[n].name for n in vocabulary.event_counts() if n in vocabulary.kinds)
    if name == "group":
        return sorted({spec.group for spec in vocabulary.kinds.values()})
    if name == "obj":
        return sorted({vocabulary.names.name(oid) for oid in vocabulary.names.known()})
    units = {unit for _, _, unit in _argument_places(vocabulary).get(name, [])}
    found: set[str] = set()
    if "fn" in units:
        found |= {spec.name for spec in vocabulary.functions.values()}
    if "field" in units:
        found |= {f"{spec.struct}.{spec.name}" for spec in vocabulary.fields.values()}
    for unit in units:
        found |= set(ENUMS.get(unit.removeprefix("enum:"), ()))
    return sorted(text if " " not in text else f'"{text}"' for text in found)
