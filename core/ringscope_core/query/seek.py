"""Going to a moment by words: a time, an event's number, a mark, a packet."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ringscope_core.query.decode import format_clock
from ringscope_core.scenario.errors import InputError

if TYPE_CHECKING:
    from ringscope_core.query.recording import Recording
    from ringscope_core.session.reader import SessionReader

FORMS: Final = "a time (1.5s, 20ms, 300us, 7ns), an event (#123 or seq:123), mark:NAME, packet:7, start or end"
_TIME: Final = re.compile(r"(?:t:|time:)?\s*([0-9]+(?:\.[0-9]*)?|\.[0-9]+)\s*(ns|us|µs|ms|s|min)", re.IGNORECASE)
_UNITS: Final = {"ns": 1, "us": 1_000, "µs": 1_000, "ms": 1_000_000, "s": 1_000_000_000, "min": 60_000_000_000}
_EVENT: Final = re.compile(r"(?:#|seq:|event:)?\s*([0-9][0-9_ \u2009]*)", re.IGNORECASE)
_PACKET: Final = re.compile(r"(?:packet|p):\s*#?([0-9]+)", re.IGNORECASE)


def seek(recording: Recording, text: str) -> int:
    """The event that `text` names (see `FORMS`): for a time the last one at or before it.

    Raises InputError when it names none of this recording.
    """
    reader, words = recording.reader, text.strip()
    if reader.last_seq < 0:
        raise InputError("seek", words, "nothing is recorded yet")
    if words.lower() in ("start", "end"):
        return reader.first_seq if words.lower() == "start" else reader.last_seq
    if match := _TIME.fullmatch(words):
        return _at_time(reader, words, round(float(match[1]) * _UNITS[match[2].lower()]))
    if match := _PACKET.fullmatch(words):
        return _at_packet(reader, words, int(match[1]))
    if words.lower().startswith("mark:"):
        return _at_mark(recording, words[5:].strip())
    if match := _EVENT.fullmatch(words):
        return _at_event(reader, words, int(re.sub(r"\D", "", match[1])))
    raise InputError("seek", words, FORMS)


def _at_time(reader: SessionReader, words: str, vt: int) -> int:
    first = reader.vt_at_seq(reader.first_seq)
    if not first <= vt <= reader.last_vt:
        raise InputError("time", words, f"the recording holds {format_clock(first)} s to {format_clock(reader.last_vt)} s")
    return max(reader.seq_at_vt(vt), reader.first_seq)


def _at_event(reader: SessionReader, words: str, seq: int) -> int:
    if not reader.first_seq <= seq <= reader.last_seq:
        raise InputError("event", words, f"the recording holds #{reader.first_seq} to #{reader.last_seq}")
    lost = next(((before, after) for before, after in reader.holes() if before < seq < after), None)
    if lost is not None:
        raise InputError("event", words, f"it was not recorded: events #{lost[0] + 1} to #{lost[1] - 1} were lost")
    return seq


def _at_packet(reader: SessionReader, words: str, number: int) -> int:
    rows = reader.packets(number, number) if 1 <= number <= reader.packet_count else []
    if not rows:
        raise InputError("packet", words, f"the recording holds packets 1 to {reader.packet_count}" if reader.packet_count else "no packet is recorded")
    return max(rows[0].seq, reader.first_seq)


def _at_mark(recording: Recording, name: str) -> int:
    marks = recording.marks()
    for wanted in (name, name.casefold()):
        for mark in marks:
            if wanted in (mark.name, mark.name.casefold()):
                return mark.seq
    known = ", ".join(mark.name for mark in marks[:20])
    raise InputError("mark", name, f"one of {known}" if marks else "the recording has no marks")


def completions(recording: Recording, text: str) -> list[str]:
    """What may be meant by an unfinished `text`."""
    words = text.strip().casefold()
    offers = ["start", "end", "seq:", "packet:", "mark:", *(f"mark:{mark.name}" for mark in recording.marks())]
    return [offer for offer in offers if offer.casefold().startswith(words) or (words and offer.startswith("mark:") and words in offer.casefold())]
