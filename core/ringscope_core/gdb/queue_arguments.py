"""Which queue a call is about whose argument is not recorded: what its callers were told, or what the call then did, says it.

The address stays unknown (nobody has seen it); what lies there is known.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from ringscope_core.gdb.memory import PairPlace, device_of_ring, ring_place
from ringscope_core.gdb.value import Value
from ringscope_core.trace.kinds import EV_FRAME_ENTER, EV_FRAME_LEAVE
from ringscope_core.trace.oids import is_ring, ring_index

if TYPE_CHECKING:
    from ringscope_core.gdb.ctypes import CType
    from ringscope_core.gdb.moment import Moment

_TYPES: Final = ("VirtQueue", "VirtIONetQueue")
_NOTIFY: Final = ("virtio_queue_notify", "virtio_queue_notify_vq")
"""Functions that are told a device and a queue's number, or are called by one that is."""
_SAME: Final = ("virtio_net_tx_bh", "virtio_net_tx_timer", "virtio_net_tx_complete", "virtio_net_handle_tx_bh", "virtio_net_handle_tx_timer")
"""Callers that pass on their own queue."""
_FAR: Final = 256
"""Events of a call that are looked at."""


def queue_argument(moment: Moment, ctype: CType, entry: Sequence[int]) -> Value | None:
    """The value of an argument of type `ctype` of the open call `entry`, None when it is no queue or nothing says which."""
    if ctype.target is None or ctype.target.name not in _TYPES:
        return None
    ring = _told(moment, entry) or _done(moment, entry) or _passed_on(moment, entry)
    if ctype.target.name == "VirtQueue":
        return Value(ctype, None, target=ring_place(moment, ring, "VirtQueue")) if ring else None
    device = device_of_ring(moment, ring) if ring else _only_device(moment)
    if not device:
        return None
    return Value(ctype, None, target=PairPlace(moment, device, int(ring_index(ring)) // 2 if ring else 0))


def _told(moment: Moment, entry: Sequence[int]) -> int:
    """The queue that the nearest caller was asked to notify."""
    functions = moment.recording.functions
    outer = [frame for frame in reversed(moment.state.stack) if frame[6] < entry[6]]
    for frame in outer:
        spec = functions[frame[0]]
        names = [name for name, _ in spec.args]
        if spec.name in _NOTIFY and names[:2] == ["vdev", "n"]:
            address = frame[2] & 0xFFFF_FFFF_FFFF_FFFF
            device = moment.object_at(address, "VirtIODevice")
            return moment.ring_of(device, frame[3]) if device else 0
    return 0


def _done(moment: Moment, entry: Sequence[int]) -> int:
    """The first queue that the call works on."""
    rows = moment.recording.reader.events(entry[6] + 1, entry[6] + _FAR)
    depth = 0
    for row in rows:
        kind, oid = int(row["kind"]), int(row["obj"])
        if is_ring(oid):
            return oid
        depth += (kind == EV_FRAME_ENTER) - (kind == EV_FRAME_LEAVE)
        if depth < 0:
            break
    return 0


def _passed_on(moment: Moment, entry: Sequence[int]) -> int:
    """The queue that the caller works on, when it passes on its own."""
    caller = max((frame for frame in moment.state.stack if frame[6] < entry[6]), key=lambda frame: frame[6], default=None)
    return _done(moment, caller) if caller is not None and moment.recording.functions[caller[0]].name in _SAME else 0


def _only_device(moment: Moment) -> int:
    """The virtio-net device when there is just one, and it has just one pair of queues."""
    devices = [oid for oid in moment.state.objects if "VirtIONet" in moment.structs_of(oid)]
    return devices[0] if len(devices) == 1 and moment.field(devices[0], "VirtIONet.max_queues") == 1 else 0
