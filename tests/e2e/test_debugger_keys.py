"""The debugger in the window, with real keys on a real X server: the program as a person starts it."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.desk import PATIENCE_S, Program, Start, missing_tools

pytestmark = [
    pytest.mark.display,
    pytest.mark.slow,
    pytest.mark.skipif(bool(missing_tools()), reason=f"needs the Debian packages {', '.join(missing_tools())}"),
]
WIDE, LAPTOP = (1920, 1080), (1366, 768)


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished recording of the default scenario."""
    path = tmp_path_factory.mktemp("recordings") / "default.ringscope"
    command = [sys.executable, "-m", "ringscope", "run", "default", "--headless", "--for", "400ms", "--record", str(path)]
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    return path


def stopped(reason: str, **more: object) -> Callable[[dict[str, Any]], bool]:
    """A test of the state: it stands, for this reason."""

    def test(now: dict[str, Any]) -> bool:
        return bool(now["stop"]) and now["stop"]["reason"].startswith(reason) and all(now[name] == value for name, value in more.items())

    return test


def at_start(program: Program) -> dict[str, Any]:
    """Wait until a run that begins paused stands at its first events."""
    return program.until(lambda now: now["state"] == "paused" and now["last"] > 100, "the paused start")


def watch(program: Program, field: str) -> None:
    """Set a breakpoint on a field's change by the dialog."""
    program.press("ctrl+b")
    program.until(lambda now: now["dialog"] == "Add breakpoint", "the dialog")
    program.press("shift+Tab")
    program.until(lambda now: now["keyboard"] == "what")
    program.type("field")
    program.press("Tab")
    program.until(lambda now: now["keyboard"] == "where")
    program.press("ctrl+a")
    program.type(field)


def test_steps_run_the_machine_and_back_steps_do_not(start: Start) -> None:
    program = start(WIDE, "window", "default", "--paused", "--view", "realize", "--theme", "light")
    first = at_start(program)
    last = first["last"]
    for _ in range(6):
        program.press("F11")
        now = program.until(lambda now, last=last: now["last"] > last and stopped("step into")(now) and now["stop"]["seq"] == now["seq"], "a step into")
        assert now["following"] and now["kind"] in ("frame_enter", "frame_at", "frame_leave")
        last = now["last"]
    inner = now["depth"]
    assert inner > 2
    program.picture("stepped-into")
    program.press("shift+F11")
    now = program.until(lambda now: now["last"] > last and stopped("step out")(now), "a step out")
    assert now["depth"] < inner
    last = now["last"]
    program.press("F10")
    now = program.until(lambda now: now["last"] > last and stopped("step over")(now), "a step over")
    last = now["last"]
    places = [now["seq"]]
    for key in ("shift+F10", "alt+F11", "shift+F7", "alt+shift+F11"):
        program.press(key)
        now = program.until(lambda now: now["seq"] < places[-1] and now["stop"] and now["stop"]["reason"].endswith("back"), key)
        assert now["last"] == last and not now["following"] and now["state"] == "paused"
        places.append(now["seq"])
    program.picture("stepped-back")
    # forwards again over what is recorded: the machine does not move
    program.press("F7")
    now = program.until(lambda now: now["seq"] == places[-1] + 1, "an event on")
    assert now["last"] == last and now["stop"]["reason"] == "step event"
    program.press("F5")
    now = program.until(lambda now: now["state"] == "running" and now["following"] and now["last"] > last, "a running machine")
    program.press("F6")
    now = program.until(lambda now: now["state"] == "paused" and now["stop"], "an interrupt")


def test_a_watch_stops_at_the_change_forwards_and_backwards(start: Start) -> None:
    program = start(LAPTOP, "window", "default", "--paused", "--view", "realize", "--theme", "dark")
    at_start(program)
    watch(program, "VirtIODevice.statuss")
    program.press("Return")
    program.press("Return")
    program.picture("wrong-field")
    assert program.state["dialog"] == "Add breakpoint" and not program.state["points"]
    program.press("ctrl+a")
    program.type("VirtIODevice.status")
    program.press("Return", "Return")
    now = program.until(lambda now: not now["dialog"] and now["points"], "a breakpoint")
    assert [(point["what"], point["where"]) for point in now["points"]] == [("field", "VirtIODevice.status")]
    seqs: list[int] = []
    for _ in range(3):
        program.press("F5")
        now = program.until(
            lambda now: now["state"] == "paused" and now["stop"] and now["stop"]["point"] == 1 and now["seq"] == now["stop"]["seq"] not in seqs, "a hit"
        )
        assert now["kind"] == "field" and now["seq"] == now["last"]
        seqs.append(now["seq"])
    assert seqs == sorted(seqs)
    program.until(lambda now: now["points"][0]["hits"] == 3, "three hits counted")
    program.press("ctrl+shift+b")
    program.until(lambda now: "breakpoints" in now["views"], "the list")
    program.picture("watch-hit")
    for seq in (seqs[1], seqs[0]):
        program.press("shift+F5")
        now = program.until(lambda now, seq=seq: now["seq"] == seq, "the change before")
        assert now["stop"]["point"] == 1 and now["last"] == seqs[-1]
    program.press("F5")
    program.until(lambda now: now["seq"] == seqs[1], "forwards over the recording")
    program.press("ctrl+shift+b", "space")
    program.until(lambda now: not now["points"][0]["enabled"], "a disabled breakpoint")
    program.press("Delete")
    program.until(lambda now: not now["points"], "no breakpoint")


def test_stopped_means_stopped(start: Start) -> None:
    program = start(WIDE, "window", "default", "--view", "rings", "--theme", "light")
    program.until(lambda now: now["state"] == "running" and now["last"] > 2000, "traffic")
    program.press("F6")
    program.until(lambda now: now["state"] == "paused" and now["seq"] == now["last"], "an interrupt")
    for view in ("ctrl+4", "ctrl+5", "ctrl+3", "ctrl+6"):
        program.press(view)
        # a view that was not seen yet comes up, asks the machine, counts what it has not counted; then nothing moves any more
        deadline = time.monotonic() + PATIENCE_S
        looks = [look(program)]
        while len(looks) < 4:
            assert time.monotonic() < deadline, f"{view} goes on moving while everything stands still"
            time.sleep(1.0)
            now = look(program)
            looks = [*looks, now] if now == looks[-1] else [now]


def look(program: Program) -> tuple[bytes, dict[str, Any]]:
    """Every pixel, and the state in words."""
    return program.desk.pixels(), program.state


def test_a_recording_is_stepped_both_ways(start: Start, recording: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine.ringscope"
    shutil.copy(recording, mine)
    program = start(LAPTOP, "open", str(mine), "--view", "realize", "--theme", "light")
    program.until(lambda now: now["last"] > 1000, "the recording")
    program.press("ctrl+Home")
    now = program.until(lambda now: now["seq"] == now["first"], "the beginning")
    for forward, back, kinds in (("F12", "shift+F12", ("kick",)), ("F8", "shift+F8", ("frame_tx", "frame_rx")), ("F7", "shift+F7", ())):
        seqs = [now["seq"]]
        for _ in range(4):
            program.press(forward)
            now = program.until(lambda now, before=seqs[-1]: now["seq"] > before, forward)
            assert not kinds or now["kind"] in kinds
            seqs.append(now["seq"])
        for seq in reversed(seqs[1:-1]):
            program.press(back)
            now = program.until(lambda now, seq=seq: now["seq"] == seq, back)
    program.press("ctrl+u")
    program.until(lambda now: now["dialog"] == "Run until", "the dialog")
    program.picture("run-until")
    program.type("virtio_net_flush_tx")
    program.press("Return", "Return")
    now = program.until(stopped("until function virtio_net_flush_tx"), "run until")
    assert now["call"].startswith("virtio_net_flush_tx:") and now["kind"] == "frame_enter"
    # the recording stands behind the boot: going back there finds it
    program.press("ctrl+b")
    program.until(lambda now: now["dialog"] == "Add breakpoint", "the dialog")
    program.press("ctrl+a")
    program.type("virtio_net_device_realize")
    program.press("Return", "Return")
    program.until(lambda now: not now["dialog"] and now["points"], "a breakpoint")
    program.press("shift+F5")
    now = program.until(stopped("breakpoint", call="virtio_net_device_realize:2658"), "back at the realize")
    program.press("ctrl+shift+j")
    program.until(lambda now: now["keyboard"] == "source text", "the source")
    program.picture("source")
    program.press("Down", "Down", "Down", "F9")
    program.press("shift+Tab")
    for _ in range(3):
        program.press("F10")
    now = program.until(lambda now: now["call"].startswith("virtio_net_device_realize:") and now["call"] != "virtio_net_device_realize:2658", "three lines on")
    program.picture("stepped-over")


def test_the_console_and_the_window_are_one_debugger(start: Start) -> None:
    program = start(WIDE, "window", "default", "--paused", "--view", "realize", "--theme", "dark")
    at_start(program)
    program.press("ctrl+j")
    program.until(lambda now: now["keyboard"] == "console input", "the console")
    for line in ("b virtio_net_device_realize", "c"):
        program.type(line)
        program.press("Return")
    hit = program.until(stopped("breakpoint 1", call="virtio_net_device_realize:2658"), "the breakpoint")
    assert hit["following"] and [point["where"] for point in hit["points"]] == ["virtio_net_device_realize"]
    # a step by key at the live end, one back by word, one on by key
    program.press("F10")
    on = program.until(lambda now: now["seq"] > hit["seq"] and stopped("step over")(now), "a step over")
    program.press("ctrl+j")
    program.type("rn")
    program.press("Return")
    back = program.until(lambda now: now["seq"] < on["seq"], "a step back by word")
    assert back["call"].startswith("virtio_net_device_realize:") and not back["following"]
    program.press("F10")
    program.until(lambda now: now["seq"] == on["seq"] and now["last"] == on["last"], "forwards again over the recording")
    program.press("ctrl+j")
    program.type("info b")
    program.press("Return")
    program.type("fini")
    program.press("Tab")
    program.press("Return")
    program.until(lambda now: now["last"] > on["last"] and now["depth"] < on["depth"], "finish, completed by Tab")
    program.press("ctrl+j", "Up")
    program.picture("console")


def test_a_branch_is_made_and_both_runs_stay(start: Start) -> None:
    program = start(LAPTOP, "window", "default", "--paused", "--view", "realize", "--theme", "light")
    at_start(program)
    for _ in range(3):
        last = program.state["last"]
        program.press("F11")
        parent = program.until(lambda now, last=last: now["last"] > last and now["stop"] and now["state"] == "paused", "a step")
    program.press("ctrl+shift+r")
    program.until(lambda now: now["dialog"] == "Branch from here", "the dialog")
    program.picture("branch-dialog")
    program.press("Return")
    program.until(lambda now: not now["dialog"], "the dialog closed")
    branch = program.until(lambda now: now["session"] != parent["session"] and now["state"] == "paused" and now["last"] >= parent["seq"], "the branch")
    assert branch["live"]
    program.picture("branch")
    last = branch["last"]
    program.press("F11")
    program.until(lambda now: now["last"] > last and now["state"] == "paused", "a step in the branch")
    program.press("ctrl+shift+g")
    now = program.until(lambda now: now["session"] == parent["session"], "the parent again")
    assert now["last"] == parent["last"]
    program.press("ctrl+shift+g")
    program.until(lambda now: now["session"] == branch["session"] and now["last"] > last, "the branch again")
