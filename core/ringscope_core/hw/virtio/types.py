"""The type "virtio-device" (QEMU 4.1.0, hw/virtio/virtio.c)."""

from __future__ import annotations

from mypy_extensions import i64

from ringscope_core.hw.qdev.device_class import device_class_set_props
from ringscope_core.hw.qdev.member import Member
from ringscope_core.hw.qdev.properties import BitProperty, BoolProperty, Property
from ringscope_core.hw.virtio import features as f
from ringscope_core.hw.virtio.features import with_bit
from ringscope_core.hw.virtio.virtio import VirtIODevice, VirtioDeviceClass, virtio_device_realize, virtio_device_unrealize
from ringscope_core.qom.klass import ObjectClass
from ringscope_core.qom.types import TypeInfo, TypeTable


def _offered(name: str, bit: i64, default: bool) -> Property:
    return BitProperty(name, Member("host_features", "VirtIODevice.host_features", "flags"), int(bit), default)


def virtio_properties(v7_2: bool) -> list[Property]:
    """virtio_properties, in the order of their definition."""
    props = [
        _offered("indirect_desc", f.VIRTIO_RING_F_INDIRECT_DESC, True),
        _offered("event_idx", f.VIRTIO_RING_F_EVENT_IDX, True),
        _offered("notify_on_empty", f.VIRTIO_F_NOTIFY_ON_EMPTY, True),
        _offered("any_layout", f.VIRTIO_F_ANY_LAYOUT, True),
        _offered("iommu_platform", f.VIRTIO_F_IOMMU_PLATFORM, False),
    ]
    started = BoolProperty("use-started", Member("use_started", "VirtIODevice.use_started", "bool"), True)
    if not v7_2:
        return [*props, started]
    return [
        *props,
        _offered("packed", f.VIRTIO_F_RING_PACKED, False),
        _offered("queue_reset", f.VIRTIO_F_RING_RESET, True),
        started,
        BoolProperty("use-disabled-flag", Member("use_disabled_flag", "VirtIODevice.use_disabled_flag", "bool"), True),
        BoolProperty("x-disable-legacy-check", Member("disable_legacy_check", "VirtIODevice.disable_legacy_check", "bool"), False),
    ]


def virtio_device_class_init(klass: ObjectClass) -> None:
    """class_init of "virtio-device"."""
    assert isinstance(klass, VirtioDeviceClass)
    klass.realize = virtio_device_realize
    klass.unrealize = virtio_device_unrealize
    klass.bus_type = "virtio-bus"
    device_class_set_props(klass, virtio_properties(klass.type.table.v7_2))
    for bit in (f.VIRTIO_F_BAD_FEATURE, f.VIRTIO_F_NOTIFY_ON_EMPTY, f.VIRTIO_F_ANY_LAYOUT):
        klass.legacy_features = with_bit(klass.legacy_features, bit, True)


def register_virtio_types(table: TypeTable) -> None:
    """Register "virtio-device"."""
    table.register(
        TypeInfo(
            "virtio-device",
            "device",
            abstract=True,
            instance_struct="VirtIODevice",
            instance_size=416,
            class_struct="VirtioDeviceClass",
            class_size=320,
            instance_new=VirtIODevice,
            class_new=VirtioDeviceClass,
            instance_finalize_name="virtio_device_instance_finalize",
            class_init=virtio_device_class_init,
            class_init_name="virtio_device_class_init",
            file_line="hw/virtio/virtio.c:2820",
        )
    )
