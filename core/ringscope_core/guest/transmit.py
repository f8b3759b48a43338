"""The transmit side of one queue pair (Linux virtio_net.c: send_queue, start_xmit).

Buffer `i` belongs to ring id `i`, header in front.  Without offloads the header stays zero, so sending a frame is one write of its bytes
and one slot of the ring.  With them the header is written too, and frames longer than the MTU have buffers of their own.
"""

from __future__ import annotations

from typing import Final

from librt.vecs import vec
from mypy_extensions import i64

from ringscope_core.guest.alloc import PageAllocator
from ringscope_core.guest.config import TX_SPLIT, DriverConfig
from ringscope_core.guest.napi import Napi, Softirq
from ringscope_core.guest.tally import FrameTally
from ringscope_core.guest.transport import VirtioTransport
from ringscope_core.guest.virtqueue import Virtqueue
from ringscope_core.memory.ram import PAGE
from ringscope_core.net.offload import Accepts, Offloaded, plan, software_pieces
from ringscope_core.trace.fields import field
from ringscope_core.trace.kinds import EV_FRAME_DROP, EV_GUEST_TX
from ringscope_core.trace.levels import LEVEL_FULL, LEVEL_PACKETS
from ringscope_core.trace.packets import DIR_TX
from ringscope_core.trace.state import MachineState

MAX_SKB_FRAGS: Final[i64] = 17
STOP_BELOW: Final[i64] = 2 + MAX_SKB_FRAGS
"""Free descriptors a frame may need at most: with fewer the queue stops."""
SMALL_RING: Final[i64] = 64
"""A ring with fewer descriptors stops when the next frame of its own layout might not fit, else it would stand still for ever."""
MAX_OVERHEAD: Final[i64] = 18
"""Ethernet header and one VLAN tag."""

LONG_FRAME: Final[i64] = 65536 + MAX_OVERHEAD
"""Bytes of the longest frame that is handed down for segmentation."""
LONG_STRIDE: Final[i64] = 18 * PAGE
"""One buffer for such a frame: a page of headers, and its pages."""
LONG_BUFFERS: Final[i64] = 32

QDISC_LIMIT: Final[i64] = 1000
"""Linux's default txqueuelen."""
DROP_RING_FULL: Final[i64] = 12
"""Place of "driver ring full" in `kinds.ENUMS["drop"]`."""

F_NAPI: Final[i64] = field("send_queue.napi_scheduled", "bool")
F_STOPPED: Final[i64] = field("send_queue.stopped", "bool")


class SendQueue(Napi):
    """Sends frames: `begin`, `put` for each, `finish`; stops when the ring is nearly full and wakes on completions."""

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
        """`header`: bytes of the header before each frame; `split`: it must be in a descriptor of its own."""
        super().__init__(softirq, ring, config.napi_weight, F_NAPI)
        self.transport: VirtioTransport = transport
        self.pair: i64 = pair
        self.header: i64 = header
        self.accepts: Accepts = Accepts()
        """What the device takes unfinished."""
        self.offloads: bool = False
        self.napi_tx: bool = config.napi_tx
        self.xmit_more: bool = config.xmit_more
        self.split: bool = split or config.tx_layout == TX_SPLIT
        self.fragments: i64 = config.tx_fragments
        self.needed: i64 = self._most_descriptors()
        """Descriptors a frame takes at most."""
        self.stop_below: i64 = STOP_BELOW if ring.num >= SMALL_RING else self.needed
        self.tally: FrameTally = tally
        self.mtu: i64 = mtu
        self.max_frame: i64 = mtu + MAX_OVERHEAD
        self.stride: i64 = (header + self.max_frame + 2047) // 2048 * 2048
        self.pool_bytes: i64 = self.stride * ring.num
        self.pool_gpa: i64 = pages.alloc(self.pool_bytes)
        # buffers for frames longer than the MTU; which one each ring id holds, -1 for none
        self.long_gpa: i64 = 0
        self.long_free: list[int] = []
        self.long_of: vec[i64] = vec[i64]([])
        self.stopped: bool = False
        self.carrier: bool = True
        """Link up (netif_carrier_ok)."""
        self.too_long: i64 = 0
        """Frames refused because they exceed the MTU and can not be cut."""
        self.csum_left: i64 = 0
        """Frames whose checksum was left to the device."""
        self.gso_left: i64 = 0
        """Frames whose segmentation was left to it."""
        self.cut: i64 = 0
        """Frames that the driver cut itself."""
        self.qdisc: list[bytes] = []
        """The stack's frames that wait for the end of the turn, or for room in the ring."""
        self.qdisc_drops: i64 = 0
        self._pieces: list[bytes] = []
        """The rest of a frame that was cut and found no room."""
        self._said_stopped: i64 = 0
        if not self.napi_tx:
            ring.disable_cb()

    def _most_descriptors(self) -> i64:
        pieces = self.fragments + (1 if self.split else 0)
        return 1 if self.ring.indirect and self.ring.tables_gpa else pieces

    def use_offloads(self, accepts: Accepts, pages: PageAllocator) -> i64:
        """Leave to the device what it `accepts` from now on; returns the bytes allocated at `long_gpa`."""
        self.offloads = True
        self.accepts = accepts
        if not accepts.large():
            return 0
        size = LONG_BUFFERS * LONG_STRIDE
        self.long_gpa = pages.alloc(size)
        self.long_free = list(range(LONG_BUFFERS))
        self.long_of = vec[i64]([-1] * int(self.ring.num))
        return size

    # -- sending ------------------------------------------------------------------------------------------------------
    def ready(self) -> bool:
        """Whether `put` would take a frame."""
        return self.carrier and not self.stopped and not self.ring.broken

    def xmit(self, frame: bytes) -> bool:
        """Send one frame with its own notification; False when the queue is stopped."""
        self.begin()
        sent = self.put(frame)
        self.finish()
        return sent

    def enqueue(self, frame: bytes) -> None:
        """Leave a frame of the stack to `run_qdisc`; one that finds the queue full is dropped (pfifo)."""
        if len(self.qdisc) >= QDISC_LIMIT:
            self.qdisc_drops += 1
            log = self.ring.log
            if log.level >= LEVEL_PACKETS:
                log.emit(EV_FRAME_DROP, self.ring.oid, 0, len(frame), DROP_RING_FULL, DIR_TX)
            return
        self.qdisc.append(frame)

    def run_qdisc(self) -> i64:
        """Send what the stack left here as one batch, as far as there is room; returns how many frames went."""
        if not self.qdisc and not self._pieces:
            return 0
        if not self.ready():
            return 0
        waiting = self.qdisc
        sent: i64 = 0
        self.begin()
        while sent < len(waiting) and self.put(waiting[sent]):
            sent += 1
        if self._pieces:
            self._put_pieces()
        self.finish()
        self.qdisc = waiting[sent:]
        return sent

    def begin(self) -> None:
        """Start a batch: completions first (free_old_xmit_skbs).

        They may be what a stopped queue waits for, and then no interrupt will come for them any more.
        """
        self.free_old_xmit()
        self._wake_if_room()

    def put(self, frame: bytes) -> bool:
        """Queue one frame; False when the queue is stopped or the link is down, and the caller keeps the frame."""
        if self.stopped or not self.carrier or self.ring.broken:
            return False
        if self._pieces and not self._put_pieces():
            return False
        size: i64 = len(frame)
        if self.offloads:
            return self._put_offloaded(frame)
        if size > self.max_frame or size == 0:
            return self._put_cut(frame)
        return self._put_plain(frame, size)

    def _put_plain(self, frame: bytes, size: i64) -> bool:
        """A frame that fits its id's buffer, under a header of zeros."""
        ring = self.ring
        if ring.num_free < self.needed and not self._make_room():
            return False
        base = self.pool_gpa + ring.free_head * self.stride
        ring.memory.write(base + self.header, frame)
        head = self._post_chain(base, size) if self.split or self.fragments > 1 else ring.add(base, self.header + size, 0)
        self._account(frame, size, head)
        return True

    def _account(self, frame: bytes, size: i64, head: i64) -> None:
        ring = self.ring
        self.tally.add(frame)
        counters = ring.counters
        counters.driver_packets += 1
        counters.driver_bytes += size
        if ring.log.level >= LEVEL_FULL:
            ring.log.emit(EV_GUEST_TX, ring.oid, size, head)
        if ring.num_free < self.stop_below:
            self._nearly_full()
        elif not self.xmit_more:
            self.finish()

    def _post_chain(self, base: i64, size: i64) -> i64:
        """Header and fragments in descriptors of their own."""
        pieces = self.fragments
        if pieces > size:
            pieces = size
        return self._post_pieces(base, size, (size + pieces - 1) // pieces)

    def _post_pieces(self, base: i64, size: i64, step: i64) -> i64:
        """Header and frame, which lie together at `base`, in descriptors of at most `step` bytes of the frame."""
        ring = self.ring
        header = self.header
        if self.split:
            ring.segment(base, header, 0)
        at: i64 = 0
        while at < size:
            length = step if at + step < size else size - at
            if at == 0 and not self.split:
                ring.segment(base, header + length, 0)
            else:
                ring.segment(base + header + at, length, 0)
            at += step
        return ring.add_chain()

    # -- offloads -----------------------------------------------------------------------------------------------------
    def _put_offloaded(self, frame: bytes) -> bool:
        """A frame whose checksum, and segmentation if it is long, the device does."""
        way = plan(frame, self.accepts, self.mtu)
        if way is None:
            return self._put_cut(frame)
        if way.header.gso_type:
            return self._put_long(way)
        size: i64 = len(way.frame)
        ring = self.ring
        if size > self.max_frame or size == 0:
            self.too_long += 1
            return True
        if ring.num_free < self.needed and not self._make_room():
            return False
        base = self.pool_gpa + ring.free_head * self.stride
        ring.memory.write(base, way.header.to_bytes(self.header) + way.frame)
        head = self._post_chain(base, size) if self.split or self.fragments > 1 else ring.add(base, self.header + size, 0)
        if way.header.flags:
            self.csum_left += 1
        self._account(way.frame, size, head)
        return True

    def _put_long(self, way: Offloaded) -> bool:
        """A frame to be segmented: header and first page, then page by page (skb_to_sgvec)."""
        ring = self.ring
        size: i64 = len(way.frame)
        if size > LONG_FRAME:
            self.too_long += 1
            return True
        needed = (size + PAGE - 1) // PAGE + 1
        if ring.indirect and ring.tables_gpa:
            needed = 1
        if (not self.long_free or ring.num_free < needed) and not self._room_for_long(needed):
            return False
        buffer: i64 = self.long_free.pop()
        base = self.long_gpa + buffer * LONG_STRIDE
        ring.memory.write(base, way.header.to_bytes(self.header) + way.frame)
        head = self._post_pieces(base, size, PAGE)
        self.long_of[head] = buffer
        self.gso_left += 1
        self._account(way.frame, size, head)
        return True

    def _room_for_long(self, needed: i64) -> bool:
        self._make_room()
        return len(self.long_free) > 0 and self.ring.num_free >= needed and not self.stopped

    def _put_cut(self, frame: bytes) -> bool:
        """A frame longer than the MTU that the device does not cut: the driver does."""
        pieces = software_pieces(frame, self.mtu) if frame else []
        if not pieces:
            self.too_long += 1
            return True
        self.cut += 1
        self._pieces = pieces
        self._put_pieces()
        return True

    def _put_pieces(self) -> bool:
        """Send what is left of a frame that was cut; whether all of it went."""
        pieces = self._pieces
        self._pieces = []
        for place, piece in enumerate(pieces):
            if self.stopped or not (self._put_offloaded(piece) if self.offloads else self._put_plain(piece, len(piece))):
                self._pieces = pieces[place:]
                return False
        return True

    def finish(self) -> None:
        """End a batch: publish it, notify if the device wants that."""
        ring = self.ring
        ring.publish()
        if ring.num_added == 0:
            return
        if self.napi_tx:
            ring.enable_cb_delayed()
        if ring.kick_prepare():
            self.transport.kick(ring)

    # -- flow control -------------------------------------------------------------------------------------------------
    def _make_room(self) -> bool:
        """Too few descriptors: woken by an interrupt that freed less than a frame needs (without NAPI)."""
        self._stop()
        return False

    def _nearly_full(self) -> None:
        """The longest frame might find no room."""
        self._stop()

    def _stop(self) -> None:
        """netif_stop_subqueue; without NAPI ask for an interrupt, and go on at once when completions came already."""
        ring = self.ring
        ring.publish()
        self._set_stopped(True)
        ring.counters.ring_full += 1
        if not self.napi_tx and not ring.enable_cb_delayed():
            self.free_old_xmit()
            if ring.num_free >= self.stop_below:
                self._set_stopped(False)
                ring.disable_cb()

    def _wake_if_room(self) -> None:
        if self.stopped and self.ring.num_free >= self.stop_below:
            self._set_stopped(False)

    def _set_stopped(self, stopped: bool) -> None:
        self.stopped = stopped
        value: i64 = 1 if stopped else 0
        if self.ring.log.level >= LEVEL_FULL:
            self.ring.log.field(self.ring.oid, F_STOPPED, value, self._said_stopped)
        self._said_stopped = value

    def free_old_xmit(self) -> i64:
        """Take back what the device has sent; returns how many frames."""
        ring = self.ring
        done = ring.begin_take(ring.num)
        if done == 0:
            return 0
        long = self.long_gpa != 0
        for _ in range(done):
            head = ring.take()
            if head < 0:
                break
            if long and self.long_of[head] >= 0:
                self.long_free.append(self.long_of[head])
                self.long_of[head] = -1
        ring.end_take()
        return done

    # -- completions --------------------------------------------------------------------------------------------------
    def interrupt(self) -> None:
        """The device used elements (skb_xmit_done)."""
        if self.napi_tx:
            self.schedule()
            return
        self.ring.disable_cb()
        self._set_stopped(False)

    def clean_from_receive(self) -> None:
        """The receive poll of the pair frees transmits too (virtnet_poll_cleantx)."""
        if self.napi_tx:
            self.free_old_xmit()
            self._wake_if_room()

    def poll(self, budget: i64) -> i64:
        """virtnet_poll_tx: free, wake, back to interrupts; counts no packets against the budget."""
        done = self.free_old_xmit()
        self.record(budget, done)
        self._wake_if_room()
        self.complete()
        return 0

    # -- life ---------------------------------------------------------------------------------------------------------
    def outstanding(self) -> i64:
        """Frames the device has and will not give back when it is reset."""
        ring = self.ring
        count: i64 = 0
        for ident in range(ring.num):
            if ring.chain_length[ident]:
                count += 1
        return count

    def use_ring(self, ring: Virtqueue) -> None:
        """The queue was reset: go on with a new, empty ring of the same size in its place."""
        self.ring = ring
        if self.long_gpa:
            self.long_free = list(range(LONG_BUFFERS))
            self.long_of = vec[i64]([-1] * int(ring.num))
        self._set_stopped(False)
        if not self.napi_tx:
            ring.disable_cb()

    def snapshot(self, state: MachineState) -> None:
        """Put scheduled and stopped into `state`."""
        super().snapshot(state)
        state.fields.setdefault(int(self.ring.oid), {})[int(F_STOPPED)] = 1 if self.stopped else 0

    def cancel(self) -> None:
        """The queue goes away."""
        super().cancel()
        self.ring.log.field(self.ring.oid, F_STOPPED, 0, self._said_stopped)
        self._said_stopped = 0
        self.stopped = False
