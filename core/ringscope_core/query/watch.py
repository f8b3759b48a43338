"""A value that searches in time are about: a field, a piece of a ring's memory, the run's state, an object's place, a counter."""

from __future__ import annotations

from typing import Final, NamedTuple

from ringscope_core.trace.counters import COUNTER_NAMES
from ringscope_core.trace.state import MachineState, ObjectState, RingImage

FIELD: Final = "field"
"""A field of an object or a ring: `number` is the field's id."""
RING: Final = "ring"
"""Bytes of a ring's memory: `part`, `number` (slot), `entry` (of an indirect table), `member`."""
OBJECT: Final = "object"
"""Whether an object exists (`member` empty), or one of `OBJECT_MEMBERS` of it."""
RUN: Final = "run"
"""`run_state` or `trace_level` (`member`)."""
COUNTER: Final = "counter"
"""A ring's counter, known at samples only: `number` is its place in `COUNTER_NAMES`."""

OBJECT_MEMBERS: Final = ("parent", "name", "ref", "bus")
RUN_MEMBERS: Final = ("run_state", "trace_level")
PARTS: Final = ("desc", "avail", "used", "indirect")

Value = int | bytes | None
"""None is not known: nothing was recorded, or the thing does not exist."""


class Watch(NamedTuple):
    """One value of the machine; hashable, and the same in every recording that numbers objects alike.

    `kind` is one of the constants above.  Use the functions below to make one.
    """

    kind: str
    oid: int = 0
    number: int = -1
    part: str = ""
    member: str = ""
    entry: int = -1


def field_watch(oid: int, field: int) -> Watch:
    """Field `field` (an id of the recording) of object or ring `oid`."""
    return Watch(FIELD, oid, field)


def ring_watch(oid: int, part: str, index: int = -1, member: str = "", entry: int = -1) -> Watch:
    """A piece of ring `oid`'s memory.

    `part` is ``desc`` (with `index` and a `member` of ``addr, len, flags, next, id``, empty for the whole descriptor), ``indirect`` (`index`
    is the head, `entry` the place in its table), ``avail`` or ``used`` (a `member` of ``flags, idx, ring, used_event, avail_event,
    off_wrap``; ``ring`` with `index`, for ``used`` also ``id`` and ``len`` with `index`).
    """
    return Watch(RING, oid, index, part, member, entry)


def object_watch(oid: int, member: str = "") -> Watch:
    """Whether `oid` exists, or its `member` (see `OBJECT_MEMBERS`)."""
    return Watch(OBJECT, oid, member=member)


def run_watch(member: str = "run_state") -> Watch:
    """The run's state or its trace level."""
    return Watch(RUN, member=member)


def counter_watch(oid: int, name: str) -> Watch:
    """Counter `name` (see `COUNTER_NAMES`) of ring `oid`; raises ValueError for another name."""
    return Watch(COUNTER, oid, COUNTER_NAMES.index(name))


# -- where a ring's values lie ------------------------------------------------------------------------------------------
_SPLIT: Final = {"addr": (0, 8), "len": (8, 4), "flags": (12, 2), "next": (14, 2), "": (0, 16)}
_PACKED: Final = {"addr": (0, 8), "len": (8, 4), "id": (12, 2), "flags": (14, 2), "": (0, 16)}
_SUPPRESSION: Final = {"off_wrap": (0, 2), "flags": (2, 2), "": (0, 4)}


def span_of(watch: Watch, num: int, packed: bool) -> tuple[int, int] | None:
    """(first byte, length) of a ring watch inside its part, for a ring of `num` descriptors; None when such a ring has no such place."""
    index, member = watch.number, watch.member
    if watch.part in ("desc", "indirect"):
        place = index if watch.part == "desc" else watch.entry
        inside = (_PACKED if packed else _SPLIT).get(member)
        if inside is None or place < 0 or (watch.part == "desc" and place >= num):
            return None
        return 16 * place + inside[0], inside[1]
    if packed:
        return _SUPPRESSION.get(member)
    size = 2 if watch.part == "avail" else 8
    fixed = {"flags": (0, 2), "idx": (2, 2), ("used_event" if watch.part == "avail" else "avail_event"): (4 + size * num, 2)}
    if member in fixed:
        return fixed[member]
    inside = {"ring": (0, size), **({"id": (0, 4), "len": (4, 4)} if watch.part == "used" else {})}.get(member)
    if inside is None or not 0 <= index < num:
        return None
    return 4 + size * index + inside[0], inside[1]


# -- values -------------------------------------------------------------------------------------------------------------
def value_in(state: MachineState, watch: Watch) -> Value:
    """The watch's value in `state`; a counter is in no state."""
    if watch.kind == FIELD:
        return state.fields.get(watch.oid, {}).get(watch.number)
    if watch.kind == RING:
        ring = state.rings.get(watch.oid)
        return None if ring is None else _ring_value(ring, watch)
    if watch.kind == OBJECT:
        return _object_value(state.objects.get(watch.oid), watch.member)
    if watch.kind == RUN:
        return state.run_state if watch.member == "run_state" else state.level
    return None


def settled(watch: Watch, value: Value) -> Value:
    """The value to compare by: a field that was never written is zero (`MachineState.comparable`)."""
    return value or 0 if watch.kind == FIELD else value


def _ring_value(ring: RingImage, watch: Watch) -> Value:
    span = span_of(watch, ring.num, ring.packed)
    if span is None:
        return None
    data = ring.indirect.get(watch.number) if watch.part == "indirect" else {"desc": ring.desc, "avail": ring.avail, "used": ring.used}[watch.part]
    start, size = span
    if data is None or start + size > len(data):
        return None
    piece = bytes(data[start : start + size])
    # numbers as numbers; a whole descriptor or used element as its bytes
    return int.from_bytes(piece, "little") if size <= 8 and watch.member not in ("", "ring") or size == 2 else piece


def _object_value(found: ObjectState | None, member: str) -> Value:
    if not member:
        return int(found is not None)
    if found is None:
        return None
    return {"parent": found.parent, "name": found.name_id, "ref": found.ref, "bus": found.bus}[member]
