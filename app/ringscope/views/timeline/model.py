"""How many events of each group happened when: counted once, in chunks, and binned for any stretch of the recording."""

from __future__ import annotations

import time
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ringscope.store import Store
from ringscope.views.timeline.coarse import Coarse
from ringscope_core.trace.kinds import ENUMS

CHUNK: Final = 256
"""Events a chunk: 40 000 chunks stand for ten million events."""
STRIDE: Final = 8192
"""Events read at a time: a block of the file."""
COUNTED: Final = 4_000_000
"""A recording of more events, when it is opened, is not read whole: the index of its blocks tells how many were when."""
DIRECT: Final = 24_000
"""A stretch of at most this many events is binned from the events themselves."""

RUN: Final = "run"
"""The group of what is said for information: only warnings and errors stand in the track of errors."""
INFO: Final = ENUMS["severity"].index("info")

Counts = NDArray[np.int32]


class Density:
    """Counts by chunk and group, growing with the recording.

    `counts` is [chunk, group]; chunk n holds the events numbered ``first + CHUNK * n`` and on.  `vt` is the virtual time of a chunk's
    first event; a chunk whose events were all dropped has the time of the one before.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        kinds = store.reader.kinds
        self.groups: list[str] = list(dict.fromkeys(spec.group for _, spec in sorted(kinds.items())))
        self._group_of = np.full(max([*kinds, 0]) + 2, len(self.groups) - 1, np.int64)
        for number, spec in kinds.items():
            self._group_of[number] = self.groups.index(spec.group)
        self._told: list[int] = [number for number, spec in kinds.items() if spec.args and spec.args[0].name == "severity"]
        """Kinds whose first number is a severity: information is no error, it belongs to the run."""
        self._run: int = self.groups.index(RUN) if RUN in self.groups else -1
        self.first = 0
        self.chunks = 0
        self._counts: Counts = np.zeros((1024, max(len(self.groups), 1)), np.int32)
        self._vt: NDArray[np.int64] = np.zeros(1024, np.int64)
        self.next_seq = -1
        """The first event not yet counted."""
        self.coarse: Coarse | None = (
            Coarse(store, max(len(self.groups), 1), self.groups_of, self.groups_of_events) if store.reader.event_count > COUNTED else None
        )
        """Densities of a recording that is too large to be read whole."""
        self.finer = 0
        """Counts the times that a stretch became finer."""

    @property
    def counts(self) -> Counts:
        """Counts by chunk and group."""
        return self._counts[: self.chunks]

    @property
    def vt(self) -> NDArray[np.int64]:
        """Virtual time, ns, at which each chunk begins."""
        return self._vt[: self.chunks]

    def advance(self, budget_ms: float) -> bool:
        """Count what is new, for about `budget_ms`; true when anything was counted."""
        store = self._store
        if store.last_seq < 0:
            return False
        if self.coarse is not None:
            news = self.next_seq != store.last_seq + 1
            self.first, self.next_seq = store.first_seq, store.last_seq + 1
            return news
        if self.next_seq < 0:
            self.first = self.next_seq = store.first_seq
        deadline = time.perf_counter() + budget_ms / 1000
        before = self.next_seq
        while self.next_seq <= store.last_seq and (self.next_seq == before or time.perf_counter() < deadline):
            end = min(self.next_seq + STRIDE - 1, store.last_seq)
            self._count(store.events(self.next_seq, end))
            self.next_seq = end + 1
        return self.next_seq != before

    def _count(self, rows: NDArray[np.void]) -> None:
        if not len(rows):
            return
        chunk = (rows["seq"] - self.first) // CHUNK
        low, high = int(chunk[0]), int(chunk[-1])
        self._reserve(high + 1)
        width = len(self.groups)
        flat = (chunk - low) * width + self.groups_of_events(rows)
        self._counts[low : high + 1] += np.bincount(flat, minlength=(high - low + 1) * width).reshape(-1, width).astype(np.int32)
        fresh = max(self.chunks, low)
        if self.chunks:
            self._vt[self.chunks : fresh] = self._vt[self.chunks - 1]
        if high >= fresh:
            starts = np.searchsorted(chunk, np.arange(fresh, high + 1), "left")
            self._vt[fresh : high + 1] = rows["vt"][starts]
        self.chunks = max(self.chunks, high + 1)

    def groups_of(self, kinds: NDArray[Any]) -> NDArray[np.int64]:
        """The group's place of each of `kinds`."""
        found: NDArray[np.int64] = self._group_of[np.clip(kinds, 0, len(self._group_of) - 1)]
        return found

    def groups_of_events(self, rows: NDArray[np.void]) -> NDArray[np.int64]:
        """The group's place of each event: its kind's, but what is said for information belongs to the run."""
        found = self.groups_of(rows["kind"])
        if self._run >= 0:
            found[np.isin(rows["kind"], self._told) & (rows["a0"] == INFO)] = self._run
        return found

    def refine(self, low: float, high: float, width: int, by_time: bool, budget_ms: float) -> bool:
        """Of a recording that is not counted whole: read what is looked at closely; true when there is more to read."""
        if self.coarse is None:
            return False
        first, last = self._range(low, high, by_time)
        if last - first <= DIRECT:
            return False
        news, more = self.coarse.refine(low, high, width, by_time, budget_ms)
        self.finer += news
        return more

    def totals(self) -> list[int]:
        """Events by group over the whole recording.  One too large to be read whole counts information by its kind, as an error."""
        store = self._store
        counts = np.zeros(max(len(self.groups), 1), np.int64)
        found = store.reader.event_counts()
        np.add.at(counts, self.groups_of(np.array(list(found), np.int64)), np.array(list(found.values()), np.int64))
        if self.coarse is None and self._run >= 0 and store.last_seq >= 0:
            rows = store.reader.find_events(self._told, store.first_seq, store.last_seq, COUNTED)
            np.add.at(counts, self.groups_of_events(rows), 1)
            np.subtract.at(counts, self.groups_of(rows["kind"]), 1)
        totals: list[int] = counts[: len(self.groups)].tolist()
        return totals

    def _reserve(self, chunks: int) -> None:
        size = len(self._vt)
        if chunks <= size:
            return
        while size < chunks:
            size *= 2
        counts = np.zeros((size, self._counts.shape[1]), np.int32)
        counts[: self.chunks] = self.counts
        vt = np.zeros(size, np.int64)
        vt[: self.chunks] = self.vt
        self._counts, self._vt = counts, vt

    # -- binning ------------------------------------------------------------------------------------------------------
    def bins(self, low: float, high: float, count: int, by_time: bool) -> NDArray[np.int64]:
        """Events by [bin, group] in `count` equal bins from `low` to `high`: virtual ns when `by_time`, else numbers."""
        width = max(len(self.groups), 1)
        if count <= 0 or high <= low or not (self.chunks or self.coarse):
            return np.zeros((max(count, 0), width), np.int64)
        first, last = self._range(low, high, by_time)
        if self.coarse is not None and last - first > DIRECT:
            return self.coarse.bins(low, high, count, by_time)
        if last - first <= DIRECT:
            rows = self._store.events(first, last)
            at: NDArray[Any] = rows["vt"] if by_time else rows["seq"]
            weights = None
            group = self.groups_of_events(rows)
        else:
            begin, end = max((first - self.first) // CHUNK, 0), (last - self.first) // CHUNK + 1
            part = self._counts[begin:end]
            base = self._vt[begin:end] if by_time else self.first + CHUNK * np.arange(begin, begin + len(part)) + CHUNK // 2
            at = np.repeat(base, width)
            group = np.tile(np.arange(width), len(part))
            weights = part.reshape(-1)
        place = np.floor((at - low) * (count / (high - low))).astype(np.int64)
        inside = (place >= 0) & (place < count)
        flat = place[inside] * width + group[inside]
        summed = np.bincount(flat, None if weights is None else weights[inside], count * width)
        return summed.reshape(count, width).astype(np.int64)

    def _range(self, low: float, high: float, by_time: bool) -> tuple[int, int]:
        """The numbers of the events from `low` to `high`, to within a chunk."""
        store = self._store
        if not by_time:
            return max(int(low), self.first), min(int(high), store.last_seq)
        if self.coarse is not None:
            return store.reader.seq_at_vt(int(low)), store.reader.seq_at_vt(int(high))
        begin = max(int(np.searchsorted(self.vt, low, "left")) - 1, 0)
        end = int(np.searchsorted(self.vt, high, "right"))
        return self.first + begin * CHUNK, min(self.first + end * CHUNK, self._store.last_seq)
