"""The frame meter counts what it is told and reports percentiles."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest

from ringscope.window_frames import STALL_MS, FrameMeter


def test_report_counts_paints_ticks_and_stalls(tmp_path: Path) -> None:
    meter = FrameMeter()
    for cost in (1.0, 2.0, 3.0, STALL_MS + 1):
        meter.tick(cost, "rings")
        meter.paint(meter.now_ns())
    path = tmp_path / "fps.json"
    meter.write(path)
    report = json.loads(path.read_text())
    assert report["frames"] == 4 and report["stalls"] == {"rings": 1}
    assert report["work_ms"]["p50"] == 3.0 and report["work_ms"]["max"] == STALL_MS + 1
    assert report["fps"] > 0 and report["ticks_per_s"] > 0 and len(meter.intervals) == len(meter.tick_gaps) == 3


def test_forgetting_begins_anew() -> None:
    meter = FrameMeter()
    meter.tick(1.0, "x")
    meter.paint(meter.now_ns())
    meter.forget()
    assert meter.report()["frames"] == 0 and meter.report()["interval_ms"] == {} and meter.cost_ms == 0.0


def test_the_watchdog_names_who_was_slow(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "ringscope.frames"):
        FrameMeter(watchdog=True).tick(STALL_MS + 5, "throughput")
        FrameMeter(watchdog=False).tick(STALL_MS + 5, "events")
    assert "throughput" in caplog.text and "events" not in caplog.text
