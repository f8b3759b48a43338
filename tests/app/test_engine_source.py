"""The engine as a source: started, obeyed, crashed, restarted; with a stand-in process that speaks QMP."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from ringscope.commands import SPEED_MAX, SPEED_REAL, Commands, Stop
from ringscope.sources.engine import EngineControls, EngineOptions

STAND_IN = Path(__file__).with_name("stand_in_engine.py")


@pytest.fixture
def controls(qtbot: QtBot) -> Iterator[EngineControls]:
    made = EngineControls(EngineOptions("ping", ("seed=3",), record=None))
    made.command = (sys.executable, str(STAND_IN))
    yield made
    made.close()


def started(controls: EngineControls, qtbot: QtBot) -> EngineControls:
    controls.start()
    controls.wait_started(20)
    qtbot.waitUntil(lambda: controls.state == "running", timeout=10_000)
    return controls


def told(controls: EngineControls) -> list[str]:
    """What the stand-in was asked to do, status questions aside."""
    assert controls.session is not None
    path = controls.session.with_suffix(".told")
    return path.read_text().splitlines() if path.exists() else []


def test_it_starts_and_says_what_it_can(controls: EngineControls, qtbot: QtBot) -> None:
    started(controls, qtbot)
    commands = Commands(controls)
    assert commands.can_step and commands.can_pause and commands.can_restart and commands.trace_level == "full" and commands.speed == SPEED_REAL
    assert controls.session is not None and controls.session.exists()


def test_commands_arrive_in_order_the_speed_before_what_follows(controls: EngineControls, qtbot: QtBot) -> None:
    started(controls, qtbot)
    controls.pause()
    controls.set_speed(50)
    controls.set_speed(20)
    controls.run()
    controls.set_speed(SPEED_MAX)
    qtbot.waitUntil(lambda: len(told(controls)) >= 4, timeout=10_000)
    assert told(controls) == ["stop", 'x-ringscope-speed {"events_per_second": 20}', "cont", 'x-ringscope-speed {"max": true}']
    qtbot.waitUntil(lambda: controls.speed == SPEED_MAX, timeout=10_000)


def test_questions_are_answered_to_who_asked(controls: EngineControls, qtbot: QtBot) -> None:
    started(controls, qtbot)
    answers: list[object] = []
    assert controls.query("qom-list", {"path": "/"}, answers.append)
    qtbot.waitUntil(lambda: bool(answers), timeout=10_000)
    assert answers == [[{"name": "machine", "type": "child<container>"}]]
    with qtbot.waitSignal(controls.failed, timeout=10_000) as heard:
        controls.change_points({"add": {"function": "no_such_function"}})
    assert "no_such_function" in heard.args[0]


def test_a_crash_is_told_once_with_how_it_died(controls: EngineControls, qtbot: QtBot) -> None:
    started(controls, qtbot)
    assert controls.process is not None
    with qtbot.waitSignal(controls.stopped, timeout=10_000) as heard:
        os.kill(controls.process.processId(), signal.SIGKILL)
    assert "signal 9" in heard.args[0]
    assert controls.state == "failed" and controls.capabilities == frozenset({"restart"})


def test_a_restart_records_into_another_file(controls: EngineControls, qtbot: QtBot) -> None:
    started(controls, qtbot)
    first, pid = controls.session, controls.process.processId() if controls.process else 0
    with qtbot.waitSignal(controls.started, timeout=20_000):
        controls.restart()
    qtbot.waitUntil(lambda: controls.state == "running", timeout=10_000)
    assert controls.session != first and controls.process is not None and controls.process.processId() != pid


def test_an_engine_that_does_not_start_says_why(qtbot: QtBot) -> None:
    controls = EngineControls(EngineOptions("nonsense"))
    controls.command = (sys.executable, str(STAND_IN))
    controls.start()
    with pytest.raises(RuntimeError, match="scenario: 'nonsense' is not allowed"):
        controls.wait_started(20)
    controls.close()


def test_closing_leaves_no_process_and_no_file(qtbot: QtBot) -> None:
    controls = EngineControls(EngineOptions("ping"))
    controls.command = (sys.executable, str(STAND_IN))
    started(controls, qtbot)
    folder, pid = controls._folder, controls.process.processId() if controls.process else 0
    controls.close()
    assert not folder.exists()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_the_recording_is_kept_where_it_was_asked_for(qtbot: QtBot, tmp_path: Path) -> None:
    kept = tmp_path / "mine.ringscope"
    controls = EngineControls(EngineOptions("ping", record=kept))
    controls.command = (sys.executable, str(STAND_IN))
    started(controls, qtbot)
    controls.close()
    assert kept.exists()


def test_why_it_stands_is_told(controls: EngineControls, qtbot: QtBot) -> None:
    started(controls, qtbot)
    assert controls.stop is None
    controls.pause()
    qtbot.waitUntil(lambda: controls.stop is not None, timeout=10_000)
    assert controls.stop == Stop("breakpoint 2: event kick", 40, 5000, 0)
    controls._told("X_RINGSCOPE_STOPPED", {"breakpoint": 2})
    qtbot.waitUntil(lambda: controls.stop is not None and controls.stop.point == 2, timeout=10_000)
    controls.run()
    qtbot.waitUntil(lambda: controls.stop is None, timeout=10_000)


def test_breakpoints_survive_a_restart_and_are_set_before_it_runs(controls: EngineControls, qtbot: QtBot) -> None:
    started(controls, qtbot)
    controls.change_points({"add": {"what": "event", "where": "kick", "condition": "obj == tx0"}})
    qtbot.waitUntil(lambda: len(controls.points) == 1, timeout=10_000)
    controls.restart()
    qtbot.waitUntil(lambda: controls.state == "running" and len(controls.points) == 1, timeout=20_000)
    assert controls.points[0]["condition"] == "obj == tx0"
    asked = told(controls)
    assert [line.split()[0] for line in asked[:3]] == ["x-ringscope-break", "x-ringscope-break", "cont"] and "kick" in asked[1]
