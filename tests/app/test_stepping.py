"""Steps both ways: when the machine goes on, when only the focus moves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from ringscope.commands import Commands, Stop
from ringscope.focus import Focus
from ringscope.stepping import Found, Plain, Stepper
from ringscope.store import Store
from tests.app.test_commands import Recorder

POINT = {"id": 4, "what": "event", "where": "kick", "enabled": True, "log": ""}


class Answers:
    """Searches that find what a test says."""

    def __init__(self) -> None:
        self.step_ends: int | None = None
        self.hit: tuple[int, int] | None = None
        self.asked: list[Any] = []
        self.found: Found | None = None

    def step(self, store: Store, seq: int, kind: str, count: int, direction: int) -> int | None:
        self.asked.append((seq, kind, count, direction))
        return self.step_ends

    def find_hit(self, store: Store, points: Sequence[Plain], seq: int, direction: int, found: Found) -> None:
        self.asked.append((seq, [point.get("id", 0) for point in points], direction))
        self.found = found
        found(self.hit)

    def cancel(self) -> bool:
        return bool(self.found)


class Machine(Recorder):
    """A live source that notes what it is told."""

    def __init__(self, *capabilities: str) -> None:
        super().__init__(*capabilities)
        self.state = "paused"

    def run_until(self, point: dict[str, object]) -> None:
        self.told.append(("until", point["where"]))


class Bench:
    """A stepper on a recording of some thousand events."""

    def __init__(self, store: Store, *capabilities: str) -> None:
        self.store, self.focus, self.answers = store, Focus(), Answers()
        self.machine = Machine(*capabilities)
        self.commands = Commands(self.machine)
        self.said: list[str] = []
        self.stepper = Stepper(store, self.focus, self.commands, self.answers, self.said.append)
        self.stand(100)

    def stand(self, seq: int) -> None:
        """Look at an event."""
        self.focus.scrub(seq)


@pytest.fixture
def live(store: Store) -> Bench:
    return Bench(store, "pause", "step", "break")


@pytest.fixture
def recorded(store: Store) -> Bench:
    return Bench(store, "break")


@pytest.mark.parametrize("kind", ["event", "over", "into", "out", "packet", "kick"])
def test_at_the_live_end_a_step_runs_the_machine(live: Bench, kind: str) -> None:
    live.stand(live.store.last_seq)
    live.stepper.step(kind)
    assert live.machine.told == [(kind, 1)] and live.focus.following and not live.answers.asked


def test_elsewhere_a_step_moves_the_focus_and_the_machine_stays(live: Bench) -> None:
    live.answers.step_ends = 140
    live.stepper.step("over", 1, 3)
    assert live.focus.seq == 140 and not live.machine.told and live.answers.asked == [(100, "over", 3, 1)]
    assert live.commands.stop == Stop("step over", 140, live.store.reader.vt_at_seq(140))
    live.answers.step_ends = 90
    live.stepper.step("over", -1)
    assert live.focus.seq == 90 and live.commands.stop is not None and live.commands.stop.reason == "step over back"


def test_forward_past_the_end_of_a_live_recording_the_machine_goes_on(live: Bench) -> None:
    live.stepper.step("out")
    assert live.machine.told == [("out", 1)] and live.focus.following and live.focus.seq == live.store.last_seq


def test_back_from_a_running_machine_stops_it_first(live: Bench) -> None:
    live.focus.set_following(True)
    live.focus.advance(live.store.last_seq)
    live.answers.step_ends = 500
    live.stepper.step("kick", -1)
    assert live.machine.told == ["pause"] and live.focus.seq == 500 and not live.focus.following
    assert live.answers.asked == [(live.store.last_seq, "kick", 1, -1)]


def test_a_recording_ends_where_it_ends(recorded: Bench) -> None:
    recorded.stepper.step("packet")
    assert recorded.focus.seq == recorded.store.last_seq and recorded.commands.stop is not None
    assert recorded.commands.stop.reason == "the end of the recording"
    recorded.stand(100)
    recorded.stepper.step("packet", -1)
    assert recorded.focus.seq == recorded.store.first_seq and not recorded.machine.told


@pytest.mark.parametrize("direction", [1, -1])
def test_continue_goes_to_a_breakpoint(live: Bench, direction: int) -> None:
    live.machine.points = (POINT, {**POINT, "id": 5, "enabled": False}, {**POINT, "id": 6, "log": "said"})
    live.answers.hit = (77, 4)
    live.stepper.go(direction)
    assert live.answers.asked == [(100, [4], direction)]
    assert live.focus.seq == 77 and live.commands.stop is not None and live.commands.stop.point == 4 and not live.machine.told


def test_continue_without_a_hit_ends_at_the_live_machine(live: Bench) -> None:
    live.machine.points = (POINT,)
    live.stepper.go()
    assert live.machine.told == ["run"] and live.focus.following
    live.stand(100)
    live.stepper.go(-1)
    assert live.focus.seq == live.store.first_seq and live.machine.told == ["run"]


def test_continue_without_breakpoints_asks_nobody(recorded: Bench) -> None:
    recorded.stepper.go()
    assert recorded.focus.seq == recorded.store.last_seq and not recorded.answers.asked


def test_until_over_the_recording_then_the_machine(live: Bench) -> None:
    live.answers.hit = (300, 0)
    live.stepper.until({"what": "function", "where": "virtio_init"})
    assert live.focus.seq == 300 and not live.machine.told
    live.answers.hit = None
    live.stepper.until({"what": "function", "where": "virtio_reset"})
    assert live.machine.told == [("until", "virtio_reset")] and live.focus.following
    live.machine.told.clear()
    live.stepper.until({"what": "time", "where": "9s"})
    assert live.machine.told == [("until", "9s")]


def test_until_says_when_it_does_not_come(recorded: Bench) -> None:
    recorded.stepper.until({"what": "function", "where": "virtio_reset"})
    assert recorded.focus.seq == 100 and "does not come" in recorded.said[-1]


def test_interrupt_gives_up_a_search_else_stops_the_machine(live: Bench) -> None:
    live.machine.state = "running"
    live.stepper.interrupt()
    assert live.machine.told == ["pause"]
    live.answers.found = lambda hit: None
    live.stepper.interrupt()
    assert live.machine.told == ["pause"] and live.said[-1] == "search given up"


def test_what_was_found_counts_only_there(recorded: Bench) -> None:
    recorded.answers.step_ends = 120
    recorded.stepper.step("event")
    assert recorded.commands.stands_at(120) and not recorded.commands.stands_at(121)
