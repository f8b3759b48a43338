"""Stops a run at an event, in the middle of whatever call stack led to it, and lets it go on by steps.

The hook runs in the run's thread, after each event that somebody wants.  While stopped it works off what the control
thread asks for, so the machine is touched by its own thread alone.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from typing import Final

from mypy_extensions import i32, i64

from ringscope_core.engine.points import NOTHING_WANTED, PointTable, Wants
from ringscope_core.engine.steps import STEP_KINDS, Step
from ringscope_core.query.breakpoints import Breakpoint
from ringscope_core.query.matching import ENDS_OF_TIME
from ringscope_core.scenario.errors import InputError
from ringscope_core.trace.kinds import EV_FRAME_ENTER, KIND_BY_NUMBER
from ringscope_core.trace.log import WANTS_EVERYTHING, EventLog, TraceHook

_ENTER: Final = int(EV_FRAME_ENTER)
_FLUSH_S: Final = 1 / 60
_SETTLE_S: Final = 1.0
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
        self.breakpoints.armed = self._arm
        self.stop_reason: str = _GOING
        self.stop_point: Breakpoint | None = None
        """The breakpoint at which the run stands."""
        self.stops: int = 0
        """How often the run has stopped."""
        self.standing: threading.Event = threading.Event()
        """Set while the run is stopped and everybody was told."""
        self.inside_turn: bool = False
        """Stopped at an event inside a turn: the machine may be looked at, not changed."""
        self._lock: threading.Lock = threading.Lock()
        self._wish: str = _GOING
        """Why to stop at the next event, "" for no wish."""
        self._going: int = 0
        """How often the run was told to go on and has not yet heard it."""
        self._step: Step | None = None
        self._here: int = 0
        """Open frames after the event at hand: a frame that it opens is not yet in the log's list, one that it closes is already gone."""
        self.events_per_s: float = 0.0
        """The brake: at most so many events a second, 0 for none."""
        self._wants: Wants = NOTHING_WANTED
        self._due: float = 0.0
        self._flushed: float = 0.0
        self._calls: queue.SimpleQueue[Call] = queue.SimpleQueue()
        self._later: list[Call] = []
        """What waits for the end of the turn."""
        self._looking: bool = False
        """Somebody looks at the machine: nothing that happens is a place to stop."""
        self._closing: bool = False
        self._asleep: bool = False
        log.hook = self

    # -- the control thread's side ------------------------------------------------------------------------------------
    def pause(self, reason: str = "pause") -> None:
        """Stop at the next event, or at the end of the turn when none comes; nothing when the run stands already."""
        with self._lock:
            if self.stop_reason and not self._going:
                return
            self._wish = reason
        self._arm()

    @property
    def let_go(self) -> bool:
        """The run goes on and nobody's wish to stop it is left: who paused it was overruled by `resume`."""
        with self._lock:
            return not self.stop_reason and not self._wish

    def settle(self) -> None:
        """Between a stop and its telling: wait for that, so that nobody sees the one without the other."""
        if self.stop_reason and not self.standing.is_set():
            self.standing.wait(_SETTLE_S)

    def resume(self) -> threading.Event:
        """Go on, to the next breakpoint; the event is set when the run has heard it."""
        with self._lock:
            self._wish = _GOING
        return self._send(None)

    def step(self, kind: str, count: int = 1) -> threading.Event:
        """Go on for one step (or `count`) of a kind of `STEP_KINDS`.  Raises InputError."""
        return self._send(Step.checked(kind, count, int(self.log.level)))

    def _send(self, step: Step | None) -> threading.Event:
        heard = threading.Event()
        with self._lock:
            self._going += 1
        self._calls.put(lambda: self._go(step, heard))
        return heard

    def set_rate(self, events_per_s: float) -> None:
        """At most that many events a second, 0 for no limit."""
        self.events_per_s = max(events_per_s, 0.0)
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
        self.breakpoints.clear()
        self.events_per_s = 0.0
        self.resume()

    def sleep(self, on: bool) -> None:
        """No stops and no brake while the run is on its way to where it begins; what was wished for counts afterwards."""
        self._asleep = on
        if not on:
            # what the breakpoints are about has come into being meanwhile, and what lies behind is no place to stop
            self.breakpoints.stale = True
        self._arm()

    def _arm(self) -> None:
        """Have the log call for what is wanted now, and for nothing else."""
        with self._lock:
            points = self.breakpoints
            everything = bool(self._wish or self._step or self.events_per_s or points.stale or points.waits)
            self.log.wanted_kinds = WANTS_EVERYTHING if everything else self._wants.kinds
            self.log.wanted_firsts = self._wants.firsts
            self.log.hooked = not self._closing and not self._looking and not self._asleep and (everything or any(self._wants.kinds))

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

    def look(self, question: Call) -> None:
        """Do something that looks at the machine and is no place to stop."""
        was, self._looking = self._looking, True
        self._arm()
        try:
            question()
        finally:
            self._looking = was
            self._arm()

    @property
    def time_due(self) -> int:
        """Virtual time at which the run has to look (`time_reached`)."""
        return ENDS_OF_TIME if self._asleep else self.breakpoints.time_due

    def time_reached(self, between_turns: bool) -> None:
        """Virtual time has come to `time_due`: stop there, before anything happens at that time."""
        point = self.breakpoints.time_came(int(self.log.seq) - 1, int(self.log.clock.now_ns))
        if point is not None:
            self._here = len(self.log.frames)
            self._stop(_reason_of(point), not between_turns, point)

    def turn_ended(self, vt: int, moved: bool = True) -> None:
        """A turn is over: where a pause without an event, a step over a turn (in which something moved), or a time takes effect."""
        if self._later:
            actions, self._later = self._later, []
            for action in actions:
                action()
        if self.breakpoints.stale:
            self._take_up(int(self.log.seq))
        if vt >= self.time_due:
            self.time_reached(True)
        if not self.log.hooked:
            return
        self._here = len(self.log.frames)
        step = self._step
        if step is not None and step.kind == "turn" and moved and step.counted(self._here):
            self._stop("step turn", False)
        elif self._wish:
            self._stop(self._wish, False)

    def on_event(self, seq: i64, kind: i32, obj: i32, a0: i64, a1: i64, a2: i64, a3: i64, a4: i64, a5: i64) -> None:
        """Called after each wanted event; blocks while the run is stopped."""
        self._here = len(self.log.frames) + (kind == _ENTER)
        points = self.breakpoints
        if points.stale:
            self._take_up(int(seq))
        rate = self.events_per_s
        if rate:
            self._hold_back(1 / rate)
        point: Breakpoint | None = None
        if points.points:
            clock = self.log.clock
            row = (int(seq), int(clock.now_ns), int(clock.wall_ns), int(kind), int(obj), int(self.log.cause))
            waited = points.waits
            point = points.match((*row, int(a0), int(a1), int(a2), int(a3), int(a4), int(a5)))
            if waited != points.waits:
                self._arm()
        if point is not None:
            self._stop(_reason_of(point), True, point)
        elif self._wish:
            self._stop(self._wish, True)
        elif self._step is not None and self._step.reached(int(kind), self._here) and self._step.counted(self._here):
            spec = KIND_BY_NUMBER.get(int(kind))
            self._stop(f"step {self._step.kind}: {spec.name if spec else kind}", True)

    def _take_up(self, seq: int) -> None:
        self._wants = self.breakpoints.take_up(seq, int(self.log.clock.now_ns))
        self._arm()

    def _hold_back(self, seconds: float) -> None:
        """Wait until so long after the last event.  The control thread may take the brake off meanwhile."""
        now = time.monotonic()
        if now - self._flushed > _FLUSH_S:
            self._flushed = now
            self.listener.flush()
        self._due = max(self._due + seconds, now - 0.1)
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

    def _stop(self, reason: str, inside_turn: bool, point: Breakpoint | None = None) -> None:
        if self._closing:
            return
        with self._lock:
            self._wish = _GOING
            self._step = None
            self.stop_reason, self.stop_point = reason, point
            self.inside_turn = inside_turn
            self.stops += 1
        self.breakpoints.stopped()
        self.breakpoints.tell_counts()
        self.listener.flush()
        self.listener.on_stopped(reason)
        # who sees that it stands has been told of the stop before
        self.standing.set()
        while self.stop_reason:
            self._calls.get()()
        self.inside_turn = False
        self._due = time.monotonic()
        self.listener.on_resumed()
        if self.breakpoints.stale:
            self._take_up(int(self.log.seq))
        self._arm()

    def _go(self, step: Step | None, heard: threading.Event) -> None:
        if step is not None:
            step.begin(self._here)
        with self._lock:
            self._going -= 1
            self._step = step
            self.stop_reason, self.stop_point = _GOING, None
            self.standing.clear()
        self._arm()
        heard.set()


def _reason_of(point: Breakpoint) -> str:
    return f"breakpoint {point.id}: {point.title()}" if point.id > 0 else f"until {point.title()}"


__all__ = ["STEP_KINDS", "Call", "Debugger", "InputError", "StopListener"]
