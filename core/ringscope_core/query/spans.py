"""Where a recording does not hold every change: below trace level full, and where events were lost.

There the state is sampled: keyframes tell it, and between two of them a value may have changed without an event.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ringscope_core.trace.kinds import EV_TRACE_LEVEL
from ringscope_core.trace.levels import LEVEL_FULL

if TYPE_CHECKING:
    from ringscope_core.session.reader import SessionReader

_ALL = 1 << 30


class Span(NamedTuple):
    """Changes after event `low`, up to the keyframe at event `high`, may have no event."""

    low: int
    high: int


def sampled_spans(reader: SessionReader) -> list[Span]:
    """Every such stretch, in order and apart; the last one may reach the end of the recording."""
    found = [*_untraced(reader), *_gaps(reader)]
    merged: list[Span] = []
    for span in sorted(found):
        if merged and span.low <= merged[-1].high:
            merged[-1] = Span(merged[-1].low, max(span.high, merged[-1].high))
        else:
            merged.append(span)
    return merged


def _untraced(reader: SessionReader) -> list[Span]:
    """Stretches below level full."""
    first, last = reader.first_seq, reader.last_seq
    if last < 0:
        return []
    full = int(LEVEL_FULL)
    rows = reader.find_events((int(EV_TRACE_LEVEL),), first, last, _ALL)
    level = int(rows[0]["a1"]) if len(rows) else _level_of_keyframe(reader)
    below = first - 1 if level < full else None
    found: list[Span] = []
    for row in rows:
        seq, level = int(row["seq"]), int(row["a0"])
        if level < full and below is None:
            below = seq
        elif level >= full and below is not None:
            found.append(Span(below, _keyframe_from(reader, seq)))
            below = None
    if below is not None:
        found.append(Span(below, last))
    return found


def _level_of_keyframe(reader: SessionReader) -> int:
    frames = reader.keyframes()
    return reader.keyframe_state(int(frames["seq"][0])).level if len(frames) else int(LEVEL_FULL)


def _gaps(reader: SessionReader) -> list[Span]:
    """Stretches around lost events, to the next keyframe."""
    return [Span(last, _keyframe_from(reader, first)) for last, first in reader.holes()]


def _keyframe_from(reader: SessionReader, seq: int) -> int:
    """The first keyframe at or after `seq`, the end of the recording when there is none."""
    frames = reader.keyframes()["seq"]
    place = int(np.searchsorted(frames, seq, "left"))
    return int(frames[place]) if place < len(frames) else reader.last_seq
