"""A machine of each profile, for what only a machine can tell."""

from __future__ import annotations

from functools import cache

from ringscope_core.engine.run import Run
from ringscope_core.hw.machine import Machine
from ringscope_core.scenario.model import Scenario


@cache
def machine(profile: str) -> Machine:
    """A board without devices."""
    run = Run(Scenario(name="reference", profile=profile))  # type: ignore[arg-type]
    run.build()
    return run.machine
