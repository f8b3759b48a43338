"""Names of objects over a whole recording, so that a list can name an object that is gone at the focused moment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ringscope_core.trace.kinds import EV_FIELD, EV_OBJ_CHILD, EV_OBJ_NEW, EV_RING_RESET
from ringscope_core.trace.oids import is_ring, ring_bdf, ring_index

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ringscope_core.session.reader import SessionReader

_BATCH: Final = 20000
_NAMING: Final = [int(EV_OBJ_NEW), int(EV_OBJ_CHILD), int(EV_RING_RESET)]


class ObjectNames:
    """Grows with the recording: reads each event that creates or names an object once."""

    def __init__(self) -> None:
        self._types: dict[int, str] = {}
        self._names: dict[int, str] = {}
        self._parents: dict[int, int] = {}
        self._rings: set[int] = set()
        self._root: int = 0
        """The parent of /machine."""
        self._next_seq: int = 0
        self._pairs_from: int = -1
        """The last naming event since which nobody has looked for `_max_queues`, -1 for none."""
        self._fields_read: int = 0
        self._max_queues: int = 1
        """Pairs of the device: the control queue stands behind the last one."""

    def extend(self, reader: SessionReader) -> None:
        """Read what came since the last call, from the naming events and from the newest keyframe."""
        last = reader.last_seq
        texts = reader.strings
        while self._next_seq <= last:
            rows = reader.find_events(_NAMING, self._next_seq, last, _BATCH)
            self._pairs_from = int(rows[-1]["seq"]) if len(rows) else self._pairs_from
            for row in rows:
                self._note(int(row["kind"]), int(row["obj"]), int(row["a0"]), int(row["a1"]), texts)
            if len(rows) < _BATCH:
                self._next_seq = last + 1
            else:
                self._next_seq = int(rows[-1]["seq"]) + 1
        if self._pairs_from >= 0:
            self._find_pairs(reader)

    def _note(self, kind: int, oid: int, a0: int, a1: int, texts: Sequence[str]) -> None:
        if kind == EV_OBJ_NEW:
            self._types[oid] = texts[a0] if a0 < len(texts) else ""
            self._names.pop(oid, None)
        elif kind == EV_RING_RESET:
            self._rings.add(oid)
        else:
            self._parents[oid] = a0
            self._names[oid] = texts[a1] if a1 < len(texts) else ""
            if self._names[oid] == "machine":
                self._root = a0

    def _find_pairs(self, reader: SessionReader) -> None:
        """VirtIONet.max_queues places the control queue: as the machine told it, at the first keyframe behind the last naming event; before, as events say."""
        number = next((n for n, spec in reader.fields.items() if spec.struct == "VirtIONet" and spec.name == "max_queues"), -1)
        frames = reader.keyframes()["seq"]
        behind = frames[frames >= self._pairs_from]
        if number < 0:
            return
        if len(behind):
            found = [values[number] for values in reader.keyframe_state(int(behind[0])).fields.values() if number in values]
            self._pairs_from = -1
        else:
            # a machine that is being built, or a run that ended there
            rows = reader.find_events([int(EV_FIELD)], self._fields_read, reader.last_seq, _BATCH)
            self._fields_read = int(rows[-1]["seq"]) + 1 if len(rows) else self._fields_read
            found = rows["a1"][rows["a0"] == number].tolist()
        if found:
            self._max_queues = max(1, int(found[-1]))

    def name(self, oid: int) -> str:
        """A short name for `oid`."""
        if oid == 0:
            return ""
        if is_ring(oid):
            return self.ring_name(oid)
        if oid == self._root:
            return "/"
        return self._names.get(oid) or (f"{self._types[oid]} #{oid}" if oid in self._types else f"#{oid}")

    def known(self) -> list[int]:
        """Every object of the recording, and every ring that did anything."""
        return [*self._types, *sorted(self._rings)]

    def knows(self, oid: int) -> bool:
        """Whether `oid` is among `known`."""
        return oid in self._types or oid in self._rings

    def ring_name(self, oid: int) -> str:
        """``rx0``, ``tx0``, .. and ``ctrl``; queue pairs as virtio-net numbers them."""
        index = int(ring_index(oid))
        if index >= 2 * self._max_queues:
            return "ctrl"
        return f"{'tx' if index % 2 else 'rx'}{index // 2}"

    def path(self, oid: int) -> str:
        """``/machine/peripheral/net0/virtio-backend`` and the like."""
        if is_ring(oid):
            return f"{_slot(int(ring_bdf(oid)))} {self.ring_name(oid)}"
        parts: list[str] = []
        seen: set[int] = set()
        while oid in self._names and oid not in seen:
            seen.add(oid)
            parts.append(self._names[oid])
            oid = self._parents.get(oid, 0)
        return "/" + "/".join(reversed(parts)) if parts or oid == self._root != 0 else ""

    def type_name(self, oid: int) -> str:
        """The QOM type of `oid`."""
        return "virtqueue" if is_ring(oid) else self._types.get(oid, "")


def _slot(bdf: int) -> str:
    return f"{bdf >> 8:02x}:{(bdf >> 3) & 31:02x}.{bdf & 7}"
