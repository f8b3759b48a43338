"""Which events write a value: a field's own event, and those ring events that say it on the way.

`trace.state.apply` is the measure: what it stores of an event, a watch on the value sees.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from ringscope_core.trace.state import MachineState, RingImage

ZERO: Final = -1
"""In place of an argument: the event sets the value to zero."""


class Write(NamedTuple):
    """Events of kind `kind` write the value that stands in argument `place`."""

    kind: str
    place: int


_IMPLIED: Final[dict[str, tuple[tuple[str, int], ...]]] = {
    "VirtQueue.last_avail_idx": (("virtqueue_pop", 1), ("virtqueue_unpop", 0)),
    "VirtQueue.shadow_avail_idx": (("virtqueue_pop", 2), ("shadow_avail_idx", 0)),
    "VirtQueue.inuse": (("virtqueue_pop", 5), ("virtqueue_flush", 2), ("virtqueue_unpop", 1)),
    "VirtQueue.used_idx": (("virtqueue_flush", 0),),
    "VirtQueue.signalled_used": (("virtio_notify", 1), ("notify_suppressed", 1)),
    "VirtQueue.signalled_used_valid": (("virtqueue_flush", 3), ("virtio_notify", 2), ("notify_suppressed", 2)),
    "VirtQueue.notification": (("shadow_avail_idx", 1), ("used_flags", 1), ("avail_event", 1), ("device_event", 2)),
    "vring_virtqueue.last_used_idx": (("used_take", 1),),
    "vring_virtqueue.num_free": (("used_take", 3),),
    # values that are no field of a structure
    "Object.ref": (("object_ref", 0),),
    "ring.avail.idx": (("avail_idx", 0), ("ring_reset", ZERO)),
    "ring.avail.flags": (("avail_flags", 0), ("ring_reset", ZERO)),
    "ring.used_event": (("used_event", 0), ("ring_reset", ZERO)),
    "ring.used.idx": (("virtqueue_flush", 0), ("ring_reset", ZERO)),
    "ring.used.flags": (("used_flags", 0), ("ring_reset", ZERO)),
    "ring.avail_event": (("avail_event", 0), ("ring_reset", ZERO)),
    "run.state": (("run_state", 0),),
    "run.trace_level": (("trace_level", 0),),
    "intx.level": (("intx", 0),),
}
EXTRA: Final = tuple(name for name in _IMPLIED if name.split(".", 1)[0] in ("ring", "run", "intx"))
"""Watchable values beside the declared fields."""


def implied_writes(name: str) -> tuple[Write, ...]:
    """The events besides ``field`` that write the value `name`."""
    return tuple(Write(kind, place) for kind, place in _IMPLIED.get(name, ()))


def value_in(state: MachineState, name: str, field_id: int, oid: int) -> int:
    """The value `name` of object `oid` in a state; 0 where it is not known, as the fold takes it."""
    if name == "Object.ref":
        found = state.objects.get(oid)
        return found.ref if found else 0
    if name == "run.state":
        return state.run_state
    if name == "run.trace_level":
        return state.level
    if name.startswith("ring."):
        ring = state.rings.get(oid)
        return _in_ring(ring, name) if ring else 0
    return state.value(oid, field_id) if field_id >= 0 else 0


def _in_ring(ring: RingImage, name: str) -> int:
    if ring.packed:
        return 0
    data, at = {
        "ring.avail.flags": (ring.avail, 0),
        "ring.avail.idx": (ring.avail, 2),
        "ring.used_event": (ring.avail, 4 + 2 * ring.num),
        "ring.used.flags": (ring.used, 0),
        "ring.used.idx": (ring.used, 2),
        "ring.avail_event": (ring.used, 4 + 8 * ring.num),
    }[name]
    return int.from_bytes(data[at : at + 2], "little")
