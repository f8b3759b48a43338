"""Offering and accepting features, and what they switch (virtio_net_get_features, virtio_net_set_features)."""

from __future__ import annotations

from typing import Final

from mypy_extensions import i64

from ringscope_core.hw.virtio import features as f
from ringscope_core.hw.virtio.features import has, with_bit
from ringscope_core.hw.virtio_net.constants import HDR_HASH_LEN, HDR_LEN, HDR_MRG_LEN
from ringscope_core.hw.virtio_net.device import VirtIONet
from ringscope_core.hw.virtio_net.queues import virtio_net_change_num_queues

_NEED_UFO: Final[i64] = 1 << f.VIRTIO_NET_F_GUEST_UFO | 1 << f.VIRTIO_NET_F_HOST_UFO
_HOST_OFFLOADS: Final[i64] = 1 << f.VIRTIO_NET_F_CSUM | 1 << f.VIRTIO_NET_F_HOST_TSO4 | 1 << f.VIRTIO_NET_F_HOST_TSO6 | 1 << f.VIRTIO_NET_F_HOST_ECN
_GUEST_OFFLOADS: Final[i64] = (
    1 << f.VIRTIO_NET_F_GUEST_CSUM
    | 1 << f.VIRTIO_NET_F_GUEST_TSO4
    | 1 << f.VIRTIO_NET_F_GUEST_TSO6
    | 1 << f.VIRTIO_NET_F_GUEST_ECN
    | 1 << f.VIRTIO_NET_F_GUEST_UFO
)


def virtio_net_get_features(n: VirtIONet, features: i64) -> i64:
    """What is offered: the properties' bits, without those that the peer cannot serve."""
    features = with_bit(features | n.net_features, f.VIRTIO_NET_F_MAC, True)
    if not n.has_vnet_hdr:
        features = with_bit(features & ~(_HOST_OFFLOADS | _GUEST_OFFLOADS), f.VIRTIO_NET_F_HASH_REPORT, False)
    if not n.has_vnet_hdr or not n.has_ufo:
        features &= ~_NEED_UFO
    return features


def virtio_net_bad_features() -> i64:
    """What a driver gets that acknowledged bit 30: the linux driver of before features were checked."""
    return _HOST_OFFLOADS | 1 << f.VIRTIO_NET_F_MAC


def supported_guest_offloads(n: VirtIONet) -> i64:
    """virtio_net_supported_guest_offloads: the offload bits that the driver accepted."""
    return _GUEST_OFFLOADS & n.guest_features


def virtio_net_apply_guest_offloads(n: VirtIONet) -> None:
    """Tell the peer what the driver takes unfinished."""
    offloads = n.curr_guest_offloads
    peer = n.nc().peer
    if peer is not None:
        peer.set_offload(
            has(offloads, f.VIRTIO_NET_F_GUEST_CSUM),
            has(offloads, f.VIRTIO_NET_F_GUEST_TSO4),
            has(offloads, f.VIRTIO_NET_F_GUEST_TSO6),
            has(offloads, f.VIRTIO_NET_F_GUEST_ECN),
            has(offloads, f.VIRTIO_NET_F_GUEST_UFO),
        )


def virtio_net_set_mrg_rx_bufs(n: VirtIONet, mergeable: bool, version_1: bool, hash_report: bool = False) -> None:
    """Header lengths of driver and peer."""
    n.mergeable_rx_bufs = mergeable
    n.guest_hdr_len = HDR_MRG_LEN if version_1 or mergeable else HDR_LEN
    if version_1:
        n.rss.populate_hash = hash_report
        if hash_report:
            n.guest_hdr_len = HDR_HASH_LEN
    if n.nic is None:
        return
    for nc in n.nic.ncs:
        peer = nc.peer
        if n.has_vnet_hdr and peer is not None and peer.has_vnet_hdr_len(n.guest_hdr_len):
            peer.set_vnet_hdr_len(n.guest_hdr_len)
            n.host_hdr_len = n.guest_hdr_len


def virtio_net_set_queues(n: VirtIONet) -> None:
    """Attach the peer's queues that take part and detach the others."""
    if n.nic is None or n.nic.peer_deleted:
        return
    if n.max_queues == 1:
        return
    for index, nc in enumerate(n.nic.ncs):
        peer = nc.peer
        if peer is not None:
            peer.set_queue_attached(index < n.curr_queues)


def virtio_net_set_features(n: VirtIONet, features: i64) -> None:
    """The driver accepted `features` (already without what was not offered).  Dependencies between bits are not checked."""
    _set_multiqueue(n, has(features, f.VIRTIO_NET_F_MQ) or has(features, f.VIRTIO_NET_F_RSS))
    hash_report = has(features, f.VIRTIO_NET_F_HASH_REPORT)
    virtio_net_set_mrg_rx_bufs(n, has(features, f.VIRTIO_NET_F_MRG_RXBUF), has(features, f.VIRTIO_F_VERSION_1), hash_report)
    n.rss.redirect = has(features, f.VIRTIO_NET_F_RSS)
    if n.has_vnet_hdr:
        n.curr_guest_offloads = _GUEST_OFFLOADS & features
        virtio_net_apply_guest_offloads(n)
    n.vlans[:] = (b"\x00" if has(features, f.VIRTIO_NET_F_CTRL_VLAN) else b"\xff") * len(n.vlans)


def _set_multiqueue(n: VirtIONet, multiqueue: bool) -> None:
    """virtio_net_set_multiqueue: how many queues there are depends on VIRTIO_NET_F_MQ."""
    n.multiqueue = multiqueue
    virtio_net_change_num_queues(n, n.max_queues * 2 + 1 if multiqueue else 3)
    virtio_net_set_queues(n)
