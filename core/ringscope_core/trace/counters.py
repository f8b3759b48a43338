"""Counters of one ring, kept at every trace level, and a latency histogram cheap enough to be always on."""

from __future__ import annotations

from typing import Final, final

from librt.vecs import vec
from mypy_extensions import i64

SUB_BITS: Final[i64] = 2
BUCKETS: Final[i64] = 160
"""Four buckets an octave: 40 octaves of ns."""


@final
class LatencyHistogram:
    """Counts of durations in ns in buckets a quarter of an octave wide (19 % at the worst)."""

    def __init__(self) -> None:
        self.counts: vec[i64] = vec[i64]([0] * 160)

    def add(self, duration_ns: i64) -> None:
        """Count one duration; negative ones count as 0."""
        value = duration_ns
        if value < 4:
            if value < 0:
                value = 0
            self.counts[value] += 1
            return
        octave: i64 = 0
        rest = value
        while rest >= 8:
            rest >>= 1
            octave += 1
        bucket = 4 + octave * 4 + (rest - 4)
        if bucket >= BUCKETS:
            bucket = BUCKETS - 1
        self.counts[bucket] += 1

    def to_list(self) -> list[int]:
        """The counts, `BUCKETS` long."""
        return [int(n) for n in self.counts]


def bucket_floor_ns(bucket: int) -> int:
    """The smallest duration (ns) that counts in `bucket`."""
    if bucket < 4:
        return bucket
    octave, quarter = divmod(bucket - 4, 4)
    return (4 + quarter) << octave


COUNTER_NAMES: Final = (
    "packets",
    "bytes",
    "drops",
    "kicks",
    "kicks_suppressed",
    "interrupts",
    "interrupts_suppressed",
    "batches",
    "inuse",
    "available",
    "num",
    "driver_packets",
    "driver_bytes",
    "ring_full",
)
"""Names of a counter sample's columns, in order.  `inuse`, `available` and `num` are levels, the others only grow."""


@final
class RingCounters:
    """What one ring has done since the run began.  The device counts the first half, the driver the second."""

    def __init__(self) -> None:
        self.packets: i64 = 0
        self.bytes: i64 = 0
        self.drops: i64 = 0
        self.drop_reasons: vec[i64] = vec[i64]([0] * 16)
        self.kicks: i64 = 0
        """Notifications that reached the device."""
        self.kicks_suppressed: i64 = 0
        self.interrupts: i64 = 0
        """virtio_notify calls that signalled the driver."""
        self.interrupts_suppressed: i64 = 0
        self.batches: i64 = 0
        """Flushes of the used ring that published something."""
        self.inuse: i64 = 0
        self.available: i64 = 0
        """Chains the driver has published and the device has not yet taken; like `inuse`, descriptors in a packed ring."""
        self.num: i64 = 0
        self.driver_packets: i64 = 0
        self.driver_bytes: i64 = 0
        self.ring_full: i64 = 0
        """Times the driver found no free descriptor."""
        self.latency: LatencyHistogram = LatencyHistogram()
        """In virtual ns: of a chain sent, from the driver's posting to the device's use; of one received, from the device's use
        to the driver's taking."""
        self.used_ns: vec[i64] = vec[i64]([0] * 1024)
        """When the device used each head last, in virtual ns."""

    def dropped(self, reason: i64) -> None:
        """Count one lost frame; `reason` is its place in ``kinds.ENUMS["drop"]``."""
        self.drops += 1
        self.drop_reasons[reason] += 1

    def to_list(self) -> list[int]:
        """Values in the order of `COUNTER_NAMES`."""
        return [
            self.packets,
            self.bytes,
            self.drops,
            self.kicks,
            self.kicks_suppressed,
            self.interrupts,
            self.interrupts_suppressed,
            self.batches,
            self.inuse,
            self.available,
            self.num,
            self.driver_packets,
            self.driver_bytes,
            self.ring_full,
        ]
