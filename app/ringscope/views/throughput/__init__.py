"""Counters over time: packets, bits, occupancy, notifications, latencies, for each queue."""

from __future__ import annotations

from ringscope.views.spec import ViewSpec
from ringscope.views.throughput.view import ThroughputView
from ringscope.words import later

VIEW = ViewSpec(
    name="throughput",
    title=later("Throughput"),
    icon="throughput",
    area="center",
    make=ThroughputView,
    tip=later("Packets and bits per second, occupancy, kicks, interrupts, latency percentiles"),
)
