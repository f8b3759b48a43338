"""Which moment of a recording a picture shows: a mark, a time, an event; and the telling moment of each view."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ringscope_core.scenario.errors import InputError
from ringscope_core.trace.kinds import EV_FRAME_ENTER

if TYPE_CHECKING:
    from ringscope_core.session.reader import SessionReader

_UNITS: Final = {"ns": 1, "us": 10**3, "\N{MICRO SIGN}s": 10**3, "ms": 10**6, "s": 10**9}
_TIME: Final = re.compile(r"^(\d+(?:\.\d+)?)(ns|us|\N{MICRO SIGN}s|ms|s)$")
_SEQ: Final = re.compile(r"^seq:(\d+)$")
_LANDMARKS: Final = {"realize": "virtio_net_device_realize"}
"""Views that are about a call: the function at whose first statement they are pictured when nothing else is asked for."""


def parse_at(reader: SessionReader, text: str) -> int:
    """The event that `text` means: ``seq:N``, a virtual time such as ``12.5ms``, or the name of a mark.  Raises InputError."""
    marks = {mark.name: mark.seq for mark in reader.marks()}
    if text in marks:
        return marks[text]
    event = _SEQ.match(text)
    if event is not None:
        return _event(reader, text, int(event.group(1)))
    time = _TIME.match(text)
    if time is not None:
        return _moment(reader, text, round(float(time.group(1)) * _UNITS[time.group(2)]))
    names = f"a mark ({', '.join(sorted(marks))})" if marks else "a mark (this recording has none)"
    raise InputError("at", text, f"{names}, a virtual time such as 12.5ms, or seq:N")


def _event(reader: SessionReader, text: str, seq: int) -> int:
    if not reader.first_seq <= seq <= reader.last_seq:
        raise InputError("at", text, f"seq:{reader.first_seq} to seq:{reader.last_seq}")
    return seq


def _moment(reader: SessionReader, text: str, vt: int) -> int:
    if vt > reader.last_vt:
        raise InputError("at", text, f"0s to {reader.last_vt / 1e9:.6f}s of virtual time")
    return max(reader.seq_at_vt(vt), reader.first_seq)


def telling_moment(reader: SessionReader, view: str) -> int:
    """The moment that shows most of `view`: the first statement of the device's realize, else the end."""
    name = _LANDMARKS.get(view)
    number = next((n for n, spec in reader.functions.items() if spec.name == name), -1) if name else -1
    if number >= 0:
        first = reader.first_seq
        while first <= reader.last_seq:
            rows = reader.find_events((int(EV_FRAME_ENTER),), first, reader.last_seq, 4096)
            hits = rows[rows["a0"] == number]
            if len(hits):
                return _first_statement(reader, int(hits[0]["seq"]), number)
            if len(rows) < 4096:
                break
            first = int(rows[-1]["seq"]) + 1
    return reader.last_seq


def _first_statement(reader: SessionReader, entered: int, number: int) -> int:
    """A breakpoint stops at the first statement, an event or two after the call."""
    from ringscope_core.trace.kinds import EV_FRAME_AT

    rows = reader.find_events((int(EV_FRAME_AT), int(EV_FRAME_ENTER)), entered + 1, min(entered + 8, reader.last_seq), 1)
    if len(rows) and int(rows[0]["kind"]) == EV_FRAME_AT and int(rows[0]["a0"]) == number:
        return int(rows[0]["seq"])
    return entered
