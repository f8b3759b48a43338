"""Transmitting: chains of the ring go to the peer, from a bottom half or a timer (virtio_net_flush_tx and its callers)."""

from __future__ import annotations

from typing import Final, final

from mypy_extensions import i64

from ringscope_core.hw.virtio.element import VirtQueueElement
from ringscope_core.hw.virtio.features import VIRTIO_CONFIG_S_DRIVER_OK
from ringscope_core.hw.virtio.virtqueue import OutputHandler, VirtQueue
from ringscope_core.hw.virtio_net.constants import DROP_LINK_DOWN, DROP_NO_PEER, DROP_TOO_LONG, NET_BUFSIZE, VIRTIO_NET_S_LINK_UP
from ringscope_core.hw.virtio_net.device import VirtIONet, VirtIONetQueue
from ringscope_core.net.client import NetClientState
from ringscope_core.net.net import qemu_begin_burst, qemu_end_burst, qemu_send_packet_async
from ringscope_core.qom.calls import Fn, declare
from ringscope_core.trace.kinds import EV_BH, EV_FRAME_DROP, EV_FRAME_TX, EV_TIMER
from ringscope_core.trace.levels import LEVEL_FULL, LEVEL_PACKETS
from ringscope_core.trace.mainloop import BottomHalf, Timer
from ringscope_core.trace.packets import DIR_TX

EBUSY: Final[i64] = 16
EINVAL: Final[i64] = 22

SHORT_CHAIN: Final = (
    "QEMU aborts: a chain to send is shorter than the virtio_net_hdr (iov_copy, assertion offset == 0; QEMU 9.1 reports an error); virtio 1.x, 5.1.6.2"
)

FN_FLUSH_TX: Final = declare("virtio_net_flush_tx", "q:unknown")
FN_HANDLE_TX_BH: Final = declare("virtio_net_handle_tx_bh", "vdev:ptr vq:unknown")
FN_HANDLE_TX_TIMER: Final = declare("virtio_net_handle_tx_timer", "vdev:ptr vq:unknown")
FN_TX_BH: Final = declare("virtio_net_tx_bh", "opaque:unknown")
FN_TX_TIMER: Final = declare("virtio_net_tx_timer", "opaque:unknown")
FN_TX_COMPLETE: Final = declare("virtio_net_tx_complete", "nc:unknown len:value")


def virtio_net_flush_tx(q: VirtIONetQueue) -> i64:
    """Send what the driver has published, at most tx_burst chains.

    Returns the number sent; -EBUSY when the peer holds one back, -EINVAL when the driver broke the rules.
    """
    n = q.n
    vq = q.tx_vq
    log = vq.log
    nc = n.nic_queue(vq.queue_index // 2)
    burst = qemu_begin_burst(nc)
    if log.level >= LEVEL_FULL:
        FN_FLUSH_TX.enter(log)
        sent = _flush_tx(n, q, vq)
        log.leave(sent)
    else:
        sent = _flush_tx(n, q, vq)
    if burst:
        qemu_end_burst(nc)
    vq.publish()
    return sent


def _flush_tx(n: VirtIONet, q: VirtIONetQueue, vq: VirtQueue) -> i64:
    if n.status & VIRTIO_CONFIG_S_DRIVER_OK == 0:
        return 0
    if q.async_tx >= 0:
        vq.set_notification(False)
        return 0
    elem = q.element
    burst = n.tx_burst
    counters = vq.counters
    assert counters is not None
    nc = n.nic_queue(vq.queue_index // 2)
    # nobody hears it: the frame is not even read, unless a recorder wants its bytes
    nowhere: i64 = DROP_NO_PEER if nc.peer is None else DROP_LINK_DOWN if nc.link_down else 0
    traced = vq.log.level >= LEVEL_PACKETS
    sent: i64 = 0
    while vq.pop(elem):
        if elem.out_num < 1:
            n.virtio_error("virtio-net header not in first element")
            vq.detach(elem)
            return -EINVAL
        length = elem.out_len - n.guest_hdr_len
        if length < 0:
            # with a vnet_hdr peer this is QEMU's error
            if n.has_vnet_hdr:
                n.virtio_error("virtio-net header incorrect")
            else:
                n.where_qemu_aborts(vq.oid, "virtio-net header incorrect", SHORT_CHAIN)
            vq.detach(elem)
            return -EINVAL
        if length == 0 and n.v7_2 and n.host_hdr_len != n.guest_hdr_len and n.host_hdr_len == 0:
            n.virtio_error("virtio-net nothing to send")
            vq.detach(elem)
            return -EINVAL
        # the answer 0 means: held back; so it is for an empty frame that nobody hears
        taken = length if nowhere else _send(n, vq, nc, elem, length)
        if taken == 0:
            vq.set_notification(False)
            q.async_ndescs = elem.ndescs
            q.set_async_tx(elem.index)
            return -EBUSY
        if nowhere:
            counters.dropped(nowhere)
            if traced:
                _trace_lost(n, vq, elem, length, nowhere)
        counters.packets += 1
        counters.bytes += length
        vq.push(elem, 0)
        n.virtio_notify(vq)
        sent += 1
        if sent >= burst:
            break
    return sent


def _trace_lost(n: VirtIONet, vq: VirtQueue, elem: VirtQueueElement, length: i64, reason: i64) -> None:
    """Record a frame that goes nowhere."""
    packets = n.ctx.packets
    kept = packets.wanted()
    frame = elem.read_some(vq.memory, n.guest_hdr_len, NET_BUFSIZE) if kept else b""
    header = _header_of(n, vq, elem) if kept else b""
    packet = packets.add(DIR_TX, vq.queue_index, elem.index, vq.log.seq, frame, header)
    vq.log.emit(EV_FRAME_DROP, vq.oid, packet, length, reason, 0)


def _send(n: VirtIONet, vq: VirtQueue, nc: NetClientState, elem: VirtQueueElement, length: i64) -> i64:
    """Hand one frame to the peer (qemu_sendv_packet_async); 0 when the peer holds it back."""
    memory = vq.memory
    if length + n.host_hdr_len > NET_BUFSIZE:
        return _drop_too_long(n, vq, nc, elem, length)
    log = vq.log
    packets = n.ctx.packets
    recorded = log.level >= LEVEL_PACKETS and packets.wanted()
    data = b""
    if n.host_hdr_len != 0 or recorded:
        # the record has the header too: one look at the guest's memory gives both
        data = elem.read_out(memory, 0)
    if n.host_hdr_len == 0:
        frame = data[n.guest_hdr_len :] if recorded else elem.read_out(memory, n.guest_hdr_len)
    else:
        frame = data[: n.host_hdr_len] + data[n.guest_hdr_len :] if n.host_hdr_len != n.guest_hdr_len else data
    if log.level >= LEVEL_PACKETS:
        packet = packets.add_whole(DIR_TX, vq.queue_index, elem.index, log.seq, data, n.guest_hdr_len)
        cause = log.cause
        # what the peer answers at once, it answers to this frame
        log.cause = log.emit(EV_FRAME_TX, vq.oid, packet, length, elem.index)
        ret = qemu_send_packet_async(nc, frame)
        log.cause = cause
        return ret
    return qemu_send_packet_async(nc, frame)


def _header_of(n: VirtIONet, vq: VirtQueue, elem: VirtQueueElement) -> bytes:
    """The driver's virtio_net_hdr, for the record."""
    size = n.guest_hdr_len
    return vq.memory.read(elem.addr[0], size) if elem.length[0] >= size else elem.read_some(vq.memory, 0, size)


def _drop_too_long(n: VirtIONet, vq: VirtQueue, nc: NetClientState, elem: VirtQueueElement, length: i64) -> i64:
    """A frame that the network takes for sent without looking at it; it is not read, for it may be of any size."""
    nc.oversize_drops += 1
    counters = vq.counters
    if counters is not None:
        counters.dropped(DROP_TOO_LONG)
    log = vq.log
    if log.level >= LEVEL_PACKETS:
        packets = n.ctx.packets
        kept = packets.wanted()
        frame = elem.read_some(vq.memory, n.guest_hdr_len, NET_BUFSIZE) if kept else b""
        header = _header_of(n, vq, elem) if kept else b""
        packet = packets.add(DIR_TX, vq.queue_index, elem.index, log.seq, frame, header)
        log.emit(EV_FRAME_DROP, vq.oid, packet, length, DROP_TOO_LONG, 0)
    return length


def virtio_net_tx_complete(q: VirtIONetQueue) -> None:
    """The frame that the peer held back is gone: use its element and go on."""
    vq = q.tx_vq
    log = vq.log
    full = log.level >= LEVEL_FULL
    if full:
        FN_TX_COMPLETE.enter(log)
    head = q.async_tx
    if head >= 0:
        vq.memory.turn += 1
        vq.fill_head(head, 0, 0, q.async_ndescs)
        vq.flush(1)
        q.n.virtio_notify(vq)
        q.set_async_tx(-1)
        vq.set_notification(True)
        sent = virtio_net_flush_tx(q)
        if sent >= q.n.tx_burst and q.n.v7_2:
            # 4.1 leaves what the burst limit held back until the next kick
            vq.set_notification(False)
            if q.tx_bh is not None:
                schedule_bh(q)
            else:
                arm_timer(q)
            q.set_tx_waiting(True)
        vq.publish()
    if full:
        log.leave()


def virtio_net_drop_tx_queue_data(n: VirtIONet, vq: VirtQueue) -> None:
    """Use everything the driver wants sent, unsent: the link is down."""
    dropped = vq.drop_all()
    if dropped == 0:
        return
    counters = vq.counters
    if counters is not None:
        for _ in range(dropped):
            counters.dropped(DROP_LINK_DOWN)
    log = vq.log
    if log.level >= LEVEL_PACKETS:
        for _ in range(dropped):
            log.emit(EV_FRAME_DROP, vq.oid, 0, 0, DROP_LINK_DOWN, 0)
    n.virtio_notify(vq)


class TxHandler(OutputHandler):
    """What a kick of a transmit queue does; the two kinds differ in how they put sending off."""

    def __init__(self, n: VirtIONet, name: str, function: Fn) -> None:
        self.name = name
        self.n: VirtIONet = n
        self.function: Fn = function

    def handle(self, vq: VirtQueue) -> None:
        """The driver has something to send."""
        log = vq.log
        full = log.level >= LEVEL_FULL
        if full:
            self.function.enter(log, self.n.addr)
        if self.n.link_status & VIRTIO_NET_S_LINK_UP == 0:
            virtio_net_drop_tx_queue_data(self.n, vq)
        else:
            self.put_off(self.n.vqs[vq.queue_index // 2], vq)
        if full:
            log.leave()

    def put_off(self, q: VirtIONetQueue, vq: VirtQueue) -> None:
        """See to it that the queue is sent."""


@final
class TxBhHandler(TxHandler):
    """virtio_net_handle_tx_bh: a kick schedules the bottom half."""

    def __init__(self, n: VirtIONet) -> None:
        super().__init__(n, "virtio_net_handle_tx_bh", FN_HANDLE_TX_BH)

    def put_off(self, q: VirtIONetQueue, vq: VirtQueue) -> None:
        """Once, until the bottom half has run."""
        if q.tx_waiting:
            return
        q.set_tx_waiting(True)
        if not self.n.vm_running:
            return
        vq.set_notification(False)
        schedule_bh(q)


@final
class TxTimerHandler(TxHandler):
    """virtio_net_handle_tx_timer: a kick arms the timer, a second one sends at once."""

    def __init__(self, n: VirtIONet) -> None:
        super().__init__(n, "virtio_net_handle_tx_timer", FN_HANDLE_TX_TIMER)

    def put_off(self, q: VirtIONetQueue, vq: VirtQueue) -> None:
        """By tx_timeout, or not any longer."""
        if not self.n.vm_running:
            q.set_tx_waiting(True)
            return
        timer = q.tx_timer
        assert timer is not None
        if q.tx_waiting and self.n.v7_2:
            self.n.ctx.loop.timer_del(timer)
            run_tx_timer(q)
        elif q.tx_waiting:
            vq.set_notification(True)
            self.n.ctx.loop.timer_del(timer)
            q.set_tx_waiting(False)
            virtio_net_flush_tx(q)
        else:
            arm_timer(q)
            q.set_tx_waiting(True)
            vq.set_notification(False)


def schedule_bh(q: VirtIONetQueue) -> None:
    """qemu_bh_schedule(q->tx_bh)."""
    half = q.tx_bh
    assert half is not None
    log = q.tx_vq.log
    if log.level >= LEVEL_FULL:
        half.cause = log.emit(EV_BH, q.tx_vq.oid, 1)
    q.n.ctx.loop.bh_schedule(half)


def arm_timer(q: VirtIONetQueue) -> None:
    """timer_mod(q->tx_timer, now + tx_timeout)."""
    timer = q.tx_timer
    assert timer is not None
    deadline = q.n.ctx.clock.now_ns + q.n.tx_timeout
    log = q.tx_vq.log
    if log.level >= LEVEL_FULL:
        log.emit(EV_TIMER, q.tx_vq.oid, deadline, 1)
    q.n.ctx.loop.timer_mod(timer, deadline)


@final
class TxBottomHalf(BottomHalf):
    """virtio_net_tx_bh."""

    def __init__(self, q: VirtIONetQueue) -> None:
        super().__init__()
        self.q: VirtIONetQueue = q

    def run(self) -> None:
        """Send, and ask for kicks again once the ring is found empty."""
        vq = self.q.tx_vq
        vq.memory.turn += 1
        log = vq.log
        full = log.level >= LEVEL_FULL
        if full:
            log.cause = self.cause
            log.emit(EV_BH, vq.oid, 0)
            FN_TX_BH.enter(log)
        self._run(vq)
        if full:
            log.leave()
            log.cause = -1

    def _run(self, vq: VirtQueue) -> None:
        q = self.q
        n = q.n
        if not n.vm_running:
            return
        q.set_tx_waiting(False)
        if n.status & VIRTIO_CONFIG_S_DRIVER_OK == 0:
            return
        ret = virtio_net_flush_tx(q)
        if ret == -EBUSY or ret == -EINVAL:
            return
        if ret >= n.tx_burst:
            schedule_bh(q)
            q.set_tx_waiting(True)
            return
        # the driver may have published between the last look and the request for a kick
        vq.set_notification(True)
        if virtio_net_flush_tx(q) > 0:
            vq.set_notification(False)
            schedule_bh(q)
            q.set_tx_waiting(True)


def run_tx_timer(q: VirtIONetQueue) -> None:
    """The body of virtio_net_tx_timer.  4.1.0 does not rearm when it hits the burst limit, 7.2 does, and looks twice."""
    n = q.n
    vq = q.tx_vq
    if not n.vm_running:
        return
    q.set_tx_waiting(False)
    if n.status & VIRTIO_CONFIG_S_DRIVER_OK == 0:
        return
    if not n.v7_2:
        vq.set_notification(True)
        virtio_net_flush_tx(q)
        return
    ret = virtio_net_flush_tx(q)
    if ret == -EBUSY or ret == -EINVAL:
        return
    if ret >= n.tx_burst:
        q.set_tx_waiting(True)
        arm_timer(q)
        return
    vq.set_notification(True)
    if virtio_net_flush_tx(q) > 0:
        vq.set_notification(False)
        q.set_tx_waiting(True)
        arm_timer(q)


@final
class TxTimer(Timer):
    """virtio_net_tx_timer."""

    def __init__(self, q: VirtIONetQueue) -> None:
        super().__init__()
        self.q: VirtIONetQueue = q

    def fire(self) -> None:
        """Send what has gathered."""
        q = self.q
        vq = q.tx_vq
        vq.memory.turn += 1
        log = vq.log
        full = log.level >= LEVEL_FULL
        if full:
            log.emit(EV_TIMER, vq.oid, 0, 0)
            FN_TX_TIMER.enter(log)
        run_tx_timer(q)
        if full:
            log.leave()
