"""virtio-net: QEMU 4.1.0's hw/net/virtio-net.c, one concept a file."""
