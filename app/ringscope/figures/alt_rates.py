"""Packets and bits per second of both directions at a moment, as the Throughput view tells them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from ringscope_core.query.quantities import si
from ringscope_core.trace.counters import COUNTER_NAMES

if TYPE_CHECKING:
    from ringscope_core.query.recording import Recording

_WINDOW_NS: Final = 100_000_000
"""What the view averages over."""
_PACKETS: Final = COUNTER_NAMES.index("packets")
_BYTES: Final = COUNTER_NAMES.index("bytes")


class Rates(NamedTuple):
    """Growth of the counters of both directions over `elapsed_ns`: (packets, bytes)."""

    tx: tuple[int, int]
    rx: tuple[int, int]
    elapsed_ns: int

    def packets(self, way: str) -> str:
        """Packets per second with their unit."""
        return si(getattr(self, way)[0] * 1e9 / self.elapsed_ns, "pps")

    def bits(self, way: str) -> str:
        """Bits per second with their unit."""
        return si(8 * getattr(self, way)[1] * 1e9 / self.elapsed_ns, "bit/s")


def rates(recording: Recording, vt: int) -> Rates | None:
    """The rates up to the last sample at or before `vt`, ns; None before there are two samples."""
    series = recording.reader.counters(0, vt, 0)
    if len(series.vt) < 2:
        return None
    last = len(series.vt) - 1
    ages = np.abs(series.vt[:last] - (int(series.vt[last]) - _WINDOW_NS))
    first = int(np.argmin(ages))
    elapsed = int(series.vt[last] - series.vt[first])
    if elapsed <= 0:
        return None
    sums = {"tx": (0, 0), "rx": (0, 0)}
    for place, oid in enumerate(series.oids):
        way = recording.names.ring_name(oid)[:2]
        if way in sums:
            grown = series.values[last, place] - series.values[first, place]
            sums[way] = (sums[way][0] + int(grown[_PACKETS]), sums[way][1] + int(grown[_BYTES]))
    return Rates(sums["tx"], sums["rx"], elapsed)
