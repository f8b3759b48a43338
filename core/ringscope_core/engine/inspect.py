"""Questions that take a short run to answer: the types, the device tree, the call stack at a function."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from ringscope_core.engine.run import Run
from ringscope_core.engine.sinks import RowKeeper
from ringscope_core.engine.words import LiveVocabulary
from ringscope_core.gdb.backtrace import BtFrame, backtrace
from ringscope_core.hw.machine import Machine
from ringscope_core.qom.profile import PROFILE_4_1
from ringscope_core.qom.types_json import types_json
from ringscope_core.query.breakpoints import Bound, Breakpoint
from ringscope_core.scenario.errors import InputError
from ringscope_core.scenario.model import Scenario
from ringscope_core.session.rows import Events
from ringscope_core.trace.clock import Clock
from ringscope_core.trace.functions import function_table
from ringscope_core.trace.levels import LEVEL_COUNTERS, LEVEL_FULL
from ringscope_core.trace.log import EventLog
from ringscope_core.trace.mainloop import MainLoop
from ringscope_core.trace.state import MachineState, fold

_RAM: Final = 1 << 20
_LIMIT_NS: Final = 2_000_000_000
"""Virtual time after which a function that was not called will not be waited for."""
_LIMIT_EVENTS: Final = 2_000_000


class CannotBuildError(InputError):
    """The scenario's devices cannot be created; says what QEMU says."""

    def __init__(self, message: str) -> None:
        super().__init__("device", message, "")
        self.args = (message,)


def model_types(profile: str = PROFILE_4_1) -> list[dict[str, Any]]:
    """`types_json` of a fresh machine of `profile`."""
    log = EventLog(Clock())
    log.level = LEVEL_COUNTERS
    return list(types_json(Machine(log, MainLoop(log.clock), _RAM, profile).world))


def built_run(scenario: Scenario, trace_level: int = int(LEVEL_COUNTERS)) -> Run:
    """A run with its machine built and its guest booted; raises CannotBuildError with QEMU's message."""
    run = Run(scenario, trace_level=trace_level, digests=False)
    if not run.build():
        raise CannotBuildError(run.failures[0])
    return run


def stack_at(scenario: Scenario, place: str) -> list[BtFrame]:
    """The stack when FUNCTION (or FUNCTION:LINE) is first reached, as `backtrace.backtrace` gives it.

    A function counts as reached at its first statement, where gdb puts a breakpoint.  Raises InputError when it is unknown or
    is not called within two virtual seconds.
    """
    point = Breakpoint(what="checkpoint" if ":" in place else "function", where=place)
    keeper = RowKeeper()
    run = Run(scenario, trace_level=int(LEVEL_FULL), digests=False, sink=keeper)
    wanted = Bound(point, LiveVocabulary(run.log))
    going = run.build()
    searched, seq = 0, -1
    while True:
        ends = not going or int(run.clock.now_ns) > _LIMIT_NS or int(run.log.seq) > _LIMIT_EVENTS
        if ends or int(run.log.seq) >= 2 * searched:
            run.log.flush()
            searched = int(run.log.seq)
            seq = _find(keeper.rows(), wanted)
        if seq >= 0 or ends:
            break
        going = run.turn() or run.pass_time()
    run.close()
    if seq < 0:
        raise InputError("--at", place, f"a function that scenario {scenario.name} calls and that is modelled with a call frame of its own")
    return backtrace(_state_after(keeper.rows(), seq).stack, function_table(), run.log.strings.texts)


def _find(rows: Events, wanted: Bound) -> int:
    """Number of the event at which the run would stop; -1 when there is none."""
    found = np.isin(rows["kind"], list(wanted.kinds)) & np.isin(rows["a0"], list(wanted.firsts or ()))
    if wanted.line >= 0:
        found &= rows["a1"] == wanted.line
    places = found.nonzero()[0]
    if not len(places):
        return -1
    first = int(places[0])
    first += wanted.late_line >= 0 and int(rows["a1"][first]) == wanted.late_line
    return first if first < len(rows) else -1


def _state_after(rows: Events, seq: int) -> MachineState:
    return fold(MachineState(), rows[: seq + 1].tolist())
