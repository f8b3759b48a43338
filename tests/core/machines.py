"""Machines for tests, and the fold of what they recorded."""

from __future__ import annotations

import struct

from ringscope_core.hw.machine import Machine
from ringscope_core.qom.profile import DEFAULT_MACHINE, PROFILE_4_1
from ringscope_core.trace.clock import Clock
from ringscope_core.trace.functions import function_table
from ringscope_core.trace.kinds import KIND_BY_NUMBER
from ringscope_core.trace.log import BlockSink, EventLog
from ringscope_core.trace.mainloop import MainLoop
from ringscope_core.trace.state import MachineState, Row, fold

_ROW = struct.Struct("<qqiiqqqqqqq")


class Rows(BlockSink):
    """Keeps every event."""

    def __init__(self) -> None:
        self.rows: list[Row] = []

    def on_block(self, first_seq: int, rows: bytes) -> None:
        self.rows.extend(_ROW.iter_unpack(rows))


class Bench:
    """A machine with its log kept."""

    def __init__(self, ram_bytes: int = 1 << 20, profile: str = PROFILE_4_1, machine_type: str = DEFAULT_MACHINE) -> None:
        self.log: EventLog = EventLog(Clock())
        self.sink: Rows = Rows()
        self.log.sink = self.sink
        self.machine: Machine = Machine(self.log, MainLoop(self.log.clock), ram_bytes, profile, machine_type)

    def rows(self) -> list[Row]:
        """Everything recorded so far."""
        self.log.flush()
        return self.sink.rows

    def named(self, kind: str) -> list[Row]:
        """The events of one kind."""
        return [row for row in self.rows() if KIND_BY_NUMBER[row[2]].name == kind]

    def texts(self, kind: str, argument: int) -> list[str]:
        """One string argument of each event of a kind."""
        return [self.log.strings.texts[row[5 + argument]] for row in self.named(kind)]

    def calls(self) -> list[str]:
        """Names of the functions called, in order."""
        names = function_table()
        return [names[row[5]].name for row in self.named("frame_enter")]

    def folded(self) -> MachineState:
        """The state that the events alone give."""
        return fold(MachineState(), self.rows())

    def told(self) -> MachineState:
        """The state that the machine's parts tell."""
        state = MachineState()
        self.machine.world.snapshot(state)
        for part in self.machine.instruments:
            part.snapshot(state)
        return state

    def assert_fold(self) -> None:
        """Events and machine say the same of objects and fields."""
        folded, told = self.folded().comparable(), self.told().comparable()
        assert folded["objects"] == told["objects"]
        assert folded["fields"] == told["fields"]
