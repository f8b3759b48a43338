"""Why something happened: the events that led to it, along the cause links of the log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from ringscope_core.query.recording import Recording

LONGEST: Final = 10_000


def why(recording: Recording, seq: int) -> list[int]:
    """The events that led to event `seq`, the nearest first; empty when none is known.  A cause that was not recorded ends the chain."""
    reader = recording.reader
    chain: list[int] = []
    at = seq
    while len(chain) < LONGEST:
        rows = reader.events(at, at)
        cause = int(rows[0]["cause"]) if len(rows) else -1
        # a cause lies before its effect; anything else is damage
        if not reader.first_seq <= cause < at or not len(reader.events(cause, cause)):
            break
        chain.append(cause)
        at = cause
    return chain
