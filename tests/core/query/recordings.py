"""Recordings to search in: runs of shipped scenarios, and random rows with keyframes of one's own making."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ringscope_core.engine.headless import Goal, Headless
from ringscope_core.engine.recorder import Recorder
from ringscope_core.engine.run import Run
from ringscope_core.query.recording import Recording
from ringscope_core.scenario.load import load
from ringscope_core.scenario.model import Mark
from ringscope_core.session.reader import SessionReader
from ringscope_core.session.writer import SessionWriter
from ringscope_core.trace.clock import Clock
from ringscope_core.trace.log import BlockSink, EventLog
from ringscope_core.trace.state import MachineState, apply


def record(path: Path, scenario: str, level: int = 2, virtual_ns: int = 20_000_000, packets: int = 0, marks: Sequence[tuple[str, str]] = ()) -> Recording:
    """Run a shipped scenario and open what it recorded."""
    writer = SessionWriter(path, {"scenario": scenario})
    wanted = load(scenario)
    wanted.mark += [Mark(at=at, name=name) for at, name in marks]
    run = Run(wanted, trace_level=level, recorder=Recorder(writer))
    try:
        assert run.build(), run.failures
        Headless(run, Goal(virtual_ns=virtual_ns, packets=packets)).to_the_end()
    finally:
        run.close()
        writer.close()
    return Recording(SessionReader(path))


class Rows(BlockSink):
    """Hands blocks to a writer, and folds them."""

    def __init__(self, writer: SessionWriter) -> None:
        super().__init__()
        self.writer = writer
        self.state = MachineState()

    def on_block(self, first_seq: int, rows: bytes) -> None:
        from ringscope_core.session.blocks import as_rows

        self.writer.add_block(first_seq, rows)
        self.state.seq = first_seq - 1
        for row in as_rows(rows).tolist():
            apply(self.state, row)


class Script:
    """A recording event by event; `keyframe` writes the folded state, changed by whoever wants to have missed something."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.writer = SessionWriter(path, {"scenario": "script"})
        self.log = EventLog(Clock())
        self.rows = Rows(self.writer)
        self.log.sink = self.rows

    @property
    def state(self) -> MachineState:
        """What the events so far fold to."""
        self.log.flush()
        return self.rows.state

    def keyframe(self) -> None:
        """The state as it is now."""
        self.log.flush()
        self.writer.add_keyframe(self.rows.state.seq, int(self.log.clock.now_ns), 0, self.rows.state.to_plain())

    def lose(self, count: int) -> None:
        """Events that happen, and are not recorded: the state moves on."""
        self.log.flush()
        self.log.sink = None
        for _ in range(count):
            self.log.emit(99, 0)
        self.log.flush()
        self.log.sink = self.rows
        self.rows.state.seq += count

    def open(self) -> Recording:
        """Close the file and read it."""
        self.log.flush()
        self.writer.add_strings(0, self.log.strings.texts)
        self.writer.close()
        return Recording(SessionReader(self.path))
