"""JSON lines: a header that says what follows and in which words, then one object a line.

Arguments stand under their names as people read them; ``raw`` holds the six integers of the log (without zeros at the end), so that `from_json_lines`
makes the same events of them.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from ringscope_core.export.event_columns import TEXT, UNSIGNED, Texts, sort_of
from ringscope_core.export.tables import COLUMNS, counter_samples, rows_of
from ringscope_core.query.decode import ARGS, unit_of_field
from ringscope_core.query.recording import arguments_of
from ringscope_core.trace.counters import COUNTER_NAMES
from ringscope_core.trace.kinds import EV_FIELD, EV_FRAME_ENTER

if TYPE_CHECKING:
    from ringscope_core.export.job import Job
    from ringscope_core.query.recording import Recording
    from ringscope_core.session.rows import Events, Ints
    from ringscope_core.trace.state import MachineState

FORMAT: Final = "ringscope json lines"
VERSION: Final = 1


def write(job: Job, path: Path) -> None:
    """Write the tables one after the other into one file."""
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(_dump(header_of(job)) + "\n")
        for what in job.whats:
            for number, lines in _WRITERS.get(what, _table)(job, what):
                file.write(lines)
                job.summary.count(what, number)


def _dump(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def header_of(job: Job) -> dict[str, Any]:
    """The first line: what the session says of itself, what is in the file, and the tables that its numbers are read by."""
    recording = job.recording
    used = recording.event_counts()
    return {
        "type": "header",
        "format": FORMAT,
        "version": VERSION,
        "meta": recording.reader.meta,
        "whats": list(job.whats),
        "first_seq": job.selection.first,
        "last_seq": job.selection.last,
        "filter": job.selection.text,
        "kinds": {spec.name: [number, [list(arg) for arg in spec.args]] for number, spec in sorted(recording.kinds.items()) if number in used},
        "functions": {str(number): spec.name for number, spec in recording.functions.items()} if int(EV_FRAME_ENTER) in used else {},
        "fields": {str(number): f"{spec.struct}.{spec.name}" for number, spec in recording.fields.items()} if int(EV_FIELD) in used else {},
        "strings": recording.strings,
        "types": recording.reader.types,
    }


# -- events -----------------------------------------------------------------------------------------------------------
def _events(job: Job, what: str) -> Iterator[tuple[int, str]]:
    lines = _Lines(job.recording)
    reader, before = job.recording.reader, job.selection.first - 1
    if not job.selection.text and before >= reader.first_seq and job.selection.size:
        # the events of a range fold to states only from the state that they begin in
        state = reader.state_at(before)
        yield 0, _keyframe(before, state.vt, state.wall, state)
    for rows in job.selection.chunks(job.meter):
        yield len(rows), "".join(lines.of(rows))


class _Lines:
    """Events as lines, through one pattern a kind."""

    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        self._texts = Texts(recording, _dump)
        self._patterns: dict[int, tuple[str, list[tuple[str, str]]]] = {}

    def of(self, rows: Events) -> list[str]:
        """The line of each row, in order."""
        kinds = rows["kind"]
        lines: list[str] = [""] * len(rows)
        for kind in set(kinds.tolist()):
            where = (kinds == kind).nonzero()[0]
            for place, line in zip(where.tolist(), self._kind(kind, rows[where]), strict=True):
                lines[place] = line
        return lines

    def _kind(self, kind: int, rows: Events) -> Iterator[str]:
        found = self._patterns.get(kind)
        if found is None:
            found = self._patterns[kind] = self._pattern(kind)
        pattern, arguments = found
        names = [self._texts.object_name(oid) for oid in rows["obj"].tolist()]
        cells: list[list[Any]] = [rows["seq"].tolist(), rows["vt"].tolist(), rows["wall"].tolist(), rows["obj"].tolist(), names, rows["cause"].tolist()]
        if kind == EV_FRAME_ENTER:
            cells.append([self._call(row) for row in rows])
        elif kind == EV_FIELD:
            cells.append([self._field(row) for row in rows])
        else:
            cells += [self._values(rows[column], unit) for column, unit in arguments]
        cells.append(_raw(rows))
        return (pattern % values for values in zip(*cells, strict=True))

    def _pattern(self, kind: int) -> tuple[str, list[tuple[str, str]]]:
        spec = self._recording.kinds.get(kind)
        name = spec.name if spec else str(kind)
        if kind in (EV_FRAME_ENTER, EV_FIELD):
            inner, arguments = "%s", []
        else:
            args = spec.args if spec else ()
            inner = "{" + ",".join(f"{_dump(arg.name)}:%s" for arg in args) + "}"
            arguments = [(column, arg.unit) for column, arg in zip(ARGS, args, strict=False)]
        start = f'{{"type":"event","seq":%d,"vt":%d,"wall":%d,"kind":{_dump(name)},"oid":%d,"object":%s,"cause":%d,"args":'
        return start + inner + ',"raw":[%s]}\n', arguments

    def _values(self, column: Ints, unit: str) -> list[Any]:
        sort = sort_of(unit)
        if sort == TEXT:
            return [self._texts.of(unit, value) for value in column.tolist()]
        if unit == "bool":
            return ["true" if value else "false" for value in column.tolist()]
        return list(column.astype("u8").tolist() if sort == UNSIGNED else column.tolist())

    def _call(self, row: Any) -> str:
        values = arguments_of(row)
        args = {name: text for name, text, _ in self._recording.decoder.call_arguments(values[0], values[2:])}
        return _dump({"fn": self._recording.decoder.function(values[0]), "line": values[1], "call": args})

    def _field(self, row: Any) -> str:
        number, value, old = (int(row[name]) for name in ARGS[:3])
        decoder, spec = self._recording.decoder, self._recording.fields.get(number)
        if spec is not None and unit_of_field(spec) == "str":
            return _dump({"field": decoder.field_name(number), "value": decoder.text(value), "old": decoder.text(old)})
        return _dump({"field": decoder.field_name(number), "value": value, "old": old})


def _raw(rows: Events) -> list[str]:
    """a0..a5 without the zeros at the end."""
    found: list[str] = []
    for values in zip(*(rows[name].tolist() for name in ARGS), strict=True):
        end = 6
        while end and not values[end - 1]:
            end -= 1
        found.append(",".join(map(str, values[:end])))
    return found


# -- everything else --------------------------------------------------------------------------------------------------
def _table(job: Job, what: str) -> Iterator[tuple[int, str]]:
    """Packets, marks and states: a row's cells under the names of the columns."""
    kind = what.removesuffix("s")
    names = [column.name for column in COLUMNS[what]]
    for batch in rows_of(what, job.selection, job.meter):
        lines = [
            _dump({"type": kind, **{name: cell.hex() if isinstance(cell, bytes) else cell for name, cell in zip(names, row, strict=True)}}) + "\n"
            for row in batch
        ]
        yield len(lines), "".join(lines)


def _counters(job: Job, what: str) -> Iterator[tuple[int, str]]:
    """Samples with their whole histograms: bucket -> count."""
    name = job.recording.names.name
    for vt, wall, oid, values, latency in counter_samples(job.selection, job.meter):
        counts = {str(bucket): int(latency[bucket]) for bucket in latency.nonzero()[0].tolist()}
        row = {"type": "counter", "vt_ns": vt, "wall_ns": wall, "oid": oid, "ring": name(oid), **dict(zip(COUNTER_NAMES, values, strict=True))}
        yield 1, _dump({**row, "latency": counts}) + "\n"


def _states(job: Job, what: str) -> Iterator[tuple[int, str]]:
    """Fields in words, and, unfiltered, the keyframes themselves (msgpack in base64), of which an import makes keyframes again."""
    yield from _table(job, what)
    if job.selection.text:
        return
    for seq, vt, wall in job.recording.reader.keyframes().tolist():
        if job.selection.first <= seq <= job.selection.last:
            yield 0, _keyframe(seq, vt, wall, job.recording.reader.keyframe_state(seq))


def _keyframe(seq: int, vt: int, wall: int, state: MachineState) -> str:
    return _dump({"type": "keyframe", "seq": seq, "vt": vt, "wall": wall, "state": b64encode(msgspec.msgpack.encode(state.to_plain())).decode()}) + "\n"


_WRITERS: Final = {"events": _events, "counters": _counters, "states": _states}
