"""Counters over time: packets, bits, occupancy, notifications, latencies, for each queue."""

from __future__ import annotations

from ringscope.views.spec import ViewSpec
from ringscope.views.throughput.view import ThroughputView

VIEW = ViewSpec(
    name="throughput",
    title="Throughput",
    icon="throughput",
    area="center",
    make=ThroughputView,
    tip="Packets and bits per second, occupancy, kicks, interrupts, latency percentiles",
)
