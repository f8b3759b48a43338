"""`make bench`: our device beside a real QEMU's.  Reported, never asserted: other programs share the machine."""

from __future__ import annotations

import math

import pytest

from ringscope_core.conform.bench.case import LENGTHS, all_cases, trace_cases
from ringscope_core.conform.bench.compare import QUICK, compare, compare_traces
from ringscope_core.conform.bench.report import Report, comparison_line, describe_host, trace_line
from ringscope_core.conform.live.qemu_process import qemu_path, qemu_version
from ringscope_core.engine.bench import compiled

pytestmark = [pytest.mark.bench, pytest.mark.skipif(qemu_path() is None, reason="no qemu-system-x86_64 to compare with")]


def test_a_packet_costs() -> None:
    print()
    comparisons = []
    for one in compare([case for case in all_cases() if case.length == LENGTHS[0]], QUICK):
        comparisons.append(one)
        print(comparison_line(one))
    traces = []
    for trace in compare_traces(trace_cases(), QUICK):
        traces.append(trace)
        print(trace_line(trace))
    report = Report(describe_host(qemu_version(), compiled()), QUICK, comparisons, traces)
    for target in report.targets():
        print(f"  {target.sentence}")
    # nothing about how fast: only that each side was measured
    assert all(math.isfinite(cost.best_ns) for one in comparisons for cost in (one.qemu, one.ours))
