"""Topics ``events``, ``units`` and ``levels``: every kind of event with its arguments, from the table that the event log is written by."""

from __future__ import annotations

import re
from itertools import groupby

from ringscope_core.trace.kinds import ENUMS, KINDS, KindSpec
from ringscope_core.trace.levels import LEVEL_NAMES

from .blocks import Block, Section, Table, code, markdown_of
from .declared import attribute_docs, class_doc
from .wording import w

MODULE = "ringscope_core.trace.kinds"


def events() -> list[Block]:
    """A section a group, a row a kind."""
    blocks: list[Block] = []
    for group, kinds in groupby(sorted(KINDS, key=lambda spec: _order(spec.group)), lambda spec: spec.group):
        rows = tuple((code(spec.name), str(spec.number), code(LEVEL_NAMES[spec.level]), arguments(spec), spec.title) for spec in kinds)
        header = (w("kind"), w("number"), w("level"), w("arguments"), w("means"))
        names = tuple(f"{spec.name}; {w('event')}" for spec in KINDS if spec.group == group)
        blocks.append(Section(code(group), f"events-{group}", (Table(header, rows, (19, 10, 11, 35, 25)),), names))
    return blocks


def _order(group: str) -> int:
    return list(dict.fromkeys(spec.group for spec in KINDS)).index(group)


def arguments(spec: KindSpec) -> str:
    """An event's arguments with their units, in their order."""
    return ", ".join(f"{code(arg.name)} {arg.unit.replace('enum:', '')}" for arg in spec.args)


def unit_words() -> dict[str, str]:
    """What each unit means, from the docstring of `ArgSpec`."""
    text = " ".join(class_doc(MODULE, "ArgSpec").partition("Units:")[2].split())
    found = re.findall(r"``([\w:]+)``(?: \(([^()]*)\))?", text)
    return {name: means or w(_PLAIN.get(name, "")) for name, means in found}


_PLAIN = {"bytes": "a number of bytes", "ns": "nanoseconds", "count": "a number", "bool": "0 or 1", "line": "a line of a source file"}


def units() -> list[Block]:
    """The units of arguments, and the names of enumerated ones."""
    rows = tuple((code(name), markdown_of(means)) for name, means in unit_words().items() if not name.startswith("enum:"))
    names = tuple((code(name), ", ".join(f"{value} {code(text)}" for value, text in enumerate(texts))) for name, texts in ENUMS.items())
    return [Table((w("unit"), w("means")), rows, (20, 80)), Table((w("unit"), w("values and names")), names, (20, 80))]


def levels() -> list[Block]:
    """The trace levels."""
    docs = attribute_docs("ringscope_core.trace.levels")
    rows = tuple((str(number), code(name), markdown_of(docs[f"LEVEL_{name.upper()}"])) for number, name in enumerate(LEVEL_NAMES))
    return [Table((w("number"), w("level"), w("the data path")), rows, (10, 20, 70))]


__all__ = ["arguments", "events", "levels", "unit_words", "units"]
