"""Counter samples read so far, in arrays that grow by doubling, so that a plot of the last minute costs no query."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ringscope_core.session.rows import Ints
from ringscope_core.trace.counters import COUNTER_NAMES


class CounterStore:
    """[time, ring, counter] of all samples; a ring gets its column when it first appears."""

    def __init__(self) -> None:
        self.oids: list[int] = []
        self.count: int = 0
        self._samples: Ints = np.zeros(64, np.int64)
        self._vt: Ints = np.zeros(64, np.int64)
        self._wall: Ints = np.zeros(64, np.int64)
        self._values: Ints = np.zeros((64, 0, len(COUNTER_NAMES)), np.int64)

    @property
    def last_sample(self) -> int:
        """Number of the last sample, 0 for none."""
        return int(self._samples[self.count - 1]) if self.count else 0

    @property
    def first_vt(self) -> int:
        """Virtual time of the first sample, 0 for none."""
        return int(self._vt[0]) if self.count else 0

    @property
    def last_vt(self) -> int:
        """Virtual time of the last sample, 0 for none."""
        return int(self._vt[self.count - 1]) if self.count else 0

    @property
    def last_wall(self) -> int:
        """Wall time of the last sample, 0 for none."""
        return int(self._wall[self.count - 1]) if self.count else 0

    def put(self, sample: int, vt: int, wall: int, oid: int, values: Sequence[int] | Ints) -> None:
        """One ring's row; the rows of a sample come together, samples in order.  Raises ValueError."""
        if not self.count or sample != self.last_sample:
            if self.count and (sample < self.last_sample or vt < int(self._vt[self.count - 1])):
                raise ValueError(f"counter sample {sample} is out of order")
            self._append(sample, vt, wall)
        column = self._column(oid)
        self._values[self.count - 1, column] = values

    def _append(self, sample: int, vt: int, wall: int) -> None:
        if self.count == len(self._samples):
            self._samples = np.concatenate((self._samples, np.zeros_like(self._samples)))
            self._vt = np.concatenate((self._vt, np.zeros_like(self._vt)))
            self._wall = np.concatenate((self._wall, np.zeros_like(self._wall)))
            self._values = np.concatenate((self._values, np.zeros_like(self._values)))
        self._samples[self.count], self._vt[self.count], self._wall[self.count] = sample, vt, wall
        self.count += 1

    def _column(self, oid: int) -> int:
        if oid not in self.oids:
            if len(self.oids) >= 4096:
                raise ValueError("counters of too many rings")
            self.oids.append(oid)
            more = np.zeros((len(self._samples), 1, len(COUNTER_NAMES)), np.int64)
            self._values = np.concatenate((self._values, more), axis=1)
        return self.oids.index(oid)

    def between(self, first_vt: int, last_vt: int) -> tuple[Ints, Ints, Ints, Ints]:
        """Samples, vt, wall, values of the samples from `first_vt` to `last_vt` inclusive; views, not copies."""
        vt = self._vt[: self.count]
        low = int(np.searchsorted(vt, first_vt, "left"))
        high = int(np.searchsorted(vt, last_vt, "right"))
        return self._samples[low:high], vt[low:high], self._wall[low:high], self._values[low:high]
