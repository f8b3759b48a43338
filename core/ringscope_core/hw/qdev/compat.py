"""What older machine types keep as it was: properties whose defaults later releases changed (hw/core/machine.c: hw_compat_*, hw/i386/pc.c).

A machine type has the properties of its own row and of every newer one.  Observed on QEMU 7.2 for each machine type from 1.4 on.
"""

from __future__ import annotations

from typing import Final, final

from ringscope_core.qom.errp import AbortErrp
from ringscope_core.qom.object import Object
from ringscope_core.qom.profile import machine_version


@final
class CompatProperty:
    """``driver.property=value`` for machine types up to release `last`; an `optional` one counts only where the object has the property."""

    def __init__(self, last: tuple[int, ...], driver: str, prop: str, value: str, optional: bool = False) -> None:
        self.last: tuple[int, ...] = last
        self.driver: str = driver
        self.property: str = prop
        self.value: str = value
        self.optional: bool = optional


COMPAT: Final[list[CompatProperty]] = [
    CompatProperty((7, 1), "virtio-device", "queue_reset", "false"),
    CompatProperty((5, 2), "virtio-net-pci-base", "vectors", "3"),
    CompatProperty((5, 1), "virtio-pci", "x-ats-page-aligned", "off"),
    CompatProperty((5, 0), "virtio-device", "x-disable-legacy-check", "true"),
    CompatProperty((4, 2), "virtio-device", "use-disabled-flag", "false"),
    CompatProperty((4, 1), "virtio-pci", "x-pcie-flr-init", "off"),
    CompatProperty((4, 0, 1), "virtio-device", "use-started", "false"),
    CompatProperty((2, 9), "virtio-net-device", "x-mtu-bypass-backend", "off"),
    CompatProperty((2, 8), "virtio-pci", "x-pcie-deverr-init", "off"),
    CompatProperty((2, 8), "virtio-pci", "x-pcie-lnkctl-init", "off"),
    CompatProperty((2, 8), "virtio-pci", "x-pcie-pm-init", "off"),
    CompatProperty((2, 8), "pci-device", "x-pcie-extcap-init", "off"),
    CompatProperty((2, 7), "virtio-pci", "page-per-vq", "on"),
    CompatProperty((2, 7), "virtio-pci", "x-ignore-backend-features", "on"),
    CompatProperty((2, 6), "virtio-pci", "disable-modern", "on", optional=True),
    CompatProperty((2, 6), "virtio-pci", "disable-legacy", "off", optional=True),
    CompatProperty((2, 4), "virtio-pci", "x-disable-pcie", "on"),
    CompatProperty((2, 4), "virtio-pci", "migrate-extra", "off"),
    CompatProperty((2, 3), "pci-device", "x-pcie-lnksta-dllla", "off"),
    CompatProperty((2, 1), "virtio-pci", "virtio-pci-bus-master-bug-migration", "on"),
    CompatProperty((2, 0), "virtio-net-pci", "guest_announce", "off"),
    CompatProperty((1, 5), "virtio-net-pci", "any_layout", "off"),
    CompatProperty((1, 4), "virtio-net-pci", "ctrl_guest_offloads", "off"),
    CompatProperty((1, 4), "virtio-net-pci", "romfile", "pxe-virtio.rom"),
]
"""The newest first; QEMU applies the oldest last."""

NEWEST_OF_4_1: Final = (4, 0, 1)
"""Rows behind this one are of releases after 4.1, which has none of what they speak of."""


def object_apply_compat_props(obj: Object) -> None:
    """Give a new object what its machine type wants (object_apply_compat_props)."""
    world = obj.world
    version = machine_version(world.machine_type)
    for compat in COMPAT:
        if version > compat.last or (not world.v7_2 and compat.last > NEWEST_OF_4_1) or obj.dynamic_cast(compat.driver) is None:
            continue
        if compat.optional and obj.property_find(compat.property) is None:
            continue
        obj.property_parse(compat.value, compat.property, AbortErrp())
