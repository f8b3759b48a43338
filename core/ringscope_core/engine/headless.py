"""Runs a scenario to an end that was asked for, and says what came of it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Final

from ringscope_core.engine.run import FOREVER, Run
from ringscope_core.net.backends.pcap import PcapPort
from ringscope_core.net.net import NET_BUFSIZE
from ringscope_core.scenario.model import Scenario

STALL_NS: Final = 60_000_000_000
"""Virtual time without a delivered frame after which a number of packets is given up."""
STALL_WALL_S: Final = 30.0
"""The same on the wall clock, where only the outside can bring frames."""


ENDLESS_NS: Final = 10_000_000_000
"""Virtual time of a run whose traffic never ends and that was given no end."""
ENDLESS_WALL_S: Final = 60.0


@dataclass(frozen=True)
class Goal:
    """When to end: virtual ns, frames delivered, wall seconds; 0 is no limit.  Without any: when nothing more happens."""

    virtual_ns: int = 0
    packets: int = 0
    wall_s: float = 0.0


def default_goal(scenario: Scenario) -> Goal:
    """When a headless run ends that nobody gave an end: as the scenario says, else when all is done, and endless traffic after a while."""
    if scenario.run.duration or scenario.run.packets:
        return Goal(scenario.run.duration_ns(), scenario.run.packets)
    endless = any(not entry.count and not entry.stop for entry in scenario.traffic)
    return Goal(virtual_ns=ENDLESS_NS, wall_s=ENDLESS_WALL_S) if endless else Goal()


class Headless:
    """Drives a built run to its goal."""

    def __init__(self, run: Run, goal: Goal) -> None:
        self.run: Run = run
        self.goal: Goal = goal
        self.wall_s: float = 0.0
        """Seconds spent in `to_the_end`."""
        self._began: float = 0.0
        self._seen: int = 0
        self._seen_vt: int = 0
        self._seen_at: float = 0.0

    def to_the_end(self) -> str:
        """Turn until the goal is met or cannot be; returns why it ended: duration, packets, wall, idle, or a sentence."""
        run, goal = self.run, self.goal
        self._began = self._seen_at = time.monotonic()
        self._seen_vt = int(run.clock.now_ns)
        until = self._seen_vt + goal.virtual_ns if goal.virtual_ns else FOREVER
        while True:
            reason = self._reason(until)
            if reason:
                break
            if run.turn():
                if run.ahead:
                    run.hold_back()
            elif not self._finished(until) and not run.pass_time(until):
                reason = "idle" if not goal.packets else self._short("nothing is left to send")
                break
        run.finish(reason)
        self.wall_s = time.monotonic() - self._began
        return reason

    def _finished(self, until: int) -> bool:
        return int(self.run.clock.now_ns) >= until

    def _reason(self, until: int) -> str:
        goal = self.goal
        if goal.packets and delivered(self.run) >= goal.packets:
            return "packets"
        if self._finished(until):
            return "duration" if not goal.packets else self._short("the time is over")
        if goal.wall_s and time.monotonic() - self._began >= goal.wall_s:
            return "wall" if not goal.packets else self._short("the time is over")
        return self._stalled() if goal.packets else ""

    def _stalled(self) -> str:
        run, now = self.run, time.monotonic()
        count = delivered(run)
        if count > self._seen:
            self._seen, self._seen_vt, self._seen_at = count, int(run.clock.now_ns), now
        elif run.pacing.factor > 0 and now - self._seen_at > STALL_WALL_S:
            return self._short(f"no frame for {STALL_WALL_S:.0f} s")
        elif int(run.clock.now_ns) - self._seen_vt > STALL_NS:
            return self._short(f"no frame for {STALL_NS // 10**9} s of virtual time")
        return ""

    def _short(self, why: str) -> str:
        return f"only {delivered(self.run)} of {self.goal.packets} frames were delivered: {why}"


def direction(run: Run) -> str:
    """Whose frames the run is about: "rx" when a backend produces them, "tx" when the guest does."""
    produces = any(option.split(",", 1)[0].removeprefix("type=") in ("pcap", "source") for option in run.scenario.netdev)
    return "rx" if produces or any(entry.kind == "bulk-rx" for entry in run.scenario.traffic) else "tx"


def delivered(run: Run) -> int:
    """Frames delivered so far, in the run's direction: to the driver's stack, or to the backends."""
    if direction(run) == "rx":
        return int(run.guest.delivered_count())
    return sum(int(getattr(nc, "rx_frames", 0)) for nc in run.machine.net.clients)


def limit_replay(run: Run, packets: int) -> None:
    """Let a capture's replay end after exactly `packets` frames, so that what was sent is what was asked for; 0 changes nothing."""
    for nc in run.machine.net.clients:
        if packets and isinstance(nc, PcapPort) and nc.capture is not None:
            capture, left, end = nc.capture, packets, 0
            while end < len(capture) and left:
                # the network layer never takes longer ones, so they do not count
                left -= capture.length(end) <= NET_BUFSIZE
                end += 1
            nc._count = end
