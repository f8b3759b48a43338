"""Figures drawn by a process of its own, as the command line does it: with our fonts and nothing of a person's surroundings."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

SIZE: Final = (1100, 700)
SCENARIO: Final = "ping"
_SCRIPT: Final = """
import sys
from pathlib import Path
from ringscope.figures.draw import draw
from ringscope.figures.record import record
from ringscope.figures.spec import FigureSpec
from ringscope_core.scenario.load import load
from ringscope_core.session.reader import SessionReader
folder, width, height, scenario = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
record(load(scenario), folder / "s.ringscope", 120_000_000)
reader = SessionReader(folder / "s.ringscope")
for name in sys.argv[5:]:
    view, theme, suffix = name.split(":")
    (folder / f"{view}-{theme}{suffix}").write_bytes(draw(FigureSpec(scenario, view, size=(width, height), theme=theme), reader, suffix))
reader.close()
"""
HERE: Final = {"TZ": "UTC", "LC_ALL": "C", "PYTHONHASHSEED": "0"}
ELSEWHERE: Final = {
    "TZ": "Asia/Shanghai",
    "LC_ALL": "de_DE.UTF-8",
    "LANG": "zh_CN.UTF-8",
    "PYTHONHASHSEED": "7",
    "HOME": "/nonexistent",
    "QT_SCALE_FACTOR": "2",
    "QT_FONT_DPI": "144",
    "QT_STYLE_OVERRIDE": "windows",
    "FONTCONFIG_FILE": "/nonexistent",
}


def draw_in_process(folder: Path, names: Sequence[str], around: Mapping[str, str] = HERE) -> Path:
    """Record `SCENARIO` and draw ``VIEW:THEME:SUFFIX`` of `names` as files ``VIEW-THEMESUFFIX`` of `folder`, in an environment with `around`."""
    words = [sys.executable, "-c", _SCRIPT, str(folder), *map(str, SIZE), SCENARIO, *names]
    ended = subprocess.run(words, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **around}, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    return folder


def all_of(views: Sequence[str], themes: Sequence[str] = ("light",), suffixes: Sequence[str] = (".png", ".svg", ".pdf")) -> list[str]:
    """Names for `draw_in_process`."""
    return [f"{view}:{theme}:{suffix}" for view in views for theme in themes for suffix in suffixes]
