"""Timers and bottom halves run in a fixed order."""

from __future__ import annotations

from ringscope_core.trace.clock import Clock
from ringscope_core.trace.mainloop import BottomHalf, MainLoop, Timer


class Note(Timer):
    """Writes its name down."""

    def __init__(self, name: str, out: list[str]) -> None:
        super().__init__()
        self.name = name
        self.out = out

    def fire(self) -> None:
        self.out.append(self.name)


class Half(BottomHalf):
    """Writes its name down, and schedules another."""

    def __init__(self, name: str, out: list[str], loop: MainLoop, then: BottomHalf | None = None) -> None:
        super().__init__()
        self.name = name
        self.out = out
        self.loop = loop
        self.then = then

    def run(self) -> None:
        self.out.append(self.name)
        if self.then is not None:
            self.loop.bh_schedule(self.then)


def test_timers_fire_by_deadline_then_by_arming() -> None:
    clock = Clock()
    loop = MainLoop(clock)
    out: list[str] = []
    a, b, c = Note("a", out), Note("b", out), Note("c", out)
    loop.timer_mod(a, 20)
    loop.timer_mod(b, 10)
    loop.timer_mod(c, 10)
    assert loop.next_deadline_ns() == 10
    clock.advance_to(9)
    assert loop.run_timers() == 0
    clock.advance_to(20)
    assert loop.run_timers() == 3
    assert out == ["b", "c", "a"]
    assert loop.next_deadline_ns() == -1


def test_a_moved_timer_fires_once_at_its_last_deadline() -> None:
    clock = Clock()
    loop = MainLoop(clock)
    out: list[str] = []
    timer = Note("t", out)
    loop.timer_mod(timer, 5)
    loop.timer_mod(timer, 50)
    clock.advance_to(10)
    loop.run_timers()
    assert out == []
    assert loop.next_deadline_ns() == 50
    loop.timer_del(timer)
    assert loop.next_deadline_ns() == -1
    clock.advance_to(60)
    loop.run_timers()
    assert out == []


def test_a_timer_moved_back_and_forth_fires_once() -> None:
    clock = Clock()
    loop = MainLoop(clock)
    out: list[str] = []
    timer = Note("t", out)
    loop.timer_mod(timer, 5)
    loop.timer_mod(timer, 9)
    loop.timer_mod(timer, 5)
    clock.advance_to(20)
    loop.run_timers()
    assert out == ["t"]


def test_a_bottom_half_scheduled_by_another_waits_for_the_next_round() -> None:
    loop = MainLoop(Clock())
    out: list[str] = []
    second = Half("second", out, loop)
    first = Half("first", out, loop, second)
    loop.bh_schedule(first)
    loop.bh_schedule(first)
    assert not loop.idle()
    assert loop.run_bottom_halves() == 1
    assert out == ["first"]
    assert loop.run_bottom_halves() == 1
    assert out == ["first", "second"]
    loop.bh_schedule(first)
    loop.bh_cancel(first)
    assert loop.run_bottom_halves() == 0
    assert loop.idle()
