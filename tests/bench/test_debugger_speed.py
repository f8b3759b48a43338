"""`make bench`: what breakpoints cost a run that never stops at one.  Reported, never asserted: other programs share the machine."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from ringscope_core.engine.bench import compiled
from ringscope_core.engine.debugger import Debugger
from ringscope_core.engine.recorder import Recorder
from ringscope_core.engine.run import Run
from ringscope_core.query.breakpoints import Breakpoint, find_hit
from ringscope_core.query.recording import Recording
from ringscope_core.scenario.load import load
from ringscope_core.session.reader import SessionReader
from ringscope_core.session.writer import SessionWriter

pytestmark = pytest.mark.bench

EVENTS = 400_000 if compiled() else 40_000
FLAT_OUT = ["traffic.0.rate_pps=0", "traffic.0.count=0"]
NEVER: dict[str, dict[str, object] | None] = {
    "none": None,
    "disabled": {"event": "kick", "enabled": False},
    "function": {"function": "virtio_net_device_unrealize"},
    "function called often, by count": {"function": "virtio_net_flush_tx", "ignore": 1 << 40},
    "event, condition": {"event": "virtqueue_pop", "condition": "head == 70000"},
    "event, name and numbers": {"event": "virtqueue_pop", "condition": "obj == rx7 and head in 3..9"},
    "field": {"field": "VirtIODevice.status"},
    "field in ring events": {"field": "VirtQueue.last_avail_idx", "condition": "value == 70000"},
    "every kind": {"event": "*", "condition": "len == 70000"},
    "time": {"time": 1 << 60},
}


def events_per_s(point: dict[str, object] | None) -> float:
    """Events a second of flat-out bulk traffic at trace level full, nothing recorded."""
    run = Run(load("bulk-tx", FLAT_OUT), digests=False)
    run.debugger = debugger = Debugger(run.log)
    debugger.breakpoints.vocabulary.world = run.world.snapshot
    assert run.build()
    if point is not None:
        debugger.breakpoints.add(point)
    debugger.turn_ended(0)
    first, start = int(run.log.seq), time.perf_counter()
    while int(run.log.seq) - first < EVENTS:
        if not run.turn() and not run.pass_time():
            break
        debugger.turn_ended(int(run.clock.now_ns))
    seconds = time.perf_counter() - start
    done = int(run.log.seq) - first
    run.close()
    return done / seconds


def test_breakpoints_that_are_never_hit() -> None:
    print()
    for name, point in NEVER.items():
        rate = max(events_per_s(point) for _ in range(2))
        print(f"  {name:34} {rate / 1e6:8.3f} million events/s", flush=True)
        assert rate > 0


def test_searches_over_a_recording(tmp_path: Path) -> None:
    writer = SessionWriter(tmp_path / "a", {})
    run = Run(load("bulk-tx", FLAT_OUT), digests=False, recorder=Recorder(writer))
    assert run.build()
    while int(run.log.seq) < 2 * EVENTS:
        if not run.turn() and not run.pass_time():
            break
    run.finish("end")
    run.close()
    writer.close()
    print()
    with SessionReader(tmp_path / "a") as reader:
        recording = Recording(reader)
        for name, plain in NEVER.items():
            if plain is None:
                continue
            point = Breakpoint.from_plain(plain)
            for direction, start in ((1, -1), (-1, reader.last_seq + 1)):
                began = time.perf_counter()
                find_hit(recording, [point], start, direction)
                print(
                    f"  {name:34} {'forwards ' if direction > 0 else 'backwards'} {reader.last_seq / (time.perf_counter() - began) / 1e6:8.1f} million events/s"
                )
        assert reader.last_seq > EVENTS
