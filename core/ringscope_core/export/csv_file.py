"""CSV (RFC 4180): a header line, then a line a row; numbers in decimal, bytes in hexadecimal, unknown as nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ringscope_core.export.event_columns import FIXED, TEXT, UNSIGNED, EventColumns, Texts, sort_of
from ringscope_core.export.tables import COLUMNS, Cell, rows_of
from ringscope_core.query.recording import arguments_of

if TYPE_CHECKING:
    from ringscope_core.export.job import Job
    from ringscope_core.export.selection import Selection
    from ringscope_core.session.rows import Events, Ints

_SPECIAL: Final = frozenset(',"\r\n')


def write(job: Job, path: Path) -> None:
    """Write one table of the session."""
    what = job.whats[0]
    with path.open("w", encoding="utf-8", newline="") as file:
        if what == "events":
            lines = _Lines(job.selection, job.options["text"] == "yes")
            file.write(",".join(lines.header) + "\r\n")
            for rows in job.selection.chunks(job.meter):
                file.write("".join(lines.of(rows)))
                job.summary.count(what, len(rows))
            return
        file.write(",".join(column.name for column in COLUMNS[what]) + "\r\n")
        for batch in rows_of(what, job.selection, job.meter):
            file.writelines(",".join(map(_cell, row)) + "\r\n" for row in batch)
            job.summary.count(what, len(batch))


def quoted(text: str) -> str:
    """A text as a cell."""
    return '"' + text.replace('"', '""') + '"' if not _SPECIAL.isdisjoint(text) else text


def _cell(value: Cell) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return quoted(value)
    return value.hex() if isinstance(value, bytes) else str(value)


class _Lines:
    """Events as lines, through one pattern a kind: a million events pass in seconds."""

    def __init__(self, selection: Selection, text: bool) -> None:
        self._recording = selection.recording
        self._columns = EventColumns(self._recording.kinds)
        self._texts = Texts(self._recording, quoted)
        self._text = text
        self._patterns: dict[int, str] = {}
        self.header: list[str] = [*FIXED, *(column.name for column in self._columns.columns), *(["description"] if text else [])]

    def of(self, rows: Events) -> Iterator[str]:
        """The line of each row, in order."""
        kinds = rows["kind"]
        lines: list[str] = [""] * len(rows)
        for kind in set(kinds.tolist()):
            where = (kinds == kind).nonzero()[0]
            for place, line in zip(where.tolist(), self._kind(kind, rows[where]), strict=True):
                lines[place] = line
        return iter(lines)

    def _kind(self, kind: int, rows: Events) -> Iterator[str]:
        pattern = self._patterns.get(kind) or self._pattern(kind)
        names = [self._texts.object_name(oid) for oid in rows["obj"].tolist()]
        cells: list[list[int] | list[str]] = [rows["seq"].tolist(), rows["vt"].tolist(), rows["wall"].tolist(), rows["obj"].tolist(), names]
        cells.append(rows["cause"].tolist())
        for _, column, unit in sorted(self._columns.places.get(kind, [])):
            cells.append(self._values(rows[column], unit))
        if self._text:
            cells.append([quoted(self._recording.decoder.describe(kind, arguments_of(row))) for row in rows])
        return (pattern % values for values in zip(*cells, strict=True))

    def _values(self, column: Ints, unit: str) -> list[int] | list[str]:
        sort = sort_of(unit)
        if sort == TEXT:
            return [self._texts.of(unit, value) for value in column.tolist()]
        return list[int](column.astype("u8").tolist() if sort == UNSIGNED else column.tolist())

    def _pattern(self, kind: int) -> str:
        spec = self._recording.kinds.get(kind)
        name, group = (spec.name, spec.group) if spec else (str(kind), "")
        used = {place: "%s" for place, _, _ in self._columns.places.get(kind, [])}
        tail = "".join("," + used.get(place, "") for place in range(len(self._columns.columns)))
        found = f"%d,%d,%d,{name},{group},%d,%s,%d{tail}{',%s' if self._text else ''}\r\n"
        self._patterns[kind] = found
        return found
