"""Addresses that a gdb session on a real QEMU 4.1.0 showed.  Data: everything else is modelled or unknown."""

from __future__ import annotations

from typing import Final

SYMBOLS: Final[dict[str, int]] = {
    # functions
    "device_unparent": 0x55555599AE70,
    "virtio_net_class_init": 0x55555587EE50,
    "virtio_net_instance_init": 0x55555587FAF0,
    # string literals
    '"realized"': 0x555555CAC945,
    '"device"': 0x555555C70165,
    '"virtio-net-device"': 0x555555C6D290,
    '"virtio-device"': 0x555555C66DD3,
}
"""Functions by name, string literals by their quoted text."""

RETURN_ADDRESSES: Final[dict[str, int]] = {
    "virtio_device_realize": 0x0000555555896628,
    "device_set_realized": 0x000055555599C655,
    "property_set_bool": 0x0000555555AD4DD7,
    "object_property_set_qobject": 0x0000555555AD9270,
    "object_property_set_bool": 0x0000555555AD6B56,
}
"""Where the frame of this function continues in the chain to virtio_net_device_realize."""

HEAP: Final[dict[str, int]] = {
    "object:virtio-net-pci": 0x555557293140,
    "bool-property:virtio-net-device.realized": 0x55555729E980,
    "class:virtio-net-device": 0x5555563D1790,
    "type:virtio-net-device": 0x5555563105A0,
    "type:virtio-device": 0x555556311A30,
    "name:virtio-net-device": 0x555556310720,
    "parent-name:virtio-net-device": 0x555556310740,
    "properties:virtio-net-device": 0x555557267C60,
}
"""First allocation of each kind."""

ERRP_PCI_QDEV_REALIZE: Final = 0x7FFFFFFFE3D0
"""pci_qdev_realize's local error; what the backend's device_set_realized gets."""
LOCAL_ERR_OF_DEVICE_SET_REALIZED: Final = 0x180
"""Bytes from the errp a caller passes into object_property_set_bool down to device_set_realized's own."""
LOCAL_ERR_OF_REALIZE: Final = 0x60
"""Bytes from the errp of a realize hook down to its own local error."""
