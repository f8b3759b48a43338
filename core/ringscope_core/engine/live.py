"""A run that somebody watches: the thread that runs it, its speed, its stops, and what can be asked of it meanwhile."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

from ringscope_core.engine.control import apply_control
from ringscope_core.engine.debugger import Debugger, StopListener
from ringscope_core.engine.errors import CancelledError
from ringscope_core.engine.pacing import MAX
from ringscope_core.engine.run import FAILED, FINISHED, FOREVER, Run
from ringscope_core.hw.monitor_error import MonitorError
from ringscope_core.net.errors import NetOptionError
from ringscope_core.scenario.errors import InputError
from ringscope_core.session.errors import SessionError
from ringscope_core.trace.levels import LEVEL_COUNTERS, LEVEL_FULL, LEVEL_NAMES
from ringscope_core.trace.state import MachineState

SLICE_S: Final = 0.002
"""The compiled machine holds the interpreter; after that long it lets the other threads have it."""
SWITCH_INTERVAL_S: Final = 0.0005
"""How long a thread waits for the interpreter before it insists on its turn at the run's next pause."""

BEHIND_S: Final = 0.1
"""A writer that is further behind gets half of the interpreter's time: a killed process is to lose less than half a second, and little is to be dropped."""
HEAR_S: Final = 10.0
"""So long a run may take to hear something: a turn is a matter of milliseconds."""
_LOOK_S: Final = 0.05
"""So often a waiting client looks whether the run has stopped in the middle of what it asked for."""

REFUSALS: Final = (InputError, NetOptionError, MonitorError)
"""Errors of what was asked for, not of the machine."""

T = TypeVar("T")


class LiveListener(StopListener):
    """What the control side hears of, in the run's thread."""

    def on_ended(self, reason: str) -> None:
        """The scenario came to its end; the run can still be looked at."""

    def on_refused(self, reason: str) -> None:
        """What was to be done at the end of a turn could not be done."""


class _Pacemaker(StopListener):
    """Keeps virtual time from catching up with what the wall clock did while the run stood still."""

    def __init__(self, run: Run, then: LiveListener) -> None:
        self._run: Run = run
        self._then: LiveListener = then

    def on_stopped(self, reason: str) -> None:
        self._then.on_stopped(reason)

    def on_resumed(self) -> None:
        self._run.pacing.anchor()
        self._then.on_resumed()

    def flush(self) -> None:
        self._then.flush()


class LiveRun:
    """Owns the run's thread.  Public methods may be called from any other thread."""

    def __init__(self, run: Run, listener: LiveListener, paused: bool = False, duration_ns: int = 0, level: int | None = None) -> None:
        """`level`: the trace level that a run has that is not flat out; None for the one it begins with."""
        self.run: Run = run
        self.debugger: Debugger = Debugger(run.log, _Pacemaker(run, listener))
        run.debugger = self.debugger
        self.debugger.breakpoints.vocabulary.world = run.world.snapshot
        self.debugger.breakpoints.state_of = self._state_now
        self.ended: str = ""
        """Why the scenario ended, "" while it goes on."""
        self.failure: BaseException | None = None
        """A defect that ended the thread."""
        self.level_pinned: bool = False
        """Somebody chose a trace level: flat out keeps to it."""
        self._listener: LiveListener = listener
        self._duration_ns: int = duration_ns
        self._wanted_level: int = int(run.log.level) if level is None else level
        self._quit: bool = False
        self._slice_end: float = 0.0
        if paused:
            self.debugger.pause("start")
        self._thread: threading.Thread = threading.Thread(target=self._main, name="run", daemon=True)

    def start(self) -> None:
        """Build the machine and run."""
        self._thread.start()

    def stop(self, timeout: float = 10.0) -> bool:
        """End the run's thread; true when it is gone."""
        self._quit = True
        self.debugger.close()
        self._thread.join(timeout)
        return not self._thread.is_alive()

    @property
    def status(self) -> str:
        """prelaunch, running, paused, finished, failed."""
        if self.failure is not None:
            return "failed"
        if self.run.preparing:
            return "prelaunch"
        if self.debugger.standing.is_set():
            return "paused"
        return ("prelaunch", "running", "paused", "finished", "failed")[self.run.run_state]

    # -- asking -------------------------------------------------------------------------------------------------------
    def ask(self, question: Callable[[], T], timeout: float = HEAR_S) -> T:
        """Have the run's thread answer `question`, also while it stands inside a turn: look, do not touch.

        Raises what the question raises, TimeoutError when the thread does not get to it.
        """
        if not self._thread.is_alive():
            return question()
        answered = threading.Event()
        answer: list[T] = []
        problem: list[Exception] = []

        def work() -> None:
            try:
                answer.append(question())
            except Exception as error:
                problem.append(error)

        def look() -> None:
            # answering may open frames and make objects: that is no place to stop
            self.debugger.look(work)
            answered.set()

        self.debugger.call(look)
        self.hear(answered, timeout)
        if problem:
            raise problem[0]
        return answer[0]

    def change(self, action: Callable[[], None], timeout: float = HEAR_S) -> bool:
        """Have the run's thread do something to the machine, between turns; false when that has to wait for the turn to end.

        A breakpoint may stop the run in the middle of it: then it is finished when the run goes on.  Raises what the action raises,
        unless it has to wait, and TimeoutError when the thread does not get to it.
        """
        done = threading.Event()
        problem: list[Exception] = []
        waits: list[bool] = []

        def act() -> None:
            # also when it raises: what it did before stays done
            self.run.disturbed = True
            action()

        def work() -> None:
            waits.append(self.debugger.inside_turn)
            self.debugger.at_turn_end(run_it)
            if waits[0]:
                done.set()

        def run_it() -> None:
            try:
                act()
            except Exception as error:
                if not done.is_set():
                    problem.append(error)
                elif isinstance(error, REFUSALS):
                    # nobody waits for it any more
                    self._listener.on_refused(str(error))
                else:
                    raise
            done.set()

        if not self._thread.is_alive():
            act()
            return True
        stops = self.debugger.stops
        self.debugger.call(work)
        if not self.hear(done, timeout, lambda: bool(waits) and self.debugger.stops != stops):
            return False
        if problem:
            raise problem[0]
        return not waits[0]

    def hear(self, done: threading.Event, timeout: float = HEAR_S, given_up: Callable[[], bool] = lambda: False) -> bool:
        """Wait until the run's thread has done what it was asked for; false when `given_up` says that there is nothing to wait for.

        A thread that has ended meanwhile leaves it to who waits.  Raises TimeoutError when it does not get to it in `timeout` seconds.
        """
        deadline = time.monotonic() + timeout
        while not done.wait(_LOOK_S):
            if given_up():
                return False
            if time.monotonic() > deadline:
                raise TimeoutError("the run is busy")
            if not self._thread.is_alive():
                self.debugger.work_off()
        return True

    def control(self, name: str, arguments: Mapping[str, Any], action: Callable[[], None] | None = None) -> bool:
        """`change` by a command of `control.CHANGING`, which is recorded where it takes effect; `action` does it in other words.

        What fails is recorded too: it left traces.
        """

        def act() -> None:
            self.run.record_control(name, arguments)
            if action is not None:
                action()
            else:
                apply_control(self.run, name, arguments)

        return self.change(act)

    def record_all(self) -> int:
        """Hand everything that has happened to the writer; returns the last event's number.  In the run's thread."""
        if self.run.recorder is not None:
            self.run.recorder.flush()
        return int(self.run.log.seq) - 1

    def set_rate(self, events_per_s: float) -> None:
        """Slow down to so many events a second; 0 takes the brake off."""
        self.debugger.set_rate(events_per_s)
        self.ask(lambda: self._set_factor(self.run.pacing.factor, events_per_s > 0))

    def set_factor(self, factor: float) -> None:
        """Virtual time per wall time; `MAX` is flat out."""
        self.debugger.set_rate(0.0)
        self.ask(lambda: self._set_factor(factor, False))

    def set_level(self, level: int) -> None:
        """Choose the trace level; it stays, flat out too."""

        def work() -> None:
            self._wanted_level = level
            self.level_pinned = True
            self.run.log.set_level(level)

        self.control("x-ringscope-trace", {"level": LEVEL_NAMES[level]}, work)

    def _set_factor(self, factor: float, braked: bool) -> None:
        """Flat out, the data path is sampled instead of traced: nobody could read a million events a second."""
        self.run.pacing.set_factor(factor)
        flat_out = factor == MAX and not braked and not self.run.pacing.realtime
        level = int(LEVEL_COUNTERS) if flat_out and not self.level_pinned else self._wanted_level
        self.debugger.at_turn_end(lambda: self._change_level(level))

    def _change_level(self, level: int) -> None:
        if level != int(self.run.log.level):
            self.run.log.set_level(level)
            if level == int(LEVEL_FULL):
                # the events since are folded on top of a state that the machine itself tells
                self.run.resample()

    def _state_now(self) -> MachineState | None:
        """The machine's state, unless it stands in the middle of something."""
        return None if self.debugger.inside_turn else self.run.state()

    # -- the run's thread ---------------------------------------------------------------------------------------------
    def _main(self) -> None:
        try:
            built = self.run.build()
            # the level of a run that starts flat out falls only now: the building is traced whole
            self._set_factor(self.run.pacing.factor, self.debugger.events_per_s > 0)
            self._end_of_turn(True)
            if built:
                self._loop()
            else:
                self._end(self.run.failures[-1])
            while not self._quit:
                self.debugger.wait(0.5)
        except (InputError, NetOptionError, SessionError, CancelledError) as error:
            # a branch that cannot be made: the machine is not at fault
            self.failure = error
            self._end(str(error) or "cancelled")
        except BaseException as error:
            # the process reports it; the session keeps what led to it
            self.failure = error
            self._end(f"internal error: {type(error).__name__}: {error}")
        finally:
            if self.failure is None:
                self.run.finish("quit")
            elif self.run.recorder is not None:
                self.run.recorder.flush()

    def _loop(self) -> None:
        run, debugger = self.run, self.debugger
        recorder = run.recorder
        until = self._duration_ns or FOREVER
        self._slice_end = time.monotonic() + SLICE_S
        while not self._quit:
            moved = run.turn()
            self._end_of_turn(moved)
            if moved:
                if run.ahead:
                    run.hold_back()
                elif time.monotonic() >= self._slice_end:
                    time.sleep(SLICE_S if recorder is not None and recorder.writer.behind_s > BEHIND_S else 0)
                    self._slice_end = time.monotonic() + SLICE_S
            elif int(run.clock.now_ns) >= until or not run.pass_time(until):
                self._end("duration" if int(run.clock.now_ns) >= until else "idle")
                return
        debugger.work_off()

    def _end_of_turn(self, moved: bool) -> None:
        self.debugger.turn_ended(int(self.run.clock.now_ns), moved)
        self.debugger.work_off()

    def _end(self, reason: str) -> None:
        self.ended = reason
        if self.run.run_state not in (FINISHED, FAILED) and self.failure is None:
            self.run.finish(reason)
        self._listener.on_ended(reason)
