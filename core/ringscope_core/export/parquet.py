"""Parquet: a folder that many sessions share, as one table for DuckDB, Spark and the like.

    OUT/events/session=ID/second=0/part-0.parquet

The folders' names carry the columns `session` and `second` (virtual seconds, at the beginning of the partition's span), as Hive names them.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ringscope_core.export.event_columns import TEXT, UNSIGNED, EventColumns, Texts
from ringscope_core.export.tables import BYTES, COLUMNS, INT, rows_of
from ringscope_core.scenario.errors import InputError
from ringscope_core.scenario.units import duration_ns

if TYPE_CHECKING:
    from ringscope_core.export.job import Job
    from ringscope_core.export.selection import Selection
    from ringscope_core.query.recording import Recording
    from ringscope_core.session.rows import Events

NS: Final = 1_000_000_000
NEEDED: Final = "pyarrow, of the extra ringscope[parquet]: pip install 'ringscope[parquet]'"


def span_ns(text: str) -> int:
    """ns of virtual time that a partition holds: whole seconds.  Raises InputError."""
    found = duration_ns("partition", text)
    if found < NS or found % NS:
        raise InputError("partition", text, "whole seconds, such as 10s or 1m")
    return found


def arrow() -> Any:
    """The pyarrow module; raises InputError where it is not installed."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise InputError("format", "parquet", NEEDED) from None
    return pyarrow


def session_id(meta: dict[str, object], name: str) -> str:
    """What the session's partitions are named after: its id, else the name of its file."""
    text = str(meta.get("id") or name)
    return "".join(c if c.isalnum() or c in "-_." else "_" for c in text)


def write(job: Job, path: Path) -> None:
    """Write each table into its folder under `path`."""
    pa = arrow()
    span = span_ns(job.options["partition"])
    name = session_id(job.recording.reader.meta, job.recording.reader.path.stem)
    for what in job.whats:
        folder = path / what / f"session={name}"
        parts = _Partitions(pa, folder, span)
        try:
            for vt, table in _events(pa, job) if what == "events" else _table(pa, job, what):
                parts.put(vt, table)
                job.summary.count(what, table.num_rows)
        finally:
            parts.close()


def folders(recording: Recording, whats: Iterable[str], target: Path) -> list[Path]:
    """The folders under `target` that are this session's."""
    name = session_id(recording.reader.meta, recording.reader.path.stem)
    return [target / what / f"session={name}" for what in whats]


def check_free(job: Job, target: Path, force: bool) -> None:
    """Raises InputError when the shared folder has this session already."""
    for part in folders(job.recording, job.whats, target):
        if part.exists() and not force:
            raise InputError("output", str(part), "a folder without this session, or --force to replace it")


def merge(made: Path, target: Path) -> None:
    """Move the sessions' folders under `made` into the shared folder `target`, in place of those that are there."""
    for folder in sorted(made.glob("*/session=*")):
        place = target / folder.relative_to(made)
        place.parent.mkdir(parents=True, exist_ok=True)
        if place.exists():
            shutil.rmtree(place)
        folder.rename(place)


class _Partitions:
    """One open file: what comes is in order of time, but for a clock that an odd recording turns back."""

    def __init__(self, pa: Any, folder: Path, span: int) -> None:
        self._pa, self._folder, self._span = pa, folder, span
        self._second: int = -1
        self._numbers: dict[int, int] = {}
        self._writer: Any = None

    def put(self, vt: Any, table: Any) -> None:
        """Rows with their times."""
        seconds = vt // self._span * (self._span // NS)
        edges = [0, *(np.flatnonzero(np.diff(seconds)) + 1).tolist(), len(seconds)]
        for start, end in pairwise(edges):
            if end > start:
                self._into(int(seconds[start]), table.schema).write_table(table.slice(start, end - start))

    def _into(self, second: int, schema: Any) -> Any:
        if self._writer is None or second != self._second:
            self.close()
            folder = self._folder / f"second={second}"
            folder.mkdir(parents=True, exist_ok=True)
            number = self._numbers.get(second, 0)
            self._numbers[second] = number + 1
            self._second = second
            self._writer = self._pa.parquet.ParquetWriter(folder / f"part-{number}.parquet", schema, compression="zstd")
        return self._writer

    def close(self) -> None:
        """End the open file."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None


# -- events -----------------------------------------------------------------------------------------------------------
def _events(pa: Any, job: Job) -> Iterator[tuple[Any, Any]]:
    columns = _EventArrays(pa, job.selection)
    for rows in job.selection.chunks(job.meter):
        yield rows["vt"], columns.table(rows)


class _EventArrays:
    """Events as columns, without a step a row."""

    def __init__(self, pa: Any, selection: Selection) -> None:
        self._pa = pa
        self._recording = selection.recording
        self._layout = EventColumns(self._recording.kinds)
        self._texts = Texts(self._recording, str)
        self._words = pa.dictionary(pa.int32(), pa.string())
        types = {TEXT: self._words, UNSIGNED: pa.uint64()}
        fixed = [("seq", pa.int64()), ("vt_ns", pa.int64()), ("wall_ns", pa.int64()), ("kind", self._words), ("group", self._words)]
        fixed += [("oid", pa.int32()), ("object", self._words), ("cause", pa.int64())]
        arguments = [pa.field(c.name, types.get(c.sort, pa.int64()), metadata={"unit": " ".join(c.units)}) for c in self._layout.columns]
        self.schema = pa.schema([pa.field(name, kind) for name, kind in fixed] + arguments)

    def table(self, rows: Events) -> Any:
        """`rows` as an Arrow table."""
        pa, kinds = self._pa, self._recording.kinds
        numbers = rows["kind"]
        columns = [pa.array(rows[name]) for name in ("seq", "vt", "wall")]
        columns.append(self._dictionary(numbers, lambda kind: kinds[kind].name if kind in kinds else str(kind)))
        columns.append(self._dictionary(numbers, lambda kind: kinds[kind].group if kind in kinds else ""))
        columns += [pa.array(rows["obj"]), self._dictionary(rows["obj"], self._texts.object_name), pa.array(rows["cause"])]
        wanted: dict[int, list[tuple[int, str, str]]] = {}
        for kind in np.unique(numbers).tolist():
            for place, column, unit in self._layout.places.get(kind, []):
                wanted.setdefault(place, []).append((kind, column, unit))
        for place, column_spec in enumerate(self._layout.columns):
            kind_of_column = self.schema.field(len(columns)).type
            if place not in wanted:
                columns.append(pa.nulls(len(rows), kind_of_column))
            else:
                columns.append(self._argument(rows, wanted[place], column_spec.sort))
        return pa.Table.from_arrays(columns, schema=self.schema)

    def _argument(self, rows: Events, sources: list[tuple[int, str, str]], sort: str) -> Any:
        empty = np.ones(len(rows), bool)
        values = np.zeros(len(rows), np.int64)
        texts: dict[tuple[str, int], int] = {}
        for kind, column, unit in sources:
            where = rows["kind"] == kind
            empty &= ~where
            if sort != TEXT:
                values[where] = rows[column][where]
                continue
            found, inverse = np.unique(rows[column][where], return_inverse=True)
            places = [texts.setdefault((unit, value), len(texts)) for value in found.tolist()]
            values[where] = np.array(places, np.int64)[inverse]
        if sort == TEXT:
            words = [self._texts.of(unit, value) for unit, value in texts]
            return self._pa.DictionaryArray.from_arrays(self._pa.array(values.astype(np.int32), mask=empty), self._pa.array(words, self._pa.string()))
        return self._pa.array(values.astype(np.uint64) if sort == UNSIGNED else values, mask=empty)

    def _dictionary(self, numbers: Any, name: Any) -> Any:
        found, inverse = np.unique(numbers, return_inverse=True)
        return self._pa.DictionaryArray.from_arrays(
            self._pa.array(inverse.astype(np.int32)), self._pa.array([name(number) for number in found.tolist()], self._pa.string())
        )


# -- everything else --------------------------------------------------------------------------------------------------
def _table(pa: Any, job: Job, what: str) -> Iterator[tuple[Any, Any]]:
    names = [column.name for column in COLUMNS[what]]
    types = {INT: pa.int64(), BYTES: pa.binary()}
    schema = pa.schema([pa.field(column.name, types.get(column.sort, pa.string())) for column in COLUMNS[what]])
    time = names.index("vt_ns")
    for batch in rows_of(what, job.selection, job.meter):
        if batch:
            cells = list(zip(*batch, strict=True))
            yield np.array(cells[time], np.int64), pa.Table.from_arrays([pa.array(list(c), f.type) for c, f in zip(cells, schema, strict=True)], schema=schema)
