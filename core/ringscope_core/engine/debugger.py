"""Stops a run at an event, in the middle of whatever call stack led to it, and lets it go on by steps.

The hook runs in the run's thread, after each event, only while somebody wants to stop or to slow down.  While stopped
it works off what the control thread asks for, so the machine is touched by its own thread alone.
"""

from __future__ import annotations

import queue
import time
from collections.abc import Callable
from typing import Final

from mypy_extensions import i32, i64

from ringscope_core.engine.points import PointTable
from ringscope_core.query.breakpoints import Breakpoint
from ringscope_core.scenario.errors import InputError
from ringscope_core.trace.kinds import EV_FRAME_AT, EV_FRAME_ENTER, EV_FRAME_LEAVE, KIND_BY_NUMBER
from ringscope_core.trace.log import WANTS_EVERYTHING, EventLog, TraceHook

STEP_KINDS: Final = ("event", "over", "into", "out", "turn")
_ENTER: Final = int(EV_FRAME_ENTER)
_AT: Final = int(EV_FRAME_AT)
_LEAVE: Final = int(EV_FRAME_LEAVE)
_FLUSH_S: Final = 1 / 60
_GOING: Final = ""

Call = Callable[[], None]


class StopListener:
    """Hears of stops and of running on, in the run's thread."""

    def on_stopped(self, reason: str) -> None:
        """The run stopped; `reason` says why in a few words."""

    def on_resumed(self) -> None:
        """The run goes on."""

    def flush(self) -> None:
        """Make what was recorded visible."""


class Debugger(TraceHook):
    """Pause, steps, breakpoints, and a speed in events a second.

    The methods above the line are the control thread's; they return at once.  `stop_reason` is "" while the run runs.
    """

    def __init__(self, log: EventLog, listener: StopListener | None = None) -> None:
        super().__init__()
        self.log: EventLog = log
        self.listener: StopListener = listener or StopListener()
        self.breakpoints: PointTable = PointTable(log)
        self.stop_reason: str = _GOING
        self.inside_turn: bool = False
        """Stopped at an event inside a turn: the machine may be looked at, not changed."""
        self._wish: str = _GOING
        """Why to stop at the next event, "" for no wish."""
        self._step: str = ""
        self._count: int = 0
        self._depth: int = 0
        """Open frames where the step began."""
        self._here: int = 0
        """Open frames after the event at hand: a frame that it opens is not yet in the log's list, one that it closes is already gone."""
        self.events_per_s: float = 0.0
        """The brake: at most so many events a second, 0 for none."""
        self._due: float = 0.0
        self._flushed: float = 0.0
        self._calls: queue.SimpleQueue[Call] = queue.SimpleQueue()
        self._later: list[Call] = []
        """What waits for the end of the turn."""
        self._closing: bool = False
        log.hook = self

    # -- the control thread's side ------------------------------------------------------------------------------------
    def pause(self, reason: str = "pause") -> None:
        """Stop at the next event, or at the end of the turn when none comes."""
        if not self.stop_reason:
            self._wish = reason
            self._arm()

    def resume(self) -> None:
        """Go on, to the next breakpoint."""
        self._wish = _GOING
        self._step = ""
        self._calls.put(self._go)

    def step(self, kind: str, count: int = 1) -> None:
        """Go on for one step (or `count`): event, over, into, out, turn.  Raises InputError."""
        if kind not in STEP_KINDS:
            raise InputError("step", kind, ", ".join(STEP_KINDS))
        if not 1 <= count <= 1_000_000_000:
            raise InputError("count", str(count), "1 to 1000000000")
        self._calls.put(lambda: self._go_step(kind, count))

    def set_rate(self, events_per_s: float) -> None:
        """At most that many events a second, 0 for no limit."""
        self.events_per_s = max(events_per_s, 0.0)
        self._arm()

    def breakpoints_changed(self) -> None:
        """Heed the table of breakpoints."""
        self._arm()

    def call(self, action: Call) -> None:
        """Have the run's thread do `action`, at once when it stands, after its slice when it runs."""
        self._calls.put(action)

    def at_turn_end(self, action: Call) -> None:
        """Do `action` when the machine may be changed: now between turns, else when the turn is over.  From the run's thread."""
        if self.inside_turn:
            self._later.append(action)
        else:
            action()

    def close(self) -> None:
        """Let a stopped run go, for good."""
        self._closing = True
        self.breakpoints.points = ()
        self.events_per_s = 0.0
        self.resume()

    def _arm(self) -> None:
        self.log.hooked = not self._closing and bool(self._wish or self._step or self.breakpoints.points or self.events_per_s)

    # ------------------------------------------------------------------------------------------------------------------
    # -- the run's thread ---------------------------------------------------------------------------------------------
    def work_off(self) -> None:
        """Do what the control thread asked for; between turns."""
        while True:
            try:
                self._calls.get_nowait()()
            except queue.Empty:
                return

    def wait(self, seconds: float) -> None:
        """Let time pass, working off what is asked for meanwhile."""
        try:
            self._calls.get(timeout=seconds)()
        except queue.Empty:
            return

    def turn_ended(self, vt: int, moved: bool = True) -> None:
        """A turn is over: where a pause without an event, a step over a turn (in which something moved), or a time takes effect."""
        if self._later:
            actions, self._later = self._later, []
            for action in actions:
                action()
        if not self.log.hooked:
            return
        self._here = len(self.log.frames)
        if self._step == "turn" and moved and self._counted():
            self._stop("step turn", False)
        elif self._wish:
            self._stop(self._wish, False)
        else:
            point = self.breakpoints.hit(-1, -1, -1, -1, vt)
            if point is not None:
                self._stop(f"breakpoint {point.id}: {point.what} {point.where}", False)

    def on_event(self, seq: i64, kind: i32, obj: i32, a0: i64, a1: i64) -> None:
        """Called after each event while the log is hooked; blocks while the run is stopped."""
        self._here = len(self.log.frames) + (kind == _ENTER)
        if self.events_per_s:
            self._hold_back()
        reason = self._reason(int(kind), int(obj), int(a0), int(a1))
        if reason:
            self._stop(reason, True)

    def _reason(self, kind: int, obj: int, a0: int, a1: int) -> str:
        if self._wish:
            return self._wish
        point = self.breakpoints.hit(kind, obj, a0, a1, int(self.log.clock.now_ns))
        if point is not None:
            return f"breakpoint {point.id}: {point.what} {point.where}"
        if self._step and self._step_reached(kind) and self._counted():
            spec = KIND_BY_NUMBER.get(kind)
            return f"step {self._step}: {spec.name if spec else kind}"
        return _GOING

    def _step_reached(self, kind: int) -> bool:
        """Whether the step that is under way ends at this event."""
        step, depth = self._step, self._here
        if step == "event":
            return True
        if step == "into":
            return kind in (_ENTER, _AT) or depth == 0
        if step == "over":
            return kind == _LEAVE and depth < self._depth or depth <= self._depth and kind in (_ENTER, _AT) or depth == 0 == self._depth
        if step == "out":
            return kind == _LEAVE and depth < self._depth
        return False

    def _counted(self) -> bool:
        self._count -= 1
        if self._count > 0:
            self._depth = self._here
            return False
        return True

    def _hold_back(self) -> None:
        now = time.monotonic()
        if now - self._flushed > _FLUSH_S:
            self._flushed = now
            self.listener.flush()
        self._due = max(self._due + 1 / self.events_per_s, now - 0.1)
        while self._due > now and self.events_per_s and not self._wish:
            if self._due - now > _FLUSH_S:
                self.listener.flush()
            # in pieces, so that a pause or a new speed takes effect at once
            time.sleep(min(self._due - now, 0.02))
            self._look_at_calls()
            now = time.monotonic()

    def _look_at_calls(self) -> None:
        was = self.inside_turn
        self.inside_turn = True
        self.work_off()
        self.inside_turn = was

    def _stop(self, reason: str, inside_turn: bool) -> None:
        if self._closing:
            return
        self._wish = _GOING
        self._step = ""
        self.stop_reason = reason
        self.inside_turn = inside_turn
        self.listener.flush()
        self.listener.on_stopped(reason)
        while self.stop_reason:
            self._calls.get()()
        self.inside_turn = False
        self._due = time.monotonic()
        self.listener.on_resumed()
        self._arm()

    def _go(self) -> None:
        self.stop_reason = _GOING
        self._arm()

    def _go_step(self, kind: str, count: int) -> None:
        self._step, self._count = kind, count
        self._depth = self._here
        if kind == "out" and self._depth == 0:
            self._step = "turn"
        self._go()
