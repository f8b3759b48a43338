"""Which class hooks the types of this device set, in QEMU 4.1.0: type -> (slot, function).  Data.

A slot that a type does not set is its parent's: `type_initialize` copies the parent's class first.
"""

from __future__ import annotations

from typing import Final

HOOKS: Final[dict[str, tuple[tuple[str, str], ...]]] = {
    "device": (("ObjectClass.unparent", "device_unparent"),),
    "pci-device": (("DeviceClass.realize", "pci_qdev_realize"), ("DeviceClass.unrealize", "pci_qdev_unrealize")),
    "virtio-pci": (
        ("DeviceClass.realize", "virtio_pci_dc_realize"),
        ("DeviceClass.reset", "virtio_pci_reset"),
        ("PCIDeviceClass.realize", "virtio_pci_realize"),
        ("PCIDeviceClass.exit", "virtio_pci_exit"),
        ("VirtioPCIClass.parent_dc_realize", "pci_qdev_realize"),
    ),
    "virtio-net-pci-base": (("VirtioPCIClass.realize", "virtio_net_pci_realize"),),
    "virtio-device": (
        ("DeviceClass.realize", "virtio_device_realize"),
        ("DeviceClass.unrealize", "virtio_device_unrealize"),
        ("VirtioDeviceClass.start_ioeventfd", "virtio_device_start_ioeventfd_impl"),
        ("VirtioDeviceClass.stop_ioeventfd", "virtio_device_stop_ioeventfd_impl"),
    ),
    "virtio-net-device": (
        ("VirtioDeviceClass.realize", "virtio_net_device_realize"),
        ("VirtioDeviceClass.unrealize", "virtio_net_device_unrealize"),
        ("VirtioDeviceClass.get_config", "virtio_net_get_config"),
        ("VirtioDeviceClass.set_config", "virtio_net_set_config"),
        ("VirtioDeviceClass.get_features", "virtio_net_get_features"),
        ("VirtioDeviceClass.set_features", "virtio_net_set_features"),
        ("VirtioDeviceClass.bad_features", "virtio_net_bad_features"),
        ("VirtioDeviceClass.reset", "virtio_net_reset"),
        ("VirtioDeviceClass.set_status", "virtio_net_set_status"),
        ("VirtioDeviceClass.guest_notifier_mask", "virtio_net_guest_notifier_mask"),
        ("VirtioDeviceClass.guest_notifier_pending", "virtio_net_guest_notifier_pending"),
    ),
    "bus": (("ObjectClass.unparent", "bus_unparent"),),
    "PCI": (("BusClass.reset", "pcibus_reset"),),
    "PCIE": (("BusClass.realize", "pcie_bus_realize"),),
    "virtio-pci-bus": (
        ("VirtioBusClass.notify", "virtio_pci_notify"),
        ("VirtioBusClass.vmstate_change", "virtio_pci_vmstate_change"),
        ("VirtioBusClass.pre_plugged", "virtio_pci_pre_plugged"),
        ("VirtioBusClass.device_plugged", "virtio_pci_device_plugged"),
        ("VirtioBusClass.device_unplugged", "virtio_pci_device_unplugged"),
        ("VirtioBusClass.query_nvectors", "virtio_pci_query_nvectors"),
        ("VirtioBusClass.ioeventfd_enabled", "virtio_pci_ioeventfd_enabled"),
        ("VirtioBusClass.ioeventfd_assign", "virtio_pci_ioeventfd_assign"),
    ),
}


def effective_hooks(chain: list[str]) -> list[tuple[str, str, str, str]]:
    """(slot, function, who set it, whom that overrides or nothing) for a type; `chain` is its name, its parent's, and so on."""
    found: dict[str, tuple[str, str, str]] = {}
    for name in reversed(chain):
        for slot, function in HOOKS.get(name, ()):
            before = found.get(slot)
            found[slot] = (function, name, f"{before[0]} of {before[1]}" if before else "")
    return [(slot, *entry) for slot, entry in sorted(found.items())]
