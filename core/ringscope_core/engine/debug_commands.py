"""The control protocol's commands of the debugger: steps, breakpoints, how far to run, memory, and values set by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from ringscope_core.engine.live import LiveRun
from ringscope_core.engine.memory_view import read_memory
from ringscope_core.engine.qmp import QmpError
from ringscope_core.engine.setting import check_set
from ringscope_core.query.breakpoints import Bound, Breakpoint
from ringscope_core.query.steps import PACKET_KINDS
from ringscope_core.scenario.errors import InputError
from ringscope_core.trace.kinds import KIND_BY_NUMBER
from ringscope_core.trace.levels import LEVEL_NAMES, LEVEL_PACKETS

SYNC_S: Final = 30.0
"""So long the disk may take."""
_PACKETS: Final = ",".join(KIND_BY_NUMBER[kind].name for kind in PACKET_KINDS)

Arguments = dict[str, Any]


class DebugCommands:
    """What the debugger's commands do to one live run."""

    def __init__(self, live: LiveRun) -> None:
        self._live: LiveRun = live

    def actions(self) -> dict[str, Callable[[Arguments], object]]:
        """What does each command of `protocol.DEBUG`."""
        return {
            "stop": self.stop,
            "cont": self.cont,
            "x-ringscope-step": self.step,
            "x-ringscope-until": self.until,
            "x-ringscope-break": self.points,
            "x-ringscope-sync": self.sync,
            "x-ringscope-memory": self.memory,
            "x-ringscope-set": self.set,
        }

    # -- stopping and going on ----------------------------------------------------------------------------------------
    def stop(self, _: Arguments) -> object:
        """Returns when the run stands, or was let go on by somebody else meanwhile."""
        live = self._live
        live.debugger.pause()
        live.hear(live.debugger.standing, given_up=lambda: bool(live.ended) or live.debugger.let_go)
        return {}

    def cont(self, _: Arguments) -> object:
        """Returns when the run goes on: whoever asks for its status next sees no stop of before."""
        self._live.hear(self._live.debugger.resume())
        return {}

    def step(self, a: Arguments) -> object:
        """Go on for some steps."""
        self._may_run()
        self._live.hear(self._live.debugger.step(a.get("kind", "event"), a.get("count", 1)))
        return {}

    def until(self, a: Arguments) -> object:
        """Go on to a place named by a breakpoint's plain form, or by ``seq`` or ``packet``, and stop there once."""
        self._may_run()
        live = self._live
        given = [name for name in ("seq", "packet") if name in a]
        if given and (len(a) > 1 or not isinstance(a[given[0]], int) or isinstance(a[given[0]], bool)):
            raise QmpError("Parameters 'seq' and 'packet' expect a number, and nothing beside it")
        if "seq" in a:
            count = a["seq"] - (int(live.run.log.seq) - 1)
            if count < 1:
                raise InputError("seq", a["seq"], f"an event to come: the last one is {int(live.run.log.seq) - 1}")
            live.hear(live.debugger.step("event", count))
            return {}
        point = self._packet(a["packet"]) if "packet" in a else dict(a)
        wanted = Breakpoint.from_plain({**point, "temporary": True, "log": ""})
        now = int(live.run.clock.now_ns)
        if wanted.what == "time" and Bound(wanted, live.debugger.breakpoints.vocabulary).vt <= now:
            raise InputError("time", wanted.where, f"a time to come: it is {now} ns")
        added = live.debugger.breakpoints.add(wanted.to_plain(), momentary=True)
        live.hear(live.debugger.resume())
        return added.to_plain()

    def _packet(self, number: int) -> Arguments:
        run = self._live.run
        if number < int(run.machine.packets.next_id):
            raise InputError("packet", number, f"a packet to come: the last one is {int(run.machine.packets.next_id) - 1}")
        if run.log.level < LEVEL_PACKETS:
            raise InputError("packet", number, f"possible from trace level {LEVEL_NAMES[int(LEVEL_PACKETS)]} on; it is {LEVEL_NAMES[int(run.log.level)]}")
        return {"event": _PACKETS, "condition": f"packet == {number}"}

    def _may_run(self) -> None:
        live = self._live
        if live.ended:
            raise QmpError(f"The run has ended ({live.ended})")

    # -- breakpoints --------------------------------------------------------------------------------------------------
    def points(self, a: Arguments) -> object:
        """Add, change or remove a breakpoint; returns all."""
        points = self._live.debugger.breakpoints
        if len([name for name in ("add", "update", "remove") if name in a]) > 1:
            raise QmpError("Only one of 'add', 'update' and 'remove' may be given")
        if "add" in a:
            points.add(a["add"])
        elif "update" in a:
            words = a["update"]
            if not isinstance(words, dict) or not isinstance(words.get("id"), int):
                raise QmpError("Parameter 'update' expects an object with the id of a breakpoint")
            if points.update(words["id"], words) is None:
                raise QmpError(f"Breakpoint {words['id']} not found")
        elif "remove" in a and not points.remove(a["remove"]):
            raise QmpError(f"Breakpoint {a['remove']} not found")
        return points.to_plain()

    # -- looking and setting ------------------------------------------------------------------------------------------
    def sync(self, _: Arguments) -> object:
        """Returns when everything up to the present event is in the file."""
        live = self._live
        recorder = live.run.recorder
        if recorder is None:
            raise QmpError("the run is not recorded")
        seq = live.ask(live.record_all)
        if not recorder.writer.sync(SYNC_S):
            raise QmpError("the recording cannot keep up")
        if recorder.writer.error is not None:
            raise QmpError(str(recorder.writer.error))
        return {"seq": seq}

    def memory(self, a: Arguments) -> object:
        """Guest memory at this moment."""
        memory = self._live.run.machine.memory
        return self._live.ask(lambda: read_memory(memory, a["addr"], a["size"], a.get("space", "gpa")))

    def set(self, a: Arguments) -> object:
        """Change a value by hand; takes effect at the end of the turn."""
        run = self._live.run
        self._live.ask(lambda: check_set(run, a))
        return {"done": self._live.control("x-ringscope-set", a)}
