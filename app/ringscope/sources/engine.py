"""A live source: the engine as a process of its own, controlled over QMP, recording into the file that the window reads.

The engine may crash or be killed at any time: the window learns it from the process, says so, and can start another.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from PySide6.QtCore import QEventLoop, QObject, QProcess, QTimer, Signal

from ringscope.commands import SPEED_MAX, SPEED_REAL, Controls, Stop
from ringscope.sources.qmp_link import QmpLink
from ringscope.sources.unsaved import UnsavedFolder
from ringscope.words import t
from ringscope_core.scenario.errors import InputError
from ringscope_core.session.keep import KEEP_DEFAULT, keep_bytes

STATUS_MS: Final = 150
"""How often the engine is asked how it stands."""
START_S: Final = 30.0
"""A start that takes longer has failed."""
NICE: Final = 5
"""The engine's niceness."""
QUIT_MS: Final = 3000
"""An engine that was told to quit and is still there after that is killed."""
_SETTLE_S: Final = 0.6
"""So long after a change of speed its echo is not believed: it may be older."""


@dataclass(frozen=True)
class EngineOptions:
    """What to run: everything that `python -m ringscope_core.engine` takes, but where to record and listen."""

    scenario: str = "default"
    settings: tuple[str, ...] = ()
    speed: str = "1"
    trace: str = ""
    record: Path | None = None
    """Where to keep the recording; None: it goes with the window."""
    paused: bool = False
    branch_of: Path | None = None
    """Run this recording again to `at`, and go on with `change`; `scenario` and `settings` are then its own."""
    at: str = ""
    change: str = ""
    keep: str = ""
    """The size that the recording is kept within, or ``all``; empty: as the person prefers for a run that is not kept, all for one that is."""


class EngineControls(Controls):
    """The engine's control surface and its life.

    `started` carries the session file of a new run; `stopped` says in one line why an engine ended that nobody told to.
    """

    started = Signal(str)
    stopped = Signal(str)

    def __init__(self, options: EngineOptions, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.options = options
        self.command: tuple[str, ...] = (sys.executable, "-m", "ringscope_core.engine")
        """What to start; tests put something else here."""
        self.session: Path | None = None
        """The file that the present run is recorded in."""
        self.keep_preferred: Callable[[], str] = str
        """What the person prefers that unsaved runs keep; asked at each start."""
        self.problem: str = ""
        """Why the last start failed, empty when it did not."""
        self.replay: tuple[int, int] | None = None
        """While a branch is on its way to where it begins: events made, and events to make."""
        self.failures: tuple[str, ...] = ()
        """What the engine says went wrong with the machine."""
        self.recording_stopped: str = ""
        """Why nothing is recorded any more (a full disk, say), though the run goes on; empty while it is."""
        self.process: QProcess | None = None
        self._folder = Path(tempfile.mkdtemp(prefix="ringscope-"))
        """Sockets: their paths must be short."""
        self._unsaved = UnsavedFolder.make() if options.record is None else None
        self.keep_unsaved: bool = False
        """Leave the recordings that nobody saved where the next window finds and offers them."""
        self._runs = 0
        self._link: QmpLink | None = None
        self._closing = False
        self._speed_set_at = 0.0
        self._wanted_speed: float | None = None
        self._hit = 0
        """The breakpoint that stopped the run last."""
        self._carried: list[dict[str, Any]] = []
        """Breakpoints of the run before: a restart keeps them."""
        self._status = QTimer(self)
        self._status.setInterval(STATUS_MS)
        self._status.timeout.connect(self._ask)
        self._speed_later = QTimer(self)
        self._speed_later.setSingleShot(True)
        self._speed_later.setInterval(40)
        self._speed_later.timeout.connect(self._send_speed)
        self.state = "starting"

    # -- life -----------------------------------------------------------------------------------------------------------
    def start(self) -> None:
        """Start the process; returns at once (`wait_started`)."""
        self._runs += 1
        self.problem, self.failures, self.recording_stopped = "", (), ""
        self.address = str(self._folder / f"qmp-{self._runs}")
        self.session = self._session_path()
        self.session.unlink(missing_ok=True)
        process = QProcess(self)
        process.setProgram(self.command[0])
        process.setArguments([*self.command[1:], *self._arguments()])
        process.readyReadStandardOutput.connect(self._read_output)
        process.started.connect(self._yield_to_the_window)
        process.finished.connect(self._finished)
        process.errorOccurred.connect(self._failed_to_start)
        self.process = process
        self._set_state("starting")
        process.start()

    def _yield_to_the_window(self) -> None:
        """A run that goes flat out is not to take the frames of the window that shows it: on few cores the window goes first."""
        if self.process is not None and hasattr(os, "setpriority"):
            with suppress(OSError):
                os.setpriority(os.PRIO_PROCESS, self.process.processId(), NICE)

    def _session_path(self) -> Path:
        kept = self.options.record
        if kept is None:
            return (self._unsaved.path if self._unsaved else self._folder) / f"run-{self._runs}.ringscope"
        return kept if self._runs == 1 else kept.with_name(f"{kept.stem}-{self._runs}{kept.suffix}")

    @property
    def holds_unsaved(self) -> bool:
        """Whether this run is recorded where it goes with the window."""
        return self._unsaved is not None and not self._closing

    def owns(self, path: Path) -> bool:
        """Whether the recording `path` goes with this source: nobody asked to keep it."""
        return path.parent == (self._unsaved.path if self._unsaved else self._folder)

    def _arguments(self) -> list[str]:
        options = self.options
        what = ["--scenario", options.scenario]
        if options.branch_of is not None:
            what = ["--branch-of", str(options.branch_of), "--at", options.at, "--change", options.change]
        found = [*what, "--session", str(self.session), "--socket", self.address]
        found += ["--speed", options.speed, "--leave-with-client"]
        if options.trace:
            found += ["--trace", options.trace]
        for setting in options.settings:
            found += ["--set", setting]
        found += ["--keep", options.keep or ("all" if options.record is not None else self._keep_preferred())]
        return [*found, *(["--paused"] if options.paused or self._carried else [])]

    def _keep_preferred(self) -> str:
        text = self.keep_preferred() or KEEP_DEFAULT
        try:
            keep_bytes("keep", text)
        except InputError:
            # a settings file that somebody wrote by hand
            return KEEP_DEFAULT
        return text

    def wait_started(self, timeout_s: float = START_S) -> Path:
        """Wait until the engine has said that it is ready; the session's file.  RuntimeError with one line when it does not get there."""
        deadline = time.monotonic() + timeout_s
        loop = QEventLoop()
        poll = QTimer()
        poll.timeout.connect(loop.quit)
        poll.start(10)
        while self.state == "starting" and not self.problem and time.monotonic() < deadline:
            loop.exec()
        if self.problem or self.state == "starting" or self.session is None:
            raise RuntimeError(self.problem or t("the engine did not start within {timeout_s:.0f} s", timeout_s=timeout_s))
        return self.session

    def _read_output(self) -> None:
        process = self.process
        if process is None:
            return
        for line in bytes(process.readAllStandardOutput().data()).splitlines():
            try:
                message = json.loads(line)
            except ValueError:
                continue
            if isinstance(message, dict) and message.get("ready"):
                self._ready(str(message.get("socket") or self.address))

    def _ready(self, address: str) -> None:
        link = QmpLink(self)
        link.ready.connect(self._connected)
        link.told.connect(self._told)
        link.refused.connect(self.failed)
        self._link = link
        link.connect_to(address)
        self._set_state("prelaunch")
        self.started.emit(str(self.session))

    def _connected(self) -> None:
        self._status.start()
        if self._carried and self._link is not None:
            # the machine waits: it is to meet them from its first event on
            self._link.send("x-ringscope-break", None, self._carry_over)
        self._ask()

    def _carry_over(self, answer: object) -> None:
        """Set the breakpoints of the run before, but those that the scenario has set already; then let the machine go."""
        carried, self._carried = self._carried, []
        present = {_key(point) for point in answer} if isinstance(answer, list) else set()
        for point in carried:
            if _key(point) not in present:
                self._do("x-ringscope-break", add={name: value for name, value in point.items() if name not in ("id", "hits", "since")})
        if not self.options.paused:
            self._do("cont")

    def _failed_to_start(self, error: QProcess.ProcessError) -> None:
        if error == QProcess.ProcessError.FailedToStart:
            self.problem = t("the engine could not be started ({error})", error=self.process.errorString() if self.process else "")
            self._set_state("failed")

    def _finished(self, code: int, status: QProcess.ExitStatus) -> None:
        self._status.stop()
        if self._closing or self.process is None:
            return
        lines = bytes(self.process.readAllStandardError().data()).decode("utf-8", "replace").strip().splitlines()
        last = lines[-1].removeprefix("ringscope-engine: ") if lines else ""
        how = t("killed by signal {code}", code=code) if status == QProcess.ExitStatus.CrashExit else t("exit code {code}", code=code)
        was_starting = self.state == "starting"
        if was_starting:
            self.problem = last or t("the engine ended at its start ({how})", how=how)
        self._drop_link()
        self._set_state("failed")
        if not was_starting:
            self.keep_unsaved = True
            self.stopped.emit(f"{how}{f', {last}' if last else ''}")

    def _drop_link(self) -> None:
        """Forget the link.  It stays a child until these controls go: deleted later, in a nested event loop, it took its socket down twice."""
        if self._link is not None:
            self._link.close()
            self._link = None

    def restart(self) -> None:
        """End the present run and begin another of the same scenario, at the speed chosen last."""
        self._carried = [dict(point) for point in self.points]
        self._end_process()
        self.start()

    def _end_process(self) -> None:
        """Have the process quit, and kill it when it does not."""
        self._status.stop()
        process, self.process = self.process, None
        if self._link is not None:
            self._link.send("quit")
        if process is not None and process.state() != QProcess.ProcessState.NotRunning:
            process.finished.disconnect(self._finished)
            process.terminate()
            if not process.waitForFinished(QUIT_MS):
                process.kill()
                process.waitForFinished(QUIT_MS)
        self._drop_link()

    def close(self) -> None:
        """End the engine; a recording that nobody asked to keep goes, but one whose engine died by itself."""
        if self._closing:
            return
        self._closing = True
        self._end_process()
        shutil.rmtree(self._folder, ignore_errors=True)
        if self._unsaved is not None:
            if self.keep_unsaved:
                self._unsaved.release()
            else:
                self._unsaved.discard()

    # -- how it stands --------------------------------------------------------------------------------------------------
    def _ask(self) -> None:
        if self._link is not None and self._link.waiting < 4:
            self._link.send("x-ringscope-status", None, self._take_status)

    def _told(self, name: str, data: object) -> None:
        if name == "X_RINGSCOPE_STOPPED" and isinstance(data, dict):
            self._hit = int(data.get("breakpoint") or 0)
        self._ask()

    def _take_status(self, answer: object) -> None:
        if not isinstance(answer, dict):
            return
        status: dict[str, Any] = answer
        state = str(status.get("state", "running"))
        alive = state not in ("finished", "failed")
        capabilities = frozenset(str(word) for word in status.get("capabilities", ())) if alive else frozenset({"break"} if state == "finished" else ())
        speed = self._speed_of(status.get("speed") or {})
        if time.monotonic() - self._speed_set_at < _SETTLE_S:
            speed = self.speed
        failures = tuple(str(line) for line in status.get("failures", ()))
        replay = status.get("replay")
        before, self.replay = self.replay, (int(replay[0]), int(replay[1])) if isinstance(replay, list) and len(replay) == 2 else None
        if self.replay != before:
            self.changed.emit()
        stopped = str(status.get("recording_stopped", ""))
        if stopped != self.recording_stopped:
            self.recording_stopped = stopped
            self.changed.emit()
        stop = self._stop_of(status) if state == "paused" else None
        news = (state, capabilities | {"restart"}, speed, str(status.get("trace_level", "")), failures, stop)
        if news != (self.state, self.capabilities, self.speed, self.trace_level, self.failures, self.stop):
            self.state, self.capabilities, self.speed, self.trace_level, self.failures, self.stop = news
            self.changed.emit()
        self._take_points(status.get("breakpoints"))

    def _stop_of(self, status: dict[str, Any]) -> Stop:
        reason = str(status.get("stopped") or status.get("reason") or "pause")
        return Stop(reason, int(status.get("seq", -1)), int(status.get("vt", 0)), self._hit if reason.startswith("breakpoint") else 0)

    def _take_points(self, answer: object) -> None:
        if isinstance(answer, list) and not self._carried and answer != list(self.points):
            self.points = answer
            self.points_changed.emit()

    @staticmethod
    def _speed_of(plain: dict[str, Any]) -> float:
        rate = float(plain.get("events_per_second") or 0.0)
        if rate > 0:
            return rate
        return SPEED_MAX if plain.get("max") else -float(plain.get("factor") or -SPEED_REAL)

    def _set_state(self, state: str) -> None:
        self.state = state
        if state in ("failed", "starting"):
            self.capabilities = frozenset({"restart"}) if state == "failed" else frozenset()
        self.changed.emit()

    # -- what it can do -------------------------------------------------------------------------------------------------
    def _do(self, command: str, **arguments: object) -> None:
        if self._wanted_speed is not None:
            # commands keep their order: run at the speed that was chosen before
            self._send_speed()
        if self._link is not None:
            self._link.send(command, arguments, lambda _: self._ask())

    def run(self) -> None:
        """cont."""
        self._do("cont")

    def pause(self) -> None:
        """stop."""
        self._do("stop")

    def step(self, kind: str, count: int = 1) -> None:
        """x-ringscope-step."""
        self._do("x-ringscope-step", kind=kind, count=count)

    def set_speed(self, events_per_second: float) -> None:
        """x-ringscope-speed, a moment later: a slider asks for many."""
        self.speed = events_per_second
        self._wanted_speed = events_per_second
        self._speed_set_at = time.monotonic()
        self._speed_later.start()

    def _send_speed(self) -> None:
        speed, self._wanted_speed = self._wanted_speed, None
        if speed is None:
            return
        if speed > 0:
            self._do("x-ringscope-speed", events_per_second=speed)
        elif speed < 0:
            self._do("x-ringscope-speed", factor=-speed)
        else:
            self._do("x-ringscope-speed", max=True)

    def inject(self, netdev: str, frame: bytes) -> None:
        """x-ringscope-inject."""
        self._do("x-ringscope-inject", netdev=netdev, frame=frame.hex())

    def set_trace(self, level: str) -> None:
        """x-ringscope-trace."""
        self._do("x-ringscope-trace", level=level)

    def mark(self, name: str, note: str) -> None:
        """x-ringscope-mark."""
        self._do("x-ringscope-mark", name=name, note=note)

    def change_points(self, request: dict[str, object]) -> None:
        """x-ringscope-break."""
        if self._link is not None:
            self._link.send("x-ringscope-break", request, self._take_points)

    def run_until(self, point: dict[str, object]) -> None:
        """x-ringscope-until."""
        self._do("x-ringscope-until", **point)

    def annotate(self, change: Mapping[str, object]) -> None:
        """x-ringscope-annotate."""
        self._do("x-ringscope-annotate", change=dict(change))

    def set_link(self, name: str, up: bool) -> None:
        """set_link."""
        self._do("set_link", name=name, up=up)

    def query(self, command: str, arguments: dict[str, object], reply: Callable[[object], None]) -> bool:
        """Ask the running machine over QMP."""
        return self._link is not None and self._link.negotiated and self._link.send(command, arguments, reply)


def _key(point: dict[str, Any]) -> tuple[object, ...]:
    """What makes two breakpoints the same one."""
    return tuple(point.get(name) for name in ("what", "where", "condition", "oid", "log"))
