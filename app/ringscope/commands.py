"""What a person can make the source do, bound to what the source can do, never to what kind it is.

A source gives a `Controls`; `Commands` is what the window and the views hold.  A source may come and go (engine crash, restart)
behind the same `Commands`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from PySide6.QtCore import QObject, Signal

from ringscope.player import Player

STEP_KINDS: Final = ("event", "over", "into", "out", "turn", "packet", "kick")
"""How far a step goes: one event; over, into or out of a call; one turn of the main loop; to the next frame or kick."""

SPEED_MAX: Final = 0.0
"""The speed value that means flat out."""
SPEED_REAL: Final = -1.0
"""The speed value that means virtual time goes with the wall clock; other negative ones mean so many times as fast."""


class Stop(NamedTuple):
    """Why and where something stopped: a run, or a search over the recording."""

    reason: str
    seq: int
    vt: int
    point: int = 0
    """The breakpoint that did it, 0 for none."""


class Controls(QObject):
    """A source's control surface.  This base can do nothing; sources override what they can.

    `changed` tells that `capabilities`, `state`, `speed` or `stop` changed, `points_changed` that `points` did; `failed` carries one line
    for the person.
    """

    changed = Signal()
    points_changed = Signal()
    failed = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.capabilities: frozenset[str] = frozenset()
        """Of: pause, step, speed, inject, restart, trace, mark, break, link, annotate, playback."""
        self.state: str = "finished"
        """running, paused, finished, failed or starting."""
        self.speed: float = SPEED_MAX
        """Events a second; `SPEED_REAL` for real time, `SPEED_MAX` for flat out."""
        self.trace_level: str = ""
        self.stop: Stop | None = None
        """Why a live run stands still, None while it runs."""
        self.points: Sequence[Mapping[str, Any]] = ()
        """Breakpoints in plain form (`query.breakpoints.Breakpoint.to_plain`)."""
        self.address: str = ""
        """Where a running engine takes commands, empty when there is none."""

    def run(self) -> None:
        """Let it go on."""

    def pause(self) -> None:
        """Stop it at the next event."""

    def step(self, kind: str, count: int = 1) -> None:
        """Go one step of `kind`, of `STEP_KINDS`."""

    def set_speed(self, events_per_second: float) -> None:
        """Events a second; `SPEED_REAL` for real time, `SPEED_MAX` for flat out."""

    def restart(self) -> None:
        """Begin anew: another run of the same scenario."""

    def inject(self, netdev: str, frame: bytes) -> None:
        """Send `frame` from the network side `netdev` into the device."""

    def set_trace(self, level: str) -> None:
        """Trace level: counters, packets, full."""

    def mark(self, name: str, note: str) -> None:
        """Put a mark at the present."""

    def change_points(self, request: dict[str, object]) -> None:
        """Change the breakpoints: ``add`` a plain one, ``update`` one (``id`` and what changes), ``remove`` an id,
        or (over a recording) ``replace`` all."""

    def run_until(self, point: dict[str, object]) -> None:
        """Go on until a breakpoint that nobody keeps."""

    def annotate(self, change: Mapping[str, object]) -> None:
        """Make, change or remove a mark or a note (`session.changes`), at any moment of the recording."""

    def set_link(self, name: str, up: bool) -> None:
        """QEMU's set_link."""

    def query(self, command: str, arguments: dict[str, object], reply: Callable[[object], None]) -> bool:
        """Ask for something that only a running machine knows (``qom-list``, ``qom-get``); false when nothing can be asked.

        `reply` is called later, once, with what came back; never when the answer was an error.
        """
        return False

    def close(self) -> None:
        """End what this source started."""


class Commands(QObject):
    """The window's commands; each does nothing unless its `can_*` is true.

    `changed` follows the controls; `message` carries one line to show.
    """

    changed = Signal()
    points_changed = Signal()
    message = Signal(str)
    annotation = Signal(object)
    """A view wants a mark or note changed (`session.changes.Change`)."""
    view_asked = Signal(str)
    """A view wants another one in front, by its name."""
    value_asked = Signal(object, object)
    """A view's context menu was asked for on a value (`query.watch.Watch`), at a place of the screen."""
    until_wanted = Signal(object)
    """A view asks to run until a breakpoint (in plain form) from the focus on; the window's stepper does it."""
    preference_changed = Signal(str)

    def __init__(self, controls: Controls | None = None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._controls = controls or Controls(self)
        self.playback: Player = Player(self)
        """What plays the recording; the window sets it."""
        self._found: Stop | None = None
        self._preferences: dict[str, str] = {}
        self._connect()

    @property
    def controls(self) -> Controls:
        """The source's surface now in use."""
        return self._controls

    def bind(self, controls: Controls) -> None:
        """Use another source from now on."""
        self._controls.changed.disconnect(self.changed)
        self._controls.points_changed.disconnect(self.points_changed)
        self._controls.failed.disconnect(self.message)
        self._controls = controls
        self._found = None
        self._connect()
        self.changed.emit()
        self.points_changed.emit()

    def _connect(self) -> None:
        self._controls.changed.connect(self.changed)
        self._controls.points_changed.connect(self.points_changed)
        self._controls.failed.connect(self.message)

    def can(self, capability: str) -> bool:
        """Whether the source can do `capability` now."""
        return capability in self._controls.capabilities

    @property
    def can_pause(self) -> bool:
        """Whether run and pause work."""
        return self.can("pause")

    @property
    def can_step(self) -> bool:
        """Whether the source steps; scrubbing one event is always possible."""
        return self.can("step")

    @property
    def can_speed(self) -> bool:
        """Whether the speed can be set."""
        return self.can("speed")

    @property
    def can_inject(self) -> bool:
        """Whether a frame can be sent into the device."""
        return self.can("inject")

    @property
    def can_restart(self) -> bool:
        """Whether another run can be started."""
        return self.can("restart")

    @property
    def can_trace(self) -> bool:
        """Whether the trace level can be set."""
        return self.can("trace")

    @property
    def can_mark(self) -> bool:
        """Whether a mark can be put."""
        return self.can("mark")

    @property
    def can_break(self) -> bool:
        """Whether breakpoints work."""
        return self.can("break")

    @property
    def can_link(self) -> bool:
        """Whether the network cable can be pulled."""
        return self.can("link")

    @property
    def state(self) -> str:
        """The source's state: running, paused, finished, failed, starting."""
        return self._controls.state

    @property
    def running(self) -> bool:
        """Whether events are coming."""
        return self._controls.state == "running"

    @property
    def stop(self) -> Stop | None:
        """Why and where things stopped: what a search over the recording found last, else why a live run stands."""
        return self._found or self._controls.stop

    def stands_at(self, seq: int) -> bool:
        """Whether `stop` tells of a focus at `seq`: a live stop does wherever one looks, one over the recording while one stays there."""
        return self._found.seq == seq if self._found is not None else self._controls.stop is not None

    def found(self, stop: Stop | None) -> None:
        """A step or a search over the recording stopped here; None when what was found counts no more."""
        if stop != self._found:
            self._found = stop
            self.changed.emit()

    @property
    def points(self) -> Sequence[Mapping[str, Any]]:
        """Breakpoints in plain form."""
        return self._controls.points

    @property
    def speed(self) -> float:
        """Events a second; `SPEED_REAL` for real time, `SPEED_MAX` for flat out."""
        return self._controls.speed

    @property
    def trace_level(self) -> str:
        """The trace level as the source last said it, empty when unknown."""
        return self._controls.trace_level

    def preference(self, name: str) -> str:
        """What the person has set, empty for nothing."""
        return self._preferences.get(name, "")

    def set_preference(self, name: str, value: str) -> None:
        """Set it; the window keeps it for the next time."""
        if value != self.preference(name):
            self._preferences[name] = value
            self.preference_changed.emit(name)

    def run(self) -> None:
        """Let the source go on."""
        if self.can_pause:
            self._controls.run()

    def pause(self) -> None:
        """Stop the source."""
        if self.can_pause:
            self._controls.pause()

    def toggle(self) -> None:
        """Pause when running, run when not."""
        if self.running:
            self.pause()
        else:
            self.run()

    def step(self, kind: str = "event", count: int = 1) -> None:
        """Step the source; it pauses when it was running."""
        if self.can_step:
            self._controls.step(kind, count)

    def set_speed(self, events_per_second: float) -> None:
        """Set the speed in events a second; `SPEED_REAL` and `SPEED_MAX` are special."""
        if self.can_speed:
            self._controls.set_speed(events_per_second)

    def restart(self) -> None:
        """Begin another run of the same scenario."""
        if self.can_restart:
            self._controls.restart()

    def inject(self, netdev: str, frame: bytes) -> None:
        """Send a frame into the device."""
        if self.can_inject:
            self._controls.inject(netdev, frame)

    def set_trace(self, level: str) -> None:
        """Set the trace level."""
        if self.can_trace:
            self._controls.set_trace(level)

    def mark(self, name: str, note: str = "") -> None:
        """Put a mark at the present."""
        if self.can_mark:
            self._controls.mark(name, note)

    def annotate(self, change: Mapping[str, object]) -> None:
        """Have the source take a mark or a note at any moment."""
        if self.can("annotate"):
            self._controls.annotate(change)

    def query(self, command: str, arguments: dict[str, object], reply: Callable[[object], None]) -> bool:
        """Ask the running machine; false when there is none (see `Controls.query`)."""
        return self._controls.query(command, arguments, reply)

    def set_link(self, name: str, up: bool) -> None:
        """QEMU's set_link: `name` is a netdev or a device."""
        if self.can_link:
            self._controls.set_link(name, up)

    def add_point(self, point: dict[str, object]) -> None:
        """Set a breakpoint, given in plain form."""
        if self.can_break:
            self._controls.change_points({"add": point})

    def update_point(self, number: int, **changes: object) -> None:
        """Change a breakpoint's parts."""
        if self.can_break:
            self._controls.change_points({"update": {"id": number, **changes}})

    def remove_point(self, number: int) -> None:
        """Delete a breakpoint."""
        if self.can_break:
            self._controls.change_points({"remove": number})

    def replace_points(self, points: list[dict[str, object]]) -> None:
        """Have these breakpoints in a recording; a running machine keeps its own."""
        if self.can_break:
            self._controls.change_points({"replace": points})

    def run_until(self, point: dict[str, object]) -> None:
        """Let a live run go on until `point`, in plain form."""
        if self.can_step:
            self._controls.run_until(point)
