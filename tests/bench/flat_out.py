"""A run flat out for so many seconds of the wall clock at trace level full, recorded whole: ``python -m tests.bench.flat_out FILE SECONDS [SCENARIO]``.

Prints what was recorded, then how fast the file opens and how fast it seeks.  `ringscope verify FILE` folds it.
"""

from __future__ import annotations

import random
import statistics
import sys
import time
from pathlib import Path

from ringscope_core.engine.headless import Goal, Headless
from ringscope_core.engine.recorder import Recorder
from ringscope_core.engine.run import Run
from ringscope_core.engine.session_meta import session_meta
from ringscope_core.qom.types_json import types_json
from ringscope_core.scenario.load import load
from ringscope_core.session.reader import SessionReader
from ringscope_core.session.writer import SessionWriter
from ringscope_core.trace.levels import LEVEL_FULL

SEEKS = 200


def record(path: Path, seconds: float, name: str) -> None:
    """Run scenario `name` for `seconds` of the wall clock into a session at `path`."""
    scenario = load(name, ["traffic.0.count=0"] if name.startswith("bulk") else [])
    recorder = Recorder(SessionWriter(path, session_meta(scenario, scenario.seed, "full")))
    run = Run(scenario, trace_level=int(LEVEL_FULL), recorder=recorder, digests=False)
    recorder.writer.add_types(list(types_json(run.world)))
    try:
        assert run.build(), run.failures
        headless = Headless(run, Goal(wall_s=seconds))
        headless.to_the_end()
        events, virtual = int(run.log.seq), int(run.clock.now_ns) / 1e9
        print(f"{events / 1e6:.1f} million events, {virtual:.1f} s virtual in {headless.wall_s:.1f} s: {events / headless.wall_s / 1e6:.2f} million events/s")
        run.close()
    finally:
        recorder.writer.close()


def look(path: Path) -> None:
    """Open the session and go to random moments."""
    size = path.stat().st_size
    began = time.perf_counter()
    with SessionReader(path) as reader:
        opened = time.perf_counter() - began
        print(f"{size / 1e6:.0f} MB, {size / reader.event_count:.2f} bytes an event, opens in {opened * 1000:.0f} ms")
        rng = random.Random(1)
        times: list[float] = []
        for _ in range(SEEKS):
            seq = rng.randrange(reader.first_seq, reader.last_seq)
            began = time.perf_counter()
            reader.state_at(seq)
            reader.events(max(seq - 100, reader.first_seq), seq + 100)
            times.append((time.perf_counter() - began) * 1000)
        times.sort()
        print(f"a random moment: median {statistics.median(times):.0f} ms, p99 {times[int(len(times) * 0.99)]:.0f} ms, most {times[-1]:.0f} ms")


if __name__ == "__main__":
    file = Path(sys.argv[1])
    record(file, float(sys.argv[2]), sys.argv[3] if len(sys.argv) > 3 else "bulk-tx")
    look(file)
