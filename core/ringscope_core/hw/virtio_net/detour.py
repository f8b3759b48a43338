"""What a frame passes before it is put into a queue, when the driver has asked for it: coalescing, hashing."""

from __future__ import annotations

from mypy_extensions import i64

from ringscope_core.hw.virtio_net.device import VirtIONet
from ringscope_core.hw.virtio_net.hashed import receive_hashed
from ringscope_core.hw.virtio_net.rsc import rsc_receive


def receive_detour(n: VirtIONet, queue_index: i64, frame: bytes) -> i64:
    """virtio_net_receive while `VirtIONet.rx_detour` holds."""
    if n.rsc4_enabled or n.rsc6_enabled:
        return rsc_receive(n, queue_index, frame)
    return receive_hashed(n, queue_index, frame)
