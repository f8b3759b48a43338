"""`make bench`: the numbers beside what the design asks for.  Reported, never asserted: other programs share the machine."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from ringscope_core.engine import bench
from ringscope_core.session.reader import SessionReader
from tests.core.session.recording import make

TARGETS_NS = {"tx_no_copy": 60, "tx_copy": 300, "rx_copy": 300}
TARGET_FACTOR = 3
TARGET_PPS = 400_000
TARGET_SPEEDUP = 50


def say(name: str, value: float, unit: str, target: str) -> None:
    print(f"  {name:<40} {value:>12.1f} {unit:<10} {target}")


@pytest.mark.bench
def test_device_and_driver() -> None:
    report = bench.compare()
    path = Path(os.environ.get("RINGSCOPE_BENCH_JSON", "bench.json"))
    path.write_text(json.dumps(report, indent=2) + "\n")
    print(f"\ncompiled: {report['compiled']}, load {report['load']}; written to {path}")
    cases, factors, totals = report["ns_per_packet"], report["trace_full_factor"], report["end_to_end_pps"]
    assert isinstance(cases, dict)
    assert isinstance(factors, dict)
    assert isinstance(totals, dict)
    for name, numbers in cases.items():
        say(name, numbers["best"], "ns", f"at most {TARGETS_NS[name]}" if name in TARGETS_NS else "")
    for name, factor in factors.items():
        say(f"{name}: trace full", factor, "times", f"at most {TARGET_FACTOR}")
    for name, pps in totals.items():
        say(f"{name} end to end", pps, "packets/s", f"at least {TARGET_PPS}")
    speedup = report.get("compiled_speedup")
    if isinstance(speedup, dict):
        for name, factor in speedup.items():
            say(f"{name}: compiled against pure", factor, "times", f"at least {TARGET_SPEEDUP}")
    assert set(totals) == {"bulk-tx", "bulk-rx"}


@pytest.mark.bench
def test_session(tmp_path: Path) -> None:
    """Opening, refreshing and seeking, on a recording of some hundred thousand events."""
    make(tmp_path / "a.ringscope", 50_000)
    start = time.perf_counter()
    reader = SessionReader(tmp_path / "a.ringscope")
    print()
    say("open a session", (time.perf_counter() - start) * 1e3, "ms", "")
    for name, limit, action in (
        ("refresh with nothing new", "0.2", reader.refresh),
        ("state near the end", "5", lambda: reader.state_at(reader.last_seq - 3)),
        ("state in the middle", "", lambda: reader.state_at(reader.last_seq // 2)),
    ):
        start = time.perf_counter()
        action()
        say(name, (time.perf_counter() - start) * 1e3, "ms", f"at most {limit}" if limit else "")
    assert reader.event_count > 300_000
    reader.close()
