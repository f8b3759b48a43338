"""The queues of one interface: rings, vectors, buffers, as the negotiated features want them (Linux virtio_net.c: init_vqs, virtnet_find_vqs)."""

from __future__ import annotations

from typing import Final, final

from mypy_extensions import i64

from ringscope_core.guest.alloc import PageAllocator
from ringscope_core.guest.config import RX_BIG, RX_SMALL, RX_VECTOR, VIRTIO_USER, DriverConfig
from ringscope_core.guest.control import CONTROL_BYTES, ControlQueue
from ringscope_core.guest.features import (
    F_ANY_LAYOUT,
    F_CSUM,
    F_CTRL_VQ,
    F_EVENT_IDX,
    F_GUEST_CSUM,
    F_HASH_REPORT,
    F_HOST_ECN,
    F_HOST_TSO4,
    F_HOST_TSO6,
    F_HOST_UFO,
    F_IN_ORDER,
    F_INDIRECT_DESC,
    F_MRG_RXBUF,
    F_RING_PACKED,
    F_VERSION_1,
    LARGE_RECEIVE,
    has,
)
from ringscope_core.guest.napi import Softirq
from ringscope_core.guest.poll_mode import PollReceiveQueue, PollSendQueue
from ringscope_core.guest.receive import BIG_PAGES, GOOD_PACKET, LAYOUT_BIG, LAYOUT_MERGEABLE, LAYOUT_SMALL, ReceiveQueue, ReceiveShape
from ringscope_core.guest.stack import NetStack
from ringscope_core.guest.transmit import MAX_OVERHEAD, SendQueue
from ringscope_core.guest.transport import NO_VECTOR, VirtioTransport
from ringscope_core.guest.virtqueue import RingMode, RingTrouble, Virtqueue
from ringscope_core.memory.ram import PAGE
from ringscope_core.net.offload import Accepts
from ringscope_core.net.vnet_header import HDR_HASH, HDR_LEGACY, HDR_MERGEABLE
from ringscope_core.trace.mainloop import MainLoop

TX_TABLE_ENTRIES: Final[i64] = 19
"""Entries of a transmit queue's indirect tables: header and 17 fragments, rounded up."""
CTRL_TABLE_ENTRIES: Final[i64] = 4
LAST_MESSAGE: Final[i64] = 0xEF
"""The last interrupt vector that is free for devices."""
ETH_DATA: Final[i64] = 1500

LAYOUT_NAMES: Final = ("mergeable", "small", "big")
"""Words for the receive buffers, by value."""


def header_bytes(features: int) -> i64:
    """The header before each frame: 10 bytes, 12 with mergeable buffers or VERSION_1, 20 with hashes (virtio 1.2, 5.1.6.1)."""
    if has(features, F_HASH_REPORT):
        return HDR_HASH
    return HDR_MERGEABLE if has(features, F_MRG_RXBUF) or has(features, F_VERSION_1) else HDR_LEGACY


def _accepts(features: int) -> Accepts:
    """What the device takes unfinished."""
    bits = (F_CSUM, F_HOST_TSO4, F_HOST_TSO6, F_HOST_ECN, F_HOST_UFO)
    csum, tso4, tso6, ecn, ufo = (has(features, bit) for bit in bits)
    return Accepts(csum, tso4, tso6, ecn, ufo)


def receive_shape(features: int, config: DriverConfig, mtu: i64) -> ReceiveShape:
    """Which receive buffers go with `features` (virtnet_probe: mergeable_rx_bufs, big_packets)."""
    shape = ReceiveShape(LAYOUT_SMALL, header_bytes(features))
    large = features & LARGE_RECEIVE != 0
    if has(features, F_MRG_RXBUF):
        shape.layout = LAYOUT_MERGEABLE
    elif large or config.rx_mode == RX_BIG or (mtu > ETH_DATA and config.rx_mode not in (RX_SMALL, RX_VECTOR)):
        shape.layout = LAYOUT_BIG
        # only frames that were put together are larger than the MTU
        shape.pages = BIG_PAGES if large or config.rx_mode == RX_BIG else (mtu + MAX_OVERHEAD + PAGE - 1) // PAGE + 1
    shape.frame = max(GOOD_PACKET, mtu + MAX_OVERHEAD)
    shape.own_header = not has(features, F_VERSION_1) and not has(features, F_ANY_LAYOUT)
    shape.offloads = has(features, F_GUEST_CSUM) or has(features, F_HASH_REPORT)
    return shape


@final
class NetQueues:
    """Everything between the transport and the stack.  Made by `build`, taken apart by `release`."""

    def __init__(self, transport: VirtioTransport, pages: PageAllocator, config: DriverConfig, features: int, mtu: i64, max_pairs: i64) -> None:
        """Nothing is allocated yet; features, MTU and the device's number of pairs stay."""
        self.transport: VirtioTransport = transport
        self.pages: PageAllocator = pages
        self.config: DriverConfig = config
        self.features: int = features
        self.mtu: i64 = mtu
        self.max_pairs: i64 = max_pairs
        self.polled: bool = config.personality == VIRTIO_USER
        self.shape: ReceiveShape = receive_shape(features, config, mtu)
        self.mode: RingMode = RingMode()
        self.mode.packed = has(features, F_RING_PACKED)
        self.mode.event = has(features, F_EVENT_IDX)
        self.mode.indirect = has(features, F_INDIRECT_DESC)
        self.mode.in_order = has(features, F_IN_ORDER)
        self.mode.fifo = self.polled
        self.receivers: list[ReceiveQueue] = []
        self.senders: list[SendQueue] = []
        self.pollers: list[PollReceiveQueue] = []
        """The receivers that are polled instead of interrupted."""
        self.control: ControlQueue | None = None
        self.rings: list[Virtqueue] = []
        self.trouble: RingTrouble = RingTrouble()
        self.vector_of: list[int] = []
        """MSI-X vectors by queue."""
        self.ring_of_vector: list[list[Virtqueue]] = []
        """Rings by MSI-X vector; vector 0 also carries configuration changes."""
        self._allocated: list[tuple[int, int]] = []

    # -- building -----------------------------------------------------------------------------------------------------
    def build(self, softirq: Softirq, stack: NetStack, loop: MainLoop, message_base: i64, messages: i64) -> i64:
        """Rings and interrupts for every pair the device has, and the control queue; returns how many MSI-X vectors they use.

        There are `messages` from `message_base` on.  Raises ProbeError; what was made until then is `release`'s.
        """
        transport = self.transport
        count = 2 * self.max_pairs
        vectors = self._choose_vectors(count, messages)
        if vectors:
            transport.enable_msix(vectors, message_base)
            transport.set_config_vector(0)
        self.ring_of_vector = [[] for _ in range(vectors)]
        for index in range(count):
            self._add_ring(index, self._vector_of(index, vectors, count))
        if has(self.features, F_CTRL_VQ):
            self._add_ring(count, NO_VECTOR)
        for ring in self.rings:
            transport.enable_queue(ring.index)
        self._make_pairs(softirq, stack)
        if has(self.features, F_CTRL_VQ):
            self.control = ControlQueue(transport, self.rings[count], self.pages, loop)
            self._allocated.append((int(self.control.page_gpa), int(CONTROL_BYTES)))
        return vectors

    def _choose_vectors(self, queues: i64, messages: i64) -> i64:
        """One vector a queue and one for changes; else two in all; else the interrupt pin (vp_find_vqs).  Polled: for changes alone."""
        available: i64 = self.transport.find_msix() if self.config.msix else 0
        if messages < available:
            available = messages
        if self.polled:
            return 1 if available else 0
        if available > queues:
            return queues + 1
        return 2 if available >= 2 else 0

    def _vector_of(self, index: i64, vectors: i64, queues: i64) -> i64:
        if vectors == 0 or self.polled:
            return NO_VECTOR
        return index + 1 if vectors == queues + 1 else 1

    def _add_ring(self, index: i64, vector: i64) -> None:
        size = self._size_of(index)
        ring = self.transport.setup_queue(index, vector, self.mode, size)
        ring.trouble = self.trouble
        self.rings.append(ring)
        self.vector_of.append(int(vector))
        self._allocated.append((int(ring.desc_gpa), int(ring.size)))
        if vector != NO_VECTOR:
            self.ring_of_vector[vector].append(ring)
        entries = self._table_entries(index)
        if self.mode.indirect and entries:
            ring.use_tables(self.alloc(16 * entries * ring.num), entries)

    def _size_of(self, index: i64) -> i64:
        """Descriptors the settings ask for, 0 for what the device proposes."""
        if index == 2 * self.max_pairs:
            return 0
        return self.config.tx_ring if index & 1 else self.config.rx_ring

    def _table_entries(self, index: i64) -> i64:
        """Room a queue's indirect tables need, 0 where chains are one descriptor long."""
        if index == 2 * self.max_pairs:
            return CTRL_TABLE_ENTRIES
        if index & 1:
            return TX_TABLE_ENTRIES
        if self.shape.layout == LAYOUT_BIG:
            return self.shape.pages + 1
        return 2 if self.shape.layout == LAYOUT_SMALL and self.shape.own_header else 0

    def _make_pairs(self, softirq: Softirq, stack: NetStack) -> None:
        for pair in range(self.max_pairs):
            sender = self._make_sender(softirq, stack, pair)
            receiver = self._make_receiver(softirq, stack, sender, pair)
            self.senders.append(sender)
            self.receivers.append(receiver)
            self._allocated.append((int(sender.pool_gpa), int(sender.pool_bytes)))
            self._allocated.append((int(receiver.pool_gpa), int(receiver.pool_bytes)))
            if has(self.features, F_CSUM):
                size = sender.use_offloads(_accepts(self.features), self.pages)
                if size:
                    self._allocated.append((int(sender.long_gpa), int(size)))

    def _make_sender(self, softirq: Softirq, stack: NetStack, pair: i64) -> SendQueue:
        ring = self.rings[2 * pair + 1]
        header, split = self.shape.header, self.shape.own_header
        if self.polled:
            return PollSendQueue(self.transport, softirq, ring, self.config, self.pages, stack.sent, self.mtu, pair, header, split)
        return SendQueue(self.transport, softirq, ring, self.config, self.pages, stack.sent, self.mtu, pair, header, split)

    def _make_receiver(self, softirq: Softirq, stack: NetStack, sender: SendQueue, pair: i64) -> ReceiveQueue:
        ring = self.rings[2 * pair]
        if self.polled:
            poller = PollReceiveQueue(self.transport, softirq, ring, self.shape, self.config, self.pages, stack, sender, pair)
            self.pollers.append(poller)
            return poller
        return ReceiveQueue(self.transport, softirq, ring, self.shape, self.config, self.pages, stack, sender, pair)

    def alloc(self, size: i64) -> i64:
        """Memory that goes back with the queues."""
        gpa = self.pages.alloc(size)
        self._allocated.append((int(gpa), int(size)))
        return gpa

    # -- one queue alone ----------------------------------------------------------------------------------------------
    def restart(self, index: i64) -> None:
        """Reset one queue and start it again, empty, where it was (virtio 1.2, 2.6.1).  Raises ProbeError."""
        old = self.rings[index]
        self.transport.reset_queue(index)
        old.release()
        gpa = old.desc_gpa
        old.memory.write(gpa, bytes(int(old.size)))
        ring = self.transport.place_ring(index, old.num, gpa, self.mode)
        if old.tables_gpa:
            ring.use_tables(old.tables_gpa, old.table_entries)
        ring.trouble = self.trouble
        self.rings[index] = ring
        for rings in self.ring_of_vector:
            if old in rings:
                rings[rings.index(old)] = ring
        self.transport.restart_queue(ring, self.vector_of[index])
        if index == 2 * self.max_pairs:
            assert self.control is not None
            self.control.use_ring(ring)
        elif index & 1:
            self.senders[index >> 1].use_ring(ring)
        else:
            self._refill(self.receivers[index >> 1], ring)

    def _refill(self, receiver: ReceiveQueue, ring: Virtqueue) -> None:
        receiver.use_ring(ring)
        receiver.fill()
        self.transport.kick_if_wanted(ring)
        if not self.polled:
            receiver.schedule()

    # -- taking apart -------------------------------------------------------------------------------------------------
    def lost(self) -> i64:
        """Frames that the device was given and has not sent."""
        total: i64 = 0
        for sender in self.senders:
            sender.free_old_xmit()
            total += sender.outstanding()
        return total

    def release(self) -> None:
        """Give all memory back; the device has forgotten the rings."""
        for receiver in self.receivers:
            receiver.cancel()
        for sender in self.senders:
            sender.cancel()
        for ring in self.rings:
            ring.release()
        for gpa, size in self._allocated:
            self.pages.free(gpa, size)
        self._allocated = []
