"""The window and its engine killed at the same moment: the recording is there, right, and offered."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from ringscope.sources import unsaved
from ringscope.sources.unsaved import find_unsaved
from ringscope_core.query.verify import verify


def children(pid: int) -> list[int]:
    """Processes that `pid` started."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError, ValueError, IndexError):
                # the name in brackets may hold anything
                if int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1]) == pid:
                    found.append(int(entry.name))
    return found


def kill_window(state: Path, after_s: float, engine_first: bool) -> None:
    """Start a window that records without a name, wait until it does, and kill both."""
    environment = {**os.environ, "XDG_STATE_HOME": str(state), "XDG_CONFIG_HOME": str(state / "config"), "QT_QPA_PLATFORM": "offscreen"}
    command = [sys.executable, "-m", "ringscope", "window", "default", "--speed", "max", "--trace", "full"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 40
        while not (engines := children(process.pid)) or not list((state / "ringscope" / "unsaved").glob("*/*.ringscope")):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        time.sleep(after_s)
        victims = [*engines, process.pid] if engine_first else [process.pid, *engines]
        for pid in victims:
            os.kill(pid, signal.SIGKILL)
        process.wait(10)


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="finds the engine in /proc")
@pytest.mark.parametrize("engine_first", [True, False])
def test_both_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine_first: bool) -> None:
    kill_window(tmp_path, random.Random(int(engine_first)).uniform(0.5, 2.5), engine_first)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setattr(unsaved, "QUIET_S", 0.0)
    (found,), _ = find_unsaved()
    assert found.problem == ""
    assert found.events > 500
    report = verify(found.path, jobs=1)
    assert report.findings == []
    assert report.compared >= 1
