"""What QEMU's monitor would answer at a moment of a recording: the run is made again up to that event, and there the machine is asked."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from mypy_extensions import i32, i64

from ringscope_core.engine.compare import ReplayError
from ringscope_core.engine.errors import CancelledError
from ringscope_core.engine.queries import human_monitor
from ringscope_core.engine.replay import Rerun
from ringscope_core.engine.replayable import can_branch
from ringscope_core.trace.log import TraceHook

if TYPE_CHECKING:
    from collections.abc import Callable

    from ringscope_core.session.reader import SessionReader


class _Asked(Exception):
    """The event has come and the machine was asked: nothing more is to happen."""


class _Question(TraceHook):
    """Asks when event `seq` has happened."""

    def __init__(self, seq: int, ask: Callable[[], str]) -> None:
        super().__init__()
        self.answer: str | None = None
        self._seq: int = seq
        self._ask: Callable[[], str] = ask

    def on_event(self, seq: i64, kind: i32, obj: i32, a0: i64, a1: i64, a2: i64, a3: i64, a4: i64, a5: i64) -> None:
        if seq == self._seq:
            self.answer = self._ask()
            raise _Asked


class MonitorAt:
    """The monitor of a recorded run, at any of its moments."""

    def __init__(self, reader: SessionReader) -> None:
        """`reader` stays the caller's, and is used while `answer` runs."""
        self._reader: SessionReader = reader
        self._known: dict[tuple[int, str], str | None] = {}
        self._run: Rerun | None = None

    def problem(self) -> str:
        """Why this recording cannot be asked, "" when it can."""
        return can_branch(self._reader)

    def answer(self, seq: int, line: str) -> str | None:
        """What the monitor prints of `line` right after event `seq`, without a line end at its end; None while there is no machine yet.

        Makes the run again from its beginning up to there, and compares every event on the way.  Raises ReplayError when that cannot be done.
        """
        if (seq, line) not in self._known:
            self._known[seq, line] = self._made_again(seq, line)
        return self._known[seq, line]

    def interrupt(self) -> None:
        """End a run that is under way; from any thread."""
        run = self._run
        if run is not None:
            run.cancel = True

    def _made_again(self, seq: int, line: str) -> str | None:
        problem = self.problem()
        if problem:
            raise ReplayError(str(self._reader.path), problem)
        self._run = run = Rerun(self._reader, seq)
        try:
            question = _Question(seq, lambda: self._ask(run, line))
            run.log.hook = question
            run.log.hooked = True
            if seq >= int(run.log.seq):
                with suppress(_Asked):
                    run.build()
            return question.answer
        except CancelledError:
            raise ReplayError(str(self._reader.path), "interrupted on the way to the moment") from None
        finally:
            self._run = None
            run.log.hooked = False
            run.close()

    @staticmethod
    def _ask(run: Rerun, line: str) -> str:
        # an answer reads properties, and nothing of that is part of the run
        run.log.hooked = False
        run.log.flush()
        return human_monitor(run.machine, line).replace("\r\n", "\n").rstrip("\n")
