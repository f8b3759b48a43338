"""Packets, counters, marks and states as rows of one shape, whatever the format."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final, NamedTuple

from ringscope_core.trace.counters import COUNTER_NAMES, bucket_floor_ns
from ringscope_core.trace.kinds import ENUMS, EV_FRAME_DROP
from ringscope_core.trace.oids import is_ring, ring_bdf

if TYPE_CHECKING:
    from ringscope_core.export.request import Meter
    from ringscope_core.export.selection import Frame, Selection
    from ringscope_core.session.rows import Ints

INT: Final = "int"
TEXT: Final = "text"
BYTES: Final = "bytes"
DIRECTIONS: Final[Mapping[int, str]] = {0: "tx", 1: "rx"}
Cell = int | str | bytes | None
Row = tuple[Cell, ...]


class TableColumn(NamedTuple):
    """A column: its name, and what its cells are."""

    name: str
    sort: str


def _columns(text: str) -> tuple[TableColumn, ...]:
    return tuple(TableColumn(*word.split(":")) for word in text.split())


COLUMNS: Final[Mapping[str, tuple[TableColumn, ...]]] = {
    "packets": _columns(
        "packet:int seq:int vt_ns:int wall_ns:int direction:text pci:text queue:int ring:text head:int length:int event:text drop_reason:text"
        " virtio_net_hdr:bytes data:bytes"
    ),
    "counters": _columns(
        f"vt_ns:int wall_ns:int oid:int ring:text {' '.join(f'{name}:int' for name in COUNTER_NAMES)} latency_p50_ns:int latency_p90_ns:int latency_p99_ns:int"
    ),
    "marks": _columns("mark:int seq:int vt_ns:int name:text note:text"),
    "states": _columns("seq:int vt_ns:int wall_ns:int oid:int object:text qom_type:text field:text ctype:text value:int text:text"),
}
"""Columns of each table, in order."""


def rows_of(what: str, selection: Selection, meter: Meter) -> Iterator[list[Row]]:
    """The rows of `what`, some at a time."""
    if what == "packets":
        for frames in selection.frames(meter):
            yield [_packet(selection, frame) for frame in frames]
    elif what == "counters":
        yield from _counters(selection, meter)
    elif what == "marks":
        yield [tuple(mark) for mark in selection.marks()]
    else:
        yield from _states(selection, meter)


def steps_of(what: str, selection: Selection) -> int:
    """How many steps of progress `rows_of` counts."""
    if what == "packets":
        first, last = selection.packet_span()
        return max(last - first + 1, 0)
    if what == "counters":
        return len(selection.recording.reader.counters(selection.first_vt, selection.last_vt, most=0).vt)
    if what == "states":
        return len(_keyframes(selection))
    return 0 if what == "marks" else selection.size


# -- packets ----------------------------------------------------------------------------------------------------------
def pci_name(bdf: int) -> str:
    """``00:03.0``."""
    return f"{bdf >> 8:02x}:{(bdf >> 3) & 31:02x}.{bdf & 7}"


def ring_of(selection: Selection, frame: Frame) -> int:
    """The ring that a frame passed, 0 when it is not known: the object of its event."""
    return int(frame.event["obj"]) if frame.event is not None and is_ring(int(frame.event["obj"])) else 0


def drop_reason(frame: Frame) -> str | None:
    """Why a frame was dropped, None when it was not."""
    if frame.event is None or frame.event["kind"] != EV_FRAME_DROP:
        return None
    names = ENUMS["drop"]
    reason = int(frame.event["a2"])
    return names[reason] if 0 <= reason < len(names) else str(reason)


def _packet(selection: Selection, frame: Frame) -> Row:
    row, header, data = frame.packet
    oid = ring_of(selection, frame)
    event = selection.recording.kinds.get(int(frame.event["kind"])) if frame.event is not None else None
    return (
        row.id,
        row.seq,
        row.vt,
        row.wall,
        DIRECTIONS.get(row.direction, "unknown"),
        pci_name(int(ring_bdf(oid))) if oid else None,
        row.queue if row.queue >= 0 else None,
        selection.recording.names.name(oid) if oid else None,
        row.head if row.head >= 0 else None,
        row.length,
        event.name if event else None,
        drop_reason(frame),
        header,
        data,
    )


# -- counters ---------------------------------------------------------------------------------------------------------
def counter_samples(selection: Selection, meter: Meter) -> Iterator[tuple[int, int, int, list[int], Ints]]:
    """(vt, wall, ring, values, histogram) of every sample that the filter takes."""
    series = selection.recording.reader.counters(selection.first_vt, selection.last_vt, most=0)
    for place in range(len(series.vt)):
        vt, wall = int(series.vt[place]), int(series.wall[place])
        kept = selection.sampled(series.oids, -1, vt, wall)
        latency = series.latency_at(place)
        for ring, oid in enumerate(series.oids):
            values = series.values[place, ring].tolist()
            if kept[ring] and any(values):
                yield vt, wall, oid, values, latency[ring]
        meter.add(1)


def percentile_ns(counts: Ints, part: float) -> int | None:
    """The lower end, ns, of the bucket in which `part` of a histogram's counts are reached; None for an empty one."""
    total = int(counts.sum())
    if not total:
        return None
    return bucket_floor_ns(int((counts.cumsum() >= part * total).argmax()))


def _counters(selection: Selection, meter: Meter) -> Iterator[list[Row]]:
    batch: list[Row] = []
    name = selection.recording.names.name
    for vt, wall, oid, values, latency in counter_samples(selection, meter):
        batch.append((vt, wall, oid, name(oid), *values, percentile_ns(latency, 0.5), percentile_ns(latency, 0.9), percentile_ns(latency, 0.99)))
        if len(batch) >= 4096:
            yield batch
            batch = []
    yield batch


# -- states -----------------------------------------------------------------------------------------------------------
def _keyframes(selection: Selection) -> list[tuple[int, int, int]]:
    frames = selection.recording.reader.keyframes()
    return [row for row in frames.tolist() if selection.first <= row[0] <= selection.last]


def _states(selection: Selection, meter: Meter) -> Iterator[list[Row]]:
    """At each keyframe the fields that are not as they were at the one before; at the first, all."""
    recording = selection.recording
    before: dict[int, dict[int, int]] = {}
    for seq, vt, wall in _keyframes(selection):
        state = recording.reader.keyframe_state(seq)
        oids = list(state.fields)
        kept = [oid for oid, taken in zip(oids, selection.sampled(oids, seq, vt, wall), strict=True) if taken]
        batch: list[Row] = []
        for oid in kept:
            known = before.get(oid, {})
            for number, value in state.fields[oid].items():
                if known.get(number) == value:
                    continue
                spec = recording.fields.get(number)
                text = recording.decoder.field_value(number, value)
                field, ctype = recording.decoder.field_name(number), spec.ctype if spec else ""
                batch.append((seq, vt, wall, oid, recording.names.name(oid), recording.names.type_name(oid), field, ctype, value, text))
        before = {oid: dict(state.fields[oid]) for oid in kept}
        if batch:
            yield batch
        meter.add(1)
