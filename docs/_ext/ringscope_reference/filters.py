"""Topic ``filters``: fields and operators of the filter language, from the table that filters are checked by."""

from __future__ import annotations

from ringscope_core.query.filters import FIELDS, NUMBERS, OPERATORS
from ringscope_core.trace.kinds import EV_FRAME_ENTER, KINDS

from .blocks import Block, Table, code, codes, markdown_of
from .wording import w


def argument_fields() -> dict[str, tuple[list[str], list[str]]]:
    """Name of an argument -> its units, and the kinds of events that have one of that name; as `Filter.places` has them."""
    found: dict[str, tuple[list[str], list[str]]] = {}
    for spec in KINDS:
        for place, arg in enumerate(spec.args):
            if spec.number == EV_FRAME_ENTER and place >= 2:
                continue
            units, kinds = found.setdefault(arg.name, ([], []))
            unit = arg.unit.replace("enum:", "")
            if unit not in units:
                units.append(unit)
            kinds.append(spec.name)
    return found


def filters() -> list[Block]:
    """What every event has, what stands between, and the arguments."""
    fixed = tuple((code(name), markdown_of(means)) for name, means in FIELDS.items())
    operators = tuple((code(name), markdown_of(means)) for name, means in OPERATORS.items())
    rows = tuple(
        (code(name), ", ".join(units), w("number") if set(units) <= NUMBERS else w("name"), codes(kinds))
        for name, (units, kinds) in sorted(argument_fields().items())
    )
    return [
        Table((w("field"), w("means")), fixed, (15, 85)),
        Table((w("operator"), w("means")), operators, (15, 85)),
        Table((w("argument"), w("unit"), w("compared as"), w("of events")), rows, (21, 14, 12, 53)),
    ]
