"""The trace level changes in the middle of a run: what is recorded at level full folds before and behind it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ringscope_core.engine.live import LiveListener, LiveRun
from ringscope_core.engine.recorder import Recorder
from ringscope_core.engine.run import Run
from ringscope_core.scenario.load import load
from ringscope_core.session.reader import SessionReader
from ringscope_core.session.writer import SessionWriter
from ringscope_core.trace.kinds import EV_POP, EV_TRACE_LEVEL
from ringscope_core.trace.levels import LEVEL_COUNTERS, LEVEL_FULL, LEVEL_PACKETS
from ringscope_core.trace.state import MachineState


def without_times(state: MachineState) -> dict[str, Any]:
    """A keyframe knows the time at which it was made, a fold that of the last event."""
    return {name: value for name, value in state.comparable().items() if name not in ("vt", "wall")}


def test_a_recording_stays_foldable_across_changes_of_level(tmp_path: Path) -> None:
    path = tmp_path / "a.ringscope"
    writer = SessionWriter(path, {})
    recorder = Recorder(writer)
    run = Run(load("bulk-tx", ["count=100000"]), recorder=recorder, digests=False)
    live = LiveRun(run, LiveListener())
    assert run.build()
    stretches: list[tuple[int, int, int]] = []
    for level in (LEVEL_FULL, LEVEL_COUNTERS, LEVEL_FULL, LEVEL_PACKETS, LEVEL_COUNTERS, LEVEL_FULL):
        live._change_level(int(level))
        first = int(run.log.seq)
        for _ in range(5):
            run.turn()
        run.resample()
        stretches.append((int(level), first, int(run.log.seq) - 1))
    run.finish("done")
    writer.close()
    with SessionReader(path) as reader:
        frames = reader.keyframes()["seq"].tolist()
        changes = reader.find_events((int(EV_TRACE_LEVEL),), 0, reader.last_seq, 100)
        assert changes["a0"].tolist() == [0, 2, 1, 0, 2]
        compared = 0
        for level, first, last in stretches:
            pops = len(reader.find_events((int(EV_POP),), first, last, 10_000))
            assert (pops > 0) == (level == LEVEL_FULL)
            if level != LEVEL_FULL:
                continue
            base = max((seq for seq in frames if seq < first), default=-1)
            assert base >= first - 2, "level full begins with a keyframe"
            for seq in [seq for seq in frames if first <= seq <= last]:
                told = reader.keyframe_state(seq)
                with SessionReader(path) as other:
                    other._keyframes = other._keyframes[other._keyframes["seq"] < seq]
                    assert without_times(other.state_at(seq)) == without_times(told), seq
                compared += 1
        assert compared >= 3
        assert reader.state_at(reader.last_seq).level == LEVEL_FULL
