"""Densities of a recording too large to be read: from the index of its blocks at first, and block by block finer where one looks closely.

A block's events are spread evenly over its time until it has been read; then chunks of it are.  The index knows kinds and no severities:
messages and expert entries of information stand among the errors until their block has been read.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from ringscope.store import Store
    from ringscope_core.session.reader import SessionReader

PARTS: Final = 256
"""Pieces that a block is cut into when it is read."""
CLOSE: Final = 3.0
"""A block that is at least so many pixels wide is worth reading."""
KEPT: Final = 4000
"""Blocks whose pieces are kept."""

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


class _Pieces(NamedTuple):
    """Knots: at `seq` (and `vt`) so many events of each group came before, counted from the beginning of the block."""

    seq: Ints
    vt: Ints
    before: Ints


class _Index(NamedTuple):
    """One row a block."""

    first: Ints
    end: Ints
    first_vt: Ints
    last_vt: Ints
    before: Ints
    """Events by group before the block, [block, group]; one row more than there are blocks."""


class Coarse:
    """`bins` of any stretch, at once; `refine` makes it finer."""

    def __init__(self, store: Store, groups: int, group_of: Callable[[NDArray[Any]], Ints], of_events: Callable[[NDArray[np.void]], Ints]) -> None:
        self._store = store
        self._groups = groups
        self._group_of = group_of
        self._of_events = of_events
        self._index: _Index | None = None
        self._key: tuple[int, int] = (-1, -1)
        self._fine: OrderedDict[int, _Pieces] = OrderedDict()
        """By the first number of a block."""

    def _blocks(self) -> _Index:
        """The index as arrays, made anew when the recording grew."""
        reader = self._store.reader
        key = (reader.first_seq, reader.last_seq)
        if self._index is None or key != self._key:
            self._index, self._key = self._make_index(reader), key
        return self._index

    def _make_index(self, reader: SessionReader) -> _Index:
        entries = reader.block_entries()
        rows = np.array([entry[:4] for entry in entries], np.int64).reshape(-1, 4)
        kinds = sorted({kind for entry in entries for kind in entry.kinds})
        counts = np.zeros((len(entries), self._groups), np.int64)
        for kind, group in zip(kinds, self._group_of(np.array(kinds, np.int64)).tolist(), strict=True):
            counts[:, group] += np.fromiter((entry.kinds.get(kind, 0) for entry in entries), np.int64, len(entries))
        before = np.zeros((len(entries) + 1, self._groups), np.int64)
        np.cumsum(counts, axis=0, out=before[1:])
        return _Index(rows[:, 0], rows[:, 0] + rows[:, 1], rows[:, 2], rows[:, 3], before)

    # -- binning ------------------------------------------------------------------------------------------------------
    def bins(self, low: float, high: float, count: int, by_time: bool) -> Ints:
        """Events by [bin, group] in `count` equal bins from `low` to `high`."""
        index = self._blocks()
        x, y = self._knots(index, *self._visible(index, low, high, by_time), by_time)
        edges = np.linspace(low, high, count + 1)
        out = np.zeros((count, self._groups), np.int64)
        for group in range(self._groups):
            if y[-1, group] > y[0, group]:
                # any part of an event is an event that shows
                out[:, group] = np.ceil(np.diff(np.interp(edges, x, y[:, group])) - 1e-9)
        return out

    @staticmethod
    def _visible(index: _Index, low: float, high: float, by_time: bool) -> tuple[int, int]:
        """Places of the first block in sight and of the first behind."""
        begins, ends = (index.first_vt, index.last_vt) if by_time else (index.first, index.end)
        return int(np.searchsorted(ends, low, "left")), int(np.searchsorted(begins, high, "right"))

    def _knots(self, index: _Index, begin: int, end: int, by_time: bool) -> tuple[Floats, Floats]:
        """Places on the axis and events by group before them."""
        if begin >= end:
            return np.zeros(2), np.zeros((2, self._groups))
        xs: list[NDArray[Any]] = []
        ys: list[NDArray[Any]] = []
        # counted on from block to block: what was read may sort events otherwise than the index does
        at, base = begin, np.zeros(self._groups, np.int64)
        for place in [*(p for p in range(begin, end) if int(index.first[p]) in self._fine), end]:
            if place > at:
                ends = index.last_vt[at:place] + 1 if by_time else index.end[at:place]
                xs.append(np.stack((index.first_vt[at:place] if by_time else index.first[at:place], ends), 1).reshape(-1))
                ys.append(np.stack((index.before[at:place], index.before[at + 1 : place + 1]), 1).reshape(-1, self._groups) - index.before[at] + base)
                base = ys[-1][-1]
            if place < end:
                pieces = self._fine[int(index.first[place])]
                xs.append(pieces.vt if by_time else pieces.seq)
                ys.append(pieces.before + base)
                base = ys[-1][-1]
            at = place + 1
        # times stand still and a block's end is its neighbour's beginning: never backwards
        return np.maximum.accumulate(np.concatenate(xs)).astype(np.float64), np.concatenate(ys).astype(np.float64)

    # -- reading ------------------------------------------------------------------------------------------------------
    def refine(self, low: float, high: float, width: int, by_time: bool, budget_ms: float) -> tuple[bool, bool]:
        """Read blocks in sight that are wide enough, for about `budget_ms`: whether anything became finer, and whether more could."""
        index = self._blocks()
        begin, end = self._visible(index, low, high, by_time)
        if end <= begin or width / (end - begin) < CLOSE:
            return False, False
        deadline = time.perf_counter() + budget_ms / 1000
        done = False
        for place in range(begin, end):
            first, stop = int(index.first[place]), int(index.end[place])
            if first in self._fine and self._fine[first].seq[-1] == stop:
                continue
            if done and time.perf_counter() > deadline:
                return True, True
            self._fine[first] = self._read(first, stop)
            self._fine.move_to_end(first)
            if len(self._fine) > KEPT:
                self._fine.popitem(last=False)
            done = True
        return done, False

    def _read(self, first: int, end: int) -> _Pieces:
        rows = self._store.events(first, end - 1)
        step = max((end - first) // PARTS, 1)
        edges = np.arange(first, end, step)
        places = np.searchsorted(rows["seq"], edges, "left")
        part = np.clip((rows["seq"] - first) // step, 0, len(edges) - 1)
        counts = np.bincount(part * self._groups + self._of_events(rows), minlength=len(edges) * self._groups).reshape(-1, self._groups)
        before = np.zeros((len(edges) + 1, self._groups), np.int64)
        np.cumsum(counts, axis=0, out=before[1:])
        vt = rows["vt"] if len(rows) else np.zeros(1, np.int64)
        times = np.append(vt[np.minimum(places, len(vt) - 1)], vt[-1] + 1)
        return _Pieces(np.append(edges, end), times, before)
