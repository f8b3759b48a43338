"""virtio over PCI: the proxy function with its regions, legacy and modern (hw/virtio/virtio-pci.c)."""
