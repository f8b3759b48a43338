"""Makes a recording of a scenario for pictures: in this process, as fast as it goes, and the same each time."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np

from ringscope_core.engine.headless import Goal, Headless
from ringscope_core.engine.recorder import Recorder
from ringscope_core.engine.results import result
from ringscope_core.engine.run import Run
from ringscope_core.engine.session_meta import session_meta
from ringscope_core.qom.types_json import types_json
from ringscope_core.scenario.model import Scenario
from ringscope_core.session.rows import RAW_DTYPE
from ringscope_core.session.writer import SessionWriter
from ringscope_core.trace.counters import RingCounters
from ringscope_core.trace.packets import PACKET_WORDS
from ringscope_core.trace.state import MachineState

FIGURE_NS: Final = 1_000_000_000
"""Virtual time that is recorded of a scenario without an end of its own."""
STARTED: Final = "2020-01-01T00:00:00Z"
"""When a recording for pictures says that it was made: a picture must not depend on the day."""
_PACKET_VT: Final = 1
_PACKET_WALL: Final = 2


class FrozenRecorder(Recorder):
    """Records a wall clock that stands with virtual time: how quick this machine is shows in no picture."""

    def take_block(self, first_seq: int, rows: bytes) -> None:
        """Pass events on."""
        events = np.frombuffer(rows, RAW_DTYPE).copy()
        events["wall"] = events["vt"]
        super().take_block(first_seq, events.tobytes())

    def take_packets(self, rows: bytes, data: bytes) -> None:
        """Pass frames on."""
        words = np.frombuffer(rows, np.int64).reshape(-1, PACKET_WORDS).copy()
        words[:, _PACKET_WALL] = words[:, _PACKET_VT]
        super().take_packets(words.tobytes(), data)

    def keyframe(self, state: MachineState) -> None:
        """Record a state."""
        state.wall = state.vt
        super().keyframe(state)

    def counters(self, vt: int, wall: int, rings: dict[int, RingCounters]) -> None:
        """Record the counters."""
        super().counters(vt, vt, rings)


def record(scenario: Scenario, path: Path, virtual_ns: int) -> dict[str, object]:
    """Run `scenario` for `virtual_ns` at trace level full and record it into `path`; returns the run's report."""
    meta = {**session_meta(scenario, scenario.seed, "full"), "started": STARTED}
    writer = SessionWriter(path, meta)
    try:
        run = Run(scenario, recorder=FrozenRecorder(writer))
        try:
            built = run.build()
            writer.add_types(list(types_json(run.world)))
            headless = Headless(run, Goal(virtual_ns=virtual_ns))
            ended = headless.to_the_end() if built else "failed"
            if not built:
                run.finish(ended)
            return result(run, headless, ended)
        finally:
            run.close()
    finally:
        writer.close()


def duration_of(scenario: Scenario) -> int:
    """Virtual ns that are recorded of `scenario`: its own duration, else `FIGURE_NS`."""
    return scenario.run.duration_ns() or FIGURE_NS
