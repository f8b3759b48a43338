"""What a breakpoint says instead of stopping: a template with names of arguments, ``head {head} of {obj} at {vt}``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ringscope_core.query.decode import Decoder, format_clock
from ringscope_core.query.matching import FIELD, Bound
from ringscope_core.query.row_filter import A0, KIND, OBJ, SEQ, VT, Row
from ringscope_core.scenario.errors import InputError
from ringscope_core.trace.kinds import EV_FRAME_ENTER

if TYPE_CHECKING:
    from ringscope_core.query.vocabulary import Vocabulary

_PART: Final = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|([{}])")
GENERAL: Final = ("obj", "vt", "seq", "kind", "event", "hits")
"""Names that every message may use; ``event`` is the whole event in words."""
_ENTER: Final = int(EV_FRAME_ENTER)


def names_for(bound: Bound) -> list[str]:
    """What may stand in braces in a message of this breakpoint."""
    vocabulary, point = bound.vocabulary, bound.point
    names = list(GENERAL)
    if bound.name:
        return [*names, "field", "value", "old"]
    for kind in sorted(bound.kinds):
        spec = vocabulary.kinds.get(kind)
        names += [arg.name for arg in spec.args if not (kind == _ENTER and arg.name.startswith("arg"))] if spec else []
    if point.what in ("function", "checkpoint"):
        for number in bound.firsts or ():
            names += [name for name, _ in vocabulary.functions[number].args]
    return list(dict.fromkeys(names))


class Message:
    """A template, checked: raises InputError for a name that the breakpoint's events do not have."""

    def __init__(self, template: str, bound: Bound) -> None:
        self._bound: Bound = bound
        self._parts: list[tuple[str, bool]] = []
        """Texts and names, in order; true for a name."""
        allowed = names_for(bound)
        at = 0
        for found in _PART.finditer(template):
            self._parts.append((template[at : found.start()], False))
            at = found.end()
            if found[2]:
                raise InputError("log", template, f"a message whose braces close ({{{{ stands for a brace); column {found.start() + 1}")
            if found[1] is None:
                self._parts.append((found[0][0], False))
            elif found[1] in allowed:
                self._parts.append((found[1], True))
            else:
                raise InputError("log", found[0], f"one of {', '.join('{' + name + '}' for name in allowed)}")
        self._parts.append((template[at:], False))

    @property
    def counts(self) -> bool:
        """Whether the message tells how many matches there were."""
        return ("hits", True) in self._parts

    def text(self, row: Row, old: int, hits: int) -> str:
        """The message about an event; `old` is the value before a watched write, `hits` the matches so far."""
        bound = self._bound
        new = bound.written(row) if bound.name else None
        if new is not None:
            row = bound.as_field(row, new, old)
        values: dict[str, str] = {}
        decoder = decoder_of(bound.vocabulary)
        kind, args = row[KIND], [int(value) for value in row[A0:]]
        if any(is_name for _, is_name in self._parts):
            values = {name: text for name, text, _ in decoder.arguments(kind, args)}
            names = bound.vocabulary.names
            spec = bound.vocabulary.kinds.get(kind)
            values |= {
                "obj": names.name(row[OBJ]),
                "vt": f"{format_clock(row[VT])} s",
                "seq": str(row[SEQ]),
                "kind": spec.name if spec else str(kind),
                "event": decoder.describe(kind, args),
                "hits": str(hits),
            }
            if kind == FIELD and bound.name:
                values["field"] = bound.name
        # a checkpoint is reached by events that have arguments of their own only at the entry
        return "".join(values.get(text, "<unknown>") if is_name else text for text, is_name in self._parts)


def decoder_of(vocabulary: Vocabulary) -> Decoder:
    """A decoder by these words."""
    return Decoder(vocabulary.strings, vocabulary.kinds, vocabulary.functions, vocabulary.fields, vocabulary.names.name)
