"""Names as they stood at a moment: before an object has got its name, nobody can mean it by that name.

A live debugger knows no more, so a search over a recording that is to find the same events looks at names the same way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ringscope_core.query.names import ObjectNames
from ringscope_core.trace.kinds import EV_FIELD, EV_OBJ_CHILD, EV_OBJ_NEW
from ringscope_core.trace.oids import is_ring

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ringscope_core.query.recording import Recording
    from ringscope_core.session.reader import SessionReader
    from ringscope_core.trace.fields import FieldSpec
    from ringscope_core.trace.functions import FunctionSpec
    from ringscope_core.trace.kinds import KindSpec

NEW: Final = int(EV_OBJ_NEW)
CHILD: Final = int(EV_OBJ_CHILD)
_FIELD: Final = int(EV_FIELD)
_DEVICE: Final = "virtio-net-device"
_BATCH: Final = 1 << 16
_REALIZE_EVENTS: Final = 20000
"""A device says how many queue pairs it has within so many events of its making."""

Naming = tuple[int, int, int, int, int]
"""seq, kind, object, first and second argument of an event that names."""


class MomentNames(ObjectNames):
    """Names so far.  Every ring counts as known: its number names it."""

    def __init__(self, pairs_field: int) -> None:
        super().__init__()
        self.pairs_field: int = pairs_field
        """The number of the field ``VirtIONet.max_queues``, which places the control queue."""
        self.rings: set[int] = set()
        """Rings to list in `known`."""

    def take(self, kind: int, oid: int, a0: int, a1: int, texts: Sequence[str]) -> None:
        """Look at an event of kind object_new, object_child or field."""
        if kind == _FIELD:
            if a0 == self.pairs_field:
                self._max_queues = max(1, a1)
        elif kind in (NEW, CHILD):
            self._note(kind, oid, a0, a1, texts)

    def known(self) -> list[int]:
        """Every object, and the rings listed in `rings`."""
        return [*self._types, *sorted(self.rings)]

    def knows(self, oid: int) -> bool:
        """Whether it is an object that was made, or a ring."""
        return oid in self._types or bool(is_ring(oid))


def pairs_field(fields: Mapping[int, FieldSpec]) -> int:
    """The number of ``VirtIONet.max_queues``, -1 when there is none."""
    return next((number for number, spec in fields.items() if spec.struct == "VirtIONet" and spec.name == "max_queues"), -1)


class MomentVocabulary:
    """A recording's words with the names of one moment (`at`)."""

    def __init__(self, recording: Recording) -> None:
        self._recording: Recording = recording
        self._pairs: int = pairs_field(recording.fields)
        self._naming: list[Naming] = []
        self._read: int = recording.reader.first_seq
        """First event not looked at."""
        self._done: int = 0
        """Namings that `names` includes."""
        self._names: MomentNames = MomentNames(self._pairs)

    @property
    def names(self) -> MomentNames:
        """Names at the moment set by `at`."""
        return self._names

    @property
    def kinds(self) -> Mapping[int, KindSpec]:
        """Kinds of events."""
        return self._recording.kinds

    @property
    def functions(self) -> Mapping[int, FunctionSpec]:
        """QEMU's functions."""
        return self._recording.functions

    @property
    def fields(self) -> Mapping[int, FieldSpec]:
        """Fields of structures."""
        return self._recording.fields

    @property
    def strings(self) -> Sequence[str]:
        """Interned texts."""
        return self._recording.strings

    def event_counts(self) -> Mapping[int, int]:
        """Events by kind."""
        return self._recording.event_counts()

    def at(self, seq: int) -> None:
        """Let `names` be those after event `seq`."""
        naming = self._naming
        if self._done and naming[self._done - 1][0] > seq:
            self._names, self._done = MomentNames(self._pairs), 0
        texts = self._recording.strings
        while self._done < len(naming) and naming[self._done][0] <= seq:
            _, kind, oid, a0, a1 = naming[self._done]
            self._names.take(kind, oid, a0, a1, texts)
            self._done += 1

    def changes(self, first: int, last: int) -> list[int]:
        """Numbers of the events from `first` to `last` that name something."""
        return [naming[0] for naming in self._naming if first <= naming[0] <= last]

    def refresh(self) -> None:
        """Look at what the recording has more."""
        reader = self._recording.reader
        last = reader.last_seq
        self._read = max(self._read, reader.first_seq)
        found: list[Naming] = []
        while self._read <= last:
            rows = reader.find_events([NEW, CHILD], self._read, last, _BATCH)
            for row in rows:
                naming = (int(row["seq"]), int(row["kind"]), int(row["obj"]), int(row["a0"]), int(row["a1"]))
                found.append(naming)
                found.extend(self._pairs_of(reader, naming))
            self._read = int(rows[-1]["seq"]) + 1 if len(rows) == _BATCH else last + 1
        if found:
            self._naming = sorted({*self._naming, *found})
            self._names, self._done = MomentNames(self._pairs), 0

    def _pairs_of(self, reader: SessionReader, naming: Naming) -> list[Naming]:
        seq, kind, oid, a0, _ = naming
        if kind != NEW or not 0 <= a0 < len(reader.strings) or reader.strings[a0] != _DEVICE:
            return []
        rows = reader.find_events([_FIELD], seq, seq + _REALIZE_EVENTS, _REALIZE_EVENTS, oids=[oid])
        return [(int(row["seq"]), _FIELD, oid, int(row["a0"]), int(row["a1"])) for row in rows[rows["a0"] == self._pairs]]
