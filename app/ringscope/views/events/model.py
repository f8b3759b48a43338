"""Rows of the events table: the whole recording by number, or the numbers that a filter takes."""

from __future__ import annotations

import time
from collections import OrderedDict
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ringscope.core_words import heard
from ringscope.store import Store
from ringscope.theme import LIGHT, Theme
from ringscope.widgets.row_list import Column, Line
from ringscope.words import later, t
from ringscope_core.query.decode import format_clock, format_count
from ringscope_core.query.filters import Filter
from ringscope_core.query.recording import arguments_of
from ringscope_core.session.errors import SessionError
from ringscope_core.session.rows import GAP_BOUND, GAP_DAMAGED, GAP_FULL, GAP_SLOW
from ringscope_core.trace.kinds import ENUMS, EV_EXPERT, EV_MESSAGE

COLUMNS: Final = (
    Column(later("Event"), 80, True),
    Column(later("Time (s)"), 96, True),
    Column(later("Group"), 88),
    Column(later("Kind"), 142),
    Column(later("Object"), 116),
    Column(later("Cause"), 74, True),
    Column(later("Arguments"), 400),
)
SWATCH: Final = 2
SCAN: Final = 8192
"""Events the filter looks at in one go: a block of the file."""
_LINES_KEPT: Final = 4096


REASONS: Final = {
    GAP_BOUND: later("the oldest went to keep the recording within its size"),
    GAP_SLOW: later("the disk was too slow"),
    GAP_FULL: later("the disk was full"),
    GAP_DAMAGED: later("damaged in the file"),
}


class Stretches:
    """Rows of a recording that may have holes: a row for each event, and one for each hole.

    `holes` are the last event before and the first behind each, in order.
    """

    def __init__(self, first: int, holes: list[tuple[int, int]], last: int) -> None:
        self._key = (first, tuple(holes), last)
        seqs, rows = [first], [0]
        for before, after in holes:
            # the hole's own row stands for the first number in it
            rows += [rows[-1] + before - seqs[-1] + 1, rows[-1] + before - seqs[-1] + 2]
            seqs += [before + 1, after]
        self._seqs: NDArray[np.int64] = np.array(seqs, np.int64)
        self._firsts: NDArray[np.int64] = np.array(rows, np.int64)
        self.count: int = int(self._firsts[-1]) + last - seqs[-1] + 1 if last >= 0 else 0

    def is_of(self, first: int, holes: list[tuple[int, int]], last: int) -> bool:
        """Whether it was made of these."""
        return self._key[0] == first and self._key[2] == last and len(self._key[1]) == len(holes) and self._key[1] == tuple(holes)

    def seq_of(self, row: int) -> int:
        """The event in `row`, or the first that is missing there."""
        place = int(np.searchsorted(self._firsts, row, "right")) - 1
        return int(self._seqs[place]) + row - int(self._firsts[place])

    def row_of(self, seq: int) -> int:
        """The row of event `seq`, or of the hole that it is in."""
        place = int(np.searchsorted(self._seqs, seq, "right")) - 1
        # every other stretch is a hole, of one row
        return int(self._firsts[place]) + (0 if place % 2 else seq - int(self._seqs[place]))


class EventRows:
    """A `RowSource`.  Without a filter a row is an event, and each stretch of missing ones a row of its own; with one, row n is the n-th taken."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.theme: Theme = LIGHT
        self.filter: Filter | None = None
        self._taken: NDArray[np.int64] = np.zeros(0, np.int64)
        self._taken_count = 0
        self._scanned = -1
        """The last event that the filter has looked at."""
        self._lines: OrderedDict[int, Line] = OrderedDict()
        self._stretches: Stretches = Stretches(0, [], -1)

    # -- filtering ------------------------------------------------------------------------------------------------------
    def set_filter(self, text: str) -> None:
        """Show what `text` takes; raises FilterError."""
        self.filter = Filter(text, self.store.recording) if text else None
        self._taken = np.zeros(1024, np.int64)
        self._taken_count = 0
        self._scanned = self.store.first_seq - 1

    def forget(self) -> None:
        """Another recording is in the store."""
        self._lines.clear()
        self.set_filter(self.filter.text if self.filter else "")

    def advance(self, budget_ms: float) -> bool:
        """Filter more events for about `budget_ms`; true when that found any."""
        if self.filter is None or self._scanned >= self.store.last_seq:
            return False
        deadline = time.perf_counter() + budget_ms / 1000
        before, start = self._taken_count, self._scanned
        while self._scanned < self.store.last_seq and (self._scanned == start or time.perf_counter() < deadline):
            end = min(self._scanned + SCAN, self.store.last_seq)
            rows = self.store.events(self._scanned + 1, end)
            self._keep(rows["seq"][self.filter.mask(rows)])
            self._scanned = end
        return self._taken_count != before

    def _keep(self, seqs: NDArray[np.int64]) -> None:
        need = self._taken_count + len(seqs)
        if need > len(self._taken):
            grown = np.zeros(max(need, 2 * len(self._taken)), np.int64)
            grown[: self._taken_count] = self._taken[: self._taken_count]
            self._taken = grown
        self._taken[self._taken_count : need] = seqs
        self._taken_count = need

    @property
    def unfinished(self) -> bool:
        """Whether events remain that the filter has not looked at."""
        return self.filter is not None and self._scanned < self.store.last_seq

    # -- rows -----------------------------------------------------------------------------------------------------------
    def count(self) -> int:
        """Rows now."""
        if self.filter is not None:
            return self._taken_count
        return self._rows().count

    def seq_of(self, row: int) -> int:
        """The event in `row`."""
        return int(self._taken[row]) if self.filter is not None else self._rows().seq_of(row)

    def row_of(self, seq: int) -> int:
        """The row of event `seq`, of the one before it when it is filtered away; -1 when there is none."""
        if self.filter is None:
            return self._rows().row_of(seq) if self.store.first_seq <= seq <= self.store.last_seq else -1
        return int(np.searchsorted(self._taken[: self._taken_count], seq, "right")) - 1

    def lines(self, first: int, count: int) -> list[Line]:
        """Rows as texts; formatted ones are kept, for scrolling back."""
        last = min(first + count, self.count())
        wanted = [self.seq_of(row) for row in range(max(first, 0), last)]
        missing = [seq for seq in wanted if seq not in self._lines]
        note = t("not recorded")
        if missing:
            try:
                self._format(missing)
            except SessionError:
                note = t("damaged in the file")
        found = [self._lines.get(seq) or Line((str(seq), "", "", note, *self._missing(seq)), None, True) for seq in wanted]
        while len(self._lines) > _LINES_KEPT:
            self._lines.popitem(last=False)
        return found

    def _rows(self) -> Stretches:
        store = self.store
        if not self._stretches.is_of(store.first_seq, store.reader.holes(), store.last_seq):
            self._stretches = Stretches(store.first_seq, store.reader.holes(), store.last_seq)
        return self._stretches

    def _missing(self, seq: int) -> tuple[str, ...]:
        """What is to be said of a row without an event, behind its note."""
        for before, after in self.store.reader.holes():
            if before < seq < after:
                gap = next((gap for gap in self.store.reader.gaps() if gap.first_seq <= seq <= gap.last_seq), None)
                count = after - before - 1
                words = t("{n} event up to {last}" if count == 1 else "{n} events up to {last}", n=format_count(count), last=after - 1)
                return "", "", f"{words}: {t(REASONS.get(gap.reason, gap.reason))}" if gap is not None else words
        return ()

    def _format(self, seqs: list[int]) -> None:
        spread = seqs[-1] - seqs[0] > 4 * len(seqs) + SCAN
        rows = [row for seq in seqs for row in self.store.events(seq, seq)] if spread else list(self.store.events(seqs[0], seqs[-1]))
        wanted = set(seqs)
        for row in rows:
            seq = int(row["seq"])
            if seq in wanted:
                self._lines[seq] = self._line(seq, row)

    def _line(self, seq: int, row: np.void) -> Line:
        store = self.store
        number = int(row["kind"])
        spec = store.kind(number)
        cause = int(row["cause"])
        texts = (
            str(seq),
            format_clock(int(row["vt"])),
            t(spec.group) if spec else "",
            spec.name if spec else t("kind {number}", number=number),
            store.name_of(int(row["obj"])),
            str(cause) if cause >= 0 else "",
            heard(store.decoder.describe(number, arguments_of(row))),
        )
        severity = severity_of(number, row)
        return Line(texts, self.theme.severity(severity) if severity else self.theme.group(spec.group if spec else ""))

    def set_theme(self, theme: Theme) -> None:
        """Swatches in the new colours."""
        self.theme = theme
        self._lines.clear()


def severity_of(kind: int, row: np.void) -> str:
    """How bad an entry of the expert list or a message is; empty for other kinds of events."""
    if kind not in (EV_EXPERT, EV_MESSAGE):
        return ""
    names = ENUMS["severity"]
    return names[int(row["a0"])] if 0 <= int(row["a0"]) < len(names) else ""
