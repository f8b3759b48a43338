"""The emulated hardware: qdev, buses, PCI, virtio and virtio-net."""
