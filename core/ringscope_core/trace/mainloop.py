"""QEMU's main loop, reduced to what the model needs: timers on the virtual clock and bottom halves.

Nothing here waits: whoever runs the machine asks for the next deadline and decides how time passes.
"""

from __future__ import annotations

import heapq
from typing import final

from mypy_extensions import i64, mypyc_attr

from ringscope_core.trace.clock import Clock


@mypyc_attr(allow_interpreted_subclasses=True)
class Timer:
    """A QEMUTimer.  Subclass and override `fire`."""

    def __init__(self) -> None:
        self.deadline_ns: i64 = -1
        """Virtual time at which it fires, -1 when it is not armed."""

    def fire(self) -> None:
        """Called at the deadline, with the timer no longer armed."""


@mypyc_attr(allow_interpreted_subclasses=True)
class BottomHalf:
    """A QEMUBH.  Subclass and override `run`."""

    def __init__(self) -> None:
        self.scheduled: bool = False
        self.cause: i64 = -1
        """The event that scheduled it, -1 when that was not recorded."""

    def run(self) -> None:
        """Called once after each scheduling."""


@final
class MainLoop:
    """Timers and bottom halves of one machine, in a deterministic order: by deadline, then by the order of arming."""

    def __init__(self, clock: Clock) -> None:
        self.clock: Clock = clock
        self._heap: list[tuple[int, int, Timer]] = []
        self._armed: int = 0
        self._halves: list[BottomHalf] = []

    def timer_mod(self, timer: Timer, deadline_ns: i64) -> None:
        """Arm `timer` for virtual time `deadline_ns`, replacing an earlier deadline (timer_mod)."""
        timer.deadline_ns = deadline_ns
        self._armed += 1
        heapq.heappush(self._heap, (deadline_ns, self._armed, timer))

    def timer_del(self, timer: Timer) -> None:
        """Disarm `timer` (timer_del)."""
        timer.deadline_ns = -1

    def next_deadline_ns(self) -> i64:
        """The earliest deadline, -1 when no timer is armed."""
        heap = self._heap
        while heap:
            deadline, _, timer = heap[0]
            if timer.deadline_ns == deadline:
                return deadline
            heapq.heappop(heap)
        return -1

    def run_timers(self) -> i64:
        """Fire every timer whose deadline has come; returns how many fired."""
        fired: i64 = 0
        heap = self._heap
        now: int = self.clock.now_ns
        while heap and heap[0][0] <= now:
            deadline, _, timer = heapq.heappop(heap)
            if timer.deadline_ns != deadline:
                continue
            timer.deadline_ns = -1
            timer.fire()
            fired += 1
        return fired

    def bh_schedule(self, half: BottomHalf) -> None:
        """Run `half` at the next opportunity (qemu_bh_schedule); once, however often it is scheduled."""
        if not half.scheduled:
            half.scheduled = True
            self._halves.append(half)

    def bh_cancel(self, half: BottomHalf) -> None:
        """Forget a scheduled bottom half (qemu_bh_cancel)."""
        half.scheduled = False

    def run_bottom_halves(self) -> i64:
        """Run what was scheduled before this call; returns how many ran."""
        if not self._halves:
            return 0
        halves = self._halves
        self._halves = []
        ran: i64 = 0
        for half in halves:
            if half.scheduled:
                half.scheduled = False
                half.run()
                ran += 1
        return ran

    def idle(self) -> bool:
        """Whether nothing is scheduled to run now."""
        deadline = self.next_deadline_ns()
        return not any(half.scheduled for half in self._halves) and (deadline < 0 or deadline > self.clock.now_ns)
