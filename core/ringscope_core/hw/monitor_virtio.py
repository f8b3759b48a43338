"""``x-query-virtio`` and its companions, which QEMU has from 7.2 on (hw/virtio/virtio-qmp.c)."""

from __future__ import annotations

from typing import Final

from ringscope_core.hw.monitor_error import MonitorError
from ringscope_core.hw.virtio import features as f
from ringscope_core.hw.virtio.virtio import VirtIODevice, virtio_get_num_queues
from ringscope_core.hw.virtio.virtqueue import VirtQueue
from ringscope_core.qom.world import World

Members = dict[str, object]

_TRANSPORTS: Final[list[tuple[int, str]]] = [
    (24, "VIRTIO_F_NOTIFY_ON_EMPTY: Notify when device runs out of avail. descs. on VQ"),
    (27, "VIRTIO_F_ANY_LAYOUT: Device accepts arbitrary desc. layouts"),
    (32, "VIRTIO_F_VERSION_1: Device compliant for v1 spec (legacy)"),
    (33, "VIRTIO_F_IOMMU_PLATFORM: Device can be used on IOMMU platform"),
    (34, "VIRTIO_F_RING_PACKED: Device supports packed VQ layout"),
    (35, "VIRTIO_F_IN_ORDER: Device uses buffers in same order as made available by driver"),
    (36, "VIRTIO_F_ORDER_PLATFORM: Memory accesses ordered by platform"),
    (37, "VIRTIO_F_SR_IOV: Device supports single root I/O virtualization"),
    (28, "VIRTIO_RING_F_INDIRECT_DESC: Indirect descriptors supported"),
    (29, "VIRTIO_RING_F_EVENT_IDX: Used & avail. event fields enabled"),
]
_NET: Final[list[tuple[int, str]]] = [
    (0, "VIRTIO_NET_F_CSUM: Device handling packets with partial checksum supported"),
    (1, "VIRTIO_NET_F_GUEST_CSUM: Driver handling packets with partial checksum supported"),
    (2, "VIRTIO_NET_F_CTRL_GUEST_OFFLOADS: Control channel offloading reconfig. supported"),
    (3, "VIRTIO_NET_F_MTU: Device max MTU reporting supported"),
    (5, "VIRTIO_NET_F_MAC: Device has given MAC address"),
    (7, "VIRTIO_NET_F_GUEST_TSO4: Driver can receive TSOv4"),
    (8, "VIRTIO_NET_F_GUEST_TSO6: Driver can receive TSOv6"),
    (9, "VIRTIO_NET_F_GUEST_ECN: Driver can receive TSO with ECN"),
    (10, "VIRTIO_NET_F_GUEST_UFO: Driver can receive UFO"),
    (11, "VIRTIO_NET_F_HOST_TSO4: Device can receive TSOv4"),
    (12, "VIRTIO_NET_F_HOST_TSO6: Device can receive TSOv6"),
    (13, "VIRTIO_NET_F_HOST_ECN: Device can receive TSO with ECN"),
    (14, "VIRTIO_NET_F_HOST_UFO: Device can receive UFO"),
    (15, "VIRTIO_NET_F_MRG_RXBUF: Driver can merge receive buffers"),
    (16, "VIRTIO_NET_F_STATUS: Configuration status field available"),
    (17, "VIRTIO_NET_F_CTRL_VQ: Control channel available"),
    (18, "VIRTIO_NET_F_CTRL_RX: Control channel RX mode supported"),
    (19, "VIRTIO_NET_F_CTRL_VLAN: Control channel VLAN filtering supported"),
    (20, "VIRTIO_NET_F_CTRL_RX_EXTRA: Extra RX mode control supported"),
    (21, "VIRTIO_NET_F_GUEST_ANNOUNCE: Driver sending gratuitous packets supported"),
    (22, "VIRTIO_NET_F_MQ: Multiqueue with automatic receive steering supported"),
    (23, "VIRTIO_NET_F_CTRL_MAC_ADDR: MAC address set through control channel"),
    (57, "VIRTIO_NET_F_HASH_REPORT: Hash reporting supported"),
    (60, "VIRTIO_NET_F_RSS: RSS RX steering supported"),
    (61, "VIRTIO_NET_F_RSC_EXT: Extended coalescing info supported"),
    (62, "VIRTIO_NET_F_STANDBY: Device acting as standby for primary device with same MAC addr. supported"),
    (63, "VIRTIO_NET_F_SPEED_DUPLEX: Device set linkspeed and duplex"),
    (6, "VIRTIO_NET_F_GSO: Handling GSO-type packets supported"),
    (26, "VHOST_F_LOG_ALL: Logging write descriptors supported"),
    (27, "VHOST_NET_F_VIRTIO_NET_HDR: Virtio-net headers for RX and TX packets supported"),
    (30, "VHOST_USER_F_PROTOCOL_FEATURES: Vhost-user protocol features negotiation supported"),
]
_STATUSES: Final[list[tuple[int, str]]] = [
    (4, "VIRTIO_CONFIG_S_DRIVER_OK: Driver setup and ready"),
    (8, "VIRTIO_CONFIG_S_FEATURES_OK: Feature negotiation complete"),
    (2, "VIRTIO_CONFIG_S_DRIVER: Guest OS compatible with device"),
    (0x40, "VIRTIO_CONFIG_S_NEEDS_RESET: Irrecoverable error, device needs reset"),
    (0x80, "VIRTIO_CONFIG_S_FAILED: Error in guest, device failed"),
    (1, "VIRTIO_CONFIG_S_ACKNOWLEDGE: Valid virtio device found"),
]
_ENDIANS: Final = ("unknown", "little", "big")
_MASK64: Final = (1 << 64) - 1


def query_virtio(world: World) -> list[Members]:
    """Every realized virtio device: its name and its path, the newest first."""
    found = [obj for obj in world.objects.values() if isinstance(obj, VirtIODevice) and obj.realized]
    return [{"name": dev.vdev_name, "path": dev.canonical_path()} for dev in reversed(found)]


def virtio_device_at(world: World, path: str) -> VirtIODevice:
    """The realized virtio device at `path`; raises MonitorError with QEMU's text when it is none."""
    found = world.resolve_path(path)
    if not isinstance(found, VirtIODevice) or not found.realized:
        raise MonitorError(f"Path {path} is not a VirtIODevice")
    return found


def feature_names(features: int) -> Members:
    """VirtioDeviceFeatures: names, and what has none as a number.  A transport's bit is not shown as the device's too."""
    left = features & _MASK64
    transports: list[str] = []
    for bit, text in _TRANSPORTS:
        if left >> bit & 1:
            transports.insert(0, text)
            left &= ~(1 << bit)
    names: list[str] = []
    for bit, text in _NET:
        if left >> bit & 1:
            names.insert(0, text)
            left &= ~(1 << bit)
    info: Members = {"transports": transports, "dev-features": names}
    if left:
        info["unknown-dev-features"] = left
    return info


def status_names(status: int) -> Members:
    """VirtioDeviceStatus."""
    names: list[str] = []
    left = status
    for mask, text in _STATUSES:
        if left & mask:
            names.insert(0, text)
            left &= ~mask
    info: Members = {"statuses": names}
    if left:
        info["unknown-statuses"] = left
    return info


def query_virtio_status(world: World, path: str) -> Members:
    """``x-query-virtio-status``."""
    vdev = virtio_device_at(world, path)
    return {
        "name": vdev.vdev_name,
        "device-id": int(vdev.device_id),
        "vhost-started": False,
        "guest-features": feature_names(int(vdev.guest_features)),
        "host-features": feature_names(int(vdev.host_features)),
        "backend-features": feature_names(0),
        "device-endian": _ENDIANS[int(vdev.device_endian)],
        "num-vqs": int(virtio_get_num_queues(vdev)),
        "status": status_names(int(vdev.status)),
        "isr": int(vdev.isr),
        "queue-sel": int(vdev.queue_sel),
        "vm-running": vdev.vm_running,
        "broken": vdev.broken,
        "disabled": vdev.disabled,
        "use-started": vdev.use_started,
        "started": vdev.started,
        "start-on-kick": vdev.start_on_kick,
        "disable-legacy-check": vdev.disable_legacy_check,
        "bus-name": "",
        "use-guest-notifier-mask": vdev.use_guest_notifier_mask,
    }


def _queue_at(vdev: VirtIODevice, queue: int) -> VirtQueue:
    if not 0 <= queue < f.VIRTIO_QUEUE_MAX or not vdev.vq[queue].vring_num:
        raise MonitorError(f"Invalid virtqueue number {queue}")
    return vdev.vq[queue]


def query_virtio_queue_status(world: World, path: str, queue: int) -> Members:
    """``x-query-virtio-queue-status``."""
    vdev = virtio_device_at(world, path)
    vq = _queue_at(vdev, queue)
    return {
        "name": vdev.vdev_name,
        "queue-index": int(vq.queue_index),
        "inuse": int(vq.inuse),
        "vring-num": int(vq.vring_num),
        "vring-num-default": int(vq.vring_num_default),
        "vring-align": int(f.VIRTIO_PCI_VRING_ALIGN),
        "vring-desc": int(vq.vring_desc) & _MASK64,
        "vring-avail": int(vq.vring_avail) & _MASK64,
        "vring-used": int(vq.vring_used) & _MASK64,
        "last-avail-idx": int(vq.last_avail_idx),
        "shadow-avail-idx": int(vq.shadow_avail_idx),
        "used-idx": int(vq.used_idx),
        "signalled-used": int(vq.signalled_used),
        "signalled-used-valid": vq.signalled_used_valid,
    }


def query_vhost_queue_status(world: World, path: str, queue: int) -> Members:
    """``x-query-virtio-vhost-queue-status``: there is no vhost here."""
    virtio_device_at(world, path)
    raise MonitorError("Error: vhost device has not started yet")


_DESC_FLAGS: Final[list[tuple[int, str]]] = [(1, "next"), (2, "write"), (4, "indirect")]
_DESC_SIZE: Final = 16


def query_virtio_queue_element(world: World, path: str, queue: int, index: int = -1) -> Members:
    """``x-query-virtio-queue-element``: the chain at place `index` of a split ring's available ring, -1 for the next one."""
    vdev = virtio_device_at(world, path)
    vq = _queue_at(vdev, queue)
    if vdev.packed:
        raise MonitorError("Packed ring not supported")
    if not vq.vring_desc:
        raise MonitorError("Region caches not initialized")
    memory = vdev.ctx.memory
    num = int(vq.vring_num)

    def u16(at: int) -> int:
        return int.from_bytes(memory.read(at, 2), "little")

    avail, used = int(vq.vring_avail), int(vq.vring_used)
    head = u16(avail + 4 + 2 * ((int(vq.last_avail_idx) if index < 0 else index) % num))
    table, size, at = int(vq.vring_desc), num, head
    descs: list[Members] = []
    if at < size:
        desc = memory.read(table + _DESC_SIZE * at, _DESC_SIZE)
        if desc[12] & 4:
            table, size, at = int.from_bytes(desc[:8], "little"), int.from_bytes(desc[8:12], "little") // _DESC_SIZE, 0
    while at < size and len(descs) < size:
        desc = memory.read(table + _DESC_SIZE * at, _DESC_SIZE)
        flags = int.from_bytes(desc[12:14], "little")
        names = [name for bit, name in _DESC_FLAGS if flags & bit][::-1]
        descs.append({"addr": int.from_bytes(desc[:8], "little"), "len": int.from_bytes(desc[8:12], "little"), "flags": names})
        if not flags & 1:
            break
        at = int.from_bytes(desc[14:16], "little")
    return {
        "name": vdev.vdev_name,
        "index": head,
        "ndescs": len(descs),
        "avail": {"flags": u16(avail), "idx": u16(avail + 2), "ring": head},
        "used": {"flags": u16(used), "idx": u16(used + 2)},
        "descs": descs,
    }
