"""What every view reads: one recording, live or not, with names and decoding.

The store wraps a `SessionReader`.  A restart of the engine puts another recording into the same store (`replaced`), so views
are built once.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

from PySide6.QtCore import QObject, Signal

from ringscope.core_words import heard
from ringscope_core.query.recording import Recording
from ringscope_core.trace.fields import FieldSpec
from ringscope_core.trace.functions import FunctionSpec
from ringscope_core.trace.kinds import KindSpec
from ringscope_core.trace.state import MachineState

if TYPE_CHECKING:
    import numpy as np

    from ringscope.focus import Focus
    from ringscope_core.query.decode import Decoder
    from ringscope_core.query.names import ObjectNames
    from ringscope_core.session.reader import SessionReader
    from ringscope_core.session.rows import MarkRow, NoteRow

    Rows = np.ndarray[Any, np.dtype[np.void]]

FOLD_LIMIT: Final = 3000
"""Events a live moment may lie behind the last keyframe and still be folded; beyond, the keyframe is shown (a frame has 8 ms)."""


class Store(QObject):
    """One recording: events, states, counters, packets, names.

    `grown` comes at most once a frame and only when something is new; `replaced` when another recording took the place of the
    old one (every cached thing is void).  `live` says whether more is expected.
    """

    grown = Signal()
    replaced = Signal()
    live_changed = Signal(bool)

    def __init__(self, reader: SessionReader, live: bool = False, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.reader: SessionReader = reader
        self.live: bool = live
        self.generation: int = 0
        """Counts the recordings that this store has held."""
        self._spoken: tuple[list[MarkRow], list[NoteRow]] | None = None
        """Marks and notes as they were read last."""
        self._state: MachineState | None = None
        self._state_key: tuple[int, int] = (-2, -2)
        self.recording: Recording = Recording(reader)
        """The same session with its words, for the core's questions (`ringscope_core.query`)."""

    def open(self, reader: SessionReader, live: bool) -> None:
        """Show another recording from now on; the old reader is closed."""
        old, self.reader = self.reader, reader
        old.close()
        self.generation += 1
        self._state, self._state_key = None, (-2, -2)
        self._spoken = None
        self.recording = Recording(reader)
        self.live = live
        self.replaced.emit()
        self.live_changed.emit(live)

    def set_live(self, live: bool) -> None:
        """Say that the recording grows, or that it has ended."""
        if live != self.live:
            self.live = live
            self.live_changed.emit(live)

    def poll(self) -> bool:
        """Take what the writer has committed since; called by the window's timer.  True when something is new."""
        if not self.recording.refresh():
            return False
        self._spoken = None
        self.grown.emit()
        return True

    # -- marks and notes ------------------------------------------------------------------------------------------------
    def marks(self) -> list[MarkRow]:
        """Every mark, also those kept beside the session; read again only when something was written."""
        return self._said()[0]

    def notes(self) -> list[NoteRow]:
        """The notebook."""
        return self._said()[1]

    def _said(self) -> tuple[list[MarkRow], list[NoteRow]]:
        if self._spoken is None:
            self._spoken = (self.recording.marks(), self.recording.notes())
        return self._spoken

    def annotated(self) -> None:
        """Marks or notes were changed by this window: read them again, and let the views."""
        self._spoken = None
        self.grown.emit()

    # -- extent -------------------------------------------------------------------------------------------------------
    @property
    def meta(self) -> dict[str, object]:
        """What the recording says of itself: scenario, seed, source, fidelity, version."""
        return self.reader.meta

    @property
    def first_seq(self) -> int:
        """The first event kept."""
        return self.reader.first_seq

    @property
    def last_seq(self) -> int:
        """The newest event, -1 when there is none."""
        return self.reader.last_seq

    # -- states -------------------------------------------------------------------------------------------------------
    def state_at(self, seq: int) -> MachineState:
        """The machine after event `seq`.  Shared: readers do not change it."""
        key = (self.generation, seq)
        if self._state is None or self._state_key != key:
            self._state = self.reader.state_at(seq)
            self._state_key = key
        return self._state

    def moment(self, focus: Focus) -> MachineState:
        """The machine at the focus.

        Exact where a person stands still.  While the end is followed and the newest event lies far behind the newest keyframe,
        the keyframe's state: at most one sixtieth of a second old.
        """
        seq = focus.seq
        if focus.following and self.live:
            frames = self.reader.keyframes()
            newest = int(frames["seq"][-1]) if len(frames) else -1
            if newest >= 0 and seq - newest > FOLD_LIMIT:
                seq = newest
        return self.state_at(seq)

    # -- names and decoding -------------------------------------------------------------------------------------------
    @property
    def names(self) -> ObjectNames:
        """Names of objects."""
        return self.recording.names

    @property
    def decoder(self) -> Decoder:
        """Integers as text."""
        return self.recording.decoder

    def text(self, number: int) -> str:
        """The string `number` of the recording."""
        return self.decoder.text(number)

    def kind(self, number: int) -> KindSpec | None:
        """The declaration of a kind of event, None for a number that this recording does not declare."""
        return self.reader.kinds.get(number)

    def function(self, number: int) -> FunctionSpec | None:
        """The declaration of a function."""
        return self.reader.functions.get(number)

    def field(self, number: int) -> FieldSpec | None:
        """The declaration of a field."""
        return self.reader.fields.get(number)

    def field_id(self, name: str) -> int:
        """The id of ``Struct.field`` in this recording, -1 when it has none."""
        return self.recording.field_id(name)

    def name_of(self, oid: int) -> str:
        """A short name: the QOM child name or id, ``rx0``, ``tx0``, ``ctrl`` for a ring, ``#oid`` when unnamed."""
        return self.names.name(oid)

    def path_of(self, oid: int) -> str:
        """The canonical QOM path as far as the recording tells it."""
        return self.names.path(oid)

    def type_of(self, oid: int) -> str:
        """The QOM type's name, ``virtqueue`` for a ring, empty when unknown."""
        return self.names.type_name(oid)

    def format_value(self, unit: str, value: int) -> str:
        """`value` as `unit` is printed."""
        return self.decoder.value(unit, value)

    def describe_event(self, row: Any) -> str:
        """The arguments of an event row on one line, its sentences in the language in use."""
        return heard(self.recording.describe(row))

    # -- rows ---------------------------------------------------------------------------------------------------------
    def events(self, first: int, last: int) -> Rows:
        """Rows `first`..`last` inclusive, clipped to what there is."""
        return self.reader.events(first, last)

    def row(self, seq: int) -> Any:
        """One row, None when the recording does not have it."""
        if seq < self.first_seq or seq > self.last_seq:
            return None
        rows = self.reader.events(seq, seq)
        return rows[0] if len(rows) else None

    def find(self, kinds: Iterable[int], first: int, last: int, limit: int = 1, backwards: bool = False) -> Rows:
        """Rows of the given kinds in order, at most `limit`; `backwards` from the end."""
        return self.reader.find_events(list(kinds), first, last, limit, backwards)
