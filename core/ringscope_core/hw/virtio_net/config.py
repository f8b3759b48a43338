"""The device configuration space (struct virtio_net_config; virtio 1.x, 5.1.4)."""

from __future__ import annotations

from mypy_extensions import i64

from ringscope_core.hw.virtio.features import (
    VIRTIO_F_VERSION_1,
    VIRTIO_NET_F_CTRL_MAC_ADDR,
    VIRTIO_NET_F_HASH_REPORT,
    VIRTIO_NET_F_MQ,
    VIRTIO_NET_F_MTU,
    VIRTIO_NET_F_RSS,
    VIRTIO_NET_F_SPEED_DUPLEX,
    VIRTIO_NET_F_STATUS,
    has,
)
from ringscope_core.hw.virtio_net.device import VirtIONet
from ringscope_core.hw.virtio_net.rss import RSS_MAX_KEY_SIZE, RSS_MAX_TABLE_LEN, RSS_SUPPORTED_HASHES


def config_size_for(features: i64) -> i64:
    """virtio_net_set_config_size: bytes up to the last field that a feature of `features` gives meaning."""
    if has(features, VIRTIO_NET_F_RSS) or has(features, VIRTIO_NET_F_HASH_REPORT):
        return 24
    if has(features, VIRTIO_NET_F_SPEED_DUPLEX):
        return 17
    if has(features, VIRTIO_NET_F_MTU):
        return 12
    if has(features, VIRTIO_NET_F_MQ):
        return 10
    if has(features, VIRTIO_NET_F_STATUS):
        return 8
    return 6


def config_bytes(n: VirtIONet) -> bytes:
    """virtio_net_get_config: the whole space as it stands, `config_size` bytes."""
    conf = n.net_conf
    whole = (
        n.mac
        + int(n.link_status).to_bytes(2, "little")
        + int(n.max_queues).to_bytes(2, "little")
        + int(conf.mtu).to_bytes(2, "little")
        + (int(conf.speed) & 0xFFFFFFFF).to_bytes(4, "little")
        + (int(conf.duplex) & 0xFF).to_bytes(1, "little")
        + int(RSS_MAX_KEY_SIZE).to_bytes(1, "little")
        + int(RSS_MAX_TABLE_LEN if has(n.host_features, VIRTIO_NET_F_RSS) else 1).to_bytes(2, "little")
        + int(RSS_SUPPORTED_HASHES).to_bytes(4, "little")
    )
    return whole[: int(n.config_size)]


def virtio_net_get_config(n: VirtIONet) -> None:
    """Bring the core's copy up to date before the driver reads it."""
    n.config[:] = config_bytes(n)


def virtio_net_set_config(n: VirtIONet) -> None:
    """The driver wrote the core's copy: only the address counts, and only while no newer way to set it was agreed on."""
    if has(n.guest_features, VIRTIO_NET_F_CTRL_MAC_ADDR) or has(n.guest_features, VIRTIO_F_VERSION_1):
        return
    mac = bytes(n.config[:6])
    if mac != n.mac:
        n.mac = mac
        n.format_info_str()
        n.sync_fields()
