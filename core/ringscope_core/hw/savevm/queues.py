"""The state of virtqueues, split and packed (virtio_save, virtio_load, "virtio/virtqueues", "virtio/packed_virtqueues")."""

from __future__ import annotations

from mypy_extensions import i64

from ringscope_core.hw.savevm.stream import LoadError, LoadStream, SaveStream
from ringscope_core.hw.virtio.features import VIRTIO_NO_VECTOR, VIRTIO_QUEUE_MAX, VIRTQUEUE_MAX_SIZE
from ringscope_core.hw.virtio.virtio import VirtIODevice, virtio_get_num_queues, virtio_init_region_cache
from ringscope_core.hw.virtio.virtqueue import F_AVAIL, F_DESC, F_NUM, F_USED, F_VECTOR, VirtQueue
from ringscope_core.hw.virtio_pci.proxy import VirtIOPCIProxy
from ringscope_core.trace.state import (
    F_INUSE,
    F_LAST_AVAIL,
    F_LAST_AVAIL_WRAP,
    F_NOTIFICATION,
    F_SHADOW_AVAIL,
    F_SHADOW_AVAIL_WRAP,
    F_SIGNALLED,
    F_SIGNALLED_VALID,
    F_USED_IDX,
    F_USED_WRAP,
)


def save_queues(vdev: VirtIODevice, in_flight: dict[int, int], out: SaveStream) -> None:
    """Every queue up to the first that does not exist.

    `in_flight` has the descriptors of the element that each queue's peer holds back: it is saved as not taken, so that whoever
    loads it sends it.  QEMU saves it as taken, and nobody ever uses it.
    """
    count = int(virtio_get_num_queues(vdev))
    out.put(count, 4)
    for vq in vdev.vq[:count]:
        last, wrap = _not_taken(vdev, vq, in_flight.get(int(vq.queue_index), 0))
        out.put(int(vq.vring_num), 4)
        out.put(int(vq.vring_desc), 8)
        out.put(int(vq.vring_avail), 8)
        out.put(int(vq.vring_used), 8)
        out.put(int(vq.vector), 2)
        out.put(last, 2)
        out.put(int(vq.used_idx), 2)
        out.put(int(vq.signalled_used), 2)
        out.flag(vq.signalled_used_valid)
        out.flag(vq.notification)
        out.flag(wrap)
        out.flag(vq.used_wrap)
        out.put(int(vq.inuse) - in_flight.get(int(vq.queue_index), 0), 4)


def _not_taken(vdev: VirtIODevice, vq: VirtQueue, descs: int) -> tuple[int, bool]:
    """last_avail_idx and its wrap counter before the last element of `descs` descriptors was taken."""
    last = int(vq.last_avail_idx) - descs
    if not vdev.packed:
        return last & 0xFFFF, vq.last_avail_wrap
    if last < 0:
        return last + int(vq.vring_num), not vq.last_avail_wrap
    return last, vq.last_avail_wrap


def count_of(stream: LoadStream) -> int:
    """How many queues the stream has (CVE-2013-4151)."""
    count = stream.get(4)
    if count > VIRTIO_QUEUE_MAX:
        raise LoadError(f"Invalid number of virtqueues: 0x{count:x}")
    return count


def load_queues(vdev: VirtIODevice, proxy: VirtIOPCIProxy, count: int, stream: LoadStream) -> None:
    """Addresses and indices, checked against each other and against what lies in guest memory.

    A packed ring's number of descriptors in use may be anything, as it may be in QEMU: too many stop the queue.
    """
    for index in range(count):
        _load_queue(vdev, proxy, vdev.vq[index], index, stream)
    for index in range(count):
        vq = vdev.vq[index]
        broken = vdev.broken
        if vq.vring_desc:
            virtio_init_region_cache(vdev, vq)
            if vdev.broken == broken:
                _check_indices(vdev, vq, index)


def _load_queue(vdev: VirtIODevice, proxy: VirtIOPCIProxy, vq: VirtQueue, index: int, stream: LoadStream) -> None:
    num = stream.get(4)
    if not 0 < num <= VIRTQUEUE_MAX_SIZE:
        raise LoadError(f"VQ {index} size 0x{num:x} is not between 0x1 and 0x{int(VIRTQUEUE_MAX_SIZE):x}")
    desc, avail, used = stream.get64(), stream.get64(), stream.get64()
    vector = stream.get(2)
    last_avail, used_idx, signalled = stream.get(2), stream.get(2), stream.get(2)
    signalled_valid = stream.flag("signalled_used_valid")
    notification = stream.flag("notification")
    avail_wrap = stream.flag("last_avail_wrap_counter")
    used_wrap = stream.flag("used_wrap_counter")
    inuse = stream.get(4)
    if desc == 0 and last_avail:
        raise LoadError(f"VQ {index} address 0x0 inconsistent with Host index 0x{last_avail:x}")
    if vdev.packed and desc and (last_avail >= num or used_idx >= num):
        raise LoadError(f"VQ {index} size 0x{num:x} inconsistent with Host index 0x{last_avail:x} and used index 0x{used_idx:x}")
    if vector != VIRTIO_NO_VECTOR:
        msix = proxy.msix
        if msix is None or not msix.vector_use(vector):
            raise LoadError(f"{stream.name}: vector 0x{vector:x} of VQ {index} is no vector of the device")
    log, oid = vq.log, vq.oid
    log.field(oid, F_NUM, num, vq.vring_num)
    log.field(oid, F_DESC, desc, vq.vring_desc)
    log.field(oid, F_AVAIL, avail, vq.vring_avail)
    log.field(oid, F_USED, used, vq.vring_used)
    log.field(oid, F_VECTOR, vector, vq.vector)
    vq.vring_num, vq.vring_desc, vq.vring_avail, vq.vring_used, vq.vector = num, desc, avail, used, vector
    log.field(oid, F_NOTIFICATION, i64(notification), i64(vq.notification))
    log.field(oid, F_SIGNALLED, signalled, vq.signalled_used)
    log.field(oid, F_SIGNALLED_VALID, i64(signalled_valid), i64(vq.signalled_used_valid))
    log.field(oid, F_LAST_AVAIL_WRAP, i64(avail_wrap), i64(vq.last_avail_wrap))
    log.field(oid, F_SHADOW_AVAIL_WRAP, i64(avail_wrap), i64(vq.shadow_avail_wrap))
    log.field(oid, F_USED_WRAP, i64(used_wrap), i64(vq.used_wrap))
    vq.notification, vq.signalled_used, vq.signalled_used_valid = notification, signalled, signalled_valid
    vq.last_avail_wrap, vq.shadow_avail_wrap, vq.used_wrap = avail_wrap, avail_wrap, used_wrap
    _set_indices(vq, last_avail, last_avail, used_idx, inuse)
    vq.forget()


def _set_indices(vq: VirtQueue, last_avail: i64, shadow: i64, used: i64, inuse: i64) -> None:
    log, oid = vq.log, vq.oid
    log.field(oid, F_LAST_AVAIL, last_avail, vq.last_avail_idx)
    log.field(oid, F_SHADOW_AVAIL, shadow, vq.shadow_avail_idx)
    log.field(oid, F_USED_IDX, used, vq.used_idx)
    log.field(oid, F_INUSE, inuse, vq.inuse)
    vq.last_avail_idx, vq.shadow_avail_idx, vq.used_idx, vq.inuse = last_avail, shadow, used, inuse


def _check_indices(vdev: VirtIODevice, vq: VirtQueue, index: int) -> None:
    """The second loop of virtio_load: a split ring's indices as guest memory has them."""
    if vdev.packed or vq.vring_avail == 0:
        return
    num = int(vq.vring_num)
    last = int(vq.last_avail_idx)
    memory = vq.memory
    guest = int(memory.read_u16(vq.vring_avail + 2))
    heads = (guest - last) & 0xFFFF
    if heads > num:
        text = f"VQ {index} size 0x{num:x} Guest index 0x{guest:x} inconsistent with Host index 0x{last:x}: delta 0x{heads:x}"
        if not vdev.v7_2:
            raise LoadError(text)
        # 7.2 loads, and asks the driver for a reset
        if not vdev.inactive:
            vdev.virtio_error(text)
        _set_indices(vq, last, 0, 0, 0)
        return
    used = int(memory.read_u16(vq.vring_used + 2)) if vq.vring_used else 0
    inuse = (last - used) & 0xFFFF
    if inuse > num:
        raise LoadError(f"VQ {index} size 0x{num:x} < last_avail_idx 0x{last:x} - used_idx 0x{used:x}")
    # of a broken device the last element may have gone lost in virtqueue_pop
    _set_indices(vq, last, guest, used, vq.inuse if vdev.broken and vq.inuse < inuse else inuse)
