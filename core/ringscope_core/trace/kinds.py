"""Every kind of event, declared once: number, name, group, trace level, and its arguments with their units.

Lists, filters, decoders, exports and the state's fold are driven by this table; a session file carries a copy of it.
Kind numbers are part of the file format: never reuse one.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from mypy_extensions import i32

from ringscope_core.trace.levels import LEVEL_COUNTERS, LEVEL_FULL, LEVEL_PACKETS

MAX_ARGS: Final = 6
"""Arguments a row has room for; unused ones are zero."""


class ArgSpec(NamedTuple):
    """One argument: its name, and its unit, which says how to print it.

    Units: ``str`` (string id), ``fn`` (function id), ``field`` (field id), ``type`` (string id of a QOM type), ``oid``
    (object id), ``ptr`` (host address), ``gpa`` (guest physical address), ``bytes``, ``ns``, ``idx`` (free-running 16 bit ring
    index), ``slot`` (ring position), ``head`` (descriptor index), ``flags`` (hexadecimal), ``count``, ``bool``, ``packet``
    (packet id), ``line``, ``off_wrap`` (place in a packed ring, its wrap counter in bit 15), ``value`` (what the named field or register
    holds), ``enum:NAME`` (a name of `ENUMS`).
    """

    name: str
    unit: str


class KindSpec(NamedTuple):
    """One kind of event.  `level` is the lowest trace level at which it is recorded."""

    number: int
    name: str
    group: str
    level: int
    args: tuple[ArgSpec, ...]
    title: str


ENUMS: Final[dict[str, tuple[str, ...]]] = {
    "run_state": ("prelaunch", "running", "paused", "finished", "failed"),
    "severity": ("info", "warning", "error"),
    "event_flags": ("ENABLE", "DISABLE", "DESC", "RESERVED"),
    "direction": ("tx", "rx"),
    "seen": ("tx", "rx", "unknown"),
    "bar_op": ("read", "write"),
    "drop": (
        "none",
        "link down",
        "no peer",
        "device not ready",
        "filtered",
        "buffer too small",
        "too long",
        "queue full",
        "device error",
        "no in buffers",
        "reset",
        "bad header",
        "driver ring full",
    ),
}
"""Names of enumerated arguments, by value."""

_KINDS: list[KindSpec] = []


def _kind(number: int, name: str, group: str, level: int, args: str, title: str) -> i32:
    specs = tuple(ArgSpec(*word.split(":", 1)) for word in args.split())
    assert len(specs) <= MAX_ARGS, name
    _KINDS.append(KindSpec(number, name, group, level, specs, title))
    return number


_C: Final = int(LEVEL_COUNTERS)
_P: Final = int(LEVEL_PACKETS)
_F: Final = int(LEVEL_FULL)

# -- the run ----------------------------------------------------------------------------------------------------------
EV_RUN_STATE: Final[i32] = _kind(1, "run_state", "run", _C, "state:enum:run_state reason:str", "the run changed state")
EV_MARK: Final[i32] = _kind(2, "mark", "run", _C, "name:str", "a mark of the scenario or the user")
EV_TRACE_LEVEL: Final[i32] = _kind(3, "trace_level", "run", _C, "level:count old:count", "the trace level changed")
EV_DROPPED: Final[i32] = _kind(4, "events_dropped", "run", _C, "events:count packets:count", "the recorder could not keep up")
EV_MESSAGE: Final[i32] = _kind(5, "message", "error", _C, "severity:enum:severity text:str", "what QEMU would print")
EV_ERROR_SET: Final[i32] = _kind(6, "error_set", "error", _C, "text:str errp:ptr", "error_setg")
EV_SAMPLE: Final[i32] = _kind(7, "sample", "run", _C, "", "state sampled: below level full the next keyframe alone tells what the data path did")
# -- calls ------------------------------------------------------------------------------------------------------------
EV_FRAME_ENTER: Final[i32] = _kind(10, "frame_enter", "call", _C, "fn:fn line:line arg0:value arg1:value arg2:value arg3:value", "call")
EV_FRAME_AT: Final[i32] = _kind(11, "frame_at", "call", _C, "fn:fn line:line", "checkpoint")
EV_FRAME_LEAVE: Final[i32] = _kind(12, "frame_leave", "call", _C, "fn:fn ret:value", "return")
# -- objects ----------------------------------------------------------------------------------------------------------
EV_OBJ_NEW: Final[i32] = _kind(20, "object_new", "object", _C, "type:type addr:ptr size:bytes", "object initialized")
EV_OBJ_CHILD: Final[i32] = _kind(21, "object_child", "object", _C, "parent:oid name:str", "became a child in the composition tree")
EV_OBJ_UNPARENT: Final[i32] = _kind(22, "object_unparent", "object", _C, "parent:oid", "left the composition tree")
EV_OBJ_REF: Final[i32] = _kind(23, "object_ref", "object", _C, "ref:count", "reference count changed")
EV_OBJ_FREE: Final[i32] = _kind(24, "object_free", "object", _C, "", "object finalized")
EV_CLASS_INIT: Final[i32] = _kind(25, "class_init", "object", _C, "type:type hook:str", "a class hook ran")
EV_INSTANCE_INIT: Final[i32] = _kind(26, "instance_init", "object", _C, "type:type hook:str", "an instance hook ran")
EV_BUS_ATTACH: Final[i32] = _kind(27, "bus_attach", "object", _C, "bus:oid index:count", "device put on a bus")
EV_BUS_DETACH: Final[i32] = _kind(28, "bus_detach", "object", _C, "bus:oid", "device taken off its bus")
EV_FIELD: Final[i32] = _kind(30, "field", "field", _C, "field:field value:value old:value", "a field was written")
# -- registers --------------------------------------------------------------------------------------------------------
EV_CFG_READ: Final[i32] = _kind(40, "config_read", "register", _C, "offset:flags size:bytes value:flags", "PCI configuration read")
EV_CFG_WRITE: Final[i32] = _kind(41, "config_write", "register", _C, "offset:flags size:bytes value:flags", "PCI configuration write")
EV_BAR_READ: Final[i32] = _kind(42, "bar_read", "register", _C, "bar:count offset:flags size:bytes value:flags", "BAR read")
EV_BAR_WRITE: Final[i32] = _kind(43, "bar_write", "register", _C, "bar:count offset:flags size:bytes value:flags", "BAR write")
# -- rings; the object is the ring ------------------------------------------------------------------------------------
EV_DESC_WRITE: Final[i32] = _kind(50, "desc_write", "ring", _F, "index:head addr:gpa len:bytes flags:flags next:head", "driver wrote a descriptor")
EV_IND_WRITE: Final[i32] = _kind(
    51, "indirect_write", "ring", _F, "head:head index:slot addr:gpa len:bytes flags:flags next:head", "driver wrote an indirect descriptor"
)
EV_AVAIL_ADD: Final[i32] = _kind(52, "avail_add", "ring", _F, "slot:slot head:head", "driver put a head in the available ring")
EV_AVAIL_IDX: Final[i32] = _kind(53, "avail_idx", "ring", _F, "idx:idx", "driver published avail.idx")
EV_AVAIL_FLAGS: Final[i32] = _kind(54, "avail_flags", "ring", _F, "flags:flags", "driver wrote avail.flags")
EV_USED_EVENT: Final[i32] = _kind(55, "used_event", "ring", _F, "idx:idx", "driver wrote used_event")
EV_POP: Final[i32] = _kind(
    56, "virtqueue_pop", "ring", _F, "head:head last_avail_idx:idx shadow_avail_idx:idx out_num:count in_num:count inuse:count", "device took an element"
)
EV_FILL: Final[i32] = _kind(57, "virtqueue_fill", "ring", _F, "slot:slot head:head len:bytes", "device wrote a used element")
EV_FLUSH: Final[i32] = _kind(58, "virtqueue_flush", "ring", _F, "used_idx:idx count:count inuse:count signalled_used_valid:bool", "device published used.idx")
EV_USED_FLAGS: Final[i32] = _kind(59, "used_flags", "ring", _F, "flags:flags notification:bool", "device wrote used.flags")
EV_AVAIL_EVENT: Final[i32] = _kind(60, "avail_event", "ring", _F, "idx:idx notification:bool", "device wrote avail_event")
EV_UNPOP: Final[i32] = _kind(61, "virtqueue_unpop", "ring", _F, "last_avail_idx:idx inuse:count", "device gave an element back")
EV_USED_TAKE: Final[i32] = _kind(62, "used_take", "ring", _F, "head:head last_used_idx:idx len:bytes num_free:count", "driver took a used element")
EV_SHADOW: Final[i32] = _kind(63, "shadow_avail_idx", "ring", _F, "idx:idx notification:bool", "device read avail.idx")
EV_RING_RESET: Final[i32] = _kind(64, "ring_reset", "ring", _C, "num:count desc:gpa avail:gpa used:gpa packed:bool", "ring memory was set up or cleared")
EV_DRIVER_EVENT: Final[i32] = _kind(
    65, "driver_event", "ring", _F, "off_wrap:off_wrap flags:enum:event_flags", "packed: driver wrote its event suppression structure"
)
EV_DEVICE_EVENT: Final[i32] = _kind(
    66, "device_event", "ring", _F, "off_wrap:off_wrap flags:enum:event_flags notification:bool", "packed: device wrote its event suppression structure"
)
EV_USED_DESC: Final[i32] = _kind(67, "used_desc", "ring", _F, "slot:slot id:head len:bytes flags:flags", "packed: device wrote a used descriptor")
# -- notifications; the object is the ring ----------------------------------------------------------------------------
EV_KICK: Final[i32] = _kind(70, "kick", "notify", _F, "queue:count", "driver notified the device")
EV_KICK_SUPPRESSED: Final[i32] = _kind(71, "kick_suppressed", "notify", _F, "queue:count", "driver had no need to notify")
EV_NOTIFY: Final[i32] = _kind(72, "virtio_notify", "notify", _F, "vector:flags signalled_used:idx signalled_used_valid:bool", "device notified the driver")
EV_NOTIFY_SUPPRESSED: Final[i32] = _kind(
    73, "notify_suppressed", "notify", _F, "vector:flags signalled_used:idx signalled_used_valid:bool", "device had no need to notify"
)
EV_MSI: Final[i32] = _kind(74, "msi", "notify", _F, "vector:count address:gpa data:flags", "MSI-X message sent")
EV_MSI_PENDING: Final[i32] = _kind(75, "msi_pending", "notify", _F, "vector:count", "vector masked: pending bit set")
EV_INTX: Final[i32] = _kind(76, "intx", "notify", _C, "level:bool", "interrupt line level")
EV_GUEST_IRQ: Final[i32] = _kind(77, "guest_irq", "notify", _F, "vector:count", "the driver's interrupt handler ran")
EV_NAPI: Final[i32] = _kind(78, "napi_poll", "notify", _F, "budget:count work:count", "the driver polled")
# -- frames -----------------------------------------------------------------------------------------------------------
EV_FRAME_TX: Final[i32] = _kind(80, "frame_tx", "packet", _P, "packet:packet len:bytes head:head", "device handed a frame to its peer")
EV_FRAME_RX: Final[i32] = _kind(81, "frame_rx", "packet", _P, "packet:packet len:bytes head:head buffers:count", "device put a frame into the ring")
EV_FRAME_DROP: Final[i32] = _kind(82, "frame_drop", "packet", _P, "packet:packet len:bytes reason:enum:drop direction:enum:direction", "a frame was dropped")
EV_FRAME_WAIT: Final[i32] = _kind(83, "frame_wait", "packet", _P, "packet:packet len:bytes", "a frame waits in the net queue")
EV_GUEST_TX: Final[i32] = _kind(84, "guest_tx", "packet", _F, "len:bytes head:head", "the driver's stack sent a frame")
EV_GUEST_RX: Final[i32] = _kind(85, "guest_rx", "packet", _F, "len:bytes head:head buffers:count", "the driver's stack received a frame")
EV_FRAME_SEEN: Final[i32] = _kind(
    86, "frame_seen", "packet", _P, "packet:packet len:bytes direction:enum:seen", "a frame of a capture: what the device did with it is not known"
)
# -- the device -------------------------------------------------------------------------------------------------------
EV_VIRTIO_ERROR: Final[i32] = _kind(91, "virtio_error", "error", _C, "text:str", "virtio_error: the device is broken")
EV_CTRL: Final[i32] = _kind(92, "ctrl", "device", _C, "class:count cmd:count len:bytes ack:count", "control queue command")
EV_BH: Final[i32] = _kind(93, "bh", "device", _F, "scheduled:bool", "bottom half scheduled or run")
EV_TIMER: Final[i32] = _kind(94, "timer", "device", _F, "deadline:ns armed:bool", "timer armed or fired")
EV_EXPERT: Final[i32] = _kind(
    95, "expert", "error", _C, "severity:enum:severity text:str", "what the driver did there is worth knowing: what QEMU does, and which clause says what"
)

KINDS: Final[tuple[KindSpec, ...]] = tuple(_KINDS)
KIND_BY_NUMBER: Final[dict[int, KindSpec]] = {spec.number: spec for spec in KINDS}
KIND_BY_NAME: Final[dict[str, KindSpec]] = {spec.name: spec for spec in KINDS}
