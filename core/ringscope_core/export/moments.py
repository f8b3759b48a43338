"""The range of an export: from the first event of one moment to the last event of another."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from ringscope_core.query.filters import number_of
from ringscope_core.query.seek import FORMS, seek
from ringscope_core.scenario.errors import InputError

if TYPE_CHECKING:
    from ringscope_core.query.recording import Recording


class Span(NamedTuple):
    """Events `first` to `last`, and virtual times, ns, `first_vt` to `last_vt` for what is no event; all four included.

    `first` is after `last` when there is no event between.
    """

    first: int
    last: int
    first_vt: int
    last_vt: int


def range_of(recording: Recording, since: str, until: str) -> Span:
    """What lies between two moments (see `query.seek`); empty ones are the session's ends.

    All events of a time belong to the range that it bounds, and times may lie outside of the recording.  Raises InputError for a moment that there is
    not, and for one that is before the other.
    """
    reader = recording.reader
    first, last, first_vt, last_vt = reader.first_seq, reader.last_seq, 0, max(reader.last_vt, 0)
    if since.strip():
        time = _time(since)
        first = _event(recording, "from", since) if time is None else reader.seq_at_vt(time - 1) + 1
        first_vt = reader.vt_at_seq(first) if time is None else time
    if until.strip():
        time = _time(until)
        last = _event(recording, "until", until) if time is None else reader.seq_at_vt(time)
        last_vt = reader.vt_at_seq(last) if time is None else time
    if since.strip() and until.strip() and (first > last + 1 or first_vt > last_vt):
        raise InputError("until", until, f"a moment that is not before {since}")
    return Span(max(first, reader.first_seq, 0), min(last, reader.last_seq), first_vt, last_vt)


def _time(text: str) -> int | None:
    return number_of(text.strip()) if re.fullmatch(r"[0-9][0-9.]*(ns|us|µs|ms|s)", text.strip()) else None


def _event(recording: Recording, field: str, text: str) -> int:
    try:
        return seek(recording, text.strip())
    except InputError as error:
        raise InputError(field, text, FORMS if error.field == "seek" else error.allowed) from None
