"""Makes a recording of a scenario for pictures: in this process, as fast as it goes."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from ringscope_core.engine.headless import Goal, Headless
from ringscope_core.engine.recorder import Recorder
from ringscope_core.engine.results import result
from ringscope_core.engine.run import Run
from ringscope_core.scenario.load import load, to_toml_data
from ringscope_core.scenario.model import Scenario
from ringscope_core.session.writer import SessionWriter

FIGURE_NS: Final = 1_000_000_000
"""Virtual time that is recorded of a scenario without an end of its own."""


def record(scenario: Scenario, path: Path, virtual_ns: int, seed: int | None = None) -> dict[str, object]:
    """Run `scenario` for `virtual_ns` at trace level full and record it into `path`; returns the run's report."""
    from ringscope_core import __version__

    meta: dict[str, object] = {
        "scenario": scenario.name,
        "title": scenario.title,
        "seed": scenario.seed if seed is None else seed,
        "source": "engine",
        "ringscope": __version__,
        "scenario_data": to_toml_data(scenario),
    }
    writer = SessionWriter(path, meta)
    try:
        run = Run(scenario, seed=seed, recorder=Recorder(writer))
        try:
            built = run.build()
            headless = Headless(run, Goal(virtual_ns=virtual_ns))
            ended = headless.to_the_end() if built else "failed"
            if not built:
                run.finish("failed")
            return result(run, headless, ended)
        finally:
            run.close()
    finally:
        writer.close()


def record_named(name: str, path: Path) -> dict[str, object]:
    """Record the scenario `name` (shipped, or a .toml file) for its own duration, else for `FIGURE_NS`."""
    scenario = load(name)
    return record(scenario, path, scenario.run.duration_ns() or FIGURE_NS)
