"""A breakpoint bound to the words of a recording or of a running machine: which events match it.

The live debugger asks event by event (`Bound.matches`), a search over a recording narrows arrays of events by the same numbers.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from ringscope_core.query.filters import FilterError, number_of
from ringscope_core.query.point import ANY, Breakpoint
from ringscope_core.query.row_filter import A0, KIND, OBJ, Row, RowFilter
from ringscope_core.query.writes import EXTRA, ZERO, Write, implied_writes
from ringscope_core.scenario.errors import InputError
from ringscope_core.trace.kinds import EV_FIELD, EV_FRAME_AT, EV_FRAME_ENTER

if TYPE_CHECKING:
    from collections.abc import Callable

    from ringscope_core.query.vocabulary import Vocabulary

ENTER: Final = int(EV_FRAME_ENTER)
AT: Final = int(EV_FRAME_AT)
FIELD: Final = int(EV_FIELD)

FIRST_CHECKPOINTS: Final[dict[str, int]] = {
    "device_set_realized": 805,
    "object_property_set": 1271,
    "object_property_set_qobject": 26,
    "pci_qdev_realize": 2080,
    "property_set_bool": 2079,
    "qbus_create_inplace": 126,
    "qdev_device_add": 572,
    "virtio_bus_device_plugged": 52,
    "virtio_device_realize": 2613,
    "virtio_instance_init_common": 2324,
    "virtio_net_pci_instance_init": 78,
    "virtio_net_pci_realize": 52,
    "virtio_pci_dc_realize": 1854,
    "virtio_pci_device_plugged": 1532,
    "virtio_pci_realize": 1680,
}
"""Functions whose first statement is a checkpoint behind the entry, with its line: a breakpoint on one stops there, as gdb stops behind the prologue."""

ENDS_OF_TIME: Final = 1 << 62


class Bound:
    """One breakpoint in the numbers of one vocabulary.  Raises InputError for what the vocabulary does not have.

    `kinds` are the kinds of events that can match, `firsts` the first arguments that can (None: any): cheap to look at first.
    """

    def __init__(self, point: Breakpoint, vocabulary: Vocabulary) -> None:
        self.point: Breakpoint = point
        self.vocabulary: Vocabulary = vocabulary
        self.kinds: frozenset[int] = frozenset()
        self.firsts: frozenset[int] | None = None
        self.line: int = -1
        self.late_line: int = -1
        """Entered at this line, the function's first statement is the next event."""
        self.vt: int = -1
        self.name: str = ""
        """The watched value's name, without the object's."""
        self.field_id: int = -1
        self.object: str = ""
        """The object's name or path, "" for any."""
        self.writes: dict[int, int] = {}
        """Kind -> argument that holds the new value, for events other than the field's own."""
        self._oids: dict[int, bool] = {}
        getattr(self, f"_bind_{point.what}")(point.where)
        try:
            self.condition: RowFilter | None = RowFilter(point.condition, vocabulary) if point.condition.strip() else None
        except FilterError as error:
            raise InputError("condition", point.condition, str(error)) from None
        if point.what == "time" and self.condition is not None:
            raise InputError("condition", point.condition, "nothing: a time has no event to compare")

    # -- binding ------------------------------------------------------------------------------------------------------
    def _bind_function(self, where: str) -> None:
        self.kinds, self.firsts = frozenset((ENTER,)), frozenset((self._function(where),))
        if where in FIRST_CHECKPOINTS:
            self.late_line = self.vocabulary.functions[next(iter(self.firsts))].line

    def _bind_checkpoint(self, where: str) -> None:
        name, _, line = where.rpartition(":")
        if not name or not line.isascii() or not line.isdigit():
            raise InputError("checkpoint", where, "FUNCTION:LINE")
        self.kinds, self.firsts, self.line = frozenset((ENTER, AT)), frozenset((self._function(name),)), int(line)

    def _function(self, name: str) -> int:
        number = next((number for number, spec in self.vocabulary.functions.items() if spec.name == name), -1)
        if number < 0:
            raise InputError("function", name, "the name of a QEMU function that the model has")
        return number

    def _bind_event(self, where: str) -> None:
        if where == ANY:
            if not self.point.condition.strip() and self.point.oid < 0:
                raise InputError("condition", "", "needed for events of every kind")
            self.kinds = frozenset(self.vocabulary.kinds)
            return
        numbers = [self._kind(name.strip()) for name in where.split(",")]
        if min(numbers) < 0:
            raise InputError("event", where, ", ".join(spec.name for spec in self.vocabulary.kinds.values()))
        self.kinds = frozenset(numbers)

    def _kind(self, name: str) -> int:
        return next((number for number, spec in self.vocabulary.kinds.items() if spec.name == name), -1)

    def _bind_field(self, where: str) -> None:
        names = {f"{spec.struct}.{spec.name}": number for number, spec in self.vocabulary.fields.items()}
        starts = [0, *(match.end() for match in re.finditer(r"\.", where))]
        start = next((at for at in starts if where[at:] in names or where[at:] in EXTRA), -1)
        if start < 0:
            raise InputError("field", where, "Struct.field or OBJECT.Struct.field, such as net0.VirtIODevice.status")
        self.name, self.object = where[start:], where[: max(start - 1, 0)]
        self.field_id = names.get(self.name, -1)
        writes = [Write(kind, place) for kind, place in implied_writes(self.name)]
        self.writes = {self._kind(write.kind): write.place for write in writes if self._kind(write.kind) >= 0}
        kinds = set(self.writes)
        if self.field_id >= 0:
            kinds.add(FIELD)
            if not self.writes:
                self.firsts = frozenset((self.field_id,))
        self.kinds = frozenset(kinds)
        self._check_object()

    def _check_object(self) -> None:
        names = self.vocabulary.names
        known = names.known()
        if self.object and known and not any(self._is_called(oid) for oid in known):
            raise InputError("object", self.object, "the name, the path or the #number of an object that there is")

    def _bind_time(self, where: str) -> None:
        vt = number_of(where)
        if vt is None or not 0 <= vt < ENDS_OF_TIME:
            raise InputError("time", where, "virtual time: ns, or a number with ns, us, ms or s")
        self.vt = vt

    # -- matching -----------------------------------------------------------------------------------------------------
    def _is_called(self, oid: int) -> bool:
        wanted, names = self.object, self.vocabulary.names
        if wanted.startswith("#") or wanted.isdigit():
            return wanted.lstrip("#") == str(oid)
        return names.knows(oid) and (names.path(oid) if wanted.startswith("/") else names.name(oid)) == wanted

    def is_object(self, oid: int) -> bool:
        """Whether the point is on `oid`, by what that is called now."""
        return self.point.oid in (-1, oid) and (not self.object or self._is_called(oid))

    @property
    def uses_names(self) -> bool:
        """Whether it matters what objects are called."""
        return bool(self.object) or (self.condition is not None and self.condition.uses_names)

    def is_late(self, row: Row) -> bool:
        """Whether the hit of a matching `row` is the next event."""
        return self.late_line >= 0 and row[A0 + 1] == self.late_line

    def matches(self, row: Row, old_of: Callable[[Bound, Row], int]) -> bool:
        """Whether an event matches; its kind is one of `kinds`.  `old_of` gives the value before a write that does not say it."""
        if self.firsts is not None and row[A0] not in self.firsts:
            return False
        if self.line >= 0 and row[A0 + 1] != self.line:
            return False
        if self.name:
            return self._is_change(row, old_of)
        return self.is_object(row[OBJ]) and (self.condition is None or self.condition.matches(row))

    def _is_change(self, row: Row, old_of: Callable[[Bound, Row], int]) -> bool:
        new = self.written(row)
        if new is None:
            return False
        # asked for every write, so that the next one knows this value
        old = old_of(self, row)
        if old == new or not self.is_object(row[OBJ]):
            return False
        return self.condition is None or self.condition.matches(self.as_field(row, new, old))

    def written(self, row: Row) -> int | None:
        """The value that an event writes; None for an event that does not write the watched one."""
        kind = row[KIND]
        if kind == FIELD and self.field_id >= 0:
            return row[A0 + 1] if row[A0] == self.field_id else None
        place = self.writes.get(kind)
        if place is None:
            return None
        return 0 if place == ZERO else row[A0 + place]

    def as_field(self, row: Row, new: int, old: int) -> Sequence[int]:
        """The write as a ``field`` event, whichever event carried it: what conditions and messages speak of."""
        return (*row[:KIND], FIELD, row[OBJ], row[OBJ + 1], self.field_id, new, old, 0, 0, 0)

    def time_row(self, seq: int) -> Row:
        """For a breakpoint on a time: what its message speaks of, behind event `seq`."""
        return (seq, self.vt, 0, 0, 0, -1, 0, 0, 0, 0, 0, 0)
