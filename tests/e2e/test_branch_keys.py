"""A branch made in the real window with real keys: dialog, engine, stepping in the branch, back to the parent, comparison."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.desk import Desk, Program, missing_tools

pytestmark = [
    pytest.mark.display,
    pytest.mark.slow,
    pytest.mark.skipif(bool(missing_tools()), reason=f"needs the Debian packages {', '.join(missing_tools())}"),
]


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    """The window on a recording of 0.4 s."""
    path = tmp_path / "parent.ringscope"
    subprocess.run(
        [sys.executable, "-m", "ringscope", "run", "default", "--headless", "--for", "400ms", "--record", str(path)], check=True, capture_output=True
    )
    desk = Desk((1600, 960))
    found = Program(desk, tmp_path, "open", str(path))
    yield found
    found.close()
    desk.close()


def test_branch_from_here_by_keys(program: Program) -> None:
    parent = program.until(lambda now: now["last"] > 3000)
    program.press("ctrl+Home")
    program.until(lambda now: now["seq"] == parent["first"])
    program.press("ctrl+End")
    program.until(lambda now: now["seq"] == now["last"])
    # some events back from the end, which lie before the run's end
    program.press(*["comma"] * 12)
    here = program.until(lambda now: now["seq"] == parent["last"] - 12)["seq"]
    program.press("ctrl+shift+r")
    program.until(lambda now: now["dialog"] == "Branch from here")
    # what changes: from the feature bits to the cable, which is pulled out
    program.press("Up")
    program.picture("dialog")
    program.press("Return")
    branch = program.until(lambda now: now["session"] != parent["session"] and now["state"] == "paused" and now["last"] >= here, "the branch")
    assert branch["stop"] is None or branch["stop"]["reason"] == "branch"
    program.until(lambda now: now["kind"] == "frame_enter" and now["call"].startswith("virtio_net_set_link_status"), "the first event of the change")
    program.picture("branch")
    # there is no window manager here that would give the keyboard back when a dialog goes
    program.desk.run("xdotool", "windowfocus", "--sync", program._window)
    # a step is one more event of the branch
    at = program.state["last"]
    program.press("F7")
    program.until(lambda now: now["last"] == at + 1, "a step")
    program.press("ctrl+shift+d")
    time.sleep(2)
    program.picture("compare")
    program.desk.run("xdotool", "windowfocus", "--sync", program._window)
    program.press("ctrl+shift+g")
    program.until(lambda now: now["session"] == parent["session"], "the parent")
    program.picture("parent")
