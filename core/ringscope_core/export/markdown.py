"""A report of a session in Markdown: what ran, what was negotiated, what the rings did, what was odd, what was noted, what is missing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ringscope_core.export.selection import FRAME_KINDS
from ringscope_core.export.tables import DIRECTIONS, percentile_ns
from ringscope_core.hw.virtio import features as feature_bits
from ringscope_core.query.decode import format_count, format_ns
from ringscope_core.trace.counters import COUNTER_NAMES
from ringscope_core.trace.kinds import ENUMS, EV_ERROR_SET, EV_EXPERT, EV_FRAME_DROP, EV_FRAME_SEEN, EV_MESSAGE, EV_VIRTIO_ERROR
from ringscope_core.trace.oids import is_ring

if TYPE_CHECKING:
    from ringscope_core.export.job import Job
    from ringscope_core.trace.state import MachineState

_LEVELS: Final = frozenset(("inuse", "available", "num"))
_MOST: Final = 200
"""Lines of one list: a report is to be read."""
_SAID: Final = ("title", "scenario", "profile", "seed", "trace", "fidelity", "source", "imported", "time", "started", "program", "id", "branch")
_ODD: Final = {int(EV_EXPERT): "expert", int(EV_VIRTIO_ERROR): "virtio error", int(EV_MESSAGE): "message", int(EV_ERROR_SET): "error"}


def feature_names() -> dict[int, str]:
    """Bit -> name of every feature that the model knows, ``VIRTIO_`` left out."""
    found = {int(value): name for name, value in vars(feature_bits).items() if re.match(r"VIRTIO_(NET_|RING_)?F_", name) and "BAD" not in name}
    return {bit: name.removeprefix("VIRTIO_") for bit, name in found.items()}


def steps(job: Job) -> int:
    """A step is an event."""
    return job.selection.size


def write(job: Job, path: Path) -> None:
    """Write the report."""
    lines = [line for part in _Report(job).parts() for line in part]
    path.write_text("\n".join(lines).rstrip() + "\n", encoding="utf-8")
    job.summary.count("report", 1)


def cell(value: object) -> str:
    """A value as a cell of a table, or in a line."""
    text = re.sub(r"[ \t\r\n\v\f]+", " ", str(value)).strip()
    return re.sub(r"([\\|`*<>\[\]])", r"\\\1", text)


def table(head: Iterable[object], rows: Iterable[Iterable[object]]) -> list[str]:
    """A table; nothing when it has no rows."""
    made = ["| " + " | ".join(map(cell, row)) + " |" for row in rows]
    names = list(head)
    return ["| " + " | ".join(map(cell, names)) + " |", "|" + " --- |" * len(names), *made, ""] if made else []


class _Report:
    """The parts of the report, over the job's selection."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._selection = job.selection
        self._recording = job.recording
        self._reader = job.recording.reader
        self._counts: dict[int, int] = {}
        self._frames: dict[tuple[int, int], list[int]] = {}
        """(direction of the ring, reason of the drop) -> frames and bytes."""
        self._odd: dict[tuple[int, str], list[int]] = {}
        """(kind, text) -> first event, its time, how many."""
        self._read_events()

    def parts(self) -> Iterator[list[str]]:
        """Every part, in the report's order."""
        yield self._head()
        yield self._ran()
        if self._selection.size:
            state = self._reader.state_at(self._selection.last)
            yield self._features(state)
            yield self._queues(state)
        yield self._counters()
        yield self._traffic()
        yield self._anomalies()
        yield self._marks()
        yield self._controls()
        yield self._losses()
        yield self._kinds()

    # -- reading ------------------------------------------------------------------------------------------------------
    def _read_events(self) -> None:
        for rows in self._selection.chunks(self._job.meter):
            for kind in set(rows["kind"].tolist()):
                some = rows[rows["kind"] == kind]
                self._counts[kind] = self._counts.get(kind, 0) + len(some)
                if kind in FRAME_KINDS:
                    self._take_frames(kind, some)
                elif kind in _ODD:
                    self._take_odd(kind, some)

    def _take_frames(self, kind: int, rows: Any) -> None:
        reasons = rows["a2"] if kind == EV_FRAME_DROP else rows["a2"] * 0 - 1
        ways = rows["a3"] if kind == EV_FRAME_DROP else rows["a2"] if kind == EV_FRAME_SEEN else rows["a3"] * 0 + FRAME_KINDS.index(kind)
        for way, reason, length in zip(ways.tolist(), reasons.tolist(), rows["a1"].tolist(), strict=True):
            found = self._frames.setdefault((way, reason), [0, 0])
            found[0] += 1
            found[1] += length

    def _take_odd(self, kind: int, rows: Any) -> None:
        decoder = self._recording.decoder
        column = "a0" if kind in (EV_VIRTIO_ERROR, EV_ERROR_SET) else "a1"
        for row in rows:
            text = decoder.text(int(row[column]))
            if kind in (EV_EXPERT, EV_MESSAGE):
                text = f"{decoder.value('enum:severity', int(row['a0']))}: {text}"
            self._odd.setdefault((kind, text), [int(row["seq"]), int(row["vt"]), 0])[2] += 1

    # -- parts --------------------------------------------------------------------------------------------------------
    def _head(self) -> list[str]:
        meta = self._reader.meta
        name = meta.get("title") or meta.get("scenario") or self._reader.path.name
        selection = self._selection
        span = f"Events {selection.first} to {selection.last}, {format_ns(max(selection.last_vt - selection.first_vt, 0))} of virtual time"
        filtered = [f"Only events that the filter `{selection.text.replace('`', chr(39))}` takes are counted.", ""] if selection.text else []
        return [f"# {cell(name)}", "", f"{span}. File: {cell(self._reader.path.name)}.", "", *filtered]

    def _ran(self) -> list[str]:
        meta = self._reader.meta
        rows = [(key, meta[key] if not isinstance(meta[key], dict) else ", ".join(f"{k}={v}" for k, v in meta[key].items())) for key in _SAID if meta.get(key)]  # type: ignore[attr-defined]
        data = meta.get("scenario_data")
        if isinstance(data, dict):
            for key in ("device", "netdev"):
                rows += [(f"-{key}", text) for text in data.get(key, ())]
            rows += [("traffic", ", ".join(f"{k}={v}" for k, v in item.items() if v not in ("", 0, False, "0s"))) for item in data.get("traffic", ())]
        return ["## What ran", "", *table(("what", "value"), rows)]

    def _value(self, state: MachineState, oid: int, name: str) -> int | None:
        return state.fields.get(oid, {}).get(self._recording.field_id(name))

    def _features(self, state: MachineState) -> list[str]:
        names = feature_names()
        found: list[str] = []
        for oid in sorted(state.fields):
            host, guest = self._value(state, oid, "VirtIODevice.host_features"), self._value(state, oid, "VirtIODevice.guest_features")
            if host is None or guest is None:
                continue
            mask = (1 << 64) - 1
            host, guest = host & mask, guest & mask
            rows = [
                (bit, names.get(bit, f"bit {bit}"), "yes" if host >> bit & 1 else "no", "yes" if guest >> bit & 1 else "no")
                for bit in range(64)
                if (host | guest) >> bit & 1
            ]
            found += [f"### {cell(self._recording.names.path(oid) or self._recording.names.name(oid))}", ""]
            status = self._value(state, oid, "VirtIODevice.status")
            words = f"offered 0x{host:x}, accepted 0x{guest:x}" + (f", device status 0x{status & 0xFF:x}" if status is not None else "")
            found += [words + ".", "", *table(("bit", "feature", "offered", "accepted"), rows)]
        return ["## Feature negotiation", "", *(found or ["Unknown: the session has no state of a virtio device.", ""])]

    def _queues(self, state: MachineState) -> list[str]:
        rows = []
        for oid, ring in sorted(state.rings.items()):
            vector = self._value(state, oid, "VirtQueue.vector")
            layout = "packed" if ring.packed else "split"
            places = (f"0x{ring.desc_gpa:x}", f"0x{ring.avail_gpa:x}", f"0x{ring.used_gpa:x}")
            rows.append((self._recording.names.path(oid), ring.num, layout, *places, "unknown" if vector is None else "none" if vector == 0xFFFF else vector))
        head = ("queue", "size", "layout", "descriptors", "driver area", "device area", "vector")
        return ["## Queues", "", *(table(head, rows) or ["Unknown: the session has no ring.", ""])]

    def _counters(self) -> list[str]:
        series = self._reader.counters(self._selection.first_vt, self._selection.last_vt)
        if not len(series.vt):
            return ["## Counters and latency", "", "No counters were sampled in this range.", ""]
        whole = self._selection.first <= self._reader.first_seq
        begin = series.values[0] * 0 if whole else series.values[0]
        counts = series.latency_at(-1) - (series.latency_at(0) * 0 if whole else series.latency_at(0))
        kept = self._selection.sampled(series.oids, -1, int(series.vt[-1]), int(series.wall[-1]))
        rings = [place for place, oid in enumerate(series.oids) if kept[place] and is_ring(oid) and series.values[-1, place].any()]
        names = [self._recording.names.ring_name(series.oids[place]) for place in rings]
        rows = []
        for number, name in enumerate(COUNTER_NAMES):
            values = [int(series.values[-1, place, number]) - (0 if name in _LEVELS else int(begin[place, number])) for place in rings]
            rows.append((name.replace("_", " ") + (" (level)" if name in _LEVELS else ""), *map(_count, values)))
        latency = []
        for place, name in zip(rings, names, strict=True):
            parts = [percentile_ns(counts[place], part) for part in (0.5, 0.9, 0.99, 1.0)]
            if parts[0] is not None:
                latency.append((name, _count(int(counts[place].sum())), *(format_ns(part) for part in parts if part is not None)))
        lines = ["## Counters and latency", "", f"Over the range, from {len(series.vt)} samples.", "", *table(("counter", *names), rows)]
        return (
            lines
            + table(("latency", "samples", "p50", "p90", "p99", "max"), latency)
            + (["Percentiles are the lower ends of buckets a quarter of an octave wide; virtual time.", ""] if latency else [])
        )

    def _traffic(self) -> list[str]:
        rows = []
        for (way, reason), (frames, size) in sorted(self._frames.items()):
            names = ENUMS["drop"]
            fate = ("seen" if way == 2 else "passed") if reason < 0 else f"dropped: {names[reason] if reason < len(names) else reason}"
            rows.append((DIRECTIONS.get(way, "direction unknown"), fate, _count(frames), _count(size)))
        return ["## Frames", "", *(table(("direction", "fate", "frames", "bytes"), rows) or ["No frame was recorded in this range.", ""])]

    def _anomalies(self) -> list[str]:
        rows = [(_ODD[kind], text, number, f"#{seq}", format_ns(vt)) for (kind, text), (seq, vt, number) in sorted(self._odd.items(), key=lambda item: item[1])]
        more = [f"{len(rows) - _MOST} more are left out.", ""] if len(rows) > _MOST else []
        lines = table(("sort", "what, and its clause", "times", "first", "at"), rows[:_MOST])
        return ["## Anomalies and messages", "", *(lines or ["None.", ""]), *more]

    def _marks(self) -> list[str]:
        marks = [(f"#{mark.seq}", format_ns(mark.vt), mark.name, mark.note) for mark in self._selection.marks()]
        notes = [note for note in self._reader.notes() if self._selection.first <= note.seq <= self._selection.last]
        lines = ["## Marks and notes", "", *(table(("event", "at", "mark", "note"), marks[:_MOST]) or ["No marks.", ""])]
        for note in notes[:_MOST]:
            lines += [f"- **#{note.seq}, {format_ns(note.vt)}**: {cell(note.text)}"]
        return [*lines, ""] if notes else lines

    def _controls(self) -> list[str]:
        rows = [
            (f"#{c.seq}", format_ns(c.vt), c.name, c.arguments or "")
            for c in self._reader.controls()
            if self._selection.first <= c.seq <= self._selection.last + 1
        ]
        return ["## Commands during the run", "", *table(("before event", "at", "command", "arguments"), rows[:_MOST])] if rows else []

    def _losses(self) -> list[str]:
        rows = [(f"#{g.first_seq} to #{g.last_seq}", _count(g.events), _count(g.packets), g.reason) for g in self._reader.gaps()]
        lines = table(("events", "lost events", "lost packets", "reason"), rows)
        if not lines:
            events, packets = self._reader.dropped
            lines = (
                [f"{events} events and {packets} packets were lost: the recorder could not keep up.", ""] if events or packets else ["Nothing was lost.", ""]
            )
        closed = [] if self._reader.meta.get("closed", True) else ["The recording was not closed: it still grows, or its writer was killed.", ""]
        return ["## Losses", "", *lines, *closed]

    def _kinds(self) -> list[str]:
        kinds = self._recording.kinds
        rows = []
        for kind, number in sorted(self._counts.items(), key=lambda item: -item[1]):
            spec = kinds.get(kind)
            rows.append((spec.name if spec else kind, spec.group if spec else "", spec.title if spec else "", _count(number)))
        return ["## Events", "", *(table(("kind", "group", "what", "events"), rows) or ["No event is in this range.", ""])]


def _count(value: int) -> str:
    return format_count(value)
