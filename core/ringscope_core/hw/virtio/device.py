"""VirtIODevice and its class: state, errors and interrupts of any virtio device (QEMU 4.1.0, hw/virtio/virtio.c)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from mypy_extensions import i64

from ringscope_core.hw.context import Instrument, MemoryListener, VmStateHandler
from ringscope_core.hw.qdev.device import DeviceState
from ringscope_core.hw.qdev.device_class import DeviceClass
from ringscope_core.hw.virtio import features as f
from ringscope_core.hw.virtio.features import VIRTIO_NO_VECTOR, has
from ringscope_core.hw.virtio.virtqueue import VirtQueue
from ringscope_core.qom.calls import declare
from ringscope_core.qom.errp import Errp
from ringscope_core.qom.klass import ObjectClass
from ringscope_core.trace.fields import field
from ringscope_core.trace.kinds import EV_EXPERT, EV_FIELD, EV_NOTIFY, EV_NOTIFY_SUPPRESSED, EV_VIRTIO_ERROR
from ringscope_core.trace.levels import LEVEL_FULL
from ringscope_core.trace.log import SEVERITY_ERROR
from ringscope_core.trace.mainloop import BottomHalf
from ringscope_core.trace.state import MachineState, ObjectState
from ringscope_core.trace.structs import STRUCTS

if TYPE_CHECKING:
    from ringscope_core.hw.virtio.virtio_bus import VirtioBusClass

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
F_DISABLED: Final[i64] = field("VirtIODevice.disabled", "bool")
F_STARTED: Final[i64] = field("VirtIODevice.started", "bool")
F_START_ON_KICK: Final[i64] = field("VirtIODevice.start_on_kick", "bool")
F_USE_GUEST_NOTIFIER_MASK: Final[i64] = field("VirtIODevice.use_guest_notifier_mask", "bool")
F_DEVICE_ENDIAN: Final[i64] = field("VirtIODevice.device_endian", "count")

FN_NOTIFY_CONFIG: Final = declare("virtio_notify_config", "vdev:ptr")
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
        self.queue_reset: Callable[[VirtIODevice, i64], None] | None = None
        """7.2: the driver resets one queue."""
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
            self.queue_reset = parent.queue_reset
            self.legacy_features = parent.legacy_features


class VirtIODevice(DeviceState):
    """Any virtio device.  Attribute names are QEMU's."""

    def __init__(self) -> None:
        super().__init__()
        self.vdev_name: str = ""
        self.memory_listener: MemoryListener | None = None
        """Maps the rings again when memory changes, while the device is realized."""
        self.v7_2: bool = False
        """Behave as QEMU 7.2 does (`World.v7_2`), from virtio_init on."""
        self.status: i64 = 0
        self.isr: i64 = 0
        self.queue_sel: i64 = 0
        self.guest_features: i64 = 0
        self.host_features: i64 = 0
        self.event_idx: bool = False
        """VIRTIO_RING_F_EVENT_IDX is among guest_features; here because the data path asks for each packet."""
        self.notify_on_empty: bool = False
        self.packed: bool = False
        """VIRTIO_F_RING_PACKED is among guest_features."""
        self.config: bytearray = bytearray()
        self.config_len: i64 = 0
        self.config_vector: i64 = VIRTIO_NO_VECTOR
        self.generation: i64 = 0
        self.vq: list[VirtQueue] = []
        self.device_id: i64 = 0
        self.vm_running: bool = False
        self.broken: bool = False
        """virtio_error was called: only a reset brings the device back."""
        self.use_disabled_flag: bool = False
        """7.2: a device that may not be bus master is disabled."""
        self.disabled: bool = False
        self.inactive: bool = False
        """virtio_device_disabled: disabled or broken; here because the data path asks for each packet."""
        self.use_started: bool = False
        self.disable_legacy_check: bool = False
        """7.2: a modern-only device may be legacy all the same."""
        self.started: bool = False
        self.start_on_kick: bool = False
        self.device_endian: i64 = 0
        self.use_guest_notifier_mask: bool = False
        self.bdf: i64 = 0
        """PCI address of the function behind which it sits; names its rings."""
        self.notifiers: dict[int, BottomHalf] = {}
        """Each queue's ioeventfd."""
        self.instrument: VirtioInstrument | None = None
        self.vmstate: VmStateHandler | None = None
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
        fields[F_DISABLED] = int(self.disabled)
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
        self.packed = has(features, f.VIRTIO_F_RING_PACKED)

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
        self.set_broken(True)
        self.sync_fields()

    def expert(self, oid: i64, severity: i64, text: str) -> None:
        """An entry of the expert list: what was observed, what QEMU does there, which clause or assertion says so."""
        log = self.ctx.log
        log.emit(EV_EXPERT, oid, severity, log.text(text))

    def where_qemu_aborts(self, oid: i64, error: str, text: str) -> None:
        """The driver did what ends QEMU; here it costs the driver its device (virtio_error `error`), and the expert list tells."""
        self.expert(oid, SEVERITY_ERROR, text)
        if not self.inactive:
            self.virtio_error(error)

    def set_broken(self, broken: bool) -> None:
        """Set `broken` and what is derived from it."""
        self.broken = broken
        self.inactive = broken or self.disabled

    def set_disabled(self, disabled: bool) -> None:
        """virtio_set_disabled (7.2): bus mastering was turned off or on."""
        if self.use_disabled_flag:
            self.disabled = disabled
            self.inactive = self.broken or disabled
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
        cause = log.cause
        if log.level >= LEVEL_FULL:
            log.cause = log.emit(EV_NOTIFY, vq.oid, vq.vector, vq.signalled_used, i64(vq.signalled_used_valid))
        if self.isr & ISR_QUEUE == 0:
            self.set_isr(self.isr | ISR_QUEUE)
        virtio_notify_vector(self, vq.vector)
        log.cause = cause


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


# -- interrupts -------------------------------------------------------------------------------------------------------
def virtio_notify_vector(vdev: VirtIODevice, vector: i64) -> None:
    """Have the transport raise `vector`; a broken device is silent."""
    if vdev.inactive:
        return
    bus = vdev.parent_bus
    if bus is None:
        return
    hook = virtio_bus_class(vdev).notify
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
    FN_NOTIFY_CONFIG.enter(log, vdev.addr)
    vdev.set_isr(vdev.isr | ISR_CONFIG)
    vdev.generation = (vdev.generation + 1) & 0xFFFFFFFF
    vdev.sync_fields()
    virtio_notify_vector(vdev, vdev.config_vector)
    log.leave()


def virtio_bus_class(vdev: VirtIODevice) -> VirtioBusClass:
    """VIRTIO_BUS_GET_CLASS of the bus the device sits on."""
    from ringscope_core.hw.virtio.virtio_bus import VirtioBusClass

    bus = vdev.parent_bus
    assert bus is not None
    klass = bus.klass
    assert isinstance(klass, VirtioBusClass)
    return klass
