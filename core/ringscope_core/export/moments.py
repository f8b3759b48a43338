"""The range of an export: from the first event of one moment to the last event of another."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ringscope_core.query.filters import number_of
from ringscope_core.query.seek import FORMS, seek
from ringscope_core.scenario.errors import InputError

if TYPE_CHECKING:
    from ringscope_core.query.recording import Recording


def range_of(recording: Recording, since: str, until: str) -> tuple[int, int]:
    """Numbers of the first and the last event between two moments (see `query.seek`), both included; empty ones are the session's ends.

    All events of a time belong to the range that it bounds, and times may lie outside of the recording.  The first is after the last when nothing
    lies between.  Raises InputError for a moment that there is not.
    """
    reader = recording.reader
    first = _place(recording, "from", since, False) if since.strip() else reader.first_seq
    last = _place(recording, "until", until, True) if until.strip() else reader.last_seq
    if since.strip() and until.strip() and first > last + 1:
        raise InputError("until", until, f"a moment that is not before {since}")
    return max(first, reader.first_seq), min(last, reader.last_seq)


def _place(recording: Recording, field: str, text: str, end: bool) -> int:
    text = text.strip()
    time = number_of(text) if re.fullmatch(r"[0-9][0-9.]*(ns|us|µs|ms|s)", text) else None
    if time is not None:
        return recording.reader.seq_at_vt(time if end else time - 1) + (0 if end else 1)
    try:
        return seek(recording, text)
    except InputError as error:
        raise InputError(field, text, FORMS if error.field == "seek" else error.allowed) from None
