"""Which events are where: one entry a block, kept while the file grows."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from itertools import pairwise
from typing import NamedTuple

import msgspec

from ringscope_core.session.blocks import MAX_BLOCK_ROWS


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
    """Entries in order of their events.  Only the last block of a growing file is ever replaced."""

    def __init__(self) -> None:
        self.entries: list[BlockEntry] = []
        self._firsts: list[int] = []
        self._counts: Counter[int] = Counter()
        self.event_count: int = 0

    @property
    def resume_at(self) -> int:
        """First number of the last block: what to read again when the file grew; -1 for all."""
        return self._firsts[-1] if self._firsts else -1

    def put(self, first_seq: int, count: int, first_vt: int, last_vt: int, last_wall: int, kinds: str) -> bool:
        """Add or replace the last entry; returns whether that was news.  Raises ValueError for impossible rows."""
        entry = BlockEntry(first_seq, count, first_vt, last_vt, last_wall, msgspec.json.decode(kinds, type=dict[int, int]))
        if not 0 < count <= MAX_BLOCK_ROWS or first_seq < 0 or sum(entry.kinds.values()) != count or min(entry.kinds.values()) < 0:
            raise ValueError(f"block {first_seq} of {count} events")
        if self.entries and first_seq == self._firsts[-1]:
            if count == self.entries[-1].size:
                return False
            self._drop_last()
        if self.entries and first_seq <= self.entries[-1].last_seq:
            raise ValueError(f"block {first_seq} overlaps the one before")
        self.entries.append(entry)
        self._firsts.append(first_seq)
        self._counts.update(entry.kinds)
        self.event_count += count
        return True

    def _drop_last(self) -> None:
        entry = self.entries.pop()
        self._firsts.pop()
        self._counts.subtract(entry.kinds)
        self.event_count -= entry.size

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
        return [(before.last_seq, after.first_seq) for before, after in pairwise(self.entries) if after.first_seq != before.last_seq + 1]

    def at_vt(self, vt: int) -> int:
        """Place of the last entry that begins at or before `vt`, -1 for none."""
        return bisect_right(self.entries, vt, key=lambda entry: entry.first_vt) - 1
