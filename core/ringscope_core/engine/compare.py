"""Compares the events that a run makes with recorded ones, block by block, and names the first that differs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
from mypy_extensions import i64

from ringscope_core.query.decode import Decoder, format_ns
from ringscope_core.query.recording import arguments_of
from ringscope_core.session.blocks import as_rows
from ringscope_core.session.errors import SessionError
from ringscope_core.trace.kinds import KIND_BY_NUMBER
from ringscope_core.trace.log import BlockSink

if TYPE_CHECKING:
    from ringscope_core.session.reader import SessionReader
    from ringscope_core.session.rows import Events

_COLUMNS: Final = ("vt", "kind", "obj", "cause", "a0", "a1", "a2", "a3", "a4", "a5")
"""Everything of an event but the wall time."""


class ReplayError(SessionError):
    """A recording cannot be run again, or the run does not do what was recorded."""


class Comparer(BlockSink):
    """Stands in front of a run's sink.  Raises ReplayError, in the run's thread, at the first difference.

    Events that the recording does not hold (they were dropped) are taken as they come.
    """

    def __init__(self, reader: SessionReader, texts: list[str], then: BlockSink | None) -> None:
        super().__init__()
        self.compared: int = 0
        self.on: bool = True
        self.last: int = 1 << 62
        """The last event to compare: what comes after it was the end of the run."""
        self._reader: SessionReader = reader
        self._texts: list[str] = texts
        self._then: BlockSink | None = then

    def on_block(self, first_seq: i64, rows: bytes) -> None:
        """Called in the run's thread with each block."""
        if self.on:
            self._compare(int(first_seq), as_rows(rows))
        if self._then is not None:
            self._then.on_block(first_seq, rows)

    def _compare(self, first: int, made: Events) -> None:
        recorded = self._reader.events(first, min(first + len(made) - 1, self.last))
        if not len(recorded):
            return
        if len(recorded) < len(made):
            made = made[recorded["seq"] - first]
        self.compared += len(recorded)
        wrong = np.zeros(len(recorded), bool)
        for name in _COLUMNS:
            wrong |= recorded[name] != made[name]
        if wrong.any():
            place = int(np.argmax(wrong))
            raise ReplayError(
                str(self._reader.path),
                f"event {int(recorded['seq'][place])} is not what was recorded: recorded {self._words(recorded[place])}; run again {self._words(made[place])}",
            )

    def _words(self, row: Any) -> str:
        reader = self._reader
        decoder = Decoder(self._texts, reader.kinds, reader.functions, reader.fields, lambda oid: f"#{oid}")
        kind = int(row["kind"])
        spec = reader.kinds.get(kind) or KIND_BY_NUMBER.get(kind)
        return f"{spec.name if spec else kind} of #{int(row['obj'])} at {format_ns(int(row['vt']))} ({decoder.describe(kind, arguments_of(row))})"
