"""A scenario run under a debugger that notes where it would stand and goes on, and its recording."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ringscope_core.engine.debugger import Debugger
from ringscope_core.engine.recorder import Recorder
from ringscope_core.engine.run import Run
from ringscope_core.query.breakpoints import Breakpoint
from ringscope_core.scenario.load import load
from ringscope_core.session.writer import SessionWriter


class Noting(Debugger):
    """Stops nowhere, but knows where it would have."""

    def __init__(self, run: Run) -> None:
        super().__init__(run.log)
        self.run = run
        self.stops_seen: list[tuple[int, int]] = []
        self.said: list[tuple[int, int, int, str]] = []
        run.debugger = self
        points = self.breakpoints
        points.vocabulary.world = run.world.snapshot
        points.state_of = run.state
        points.said = lambda seq, vt, point, text: self.said.append((seq, vt, point.id, text))

    def _stop(self, reason: str, inside_turn: bool, point: Breakpoint | None = None) -> None:
        assert point is not None, reason
        self.stops_seen.append((int(self.run.log.seq) - 1, point.id))
        if self.breakpoints.stale:
            self._take_up(int(self.log.seq))


def record(path: Path, scenario: str, points: Sequence[dict[str, object]], until_ns: int, settings: Sequence[str] = (), late: int = 0) -> Noting:
    """Run it to virtual time `until_ns`; the points are set before anything is built, the last `late` ones in the middle of the run."""
    writer = SessionWriter(path, {"scenario": scenario})
    run = Run(load(scenario, list(settings)), recorder=Recorder(writer), digests=False)
    debugger = Noting(run)
    early = points[: len(points) - late]
    for point in early:
        debugger.breakpoints.add(point)
    going = run.build()
    debugger.turn_ended(int(run.clock.now_ns))
    while going and int(run.clock.now_ns) < until_ns // 2:
        going = run.turn() or run.pass_time(until_ns)
        debugger.turn_ended(int(run.clock.now_ns))
    for point in points[len(early) :]:
        debugger.breakpoints.add(point)
    while going and int(run.clock.now_ns) < until_ns:
        going = run.turn() or run.pass_time(until_ns)
        debugger.turn_ended(int(run.clock.now_ns))
    run.finish("end")
    run.close()
    writer.close()
    assert writer.error is None
    return debugger
