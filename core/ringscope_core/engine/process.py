"""The engine as a process: a run, the session it writes, and its control over QMP.

Threads: the run's, the session writer's and its checkpointer's, and the control's (one that listens, one a client). The main
thread only waits, so that signals are heard at once.
"""

from __future__ import annotations

import json
import signal
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Final

from ringscope_core.engine.branch_live import LiveBranch
from ringscope_core.engine.commands import EngineCommands
from ringscope_core.engine.errors import CancelledError
from ringscope_core.engine.live import REFUSALS, SWITCH_INTERVAL_S, LiveListener, LiveRun
from ringscope_core.engine.messages import Messages
from ringscope_core.engine.qmp import QmpServer
from ringscope_core.engine.recorder import Recorder
from ringscope_core.engine.replay import Rerun
from ringscope_core.engine.run import Run
from ringscope_core.engine.session_meta import session_meta
from ringscope_core.qom.types_json import types_json
from ringscope_core.qom.world import QapiEventSink
from ringscope_core.scenario.errors import InputError
from ringscope_core.scenario.load import load
from ringscope_core.scenario.model import Scenario
from ringscope_core.session.errors import SessionError
from ringscope_core.session.reader import SessionReader
from ringscope_core.session.writer import SessionWriter
from ringscope_core.trace.levels import LEVEL_NAMES

LONELY_S: Final = 60.0
"""With `leave_with_client`: so long the process waits for its first client."""
LIVE_BUDGET_BYTES: Final = 96 << 20
"""What may wait for the writer before events are dropped.  A run that is ahead of it goes slower first (`live.BEHIND_S`): this is for a slow disk."""
LEAVE_AFTER_S: Final = 2.0
"""With `leave_with_client`: so long after the last client has gone the process ends."""


@dataclass(frozen=True)
class Options:
    """What the command line says."""

    scenario: str
    session: Path
    socket: str
    seed: int | None = None
    speed: float = 1.0
    trace: str = "full"
    trace_pinned: bool = False
    paused: bool = False
    settings: list[str] = field(default_factory=list)
    leave_with_client: bool = False
    branch_of: Path | None = None
    """Run this recording again to `at`, and go on from there with `change`; `scenario` and `settings` are then its own."""
    at: str = "end"
    change: str = "none"
    """A line or JSON; see `engine.change`."""
    keep_bytes: int = 0
    """The session file stays within that size, as a flight recorder; 0: it is complete."""
    breakpoints_of: Path | None = None
    """Take the breakpoints of this session, in place of the scenario's."""


class _Announcer(LiveListener):
    """Tells the control's clients, and keeps the recording up to date at stops."""

    def __init__(self) -> None:
        self.server: QmpServer | None = None
        self.recorder: Recorder | None = None
        self.live: LiveRun | None = None
        self.messages: Messages | None = None

    def flush(self) -> None:
        if self.recorder is not None:
            self.recorder.flush()

    def on_stopped(self, reason: str) -> None:
        assert self.live is not None
        if self.messages is not None:
            self.messages.tell()
        self.tell("STOP", None)
        debugger, run = self.live.debugger, self.live.run
        point = debugger.stop_point
        where = {"seq": int(run.log.seq) - 1, "vt": int(run.clock.now_ns), "breakpoint": point.id if point is not None else None}
        self.tell("X_RINGSCOPE_STOPPED", {"reason": reason, **where})

    def on_resumed(self) -> None:
        self.tell("RESUME", None)

    def on_ended(self, reason: str) -> None:
        self.tell("X_RINGSCOPE_ENDED", {"reason": reason})

    def on_refused(self, reason: str) -> None:
        self.tell("X_RINGSCOPE_REFUSED", {"reason": reason})

    def tell(self, name: str, data: dict[str, object] | None) -> None:
        """An event for every client."""
        if self.server is not None:
            self.server.event(name, data)


class _QapiEvents(QapiEventSink):
    """The machine's own events."""

    def __init__(self, announcer: _Announcer) -> None:
        self._announcer: _Announcer = announcer

    def qapi_event(self, name: str, data: dict[str, object]) -> None:
        self._announcer.tell(name, data)


class EngineProcess:
    """Everything between the command line and the exit code."""

    def __init__(self, options: Options) -> None:
        """Raises InputError, SessionError or OSError: nothing has started then."""
        self.options: Options = options
        self._started: float = time.monotonic()
        self._leave: threading.Event = threading.Event()
        self._announcer: _Announcer = _Announcer()
        self._branch: LiveBranch | None = LiveBranch(options.branch_of, options.at, options.change) if options.branch_of is not None else None
        if self._branch is not None:
            scenario, meta = self._branch.scenario, self._branch.meta(options.session, options.trace)
        else:
            scenario = load(options.scenario, options.settings)
            if options.seed is not None:
                scenario.seed = options.seed
            meta = session_meta(scenario, scenario.seed, options.trace)
        self.writer: SessionWriter = SessionWriter(options.session, meta, keep_bytes=options.keep_bytes)
        try:
            self._assemble(scenario)
        except BaseException:
            # nothing half-made stays
            self.writer.close()
            options.session.unlink(missing_ok=True)
            raise

    def _make_run(self, scenario: Scenario, recorder: Recorder) -> Run:
        options = self.options
        level = LEVEL_NAMES.index(options.trace)
        if self._branch is not None:
            return self._branch.make_run(self.writer, recorder, options.speed, level)
        return Run(scenario, trace_level=level, recorder=recorder, live=True, factor=options.speed, digests=False)

    def _assemble(self, scenario: Scenario) -> None:
        options = self.options
        recorder = Recorder(self.writer, live=True, budget_bytes=LIVE_BUDGET_BYTES)
        self._announcer.recorder = recorder
        run = self._make_run(scenario, recorder)
        self.writer.add_types(list(types_json(run.world)))
        run.world.event_sink = _QapiEvents(self._announcer)
        duration = scenario.run.duration_ns() if self._branch is None else self._branch.duration_ns
        self.live: LiveRun = LiveRun(run, self._announcer, options.paused, duration, level=LEVEL_NAMES.index(options.trace))
        if self._branch is not None and options.paused:
            self.live.debugger.pause("branch")
        self._announcer.live = self.live
        self._messages: Messages = Messages(self.writer, self._announcer.tell)
        self._announcer.messages = self._messages
        points = self.live.debugger.breakpoints
        points.changed = self.writer.put_breakpoints
        points.said = self._messages.said
        self.live.level_pinned = options.trace_pinned
        self._add_breakpoints(scenario)
        self.server: QmpServer = QmpServer(options.socket, EngineCommands(self.live, self._leave.set))
        self._announcer.server = self.server

    def _add_breakpoints(self, scenario: Scenario) -> None:
        """The scenario's; of a branch or after `breakpoints_of` those of the recording, which has the scenario's among them."""
        table = self.live.debugger.breakpoints
        if self.options.breakpoints_of is not None:
            with SessionReader(self.options.breakpoints_of) as reader:
                table.restore(row.spec for row in reader.breakpoints())
            return
        if self._branch is not None and self._branch.reader.breakpoints():
            table.restore(row.spec for row in self._branch.reader.breakpoints())
            return
        for place, wanted in enumerate(scenario.breakpoint):
            try:
                table.add(wanted.plain())
            except InputError as error:
                raise InputError(f"breakpoint.{place}.{error.field}", error.value, error.allowed) from None

    def main(self) -> int:
        """Run until told to leave; returns the exit code."""
        sys.setswitchinterval(SWITCH_INTERVAL_S)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        self.live.start()
        ready = {"ready": True, "session": str(self.options.session), "socket": self.server.address, "scenario": self.live.run.scenario.name}
        print(json.dumps(ready), flush=True)
        while not self._leave.wait(0.25):
            self.live.debugger.breakpoints.tell_counts()
            self._messages.tell()
            if self._deserted() or isinstance(self.live.failure, (*REFUSALS, SessionError)):
                # a branch that cannot be made: there is nothing to look at
                break
        return self._close()

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self._leave.set()

    def _deserted(self) -> bool:
        """Whether the window that started us is gone."""
        if not self.options.leave_with_client or self.server.clients:
            return False
        if not self.server.ever_connected:
            return time.monotonic() - self._started > LONELY_S
        time.sleep(LEAVE_AFTER_S)
        return not self.server.clients

    def _close(self) -> int:
        if isinstance(self.live.run, Rerun):
            self.live.run.cancel = True
        self.live.debugger.breakpoints.tell_counts()
        self.live.stop()
        self.writer.set_meta("ended", self.live.ended or "quit")
        try:
            self.writer.close()
        except SessionError as error:
            # the run itself was not harmed; what is recorded is whole up to there
            print(f"ringscope-engine: {error}", file=sys.stderr)
        self.live.run.close()
        if self._branch is not None:
            self._branch.close()
        self.server.event("SHUTDOWN", {"guest": False, "reason": "host-qmp-quit"})
        self.server.close()
        if self.live.failure is not None and not isinstance(self.live.failure, CancelledError):
            raise self.live.failure
        return 0
