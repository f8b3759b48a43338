"""Receiving with RSS: the hash goes into the header and chooses the queue (virtio_net_process_rss)."""

from __future__ import annotations

from mypy_extensions import i64

from ringscope_core.hw.virtio_net.constants import HDR_HASH_LEN
from ringscope_core.hw.virtio_net.device import VirtIONet
from ringscope_core.hw.virtio_net.rss import with_hash
from ringscope_core.hw.virtio_net.rx import virtio_net_can_receive, virtio_net_receive


def receive_hashed(n: VirtIONet, queue_index: i64, frame: bytes) -> i64:
    """virtio_net_do_receive: hash the frame when the driver wants it, then put it into the queue that comes out, of those that take part."""
    rss = n.rss
    if not rss.enabled or not virtio_net_can_receive(n, queue_index):
        return virtio_net_receive(n, queue_index, frame)
    target = rss.steer(queue_index, frame, n.host_hdr_len)
    if rss.populate_hash and n.host_hdr_len == HDR_HASH_LEN and len(frame) >= HDR_HASH_LEN:
        frame = with_hash(frame, rss.value, rss.report)
    return virtio_net_receive(n, queue_index if target < 0 else target % n.curr_queues, frame)
