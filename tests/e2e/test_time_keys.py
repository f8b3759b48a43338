"""Going through time with real keys on a real X server: a finished session, and a run that goes on."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from ringscope_core.session.reader import SessionReader
from tests.e2e.desk import Start, missing_tools

pytestmark = [
    pytest.mark.display,
    pytest.mark.slow,
    pytest.mark.skipif(bool(missing_tools()), reason=f"needs the Debian packages {', '.join(missing_tools())}"),
]
WIDE, LAPTOP = (1920, 1080), (1366, 768)


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """A finished recording of pings."""
    path = tmp_path / "ping.ringscope"
    command = [sys.executable, "-m", "ringscope", "run", "ping", "--headless", "--for", "2s", "--record", str(path)]
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    return path


@pytest.mark.parametrize(("size", "theme"), [(WIDE, "light"), (LAPTOP, "dark")])
def test_a_session_is_played_searched_and_annotated(start: Start, recording: Path, size: tuple[int, int], theme: str) -> None:
    program = start(size, "open", str(recording), "--view", "rings", "--theme", theme)
    program.until(lambda now: now["last"] > 1000)
    program.press("ctrl+g")
    program.until(lambda now: now["dialog"] == "Go to a moment", "the dialog")
    program.type("1.0s")
    program.press("Return")
    middle = program.until(lambda now: not now["dialog"] and 1000 < now["seq"] < now["last"], "the moment")["seq"]
    program.press("i")
    program.press("5", "p")
    there = program.until(lambda now: now["seq"] > middle, "playing")["seq"]
    program.press("p")
    program.press("8", "shift+p")
    program.until(lambda now: now["seq"] <= there, "playing back")
    program.picture("played")
    program.press("shift+l")
    program.press("greater")
    packet = program.until(lambda now: now["kind"] in ("frame_tx", "frame_rx"), "the next packet")["seq"]
    program.press("m", "n")
    program.press("y")
    time.sleep(0.5)
    program.picture("why")
    program.press("Escape")
    program.press("ctrl+shift+n")
    program.until(lambda now: "notebook" in now["views"])
    time.sleep(0.5)
    program.picture("notebook")
    with SessionReader(recording) as reader:
        assert [mark.seq for mark in reader.marks()] == [packet]
        assert [note.seq for note in reader.notes()] == [packet]


def test_looking_back_at_a_run_that_goes_on(start: Start) -> None:
    program = start(LAPTOP, "window", "ping", "--view", "rings", "--theme", "light")
    program.until(lambda now: now["following"] and now["last"] > 2500 and now["state"] == "running", "the run")
    program.press("ctrl+Home")
    first = program.until(lambda now: now["seq"] == 0 and not now["following"], "the beginning")["last"]
    program.press("7", "p")
    now = program.until(lambda now: now["following"], "the live end")
    assert now["last"] > first and now["state"] == "running"
    program.press("comma")
    program.until(lambda now: not now["following"])
    program.picture("back")
    program.press("ctrl+End")
    program.until(lambda now: now["following"] and now["seq"] == now["last"])
