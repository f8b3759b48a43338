"""C types of QEMU's arguments and of a few local variables: what call frames, which carry numbers, do not say.  Data."""

from __future__ import annotations

from typing import Final

_ARGUMENTS: Final[dict[str, str]] = {
    "bus": "BusState *",
    "child": "DeviceState *",
    "childobj": "void *",
    "d": "DeviceState *",
    "data": "void *",
    "dev": "DeviceState *",
    "errp": "Error **",
    "handle_output": "VirtIOHandleOutput",
    "hotplug_dev": "HotplugHandler *",
    "memory": "MemoryRegion *",
    "mr": "MemoryRegion *",
    "n": "VirtIONet *",
    "net": "VirtIONet *",
    "nc": "NetClientState *",
    "obj": "Object *",
    "opaque": "void *",
    "opts": "QemuOpts *",
    "owner": "Object *",
    "parent": "DeviceState *",
    "parentobj": "Object *",
    "pci_dev": "PCIDevice *",
    "pdev": "PCIDevice *",
    "plug_handler": "HotplugHandler *",
    "plugged_dev": "DeviceState *",
    "proxy": "VirtIOPCIProxy *",
    "proxy_obj": "Object *",
    "q": "VirtIONetQueue *",
    "qbus": "BusState *",
    "qdev": "DeviceState *",
    "region": "VirtIOPCIRegion *",
    "source": "Object *",
    "subregion": "MemoryRegion *",
    "target": "Object *",
    "type": "TypeImpl *",
    "v": "Visitor *",
    "vdev": "VirtIODevice *",
    "vpci_dev": "VirtIOPCIProxy *",
    "vq": "VirtQueue *",
}
"""By the argument's name; one that carries a text is a ``const char *``, one that carries a number goes by its unit."""
_SPECIAL: Final[dict[tuple[str, str], str]] = {
    ("object_property_add_child", "child"): "Object *",
    ("qbus_create_inplace", "bus"): "void *",
    ("virtio_pci_bus_new", "bus"): "VirtioBusState *",
    ("virtio_pci_bus_new", "dev"): "VirtIOPCIProxy *",
    ("virtio_bus_start_ioeventfd", "bus"): "VirtioBusState *",
    ("virtio_bus_stop_ioeventfd", "bus"): "VirtioBusState *",
    ("virtio_bus_reset", "bus"): "VirtioBusState *",
    ("pci_do_device_reset", "dev"): "PCIDevice *",
    ("pci_init_cmask", "dev"): "PCIDevice *",
    ("pci_init_wmask", "dev"): "PCIDevice *",
    ("pci_init_w1cmask", "dev"): "PCIDevice *",
    ("pci_init_multifunction", "dev"): "PCIDevice *",
    ("msix_init", "dev"): "PCIDevice *",
    ("msix_init_exclusive_bar", "dev"): "PCIDevice *",
    ("msix_mask_all", "dev"): "PCIDevice *",
}
_UNITS: Final[dict[str, str]] = {
    "bool": "bool",
    "entry_bool": "bool",
    "bytes": "size_t",
    "count": "int",
    "flags": "uint64_t",
    "value": "int",
    "str": "const char *",
    "cstr": "const char *",
    "literal": "const char *",
}

LOCALS: Final[dict[str, tuple[tuple[str, str], ...]]] = {
    "virtio_net_device_realize": (("vdev", "(VirtIODevice *)dev"), ("n", "(VirtIONet *)dev")),
    "virtio_net_device_unrealize": (("vdev", "(VirtIODevice *)dev"), ("n", "(VirtIONet *)dev")),
    "virtio_device_realize": (("vdev", "(VirtIODevice *)dev"), ("vdc", "(VirtioDeviceClass *)((Object *)dev)->class")),
    "virtio_device_unrealize": (("vdev", "(VirtIODevice *)dev"), ("vdc", "(VirtioDeviceClass *)((Object *)dev)->class")),
    "virtio_net_pci_realize": (
        ("qdev", "(DeviceState *)vpci_dev"),
        ("dev", "(VirtIONetPCI *)vpci_dev"),
        ("vdev", "(DeviceState *)&((VirtIONetPCI *)vpci_dev)->vdev"),
    ),
    "virtio_pci_dc_realize": (("proxy", "(VirtIOPCIProxy *)qdev"), ("pci_dev", "(PCIDevice *)qdev")),
    "virtio_pci_realize": (("proxy", "(VirtIOPCIProxy *)pci_dev"), ("k", "(VirtioPCIClass *)((Object *)pci_dev)->class")),
    "pci_qdev_realize": (("pci_dev", "(PCIDevice *)qdev"), ("pc", "(PCIDeviceClass *)((Object *)qdev)->class")),
    "virtio_pci_device_plugged": (("proxy", "(VirtIOPCIProxy *)d"),),
    "virtio_pci_pre_plugged": (("proxy", "(VirtIOPCIProxy *)d"),),
    "virtio_net_add_queue": (("vdev", "(VirtIODevice *)n"),),
    "virtio_net_del_queue": (("vdev", "(VirtIODevice *)n"),),
    "virtio_net_set_status": (("n", "(VirtIONet *)vdev"),),
    "virtio_net_reset": (("n", "(VirtIONet *)vdev"),),
    "virtio_net_handle_ctrl": (("n", "(VirtIONet *)vdev"),),
    "virtio_net_handle_rx": (("n", "(VirtIONet *)vdev"),),
    "virtio_net_handle_tx_bh": (("n", "(VirtIONet *)vdev"),),
    "virtio_net_handle_tx_timer": (("n", "(VirtIONet *)vdev"),),
    "virtio_net_flush_tx": (("n", "(VirtIONet *)q->n"), ("vdev", "(VirtIODevice *)q->n")),
    "virtio_reset": (("vdev", "(VirtIODevice *)opaque"),),
}
"""Local variables that are casts of the arguments, or members of them: (name, what it is) by function."""

RETURNS: Final[dict[str, str]] = {
    "check_only_migratable": "bool",
    "object_new": "Object *",
    "pci_add_capability": "int",
    "virtio_pci_add_mem_cap": "int",
}
"""Functions of which the value returned is recorded, with its type."""


def argument_type(function: str, name: str, unit: str) -> str:
    """The C type of an argument; `unit` as in `trace.functions`."""
    special = _SPECIAL.get((function, name))
    if special is not None:
        return special
    if unit in _UNITS and not (unit == "str" and name == "handle_output"):
        return _UNITS[unit]
    return _ARGUMENTS.get(name, "void *")
