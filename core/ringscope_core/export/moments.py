"""The range of an export: from the first event of one moment to the last event of another."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ringscope_core.query.filters import number_of
from ringscope_core.scenario.errors import InputError

if TYPE_CHECKING:
    from ringscope_core.query.recording import Recording

ALLOWED: Final = "a time (1.5s, 200us), seq:NUMBER, mark:NAME or packet:NUMBER"


def range_of(recording: Recording, since: str, until: str) -> tuple[int, int]:
    """Numbers of the first and the last event between two moments, both included; empty moments are the session's ends.

    The first is after the last when nothing lies between.  Raises InputError for a moment that there is not.
    """
    reader = recording.reader
    first = _place(recording, "from", since, False) if since.strip() else reader.first_seq
    last = _place(recording, "until", until, True) if until.strip() else reader.last_seq
    if since.strip() and until.strip() and first > last + 1:
        raise InputError("until", until, f"a moment that is not before {since}")
    return max(first, reader.first_seq), min(last, reader.last_seq)


def _place(recording: Recording, field: str, text: str, end: bool) -> int:
    text = text.strip()
    time = number_of(text) if re.fullmatch(r"[0-9].*s", text) else None
    if time is not None:
        # all events of a time belong to the range, whichever end it is
        return recording.reader.seq_at_vt(time if end else time - 1) + (0 if end else 1)
    word, colon, value = text.partition(":")
    if colon and word == "seq" or text.startswith("#"):
        return _number(field, text, value if colon else text[1:])
    if colon and word == "packet":
        rows = recording.reader.packets(number := _number(field, text, value), number)
        if not rows:
            raise InputError(field, text, f"a packet from 1 to {recording.reader.packet_count}")
        return rows[0].seq
    if colon and word == "mark":
        marks = recording.reader.marks()
        found = next((mark.seq for mark in marks if mark.name == value), None)
        if found is None:
            names = ", ".join(sorted({mark.name for mark in marks})) or "this session has none"
            raise InputError(field, text, f"a mark of this session ({names})")
        return found
    raise InputError(field, text, ALLOWED)


def _number(field: str, text: str, digits: str) -> int:
    if not re.fullmatch(r"[0-9][0-9_]{0,18}", digits.strip()):
        raise InputError(field, text, ALLOWED)
    return int(digits)
