"""The receive side of one queue pair (Linux virtio_net.c: receive_queue).

Buffer `i` belongs to ring id `i` for good, so refilling costs a slot of the ring and nothing else.
"""

from __future__ import annotations

from typing import Final

from mypy_extensions import i64

from ringscope_core.guest.alloc import PageAllocator
from ringscope_core.guest.config import DriverConfig
from ringscope_core.guest.napi import Napi, Softirq
from ringscope_core.guest.stack import NetStack
from ringscope_core.guest.transmit import SendQueue
from ringscope_core.guest.transport import VirtioTransport
from ringscope_core.guest.virtqueue import DESC_WRITE, Virtqueue
from ringscope_core.memory.ram import PAGE
from ringscope_core.net.offload import complete_checksum, repair_coalesced
from ringscope_core.net.vnet_header import DATA_VALID, GSO_NONE, HDR_HASH, NEEDS_CSUM, NO_HASH, RSC_INFO, parse_header
from ringscope_core.trace.fields import field
from ringscope_core.trace.kinds import EV_GUEST_RX
from ringscope_core.trace.levels import LEVEL_FULL

GOOD_PACKET: Final[i64] = 1518
"""Ethernet header with VLAN tag, 1500 bytes."""
BIG_DATA: Final[i64] = 16
"""Where the frame begins in a big buffer: behind the header, padded."""
BIG_DATA_HASH: Final[i64] = 32
BIG_PAGES: Final[i64] = 18
"""Pages of a big buffer for frames of any size: 64 KB and a header page (MAX_SKB_FRAGS + 1)."""

LARGEST: Final[i64] = 65562
"""Bytes of the largest frame and its header (virtio 1.1, 5.1.6.3.1)."""

LAYOUT_MERGEABLE: Final[i64] = 0
LAYOUT_SMALL: Final[i64] = 1
LAYOUT_BIG: Final[i64] = 2

F_NAPI: Final[i64] = field("receive_queue.napi_scheduled", "bool")


class ReceiveShape:
    """How receive buffers look: what the negotiated features and the MTU leave."""

    def __init__(self, layout: i64, header: i64) -> None:
        self.layout: i64 = layout
        self.header: i64 = header
        self.own_header: bool = False
        """A small buffer's header needs a descriptor of its own (legacy without ANY_LAYOUT)."""
        self.pages: i64 = BIG_PAGES
        """Pages of a big buffer."""
        self.frame: i64 = GOOD_PACKET
        """Longest frame of a small buffer."""
        self.offloads: bool = False
        """Headers say something: checksums, large frames, hashes."""


class ReceiveQueue(Napi):
    """Posts buffers, takes frames out of them, hands them to the stack."""

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
        super().__init__(softirq, ring, config.napi_weight, F_NAPI)
        ring.inbound = True
        self.transport: VirtioTransport = transport
        self.layout: i64 = shape.layout
        self.header: i64 = shape.header
        self.own_header: bool = shape.own_header
        self.offloads: bool = shape.offloads
        self.big_pages: i64 = shape.pages
        self.data_at: i64 = shape.header
        """Where a frame begins in its buffer."""
        self.stack: NetStack = stack
        self.sender: SendQueue = sender
        self.pair: i64 = pair
        self.buffer_length: i64 = config.rx_buffer
        if self.layout == LAYOUT_SMALL:
            self.buffer_length = shape.header + shape.frame
        elif self.layout == LAYOUT_BIG:
            self.buffer_length = shape.pages * PAGE
            self.data_at = BIG_DATA_HASH if shape.header == HDR_HASH else BIG_DATA
        self.stride: i64 = (self.buffer_length + 63) // 64 * 64
        self.pool_bytes: i64 = self.stride * ring.num
        self.pool_gpa: i64 = pages.alloc(self.pool_bytes)
        self.refill_above: i64 = ring.num // 2
        """Free descriptors above which buffers are posted again."""
        if self.layout == LAYOUT_MERGEABLE and self.buffer_length * self.refill_above < LARGEST:
            # the rest of the ring would not hold the largest frame, and it would wait for ever
            self.refill_above = 0
        self.rss_table: list[int] = []
        """The indirection table in force, to check what the device chose; empty without RSS."""
        self.short_frames: i64 = 0
        """Elements without room for a header (a broken device)."""
        self.missing_buffers: i64 = 0
        """Frames whose num_buffers promised more elements than came."""
        self.bad_headers: i64 = 0
        """Frames dropped because their header makes no sense."""
        self.csum_valid: i64 = 0
        """Frames whose checksum the device vouches for."""
        self.csum_partial: i64 = 0
        """Frames whose checksum was never computed."""
        self.gso_frames: i64 = 0
        """Frames that carry the data of several."""
        self.rsc_segments: i64 = 0
        """Segments that the device had coalesced in them."""
        self.hashed: i64 = 0
        """Frames with a hash."""
        self.misrouted: i64 = 0
        """Frames whose hash names another queue than the one they came on."""

    # -- posting ------------------------------------------------------------------------------------------------------
    def fill(self) -> i64:
        """Post a buffer for every free descriptor and publish them (try_fill_recv, without the kick)."""
        ring = self.ring
        if self.layout == LAYOUT_BIG:
            while self._post_big():
                pass
            return ring.publish()
        if self.own_header:
            while self._post_apart():
                pass
            return ring.publish()
        while ring.num_free:
            ring.add(self.pool_gpa + ring.free_head * self.stride, self.buffer_length, DESC_WRITE)
        return ring.publish()

    def _post_big(self) -> bool:
        """A chain of header, rest of the first page, further pages (add_recvbuf_big)."""
        ring = self.ring
        needed: i64 = 1 if ring.indirect else self.big_pages + 1
        if ring.num_free < needed:
            return False
        base = self.pool_gpa + ring.free_head * self.stride
        ring.segment(base, self.header, DESC_WRITE)
        ring.segment(base + self.data_at, PAGE - self.data_at, DESC_WRITE)
        for page in range(1, self.big_pages):
            ring.segment(base + page * PAGE, PAGE, DESC_WRITE)
        return ring.add_chain() >= 0

    def _post_apart(self) -> bool:
        """A small buffer as two descriptors: header and frame."""
        ring = self.ring
        needed: i64 = 1 if ring.indirect and ring.tables_gpa else 2
        if ring.num_free < needed:
            return False
        base = self.pool_gpa + ring.free_head * self.stride
        ring.segment(base, self.header, DESC_WRITE)
        ring.segment(base + self.header, self.buffer_length - self.header, DESC_WRITE)
        return ring.add_chain() >= 0

    def refill(self) -> None:
        """Post again once enough of the ring is free, usually half, and tell the device when it wants to know."""
        if self.ring.num_free > self.refill_above and self.fill() and self.ring.kick_prepare():
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
                else:
                    self._receive_single(head)
                received += 1
            ring.end_take()
        self.refill()
        return received

    def _receive_single(self, head: i64) -> None:
        """A frame that lies in one buffer."""
        memory = self.ring.memory
        length = self.ring.taken_len - self.header
        if length <= 0:
            self.short_frames += 1
            return
        base = self.pool_gpa + head * self.stride
        frame = memory.read(base + self.data_at, length)
        if self.offloads:
            self._deliver_offloaded(memory.read(base, self.header), frame, head, 1)
        else:
            self._deliver(frame, head, 1, False, b"")

    def _receive_mergeable(self, head: i64) -> None:
        """A frame over num_buffers elements (receive_mergeable)."""
        ring = self.ring
        header = self.header
        if ring.taken_len <= header:
            self.short_frames += 1
            return
        first = ring.memory.read(self.pool_gpa + head * self.stride, ring.taken_len)
        buffers = i64(first[10]) | i64(first[11]) << 8
        frame = first[header:]
        if buffers > 1:
            parts: list[bytes] = [frame]
            for _ in range(buffers - 1):
                following = ring.take()
                if following < 0:
                    self.missing_buffers += 1
                    return
                parts.append(ring.memory.read(self.pool_gpa + following * self.stride, ring.taken_len))
            frame = b"".join(parts)
        else:
            buffers = 1
        if self.offloads:
            self._deliver_offloaded(first, frame, head, buffers)
        else:
            self._deliver(frame, head, buffers, False, b"")

    def _deliver_offloaded(self, start: bytes, frame: bytes, head: i64, buffers: i64) -> None:
        """A frame whose header, at the beginning of `start`, may leave work to the driver, or have spared it some."""
        header = parse_header(start, self.header)
        if header.problem(len(frame)):
            self.bad_headers += 1
            return
        mended = b""
        if header.flags & DATA_VALID:
            self.csum_valid += 1
        if header.gso_type != GSO_NONE:
            self.gso_frames += 1
        if header.flags & RSC_INFO:
            self.rsc_segments += header.csum_start
            mended = repair_coalesced(frame)
        if self.header == HDR_HASH and header.hash_report != NO_HASH:
            self.hashed += 1
            if self.rss_table and self.rss_table[header.hash_value & (len(self.rss_table) - 1)] != self.pair:
                self.misrouted += 1
        if header.flags & NEEDS_CSUM:
            self.csum_partial += 1
            # the stack may send it on, so it gets a whole frame; of a large one only the segments' sums would be of use
            if header.gso_type == GSO_NONE:
                mended = complete_checksum(frame, header)
        trusted = header.flags & (DATA_VALID | NEEDS_CSUM | RSC_INFO) != 0
        self._deliver(frame, head, buffers, trusted, mended)

    def _deliver(self, frame: bytes, head: i64, buffers: i64, trusted: bool, mended: bytes) -> None:
        ring = self.ring
        counters = ring.counters
        size: i64 = len(frame)
        counters.driver_packets += 1
        counters.driver_bytes += size
        if ring.log.level >= LEVEL_FULL:
            ring.log.emit(EV_GUEST_RX, ring.oid, size, head, buffers)
        self.stack.receive(frame, self.pair, trusted, mended)

    def use_ring(self, ring: Virtqueue) -> None:
        """The queue was reset: go on with a new, empty ring of the same size in its place."""
        ring.inbound = True
        self.ring = ring
