"""A machine's state at a moment, and the pure function that moves it across one event.

``state_at(seq) = fold(apply, nearest keyframe, events after it)``.  At trace level full the fold must equal what the
machine itself says at the next keyframe; the tests hold it to that.
"""

from __future__ import annotations

from typing import Any, Final, final

from mypy_extensions import i64

from ringscope_core.trace import kinds as k
from ringscope_core.trace.fields import field

Row = tuple[int, int, int, int, int, int, int, int, int, int, int]
"""vt, wall, kind, obj, cause, a0..a5."""

F_LAST_AVAIL: Final[i64] = field("VirtQueue.last_avail_idx", "idx")
F_SHADOW_AVAIL: Final[i64] = field("VirtQueue.shadow_avail_idx", "idx")
F_USED_IDX: Final[i64] = field("VirtQueue.used_idx", "idx")
F_SIGNALLED: Final[i64] = field("VirtQueue.signalled_used", "idx")
F_SIGNALLED_VALID: Final[i64] = field("VirtQueue.signalled_used_valid", "bool")
F_NOTIFICATION: Final[i64] = field("VirtQueue.notification", "bool")
F_INUSE: Final[i64] = field("VirtQueue.inuse", "count")
F_LAST_AVAIL_WRAP: Final[i64] = field("VirtQueue.last_avail_wrap_counter", "bool")
F_SHADOW_AVAIL_WRAP: Final[i64] = field("VirtQueue.shadow_avail_wrap_counter", "bool")
F_USED_WRAP: Final[i64] = field("VirtQueue.used_wrap_counter", "bool")
F_LAST_USED: Final[i64] = field("vring_virtqueue.last_used_idx", "idx")
F_NUM_FREE: Final[i64] = field("vring_virtqueue.num_free", "count")

DESC_F_NEXT: Final = 1
DESC_F_WRITE: Final = 2
DESC_F_INDIRECT: Final = 4


@final
class RingImage:
    """A ring's memory.  Split: descriptor table (16*num bytes), available ring (6+2*num), used ring (6+8*num).

    Packed (virtio 1.1, 2.7): `desc` is the descriptor ring (address 8, length 4, id 2, flags 2 bytes each), `avail` the driver's event
    suppression structure and `used` the device's (offset and wrap counter 2, flags 2 bytes).
    """

    def __init__(self, num: int, desc_gpa: int, avail_gpa: int, used_gpa: int, packed: bool = False) -> None:
        self.num: int = num
        self.packed: bool = packed
        self.desc_gpa: int = desc_gpa
        self.avail_gpa: int = avail_gpa
        self.used_gpa: int = used_gpa
        self.desc: bytearray = bytearray(16 * num)
        self.avail: bytearray = bytearray(4 if packed else 6 + 2 * num)
        self.used: bytearray = bytearray(4 if packed else 6 + 8 * num)
        self.indirect: dict[int, bytearray] = {}
        """Indirect tables by head, of the chains the driver has given out."""

    def to_plain(self) -> dict[str, Any]:
        """A form for msgpack."""
        return {
            "num": self.num,
            "packed": self.packed,
            "desc_gpa": self.desc_gpa,
            "avail_gpa": self.avail_gpa,
            "used_gpa": self.used_gpa,
            "desc": bytes(self.desc),
            "avail": bytes(self.avail),
            "used": bytes(self.used),
            "indirect": {head: bytes(table) for head, table in sorted(self.indirect.items())},
        }

    @staticmethod
    def from_plain(plain: dict[str, Any]) -> RingImage:
        """The inverse of `to_plain`."""
        ring = RingImage(plain["num"], plain["desc_gpa"], plain["avail_gpa"], plain["used_gpa"], plain.get("packed", False))
        ring.desc = bytearray(plain["desc"])
        ring.avail = bytearray(plain["avail"])
        ring.used = bytearray(plain["used"])
        ring.indirect = {int(head): bytearray(table) for head, table in plain["indirect"].items()}
        return ring


@final
class ObjectState:
    """An object of the composition tree: QOM's, or a ring."""

    def __init__(self, type_id: int, addr: int, size: int) -> None:
        self.type_id: int = type_id
        """String id of the type's name."""
        self.addr: int = addr
        """Host address, 0 when unknown."""
        self.size: int = size
        self.parent: int = 0
        self.name_id: int = 0
        """String id of the child property's name."""
        self.ref: int = 1
        self.bus: int = 0
        """Object id of the bus it sits on, 0 for none."""

    def to_plain(self) -> list[int]:
        """A form for msgpack."""
        return [self.type_id, self.addr, self.size, self.parent, self.name_id, self.ref, self.bus]

    @staticmethod
    def from_plain(plain: list[int]) -> ObjectState:
        """The inverse of `to_plain`."""
        state = ObjectState(plain[0], plain[1], plain[2])
        state.parent, state.name_id, state.ref, state.bus = plain[3], plain[4], plain[5], plain[6]
        return state


@final
class MachineState:
    """Everything the views show of a moment, but for packets and counters."""

    def __init__(self) -> None:
        self.seq: int = -1
        """The last event it includes."""
        self.vt: int = 0
        self.wall: int = 0
        self.run_state: int = 0
        self.level: int = 2
        self.objects: dict[int, ObjectState] = {}
        self.fields: dict[int, dict[int, int]] = {}
        """Object id -> field id -> value; a field that is absent was not recorded."""
        self.rings: dict[int, RingImage] = {}
        self.stack: list[list[int]] = []
        """Open call frames, outermost first: [fn, line, a0, a1, a2, a3, seq of the call]."""

    def value(self, oid: int, field_id: int, default: int = 0) -> int:
        """A field's value, `default` where it was never set."""
        return self.fields.get(oid, {}).get(field_id, default)

    def to_plain(self) -> dict[str, Any]:
        """A form for msgpack."""
        return {
            "seq": self.seq,
            "vt": self.vt,
            "wall": self.wall,
            "run_state": self.run_state,
            "level": self.level,
            "objects": {oid: state.to_plain() for oid, state in sorted(self.objects.items())},
            "fields": {oid: dict(sorted(values.items())) for oid, values in sorted(self.fields.items())},
            "rings": {oid: ring.to_plain() for oid, ring in sorted(self.rings.items())},
            "stack": [list(frame) for frame in self.stack],
        }

    def comparable(self) -> dict[str, Any]:
        """The plain form without zero fields: equal for equal states, whether a zero was recorded or only never left."""
        plain = self.to_plain()
        plain["fields"] = _without_zeros(self.fields)
        return plain

    @staticmethod
    def from_plain(plain: dict[str, Any]) -> MachineState:
        """The inverse of `to_plain`."""
        state = MachineState()
        state.seq, state.vt, state.wall = plain["seq"], plain["vt"], plain["wall"]
        state.run_state, state.level = plain["run_state"], plain["level"]
        state.objects = {int(oid): ObjectState.from_plain(row) for oid, row in plain["objects"].items()}
        state.fields = {int(oid): {int(f): v for f, v in values.items()} for oid, values in plain["fields"].items()}
        state.rings = {int(oid): RingImage.from_plain(ring) for oid, ring in plain["rings"].items()}
        state.stack = [list(frame) for frame in plain["stack"]]
        return state


def _without_zeros(fields: dict[int, dict[int, int]]) -> dict[int, dict[int, int]]:
    """The fields in order and without zeros, so that equal states have equal forms."""
    out: dict[int, dict[int, int]] = {}
    for oid in sorted(fields):
        values = {field_id: value for field_id, value in sorted(fields[oid].items()) if value}
        if values:
            out[oid] = values
    return out


def _put16(data: bytearray, offset: int, value: int) -> None:
    data[offset : offset + 2] = (value & 0xFFFF).to_bytes(2, "little")


def _descriptor(addr: int, length: int, first: int, second: int) -> bytes:
    return (
        (addr & 0xFFFFFFFFFFFFFFFF).to_bytes(8, "little")
        + (length & 0xFFFFFFFF).to_bytes(4, "little")
        + (first & 0xFFFF).to_bytes(2, "little")
        + (second & 0xFFFF).to_bytes(2, "little")
    )


def _apply_object(state: MachineState, kind: int, obj: int, a0: int, a1: int, a2: int) -> None:
    if kind == k.EV_OBJ_NEW:
        state.objects[obj] = ObjectState(a0, a1, a2)
        return
    if kind == k.EV_OBJ_FREE:
        state.objects.pop(obj, None)
        state.fields.pop(obj, None)
        return
    target = state.objects.get(obj)
    if target is None:
        return
    if kind == k.EV_OBJ_CHILD:
        target.parent, target.name_id = a0, a1
    elif kind == k.EV_OBJ_UNPARENT:
        target.parent, target.name_id = 0, 0
    elif kind == k.EV_OBJ_REF:
        target.ref = a0
    elif kind == k.EV_BUS_ATTACH:
        target.bus = a0
    elif kind == k.EV_BUS_DETACH:
        target.bus = 0


def _apply_ring_memory(ring: RingImage, kind: int, a0: int, a1: int, a2: int, a3: int, a4: int, a5: int) -> None:
    if kind == k.EV_DESC_WRITE:
        ring.desc[16 * a0 : 16 * a0 + 16] = _descriptor(a1, a2, a4, a3) if ring.packed else _descriptor(a1, a2, a3, a4)
    elif kind == k.EV_IND_WRITE:
        table = ring.indirect.setdefault(a0, bytearray())
        end = 16 * a1 + 16
        if len(table) < end:
            table.extend(bytes(end - len(table)))
        table[end - 16 : end] = _descriptor(a2, a3, a5, a4) if ring.packed else _descriptor(a2, a3, a4, a5)
    elif kind == k.EV_USED_TAKE:
        ring.indirect.pop(a0, None)
    elif kind == k.EV_DRIVER_EVENT:
        _put16(ring.avail, 0, a0)
        _put16(ring.avail, 2, a1)
    elif kind == k.EV_DEVICE_EVENT:
        _put16(ring.used, 0, a0)
        _put16(ring.used, 2, a1)
    elif kind == k.EV_USED_DESC and a0 < ring.num:
        at = 16 * a0
        ring.desc[at + 8 : at + 12] = (a2 & 0xFFFFFFFF).to_bytes(4, "little")
        _put16(ring.desc, at + 12, a1)
        _put16(ring.desc, at + 14, a3)
    elif ring.packed:
        # the rest is memory that only split rings have
        return
    elif kind == k.EV_AVAIL_ADD:
        _put16(ring.avail, 4 + 2 * a0, a1)
    elif kind == k.EV_AVAIL_IDX:
        _put16(ring.avail, 2, a0)
    elif kind == k.EV_AVAIL_FLAGS:
        _put16(ring.avail, 0, a0)
    elif kind == k.EV_USED_EVENT:
        _put16(ring.avail, 4 + 2 * ring.num, a0)
    elif kind == k.EV_FILL:
        ring.used[4 + 8 * a0 : 12 + 8 * a0] = a1.to_bytes(4, "little") + (a2 & 0xFFFFFFFF).to_bytes(4, "little")
    elif kind == k.EV_FLUSH:
        _put16(ring.used, 2, a0)
    elif kind == k.EV_USED_FLAGS:
        _put16(ring.used, 0, a0)
    elif kind == k.EV_AVAIL_EVENT:
        _put16(ring.used, 4 + 8 * ring.num, a0)


def _apply_ring_fields(fields: dict[int, int], kind: int, a0: int, a1: int, a2: int, a3: int, a5: int) -> None:
    if kind == k.EV_POP:
        fields[F_LAST_AVAIL], fields[F_SHADOW_AVAIL], fields[F_INUSE] = a1, a2, a5
    elif kind == k.EV_FLUSH:
        fields[F_USED_IDX], fields[F_INUSE], fields[F_SIGNALLED_VALID] = a0, a2, a3
    elif kind == k.EV_UNPOP:
        fields[F_LAST_AVAIL], fields[F_INUSE] = a0, a1
    elif kind == k.EV_SHADOW:
        fields[F_SHADOW_AVAIL], fields[F_NOTIFICATION] = a0, a1
    elif kind == k.EV_USED_FLAGS or kind == k.EV_AVAIL_EVENT:
        fields[F_NOTIFICATION] = a1
    elif kind == k.EV_DEVICE_EVENT:
        fields[F_NOTIFICATION] = a2
    elif kind == k.EV_NOTIFY or kind == k.EV_NOTIFY_SUPPRESSED:
        fields[F_SIGNALLED], fields[F_SIGNALLED_VALID] = a1, a2
    elif kind == k.EV_USED_TAKE:
        fields[F_LAST_USED], fields[F_NUM_FREE] = a1, a3


def apply(state: MachineState, row: Row) -> None:
    """Move `state` across one event, in place.  `row` is vt, wall, kind, obj, cause, a0..a5; unknown kinds change nothing."""
    vt, wall, kind, obj, _, a0, a1, a2, a3, a4, a5 = row
    state.seq += 1
    state.vt = vt
    state.wall = wall
    if kind == k.EV_FIELD:
        state.fields.setdefault(obj, {})[a0] = a1
    elif kind == k.EV_FRAME_AT:
        state.stack[-1][1] = a1
    elif kind == k.EV_FRAME_ENTER:
        state.stack.append([a0, a1, a2, a3, a4, a5, state.seq])
    elif kind == k.EV_FRAME_LEAVE:
        state.stack.pop()
    elif k.EV_DESC_WRITE <= kind <= k.EV_NOTIFY_SUPPRESSED:
        if kind == k.EV_RING_RESET:
            if a0:
                state.rings[obj] = RingImage(a0, a1, a2, a3, bool(a4))
            else:
                state.rings.pop(obj, None)
            return
        ring = state.rings.get(obj)
        if ring is not None:
            _apply_ring_memory(ring, kind, a0, a1, a2, a3, a4, a5)
        _apply_ring_fields(state.fields.setdefault(obj, {}), kind, a0, a1, a2, a3, a5)
    elif k.EV_OBJ_NEW <= kind <= k.EV_BUS_DETACH:
        _apply_object(state, kind, obj, a0, a1, a2)
    elif kind == k.EV_RUN_STATE:
        state.run_state = a0
    elif kind == k.EV_TRACE_LEVEL:
        state.level = a0


def fold(state: MachineState, rows: list[Row]) -> MachineState:
    """Apply every row in order; returns the same object."""
    for row in rows:
        apply(state, row)
    return state
