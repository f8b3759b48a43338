"""Which events are where: one entry a block, kept while the file grows."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any, Final, NamedTuple

import msgspec

from ringscope_core.session.blocks import MAX_BLOCK_ROWS

_PIECES: Final = 64
"""More pieces than a writer ever leaves at the end."""


class BlockEntry(NamedTuple):
    """A block of consecutive events; `size` says how many, `kinds` counts them by kind."""

    first_seq: int
    size: int
    first_vt: int
    last_vt: int
    last_wall: int
    kinds: dict[int, int]

    @property
    def last_seq(self) -> int:
        """Number of its last event."""
        return self.first_seq + self.size - 1


class BlockIndex:
    """Entries in order of their events.  In a growing file the last ones are pieces of a block to come, and the oldest may go."""

    def __init__(self) -> None:
        self.entries: list[BlockEntry] = []
        self._firsts: list[int] = []
        self._counts: Counter[int] = Counter()
        self._holes: list[tuple[int, int]] = []
        self.event_count: int = 0

    @property
    def resume_at(self) -> int:
        """First number of what a writer may still put together: where to read again when the file grew; -1 for all."""
        place = len(self.entries)
        while place and self.entries[place - 1].size < MAX_BLOCK_ROWS and len(self.entries) - place < _PIECES:
            place -= 1
        return self._firsts[min(place, len(self.entries) - 1)] if self.entries else -1

    def replace(self, first: int, last: int, rows: Iterable[Sequence[Any]]) -> bool:
        """Let the entries that begin with events `first` to `last` be `rows`, in order; whether that changed anything."""
        low, high = bisect_left(self._firsts, first), bisect_right(self._firsts, last)
        fresh = [self._entry(*row) for row in rows]
        if fresh == self.entries[low:high]:
            return False
        for entry in self.entries[low:high]:
            self._counts.subtract(entry.kinds)
            self.event_count -= entry.size
        self.entries[low:high] = fresh
        self._firsts[low:high] = [entry.first_seq for entry in fresh]
        for entry in fresh:
            self._counts.update(entry.kinds)
            self.event_count += entry.size
        since = max(low - 1, 0)
        holes: list[tuple[int, int]] = []
        for before, after in pairwise(self.entries[since:]):
            if after.first_seq <= before.last_seq:
                raise ValueError(f"block {after.first_seq} overlaps the one before")
            if after.first_seq != before.last_seq + 1:
                holes.append((before.last_seq, after.first_seq))
        known = bisect_right(self._holes, self.entries[since].first_seq, key=lambda hole: hole[1]) if self.entries else 0
        self._holes = self._holes[:known] + holes
        return True

    @staticmethod
    def _entry(first_seq: int, count: int, first_vt: int, last_vt: int, last_wall: int, kinds: str) -> BlockEntry:
        entry = BlockEntry(first_seq, count, first_vt, last_vt, last_wall, msgspec.json.decode(kinds, type=dict[int, int]))
        if not 0 < count <= MAX_BLOCK_ROWS or first_seq < 0 or sum(entry.kinds.values()) != count or min(entry.kinds.values()) < 0:
            raise ValueError(f"block {first_seq} of {count} events")
        return entry

    def counts(self) -> dict[int, int]:
        """Events by kind."""
        return {kind: n for kind, n in sorted(self._counts.items()) if n}

    def covering(self, first: int, last: int) -> range:
        """Places of the entries that hold events from number `first` to `last`."""
        start = max(bisect_right(self._firsts, first) - 1, 0)
        if self.entries and start < len(self.entries) and self.entries[start].last_seq < first:
            start += 1
        return range(start, bisect_right(self._firsts, last))

    def holes(self) -> list[tuple[int, int]]:
        """Numbers around each stretch of missing events: the last before it, the first behind it."""
        return self._holes

    def at_vt(self, vt: int) -> int:
        """Place of the last entry that begins at or before `vt`, -1 for none."""
        return bisect_right(self.entries, vt, key=lambda entry: entry.first_vt) - 1
