"""`make bench`: how fast a recording is run again.  Reported, never asserted."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from ringscope_core.engine.headless import Goal, Headless
from ringscope_core.engine.recorder import Recorder
from ringscope_core.engine.replay import Rerun
from ringscope_core.engine.run import Run
from ringscope_core.engine.session_meta import session_meta
from ringscope_core.scenario.load import load
from ringscope_core.session.reader import SessionReader
from ringscope_core.session.writer import SessionWriter
from ringscope_core.trace.levels import LEVEL_NAMES
from tests.bench.test_speed import say


@pytest.mark.bench
@pytest.mark.parametrize(
    ("scenario", "trace", "ms"), [("bulk-tx", "full", 1000), ("bulk-tx", "packets", 3000), ("bulk-tx", "counters", 3000), ("default", "full", 60_000)]
)
def test_running_again(tmp_path: Path, scenario: str, trace: str, ms: int) -> None:
    path = tmp_path / "a.ringscope"
    wanted = load(scenario)
    writer = SessionWriter(path, session_meta(wanted, wanted.seed, trace))
    run = Run(wanted, trace_level=LEVEL_NAMES.index(trace), recorder=Recorder(writer), digests=False)
    run.build()
    began = time.perf_counter()
    Headless(run, Goal(virtual_ns=ms * 1_000_000)).to_the_end()
    first = time.perf_counter() - began
    run.close()
    writer.close()
    with SessionReader(path) as reader:
        began = time.perf_counter()
        again = Rerun(reader, reader.last_seq)
        again.build()
        took = time.perf_counter() - began
        again.close()
        assert again.compared == reader.event_count
        name = f"run again: {scenario}, level {trace}"
        say(name, reader.event_count / took, "events/s", f"{reader.event_count} events")
        say(name, reader.last_vt / 1e9 / took, "virtual s", f"a second; {took:.2f} s, {first:.2f} s the first time")
