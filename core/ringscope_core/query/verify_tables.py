"""What must hold of the tables beside the events: packets and their bytes, counters, marks, totals."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

import numpy as np

from ringscope_core.query.event_check import Finding
from ringscope_core.session.errors import SessionError
from ringscope_core.trace.counters import COUNTER_NAMES

if TYPE_CHECKING:
    from ringscope_core.session.reader import SessionReader

_LEVELS: Final = ("inuse", "available", "num")
"""Counters that may fall."""
_PACKETS: Final = 4096
"""So many frames are in memory."""


def check_places(reader: SessionReader) -> Iterator[Finding]:
    """Whether marks, controls, logs and notes stand where events are, and keyframes stand in order."""
    try:
        rows = [("mark", row.id, row.seq) for row in reader.marks()]
        rows += [("control", row.id, row.seq) for row in reader.controls()]
        rows += [("log", row.id, row.seq) for row in reader.logs()]
        rows += [("note", row.id, row.seq) for row in reader.notes()]
    except SessionError as error:
        yield Finding("tables", -1, error.reason)
        return
    for what, number, seq in rows:
        # a control names the event that comes next, which may not have come
        if not -1 <= seq <= reader.last_seq + 1:
            yield Finding("tables", seq, f"{what} {number} is at event {seq}, the last one is {reader.last_seq}")
    keyframes = reader.keyframes()
    for seq in keyframes["seq"][keyframes["seq"] > reader.last_seq][:3]:
        yield Finding("keyframes", int(seq), f"a keyframe is after event {seq}, the last event is {reader.last_seq}")
    for name in ("vt", "wall"):
        for place in np.flatnonzero(np.diff(keyframes[name]) < 0)[:3]:
            seq = int(keyframes["seq"][place + 1])
            yield Finding("keyframes", seq, f"keyframe after event {seq}: its {name} lies before the one of the keyframe before it")


def check_counters(reader: SessionReader) -> Iterator[Finding]:
    """Whether every counter only grows."""
    series = reader.counters(0, reader.last_vt, most=0)
    grows = [place for place, name in enumerate(COUNTER_NAMES) if name not in _LEVELS]
    falls = np.argwhere(np.diff(series.values[:, :, grows], axis=0) < 0)
    for time, ring, column in falls[:5]:
        vt = int(series.vt[time + 1])
        yield Finding("counters", -1, f"counter {COUNTER_NAMES[grows[column]]} of ring {series.oids[ring]:#x} falls at {vt} ns")
    if len(falls) > 5:
        yield Finding("counters", -1, f"{len(falls) - 5} more counters fall")


def check_packets(reader: SessionReader) -> Iterator[Finding]:
    """Whether packets are numbered without a hole that no loss explains, stand where events are, and have their bytes."""
    last_vt = last_id = missing = 0
    lost = sum(gap.packets for gap in reader.gaps()) + reader.dropped[1]
    # frames are handed on a little before the events that tell of them: a killed writer may have written the ones without the others
    newest = reader.last_seq + 1 if reader.meta.get("closed") is True else 1 << 62
    for start in range(1, reader.packet_count + 1, _PACKETS):
        try:
            frames = reader.frames(start, min(start + _PACKETS - 1, reader.packet_count))
        except SessionError as error:
            yield Finding("packets", -1, f"packets {start} and after: {error.reason}")
            continue
        for row, _, frame in frames:
            missing += row.id - last_id - 1
            last_id = row.id
            if row.vt < last_vt:
                yield Finding("packets", row.seq, f"packet {row.id}: its time falls")
            last_vt = max(row.vt, last_vt)
            if not -1 <= row.seq <= newest:
                yield Finding("packets", row.seq, f"packet {row.id} is at event {row.seq}, the last one is {reader.last_seq}")
            if len(frame) != row.length:
                yield Finding("packets", row.seq, f"packet {row.id} has not the bytes that it says")
    if missing > lost:
        yield Finding("packets", -1, f"{missing} packet numbers are missing, {lost} are declared lost")
