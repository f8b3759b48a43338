"""The types "virtio-pci", "virtio-net-pci-base" with its three variants, and "virtio-pci-bus" (virtio-pci.c, virtio-net-pci.c)."""

from __future__ import annotations

from ringscope_core.hw.pci.realize import INTERFACE_CONVENTIONAL_PCI_DEVICE, INTERFACE_PCIE_DEVICE
from ringscope_core.hw.qdev.device_class import device_class_set_props
from ringscope_core.hw.qdev.member import Member
from ringscope_core.hw.qdev.properties import BitProperty, BoolProperty, Property
from ringscope_core.hw.virtio_pci import constants as c
from ringscope_core.hw.virtio_pci.bus_hooks import virtio_pci_bus_class_init
from ringscope_core.hw.virtio_pci.net_pci import (
    FLAGS,
    VirtIONetPCI,
    virtio_net_pci_instance_init,
    virtio_pci_base_class_init,
    virtio_pci_generic_class_init,
    virtio_pci_non_transitional_instance_init,
    virtio_pci_transitional_instance_init,
)
from ringscope_core.hw.virtio_pci.proxy import VirtioPCIClass, VirtIOPCIProxy
from ringscope_core.hw.virtio_pci.realize import virtio_pci_dc_realize, virtio_pci_exit, virtio_pci_realize
from ringscope_core.hw.virtio_pci.reset import virtio_pci_bus_reset
from ringscope_core.qom.klass import ObjectClass
from ringscope_core.qom.types import TypeInfo, TypeTable

BOTH_INTERFACES = (INTERFACE_PCIE_DEVICE, INTERFACE_CONVENTIONAL_PCI_DEVICE)
FILE_NET = "hw/virtio/virtio-net-pci.c:84"
"""Where the four net types are described; virtio_pci_types_register makes them."""


def virtio_pci_properties(v7_2: bool) -> list[Property]:
    """Static properties of "virtio-pci" (virtio-pci.c:1824)."""
    props: list[Property] = [
        BitProperty("virtio-pci-bus-master-bug-migration", FLAGS, c.BUS_MASTER_BUG_MIGRATION_BIT, False),
        BitProperty("migrate-extra", FLAGS, c.MIGRATE_EXTRA_BIT, True),
        BitProperty("modern-pio-notify", FLAGS, c.MODERN_PIO_NOTIFY_BIT, False),
        BitProperty("x-disable-pcie", FLAGS, c.DISABLE_PCIE_BIT, False),
        BitProperty("page-per-vq", FLAGS, c.PAGE_PER_VQ_BIT, False),
        BoolProperty("x-ignore-backend-features", Member("ignore_backend_features", "VirtIOPCIProxy.ignore_backend_features", "bool"), False),
        BitProperty("ats", FLAGS, c.ATS_BIT, False),
    ]
    if v7_2:
        props.append(BitProperty("x-ats-page-aligned", FLAGS, c.ATS_PAGE_ALIGNED_BIT, True))
    props += [
        BitProperty("x-pcie-deverr-init", FLAGS, c.INIT_DEVERR_BIT, True),
        BitProperty("x-pcie-lnkctl-init", FLAGS, c.INIT_LNKCTL_BIT, True),
        BitProperty("x-pcie-pm-init", FLAGS, c.INIT_PM_BIT, True),
    ]
    if v7_2:
        props += [BitProperty("x-pcie-flr-init", FLAGS, c.INIT_FLR_BIT, True), BitProperty("aer", FLAGS, c.AER_BIT, False)]
    return props


def virtio_pci_class_init(klass: ObjectClass) -> None:
    """class_init of "virtio-pci" (virtio-pci.c:1862)."""
    assert isinstance(klass, VirtioPCIClass)
    device_class_set_props(klass, virtio_pci_properties(klass.type.table.v7_2))
    klass.pci_realize = virtio_pci_realize
    klass.exit = virtio_pci_exit
    klass.vendor_id = 0x1AF4
    klass.revision = 0
    klass.class_id = 0x00FF
    klass.parent_dc_realize = klass.realize
    klass.realize = virtio_pci_dc_realize
    klass.reset = virtio_pci_bus_reset


def register_virtio_pci_types(table: TypeTable) -> None:
    """Register the transport's bus and the abstract proxy, then the net types in QEMU's order: base, generic, non-transitional, transitional."""
    table.register(
        TypeInfo(
            "virtio-pci-bus",
            "virtio-bus",
            class_init=virtio_pci_bus_class_init,
            class_init_name="virtio_pci_bus_class_init",
            file_line="hw/virtio/virtio-pci.c:2043",
        )
    )
    table.register(
        TypeInfo(
            "virtio-pci",
            "pci-device",
            abstract=True,
            instance_struct="VirtIOPCIProxy",
            instance_size=33136,
            class_struct="VirtioPCIClass",
            class_size=248,
            instance_new=VirtIOPCIProxy,
            class_new=VirtioPCIClass,
            class_init=virtio_pci_class_init,
            class_init_name="virtio_pci_class_init",
            file_line="hw/virtio/virtio-pci.c:1879",
        )
    )
    _register_net_types(table)


def _register_net_types(table: TypeTable) -> None:
    table.register(
        TypeInfo(
            "virtio-net-pci-base",
            "virtio-pci",
            abstract=True,
            instance_struct="VirtIONetPCI",
            instance_size=42096,
            instance_new=VirtIONetPCI,
            instance_init=virtio_net_pci_instance_init,
            instance_init_name="virtio_net_pci_instance_init",
            class_init=virtio_pci_base_class_init,
            class_init_name="virtio_pci_base_class_init",
            file_line=FILE_NET,
        )
    )
    table.register(
        TypeInfo(
            "virtio-net-pci",
            "virtio-net-pci-base",
            interfaces=BOTH_INTERFACES,
            class_init=virtio_pci_generic_class_init,
            class_init_name="virtio_pci_generic_class_init",
            file_line=FILE_NET,
        )
    )
    table.register(
        TypeInfo(
            "virtio-net-pci-non-transitional",
            "virtio-net-pci-base",
            interfaces=BOTH_INTERFACES,
            instance_init=virtio_pci_non_transitional_instance_init,
            instance_init_name="virtio_pci_non_transitional_instance_init",
            file_line=FILE_NET,
        )
    )
    table.register(
        TypeInfo(
            "virtio-net-pci-transitional",
            "virtio-net-pci-base",
            interfaces=(INTERFACE_CONVENTIONAL_PCI_DEVICE,),
            instance_init=virtio_pci_transitional_instance_init,
            instance_init_name="virtio_pci_transitional_instance_init",
            file_line=FILE_NET,
        )
    )
