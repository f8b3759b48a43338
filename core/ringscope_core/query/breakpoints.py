"""Breakpoints: what they are, what they mean to a vocabulary, and where they hit in a recording.

One door to `point` (the data), `matching` (which events match), `messages` (what they say) and `hits` (searches over a recording).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringscope_core.query.hits import Hit, find_hit, log_lines
from ringscope_core.query.matching import Bound
from ringscope_core.query.messages import Message
from ringscope_core.query.point import ANY, KINDS, Breakpoint

if TYPE_CHECKING:
    from ringscope_core.query.vocabulary import Vocabulary

__all__ = ["ANY", "KINDS", "Bound", "Breakpoint", "Hit", "Message", "find_hit", "log_lines", "parse_breakpoint"]


def parse_breakpoint(plain: object, vocabulary: Vocabulary) -> Breakpoint:
    """A breakpoint from its plain form (`Breakpoint.from_plain`), every name in it checked against a vocabulary.

    Raises InputError: a field that it has not, a function, kind, field or object that there is not, a condition or a message
    that cannot be understood.
    """
    point = Breakpoint.from_plain(plain)
    bound = Bound(point, vocabulary)
    if point.log:
        Message(point.log, bound)
    return point
