"""Which events write a value: what each kind does to fields and ring memory, as masks over blocks of events.

The fold (`trace.state.apply`) is the truth.  What a kind does to a ring's fields is asked of it; what it does to a ring's memory stands here
as places and lengths, and the tests hold both to the fold.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ringscope_core.query.watch import FIELD, OBJECT, RING, RUN, Value, Watch, span_of
from ringscope_core.session.peek import ANY, Wanted
from ringscope_core.session.rows import Events
from ringscope_core.trace import kinds as k
from ringscope_core.trace.state import MachineState, apply

Mask = NDArray[np.bool_]

_MANY: Final = 1 << 62

_RESET: Final = int(k.EV_RING_RESET)
_IND_WRITE: Final = int(k.EV_IND_WRITE)
_USED_TAKE: Final = int(k.EV_USED_TAKE)
_FIELD: Final = int(k.EV_FIELD)
_NEW: Final = int(k.EV_OBJ_NEW)
_FREE: Final = int(k.EV_OBJ_FREE)
_PLACING: Final = (int(k.EV_OBJ_CHILD), int(k.EV_OBJ_UNPARENT))
_OBJECT_KINDS: Final = {
    "": (),
    "parent": _PLACING,
    "name": _PLACING,
    "ref": (int(k.EV_OBJ_REF),),
    "bus": (int(k.EV_BUS_ATTACH), int(k.EV_BUS_DETACH)),
}


class _Place(NamedTuple):
    """A kind writes `size` bytes of `part` at ``base + step * a0 + 8 or 2 * num``."""

    part: str
    base: int
    step: int
    size: int
    per_num: int = 0


_EITHER: Final = {
    int(k.EV_DESC_WRITE): _Place("desc", 0, 16, 16),
    int(k.EV_DRIVER_EVENT): _Place("avail", 0, 0, 4),
    int(k.EV_DEVICE_EVENT): _Place("used", 0, 0, 4),
    int(k.EV_USED_DESC): _Place("desc", 8, 16, 8),
}
_SPLIT_ONLY: Final = {
    int(k.EV_AVAIL_ADD): _Place("avail", 4, 2, 2),
    int(k.EV_AVAIL_IDX): _Place("avail", 2, 0, 2),
    int(k.EV_AVAIL_FLAGS): _Place("avail", 0, 0, 2),
    int(k.EV_USED_EVENT): _Place("avail", 4, 0, 2, 2),
    int(k.EV_FILL): _Place("used", 4, 8, 8),
    int(k.EV_FLUSH): _Place("used", 2, 0, 2),
    int(k.EV_USED_FLAGS): _Place("used", 0, 0, 2),
    int(k.EV_AVAIL_EVENT): _Place("used", 4, 0, 2, 8),
}
RING_KINDS: Final = frozenset(range(int(k.EV_DESC_WRITE), int(k.EV_NOTIFY_SUPPRESSED) + 1))
"""Kinds that the fold gives to a ring."""


def _fields_by_kind() -> dict[int, dict[int, str]]:
    """Ring kind -> field it writes -> argument that holds the value, as the fold does it."""
    found: dict[int, dict[int, str]] = {}
    for kind in sorted(RING_KINDS):
        state = MachineState()
        # telling values: argument n is 1000 + n
        apply(state, (0, 0, kind, 1, 0, 1000, 1001, 1002, 1003, 1004, 1005))
        written = {field: f"a{value - 1000}" for field, value in state.fields.get(1, {}).items()}
        if written:
            found[kind] = written
    return found


RING_FIELDS: Final = _fields_by_kind()
"""Ring kind -> id of a field that it writes -> the argument that holds the value."""


class Writers:
    """The events that write `watch`: `kinds` that may, and `mask` of those that do.

    For ring memory the ring's form counts: `num` and `packed`; it holds until the next reset of the ring, which is itself a writer.  Where
    `unsure`, a masked event may also leave the value as it is, and whoever asks must look.
    """

    def __init__(self, watch: Watch, num: int = 0, packed: bool = False) -> None:
        self.watch: Watch = watch
        self._places: list[tuple[int, int, int]] = []
        """(kind, lowest a0, highest a0): an event of that kind whose a0 is in between writes into the watch."""
        self._whole: frozenset[int] = frozenset()
        """Kinds every event of which on the object writes the watch."""
        self._sources: dict[int, str] = {}
        """Of a field: ring kind -> argument with the value."""
        self.unsure: bool = False
        if watch.kind == FIELD:
            self._sources = {kind: fields[watch.number] for kind, fields in RING_FIELDS.items() if watch.number in fields}
            self._whole = frozenset({_FREE, *self._sources})
            self.kinds: frozenset[int] = self._whole | {_FIELD}
        elif watch.kind == RING:
            self._whole = frozenset({_RESET})
            self._find_places(watch, num, packed)
            self.kinds = self._whole | {kind for kind, _, _ in self._places} | ({_IND_WRITE, _USED_TAKE} if self.unsure else frozenset())
        elif watch.kind == OBJECT:
            self._whole = self.kinds = frozenset({_NEW, _FREE, *_OBJECT_KINDS[watch.member]})
        elif watch.kind == RUN:
            self._whole = self.kinds = frozenset({int(k.EV_RUN_STATE if watch.member == "run_state" else k.EV_TRACE_LEVEL)})
        else:
            self.kinds = frozenset()

    def _find_places(self, watch: Watch, num: int, packed: bool) -> None:
        span = span_of(watch, num, packed) if num else None
        if span is None:
            return
        if watch.part == "indirect":
            self.unsure = True
            return
        start, size = span
        for kind, place in (_EITHER if packed else {**_EITHER, **_SPLIT_ONLY}).items():
            at = place.base + place.per_num * num
            if place.part != watch.part:
                continue
            if not place.step:
                if at < start + size and start < at + place.size:
                    self._places.append((kind, -_MANY, _MANY))
                continue
            low = max((start - place.size - at) // place.step + 1, 0)
            high = (start + size - 1 - at) // place.step
            if low <= high:
                self._places.append((kind, low, high))

    def wanted(self) -> list[Wanted]:
        """The same for a search that looks at blocks before it reads them."""
        watch = self.watch
        oid = ANY if watch.kind == RUN else watch.oid
        found = [Wanted(kind, oid) for kind in self._whole]
        if watch.kind == FIELD:
            found.append(Wanted(_FIELD, oid, watch.number, watch.number))
        found += [Wanted(kind, oid, low, high) for kind, low, high in self._places]
        if self.unsure:
            found += [Wanted(kind, oid, watch.number, watch.number) for kind in (_IND_WRITE, _USED_TAKE)]
        return found

    def mask(self, rows: Events) -> Mask:
        """Which of `rows` write the watch."""
        kinds, watch = rows["kind"], self.watch
        result: Mask = np.isin(kinds, list(self._whole))
        if watch.kind == RUN:
            return result
        if watch.kind == FIELD:
            result |= (kinds == _FIELD) & (rows["a0"] == watch.number)
        for kind, low, high in self._places:
            result |= (kinds == kind) & (rows["a0"] >= low) & (rows["a0"] <= high)
        if self.unsure:
            # a write behind the end makes the table longer, and so makes the entry
            result |= ((kinds == _IND_WRITE) & (rows["a1"] >= watch.entry) | (kinds == _USED_TAKE)) & (rows["a0"] == watch.number)
        result &= rows["obj"] == watch.oid
        return result

    def surely_same(self, rows: Events, value: Value) -> Mask:
        """Which of `rows` (all of them masked) leave a field at `value`; nothing is sure of any other watch."""
        result: Mask = np.zeros(len(rows), bool)
        if self.watch.kind == FIELD and isinstance(value, int):
            result |= (rows["kind"] == _FIELD) & (rows["a1"] == value)
            for kind, column in self._sources.items():
                result |= (rows["kind"] == kind) & (rows[column] == value)
        return result
