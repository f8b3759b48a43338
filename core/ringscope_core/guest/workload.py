"""Workloads: what the guest's programs do with the network.

Each gets a turn of every guest turn; its timer only marks the virtual time at which it next has something to do.
"""

from __future__ import annotations

from typing import final

from mypy_extensions import i64

from ringscope_core.guest.config import TrafficSpec
from ringscope_core.guest.pacer import Pacer
from ringscope_core.guest.stack import NetStack
from ringscope_core.trace.mainloop import MainLoop, Timer


@final
class WakeTimer(Timer):
    """Marks a virtual time that the run's clock must not jump over."""

    def fire(self) -> None:
        """Nothing: the workload looks at the clock in its turn."""


class Workload:
    """One program.  Subclasses send in `turn`."""

    def __init__(self, spec: TrafficSpec, stack: NetStack, loop: MainLoop, name: str) -> None:
        self.spec: TrafficSpec = spec
        self.stack: NetStack = stack
        self.loop: MainLoop = loop
        self.name: str = name
        self.timer: WakeTimer = WakeTimer()
        self.pacer: Pacer = Pacer(spec.rate_pps, spec.burst, spec.count)
        self.sent: i64 = 0
        self.received: i64 = 0
        self.origin_ns: i64 = 0
        """Virtual time at which the driver came up."""
        self.phase_ns: i64 = 0

    def start(self, now_ns: i64) -> None:
        """The driver is up."""
        self.origin_ns = now_ns
        first = now_ns + self.spec.start_ns + self.phase_ns
        self.pacer.begin(first)
        self.wake_at(first)

    def stopped(self, now_ns: i64) -> bool:
        """Whether its time is over."""
        return self.spec.stop_ns > 0 and now_ns >= self.origin_ns + self.spec.stop_ns

    def wake_at(self, when_ns: i64) -> None:
        """Let the clock stop at `when_ns`; -1 for nothing to wait for."""
        if when_ns < 0:
            if self.timer.deadline_ns >= 0:
                self.loop.timer_del(self.timer)
        elif self.timer.deadline_ns != when_ns:
            self.loop.timer_mod(self.timer, when_ns)

    def turn(self) -> i64:
        """Send what is due; returns how many frames."""
        return 0

    def finished(self) -> bool:
        """Whether it will do no more; one without count or stop never is."""
        now = self.loop.clock.now_ns
        return self.stopped(now) or (self.spec.count > 0 and self.sent >= self.spec.count)

    def stats(self) -> dict[str, int]:
        """Counts by name."""
        return {"sent": self.sent, "received": self.received}
