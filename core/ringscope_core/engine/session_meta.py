"""What a session says about its run: everything needed to run it again, and what a reader wants to know."""

from __future__ import annotations

import platform
import time

from ringscope_core import __version__
from ringscope_core.scenario.load import to_toml_data
from ringscope_core.scenario.model import Scenario


def session_meta(scenario: Scenario, seed: int, trace: str) -> dict[str, object]:
    """What a session says about its run."""
    return {
        "program": f"ringscope {__version__}",
        "source": "emulated",
        "fidelity": "full trace" if trace == "full" else f"trace level {trace}",
        "profile": scenario.profile,
        "scenario": scenario.name,
        "title": scenario.title,
        "scenario_data": to_toml_data(scenario),
        "seed": seed,
        "trace": trace,
        "time": scenario.time.mode,
        "started": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "python": platform.python_version(),
    }
