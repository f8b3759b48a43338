"""Counter samples as curves: rates over a window of time, occupancy, latency percentiles.  No Qt here.

Samples are cumulative, so a rate is a difference of two of them and an average between two markers is exact.  Arrays are
allocated ahead and doubled, never rebuilt while a recording grows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from ringscope_core.trace.counters import BUCKETS, COUNTER_NAMES, bucket_floor_ns

if TYPE_CHECKING:
    from ringscope_core.session.reader import SessionReader

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

QUANTILES: Final = (0.50, 0.90, 0.99)
COLUMN: Final[dict[str, int]] = {name: place for place, name in enumerate(COUNTER_NAMES)}
LATENCY_SAMPLES: Final = 16
"""Samples whose latencies make one percentile: at 60 a second about a quarter second."""
CHUNK: Final = 64
"""Samples whose histograms are read at a time."""
ALL: Final = slice(None)
_FOREVER: Final = 1 << 62
_EXACT: Final = 4
_EDGES: Final[Floats] = np.array([bucket_floor_ns(bucket) for bucket in range(int(BUCKETS) + 1)], np.float64)


def percentiles(counts: Ints) -> Floats:
    """p50, p90 and p99 (ns) of histograms [..., bucket], NaN for empty ones; [..., quantile].

    What is known of a duration is its bucket (a quarter octave wide), so a percentile is told as the bucket's upper bound: at
    most this.
    """
    total = counts.sum(axis=-1)
    reached = np.cumsum(counts, axis=-1).astype(np.float64)
    out = np.full((*counts.shape[:-1], len(QUANTILES)), np.nan)
    for place, quantile in enumerate(QUANTILES):
        wanted = quantile * total
        bucket = np.argmax(reached >= wanted[..., None], axis=-1)
        # the first buckets hold one whole ns each
        bound = np.where(bucket < _EXACT, _EDGES[bucket], _EDGES[bucket + 1])
        out[..., place] = np.where(total > 0, bound, np.nan)
    return out


class Samples:
    """Everything the plots need of a recording, growing with it."""

    def __init__(self) -> None:
        self.count: int = 0
        self.oids: list[int] = []
        self._vt: Ints = np.zeros(1024, np.int64)
        self._wall: Ints = np.zeros(1024, np.int64)
        self._values: Ints = np.zeros((1024, 0, len(COUNTER_NAMES)), np.int64)
        self._latency: Floats = np.zeros((1024, 0, len(QUANTILES)))
        self._latency_from: int = 0
        """Samples before this have no percentiles yet; they are filled from the newest back."""
        self._latency_upto: int = 0

    # -- growing --------------------------------------------------------------------------------------------------------------
    def extend(self, reader: SessionReader) -> bool:
        """Take the samples that came since; true when there were any."""
        last_vt = int(self._vt[self.count - 1]) if self.count else -1
        series = reader.counters(max(last_vt, 0), _FOREVER)
        known = int(np.count_nonzero(self._vt[: self.count] == last_vt)) if self.count else 0
        new = len(series.vt) - known
        if new <= 0:
            return False
        self._make_room(self.count + new, list(series.oids))
        part = slice(self.count, self.count + new)
        self._vt[part], self._wall[part] = series.vt[known:], series.wall[known:]
        for place, oid in enumerate(series.oids):
            self._values[part, self.oids.index(oid)] = series.values[known:, place]
        self.count += new
        return True

    def _make_room(self, count: int, oids: list[int]) -> None:
        size, rings = len(self._vt), len(self.oids)
        self.oids.extend(oid for oid in oids if oid not in self.oids)
        while size < count:
            size *= 2
        if size == len(self._vt) and rings == len(self.oids):
            return
        held = self.count
        vt, wall, values, latency = self._vt, self._wall, self._values, self._latency
        self._vt, self._wall = np.zeros(size, np.int64), np.zeros(size, np.int64)
        self._values = np.zeros((size, len(self.oids), len(COUNTER_NAMES)), np.int64)
        self._latency = np.full((size, len(self.oids), len(QUANTILES)), np.nan)
        self._vt[:held], self._wall[:held] = vt[:held], wall[:held]
        self._values[:held, :rings], self._latency[:held, :rings] = values[:held], latency[:held]

    def fill_latency(self, reader: SessionReader, chunks: int) -> bool:
        """Compute percentiles of at most `chunks` chunks that lack them, newest first; true when some were."""
        done = False
        for _ in range(chunks):
            if self._latency_upto < self.count:
                first = max(self._latency_upto, self.count - CHUNK)
                if self._latency_upto < first or self._latency_upto == 0:
                    self._latency_from = first
                self._fill(reader, first, self.count)
                self._latency_upto = self.count
            elif self._latency_from > 0:
                first = max(0, self._latency_from - CHUNK)
                self._fill(reader, first, self._latency_from)
                self._latency_from = first
            else:
                break
            done = True
        return done

    def _fill(self, reader: SessionReader, first: int, last: int) -> None:
        """Percentiles of samples `first` to `last` (not included)."""
        before = max(0, first - LATENCY_SAMPLES)
        series = reader.counters(int(self._vt[before]), int(self._vt[last - 1]))
        histograms = series.latency
        # samples that share the first one's virtual time may come before it
        skip = before - int(np.searchsorted(self._vt[: self.count], self._vt[before], "left"))
        histograms = histograms[skip : skip + last - before]
        places = np.arange(first, last) - before
        earlier = places - LATENCY_SAMPLES
        base = np.where((earlier >= 0)[:, None, None], histograms[np.maximum(earlier, 0)], 0 if before == 0 else histograms[0])
        result = percentiles(histograms[places] - base)
        for place, oid in enumerate(series.oids):
            self._latency[first:last, self.oids.index(oid)] = result[:, place]

    # -- curves ---------------------------------------------------------------------------------------------------------------
    def time_s(self, wall: bool) -> Floats:
        """Times of all samples in seconds since the run began, on the wall's or the virtual clock."""
        return (self._wall if wall else self._vt)[: self.count] / 1e9

    def column(self, oid: int, name: str) -> Ints:
        """A counter of a ring at all samples."""
        return self._values[: self.count, self.oids.index(oid), COLUMN[name]]

    def latency_ns(self, oid: int, place: int) -> Floats:
        """A percentile (place in `QUANTILES`) of a ring at all samples, NaN where nothing completed."""
        return self._latency[: self.count, self.oids.index(oid), place]

    def window_starts(self, times: Floats, window_s: float, part: slice = ALL) -> Ints:
        """For each sample of `part` the one that a rate over `window_s` is taken against: the nearest to that age, at least one earlier."""
        wanted = times[part] - window_s
        after = np.minimum(np.searchsorted(times, wanted, "left"), len(times) - 1)
        before = np.maximum(after - 1, 0)
        places = np.where(wanted - times[before] < times[after] - wanted, before, after)
        return np.maximum(np.minimum(places, np.arange(len(times))[part] - 1), 0)

    def rate(self, oid: int, name: str, times: Floats, starts: Ints, part: slice = ALL) -> Floats:
        """A counter's growth per second over the window at the samples of `part`, NaN where no time passed."""
        values = self.column(oid, name)
        elapsed = times[part] - times[starts]
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(elapsed > 0, (values[part] - values[starts]) / elapsed, np.nan)

    def occupancy(self, oid: int) -> Floats:
        """Percent of the ring that is available to or in flight in the device, NaN where the ring is not set up."""
        num = self.column(oid, "num").astype(np.float64)
        busy = self.column(oid, "available") + self.column(oid, "inuse")
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(num > 0, 100.0 * busy / num, np.nan)

    def place_at(self, seconds: float, wall: bool) -> int:
        """The last sample at or before a time, -1 when there is none."""
        return int(np.searchsorted(self.time_s(wall), seconds, "right")) - 1
