"""The virtio core (QEMU's hw/virtio/virtio.c) and its bus."""
