"""`make bench`: what recording costs, how small it is, and how a session of a hundred million events opens and seeks.

Reported, never asserted.  Times are of the processor where another program could stand in the way, and of the clock beside them.
``RINGSCOPE_BENCH_EVENTS`` sets the size of the long session, ``RINGSCOPE_BENCH_FRAMES`` that of the runs.
"""

from __future__ import annotations

import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ringscope_core.engine.bench import compiled
from ringscope_core.engine.headless import Goal, Headless
from ringscope_core.engine.recorder import Recorder
from ringscope_core.engine.run import Run
from ringscope_core.engine.sinks import RowKeeper
from ringscope_core.query.recording import Recording
from ringscope_core.scenario.load import load
from ringscope_core.session.reader import SessionReader
from ringscope_core.session.writer import SessionWriter
from ringscope_core.trace.levels import LEVEL_FULL, LEVEL_PACKETS
from ringscope_core.trace.log import ROW_BYTES
from tests.bench.long_session import make_long_session
from tests.bench.test_speed import say

FRAMES = int(os.environ.get("RINGSCOPE_BENCH_FRAMES", "400000"))
EVENTS = int(os.environ.get("RINGSCOPE_BENCH_EVENTS", "100000000"))
ROUNDS = 5
SEEKS = 300
CHUNK = 8192


def memory_mb() -> float:
    """Resident memory of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def rows_of(scenario: str, frames: int) -> bytes:
    keeper = RowKeeper()
    run = Run(load(scenario, [f"count={frames}"]), trace_level=int(LEVEL_FULL), digests=False, sink=keeper)
    assert run.build()
    Headless(run, Goal()).to_the_end()
    return keeper.rows().tobytes()


@pytest.mark.bench
@pytest.mark.parametrize("scenario", ["bulk-tx", "bulk-rx"])
def test_rows_through_to_disk(tmp_path: Path, scenario: str) -> None:
    """Blocks as the event log makes them, through encoding and compression into a committed and closed file."""
    rows = rows_of(scenario, FRAMES)
    count = len(rows) // int(ROW_BYTES)
    wall, cpu, size = [], [], 0
    for _ in range(ROUNDS):
        path = tmp_path / "a.ringscope"
        begun, used = time.perf_counter(), time.process_time()
        writer = SessionWriter(path, {})
        for start in range(0, count, CHUNK):
            writer.add_block(start, rows[start * int(ROW_BYTES) : (start + CHUNK) * int(ROW_BYTES)])
        writer.close()
        wall.append(time.perf_counter() - begun)
        cpu.append(time.process_time() - used)
        size = path.stat().st_size
    print(f"\ncompiled: {compiled()}, load {os.getloadavg()[0]:.1f}")
    say(f"{scenario}: recorder, of processor time", count / min(cpu) / 1e6, "M events/s", "at least 3")
    say(f"{scenario}: recorder, by the clock", count / min(wall) / 1e6, "M events/s", "")
    say(f"{scenario}: events alone", size / count, "bytes/event", "")
    with SessionReader(path) as reader:
        assert reader.event_count == count


@pytest.mark.bench
@pytest.mark.parametrize("scenario", ["bulk-tx", "bulk-rx"])
@pytest.mark.parametrize("level", [int(LEVEL_PACKETS), int(LEVEL_FULL)])
def test_a_run_with_and_without_recording(tmp_path: Path, scenario: str, level: int) -> None:
    """Frames a second of a flat-out run; what recording costs by the clock, of the run's thread, of the whole process; bytes of the file."""
    spent: dict[bool, list[tuple[float, float, float]]] = {False: [], True: []}
    path = tmp_path / "a.ringscope"
    events = packets = 0
    for _ in range(ROUNDS):
        for recorded in (False, True):
            writer = SessionWriter(path, {}) if recorded else None
            run = Run(load(scenario, [f"count={FRAMES}"]), trace_level=level, recorder=Recorder(writer) if writer else None, digests=False)
            assert run.build()
            headless, thread, process = Headless(run, Goal()), time.thread_time(), time.process_time()
            headless.to_the_end()
            thread = time.thread_time() - thread
            if writer is not None:
                writer.close()
            spent[recorded].append((headless.wall_s, thread, time.process_time() - process))
            events = int(run.log.seq)
    without, with_it = ([statistics.median(column) for column in zip(*spent[which], strict=True)] for which in (False, True))
    name = f"{scenario} at level {'full' if level == LEVEL_FULL else 'packets'}"
    target = "at most 25" if level == LEVEL_PACKETS else ""
    print(f"\ncompiled: {compiled()}, load {os.getloadavg()[0]:.1f}")
    say(f"{name}: not recorded", FRAMES / without[0], "packets/s", "")
    say(f"{name}: recorded", FRAMES / with_it[0], "packets/s", "")
    for what, before, after, asked in zip(("by the clock", "the run's thread", "the whole process"), without, with_it, (target, "", ""), strict=True):
        say(f"{name}: slower, {what}", 100 * (1 - before / after), "%", asked)
    say(f"{name}: whole file", path.stat().st_size / events, "bytes/event", "at most 5" if level == LEVEL_FULL else "")
    with SessionReader(path) as reader:
        packets = reader.packet_count
        for part, size in reader.stored_bytes().items():
            say(f"{name}: {part}", size / events, "bytes/event", "")
    assert packets >= FRAMES


def seek(path: Path) -> None:
    """Open and seek in a process of its own: ``python -m tests.bench.test_recorder FILE``."""
    before = memory_mb()
    begun, used = time.perf_counter(), time.process_time()
    reader = SessionReader(path)
    Recording(reader)
    say("open", (time.perf_counter() - begun) * 1e3, "ms", "at most 500")
    say("open, of processor time", (time.process_time() - used) * 1e3, "ms", "")
    rng = random.Random(1)
    last, last_vt, packets = reader.last_seq, reader.last_vt, reader.packet_count
    cases: list[tuple[str, Callable[[], object]]] = [
        ("state", lambda: reader.state_at(rng.randrange(last))),
        ("events around", lambda: reader.events((seq := rng.randrange(last)) - 50, seq + 50)),
        ("time to number", lambda: reader.seq_at_vt(rng.randrange(last_vt))),
        ("packet", lambda: reader.packet_bytes(rng.randrange(1, packets))),
        ("counters, a second", lambda: reader.counters((vt := rng.randrange(last_vt)), vt + 10**9)),
    ]
    for name, action in cases:
        walls, cpus = [], []
        for _ in range(SEEKS):
            begun, used = time.perf_counter(), time.process_time()
            action()
            walls.append((time.perf_counter() - begun) * 1e3)
            cpus.append((time.process_time() - used) * 1e3)
        for what, values in (("", sorted(walls)), (", of processor time", sorted(cpus))):
            target = "at most 50" if not what else ""
            p50, p99 = values[len(values) // 2], values[len(values) * 99 // 100]
            print(f"  seek: {name + what:<34} p50 {p50:8.2f}  p99 {p99:8.2f}  max {values[-1]:8.2f} ms   {target}")
    say("memory of the reader after it", memory_mb() - before, "MB", "")


@pytest.mark.bench
def test_a_long_session(tmp_path: Path) -> None:
    path = tmp_path / "long.ringscope"
    begun = time.perf_counter()
    make_long_session(path, EVENTS)
    print(f"\ncompiled: {compiled()}, load {os.getloadavg()[0]:.1f}")
    say("make the session", time.perf_counter() - begun, "s", f"{EVENTS:,} events")
    say("its size", path.stat().st_size / 1e6, "MB", "")
    done = subprocess.run([sys.executable, "-m", "tests.bench.test_recorder", str(path)], check=True, capture_output=True, text=True)
    print(done.stdout, end="")
    assert "memory of the reader" in done.stdout


if __name__ == "__main__":
    seek(Path(sys.argv[1]))
