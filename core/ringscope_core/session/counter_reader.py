"""Reads counter samples: the newest stay in memory, older ones come when asked for.

A run of ten minutes has 36,000 samples of each ring.  Opening reads the last few thousand; a longer time answers with every n-th
sample of it, which is exact all the same, for counters only grow.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from ringscope_core.session import latency
from ringscope_core.session.counter_store import CounterStore
from ringscope_core.session.rows import CounterSeries, Ints
from ringscope_core.trace.counters import COUNTER_NAMES

MOST_SAMPLES: Final = 4096
"""Samples of an answer about the past, and samples in memory at the beginning."""
_COLUMNS: Final = f"sample, vt, wall, oid, {', '.join(COUNTER_NAMES)}"
_SELECT_NEW: Final = f"SELECT {_COLUMNS} FROM counter WHERE sample > ? ORDER BY sample, oid"
_SELECT_SOME: Final = f"SELECT {_COLUMNS} FROM counter WHERE sample BETWEEN ? AND ? AND (sample - ?) % ? = 0 ORDER BY sample, oid"


Load = Callable[[int, int], dict[int, dict[int, Ints]]]


class CounterReader:
    """Answers for times; `query` runs a statement, `guarded_load` is `load_latency` where wrong contents raise SessionError."""

    def __init__(self, query: Callable[..., list[Any]], guarded_load: Load) -> None:
        self._query: Callable[..., list[Any]] = query
        self._guarded_load: Load = guarded_load
        self._recent: CounterStore = CounterStore()
        self._first: int = 0
        """The first sample in memory, 0 for none yet."""
        self._last: tuple[tuple[int, int, int], CounterStore] | None = None
        """The last answer about the past."""

    @property
    def last_vt(self) -> int:
        """Virtual time of the last sample, 0 for none."""
        return self._recent.last_vt

    @property
    def last_wall(self) -> int:
        """Wall time of the last sample, 0 for none."""
        return self._recent.last_wall

    def refresh(self) -> bool:
        """Take what came since; true when something did."""
        if not self._recent.count:
            newest = self._bound("max")
            self._first = max(newest - MOST_SAMPLES + 1, self._bound("min"))
        rows = self._query(_SELECT_NEW, max(self._recent.last_sample, self._first - 1))
        _put(self._recent, rows)
        return bool(rows)

    def _bound(self, which: str) -> int:
        return int(self._query(f"SELECT coalesce({which}(sample), 0) FROM counter")[0][0])

    def count(self) -> int:
        """How many samples there are."""
        return int(self._query("SELECT count(DISTINCT sample) FROM counter")[0][0]) if self._first > 1 else self._recent.count

    def between(self, first_vt: int, last_vt: int, most: int = MOST_SAMPLES) -> CounterSeries:
        """The samples from virtual time `first_vt` to `last_vt`, ns, both included; of many more than `most` every n-th, 0 is all."""
        store = self._recent
        if self._first > 1 and store.count and first_vt < store.first_vt:
            store = self._past(first_vt, last_vt, most)
        samples, vt, wall, values = store.between(first_vt, last_vt)
        return CounterSeries(vt, wall, list(store.oids), values, samples, self._guarded_load)

    def _past(self, first_vt: int, last_vt: int, most: int) -> CounterStore:
        first, last = self._place(first_vt), self._place(last_vt)
        step = max((last - first) // most, 1) if most > 0 else 1
        if self._last is None or self._last[0] != (first, last, step):
            store = CounterStore()
            _put(store, self._query(_SELECT_SOME, first, last, first, step))
            self._last = ((first, last, step), store)
        return self._last[1]

    def _place(self, wanted_vt: int) -> int:
        """The last sample at or before that time; the first where there is none."""
        low, high = self._bound("min"), self._recent.last_sample
        while low < high:
            middle = (low + high + 1) // 2
            rows = self._query("SELECT sample, vt FROM counter WHERE sample >= ? ORDER BY sample LIMIT 1", middle)
            if rows and int(rows[0][1]) <= wanted_vt and int(rows[0][0]) <= high:
                low = int(rows[0][0])
            else:
                high = middle - 1
        return low

    def load_latency(self, first: int, last: int) -> dict[int, dict[int, Ints]]:
        """The histograms of samples `first` to `last`, by sample and ring."""
        out: dict[int, dict[int, Ints]] = {}
        for sample, oid, blob in self._query("SELECT sample, oid, latency FROM counter WHERE sample BETWEEN ? AND ?", first, last):
            out.setdefault(sample, {})[oid] = latency.decode(blob)
        return out


def _put(store: CounterStore, rows: list[Any]) -> None:
    for sample, vt, wall, oid, *values in rows:
        store.put(sample, vt, wall, oid, values)
