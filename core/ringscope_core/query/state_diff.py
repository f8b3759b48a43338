"""What is different between two states, in words: two moments of one recording, or the same moment of two."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Final, NamedTuple

from ringscope_core.query.decode import unit_of_field
from ringscope_core.query.ring_words import ring_words
from ringscope_core.trace.kinds import ENUMS
from ringscope_core.trace.levels import LEVEL_NAMES
from ringscope_core.trace.oids import is_ring

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ringscope_core.query.recording import Recording
    from ringscope_core.trace.state import MachineState, ObjectState

ABSENT: Final = "absent"
"""What stands for a thing that one of the states does not have."""


class Difference(NamedTuple):
    """One thing that is not the same: where (object and field, ring and place), and both values as they are printed."""

    where: str
    old: str
    new: str

    def __str__(self) -> str:
        return f"{self.where}: {self.old} -> {self.new}"


def state_diff(
    recording: Recording, a: int | MachineState, b: int | MachineState, *, other: Recording | None = None, addresses: bool = True, limit: int = 0
) -> list[Difference]:
    """Everything that is different between states `a` and `b`: moments (numbers of events) or states.

    `other` is the recording that `b` belongs to, where that is another one: names and texts are then compared, not their numbers.
    Without `addresses` host addresses count as equal unless one is NULL.  A field that is zero equals one that was never recorded,
    as in `MachineState.comparable`; times are not compared.  At most `limit` differences, 0 for all.  Raises SessionError.
    """
    second = other or recording
    one = recording.reader.state_at(a) if isinstance(a, int) else a
    two = second.reader.state_at(b) if isinstance(b, int) else b
    found = _Walk(recording, one, second, two, addresses).differences()
    return list(islice(found, limit or None))


class _Side:
    """A state with the words of its recording."""

    def __init__(self, recording: Recording, state: MachineState, addresses: bool) -> None:
        self.recording = recording
        self.state = state
        self.addresses = addresses

    def name(self, oid: int) -> str:
        """As the inspector calls it: path, or ring with its function."""
        names = self.recording.names
        return names.path(oid) or names.name(oid) or f"#{oid}"

    def pointer(self, value: int) -> str:
        if not self.addresses and value:
            return "an address"
        return self.recording.decoder.value("ptr", value)

    def object_words(self, entry: ObjectState) -> list[tuple[str, str]]:
        decoder = self.recording.decoder
        return [
            ("type", decoder.text(entry.type_id)),
            ("address", self.pointer(entry.addr)),
            ("size", f"{entry.size} B"),
            ("parent", self.name(entry.parent) if entry.parent else "none"),
            ("name", decoder.text(entry.name_id) if entry.name_id else "none"),
            ("references", str(entry.ref)),
            ("bus", self.name(entry.bus) if entry.bus else "none"),
        ]

    def field_values(self, oid: int) -> dict[str, tuple[object, str]]:
        """Fields that are not zero, by name: what is compared, and how it is printed."""
        decoder, specs = self.recording.decoder, self.recording.fields
        out: dict[str, tuple[object, str]] = {}
        for number, value in sorted(self.state.fields.get(oid, {}).items()):
            if not value:
                continue
            spec = specs.get(number)
            unit = unit_of_field(spec) if spec is not None else ""
            if unit == "ptr":
                words = self.pointer(value)
                out[decoder.field_name(number)] = words, words
            elif unit == "str":
                out[decoder.field_name(number)] = decoder.text(value), decoder.field_value(number, value)
            else:
                # the number itself: two sessions may print it differently
                out[decoder.field_name(number)] = value, decoder.field_value(number, value)
        return out

    def field_zero(self, name: str) -> str:
        """How the zero of a field is printed."""
        number = self.recording.field_id(name)
        return self.recording.decoder.field_value(number, 0) if number >= 0 else "0"

    def frame_words(self, frame: Sequence[int]) -> str:
        decoder = self.recording.decoder
        arguments = [
            self.pointer(1) if unit == "ptr" and not self.addresses and text != "NULL" else text
            for _, text, unit in decoder.call_arguments(frame[0], frame[2:6])
            if unit not in ("opt", "unknown")
        ]
        return f"{decoder.function(frame[0])}({', '.join(arguments)}) line {frame[1]}"


class _Walk:
    def __init__(self, recording: Recording, a: MachineState, other: Recording, b: MachineState, addresses: bool) -> None:
        self._a = _Side(recording, a, addresses)
        self._b = _Side(other, b, addresses)
        self._same_words = recording is other

    def differences(self) -> Iterator[Difference]:
        """All, in an order a person would look: the run, the call stack, objects, fields, rings."""
        a, b = self._a.state, self._b.state
        states = ENUMS["run_state"]
        yield from self._pair("run state", _named(states, a.run_state), _named(states, b.run_state))
        yield from self._pair("trace level", _named(LEVEL_NAMES, a.level), _named(LEVEL_NAMES, b.level))
        yield from self._stacks()
        for oid in sorted(a.objects.keys() | b.objects.keys()):
            yield from self._object(oid)
        for oid in sorted(a.fields.keys() | b.fields.keys()):
            if not self._same_words or a.fields.get(oid) != b.fields.get(oid):
                yield from self._fields(oid)
        for oid in sorted(a.rings.keys() | b.rings.keys()):
            yield from self._ring(oid)

    def _pair(self, where: str, old: str, new: str) -> Iterator[Difference]:
        if old != new:
            yield Difference(where, old, new)

    def _stacks(self) -> Iterator[Difference]:
        a, b = self._a.state.stack, self._b.state.stack
        for depth in range(max(len(a), len(b))):
            old = self._a.frame_words(a[depth]) if depth < len(a) else ABSENT
            new = self._b.frame_words(b[depth]) if depth < len(b) else ABSENT
            if old == new and a[depth][6] != b[depth][6]:
                old, new = f"{old}, opened by event {a[depth][6]}", f"{new}, opened by event {b[depth][6]}"
            yield from self._pair(f"call frame {depth} (outermost is 0)", old, new)

    def _name(self, oid: int) -> str:
        side = self._a if is_ring(oid) or oid in self._a.state.objects or oid not in self._b.state.objects else self._b
        return side.name(oid)

    def _object(self, oid: int) -> Iterator[Difference]:
        a, b = self._a.state.objects.get(oid), self._b.state.objects.get(oid)
        if a is None or b is None:
            old = ABSENT if a is None else self._a.recording.decoder.text(a.type_id)
            new = ABSENT if b is None else self._b.recording.decoder.text(b.type_id)
            yield Difference(self._name(oid), old, new)
        elif not self._same_words or a.to_plain() != b.to_plain():
            for (what, old), (_, new) in zip(self._a.object_words(a), self._b.object_words(b), strict=True):
                yield from self._pair(f"{self._name(oid)} {what}", old, new)

    def _fields(self, oid: int) -> Iterator[Difference]:
        a, b = self._a.field_values(oid), self._b.field_values(oid)
        for name in sorted(a.keys() | b.keys()):
            old = a.get(name) or (0, self._a.field_zero(name))
            new = b.get(name) or (0, self._b.field_zero(name))
            if old[0] != new[0]:
                yield Difference(f"{self._name(oid)} {name}", old[1], new[1])

    def _ring(self, oid: int) -> Iterator[Difference]:
        a, b = self._a.state.rings.get(oid), self._b.state.rings.get(oid)
        name = self._name(oid)
        if a is None or b is None:
            yield Difference(f"{name} ring memory", ABSENT if a is None else f"{a.num} descriptors", ABSENT if b is None else f"{b.num} descriptors")
        else:
            for where, old, new in ring_words(a, b):
                yield Difference(f"{name} {where}", old, new)


def _named(names: Sequence[str], value: int) -> str:
    return names[value] if 0 <= value < len(names) else str(value)
