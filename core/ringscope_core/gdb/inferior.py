"""What the console debugs: a recording with a cursor, or a run that makes one.

Every move ends in a `Stop`.  A `RecordedInferior` searches the recording; a `LiveInferior` does so until it is at the end and then
lets the run go on, so that one may step back from a live run and come forward again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Protocol

from ringscope_core.gdb.errors import ConsoleError
from ringscope_core.query import travel
from ringscope_core.query.breakpoints import Breakpoint, parse_breakpoint
from ringscope_core.query.hits import search_of
from ringscope_core.scenario.errors import InputError

if TYPE_CHECKING:
    from ringscope_core.query.recording import Recording

FORWARD: Final = travel.FORWARD
BACKWARD: Final = travel.BACKWARD
_LOOK_S: Final = 0.25
_COMMIT_S: Final = 15.0
_MAIN: Final[dict[str, object]] = {"what": "function", "where": "main"}


@dataclass(frozen=True)
class Stop:
    """Where a move ended and why: ``step``, ``breakpoint`` (at `point`), ``start``, ``end``, ``exited``, ``interrupt``, ``goto``.

    `detail` is more of the reason: why a run ended.  `old` is the value before the write at which a watchpoint stopped.
    """

    seq: int
    reason: str
    point: Breakpoint | None = None
    detail: str = ""
    old: int | None = None


class Control(Protocol):
    """A client of the engine's control protocol (`engine.client.QmpClient`)."""

    def execute(self, command: str, **arguments: Any) -> Any:
        """A command's return value."""
        ...

    def wait_event(self, name: str, timeout: float) -> dict[str, Any] | None:
        """The next event of that name."""
        ...


class Monitor(Protocol):
    """QEMU's monitor at the moments of a recording (`engine.monitor_at.MonitorAt`)."""

    def problem(self) -> str:
        """Why it cannot be asked, "" when it can."""
        ...

    def answer(self, seq: int, line: str) -> str | None:
        """What it prints of a line right after event `seq`; None while there is no machine."""
        ...

    def interrupt(self) -> None:
        """End an answer that takes long; from any thread."""
        ...


class RecordedInferior:
    """A recording and where one stands in it."""

    live: bool = False
    monitor: Monitor | None = None
    """Set by whoever can make the run again."""

    def __init__(self, recording: Recording, seq: int | None = None, points: Sequence[Mapping[str, Any]] | None = None) -> None:
        """`seq` is where to begin, the first event when it is not given; `points` are breakpoints in plain form, the session's when they are not given."""
        self.recording: Recording = recording
        reader = recording.reader
        self.seq: int = max(reader.first_seq, 0) if seq is None else seq
        self._points: list[Breakpoint] = []
        self._next: int = 1
        """The number of the next breakpoint: none is given twice, whatever has gone."""
        self.set_points(_specs(reader) if points is None else points)
        self._interrupted: bool = False

    # -- where --------------------------------------------------------------------------------------------------------
    @property
    def first(self) -> int:
        """The first event."""
        return max(self.recording.reader.first_seq, 0)

    @property
    def last(self) -> int:
        """The newest event."""
        return self.recording.reader.last_seq

    def refresh(self) -> None:
        """Take what has been recorded since."""
        self.recording.refresh()

    def goto(self, seq: int) -> Stop:
        """Stand at an event."""
        self.seq = min(max(seq, self.first), self.last)
        return Stop(self.seq, "goto")

    def interrupt(self) -> None:
        """End the move that is under way (from another thread, or a signal)."""
        self._interrupted = True
        if self.monitor is not None:
            self.monitor.interrupt()

    # -- moving -------------------------------------------------------------------------------------------------------
    def step(self, kind: str, count: int = 1, direction: int = FORWARD) -> Stop:
        """`count` steps of a kind of `travel.STEP_KINDS`; a breakpoint on the way ends them."""
        return self._over_recording(lambda: travel.step(self.recording, self.seq, kind, count, direction), direction)

    def cont(self, direction: int = FORWARD) -> Stop:
        """To the next breakpoint or the end."""
        return self._over_recording(lambda: None, direction)

    def until(self, plain: dict[str, object], direction: int = FORWARD) -> Stop:
        """To a place given as a breakpoint, or to another breakpoint on the way."""
        point = parse_breakpoint({**plain, "temporary": True}, self.recording)
        found = self._nearest([point, *self.points()], direction, None)
        return self._arrived(found, None, direction, point)

    def _over_recording(self, target_of: Callable[[], int | None], direction: int) -> Stop:
        self._interrupted = False
        target = target_of()
        return self._arrived(self._nearest(self.points(), direction, target), target, direction)

    def _nearest(self, points: list[Breakpoint], direction: int, target: int | None) -> tuple[int, Breakpoint, int | None] | None:
        """(where, which, old value) of the nearest hit on the way to `target` (None: to the recording's end)."""
        back = direction < 0
        first, last = (self.first if target is None else target, self.seq - 1) if back else (self.seq + 1, self.last if target is None else target)
        best: tuple[int, Breakpoint, int | None] | None = None
        for point in points:
            if not point.enabled or point.log or self._interrupted:
                continue
            try:
                hit = next(search_of(self.recording).search(point).hits(first, last, back), None)
            except InputError:
                # a breakpoint on something that does not exist yet
                continue
            if hit is not None and (best is None or hit.seq != best[0]):
                best = (hit.seq, point, hit.old if point.what == "field" else None)
                first, last = (hit.seq, last) if back else (first, hit.seq)
        return best

    def others_at(self, stop: Stop) -> list[Stop]:
        """The same stop at each other breakpoint that is hit there too."""
        found: list[Stop] = []
        for point in self.points():
            if point.enabled and not point.log and (stop.point is None or point.id != stop.point.id):
                try:
                    hit = next(search_of(self.recording).search(point).hits(stop.seq, stop.seq, False), None)
                except InputError:
                    continue
                if hit is not None:
                    found.append(replace(stop, point=point, old=hit.old if point.what == "field" else None))
        return found

    def _arrived(self, hit: tuple[int, Breakpoint, int | None] | None, target: int | None, direction: int, own: Breakpoint | None = None) -> Stop:
        if hit is not None:
            self.seq = hit[0]
            if hit[1] is own:
                return Stop(self.seq, "step")
            self.count(hit[1])
            return Stop(self.seq, "breakpoint", hit[1], old=hit[2])
        if self._interrupted:
            return Stop(self.seq, "interrupt")
        if target is not None:
            self.seq = target
            return Stop(target, "step")
        self.seq = self.first if direction < 0 else self.last
        return Stop(self.seq, "start" if direction < 0 else "end")

    def count(self, point: Breakpoint) -> None:
        """A breakpoint was hit; a temporary one is gone."""
        point.hits += 1
        if point.temporary:
            self._points = [other for other in self._points if other is not point]

    def left_to_ignore(self, point: Breakpoint) -> int:
        """How many more matches pass before a breakpoint stops, from the cursor on."""
        if not point.ignore:
            return 0
        try:
            return max(point.ignore - search_of(self.recording).search(point).count(self.seq), 0)
        except InputError:
            # a breakpoint on something that does not exist yet
            return point.ignore

    def run(self, to_main: bool) -> Stop:
        """From the start: to the first breakpoint, or (`to_main`) to main."""
        if not self.live:
            # a run counts for itself; here what is left to pass is passed from the start on
            self._points = [replace(point, ignore=self.left_to_ignore(point), since=self.first) if point.ignore else point for point in self._points]
        self.seq = self.first
        return self.until(_MAIN) if to_main else self.cont()

    # -- breakpoints --------------------------------------------------------------------------------------------------
    def points(self) -> list[Breakpoint]:
        """Every breakpoint, in the order they were made."""
        return list(self._points)

    def add(self, plain: dict[str, object]) -> Breakpoint:
        """A new one; raises InputError."""
        point = parse_breakpoint(plain, self.recording)
        point = replace(point, id=self._next)
        self._next += 1
        self._points.append(point)
        return point

    def update(self, number: int, **words: object) -> Breakpoint:
        """Change one; raises ConsoleError when there is none of that number, InputError for what it cannot be."""
        old = self.point(number)
        point = parse_breakpoint({**old.to_plain(), **words}, self.recording)
        self._points[self._points.index(old)] = point
        return point

    def set_points(self, plains: Sequence[Mapping[str, Any]]) -> None:
        """Take over the breakpoints that somebody else keeps; those that mean nothing here are kept and never hit."""
        self._points = [Breakpoint.from_plain(dict(plain)) for plain in plains]
        self._next = max([self._next, *(point.id + 1 for point in self._points)])

    def remove(self, number: int) -> None:
        """Take one away."""
        self._points.remove(self.point(number))

    def point(self, number: int) -> Breakpoint:
        """The breakpoint of that number."""
        found = next((point for point in self.points() if point.id == number), None)
        if found is None:
            raise ConsoleError(f"No breakpoint number {number}.")
        return found

    def guest_memory(self, address: int, size: int) -> bytes | None:
        """Guest memory, None where only rings are known."""
        return None

    def ask_monitor(self, line: str) -> str | None:
        """The monitor's answer at the cursor; None when nobody can be asked."""
        if self.monitor is None or self.monitor.problem():
            return None
        return self.monitor.answer(self.seq, line)

    # -- what only a run can do ---------------------------------------------------------------------------------------
    def execute(self, command: str, **arguments: Any) -> Any:
        """A command of the control protocol."""
        raise ConsoleError("This is a recording: nothing runs that could be changed or asked.")


def _specs(reader: Any) -> list[Any]:
    read = getattr(reader, "breakpoints", None)
    rows = read() if read is not None else []
    return [getattr(row, "spec", row) for row in rows]


class LiveInferior(RecordedInferior):
    """A run under control, and the recording that it writes."""

    live = True

    def __init__(self, recording: Recording, control: Control) -> None:
        self._control: Control = control
        super().__init__(recording)
        self._wait_committed()
        self.seq = self.last

    # -- where --------------------------------------------------------------------------------------------------------
    @property
    def at_end(self) -> bool:
        """Whether the cursor stands where the run stands."""
        return self.seq >= self.last

    def _status(self) -> dict[str, Any]:
        found = self._control.execute("x-ringscope-status")
        assert isinstance(found, dict)
        return found

    def _wait_committed(self) -> dict[str, Any]:
        """Wait until the recording has everything that has happened; returns the run's status."""
        self._control.execute("x-ringscope-sync")
        status = self._status()
        deadline = time.monotonic() + _COMMIT_S
        while self.recording.reader.last_seq < status["seq"] and time.monotonic() < deadline:
            if not self.recording.refresh():
                time.sleep(0.005)
        self.recording.refresh()
        return status

    # -- moving -------------------------------------------------------------------------------------------------------
    def step(self, kind: str, count: int = 1, direction: int = FORWARD) -> Stop:
        if direction > 0 and self.at_end:
            return self._live_step(kind, count)
        target = travel.step(self.recording, self.seq, kind, count, direction)
        if target is None and direction > 0:
            stop = self._to_end()
            return stop if stop is not None else self._live_step(kind, 1)
        return super().step(kind, count, direction)

    def cont(self, direction: int = FORWARD) -> Stop:
        if direction < 0:
            return super().cont(direction)
        if not self.at_end:
            stop = self._to_end()
            if stop is not None:
                return stop
        return self._let_go(lambda: self._control.execute("cont"))

    def until(self, plain: dict[str, object], direction: int = FORWARD) -> Stop:
        if direction < 0:
            return super().until(plain, direction)
        if not self.at_end:
            stop = super().until(plain, direction)
            if stop.reason != "end":
                return stop
        stop = self._let_go(lambda: self._control.execute("x-ringscope-until", **plain))
        own = stop.point is not None and stop.point.id < 0
        return replace(stop, reason="step", point=None) if own else stop

    def _to_end(self) -> Stop | None:
        """Over the recording up to its end: a breakpoint on the way, or None with the cursor at the end."""
        stop = super().cont(FORWARD)
        return None if stop.reason == "end" else stop

    def pause(self) -> Stop:
        """Stop a run that somebody else let go."""
        if self._status()["state"] == "running":
            self._control.execute("stop")
        self._wait_committed()
        self.seq = self.last
        return Stop(self.seq, "interrupt")

    def _live_step(self, kind: str, count: int) -> Stop:
        if self._status()["state"] == "running":
            raise ConsoleError("Cannot execute this command while the run is going; interrupt stops it.")
        return self._let_go(lambda: self._control.execute("x-ringscope-step", kind=kind, count=count))

    def _let_go(self, begin: Callable[[], object]) -> Stop:
        self._interrupted = False
        self._forget_events()
        if self._status()["state"] in ("finished", "failed"):
            return self._ended(self._status())
        begin()
        event: dict[str, Any] | None = None
        going = True
        while going:
            try:
                event = self._control.wait_event("X_RINGSCOPE_STOPPED", _LOOK_S)
                if event is None and self._interrupted:
                    self._control.execute("stop")
                going = event is None and self._status()["state"] not in ("finished", "failed", "paused")
            except KeyboardInterrupt:
                # at a terminal Ctrl-C is for the run, not for the console
                self._interrupted = True
        if event is None:
            event = self._control.wait_event("X_RINGSCOPE_STOPPED", 0.0)
        return self._stopped(event)

    def _forget_events(self) -> None:
        while self._control.wait_event("X_RINGSCOPE_STOPPED", 0.0) is not None:
            pass

    def _stopped(self, event: dict[str, Any] | None) -> Stop:
        points = {point.id: point for point in self._removed_too()}
        status = self._wait_committed()
        self.seq = self.last
        data = event.get("data", {}) if event is not None else {}
        if status["state"] in ("finished", "failed"):
            return self._ended(status)
        number = data.get("breakpoint")
        if number is not None:
            self._known = self.points()
            return Stop(self.seq, "breakpoint", points.get(int(number), Breakpoint(id=int(number))), old=None)
        if self._interrupted or "pause" in str(data.get("reason", "")):
            return Stop(self.seq, "interrupt")
        return Stop(self.seq, "step")

    def _ended(self, status: dict[str, Any]) -> Stop:
        self._wait_committed()
        self.seq = self.last
        failures = status.get("failures") or []
        return Stop(self.seq, "exited", detail=str(failures[-1]) if failures else str(status.get("reason", "")))

    # -- breakpoints: the engine's ------------------------------------------------------------------------------------
    _known: list[Breakpoint] | None = None

    def _removed_too(self) -> list[Breakpoint]:
        """Breakpoints now, and those that were there before the run went on: a temporary one is gone when it has stopped it."""
        return [*(self._known or ()), *self.points()]

    def points(self) -> list[Breakpoint]:
        found = [Breakpoint.from_plain(plain) for plain in self._control.execute("x-ringscope-break")]
        self._points = found
        return found

    def count(self, point: Breakpoint) -> None:
        # the run counts for itself what it meets; a stop of the cursor alone is not counted
        if point.temporary:
            self._control.execute("x-ringscope-break", remove=point.id)

    def add(self, plain: dict[str, object]) -> Breakpoint:
        parse_breakpoint(plain, self.recording)
        found = self._control.execute("x-ringscope-break", add=plain)
        self._known = [Breakpoint.from_plain(one) for one in found]
        self._points = list(self._known)
        return self._known[-1]

    def update(self, number: int, **words: object) -> Breakpoint:
        self.point(number)
        found = self._control.execute("x-ringscope-break", update={"id": number, **words})
        self._points = [Breakpoint.from_plain(one) for one in found]
        self._known = list(self._points)
        return self.point(number)

    def remove(self, number: int) -> None:
        self.point(number)
        self._control.execute("x-ringscope-break", remove=number)

    def ask_monitor(self, line: str) -> str | None:
        if not self.at_end:
            return super().ask_monitor(line)
        return str(self.execute("human-monitor-command", command_line=line)).replace("\r\n", "\n").rstrip("\n")

    def execute(self, command: str, **arguments: Any) -> Any:
        return self._control.execute(command, **arguments)

    def guest_memory(self, address: int, size: int) -> bytes | None:
        if not self.at_end:
            # the run's memory is that of now
            return None
        found = self._control.execute("x-ringscope-memory", addr=address, size=size)
        return None if found["holes"] else bytes.fromhex(found["data"])
