"""Which moment of a recording a picture shows: a mark, a time, an event, a breakpoint; and the telling moment of each view."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from ringscope.figures.breaks import FORMS as BREAK_FORMS
from ringscope.figures.breaks import PREFIX, break_moment
from ringscope.figures.focusing import Aim, aim_of
from ringscope.figures.parse import did_you_mean
from ringscope_core.query.recording import Recording
from ringscope_core.query.seek import seek
from ringscope_core.scenario.errors import InputError
from ringscope_core.trace.kinds import (
    EV_DESC_WRITE,
    EV_ERROR_SET,
    EV_FLUSH,
    EV_FRAME_AT,
    EV_FRAME_ENTER,
    EV_FRAME_RX,
    EV_FRAME_TX,
    EV_NOTIFY_SUPPRESSED,
    EV_POP,
    EV_RING_RESET,
    EV_USED_TAKE,
)
from ringscope_core.trace.oids import is_ring

if TYPE_CHECKING:
    from ringscope_core.session.reader import SessionReader

_LANDMARKS: Final = {"realize": "virtio_net_device_realize"}
"""Views that are about a call: the function at whose first statement they are pictured when nothing else is asked for."""
RING_VIEWS: Final = ("rings", "window")
"""Views that show a ring, and are pictured while one is at work."""
RING_KINDS: Final = tuple(range(int(EV_DESC_WRITE), int(EV_NOTIFY_SUPPRESSED) + 1))
"""What happens to rings."""
_BATCH: Final = 4096


def parse_at(reader: SessionReader, text: str) -> int:
    """The event that `text` means: ``1.5s``, ``seq:N``, ``mark:NAME`` or a mark's name, ``packet:N``, ``start``, ``end``, ``break:FUNCTION``.

    Raises InputError.
    """
    recording = Recording(reader)
    words = text.strip()
    if words.startswith(PREFIX):
        return break_moment(recording, words)
    marks = recording.marks()
    for mark in marks:
        if words == mark.name:
            return mark.seq
    try:
        return seek(recording, words)
    except InputError as error:
        if error.field != "seek":
            raise InputError("at", text, error.allowed) from None
    names = [mark.name for mark in marks]
    marked = f" (marks: {', '.join(names)})" if names else " (this recording has no marks)"
    said = did_you_mean(words.removeprefix("mark:"), names, "mark:") or marked
    raise InputError("at", text, f"a virtual time such as 12.5ms, seq:N, packet:N, mark:NAME, start, end, or {BREAK_FORMS}{said}")


def moment_of(reader: SessionReader, view: str, at: str = "", focus: str = "") -> int:
    """The event that a figure of `view` shows: what `at` says, else the event or packet that `focus` names, else the view's telling moment."""
    if at.strip():
        return parse_at(reader, at)
    aim = aim_of(Recording(reader), focus) if focus.strip() else Aim()
    return aim.seq if aim.seq >= 0 else telling_moment(reader, view, aim.oid if is_ring(aim.oid) else 0)


def telling_moment(reader: SessionReader, view: str, ring: int = 0) -> int:
    """The moment that shows most of `view`: an error or the first statement of the device's realize, a ring (or `ring`) at work, else the end."""
    if view in _LANDMARKS:
        errors = reader.find_events((int(EV_ERROR_SET),), reader.first_seq, reader.last_seq, 1)
        return int(errors[0]["seq"]) if len(errors) else _call_of(reader, _LANDMARKS[view])
    if view in RING_VIEWS:
        return _busiest(reader, ring)
    return reader.last_seq


def ring_at(reader: SessionReader, seq: int, among: Sequence[int] = ()) -> int:
    """The ring to which something happened last before `seq`, of all or of `among`; 0 for none."""
    rows = reader.find_events(RING_KINDS, reader.first_seq, seq, 1, True, among or None)
    return int(rows[0]["obj"]) if len(rows) else 0


def _call_of(reader: SessionReader, name: str) -> int:
    """The first statement of the first call of function `name`; the end when it was never called."""
    number = next((n for n, spec in reader.functions.items() if spec.name == name), -1)
    first = reader.first_seq
    while number >= 0 and first <= reader.last_seq:
        rows = reader.find_events((int(EV_FRAME_ENTER),), first, reader.last_seq, _BATCH)
        hits = rows[rows["a0"] == number]
        if len(hits):
            return _first_statement(reader, hits[0])
        if len(rows) < _BATCH:
            break
        first = int(rows[-1]["seq"]) + 1
    return reader.last_seq


def _busiest(reader: SessionReader, only: int) -> int:
    """Of the newest elements that a device took, the one with most around it: published, in flight, given back."""
    used: dict[int, int] = {}
    taken: dict[int, int] = {}
    added: dict[int, int] = {}
    laps = _places(reader)
    # how far a driver has got in a packed ring only its descriptors tell
    kinds = (int(EV_POP), int(EV_FLUSH), int(EV_USED_TAKE)) + ((int(EV_DESC_WRITE),) if laps else ())
    best, found = 0, reader.last_seq
    for row in reader.find_events(kinds, reader.first_seq, reader.last_seq, _BATCH, True, [only] if only else None):
        ring, kind = int(row["obj"]), int(row["kind"])
        if kind == EV_FLUSH:
            used[ring] = int(row["a0"])
        elif kind == EV_USED_TAKE:
            taken[ring] = int(row["a1"])
        elif kind == EV_DESC_WRITE:
            added[ring] = int(row["a0"]) + 1
        elif ring in used and ring in taken:
            lap = laps.get(ring, 0x10000)
            waiting = ((added.get(ring, 0) if ring in laps else int(row["a2"])) - int(row["a1"])) % lap
            back = (used[ring] - taken[ring]) % lap
            score = 8 * min(waiting, back, 64) + min(waiting + back, 64) + 8 * min(int(row["a5"]), 8)
            if score > best:
                best, found = score, int(row["seq"])
    # a little later the same element's frame has passed: then its bytes can be shown
    frames = reader.find_events((int(EV_FRAME_TX), int(EV_FRAME_RX)), found, min(found + 16, reader.last_seq), 1)
    return int(frames[0]["seq"]) if len(frames) else found


def _places(reader: SessionReader) -> dict[int, int]:
    """How many places the indices of each packed ring have; a split ring's are free-running."""
    rows = reader.find_events((int(EV_RING_RESET),), reader.first_seq, reader.last_seq, _BATCH)
    return {int(row["obj"]): int(row["a0"]) for row in rows if int(row["a4"]) and int(row["a0"])}


def _first_statement(reader: SessionReader, call: Any) -> int:
    """Where a breakpoint on the function stops: the call itself when it was recorded there, else its first checkpoint."""
    entered, number = int(call["seq"]), int(call["a0"])
    if int(call["a1"]) > reader.functions[number].line:
        return entered
    rows = reader.find_events((int(EV_FRAME_AT), int(EV_FRAME_ENTER)), entered + 1, min(entered + 8, reader.last_seq), 1)
    if len(rows) and int(rows[0]["kind"]) == EV_FRAME_AT and int(rows[0]["a0"]) == number:
        return int(rows[0]["seq"])
    return entered
