"""Which fields a recording ever tells of an object: such a field is 0 until it is first written; of the others nothing is known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from ringscope_core.trace.kinds import EV_FIELD, EV_OBJ_FREE, EV_OBJ_NEW

if TYPE_CHECKING:
    from ringscope_core.query.recording import Recording

_EVENTS_READ: Final = 65_536
"""Events behind its creation in which an object's fields are looked for; a keyframe tells the rest."""


class Observed:
    """Remembers the answer of each object; `forget` when the recording has grown."""

    def __init__(self, recording: Recording) -> None:
        self._recording: Recording = recording
        self._by_oid: dict[int, frozenset[int]] = {}
        self._last_seq: int = -2

    def __call__(self, oid: int, number: int) -> bool:
        """Whether field `number` of `oid` is told anywhere."""
        last = self._recording.reader.last_seq
        if last != self._last_seq:
            self._last_seq = last
            self._by_oid.clear()
        found = self._by_oid.get(oid)
        if found is None:
            found = self._by_oid[oid] = self._look(oid)
        return number in found

    def _look(self, oid: int) -> frozenset[int]:
        reader = self._recording.reader
        known: set[int] = set()
        freed = reader.find_events([int(EV_OBJ_FREE)], reader.first_seq, reader.last_seq, 1, True, [oid])
        frames = reader.keyframes()
        end = int(freed[0]["seq"]) - 1 if len(freed) else reader.last_seq
        place = int(np.searchsorted(frames["seq"], end, "right")) - 1
        if place >= 0:
            known.update(reader.keyframe_state(int(frames["seq"][place])).fields.get(oid, ()))
        made = reader.find_events([int(EV_OBJ_NEW)], reader.first_seq, end, 1, True, [oid])
        begin = int(made[0]["seq"]) if len(made) else reader.first_seq
        rows = reader.find_events([int(EV_FIELD)], begin, min(end, begin + _EVENTS_READ), _EVENTS_READ, False, [oid])
        known.update(int(number) for number in np.unique(rows["a0"]))
        return frozenset(known)
