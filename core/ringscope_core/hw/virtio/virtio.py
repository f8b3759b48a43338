"""VirtIODevice: status, features, queues and interrupts of any virtio device (QEMU 4.1.0, hw/virtio/virtio.c).

Functions keep QEMU's names.  Transports call them for register accesses; devices hook in through VirtioDeviceClass.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from mypy_extensions import i64

from ringscope_core.hw.context import Instrument, VmStateHandler
from ringscope_core.hw.qdev.device import DeviceState
from ringscope_core.hw.qdev.device_class import DeviceClass
from ringscope_core.hw.virtio import features as f
from ringscope_core.hw.virtio.features import VIRTIO_NO_VECTOR, VIRTIO_QUEUE_MAX, VIRTQUEUE_MAX_SIZE, has
from ringscope_core.hw.virtio.virtqueue import F_AVAIL, F_DESC, F_NUM, F_USED, F_VECTOR, OutputHandler, VirtQueue, create_queue, delete_queue
from ringscope_core.qom.errp import Errp
from ringscope_core.qom.klass import ObjectClass
from ringscope_core.trace.fields import field
from ringscope_core.trace.functions import fn
from ringscope_core.trace.kinds import EV_FIELD, EV_KICK, EV_NOTIFY, EV_NOTIFY_SUPPRESSED, EV_OBJ_CHILD, EV_OBJ_FREE, EV_OBJ_NEW, EV_VIRTIO_ERROR
from ringscope_core.trace.levels import LEVEL_FULL
from ringscope_core.trace.mainloop import BottomHalf
from ringscope_core.trace.oids import ring_oid
from ringscope_core.trace.state import MachineState, ObjectState
from ringscope_core.trace.structs import STRUCTS

if TYPE_CHECKING:
    from ringscope_core.hw.virtio.virtio_bus import VirtioBusClass

__all__ = ["VIRTIO_NO_VECTOR", "VIRTIO_QUEUE_MAX"]

F_NAME: Final[i64] = field("VirtIODevice.name", "str")
F_STATUS: Final[i64] = field("VirtIODevice.status", "flags")
F_ISR: Final[i64] = field("VirtIODevice.isr", "flags")
F_QUEUE_SEL: Final[i64] = field("VirtIODevice.queue_sel", "count")
F_GUEST_FEATURES: Final[i64] = field("VirtIODevice.guest_features", "flags")
F_HOST_FEATURES: Final[i64] = field("VirtIODevice.host_features", "flags")
F_CONFIG_LEN: Final[i64] = field("VirtIODevice.config_len", "bytes")
F_CONFIG_VECTOR: Final[i64] = field("VirtIODevice.config_vector", "flags")
F_GENERATION: Final[i64] = field("VirtIODevice.generation", "count")
F_DEVICE_ID: Final[i64] = field("VirtIODevice.device_id", "count")
F_VM_RUNNING: Final[i64] = field("VirtIODevice.vm_running", "bool")
F_BROKEN: Final[i64] = field("VirtIODevice.broken", "bool")
F_STARTED: Final[i64] = field("VirtIODevice.started", "bool")
F_START_ON_KICK: Final[i64] = field("VirtIODevice.start_on_kick", "bool")
F_USE_GUEST_NOTIFIER_MASK: Final[i64] = field("VirtIODevice.use_guest_notifier_mask", "bool")
F_DEVICE_ENDIAN: Final[i64] = field("VirtIODevice.device_endian", "count")

FN_INIT: Final[i64] = fn("virtio_init", "vdev:ptr name:str device_id:value config_size:bytes")
FN_ADD_QUEUE: Final[i64] = fn("virtio_add_queue", "vdev:ptr queue_size:count handle_output:str")
FN_DEL_QUEUE: Final[i64] = fn("virtio_del_queue", "vdev:ptr n:count")
FN_SET_STATUS: Final[i64] = fn("virtio_set_status", "vdev:ptr val:flags")
FN_RESET: Final[i64] = fn("virtio_reset", "opaque:ptr")
FN_SET_FEATURES: Final[i64] = fn("virtio_set_features", "vdev:ptr val:flags")
FN_NOTIFY: Final[i64] = fn("virtio_queue_notify", "vdev:ptr n:count")
FN_NOTIFY_CONFIG: Final[i64] = fn("virtio_notify_config", "vdev:ptr")
FN_VMSTATE_CHANGE: Final[i64] = fn("virtio_vmstate_change", "opaque:ptr running:bool")
FN_CLEANUP: Final[i64] = fn("virtio_cleanup", "vdev:ptr")

FN_DEVICE_REALIZE: Final[i64] = fn("virtio_device_realize", "dev:ptr errp:ptr")
FN_DEVICE_UNREALIZE: Final[i64] = fn("virtio_device_unrealize", "dev:ptr errp:ptr")

LOCAL_ERR_OF_VIRTIO_DEVICE_REALIZE: Final[i64] = 0x60
"""How far below its caller's Error * virtio_device_realize keeps its own, in the build of the known backtrace."""
LINE_DEVICE_REALIZE: Final[i64] = 2603
LINE_DEVICE_UNREALIZE: Final[i64] = 2631
LINE_RESET: Final[i64] = 1199
LINE_SET_STATUS: Final[i64] = 1150
LINE_NOTIFY: Final[i64] = 1564
LINE_ADD_QUEUE: Final[i64] = 1607
LINE_DEL_QUEUE: Final[i64] = 1629
LINE_NOTIFY_CONFIG: Final[i64] = 1730
LINE_SET_FEATURES: Final[i64] = 2058
LINE_CLEANUP: Final[i64] = 2293
LINE_VMSTATE_CHANGE: Final[i64] = 2298
LINE_INIT: Final[i64] = 2329

VIRTIO_DEVICE_ENDIAN_LITTLE: Final[i64] = 1
EINVAL: Final[i64] = 22
EFAULT: Final[i64] = 14
ISR_QUEUE: Final[i64] = 1
ISR_CONFIG: Final[i64] = 3
"""A configuration change sets both bits."""
SIZEOF_VIRTQUEUE: Final = STRUCTS["VirtQueue"][0]


class VirtioDeviceClass(DeviceClass):
    """What a kind of virtio device does at the core's hooks (include/hw/virtio/virtio.h).

    `vdc_realize` and the other two with the prefix are the members ``realize``, ``unrealize`` and ``reset``, which DeviceClass
    has too.
    """

    def __init__(self) -> None:
        super().__init__()
        self.vdc_realize: Callable[[VirtIODevice, Errp], None] | None = None
        self.vdc_unrealize: Callable[[VirtIODevice], None] | None = None
        self.vdc_reset: Callable[[VirtIODevice], None] | None = None
        self.get_features: Callable[[VirtIODevice, i64, Errp], i64] | None = None
        self.bad_features: Callable[[VirtIODevice], i64] | None = None
        self.set_features: Callable[[VirtIODevice, i64], None] | None = None
        self.validate_features: Callable[[VirtIODevice], i64] | None = None
        self.get_config: Callable[[VirtIODevice], None] | None = None
        """Brings ``vdev.config`` up to date."""
        self.set_config: Callable[[VirtIODevice], None] | None = None
        """``vdev.config`` was written."""
        self.set_status: Callable[[VirtIODevice, i64], None] | None = None
        self.legacy_features: i64 = 0
        """Bits that only legacy drivers see."""

    def copy_from(self, parent: ObjectClass) -> None:
        """Inherit the parent's hooks."""
        super().copy_from(parent)
        if isinstance(parent, VirtioDeviceClass):
            self.vdc_realize = parent.vdc_realize
            self.vdc_unrealize = parent.vdc_unrealize
            self.vdc_reset = parent.vdc_reset
            self.get_features = parent.get_features
            self.bad_features = parent.bad_features
            self.set_features = parent.set_features
            self.validate_features = parent.validate_features
            self.get_config = parent.get_config
            self.set_config = parent.set_config
            self.set_status = parent.set_status
            self.legacy_features = parent.legacy_features


class HostNotifier(BottomHalf):
    """A queue's ioeventfd: a kick sets it, the main loop reads it and runs the queue's handler."""

    def __init__(self, vdev: VirtIODevice, vq: VirtQueue) -> None:
        super().__init__()
        self.vdev: VirtIODevice = vdev
        self.vq: VirtQueue = vq

    def run(self) -> None:
        """virtio_queue_host_notifier_read."""
        virtio_queue_notify_vq(self.vdev, self.vq)


class VirtIODevice(DeviceState):
    """Any virtio device.  Attribute names are QEMU's."""

    def __init__(self) -> None:
        super().__init__()
        self.vdev_name: str = ""
        self.status: i64 = 0
        self.isr: i64 = 0
        self.queue_sel: i64 = 0
        self.guest_features: i64 = 0
        self.host_features: i64 = 0
        self.event_idx: bool = False
        """VIRTIO_RING_F_EVENT_IDX is among guest_features; here because the data path asks for each packet."""
        self.notify_on_empty: bool = False
        self.config: bytearray = bytearray()
        self.config_len: i64 = 0
        self.config_vector: i64 = VIRTIO_NO_VECTOR
        self.generation: i64 = 0
        self.vq: list[VirtQueue] = []
        self.device_id: i64 = 0
        self.vm_running: bool = False
        self.broken: bool = False
        """virtio_error was called: only a reset brings the device back."""
        self.use_started: bool = False
        self.started: bool = False
        self.start_on_kick: bool = False
        self.device_endian: i64 = 0
        self.use_guest_notifier_mask: bool = False
        self.bdf: i64 = 0
        """PCI address of the function behind which it sits; names its rings."""
        self.notifiers: dict[int, HostNotifier] = {}
        self.instrument: VirtioInstrument | None = None
        self.vmstate: VirtioVmState | None = None
        self._mirror: dict[int, int] = {}

    # -- what the device shows ----------------------------------------------------------------------------------------
    def snapshot(self, fields: dict[int, int]) -> None:
        """Every field that this device logs, as it stands."""
        super().snapshot(fields)
        self.own_fields(fields)

    def own_fields(self, fields: dict[int, int]) -> None:
        """The fields that `sync_fields` watches; a kind of device adds its own."""
        fields[F_NAME] = self.ctx.log.text(self.vdev_name)
        fields[F_STATUS] = self.status
        fields[F_ISR] = self.isr
        fields[F_QUEUE_SEL] = self.queue_sel
        fields[F_GUEST_FEATURES] = self.guest_features
        fields[F_HOST_FEATURES] = self.host_features
        fields[F_CONFIG_LEN] = self.config_len
        fields[F_CONFIG_VECTOR] = self.config_vector
        fields[F_GENERATION] = self.generation
        fields[F_DEVICE_ID] = self.device_id
        fields[F_VM_RUNNING] = int(self.vm_running)
        fields[F_BROKEN] = int(self.broken)
        fields[F_STARTED] = int(self.started)
        fields[F_START_ON_KICK] = int(self.start_on_kick)
        fields[F_USE_GUEST_NOTIFIER_MASK] = int(self.use_guest_notifier_mask)
        fields[F_DEVICE_ENDIAN] = self.device_endian

    def snapshot_ring(self, vq: VirtQueue, fields: dict[int, int]) -> None:
        """What a device adds to the fields of one of its rings."""

    def sync_fields(self) -> None:
        """Record every field that changed since the last call.  Control path only."""
        mirror = self._mirror
        if not mirror:
            # what properties have set is on record already
            for klass in self.device_class_chain():
                for prop in klass.props:
                    prop.member.snapshot(self, mirror)
        current: dict[int, int] = {}
        self.own_fields(current)
        log = self.ctx.log
        for field_id, value in current.items():
            old = mirror.get(field_id, 0)
            if value != old:
                log.emit(EV_FIELD, self.oid, field_id, value, old)
        self._mirror = current

    def set_isr(self, isr: i64) -> None:
        """Set the interrupt status register, on record."""
        if isr != self.isr:
            self.ctx.log.emit(EV_FIELD, self.oid, F_ISR, isr, self.isr)
            self._mirror[F_ISR] = isr
            self.isr = isr

    def has_guest_feature(self, bit: i64) -> bool:
        """virtio_vdev_has_feature."""
        return has(self.guest_features, bit)

    def set_guest_features(self, features: i64) -> None:
        """Set guest_features and what is derived from it."""
        self.guest_features = features
        self.event_idx = has(features, f.VIRTIO_RING_F_EVENT_IDX)
        self.notify_on_empty = has(features, f.VIRTIO_F_NOTIFY_ON_EMPTY)

    def vdc(self) -> VirtioDeviceClass:
        """The device's class."""
        klass = self.klass
        assert isinstance(klass, VirtioDeviceClass)
        return klass

    # -- errors and interrupts ----------------------------------------------------------------------------------------
    def virtio_error(self, text: str) -> None:
        """virtio_error: report, ask the driver for a reset (virtio 1.x, 2.1.2), and touch the rings no more."""
        self.world.error_report(text)
        log = self.ctx.log
        log.emit(EV_VIRTIO_ERROR, self.oid, log.text(text))
        if has(self.guest_features, f.VIRTIO_F_VERSION_1):
            self.status |= f.VIRTIO_CONFIG_S_NEEDS_RESET
            virtio_notify_config(self)
        # last, so that the interrupt above still goes out
        self.broken = True
        self.sync_fields()

    def virtio_notify(self, vq: VirtQueue) -> None:
        """virtio_notify: interrupt the driver about `vq`, unless it asked not to be."""
        counters = vq.counters
        log = self.ctx.log
        if not vq.should_notify():
            if counters is not None:
                counters.interrupts_suppressed += 1
            if log.level >= LEVEL_FULL:
                log.emit(EV_NOTIFY_SUPPRESSED, vq.oid, vq.vector, vq.signalled_used, i64(vq.signalled_used_valid))
            return
        if counters is not None:
            counters.interrupts += 1
        if log.level >= LEVEL_FULL:
            log.emit(EV_NOTIFY, vq.oid, vq.vector, vq.signalled_used, i64(vq.signalled_used_valid))
        if self.isr & ISR_QUEUE == 0:
            self.set_isr(self.isr | ISR_QUEUE)
        virtio_notify_vector(self, vq.vector)


class VirtioVmState(VmStateHandler):
    """virtio_vmstate_change."""

    def __init__(self, vdev: VirtIODevice) -> None:
        self.vdev: VirtIODevice = vdev

    def change(self, running: bool) -> None:
        """Going on, the device starts before its transport; stopping, after it."""
        vdev = self.vdev
        log = vdev.ctx.log
        log.enter(FN_VMSTATE_CHANGE, LINE_VMSTATE_CHANGE, vdev.addr, i64(running))
        backend_run = running and vdev.status & f.VIRTIO_CONFIG_S_DRIVER_OK != 0
        vdev.vm_running = running
        vdev.sync_fields()
        if backend_run:
            virtio_set_status(vdev, vdev.status)
        bus = vdev.parent_bus
        if bus is not None:
            hook = _bus_class(vdev).vmstate_change
            parent = bus.parent_device
            if hook is not None and parent is not None:
                hook(parent, backend_run)
        if not backend_run:
            virtio_set_status(vdev, vdev.status)
        log.leave()


class VirtioInstrument(Instrument):
    """Shows a device's rings in keyframes and counters."""

    def __init__(self, vdev: VirtIODevice) -> None:
        self.vdev: VirtIODevice = vdev

    def sample(self) -> None:
        """Bring every ring's counters up to date."""
        for vq in self.vdev.vq:
            if vq.vring_num == 0 and vq.counters is None:
                break
            vq.sample()

    def snapshot(self, state: MachineState) -> None:
        """Each existing ring: its place in the tree and its fields."""
        log = self.vdev.ctx.log
        for vq in self.vdev.vq:
            if vq.counters is None:
                continue
            entry = ObjectState(log.text("VirtQueue"), 0, SIZEOF_VIRTQUEUE)
            entry.parent = self.vdev.oid
            entry.name_id = log.text(f"vq[{vq.queue_index}]")
            oid = vq.oid
            state.objects[oid] = entry
            fields = state.fields.setdefault(oid, {})
            vq.snapshot(fields)
            self.vdev.snapshot_ring(vq, fields)


def _bus_class(vdev: VirtIODevice) -> VirtioBusClass:
    from ringscope_core.hw.virtio.virtio_bus import VirtioBusClass

    bus = vdev.parent_bus
    assert bus is not None
    klass = bus.klass
    assert isinstance(klass, VirtioBusClass)
    return klass


# -- realize ----------------------------------------------------------------------------------------------------------
def _virtio_device(dev: DeviceState) -> VirtIODevice:
    assert isinstance(dev, VirtIODevice)
    return dev


def virtio_device_realize(dev: DeviceState, errp: Errp) -> None:
    """DeviceClass.realize of every virtio device: its own realize, then the transport's device_plugged, undone when that fails."""
    from ringscope_core.hw.virtio.virtio_bus import virtio_bus_device_plugged

    vdev = _virtio_device(dev)
    log = vdev.ctx.log
    log.enter(FN_DEVICE_REALIZE, LINE_DEVICE_REALIZE, vdev.addr, errp.addr)
    vdc = vdev.vdc()
    err = errp.local(LOCAL_ERR_OF_VIRTIO_DEVICE_REALIZE)
    realize = vdc.vdc_realize
    if realize is not None:
        log.at(2613)
        realize(vdev, err)
    if err.error is None:
        log.at(2620)
        virtio_bus_device_plugged(vdev, err)
        vdev.sync_fields()
        if err.error is not None:
            log.at(2623)
            unrealize = vdc.vdc_unrealize
            if unrealize is not None:
                unrealize(vdev)
    if err.error is None:
        log.at(2627)
        log.at(2628)
    err.propagate_to(errp)
    log.leave()


def virtio_device_unrealize(dev: DeviceState, errp: Errp) -> None:
    """DeviceClass.unrealize: leave the transport, then undo the device's own realize."""
    from ringscope_core.hw.virtio.virtio_bus import virtio_bus_device_unplugged

    vdev = _virtio_device(dev)
    log = vdev.ctx.log
    log.enter(FN_DEVICE_UNREALIZE, LINE_DEVICE_UNREALIZE, vdev.addr, errp.addr)
    virtio_bus_device_unplugged(vdev)
    unrealize = vdev.vdc().vdc_unrealize
    if unrealize is not None:
        unrealize(vdev)
    log.leave()


# -- life -------------------------------------------------------------------------------------------------------------
def virtio_init(vdev: VirtIODevice, name: str, device_id: i64, config_size: i64) -> None:
    """Set up the common part: 1024 absent queues, no vectors, status 0."""
    ctx = vdev.ctx
    log = ctx.log
    log.enter(FN_INIT, LINE_INIT, vdev.addr, log.text(name), device_id, config_size)
    vdev.start_on_kick = False
    vdev.started = False
    vdev.device_id = device_id
    vdev.status = 0
    vdev.isr = 0
    vdev.queue_sel = 0
    vdev.config_vector = VIRTIO_NO_VECTOR
    vdev.vm_running = ctx.vm_running
    vdev.broken = False
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
    log.enter(FN_CLEANUP, LINE_CLEANUP, vdev.addr)
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
    log.enter(FN_ADD_QUEUE, LINE_ADD_QUEUE, vdev.addr, queue_size, log.text(handler.name))
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
    log.enter(FN_DEL_QUEUE, LINE_DEL_QUEUE, vdev.addr, n)
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
    log.enter(FN_SET_STATUS, LINE_SET_STATUS, vdev.addr, val)
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


def virtio_set_features(vdev: VirtIODevice, val: i64) -> i64:
    """The driver accepts `val`.  Returns -22 after FEATURES_OK, -1 when it held bits that were not offered (they are masked off), else 0."""
    if vdev.status & f.VIRTIO_CONFIG_S_FEATURES_OK:
        return -EINVAL
    log = vdev.ctx.log
    log.enter(FN_SET_FEATURES, LINE_SET_FEATURES, vdev.addr, val)
    bad = val & ~vdev.host_features
    accepted = val & vdev.host_features
    hook = vdev.vdc().set_features
    if hook is not None:
        hook(vdev, accepted)
    vdev.set_guest_features(accepted)
    if bad == 0 and vdev.event_idx:
        # the event index makes the rings longer
        for vq in vdev.vq:
            if vq.vring_desc != 0:
                virtio_init_region_cache(vdev, vq)
    if vdev.use_started and not vdev.started and not has(accepted, f.VIRTIO_F_VERSION_1):
        vdev.start_on_kick = True
    vdev.sync_fields()
    ret: i64 = -1 if bad else 0
    log.leave(ret)
    return ret


def virtio_reset(vdev: VirtIODevice) -> None:
    """Back to power-on, but for host_features and generation (virtio 1.x, 2.4)."""
    log = vdev.ctx.log
    log.enter(FN_RESET, LINE_RESET, vdev.addr)
    virtio_set_status(vdev, 0)
    hook = vdev.vdc().vdc_reset
    if hook is not None:
        hook(vdev)
    vdev.start_on_kick = False
    vdev.started = False
    vdev.broken = False
    vdev.set_guest_features(0)
    vdev.queue_sel = 0
    vdev.status = 0
    vdev.set_isr(0)
    vdev.config_vector = VIRTIO_NO_VECTOR
    virtio_notify_vector(vdev, VIRTIO_NO_VECTOR)
    for vq in vdev.vq:
        if vq.counters is not None:
            vq.reset()
        else:
            vq.vector = VIRTIO_NO_VECTOR
    for notifier in vdev.notifiers.values():
        vdev.ctx.loop.bh_cancel(notifier)
    vdev.ctx.memory.bounce_busy = False
    vdev.sync_fields()
    log.leave()


# -- queues -----------------------------------------------------------------------------------------------------------
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
    if vq.vring_desc == 0:
        return
    num = vq.vring_num
    event: i64 = 2 if vdev.event_idx else 0
    memory = vdev.ctx.memory
    if 0 < memory.mapped_length(vq.vring_desc, 16 * num) < 16 * num:
        vdev.virtio_error("Cannot map desc")
    elif 0 < memory.mapped_length(vq.vring_used, 4 + 8 * num + event) < 4 + 8 * num + event:
        vdev.virtio_error("Cannot map used")
    elif 0 < memory.mapped_length(vq.vring_avail, 4 + 2 * num + event) < 4 + 2 * num + event:
        vdev.virtio_error("Cannot map avail")


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
    if vq.vring_desc == 0 or vdev.broken:
        return
    virtio_queue_notify_vq(vdev, vq)


def virtio_queue_notify_vq(vdev: VirtIODevice, vq: VirtQueue) -> None:
    """Run a queue's handler on behalf of a kick."""
    if vq.vring_desc == 0 or vdev.broken:
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
        log.enter(FN_NOTIFY, LINE_NOTIFY, vdev.addr, vq.queue_index)
    handler.handle(vq)
    if vdev.start_on_kick:
        virtio_set_started(vdev, True)
        vdev.sync_fields()
    if full:
        log.leave()
        log.cause = cause


def virtio_queue_host_notifier_set(vdev: VirtIODevice, n: i64) -> None:
    """The ioeventfd of queue `n` is set: its handler runs from the main loop."""
    notifier = vdev.notifiers.get(int(n))
    if notifier is not None:
        vdev.ctx.loop.bh_schedule(notifier)


# -- interrupts -------------------------------------------------------------------------------------------------------
def virtio_notify_vector(vdev: VirtIODevice, vector: i64) -> None:
    """Have the transport raise `vector`; a broken device is silent."""
    if vdev.broken:
        return
    bus = vdev.parent_bus
    if bus is None:
        return
    hook = _bus_class(vdev).notify
    parent = bus.parent_device
    if hook is not None and parent is not None:
        hook(parent, vector)


def virtio_update_irq(vdev: VirtIODevice) -> None:
    """The interrupt line shall follow the ISR again."""
    virtio_notify_vector(vdev, VIRTIO_NO_VECTOR)


def virtio_notify_config(vdev: VirtIODevice) -> None:
    """The configuration space changed (virtio 1.x, 4.1.5.4): only a driver that is ready hears of it."""
    if vdev.status & f.VIRTIO_CONFIG_S_DRIVER_OK == 0:
        return
    log = vdev.ctx.log
    log.enter(FN_NOTIFY_CONFIG, LINE_NOTIFY_CONFIG, vdev.addr)
    vdev.set_isr(vdev.isr | ISR_CONFIG)
    vdev.generation = (vdev.generation + 1) & 0xFFFFFFFF
    vdev.sync_fields()
    virtio_notify_vector(vdev, vdev.config_vector)
    log.leave()


# -- configuration space ----------------------------------------------------------------------------------------------
def virtio_config_modern_read(vdev: VirtIODevice, addr: i64, size: i64) -> i64:
    """`size` bytes (1, 2, 4) of the configuration at `addr`, little-endian; all ones beyond its end."""
    if addr < 0 or addr + size > vdev.config_len:
        return (1 << (8 * size)) - 1
    hook = vdev.vdc().get_config
    if hook is not None:
        hook(vdev)
    return int.from_bytes(vdev.config[int(addr) : int(addr + size)], "little")


def virtio_config_modern_write(vdev: VirtIODevice, addr: i64, size: i64, val: i64) -> None:
    """Write `size` bytes; what lies beyond the end is dropped."""
    if addr < 0 or addr + size > vdev.config_len:
        return
    vdev.config[int(addr) : int(addr + size)] = int(val & ((1 << (8 * size)) - 1)).to_bytes(int(size), "little")
    hook = vdev.vdc().set_config
    if hook is not None:
        hook(vdev)


def virtio_config_read(vdev: VirtIODevice, addr: i64, size: i64) -> i64:
    """The legacy transport's read; the guest is little-endian, so it is the modern one."""
    return virtio_config_modern_read(vdev, addr, size)


def virtio_config_write(vdev: VirtIODevice, addr: i64, size: i64, val: i64) -> None:
    """The legacy transport's write."""
    virtio_config_modern_write(vdev, addr, size, val)
