"""Queues driven by polling, as DPDK's virtio driver does (drivers/net/virtio/virtio_rxtx.c): no interrupts, work in bursts.

Sent frames are freed only when descriptors run short, and then all together; the device is notified once a burst; receive buffers are
posted in blocks once enough are free.
"""

from __future__ import annotations

from typing import final

from mypy_extensions import i64

from ringscope_core.guest.alloc import PageAllocator
from ringscope_core.guest.config import RX_VECTOR, DriverConfig
from ringscope_core.guest.napi import Softirq
from ringscope_core.guest.receive import LAYOUT_SMALL, ReceiveQueue, ReceiveShape
from ringscope_core.guest.stack import NetStack
from ringscope_core.guest.tally import FrameTally
from ringscope_core.guest.transmit import SendQueue
from ringscope_core.guest.transport import VirtioTransport
from ringscope_core.guest.virtqueue import DESC_WRITE, Virtqueue


@final
class PollSendQueue(SendQueue):
    """Sends in bursts; never stops: who finds no room tries again at its next poll."""

    def __init__(
        self,
        transport: VirtioTransport,
        softirq: Softirq,
        ring: Virtqueue,
        config: DriverConfig,
        pages: PageAllocator,
        tally: FrameTally,
        mtu: i64,
        pair: i64,
        header: i64,
        split: bool,
    ) -> None:
        super().__init__(transport, softirq, ring, config, pages, tally, mtu, pair, header, split)
        self.napi_tx = False
        self.xmit_more = True
        self.burst: i64 = config.burst
        self.free_thresh: i64 = min(config.free_thresh, ring.num // 2)
        self._in_burst: i64 = 0
        ring.disable_cb()

    def begin(self) -> None:
        """Free what was sent, but only when descriptors run short (virtio_xmit_cleanup)."""
        if self.ring.num_free < self.free_thresh:
            self.free_old_xmit()

    def put(self, frame: bytes) -> bool:
        if not super().put(frame):
            return False
        self._in_burst += 1
        if self._in_burst >= self.burst:
            self.finish()
        return True

    def finish(self) -> None:
        """End a burst: publish it, notify if the device wants that."""
        self._in_burst = 0
        super().finish()

    def _make_room(self) -> bool:
        """Give the device what was gathered, take back what it is done with."""
        self.finish()
        self.free_old_xmit()
        if self.ring.num_free >= self.needed:
            return True
        self.ring.counters.ring_full += 1
        return False

    def _nearly_full(self) -> None:
        """Nothing: the next frame finds out."""

    def use_ring(self, ring: Virtqueue) -> None:
        self._in_burst = 0
        super().use_ring(ring)


@final
class PollReceiveQueue(ReceiveQueue):
    """Receives in bursts."""

    def __init__(
        self,
        transport: VirtioTransport,
        softirq: Softirq,
        ring: Virtqueue,
        shape: ReceiveShape,
        config: DriverConfig,
        pages: PageAllocator,
        stack: NetStack,
        sender: SendQueue,
        pair: i64,
    ) -> None:
        super().__init__(transport, softirq, ring, shape, config, pages, stack, sender, pair)
        self.burst: i64 = config.burst
        self.free_thresh: i64 = max(1, min(config.free_thresh, self.refill_above + 1))
        self.vector: bool = config.rx_mode == RX_VECTOR and shape.layout == LAYOUT_SMALL and not shape.own_header
        ring.disable_cb()

    def poll_burst(self) -> i64:
        """One look at the ring (virtio_recv_pkts): at most a burst of frames; returns how many."""
        if not self.ring.more_used():
            return 0
        received = self.receive(self.burst)
        self.record(self.burst, received)
        return received

    def refill(self) -> None:
        """Post once a block is free; in vector mode whole blocks only (virtio_rxq_rearm_vec)."""
        ring = self.ring
        if ring.num_free < self.free_thresh:
            return
        posted = self._rearm() if self.vector else self.fill()
        if posted and ring.kick_prepare():
            self.transport.kick(ring)

    def _rearm(self) -> i64:
        ring = self.ring
        for _ in range(ring.num_free // self.free_thresh * self.free_thresh):
            ring.add(self.pool_gpa + ring.free_head * self.stride, self.buffer_length, DESC_WRITE)
        return ring.publish()

    def use_ring(self, ring: Virtqueue) -> None:
        super().use_ring(ring)
        ring.disable_cb()
