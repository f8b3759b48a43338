"""The transmit side of one queue pair (Linux virtio_net.c: send_queue, start_xmit).

Buffer `i` belongs to descriptor `i`, header in front; the header stays zero because no offload is used, so sending a
frame is one write of its bytes and one slot of the available ring.
"""

from __future__ import annotations

from typing import Final, final

from mypy_extensions import i64

from ringscope_core.guest.alloc import PageAllocator
from ringscope_core.guest.config import TX_SPLIT, DriverConfig
from ringscope_core.guest.napi import Napi, Softirq
from ringscope_core.guest.ring import Vring
from ringscope_core.guest.tally import FrameTally
from ringscope_core.guest.virtio_pci import VirtioPciDevice
from ringscope_core.trace.fields import field
from ringscope_core.trace.kinds import EV_FRAME_DROP, EV_GUEST_TX
from ringscope_core.trace.levels import LEVEL_FULL, LEVEL_PACKETS
from ringscope_core.trace.packets import DIR_TX
from ringscope_core.trace.state import MachineState

HEADER: Final[i64] = 12
MAX_SKB_FRAGS: Final[i64] = 17
STOP_BELOW: Final[i64] = 2 + MAX_SKB_FRAGS
"""Free descriptors a frame may need at most: with fewer the queue stops."""
MAX_OVERHEAD: Final[i64] = 18
"""Ethernet header and one VLAN tag."""

QDISC_LIMIT: Final[i64] = 1000
"""Linux's default txqueuelen."""
DROP_RING_FULL: Final[i64] = 12
"""Place of "driver ring full" in `kinds.ENUMS["drop"]`."""

F_NAPI: Final[i64] = field("send_queue.napi_scheduled", "bool")
F_STOPPED: Final[i64] = field("send_queue.stopped", "bool")


@final
class SendQueue(Napi):
    """Sends frames: `begin`, `put` for each, `finish`; stops when the ring is nearly full and wakes on completions."""

    def __init__(
        self, transport: VirtioPciDevice, softirq: Softirq, ring: Vring, config: DriverConfig, pages: PageAllocator, tally: FrameTally, mtu: i64, pair: i64
    ) -> None:
        super().__init__(softirq, ring, config.napi_weight, F_NAPI)
        self.transport: VirtioPciDevice = transport
        self.pair: i64 = pair
        self.napi_tx: bool = config.napi_tx
        self.xmit_more: bool = config.xmit_more
        self.split: bool = config.tx_layout == TX_SPLIT
        self.fragments: i64 = config.tx_fragments
        pieces = self.fragments + (1 if self.split else 0)
        self.needed: i64 = 1 if ring.indirect and ring.tables_gpa else pieces
        """Descriptors a frame takes at most."""
        self.tally: FrameTally = tally
        self.max_frame: i64 = mtu + MAX_OVERHEAD
        self.stride: i64 = (HEADER + self.max_frame + 2047) // 2048 * 2048
        self.pool_bytes: i64 = self.stride * ring.num
        self.pool_gpa: i64 = pages.alloc(self.pool_bytes)
        self.stopped: bool = False
        self.carrier: bool = True
        """Link up (netif_carrier_ok)."""
        self.too_long: i64 = 0
        """Frames refused because they exceed the MTU."""
        self.qdisc: list[bytes] = []
        """The stack's frames that wait for the end of the turn, or for room in the ring."""
        self.qdisc_drops: i64 = 0
        self._said_stopped: i64 = 0
        if not self.napi_tx:
            ring.disable_cb()

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
        if not self.qdisc or not self.ready():
            return 0
        waiting = self.qdisc
        sent: i64 = 0
        self.begin()
        while sent < len(waiting) and self.put(waiting[sent]):
            sent += 1
        self.finish()
        self.qdisc = waiting[sent:]
        return sent

    def begin(self) -> None:
        """Start a batch: completions first (free_old_xmit_skbs)."""
        self.free_old_xmit()

    def put(self, frame: bytes) -> bool:
        """Queue one frame; False when the queue is stopped or the link is down, and the caller keeps the frame."""
        if self.stopped or not self.carrier or self.ring.broken:
            return False
        size: i64 = len(frame)
        if size > self.max_frame or size == 0:
            self.too_long += 1
            return True
        ring = self.ring
        if ring.num_free < self.needed:
            # woken by an interrupt that freed less than a frame needs (without NAPI)
            self._stop()
            return False
        base = self.pool_gpa + ring.free_head * self.stride
        ring.memory.write(base + HEADER, frame)
        head = self._post_chain(base, size) if self.split or self.fragments > 1 else ring.add(base, HEADER + size, 0)
        self.tally.add(frame)
        counters = ring.counters
        counters.driver_packets += 1
        counters.driver_bytes += size
        if ring.log.level >= LEVEL_FULL:
            ring.log.emit(EV_GUEST_TX, ring.oid, size, head)
        if ring.num_free < STOP_BELOW:
            self._stop()
        elif not self.xmit_more:
            self.finish()
        return True

    def _post_chain(self, base: i64, size: i64) -> i64:
        """Header and fragments in descriptors of their own."""
        ring = self.ring
        pieces = self.fragments
        if pieces > size:
            pieces = size
        step = (size + pieces - 1) // pieces
        if self.split:
            ring.segment(base, HEADER, 0)
        at: i64 = 0
        while at < size:
            length = step if at + step < size else size - at
            if at == 0 and not self.split:
                ring.segment(base, HEADER + length, 0)
            else:
                ring.segment(base + HEADER + at, length, 0)
            at += step
        return ring.add_chain()

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
    def _stop(self) -> None:
        """netif_stop_subqueue; without NAPI ask for an interrupt, and go on at once when completions came already."""
        ring = self.ring
        ring.publish()
        self._set_stopped(True)
        ring.counters.ring_full += 1
        if not self.napi_tx and not ring.enable_cb_delayed():
            self.free_old_xmit()
            if ring.num_free >= STOP_BELOW:
                self._set_stopped(False)
                ring.disable_cb()

    def _wake_if_room(self) -> None:
        if self.stopped and self.ring.num_free >= STOP_BELOW:
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
        for _ in range(done):
            if ring.take() < 0:
                break
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
