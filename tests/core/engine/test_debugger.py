"""Stops, steps and breakpoints, on a program of nested calls that emits events like a device does."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator

import pytest

from ringscope_core.engine.debugger import Debugger, StopListener
from ringscope_core.scenario.errors import InputError
from ringscope_core.trace import kinds as k
from ringscope_core.trace.clock import Clock
from ringscope_core.trace.functions import fn
from ringscope_core.trace.log import EventLog

OUTER, INNER, LEAF = (int(fn(name)) for name in ("device_set_realized", "virtio_device_realize", "virtio_init"))


class Listener(StopListener):
    def __init__(self) -> None:
        self.stops: list[str] = []
        self.stopped = threading.Event()
        self.flushes = 0

    def on_stopped(self, reason: str) -> None:
        self.stops.append(reason)
        self.stopped.set()

    def on_resumed(self) -> None:
        self.stopped.clear()

    def flush(self) -> None:
        self.flushes += 1


class Program:
    """Runs one pass of calls in a thread of its own when told to, under a debugger."""

    def __init__(self) -> None:
        self.log = EventLog(Clock())
        self.listener = Listener()
        self.debugger = Debugger(self.log, self.listener)
        self.passes = 1
        self.thread = threading.Thread(target=self.main, daemon=True)

    def main(self) -> None:
        for _ in range(self.passes):
            log = self.log
            log.clock.now_ns += 1000
            log.enter(OUTER, 795)
            log.at(811)
            log.enter(INNER, 2603)
            log.at(2613)
            log.enter(LEAF, 2329)
            log.field(1, 5, 1, 0)
            log.leave()
            log.at(2620)
            log.leave()
            log.at(900)
            log.leave()
            self.debugger.turn_ended(int(log.clock.now_ns))

    def until_stopped(self) -> tuple[list[int], str]:
        """Lines of the open frames, outermost first as folded, and why it stands."""
        assert self.listener.stopped.wait(5), "the program did not stop"
        return [int(frame.line) for frame in self.log.frames], self.debugger.stop_reason

    def step(self, kind: str, count: int = 1) -> tuple[list[int], str]:
        self.listener.stopped.clear()
        self.debugger.step(kind, count)
        return self.until_stopped()


@pytest.fixture
def program() -> Iterator[Program]:
    program = Program()
    yield program
    program.debugger.close()
    if program.thread.ident is not None:
        program.thread.join(5)
        assert not program.thread.is_alive()


def stopped_at(program: Program, line: int) -> None:
    program.debugger.breakpoints.add({"checkpoint": f"virtio_device_realize:{line}"})
    program.thread.start()
    lines, reason = program.until_stopped()
    assert reason.startswith("breakpoint 1: checkpoint")
    assert lines[-1] == line


def test_a_breakpoint_on_a_function_stops_in_the_middle_of_the_stack(program: Program) -> None:
    program.debugger.breakpoints.add({"function": "virtio_init"})
    program.thread.start()
    lines, reason = program.until_stopped()
    assert reason == "breakpoint 1: function virtio_init"
    # the frame being entered is not yet in the log's list
    assert lines == [811, 2613]
    assert program.debugger.inside_turn
    assert program.listener.flushes == 1


def test_step_into_enters_the_call(program: Program) -> None:
    stopped_at(program, 2613)
    assert program.step("into") == ([811, 2613], "step into: frame_enter")


def test_step_over_passes_the_call(program: Program) -> None:
    stopped_at(program, 2613)
    assert program.step("over") == ([811, 2620], "step over: frame_at")
    assert program.step("over") == ([811], "step over: frame_leave")
    assert program.step("over") == ([900], "step over: frame_at")


def test_step_over_at_the_first_statement_stays_in_the_function(program: Program) -> None:
    program.debugger.breakpoints.add({"function": "virtio_device_realize"})
    program.thread.start()
    lines, _ = program.until_stopped()
    assert lines == [811, 2613], "behind the prologue, as gdb stops"
    assert program.step("over") == ([811, 2620], "step over: frame_at")


def test_step_out_returns_to_the_caller(program: Program) -> None:
    program.debugger.breakpoints.add({"function": "virtio_init"})
    program.thread.start()
    program.until_stopped()
    assert program.step("out") == ([811, 2613], "step out: frame_leave")
    assert program.step("out") == ([811], "step out: frame_leave")


def test_step_out_of_everything_goes_to_the_end_of_the_turn(program: Program) -> None:
    program.passes = 2
    program.debugger.pause()
    program.thread.start()
    program.until_stopped()
    program.step("turn")
    assert program.step("out")[1] == "step turn"
    assert program.log.frames == []


def test_single_events_and_counts(program: Program) -> None:
    program.debugger.pause()
    program.thread.start()
    program.until_stopped()
    assert int(program.log.seq) == 1
    program.step("event")
    assert int(program.log.seq) == 2
    program.step("event", 4)
    assert int(program.log.seq) == 6


def test_kind_and_time_breakpoints(program: Program) -> None:
    program.passes = 5
    program.debugger.breakpoints.add({"event": "field"})
    program.thread.start()
    assert program.until_stopped()[1] == "breakpoint 1: event field"
    assert program.debugger.breakpoints.remove(1)
    program.debugger.breakpoints.add({"time": "3000"})
    program.listener.stopped.clear()
    program.debugger.resume()
    assert program.until_stopped()[1] == "breakpoint 2: time 3000"
    assert int(program.log.clock.now_ns) == 3000
    program.listener.stopped.clear()
    program.debugger.resume()
    program.thread.join(5)
    assert not program.thread.is_alive(), "a time comes once"


def test_a_rate_slows_down_and_stays_interruptible(program: Program) -> None:
    program.passes = 1000
    program.debugger.set_rate(100)
    start = time.monotonic()
    program.thread.start()
    while (seq := int(program.log.seq)) < 60:
        time.sleep(0.005)
    # whatever the machine has to do besides: not faster than that, but for what may come at once
    assert seq <= 100 * (time.monotonic() - start) + 30
    program.debugger.set_rate(0.01)
    while program.debugger._due < time.monotonic() + 50:
        time.sleep(0.005)
    program.debugger.pause()
    program.until_stopped()
    program.debugger.set_rate(0)
    program.debugger.resume()
    program.thread.join(10)
    assert int(program.log.seq) == 11_000


def test_the_brake_comes_and_goes_while_events_pass(program: Program) -> None:
    program.passes = 2000
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        program.thread.start()
        while program.thread.is_alive():
            program.debugger.set_rate(1e9)
            program.debugger.set_rate(0)
    finally:
        sys.setswitchinterval(before)
    assert int(program.log.seq) == 22_000, "the run came to its end"


def test_while_stopped_the_run_answers_and_changes_wait(program: Program) -> None:
    program.passes = 2
    stopped_at(program, 2620)
    done: list[str] = []
    program.debugger.call(lambda: done.append("asked"))
    program.debugger.call(lambda: program.debugger.at_turn_end(lambda: done.append("changed")))
    deadline = time.monotonic() + 5
    while done != ["asked"] and time.monotonic() < deadline:
        time.sleep(0.005)
    assert done == ["asked"]
    program.step("turn")
    assert done == ["asked", "changed"]


def test_what_can_not_be(program: Program) -> None:
    for what, where in (("function", "no_such"), ("checkpoint", "virtio_init"), ("kind", "nothing"), ("time", "-1"), ("place", "x")):
        with pytest.raises(InputError):
            program.debugger.breakpoints.add({what: where})
    with pytest.raises(InputError):
        program.debugger.step("sideways")
    with pytest.raises(InputError):
        program.debugger.step("event", 0)
    assert program.debugger.breakpoints.points == ()
    assert not program.log.hooked


def test_nothing_is_called_when_nobody_watches(program: Program) -> None:
    program.thread.start()
    program.thread.join(5)
    assert not program.log.hooked
    assert int(program.log.seq) == 11
    assert int(k.EV_FRAME_ENTER) == 10
