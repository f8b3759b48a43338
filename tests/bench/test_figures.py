"""`make bench`: how long a figure takes from a cold start, and many of one session.  Reported, never asserted."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ringscope.figures.recordings import Recordings
from ringscope.views import ALL_VIEWS
from tests.bench.test_speed import say

TARGET_COLD_S = 3.0
TARGET_FIFTY_S = 30.0
FIGURES = 50
ROUNDS = 3


def took(folder: Path, *words: str) -> float:
    """Seconds on the clock of a command from its start to its end, in a process of its own."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "-m", "ringscope", *words], check=True, stdout=subprocess.DEVNULL, cwd=folder, env={**os.environ, "NO_COLOR": "1"})
    return time.perf_counter() - began


@pytest.mark.bench
@pytest.mark.parametrize("view", ["rings", "realize", "window"])
@pytest.mark.parametrize("form", ["svg", "png"])
def test_figure_from_a_cold_start(tmp_path: Path, view: str, form: str) -> None:
    """Start, record the default scenario, draw, end: the best and the worst of three."""
    times = sorted(took(tmp_path, "figure", "default", "--view", view, "-o", f"{view}.{form}") for _ in range(ROUNDS))
    say(f"figure default --view {view}, {form}", times[0], "s", f"target {TARGET_COLD_S:.0f} s; worst of {ROUNDS}: {times[-1]:.2f} s")


@pytest.mark.bench
def test_fifty_figures_of_one_session(tmp_path: Path) -> None:
    """Every view, at many moments, in both themes, as PNG, SVG and PDF; then again with nothing to draw."""
    with Recordings(tmp_path) as recordings:
        session = recordings.path("default")
        last = recordings.open("default").last_seq
    views = (*ALL_VIEWS, "window")
    tables = [f'[defaults]\nsource = "{session.name}"\n']
    for number in range(FIGURES):
        view, form, theme = views[number % len(views)], ("svg", "png", "pdf")[number % 3], ("light", "dark")[number % 2]
        tables.append(f'[[figure]]\noutput = "f{number}.{form}"\nview = "{view}"\ntheme = "{theme}"\nat = "seq:{last * (number + 1) // (FIGURES + 1)}"\n')
    (tmp_path / "fifty.toml").write_text("\n".join(tables))
    drawn = took(tmp_path, "figures", "fifty.toml")
    say(f"{FIGURES} figures of one session", drawn, "s", f"target {TARGET_FIFTY_S:.0f} s; {drawn / FIGURES:.2f} s a figure")
    say("the same with nothing to draw", took(tmp_path, "figures", "fifty.toml"), "s", "")
