"""Real runs, recorded: what verify and diff are tried on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ringscope_core.engine.headless import Goal, Headless
from ringscope_core.engine.recorder import Recorder
from ringscope_core.engine.run import Run
from ringscope_core.scenario.load import load
from ringscope_core.session.writer import SessionWriter
from ringscope_core.trace.levels import LEVEL_FULL

Meddle = Callable[[Run], None]


def record(
    path: Path, scenario: str = "ping", settings: tuple[str, ...] = (), packets: int = 6, level: int = int(LEVEL_FULL), meddle: Meddle | None = None
) -> Path:
    """Run `scenario` headless for so many packets and keep the session; `meddle` changes the machine behind the recorder's back."""
    wanted = load(scenario, list(settings))
    recorder = Recorder(SessionWriter(path, {"scenario": wanted.name, "seed": wanted.seed, "profile": wanted.profile}))
    run = Run(wanted, trace_level=level, recorder=recorder)
    assert run.build()
    if meddle is not None:
        meddle(run)
    Headless(run, Goal(packets=packets)).to_the_end()
    run.close()
    recorder.writer.close()
    return path
