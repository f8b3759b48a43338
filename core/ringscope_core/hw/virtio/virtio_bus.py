"""virtio-bus: what stands between a virtio device and its transport (hw/virtio/virtio-bus.c)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from mypy_extensions import i64

from ringscope_core.hw.qdev.bus import BusClass, BusState
from ringscope_core.hw.qdev.device import DeviceState
from ringscope_core.hw.virtio.virtio import VirtIODevice, VirtioDeviceClass, virtio_reset
from ringscope_core.qom.calls import declare
from ringscope_core.qom.errp import Errp
from ringscope_core.qom.klass import ObjectClass
from ringscope_core.qom.symbols import LOCAL_ERR_OF_REALIZE
from ringscope_core.qom.types import TypeInfo, TypeTable
from ringscope_core.trace.bits import bit
from ringscope_core.trace.fields import field

F_IOEVENTFD_STARTED: Final[i64] = field("VirtioBusState.ioeventfd_started", "bool")
F_HOST_FEATURES: Final[i64] = field("VirtIODevice.host_features", "flags")

FN_PLUGGED = declare("virtio_bus_device_plugged", "vdev:ptr errp:ptr")
FN_UNPLUGGED = declare("virtio_bus_device_unplugged", "vdev:ptr")
FN_RESET = declare("virtio_bus_reset", "bus:ptr")
FN_START_IOEVENTFD = declare("virtio_bus_start_ioeventfd", "bus:ptr")
FN_STOP_IOEVENTFD = declare("virtio_bus_stop_ioeventfd", "bus:ptr")

VIRTIO_F_IOMMU_PLATFORM: Final[i64] = 33


class VirtioBusClass(BusClass):
    """A transport's hooks; `DeviceState` is the transport's device (include/hw/virtio/virtio-bus.h)."""

    def __init__(self) -> None:
        super().__init__()
        self.notify: Callable[[DeviceState, i64], None] | None = None
        """Raise a vector."""
        self.vmstate_change: Callable[[DeviceState, bool], None] | None = None
        self.pre_plugged: Callable[[DeviceState, Errp], None] | None = None
        """Before the device's features are asked for."""
        self.device_plugged: Callable[[DeviceState, Errp], None] | None = None
        """The device has its features: the transport shows itself."""
        self.device_unplugged: Callable[[DeviceState], None] | None = None
        self.query_nvectors: Callable[[DeviceState], i64] | None = None
        self.ioeventfd_enabled: Callable[[DeviceState], bool] | None = None
        self.has_variable_vring_alignment: bool = False

    def copy_from(self, parent: ObjectClass) -> None:
        super().copy_from(parent)
        if isinstance(parent, VirtioBusClass):
            self.notify = parent.notify
            self.vmstate_change = parent.vmstate_change
            self.pre_plugged = parent.pre_plugged
            self.device_plugged = parent.device_plugged
            self.device_unplugged = parent.device_unplugged
            self.query_nvectors = parent.query_nvectors
            self.ioeventfd_enabled = parent.ioeventfd_enabled
            self.has_variable_vring_alignment = parent.has_variable_vring_alignment


class VirtioBusState(BusState):
    """The bus of one virtio device."""

    def __init__(self) -> None:
        super().__init__()
        self.ioeventfd_started: bool = False

    def snapshot(self, fields: dict[int, int]) -> None:
        super().snapshot(fields)
        fields[F_IOEVENTFD_STARTED] = 1 if self.ioeventfd_started else 0

    def virtio_bus_class(self) -> VirtioBusClass:
        """VIRTIO_BUS_GET_CLASS."""
        klass = self.klass
        assert isinstance(klass, VirtioBusClass)
        return klass

    def transport(self) -> DeviceState:
        """The device whose bus this is."""
        dev = self.parent_dev
        assert dev is not None
        return dev

    def vdev(self) -> VirtIODevice | None:
        """The device on the bus (virtio_bus_get_device), None while there is none."""
        if not self.kids:
            return None
        dev = self.kids[0].child
        return dev if isinstance(dev, VirtIODevice) else None

    def set_ioeventfd_started(self, started: bool) -> None:
        """VirtioBusState.ioeventfd_started."""
        self.world.log.field(self.oid, F_IOEVENTFD_STARTED, 1 if started else 0, 1 if self.ioeventfd_started else 0)
        self.ioeventfd_started = started


def virtio_bus_of(dev: DeviceState) -> VirtioBusState:
    """The virtio bus a device sits on."""
    bus = dev.parent_bus
    assert isinstance(bus, VirtioBusState)
    return bus


def virtio_bus_device_plugged(vdev: VirtIODevice, errp: Errp) -> None:
    """The device is realized: settle its features with the transport and show it to the guest (virtio-bus.c:45)."""
    log = vdev.world.log
    bus = virtio_bus_of(vdev)
    klass = bus.virtio_bus_class()
    vdc = vdev.klass
    assert isinstance(vdc, VirtioDeviceClass)
    FN_PLUGGED.enter(log, vdev.addr, errp.addr)
    log.at(52)
    local = errp.local(LOCAL_ERR_OF_REALIZE)
    has_iommu = vdev.host_features >> VIRTIO_F_IOMMU_PLATFORM & 1 != 0
    if klass.pre_plugged is not None:
        log.at(58)
        klass.pre_plugged(bus.transport(), local)
    if not local.failed():
        log.at(67)
        assert vdc.get_features is not None
        features = vdc.get_features(vdev, vdev.host_features, local)
        if not local.failed():
            set_host_features(vdev, features)
    if not local.failed() and klass.device_plugged is not None:
        log.at(75)
        klass.device_plugged(bus.transport(), local)
    if not local.failed():
        log.at(82)
        if has_iommu:
            set_host_features(vdev, vdev.host_features | bit(VIRTIO_F_IOMMU_PLATFORM))
    local.propagate_to(errp)
    log.leave()


def set_host_features(vdev: VirtIODevice, features: i64) -> None:
    """VirtIODevice.host_features, on record."""
    vdev.host_features = features
    vdev.sync_fields()


def virtio_bus_reset(bus: VirtioBusState) -> None:
    """Reset the device on the bus (virtio-bus.c:91)."""
    log = bus.world.log
    FN_RESET.enter(log, bus.addr)
    vdev = bus.vdev()
    if vdev is not None:
        virtio_reset(vdev)
    log.leave()


def virtio_bus_device_unplugged(vdev: VirtIODevice) -> None:
    """The device goes: the transport shows nothing any more (virtio-bus.c:102)."""
    log = vdev.world.log
    bus = virtio_bus_of(vdev)
    FN_UNPLUGGED.enter(log, vdev.addr)
    hook = bus.virtio_bus_class().device_unplugged
    if hook is not None:
        hook(bus.transport())
    log.leave()


def virtio_bus_get_vdev_config_len(bus: VirtioBusState) -> i64:
    """Bytes of the device's configuration space."""
    vdev = bus.vdev()
    assert vdev is not None
    return vdev.config_len


def virtio_bus_ioeventfd_enabled(bus: VirtioBusState) -> bool:
    """Whether kicks go through ioeventfds, that is: handlers run from the main loop."""
    hook = bus.virtio_bus_class().ioeventfd_enabled
    return hook is not None and hook(bus.transport())


def virtio_bus_start_ioeventfd(bus: VirtioBusState) -> None:
    """Kicks go through ioeventfds from now on, and every queue is kicked once (virtio-bus.c:207)."""
    if bus.ioeventfd_started or not virtio_bus_ioeventfd_enabled(bus):
        return
    vdev = bus.vdev()
    if vdev is None:
        return
    log = bus.world.log
    FN_START_IOEVENTFD.enter(log, bus.addr)
    for notifier in vdev.notifiers.values():
        vdev.ctx.loop.bh_schedule(notifier)
    bus.set_ioeventfd_started(True)
    log.leave()


def virtio_bus_stop_ioeventfd(bus: VirtioBusState) -> None:
    """Kicks are handled at once again; one that waits is handled now (virtio-bus.c:234)."""
    if not bus.ioeventfd_started:
        return
    log = bus.world.log
    FN_STOP_IOEVENTFD.enter(log, bus.addr)
    vdev = bus.vdev()
    if vdev is not None:
        for notifier in list(vdev.notifiers.values()):
            if notifier.scheduled:
                vdev.ctx.loop.bh_cancel(notifier)
                notifier.run()
    bus.set_ioeventfd_started(False)
    log.leave()


def virtio_bus_class_init(klass: ObjectClass) -> None:
    """class_init of "virtio-bus" (virtio-bus.c:321)."""
    assert isinstance(klass, VirtioBusClass)
    klass.get_dev_path = virtio_bus_get_dev_path
    klass.get_fw_dev_path = virtio_bus_get_fw_dev_path


def virtio_bus_get_dev_path(dev: DeviceState) -> str:
    """The transport's path stands for the device."""
    proxy = virtio_bus_of(dev).transport()
    bus = proxy.parent_bus
    hook = None if bus is None else bus.bus_class.get_dev_path
    return "" if hook is None else hook(proxy)


def virtio_bus_get_fw_dev_path(dev: DeviceState) -> str:
    """NULL: the firmware knows the transport alone."""
    return ""


def register_virtio_bus_types(table: TypeTable) -> None:
    """Register "virtio-bus"."""
    table.register(
        TypeInfo(
            "virtio-bus",
            "bus",
            abstract=True,
            instance_struct="VirtioBusState",
            instance_size=120,
            class_struct="VirtioBusClass",
            class_size=320,
            instance_new=VirtioBusState,
            class_new=VirtioBusClass,
            class_init=virtio_bus_class_init,
            class_init_name="virtio_bus_class_init",
            file_line="hw/virtio/virtio-bus.c:328",
        )
    )
