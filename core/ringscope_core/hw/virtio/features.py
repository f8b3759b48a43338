"""Feature bits, status bits, ring flags and limits of virtio and virtio-net (virtio 1.x, 2.1, 2.2, 2.7, 5.1.3; QEMU 4.1.0)."""

from __future__ import annotations

from typing import Final

from mypy_extensions import i64

from ringscope_core.trace import bits

# device-independent features (virtio 1.x, 6)
VIRTIO_F_NOTIFY_ON_EMPTY: Final[i64] = 24
VIRTIO_F_ANY_LAYOUT: Final[i64] = 27
VIRTIO_RING_F_INDIRECT_DESC: Final[i64] = 28
VIRTIO_RING_F_EVENT_IDX: Final[i64] = 29
VIRTIO_F_BAD_FEATURE: Final[i64] = 30
VIRTIO_F_VERSION_1: Final[i64] = 32
VIRTIO_F_IOMMU_PLATFORM: Final[i64] = 33
VIRTIO_F_RING_PACKED: Final[i64] = 34
VIRTIO_F_RING_RESET: Final[i64] = 40

# network device features (virtio 1.x, 5.1.3)
VIRTIO_NET_F_CSUM: Final[i64] = 0
VIRTIO_NET_F_GUEST_CSUM: Final[i64] = 1
VIRTIO_NET_F_CTRL_GUEST_OFFLOADS: Final[i64] = 2
VIRTIO_NET_F_MTU: Final[i64] = 3
VIRTIO_NET_F_MAC: Final[i64] = 5
VIRTIO_NET_F_GSO: Final[i64] = 6
VIRTIO_NET_F_GUEST_TSO4: Final[i64] = 7
VIRTIO_NET_F_GUEST_TSO6: Final[i64] = 8
VIRTIO_NET_F_GUEST_ECN: Final[i64] = 9
VIRTIO_NET_F_GUEST_UFO: Final[i64] = 10
VIRTIO_NET_F_HOST_TSO4: Final[i64] = 11
VIRTIO_NET_F_HOST_TSO6: Final[i64] = 12
VIRTIO_NET_F_HOST_ECN: Final[i64] = 13
VIRTIO_NET_F_HOST_UFO: Final[i64] = 14
VIRTIO_NET_F_MRG_RXBUF: Final[i64] = 15
VIRTIO_NET_F_STATUS: Final[i64] = 16
VIRTIO_NET_F_CTRL_VQ: Final[i64] = 17
VIRTIO_NET_F_CTRL_RX: Final[i64] = 18
VIRTIO_NET_F_CTRL_VLAN: Final[i64] = 19
VIRTIO_NET_F_CTRL_RX_EXTRA: Final[i64] = 20
VIRTIO_NET_F_GUEST_ANNOUNCE: Final[i64] = 21
VIRTIO_NET_F_MQ: Final[i64] = 22
VIRTIO_NET_F_CTRL_MAC_ADDR: Final[i64] = 23
VIRTIO_NET_F_HASH_REPORT: Final[i64] = 57
VIRTIO_NET_F_RSS: Final[i64] = 60
VIRTIO_NET_F_RSC_EXT: Final[i64] = 61
VIRTIO_NET_F_STANDBY: Final[i64] = 62
VIRTIO_NET_F_SPEED_DUPLEX: Final[i64] = 63

# device status (virtio 1.x, 2.1)
VIRTIO_CONFIG_S_ACKNOWLEDGE: Final[i64] = 0x01
VIRTIO_CONFIG_S_DRIVER: Final[i64] = 0x02
VIRTIO_CONFIG_S_DRIVER_OK: Final[i64] = 0x04
VIRTIO_CONFIG_S_FEATURES_OK: Final[i64] = 0x08
VIRTIO_CONFIG_S_NEEDS_RESET: Final[i64] = 0x40
VIRTIO_CONFIG_S_FAILED: Final[i64] = 0x80

# descriptors and rings (virtio 1.x, 2.7)
VRING_DESC_F_NEXT: Final[i64] = 1
VRING_DESC_F_WRITE: Final[i64] = 2
VRING_DESC_F_INDIRECT: Final[i64] = 4
VRING_AVAIL_F_NO_INTERRUPT: Final[i64] = 1
VRING_USED_F_NO_NOTIFY: Final[i64] = 1

VIRTIO_NO_VECTOR: Final[i64] = 0xFFFF
VIRTIO_QUEUE_MAX: Final[i64] = 1024
VIRTQUEUE_MAX_SIZE: Final[i64] = 1024
VIRTIO_PCI_VRING_ALIGN: Final[i64] = 4096


def has(features: i64, bit: i64) -> bool:
    """Whether feature `bit` is set in the 64 bit word `features` (virtio_has_feature)."""
    return (features >> bit) & 1 != 0


def with_bit(features: i64, bit: i64, on: bool) -> i64:
    """`features` with `bit` set or cleared.  Bit 63 makes the word negative, as the signed twin of QEMU's uint64_t."""
    mask = bits.bit(bit)
    return features | mask if on else features & ~mask
