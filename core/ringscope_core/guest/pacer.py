"""When a paced workload sends: bursts at even distances of virtual time."""

from __future__ import annotations

from typing import Final, final

from mypy_extensions import i64

NS_PER_S: Final = 1_000_000_000
NO_LIMIT: Final[i64] = 0x7FFFFFFFFFFF


@final
class Pacer:
    """Tells how many frames should have gone out by now."""

    def __init__(self, rate_pps: float, burst: i64, count: i64) -> None:
        """`rate_pps` 0 is without limit; `burst` frames go together; `count` 0 is without end."""
        self.count: i64 = count
        self.burst: i64 = burst if burst > 0 else 1
        self.interval_ns: i64 = 0
        """Between two bursts, 0 for flat out."""
        if rate_pps > 0:
            interval = round(int(self.burst) * NS_PER_S / rate_pps)
            self.interval_ns = interval if interval > 0 else 1
        self.start_ns: i64 = 0

    def begin(self, start_ns: i64) -> None:
        """The first burst is due at `start_ns`."""
        self.start_ns = start_ns

    def due(self, now_ns: i64) -> i64:
        """Frames due since the start, in all."""
        if now_ns < self.start_ns:
            return 0
        due = NO_LIMIT
        if self.interval_ns:
            due = ((now_ns - self.start_ns) // self.interval_ns + 1) * self.burst
        if self.count and due > self.count:
            due = self.count
        return due

    def next_ns(self, now_ns: i64) -> i64:
        """Virtual time of the next burst after `now_ns`, -1 when all are due already."""
        if now_ns < self.start_ns:
            return self.start_ns
        if not self.interval_ns or (self.count and self.due(now_ns) >= self.count):
            return -1
        return self.start_ns + ((now_ns - self.start_ns) // self.interval_ns + 1) * self.interval_ns
