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
        self.timer_del(timer)
        timer.deadline_ns = deadline_ns
        self._armed += 1
        heapq.heappush(self._heap, (deadline_ns, self._armed, timer))

    def timer_del(self, timer: Timer) -> None:
        """Disarm `timer` (timer_del); nothing of it stays behind, so that whatever it belongs to can go."""
        if timer.deadline_ns < 0:
            return
        timer.deadline_ns = -1
        heap = self._heap
        place = 0
        while place < len(heap):
            if heap[place][2] is timer:
                heap[place] = heap[-1]
                heap.pop()
                heapq.heapify(heap)
                return
            place += 1

    def next_deadline_ns(self) -> i64:
        """The earliest deadline, -1 when no timer is armed."""
        heap = self._heap
        return heap[0][0] if heap else -1

    def run_timers(self) -> i64:
        """Fire every timer whose deadline has come; returns how many fired."""
        fired: i64 = 0
        heap = self._heap
        now: int = self.clock.now_ns
        while heap and heap[0][0] <= now:
            timer = heapq.heappop(heap)[2]
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
        """Forget a scheduled bottom half (qemu_bh_cancel); nothing of it stays behind."""
        if half.scheduled:
            half.scheduled = False
            if half in self._halves:
                self._halves.remove(half)

    def pending_halves(self) -> int:
        """Bottom halves that wait for their run."""
        return len(self._halves)

    def armed_timers(self) -> int:
        """Timers that have a deadline."""
        return len(self._heap)

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
