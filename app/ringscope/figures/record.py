"""Makes a recording of a scenario for pictures: in this process, as fast as it goes."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from ringscope_core.engine.headless import Goal, Headless
from ringscope_core.engine.recorder import Recorder
from ringscope_core.engine.results import result
from ringscope_core.engine.run import Run
from ringscope_core.engine.session_meta import session_meta
from ringscope_core.qom.types_json import types_json
from ringscope_core.scenario.load import load
from ringscope_core.scenario.model import Scenario
from ringscope_core.session.writer import SessionWriter

FIGURE_NS: Final = 1_000_000_000
"""Virtual time that is recorded of a scenario without an end of its own."""


def record(scenario: Scenario, path: Path, virtual_ns: int) -> dict[str, object]:
    """Run `scenario` for `virtual_ns` at trace level full and record it into `path`; returns the run's report."""
    writer = SessionWriter(path, session_meta(scenario, scenario.seed, "full"))
    try:
        run = Run(scenario, recorder=Recorder(writer))
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


def record_named(name: str, path: Path) -> dict[str, object]:
    """Record the scenario `name` (shipped, or a .toml file) for its own duration, else for `FIGURE_NS`."""
    scenario = load(name)
    return record(scenario, path, scenario.run.duration_ns() or FIGURE_NS)
