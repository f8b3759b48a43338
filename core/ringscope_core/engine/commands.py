"""What the engine's QMP commands do.  The standard ones answer as QEMU's; ours are ``x-ringscope-*``.

Arguments are checked against a declared table, with QEMU's messages.  Looking (qom-get, ...) works while the run stands in the
middle of a call stack; changing (set_link, inject, ...) waits for the end of the turn there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from ringscope_core.engine import protocol
from ringscope_core.engine.debug_commands import DebugCommands
from ringscope_core.engine.hotplug import device_add, device_del
from ringscope_core.engine.live import LiveRun
from ringscope_core.engine.pacing import MAX
from ringscope_core.engine.qmp import DEVICE_NOT_FOUND, GENERIC, NOT_FOUND, Handler, QmpError, version_of
from ringscope_core.engine.queries import human_monitor
from ringscope_core.hw.monitor_error import MonitorError
from ringscope_core.hw.monitor_queries import Param, Query, check_arguments, params_of, queries_of
from ringscope_core.net.errors import NetOptionError
from ringscope_core.scenario.errors import InputError
from ringscope_core.session.changes import change_from
from ringscope_core.trace.levels import LEVEL_NAMES

CAPABILITIES: Final = ("pause", "step", "speed", "inject", "trace", "mark", "break", "link", "annotate")
"""What the window may offer on a live run."""
MAX_FRAME: Final = 69632
"""NET_BUFSIZE: the network layer takes no longer frame."""

MAX_MARK_NAME: Final = 200
"""Characters of a mark's name."""


class Command(NamedTuple):
    """One command: its parameters and what it does with them."""

    params: tuple[Param, ...]
    action: Callable[[dict[str, Any]], object]


class EngineCommands(Handler):
    """The commands of one live run.  `quit` is called for the command of that name."""

    def __init__(self, live: LiveRun, leave: Callable[[], None]) -> None:
        self._live: LiveRun = live
        self._leave: Callable[[], None] = leave
        self._table: dict[str, Command] = {}
        actions = {
            "query-version": self._version,
            "query-commands": self._commands,
            "query-status": self._status,
            "quit": self._quit,
            "set_link": self._set_link,
            "device_add": lambda a: device_add(self._live, a),
            "device_del": lambda a: device_del(self._live, a),
            "human-monitor-command": self._human,
            "announce-self": self._announce_self,
            "x-ringscope-status": self._ringscope_status,
            "x-ringscope-speed": self._speed,
            "x-ringscope-inject": self._inject,
            "x-ringscope-trace": self._trace,
            "x-ringscope-mark": self._mark,
            "x-ringscope-annotate": self._annotate,
            "x-ringscope-keyframe": self._keyframe,
            **{name: self._changing(name) for name in ("x-ringscope-action", "x-ringscope-feature", "x-ringscope-traffic", "x-ringscope-option")},
            **DebugCommands(live).actions(),
        }
        for spec in (*protocol.OWN, *protocol.DEBUG):
            self._table[spec.name] = Command(params_of(spec.params), actions[spec.name])
        for name, query in queries_of(live.run.machine).items():
            self._table[name] = Command(query.params, self._asking(query.answer))
        self.version = version_of(live.run.world.v7_2)

    def _asking(self, query: Query) -> Callable[[dict[str, Any]], object]:
        machine = self._live.run.machine
        return lambda a: self._live.ask(lambda: query(machine, a))

    def execute(self, command: str, arguments: dict[str, Any]) -> object:
        """Carry out a command; raises QmpError."""
        found = self._table.get(command)
        if found is None:
            raise QmpError(f"The command {command} has not been found", NOT_FOUND)
        try:
            check_arguments(found.params, arguments)
            return found.action(arguments)
        except (InputError, NetOptionError) as error:
            raise QmpError(str(error)) from None
        except MonitorError as error:
            raise QmpError(str(error), DEVICE_NOT_FOUND if error.not_found else GENERIC) from None
        except TimeoutError as error:
            raise QmpError(str(error)) from None

    # -- QEMU's -------------------------------------------------------------------------------------------------------
    def _version(self, _: dict[str, Any]) -> object:
        return self.version

    def _commands(self, _: dict[str, Any]) -> object:
        return [{"name": name} for name in (*self._table, "qmp_capabilities")]

    def _status(self, _: dict[str, Any]) -> object:
        self._live.debugger.settle()
        status = self._live.status
        return {"running": status == "running", "singlestep": False, "status": {"failed": "internal-error", "finished": "shutdown"}.get(status, status)}

    def _quit(self, _: dict[str, Any]) -> object:
        self._leave()
        return {}

    def _set_link(self, a: dict[str, Any]) -> object:
        machine = self._live.run.machine
        if not self._live.ask(lambda: machine.net.find_clients(a["name"])):
            # said now: inside a turn the change itself has to wait
            raise QmpError(f"Device '{a['name']}' not found")
        self._live.control("set_link", a)
        return {}

    def _human(self, a: dict[str, Any]) -> object:
        machine = self._live.run.machine
        return self._live.ask(lambda: human_monitor(machine, a["command-line"]))

    def _announce_self(self, a: dict[str, Any]) -> object:
        interfaces = a.get("interfaces")
        if interfaces is not None and not all(isinstance(name, str) for name in interfaces):
            raise QmpError("Invalid parameter type for 'interfaces', expected: string")
        self._live.control("announce-self", a)
        return {}

    # -- ours ---------------------------------------------------------------------------------------------------------
    def _ringscope_status(self, _: dict[str, Any]) -> object:
        live, run = self._live, self._live.run
        live.debugger.settle()
        recorder = run.recorder
        factor = run.pacing.factor
        rate = live.debugger.events_per_s
        stopped = live.debugger.stop_reason if live.debugger.standing.is_set() else ""
        return {
            "state": live.status,
            "reason": stopped or live.ended,
            "inside_turn": live.debugger.inside_turn,
            "seq": int(run.log.seq) - 1,
            "vt": int(run.clock.now_ns),
            "wall": int(run.clock.wall_ns),
            "speed": {"events_per_second": rate, "factor": factor, "max": factor == MAX and rate == 0},
            "trace_level": LEVEL_NAMES[int(run.log.level)],
            "capabilities": [] if run.preparing else list(CAPABILITIES),
            "dropped": {"events": recorder.dropped_events, "packets": recorder.dropped_packets} if recorder is not None else {"events": 0, "packets": 0},
            "stopped": stopped,
            "breakpoints": live.debugger.breakpoints.to_plain(),
            "failures": list(run.failures),
            "recording_stopped": recorder.stopped if recorder is not None else "",
            "replay": run.replayed() if run.preparing else None,
        }

    def _speed(self, a: dict[str, Any]) -> object:
        if len(a) != 1:
            raise QmpError("Parameter 'events_per_second', 'factor' or 'max' is missing, or more than one is given")
        rate, factor = a.get("events_per_second"), a.get("factor")
        if rate is not None:
            if not 0 < rate <= 1e7:
                raise QmpError("Parameter 'events_per_second' expects a number above 0, at most 10000000")
            self._live.set_rate(float(rate))
        elif factor is not None:
            if not 0 < factor <= 1e6:
                raise QmpError("Parameter 'factor' expects a number above 0, at most 1000000")
            self._live.set_factor(float(factor))
        else:
            self._live.set_factor(MAX if a["max"] else 1.0)
        return {}

    def _inject(self, a: dict[str, Any]) -> object:
        try:
            frame = bytes.fromhex(a["frame"])
        except ValueError:
            raise QmpError("Parameter 'frame' expects bytes in hexadecimal") from None
        if self._live.run.machine.net.find_netdev(a["netdev"]) is None:
            raise QmpError(f"Device '{a['netdev']}' not found", DEVICE_NOT_FOUND)
        if not 1 <= len(frame) <= MAX_FRAME:
            raise QmpError(f"Parameter 'frame' expects 1 to {MAX_FRAME} bytes")
        self._live.control("x-ringscope-inject", a)
        return {}

    def _changing(self, name: str) -> Callable[[dict[str, Any]], object]:
        """A command that `control.CHANGING` has: done at the end of the turn, and recorded."""

        def change(a: dict[str, Any]) -> object:
            try:
                return {"done": self._live.control(name, a)}
            except KeyError as error:
                raise QmpError(f"Parameter {error} is missing") from None

        return change

    def _trace(self, a: dict[str, Any]) -> object:
        if a["level"] not in LEVEL_NAMES:
            raise QmpError(f"Parameter 'level' expects one of {', '.join(LEVEL_NAMES)}")
        self._live.set_level(LEVEL_NAMES.index(a["level"]))
        return {}

    def _mark(self, a: dict[str, Any]) -> object:
        if not 0 < len(a["name"]) <= MAX_MARK_NAME:
            raise QmpError(f"Parameter 'name' expects 1 to {MAX_MARK_NAME} characters")
        run = self._live.run
        self._live.change(lambda: run.mark(a["name"], a.get("note", "")))
        return {}

    def _annotate(self, a: dict[str, Any]) -> object:
        if not isinstance(a["change"], dict):
            raise QmpError("Parameter 'change' expects an object with put or remove: mark or note")
        recorder = self._live.run.recorder
        if recorder is None:
            raise QmpError("Nothing is recorded")
        return {"id": recorder.writer.annotate(change_from(a["change"]))}

    def _keyframe(self, _: dict[str, Any]) -> object:
        self._live.change(self._live.run.resample)
        return {}
