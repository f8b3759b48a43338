"""Commands follow what the source can do, and nothing else."""

from __future__ import annotations

from pytestqt.qtbot import QtBot

from ringscope.commands import SPEED_MAX, SPEED_REAL, Commands, Controls
from ringscope.window_transport import FLAT_OUT, REAL, position_of, speed_at, speed_text


class Recorder(Controls):
    """A source that notes what it is told."""

    def __init__(self, *capabilities: str) -> None:
        super().__init__()
        self.capabilities = frozenset(capabilities)
        self.state = "running"
        self.told: list[object] = []

    def run(self) -> None:
        self.told.append("run")

    def pause(self) -> None:
        self.told.append("pause")

    def step(self, kind: str, count: int = 1) -> None:
        self.told.append((kind, count))

    def set_speed(self, events_per_second: float) -> None:
        self.told.append(events_per_second)


def test_nothing_is_done_that_cannot_be_done() -> None:
    source = Recorder("pause")
    commands = Commands(source)
    commands.step("over")
    commands.set_speed(5)
    commands.toggle()
    assert source.told == ["pause"]
    source.state = "paused"
    commands.toggle()
    assert source.told == ["pause", "run"]


def test_another_source_behind_the_same_commands(qtbot: QtBot) -> None:
    first, second = Recorder(), Recorder("step")
    commands = Commands(first)
    with qtbot.waitSignal(commands.changed, timeout=500):
        commands.bind(second)
    commands.step("into", 2)
    assert second.told == [("into", 2)] and commands.can_step and not commands.can_pause
    with qtbot.assertNotEmitted(commands.changed, wait=10):
        first.changed.emit()
    with qtbot.waitSignal(commands.message, timeout=500) as heard:
        second.failed.emit("no")
    assert heard.args == ["no"]


def test_the_speed_slider_goes_from_one_event_a_second_to_flat_out() -> None:
    assert speed_at(0) == 1 and speed_at(60) == 1_000_000 and speed_at(REAL) == SPEED_REAL and speed_at(FLAT_OUT) == SPEED_MAX
    speeds = [speed_at(place) for place in range(61)]
    assert speeds == sorted(speeds) and len(set(speeds)) == 61
    assert all(position_of(speed_at(place)) == place for place in range(FLAT_OUT + 1))
    assert (speed_text(1), speed_text(SPEED_REAL), speed_text(SPEED_MAX)) == ("1 ev/s", "real time", "flat out")
