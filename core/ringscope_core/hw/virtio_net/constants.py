"""virtio-net's limits and names (QEMU 4.1.0, hw/net/virtio-net.c; virtio 1.x, 5.1)."""

from __future__ import annotations

from typing import Final

from mypy_extensions import i64

MAC_TABLE_ENTRIES: Final[i64] = 64
MAX_VLAN: Final[i64] = 4096
VIRTIO_NET_RX_QUEUE_MIN_SIZE: Final[i64] = 256
VIRTIO_NET_TX_QUEUE_MIN_SIZE: Final[i64] = 256
CTRL_QUEUE_SIZE: Final[i64] = 64
NET_BUFSIZE: Final[i64] = 4096 + 65536

HDR_LEN: Final[i64] = 10
"""sizeof(struct virtio_net_hdr)."""
HDR_MRG_LEN: Final[i64] = 12
"""sizeof(struct virtio_net_hdr_mrg_rxbuf)."""
HDR_HASH_LEN: Final[i64] = 20
"""sizeof(struct virtio_net_hdr_v1_hash)."""
NUM_BUFFERS_OFFSET: Final[i64] = 10

VIRTIO_NET_S_LINK_UP: Final[i64] = 1
VIRTIO_NET_S_ANNOUNCE: Final[i64] = 2

SPEED_UNKNOWN: Final[i64] = -1
DUPLEX_HALF: Final[i64] = 0
DUPLEX_FULL: Final[i64] = 1
DUPLEX_UNKNOWN: Final[i64] = 0xFF

VIRTIO_NET_OK: Final[i64] = 0
VIRTIO_NET_ERR: Final[i64] = 1

VIRTIO_NET_CTRL_RX: Final[i64] = 0
VIRTIO_NET_CTRL_RX_PROMISC: Final[i64] = 0
VIRTIO_NET_CTRL_RX_ALLMULTI: Final[i64] = 1
VIRTIO_NET_CTRL_RX_ALLUNI: Final[i64] = 2
VIRTIO_NET_CTRL_RX_NOMULTI: Final[i64] = 3
VIRTIO_NET_CTRL_RX_NOUNI: Final[i64] = 4
VIRTIO_NET_CTRL_RX_NOBCAST: Final[i64] = 5
VIRTIO_NET_CTRL_MAC: Final[i64] = 1
VIRTIO_NET_CTRL_MAC_TABLE_SET: Final[i64] = 0
VIRTIO_NET_CTRL_MAC_ADDR_SET: Final[i64] = 1
VIRTIO_NET_CTRL_VLAN: Final[i64] = 2
VIRTIO_NET_CTRL_VLAN_ADD: Final[i64] = 0
VIRTIO_NET_CTRL_VLAN_DEL: Final[i64] = 1
VIRTIO_NET_CTRL_ANNOUNCE: Final[i64] = 3
VIRTIO_NET_CTRL_ANNOUNCE_ACK: Final[i64] = 0
VIRTIO_NET_CTRL_MQ: Final[i64] = 4
VIRTIO_NET_CTRL_MQ_VQ_PAIRS_SET: Final[i64] = 0
VIRTIO_NET_CTRL_MQ_RSS_CONFIG: Final[i64] = 1
VIRTIO_NET_CTRL_MQ_HASH_CONFIG: Final[i64] = 2
VIRTIO_NET_CTRL_MQ_VQ_PAIRS_MAX: Final[i64] = 0x8000
VIRTIO_NET_CTRL_GUEST_OFFLOADS: Final[i64] = 5
VIRTIO_NET_CTRL_GUEST_OFFLOADS_SET: Final[i64] = 0

# places in kinds.ENUMS["drop"]
DROP_LINK_DOWN: Final[i64] = 1
DROP_NO_PEER: Final[i64] = 2
DROP_NOT_READY: Final[i64] = 3
DROP_FILTERED: Final[i64] = 4
DROP_BUFFER_TOO_SMALL: Final[i64] = 5
DROP_TOO_LONG: Final[i64] = 6
DROP_DEVICE_ERROR: Final[i64] = 8
DROP_NO_IN_BUFFERS: Final[i64] = 9
