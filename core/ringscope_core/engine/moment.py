"""A moment of a recording that a run can be brought to: an event and a virtual time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from ringscope_core.scenario.errors import InputError
from ringscope_core.scenario.units import duration_ns
from ringscope_core.trace.kinds import EV_RUN_STATE

if TYPE_CHECKING:
    from ringscope_core.session.reader import SessionReader

_FINISHED: Final = 3
ALLOWED: Final = "a time such as 1.5s, an event such as #123, mark:NAME, packet:NUMBER, start or end"


class Moment(NamedTuple):
    """After event `seq` was made, and not before virtual time `vt` ns."""

    seq: int
    vt: int = 0


def parse_moment(reader: SessionReader, text: str) -> Moment:
    """A moment from words: ``1.5s``, ``#123`` or ``seq:123``, ``mark:NAME``, ``packet:7``, ``start``, ``end``.  Raises InputError."""
    word = text.strip()
    name, colon, value = word.partition(":")
    number = word.removeprefix("#") if not colon else value if name == "seq" else ""
    if word == "end":
        return moment_at(reader, reader.last_seq)
    if word == "start":
        return moment_at(reader, max(reader.first_seq, 0))
    if number.isdecimal():
        return moment_at(reader, int(number))
    if name == "mark" and colon:
        for mark in reader.marks():
            if mark.name == value:
                return moment_at(reader, mark.seq)
        raise InputError("--at", text, f"one of the marks {', '.join(mark.name for mark in reader.marks()) or '(there are none)'}")
    if name == "packet" and value.isdecimal():
        rows = reader.packets(int(value), int(value))
        if not rows:
            raise InputError("--at", text, f"a packet from 1 to {reader.packet_count}")
        return moment_at(reader, rows[0].seq)
    try:
        vt = duration_ns("--at", word) if word else -1
    except InputError:
        vt = -1
    if vt < 0:
        raise InputError("--at", text, ALLOWED) from None
    return moment_at_vt(reader, vt)


def moment_at(reader: SessionReader, seq: int) -> Moment:
    """After event `seq`; where the run had ended by then, just before it ended.  Raises InputError."""
    if not 0 <= seq <= reader.last_seq:
        raise InputError("--at", seq, f"an event from 0 to {reader.last_seq}")
    end = end_of(reader)
    return Moment(seq) if end is None or seq < end.seq else Moment(end.seq - 1, end.vt)


def moment_at_vt(reader: SessionReader, vt: int) -> Moment:
    """At virtual time `vt` ns, when everything of that time has happened.  Raises InputError."""
    if vt > reader.last_vt:
        raise InputError("--at", f"{vt} ns", f"a time up to {reader.last_vt} ns, the recording's end")
    seq = reader.seq_at_vt(vt)
    end = end_of(reader)
    return Moment(seq, vt) if end is None or seq < end.seq else Moment(end.seq - 1, end.vt)


def end_of(reader: SessionReader) -> Moment | None:
    """The event that says that the run is over, and when that was; None for a run that was cut off."""
    rows = reader.find_events((int(EV_RUN_STATE),), max(reader.first_seq, 0), reader.last_seq, 4, backwards=True)
    for row in rows:
        if int(row["a0"]) == _FINISHED:
            return Moment(int(row["seq"]), int(row["vt"]))
    return None
