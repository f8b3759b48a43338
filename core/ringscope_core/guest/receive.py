"""The receive side of one queue pair (Linux virtio_net.c: receive_queue).

Buffer `i` belongs to descriptor `i` for good, so refilling costs a slot of the available ring and nothing else.
"""

from __future__ import annotations

from typing import Final, final

from mypy_extensions import i64

from ringscope_core.guest.alloc import PageAllocator
from ringscope_core.guest.config import DriverConfig
from ringscope_core.guest.napi import Napi, Softirq
from ringscope_core.guest.ring import DESC_WRITE, Vring
from ringscope_core.guest.stack import NetStack
from ringscope_core.guest.transmit import SendQueue
from ringscope_core.guest.virtio_pci import VirtioPciDevice
from ringscope_core.memory.ram import PAGE
from ringscope_core.trace.fields import field
from ringscope_core.trace.kinds import EV_GUEST_RX
from ringscope_core.trace.levels import LEVEL_FULL

HEADER: Final[i64] = 12
"""virtio_net_hdr with num_buffers: what VERSION_1 always has."""
SMALL_LENGTH: Final[i64] = 12 + 1518
"""Header, Ethernet header with VLAN tag, 1500 bytes."""
BIG_DATA: Final[i64] = 16
"""Where the frame begins in a big buffer: behind the header, padded."""
BIG_PAGES: Final[i64] = 18
"""Pages of a big buffer: 64 KB and a header page (MAX_SKB_FRAGS + 1)."""

LAYOUT_MERGEABLE: Final[i64] = 0
LAYOUT_SMALL: Final[i64] = 1
LAYOUT_BIG: Final[i64] = 2

F_NAPI: Final[i64] = field("receive_queue.napi_scheduled", "bool")


@final
class ReceiveQueue(Napi):
    """Posts buffers, takes frames out of them, hands them to the stack."""

    def __init__(
        self,
        transport: VirtioPciDevice,
        softirq: Softirq,
        ring: Vring,
        layout: i64,
        config: DriverConfig,
        pages: PageAllocator,
        stack: NetStack,
        sender: SendQueue,
        pair: i64,
    ) -> None:
        super().__init__(softirq, ring, config.napi_weight, F_NAPI)
        ring.inbound = True
        self.transport: VirtioPciDevice = transport
        self.layout: i64 = layout
        self.stack: NetStack = stack
        self.sender: SendQueue = sender
        self.pair: i64 = pair
        self.buffer_length: i64 = config.rx_buffer
        if layout == LAYOUT_SMALL:
            self.buffer_length = SMALL_LENGTH
        elif layout == LAYOUT_BIG:
            self.buffer_length = BIG_PAGES * PAGE
        self.stride: i64 = (self.buffer_length + 63) // 64 * 64
        self.pool_bytes: i64 = self.stride * ring.num
        self.pool_gpa: i64 = pages.alloc(self.pool_bytes)
        self.short_frames: i64 = 0
        """Elements without room for a header (a broken device)."""
        self.missing_buffers: i64 = 0
        """Frames whose num_buffers promised more elements than came."""

    # -- posting ------------------------------------------------------------------------------------------------------
    def fill(self) -> i64:
        """Post a buffer for every free descriptor and publish them (try_fill_recv, without the kick)."""
        ring = self.ring
        if self.layout == LAYOUT_BIG:
            while self._post_big():
                pass
            return ring.publish()
        while ring.num_free:
            ring.add(self.pool_gpa + ring.free_head * self.stride, self.buffer_length, DESC_WRITE)
        return ring.publish()

    def _post_big(self) -> bool:
        """A chain of header, rest of the first page, further pages (add_recvbuf_big)."""
        ring = self.ring
        needed: i64 = 1 if ring.indirect else BIG_PAGES + 1
        if ring.num_free < needed:
            return False
        base = self.pool_gpa + ring.free_head * self.stride
        ring.segment(base, HEADER, DESC_WRITE)
        ring.segment(base + BIG_DATA, PAGE - BIG_DATA, DESC_WRITE)
        for page in range(1, BIG_PAGES):
            ring.segment(base + page * PAGE, PAGE, DESC_WRITE)
        return ring.add_chain() >= 0

    def refill(self) -> None:
        """Post again once more than half of the ring is free, and tell the device when it wants to know."""
        if self.ring.num_free > self.ring.num // 2 and self.fill() and self.ring.kick_prepare():
            self.transport.kick(self.ring)

    # -- polling ------------------------------------------------------------------------------------------------------
    def poll(self, budget: i64) -> i64:
        """virtnet_poll: complete transmits of the same pair, receive, and go back to interrupts when there was little."""
        self.sender.clean_from_receive()
        received = self.receive(budget)
        self.record(budget, received)
        if received < budget:
            self.complete()
        return received

    def receive(self, budget: i64) -> i64:
        """Take at most `budget` frames (virtnet_receive); returns how many."""
        ring = self.ring
        received: i64 = 0
        if ring.begin_take(budget):
            while received < budget:
                head = ring.take()
                if head < 0:
                    break
                if self.layout == LAYOUT_MERGEABLE:
                    self._receive_mergeable(head)
                elif self.layout == LAYOUT_BIG:
                    self._hand_on(head, BIG_DATA, 1)
                else:
                    self._hand_on(head, HEADER, 1)
                received += 1
            ring.end_take()
        self.refill()
        return received

    def _hand_on(self, head: i64, data_offset: i64, buffers: i64) -> None:
        """A frame that lies in one buffer, `data_offset` behind its start."""
        length = self.ring.taken_len - HEADER
        if length <= 0:
            self.short_frames += 1
            return
        frame = self.ring.memory.read(self.pool_gpa + head * self.stride + data_offset, length)
        self._deliver(frame, head, buffers)

    def _receive_mergeable(self, head: i64) -> None:
        """A frame over num_buffers elements (receive_mergeable)."""
        ring = self.ring
        if ring.taken_len <= HEADER:
            self.short_frames += 1
            return
        first = ring.memory.read(self.pool_gpa + head * self.stride, ring.taken_len)
        buffers = i64(first[10]) | i64(first[11]) << 8
        if buffers <= 1:
            self._deliver(first[HEADER:], head, 1)
            return
        parts: list[bytes] = [first[HEADER:]]
        for _ in range(buffers - 1):
            following = ring.take()
            if following < 0:
                self.missing_buffers += 1
                return
            parts.append(ring.memory.read(self.pool_gpa + following * self.stride, ring.taken_len))
        self._deliver(b"".join(parts), head, buffers)

    def _deliver(self, frame: bytes, head: i64, buffers: i64) -> None:
        ring = self.ring
        counters = ring.counters
        size: i64 = len(frame)
        counters.driver_packets += 1
        counters.driver_bytes += size
        if ring.log.level >= LEVEL_FULL:
            ring.log.emit(EV_GUEST_RX, ring.oid, size, head, buffers)
        self.stack.receive(frame, self.pair)
