"""The words of a running machine: what filters, breakpoints and messages mean while it runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from ringscope_core.query.names_at import MomentNames, pairs_field
from ringscope_core.trace.fields import FieldSpec, field, field_table
from ringscope_core.trace.functions import FunctionSpec, function_table
from ringscope_core.trace.kinds import KIND_BY_NUMBER, KindSpec
from ringscope_core.trace.log import EventLog
from ringscope_core.trace.state import MachineState


class LiveNames(MomentNames):
    """Names of the machine's objects as they are now.  Objects may come at any time, so none is ruled out beforehand."""

    def known(self) -> list[int]:
        """Nothing: whoever asks for a whole list wants a recording's."""
        return []

    def load(self, state: MachineState, texts: Sequence[str], pairs: int) -> None:
        """Take the names from a snapshot of the world; `pairs` is the device's number of queue pairs."""
        self._max_queues = max(1, pairs)
        for oid, entry in state.objects.items():
            self._types[oid] = texts[entry.type_id]
            if entry.parent:
                self._parents[oid], self._names[oid] = entry.parent, texts[entry.name_id]
                if self._names[oid] == "machine":
                    self._root = entry.parent


class LiveVocabulary:
    """`query.vocabulary.Vocabulary` of an event log and the world behind it."""

    def __init__(self, log: EventLog) -> None:
        self._log: EventLog = log
        self._functions: dict[int, FunctionSpec] = function_table()
        self._fields: dict[int, FieldSpec] = field_table()
        self._pairs: int = pairs_field(self._fields)
        self.world: Callable[[MachineState], None] = lambda state: None
        """Puts the world's objects into a state (`World.snapshot`)."""
        self._names: LiveNames = LiveNames(self._pairs)

    @property
    def names(self) -> LiveNames:
        """Names as of the last `refresh`, and of what came since."""
        return self._names

    @property
    def kinds(self) -> Mapping[int, KindSpec]:
        """Kinds of events."""
        return KIND_BY_NUMBER

    @property
    def functions(self) -> Mapping[int, FunctionSpec]:
        """QEMU's functions."""
        return self._functions

    @property
    def fields(self) -> Mapping[int, FieldSpec]:
        """Fields of structures."""
        return self._fields

    @property
    def strings(self) -> Sequence[str]:
        """Interned texts."""
        return self._log.strings.texts

    def event_counts(self) -> Mapping[int, int]:
        """Events by kind: not counted while a run goes on."""
        return {}

    def refresh(self) -> None:
        """Take the names anew from the world; in the run's thread."""
        state = MachineState()
        self.world(state)
        names = LiveNames(self._pairs)
        number = int(field("VirtIONet.max_queues"))
        pairs = max((values.get(number, 0) for values in state.fields.values()), default=0)
        names.load(state, self._log.strings.texts, pairs)
        self._names = names
