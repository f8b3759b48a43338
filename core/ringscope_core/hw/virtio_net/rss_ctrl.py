"""The multiqueue class of control commands as 7.2 has it: queue pairs, RSS and hash configuration (virtio_net_handle_mq, virtio_net_handle_rss)."""

from __future__ import annotations

from typing import Final

from mypy_extensions import i64

from ringscope_core.hw.virtio.features import VIRTIO_NET_F_HASH_REPORT, VIRTIO_NET_F_MQ, VIRTIO_NET_F_RSS
from ringscope_core.hw.virtio_net import constants as c
from ringscope_core.hw.virtio_net.device import VirtIONet
from ringscope_core.hw.virtio_net.features import virtio_net_set_queues
from ringscope_core.hw.virtio_net.rss import RSS_MAX_KEY_SIZE, RSS_MAX_TABLE_LEN
from ringscope_core.hw.virtio_net.status import virtio_net_set_status

TABLE_AT: Final[i64] = 8
"""Offset of indirection_table in struct virtio_net_rss_config."""


def handle_mq_7_2(n: VirtIONet, cmd: i64, data: bytes) -> i64:
    """virtio_net_handle_mq of 7.2: whatever the command is, hashing ends first."""
    n.rss.disable()
    n.update_rx_detour()
    if cmd == c.VIRTIO_NET_CTRL_MQ_HASH_CONFIG:
        return c.VIRTIO_NET_OK if handle_rss(n, data, False) else c.VIRTIO_NET_ERR
    queues: i64
    if cmd == c.VIRTIO_NET_CTRL_MQ_RSS_CONFIG:
        queues = handle_rss(n, data, True)
    elif cmd == c.VIRTIO_NET_CTRL_MQ_VQ_PAIRS_SET:
        if len(data) < 2 or not n.has_guest_feature(VIRTIO_NET_F_MQ):
            return c.VIRTIO_NET_ERR
        queues = int.from_bytes(data[:2], "little")
    else:
        return c.VIRTIO_NET_ERR
    if queues < 1 or queues > c.VIRTIO_NET_CTRL_MQ_VQ_PAIRS_MAX or queues > n.max_queues or not n.multiqueue:
        return c.VIRTIO_NET_ERR
    n.curr_queues = queues
    virtio_net_set_status(n, n.status)
    virtio_net_set_queues(n)
    return c.VIRTIO_NET_OK


def _u16(data: bytes, at: i64) -> i64:
    return int.from_bytes(data[at : at + 2], "little")


def handle_rss(n: VirtIONet, data: bytes, do_rss: bool) -> i64:
    """Take a struct virtio_net_rss_config (`do_rss`) or virtio_net_hash_config, which lies alike; returns the number of queue pairs.

    0 for a malformed one, which leaves hashing off and what was read so far in place.
    """
    rss = n.rss
    size: i64 = len(data)
    if not n.has_guest_feature(VIRTIO_NET_F_RSS if do_rss else VIRTIO_NET_F_HASH_REPORT) or size < TABLE_AT:
        return 0
    rss.hash_types = int.from_bytes(data[:4], "little")
    entries: i64 = (_u16(data, 4) + 1) & 0xFFFF if do_rss else 1
    if entries == 0 or entries & (entries - 1) or entries > RSS_MAX_TABLE_LEN:
        return 0
    rss.default_queue = _u16(data, 6) if do_rss else 0
    if rss.default_queue >= n.max_queues:
        return 0
    at = TABLE_AT + 2 * entries
    if size < at:
        return 0
    rss.indirections_table = [_u16(data, TABLE_AT + 2 * i64(i)) for i in range(int(entries))]
    if size < at + 3:
        return 0
    queues: i64 = _u16(data, at) if do_rss else n.curr_queues
    length: i64 = data[at + 2]
    if queues == 0 or queues > n.max_queues or length > RSS_MAX_KEY_SIZE:
        return 0
    if length == 0:
        # nothing to hash with: fine when nothing is to be hashed
        return 0 if rss.hash_types else queues
    if size < at + 3 + length:
        return 0
    rss.key = data[at + 3 : at + 3 + length] + rss.key[length:]
    rss.enabled = True
    # a frame that waits may be delivered before this command ends
    n.update_rx_detour()
    if not rss.populate_hash:
        # no backend of ours lets a program choose its queue, as a tap of Linux would
        n.world.warn_report("Can't load eBPF RSS - fallback to software RSS")
    return queues
