"""Where breakpoints hit in a recording, forwards and backwards: the same events at which a live run would have stopped."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ringscope_core.query.filters import Filter
from ringscope_core.query.matching import FIELD, Bound
from ringscope_core.query.messages import Message
from ringscope_core.query.names_at import MomentVocabulary
from ringscope_core.query.point import Breakpoint
from ringscope_core.query.recording import Recording
from ringscope_core.query.writes import ZERO, value_in
from ringscope_core.session.rows import EVENT_DTYPE, Events
from ringscope_core.trace.oids import RING_BASE, RING_END

Mask = NDArray[np.bool_]
_BATCH: Final = 16384
_SMALL_BATCH: Final = 256
"""The first look: what is searched for is most often near."""


def _never() -> bool:
    return False


class Hit:
    """One match: `seq` is where a run stops, `row` the event that matched (with a field breakpoint: the write)."""

    def __init__(self, seq: int, row: Any, old: int = 0) -> None:
        self.seq: int = seq
        self.row: Any = row
        self.old: int = old


class _Search:
    """One breakpoint over one recording."""

    def __init__(self, recording: Recording, vocabulary: MomentVocabulary, point: Breakpoint) -> None:
        self._recording: Recording = recording
        self._vocabulary: MomentVocabulary = vocabulary
        vocabulary.at(recording.reader.last_seq)
        self.bound: Bound = Bound(point, vocabulary)
        self._filter: Filter | None = Filter(point.condition, vocabulary) if self.bound.condition is not None else None
        self._counted: list[tuple[int, int]] = []
        """(seq, matches up to it) as far as they were counted, for points that count."""
        self._since: int = -1
        self.cancelled: Callable[[], bool] = _never
        """Asked between arrays of events: a search that is cancelled finds nothing more."""
        self._last: dict[int, int] = {}
        """Object -> the watched value after the rows seen so far, going forwards."""

    # -- matches ------------------------------------------------------------------------------------------------------
    def matches(self, first: int, last: int, backwards: bool) -> Iterator[Hit]:
        """Every match whose stop is from number `first` to `last`, in the direction asked for."""
        bound, reader = self.bound, self._recording.reader
        if bound.point.what == "time":
            seq = reader.seq_at_vt(bound.vt - 1) if bound.vt > 0 else -1
            if 0 <= first <= seq <= last and reader.last_vt >= bound.vt:
                yield Hit(seq, reader.events(seq, seq)[0])
            return
        low, high = first - (bound.late_line >= 0), last
        limit = _SMALL_BATCH
        self._last = {}
        while low <= high and not self.cancelled():
            rows = reader.find_events(bound.kinds, low, high, limit, backwards, None if bound.point.oid < 0 else [bound.point.oid])
            for hit in self._of(rows, backwards):
                if first <= hit.seq <= last:
                    yield hit
            if len(rows) < limit:
                return
            if backwards:
                high = int(rows["seq"][0]) - 1
            else:
                low = int(rows["seq"][-1]) + 1
            limit = _BATCH

    def _of(self, rows: Events, backwards: bool) -> Iterator[Hit]:
        bound = self.bound
        if bound.firsts is not None:
            rows = rows[np.isin(rows["a0"], list(bound.firsts))]
        if bound.line >= 0:
            rows = rows[rows["a1"] == bound.line]
        olds: NDArray[np.int64] = np.zeros(len(rows), np.int64)
        if bound.name:
            rows, seen, olds = self._changes(rows, backwards)
        else:
            seen = rows
        mask = self._pass(seen)
        for place in np.flatnonzero(mask)[:: -1 if backwards else 1].tolist():
            seq = int(rows["seq"][place])
            if bound.late_line >= 0 and int(rows["a1"][place]) == bound.late_line:
                seq = self._following(seq)
            if seq >= 0:
                yield Hit(seq, rows[place], int(olds[place]))

    def _following(self, seq: int) -> int:
        """The number of the event after `seq`, -1 when there is none yet."""
        reader = self._recording.reader
        rows = reader.events(seq + 1, seq + 1)
        if len(rows) or seq >= reader.last_seq:
            return seq + 1 if len(rows) else -1
        # what followed was dropped
        rows = reader.find_events(self._recording.kinds, seq + 1, reader.last_seq, 1)
        return int(rows["seq"][0]) if len(rows) else -1

    def _pass(self, rows: Events) -> Mask:
        """Which rows are of the right object and fulfil the condition, by the names of their moments."""
        bound = self.bound
        if not len(rows):
            return np.zeros(0, bool)
        if not bound.uses_names:
            return self._filter.mask(rows) if self._filter is not None else np.ones(len(rows), bool)
        seqs = rows["seq"]
        changes = self._vocabulary.changes(int(seqs[0]) + 1, int(seqs[-1]))
        edges = [0, *np.searchsorted(seqs, changes, "left").tolist(), len(rows)]
        parts: list[Mask] = []
        for start, end in pairwise(edges):
            if end > start:
                self._vocabulary.at(int(seqs[start]))
                parts.append(self._pass_now(rows[start:end]))
        return np.concatenate(parts)

    def _pass_now(self, rows: Events) -> Mask:
        oids = np.unique(rows["obj"])
        self._vocabulary.names.rings.update(oids[(oids >= RING_BASE) & (oids < RING_END)].tolist())
        mask: Mask = np.isin(rows["obj"], [oid for oid in oids.tolist() if self.bound.is_object(oid)])
        if self._filter is not None:
            mask &= self._filter.mask(rows)
        return mask

    def _changes(self, rows: Events, backwards: bool) -> tuple[Events, Events, NDArray[np.int64]]:
        """The rows that change the watched value; the same as ``field`` events; and the values before."""
        bound = self.bound
        is_field = (rows["kind"] == FIELD) & (rows["a0"] == bound.field_id)
        keep = is_field.copy()
        new = np.where(is_field, rows["a1"], 0)
        for kind, place in bound.writes.items():
            these = rows["kind"] == kind
            keep |= these
            if place != ZERO:
                new[these] = rows[f"a{place}"][these]
        rows, new, is_field = rows[keep], new[keep], is_field[keep]
        old = self._olds(rows, new, backwards)
        old[is_field] = rows["a2"][is_field]
        changed = old != new
        rows, new, old = rows[changed], new[changed], old[changed]
        seen = np.zeros(len(rows), EVENT_DTYPE)
        for name in ("seq", "vt", "wall", "obj", "cause"):
            seen[name] = rows[name]
        seen["kind"], seen["a0"], seen["a1"], seen["a2"] = FIELD, bound.field_id, new, old
        return rows, seen, old

    def _olds(self, rows: Events, new: NDArray[np.int64], backwards: bool) -> NDArray[np.int64]:
        """The value before each write: of the write before, or of the state before where that is not among the rows."""
        old = np.zeros(len(rows), np.int64)
        order = np.lexsort((rows["seq"], rows["obj"]))
        obj = rows["obj"][order]
        same = np.concatenate(([False], obj[1:] == obj[:-1])) if len(order) else np.zeros(0, bool)
        old[order[1:]] = new[order[:-1]]
        for place in order[~same].tolist():
            oid = int(rows["obj"][place])
            if oid in self._last and not backwards:
                old[place] = self._last[oid]
            elif int(rows["kind"][place]) != FIELD:
                state = self._recording.reader.state_at(int(rows["seq"][place]) - 1)
                old[place] = value_in(state, self.bound.name, self.bound.field_id, oid)
        for place in order[np.append(~same[1:], True)].tolist() if len(order) else ():
            self._last[int(rows["obj"][place])] = int(new[place])
        return old

    # -- hits ---------------------------------------------------------------------------------------------------------
    def hits(self, first: int, last: int, backwards: bool) -> Iterator[Hit]:
        """The matches that count as hits, after `ignore` and by `every`."""
        point = self.bound.point
        if point.ignore == 0 and point.every == 1:
            # one that was set in the middle of a run hits before that too, for who goes back there
            yield from self.matches(first, last, backwards)
            return
        first = max(first, point.since)
        if first > last:
            return
        ordinal = self.count(last if backwards else first - 1)
        for hit in self.matches(first, last, backwards):
            ordinal += not backwards
            if point.stops_at(ordinal):
                yield hit
            ordinal -= backwards

    def count(self, last: int) -> int:
        """How many matches there are from the point's `since` up to number `last`."""
        point = self.bound.point
        if self._since != point.since:
            self._counted, self._since = [(point.since - 1, 0)], point.since
        place = bisect_right(self._counted, last, key=lambda entry: entry[0]) - 1
        if place < 0:
            return 0
        seq, count = self._counted[place]
        count += sum(1 for _ in self.matches(seq + 1, last, False))
        if place == len(self._counted) - 1 and last - seq >= _BATCH and not self.cancelled():
            self._counted.append((last, count))
        return count


class PointSearch:
    """Searches for breakpoints in one recording; keeps what several of them need."""

    def __init__(self, recording: Recording) -> None:
        self._recording: Recording = recording
        self.vocabulary: MomentVocabulary = MomentVocabulary(recording)
        self._searches: dict[tuple[object, ...], _Search] = {}

    def search(self, point: Breakpoint) -> _Search:
        """The search for a breakpoint; raises InputError."""
        self.vocabulary.refresh()
        key = (point.what, point.where, point.condition, point.oid)
        found = self._searches.get(key)
        if found is None:
            if len(self._searches) > 200:
                self._searches.clear()
            found = self._searches[key] = _Search(self._recording, self.vocabulary, point)
        found.bound.point = point
        return found


def search_of(recording: Recording) -> PointSearch:
    """The recording's own `PointSearch`."""
    found = recording.kept.get("breakpoints")
    if not isinstance(found, PointSearch):
        found = recording.kept["breakpoints"] = PointSearch(recording)
    return found


def find_hit(
    recording: Recording, points: Sequence[Breakpoint], from_seq: int, direction: int, cancelled: Callable[[], bool] = _never
) -> tuple[int, Breakpoint] | None:
    """The nearest hit after event `from_seq` (`direction` 1), or before it (-1): where a run stops, and at which breakpoint.

    Breakpoints that are disabled or only write messages stop nothing.  Of several at one event the first of `points` is told.
    `cancelled` is asked all the while; then there is no hit.  Raises InputError for a breakpoint that means nothing here.
    """
    reader = recording.reader
    best: tuple[int, Breakpoint] | None = None
    first, last = (from_seq + 1, reader.last_seq) if direction > 0 else (max(reader.first_seq, 0), from_seq - 1)
    for point in points:
        if not point.enabled or point.log or cancelled():
            continue
        search = search_of(recording).search(point)
        search.cancelled = cancelled
        hit = next(search.hits(first, last, direction < 0), None)
        search.cancelled = _never
        if hit is not None:
            best = (hit.seq, point)
            # another one has to be nearer
            first, last = (first, hit.seq - 1) if direction > 0 else (hit.seq + 1, last)
    return None if cancelled() else best


def log_lines(recording: Recording, point: Breakpoint, first: int, last: int, limit: int = 1000) -> list[tuple[int, int, str]]:
    """What a breakpoint with a message says from event `first` to `last`: (seq, virtual ns, text), at most `limit`.  Raises InputError."""
    searches = search_of(recording)
    search = searches.search(point)
    message = Message(point.log, search.bound)
    lines: list[tuple[int, int, str]] = []
    counts = message.counts or point.ignore or point.every > 1
    first = max(first, point.since if counts else 0, 0)
    ordinal = search.count(first - 1) if counts else 0
    for hit in search.matches(first, last, False):
        ordinal += 1
        if not point.stops_at(ordinal):
            continue
        if len(lines) >= limit:
            break
        row = search.bound.time_row(hit.seq) if search.bound.vt >= 0 else tuple(int(value) for value in hit.row.tolist())
        searches.vocabulary.at(row[0])
        lines.append((hit.seq, row[1], message.text(row, hit.old, ordinal)))
    return lines
