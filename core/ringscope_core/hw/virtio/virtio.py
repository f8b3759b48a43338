"""Status, features, queues and configuration space of any virtio device (QEMU 4.1.0, hw/virtio/virtio.c).

Functions keep QEMU's names.  Transports call them for register accesses; devices hook in through VirtioDeviceClass.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, final

from mypy_extensions import i64

from ringscope_core.hw.context import MemoryListener, VmStateHandler
from ringscope_core.hw.qdev.device import DeviceState
from ringscope_core.hw.virtio import features as f
from ringscope_core.hw.virtio.device import (
    SIZEOF_VIRTQUEUE,
    VirtIODevice,
    VirtioDeviceClass,
    VirtioInstrument,
    virtio_bus_class,
    virtio_notify_config,
    virtio_notify_vector,
    virtio_update_irq,
)
from ringscope_core.hw.virtio.features import VIRTIO_NO_VECTOR, VIRTIO_QUEUE_MAX, VIRTQUEUE_MAX_SIZE, has
from ringscope_core.hw.virtio.packed import EVENT_BYTES
from ringscope_core.hw.virtio.virtqueue import F_AVAIL, F_DESC, F_NUM, F_USED, F_VECTOR, OutputHandler, VirtQueue, create_queue, delete_queue
from ringscope_core.qom.calls import declare
from ringscope_core.qom.errp import Errp
from ringscope_core.trace.bits import ones
from ringscope_core.trace.kinds import EV_KICK, EV_OBJ_CHILD, EV_OBJ_FREE, EV_OBJ_NEW
from ringscope_core.trace.levels import LEVEL_FULL
from ringscope_core.trace.mainloop import BottomHalf
from ringscope_core.trace.oids import ring_oid

if TYPE_CHECKING:
    pass

__all__ = [
    "VIRTIO_NO_VECTOR",
    "VIRTIO_QUEUE_MAX",
    "VirtIODevice",
    "VirtioDeviceClass",
    "virtio_notify_config",
    "virtio_notify_vector",
    "virtio_update_irq",
]

FN_INIT: Final = declare("virtio_init", "vdev:ptr name:str device_id:value config_size:bytes")
FN_ADD_QUEUE: Final = declare("virtio_add_queue", "vdev:ptr queue_size:count handle_output:str")
FN_DEL_QUEUE: Final = declare("virtio_del_queue", "vdev:ptr n:count")
FN_SET_STATUS: Final = declare("virtio_set_status", "vdev:ptr val:flags")
FN_RESET: Final = declare("virtio_reset", "opaque:ptr")
FN_SET_FEATURES: Final = declare("virtio_set_features", "vdev:ptr val:flags")
FN_NOTIFY: Final = declare("virtio_queue_notify", "vdev:ptr n:count")
FN_VMSTATE_CHANGE: Final = declare("virtio_vmstate_change", "opaque:ptr running:bool")
FN_CLEANUP: Final = declare("virtio_cleanup", "vdev:ptr")

FN_DEVICE_REALIZE: Final = declare("virtio_device_realize", "dev:ptr errp:ptr")
FN_DEVICE_UNREALIZE: Final = declare("virtio_device_unrealize", "dev:ptr errp:ptr")

LOCAL_ERR_OF_VIRTIO_DEVICE_REALIZE: Final[i64] = 0x60
"""How far below its caller's Error * virtio_device_realize keeps its own, in the build of the known backtrace."""

VIRTIO_DEVICE_ENDIAN_LITTLE: Final[i64] = 1
EINVAL: Final[i64] = 22
EFAULT: Final[i64] = 14


class HostNotifier(BottomHalf):
    """A queue's ioeventfd: a kick sets it, the main loop reads it and runs the queue's handler."""

    def __init__(self, vdev: VirtIODevice, vq: VirtQueue) -> None:
        super().__init__()
        self.vdev: VirtIODevice = vdev
        self.vq: VirtQueue = vq

    def run(self) -> None:
        """virtio_queue_host_notifier_read."""
        log = self.vq.log
        cause = log.cause
        log.cause = self.cause
        virtio_queue_notify_vq(self.vdev, self.vq)
        log.cause = cause


class VirtioVmState(VmStateHandler):
    """virtio_vmstate_change."""

    def __init__(self, vdev: VirtIODevice) -> None:
        self.vdev: VirtIODevice = vdev

    def change(self, running: bool) -> None:
        """Going on, the device starts before its transport; stopping, after it."""
        vdev = self.vdev
        log = vdev.ctx.log
        FN_VMSTATE_CHANGE.enter(log, vdev.addr, i64(running))
        backend_run = running and vdev.status & f.VIRTIO_CONFIG_S_DRIVER_OK != 0
        vdev.vm_running = running
        vdev.sync_fields()
        if backend_run:
            virtio_set_status(vdev, vdev.status)
        bus = vdev.parent_bus
        if bus is not None:
            hook = virtio_bus_class(vdev).vmstate_change
            parent = bus.parent_device
            if hook is not None and parent is not None:
                hook(parent, backend_run)
        if not backend_run:
            virtio_set_status(vdev, vdev.status)
        log.leave()


# -- realize ----------------------------------------------------------------------------------------------------------
def _virtio_device(dev: DeviceState) -> VirtIODevice:
    assert isinstance(dev, VirtIODevice)
    return dev


def virtio_device_realize(dev: DeviceState, errp: Errp) -> None:
    """DeviceClass.realize of every virtio device: its own realize, then the transport's device_plugged, undone when that fails."""
    from ringscope_core.hw.virtio.virtio_bus import virtio_bus_device_plugged

    vdev = _virtio_device(dev)
    log = vdev.ctx.log
    FN_DEVICE_REALIZE.enter(log, vdev.addr, errp.addr)
    vdc = vdev.vdc()
    err = errp.local(LOCAL_ERR_OF_VIRTIO_DEVICE_REALIZE)
    vdev.sync_fields()
    realize = vdc.vdc_realize
    if realize is not None:
        log.at(2613)
        realize(vdev, err)
    if not err.failed():
        log.at(2620)
        virtio_bus_device_plugged(vdev, err)
        vdev.sync_fields()
        if err.failed():
            log.at(2623)
            unrealize = vdc.vdc_unrealize
            if unrealize is not None:
                unrealize(vdev)
    if not err.failed():
        log.at(2627)
        log.at(2628)
        listener = RegionCacheListener(vdev)
        vdev.memory_listener = listener
        vdev.ctx.memory_listeners.append(listener)
    err.propagate_to(errp)
    log.leave()


def virtio_device_unrealize(dev: DeviceState, errp: Errp) -> None:
    """DeviceClass.unrealize: leave the transport, then undo the device's own realize."""
    from ringscope_core.hw.virtio.virtio_bus import virtio_bus_device_unplugged

    vdev = _virtio_device(dev)
    log = vdev.ctx.log
    FN_DEVICE_UNREALIZE.enter(log, vdev.addr, errp.addr)
    virtio_bus_device_unplugged(vdev)
    listener = vdev.memory_listener
    if listener is not None:
        vdev.ctx.memory_listeners.remove(listener)
        vdev.memory_listener = None
    unrealize = vdev.vdc().vdc_unrealize
    if unrealize is not None:
        unrealize(vdev)
    log.leave()


# -- life -------------------------------------------------------------------------------------------------------------
def virtio_init(vdev: VirtIODevice, name: str, device_id: i64, config_size: i64) -> None:
    """Set up the common part: 1024 absent queues, no vectors, status 0."""
    ctx = vdev.ctx
    log = ctx.log
    FN_INIT.enter(log, vdev.addr, log.text(name), device_id, config_size)
    vdev.v7_2 = vdev.world.v7_2
    vdev.start_on_kick = False
    vdev.started = False
    vdev.device_id = device_id
    vdev.status = 0
    vdev.isr = 0
    vdev.queue_sel = 0
    vdev.config_vector = VIRTIO_NO_VECTOR
    vdev.vm_running = ctx.vm_running
    vdev.disabled = False
    vdev.set_broken(False)
    vdev.vq = [VirtQueue(vdev, ctx.memory, log, index, ring_oid(vdev.bdf, index)) for index in range(int(VIRTIO_QUEUE_MAX))]
    vdev.vdev_name = name
    vdev.config_len = config_size
    vdev.config = bytearray(config_size)
    vdev.device_endian = VIRTIO_DEVICE_ENDIAN_LITTLE
    vdev.use_guest_notifier_mask = True
    vdev.vmstate = VirtioVmState(vdev)
    ctx.vm_state_handlers.append(vdev.vmstate)
    vdev.instrument = VirtioInstrument(vdev)
    ctx.instruments.append(vdev.instrument)
    vdev.sync_fields()
    log.leave()


def virtio_cleanup(vdev: VirtIODevice) -> None:
    """Undo virtio_init."""
    ctx = vdev.ctx
    log = ctx.log
    FN_CLEANUP.enter(log, vdev.addr)
    if vdev.vmstate is not None:
        ctx.vm_state_handlers.remove(vdev.vmstate)
        vdev.vmstate = None
    if vdev.instrument is not None:
        ctx.instruments.remove(vdev.instrument)
        vdev.instrument = None
    for vq in vdev.vq:
        if vq.counters is not None:
            virtio_del_queue(vdev, vq.queue_index)
    vdev.config = bytearray()
    vdev.vq = []
    log.leave()


def virtio_add_queue(vdev: VirtIODevice, queue_size: i64, handler: OutputHandler) -> VirtQueue:
    """The first absent queue becomes one of `queue_size` entries.

    Raises AssertionError where QEMU aborts: no queue is left, or the size passes 1024.
    """
    log = vdev.ctx.log
    FN_ADD_QUEUE.enter(log, vdev.addr, queue_size, log.text(handler.name))
    found: VirtQueue | None = None
    for vq in vdev.vq:
        if vq.vring_num == 0:
            found = vq
            break
    assert found is not None and queue_size <= VIRTQUEUE_MAX_SIZE
    log.emit(EV_OBJ_NEW, found.oid, log.text("VirtQueue"), 0, SIZEOF_VIRTQUEUE)
    log.emit(EV_OBJ_CHILD, found.oid, vdev.oid, log.text(f"vq[{found.queue_index}]"))
    create_queue(found, queue_size, handler, vdev.ctx.ring_counters(found.oid))
    vdev.notifiers[int(found.queue_index)] = HostNotifier(vdev, found)
    log.leave()
    return found


def virtio_del_queue(vdev: VirtIODevice, n: i64) -> None:
    """Queue `n` no longer exists."""
    log = vdev.ctx.log
    FN_DEL_QUEUE.enter(log, vdev.addr, n)
    vq = vdev.vq[n]
    notifier = vdev.notifiers.pop(int(n), None)
    if notifier is not None:
        vdev.ctx.loop.bh_cancel(notifier)
    delete_queue(vq)
    log.emit(EV_OBJ_FREE, vq.oid)
    log.leave()


def virtio_get_num_queues(vdev: VirtIODevice) -> i64:
    """Queues up to the first absent one."""
    n: i64 = 0
    for vq in vdev.vq:
        if vq.vring_num == 0:
            break
        n += 1
    return n


# -- status and features ----------------------------------------------------------------------------------------------
def virtio_validate_features(vdev: VirtIODevice) -> i64:
    """0 when what the driver accepted will do."""
    if has(vdev.host_features, f.VIRTIO_F_IOMMU_PLATFORM) and not has(vdev.guest_features, f.VIRTIO_F_IOMMU_PLATFORM):
        return -EFAULT
    hook = vdev.vdc().validate_features
    return hook(vdev) if hook is not None else 0


def virtio_set_started(vdev: VirtIODevice, started: bool) -> None:
    """The device starts or stops being used."""
    if started:
        vdev.start_on_kick = False
    if vdev.use_started:
        vdev.started = started


def virtio_set_status(vdev: VirtIODevice, val: i64) -> i64:
    """The driver writes device_status (virtio 1.x, 2.1).  No order of bits is enforced; returns 0, or an error that keeps the old status."""
    log = vdev.ctx.log
    FN_SET_STATUS.enter(log, vdev.addr, val)
    ret: i64 = 0
    if has(vdev.guest_features, f.VIRTIO_F_VERSION_1) and vdev.status & f.VIRTIO_CONFIG_S_FEATURES_OK == 0 and val & f.VIRTIO_CONFIG_S_FEATURES_OK:
        ret = virtio_validate_features(vdev)
    if ret == 0:
        if (vdev.status ^ val) & f.VIRTIO_CONFIG_S_DRIVER_OK:
            virtio_set_started(vdev, val & f.VIRTIO_CONFIG_S_DRIVER_OK != 0)
        hook = vdev.vdc().set_status
        if hook is not None:
            hook(vdev, val)
        vdev.status = val
        vdev.sync_fields()
    log.leave(ret)
    return ret


def _set_features_nocheck(vdev: VirtIODevice, val: i64) -> bool:
    """virtio_set_features_nocheck: True when `val` held bits that were not offered; they are masked off."""
    accepted = val & vdev.host_features
    hook = vdev.vdc().set_features
    if hook is not None:
        hook(vdev, accepted)
    vdev.set_guest_features(accepted)
    return val != accepted


def virtio_set_features(vdev: VirtIODevice, val: i64) -> i64:
    """The driver accepts `val`.  Returns -22 after FEATURES_OK, -1 when it held bits that were not offered (they are masked off), else 0."""
    if vdev.status & f.VIRTIO_CONFIG_S_FEATURES_OK:
        return -EINVAL
    log = vdev.ctx.log
    FN_SET_FEATURES.enter(log, vdev.addr, val)
    bad = _set_features_nocheck(vdev, val)
    if vdev.event_idx and (vdev.v7_2 or not bad):
        # the event index makes the rings longer
        for vq in vdev.vq:
            if vq.vring_desc != 0:
                virtio_init_region_cache(vdev, vq)
    if (not bad or not vdev.v7_2) and vdev.use_started and not vdev.started and not has(vdev.guest_features, f.VIRTIO_F_VERSION_1):
        vdev.start_on_kick = True
    vdev.sync_fields()
    ret: i64 = -1 if bad else 0
    log.leave(ret)
    return ret


def virtio_reset(vdev: VirtIODevice) -> None:
    """Back to power-on, but for host_features and generation (virtio 1.x, 2.4)."""
    log = vdev.ctx.log
    FN_RESET.enter(log, vdev.addr)
    virtio_set_status(vdev, 0)
    hook = vdev.vdc().vdc_reset
    if hook is not None:
        hook(vdev)
    vdev.start_on_kick = False
    vdev.started = False
    vdev.disabled = False
    vdev.set_broken(False)
    if vdev.v7_2:
        # 7.2.22 lets the device hear that no feature is left; 4.1 only forgets them
        _set_features_nocheck(vdev, 0)
    else:
        vdev.set_guest_features(0)
    vdev.queue_sel = 0
    vdev.status = 0
    vdev.set_isr(0)
    vdev.config_vector = VIRTIO_NO_VECTOR
    virtio_notify_vector(vdev, VIRTIO_NO_VECTOR)
    for vq in vdev.vq:
        if vq.counters is not None:
            vq.reset()
        elif vq.left_over:
            vq.clear()
        else:
            vq.vector = VIRTIO_NO_VECTOR
    for notifier in vdev.notifiers.values():
        vdev.ctx.loop.bh_cancel(notifier)
    vdev.sync_fields()
    log.leave()


# -- queues -----------------------------------------------------------------------------------------------------------
def virtio_queue_reset(vdev: VirtIODevice, n: i64) -> None:
    """The driver resets queue `n` alone (7.2; virtio 1.2, 2.6.1)."""
    hook = vdev.vdc().queue_reset
    if hook is not None:
        hook(vdev, n)
    vq = vdev.vq[n]
    if vq.counters is not None:
        vq.reset()
    elif vq.left_over:
        vq.clear()
    else:
        vq.vector = VIRTIO_NO_VECTOR


def virtio_queue_get_num(vdev: VirtIODevice, n: i64) -> i64:
    """Entries of queue `n`, 0 for an absent one."""
    return vdev.vq[n].vring_num


def virtio_queue_get_max_num(vdev: VirtIODevice, n: i64) -> i64:
    """The size that queue `n` has after reset."""
    return vdev.vq[n].vring_num_default


def virtio_queue_set_num(vdev: VirtIODevice, n: i64, num: i64) -> None:
    """Set the size; one that would make or unmake the queue, or passes 1024, is ignored.  It need not be a power of two."""
    vq = vdev.vq[n]
    if (num == 0) != (vq.vring_num == 0) or num > VIRTQUEUE_MAX_SIZE or num < 0:
        return
    if vq.counters is not None:
        vq.log.field(vq.oid, F_NUM, num, vq.vring_num)
    vq.vring_num = num
    vq.forget()


def virtio_queue_set_rings(vdev: VirtIODevice, n: i64, desc: i64, avail: i64, used: i64) -> None:
    """Where the parts of ring `n` lie (guest addresses); nothing is checked but that they can be mapped."""
    vq = vdev.vq[n]
    if vq.vring_num == 0:
        return
    _set_ring_addresses(vq, desc, avail, used)
    virtio_init_region_cache(vdev, vq)


def _set_ring_addresses(vq: VirtQueue, desc: i64, avail: i64, used: i64) -> None:
    log = vq.log
    log.field(vq.oid, F_DESC, desc, vq.vring_desc)
    log.field(vq.oid, F_AVAIL, avail, vq.vring_avail)
    log.field(vq.oid, F_USED, used, vq.vring_used)
    vq.vring_desc = desc
    vq.vring_avail = avail
    vq.vring_used = used
    vq.forget()


def virtio_queue_set_addr(vdev: VirtIODevice, n: i64, addr: i64) -> None:
    """The legacy layout: the available ring behind the descriptors, the used ring on the next aligned address."""
    vq = vdev.vq[n]
    if vq.vring_num == 0:
        return
    if addr == 0 or vq.vring_align == 0:
        _set_ring_addresses(vq, addr, vq.vring_avail, vq.vring_used)
        return
    avail = addr + 16 * vq.vring_num
    align = vq.vring_align
    used = (avail + 4 + 2 * vq.vring_num + align - 1) // align * align
    _set_ring_addresses(vq, addr, avail, used)
    virtio_init_region_cache(vdev, vq)


def virtio_queue_get_addr(vdev: VirtIODevice, n: i64) -> i64:
    """The descriptor table's address."""
    return vdev.vq[n].vring_desc


def virtio_init_region_cache(vdev: VirtIODevice, vq: VirtQueue) -> None:
    """Check that the ring's parts lie in one piece of memory each: virtio_error when one crosses RAM's end."""
    vq.mapped_num = 0
    if vq.vring_desc == 0:
        return
    num = vq.vring_num
    event: i64 = 2 if vdev.event_idx else 0
    used = EVENT_BYTES if vdev.packed else 4 + 8 * num + event
    avail = EVENT_BYTES if vdev.packed else 4 + 2 * num + event
    memory = vdev.ctx.memory
    if memory.section_length(vq.vring_desc, 16 * num) < 16 * num:
        vdev.virtio_error("Cannot map desc")
    elif memory.section_length(vq.vring_used, used) < used:
        vdev.virtio_error("Cannot map used")
    elif memory.section_length(vq.vring_avail, avail) < avail:
        vdev.virtio_error("Cannot map avail")
    else:
        vq.mapped_num = num


@final
class RegionCacheListener(MemoryListener):
    """virtio_memory_listener_commit: the rings are mapped again, with the sizes that they have by now."""

    def __init__(self, vdev: VirtIODevice) -> None:
        self.vdev: VirtIODevice = vdev

    def commit(self) -> None:
        """Every queue up to the first absent one."""
        for vq in self.vdev.vq:
            if vq.vring_num == 0:
                break
            if vq.vring_desc != 0:
                virtio_init_region_cache(self.vdev, vq)
                vq.forget()


def virtio_queue_vector(vdev: VirtIODevice, n: i64) -> i64:
    """The MSI-X vector of queue `n`, 0xffff for none."""
    return vdev.vq[n].vector if n < VIRTIO_QUEUE_MAX else VIRTIO_NO_VECTOR


def virtio_queue_set_vector(vdev: VirtIODevice, n: i64, vector: i64) -> None:
    """Give queue `n` a vector."""
    if n < VIRTIO_QUEUE_MAX:
        vq = vdev.vq[n]
        if vq.counters is not None:
            vq.log.field(vq.oid, F_VECTOR, vector, vq.vector)
        vq.vector = vector


def virtio_queue_notify(vdev: VirtIODevice, n: i64) -> None:
    """The driver kicks queue `n`: run its handler now."""
    vq = vdev.vq[n]
    if vq.vring_desc == 0 or vdev.inactive:
        return
    virtio_queue_notify_vq(vdev, vq)


def virtio_queue_notify_vq(vdev: VirtIODevice, vq: VirtQueue) -> None:
    """Run a queue's handler on behalf of a kick."""
    if vq.vring_desc == 0 or vdev.inactive:
        return
    handler = vq.handle_output
    if handler is None:
        return
    vdev.ctx.memory.turn += 1
    log = vdev.ctx.log
    counters = vq.counters
    if counters is not None:
        counters.kicks += 1
    full = log.level >= LEVEL_FULL
    cause = log.cause
    if full:
        log.cause = log.emit(EV_KICK, vq.oid, vq.queue_index)
        FN_NOTIFY.enter(log, vdev.addr, vq.queue_index)
    handler.handle(vq)
    if vdev.start_on_kick:
        virtio_set_started(vdev, True)
        vdev.sync_fields()
    if full:
        log.leave()
        log.cause = cause


def virtio_queue_host_notifier_set(vdev: VirtIODevice, n: i64) -> None:
    """The ioeventfd of queue `n` is set: its handler runs from the main loop.  An absent queue has none and nothing to handle."""
    notifier = vdev.notifiers.get(int(n))
    if notifier is not None:
        notifier.cause = vdev.ctx.log.cause
        vdev.ctx.loop.bh_schedule(notifier)


# -- configuration space ----------------------------------------------------------------------------------------------
def virtio_config_modern_read(vdev: VirtIODevice, addr: i64, size: i64) -> i64:
    """`size` bytes (1, 2, 4) of the configuration at `addr`, little-endian; all ones beyond its end."""
    if addr < 0 or addr + size > vdev.config_len:
        return ones(size)
    hook = vdev.vdc().get_config
    if hook is not None:
        hook(vdev)
    return int.from_bytes(vdev.config[int(addr) : int(addr + size)], "little")


def virtio_config_modern_write(vdev: VirtIODevice, addr: i64, size: i64, val: i64) -> None:
    """Write `size` bytes; what lies beyond the end is dropped."""
    if addr < 0 or addr + size > vdev.config_len:
        return
    vdev.config[int(addr) : int(addr + size)] = int(val & ones(size)).to_bytes(int(size), "little")
    hook = vdev.vdc().set_config
    if hook is not None:
        hook(vdev)


def virtio_config_read(vdev: VirtIODevice, addr: i64, size: i64) -> i64:
    """The legacy transport's read; the guest is little-endian, so it is the modern one."""
    return virtio_config_modern_read(vdev, addr, size)


def virtio_config_write(vdev: VirtIODevice, addr: i64, size: i64, val: i64) -> None:
    """The legacy transport's write."""
    virtio_config_modern_write(vdev, addr, size, val)
