"""Receiving: a frame from the peer goes into the ring (virtio_net_receive and what it calls).

As in the build with the backports of CVE-2021-3748 and CVE-2022-26353: num_buffers is written before the elements are given
back, and every error detaches what was taken.
"""

from __future__ import annotations

from typing import Final

from mypy_extensions import i64

from ringscope_core.hw.virtio.chain import release_bounce
from ringscope_core.hw.virtio.element import VirtQueueElement
from ringscope_core.hw.virtio.features import VIRTIO_CONFIG_S_DRIVER_OK, VIRTQUEUE_MAX_SIZE
from ringscope_core.hw.virtio.virtqueue import OutputHandler, VirtQueue
from ringscope_core.hw.virtio_net.constants import (
    DROP_BUFFER_TOO_SMALL,
    DROP_DEVICE_ERROR,
    DROP_FILTERED,
    DROP_NO_IN_BUFFERS,
    DROP_NOT_READY,
    HDR_HASH_LEN,
    HDR_LEN,
    HDR_MRG_LEN,
    NUM_BUFFERS_OFFSET,
)
from ringscope_core.hw.virtio_net.device import VirtIONet, VirtIONetQueue
from ringscope_core.hw.virtio_net.rss import HASH_AT
from ringscope_core.hw.virtio_net.vnet_hdr import complete, needs_work
from ringscope_core.net.client import NetClientState
from ringscope_core.net.net import qemu_flush_queued_packets
from ringscope_core.qom.calls import declare
from ringscope_core.trace.kinds import EV_FRAME_DROP, EV_FRAME_RX
from ringscope_core.trace.levels import LEVEL_FULL, LEVEL_PACKETS
from ringscope_core.trace.packets import DIR_RX

FN_HANDLE_RX: Final = declare("virtio_net_handle_rx", "vdev:ptr vq:unknown")
SHORT_BUFFER: Final = (
    "QEMU aborts: the first receive buffer is shorter than the virtio_net_hdr (iov_copy or iov_from_buf_full, assertion offset == 0); virtio 1.x, 5.1.6.3.1"
)
_HEADER_ONE_BUFFER: Final = bytes(10) + b"\x01\x00"
_EMPTY_HEADER: Final = bytes(10)
MAX_LOOKS: Final = 4
"""How often a ring is counted again; its memory stands still meanwhile, but for what a hostile layout makes the device itself write into it."""
_BROADCAST: Final = b"\xff\xff\xff\xff\xff\xff"
_VLAN_TYPE: Final = b"\x81\x00"


def virtio_net_can_receive(n: VirtIONet, queue_index: i64) -> bool:
    """virtio_net_can_receive: the queue takes part, is set up, and the driver is ready."""
    if not n.vm_running or queue_index >= n.curr_queues:
        return False
    return n.vqs[queue_index].rx_vq.vring_avail != 0 and n.status & VIRTIO_CONFIG_S_DRIVER_OK != 0


def virtio_net_has_buffers(q: VirtIONetQueue, bufsize: i64) -> bool:
    """virtio_net_has_buffers: `bufsize` bytes fit now; asks for a kick when not."""
    vq = q.rx_vq
    mergeable = q.n.mergeable_rx_bufs
    if q.n.v7_2:
        return _has_buffers_7_2(vq, mergeable, bufsize)
    if vq.empty() or (mergeable and not vq.avail_bytes(bufsize)):
        vq.set_notification(True)
        # the driver may have added buffers between the look and the request for a kick
        if vq.empty() or (mergeable and not vq.avail_bytes(bufsize)):
            return False
    vq.set_notification(False)
    return True


def _has_buffers_7_2(vq: VirtQueue, mergeable: bool, bufsize: i64) -> bool:
    """7.2 counts before it asks for a kick, and counts again only when the driver moved; a broken queue's buffers count too."""
    looks = 0
    while vq.empty() or mergeable:
        if bufsize <= vq.get_avail_bytes(bufsize):
            break
        seen = vq.shadow_avail_idx
        vq.set_notification(True)
        looks += 1
        if vq.vring_desc == 0 or looks == MAX_LOOKS or not vq.moved_since(seen):
            return False
    vq.set_notification(False)
    return True


def receive_filter(n: VirtIONet, frame: bytes) -> bool:
    """receive_filter: whether the frame is for this guest (virtio 1.x, 5.1.6.5.1 to 5.1.6.5.3)."""
    if n.promisc:
        return True
    if frame[12:14] == _VLAN_TYPE:
        vid = int.from_bytes(frame[14:16], "big") & 0xFFF
        if not n.vlans[vid >> 3] >> (vid & 7) & 1:
            return False
    destination = frame[:6]
    table = n.mac_table
    if destination[:1] and destination[0] & 1:
        if destination == _BROADCAST:
            return n.nobcast == 0
        if n.nomulti:
            return False
        if n.allmulti or table.multi_overflow:
            return True
        return destination in table.macs[int(table.first_multi) : int(table.in_use)]
    if n.nouni:
        return False
    if n.alluni or table.uni_overflow or destination == n.mac:
        return True
    return destination in table.macs[: int(table.first_multi)]


def _drop(n: VirtIONet, vq: VirtQueue, frame: bytes, reason: i64) -> None:
    counters = vq.counters
    if counters is not None:
        counters.dropped(reason)
    log = vq.log
    if log.level >= LEVEL_PACKETS:
        packet = n.ctx.packets.add(DIR_RX, vq.queue_index, -1, log.seq, frame[n.host_hdr_len :], b"")
        log.emit(EV_FRAME_DROP, vq.oid, packet, i64(len(frame)) - n.host_hdr_len, reason, 1)


def virtio_net_receive(n: VirtIONet, queue_index: i64, frame: bytes) -> i64:
    """virtio_net_receive_rcu: put `frame` (the peer's header in front, when it has one) into receive queue `queue_index`.

    Frames that are to be hashed or coalesced come here through `detour.receive_detour`.
    Returns its size when it is gone (received, filtered or too big), 0 when there is no room now, -1 on error.
    """
    q = n.vqs[queue_index]
    vq = q.rx_vq
    if not virtio_net_can_receive(n, queue_index):
        _drop(n, vq, frame, DROP_NOT_READY)
        return -1
    size: i64 = len(frame)
    if not virtio_net_has_buffers(q, size + n.guest_hdr_len - n.host_hdr_len):
        return 0
    host_len = n.host_hdr_len
    if host_len != 0 and needs_work(frame, host_len):
        frame = complete(n, queue_index, frame)
    if not n.promisc and not receive_filter(n, frame if host_len == 0 else frame[host_len:]):
        _drop(n, vq, frame, DROP_FILTERED)
        return size
    if size == 0:
        # no buffer is taken for an empty frame, yet the driver is notified; and the answer 0 makes the frame wait, for ever
        vq.flush(0)
        n.virtio_notify(vq)
        if not n.bursting:
            vq.publish()
        return 0
    elem = q.element
    if not vq.pop(elem):
        _drop(n, vq, frame, DROP_DEVICE_ERROR)
        return -1
    if host_len == 0 and _receive_plain(n, vq, frame, elem):
        return size
    return _receive_general(n, q, frame, size, elem)


def _receive_plain(n: VirtIONet, vq: VirtQueue, frame: bytes, elem: VirtQueueElement) -> bool:
    """The common cases: one chain takes header and frame in one write, or in two.  False, and nothing done, where it is not that simple."""
    header_len = n.guest_hdr_len
    size: i64 = len(frame)
    total = header_len + size
    if elem.bounced or elem.in_len < total or (header_len != HDR_MRG_LEN and header_len != HDR_LEN):
        return False
    # without VIRTIO_NET_F_MRG_RXBUF num_buffers is left as it was
    header = _HEADER_ONE_BUFFER if n.mergeable_rx_bufs else _EMPTY_HEADER
    memory = vq.memory
    place = elem.out_num
    end = place + elem.in_num
    first = elem.addr[place]
    room = elem.length[place]
    place += 1
    # buffers that lie one behind the other are one
    while room < total and place < end and elem.addr[place] == first + room:
        room += elem.length[place]
        place += 1
    if room >= total:
        if memory.held(first, total):
            return False
        if header_len == len(header):
            memory.write(first, header + frame)
        else:
            memory.write(first, header)
            memory.write(first + header_len, frame)
    elif room == header_len and elem.length[place] >= size:
        second = elem.addr[place]
        if memory.held(first, header_len) or memory.held(second, size) or (first < second + size and second < first + header_len):
            return False
        memory.write(first, header)
        memory.write(second, frame)
    else:
        return False
    vq.fill(elem, total, 0)
    _finish(n, vq, frame, elem.index, 1, header)
    return True


def _touches_rings(vq: VirtQueue, elem: VirtQueueElement) -> bool:
    """Whether one of the writable buffers may lie over what the device has read of a ring (a hostile driver's layout)."""
    place = elem.out_num
    end = place + elem.in_num
    while place < end:
        if vq.memory.held(elem.addr[place], elem.length[place]):
            return True
        place += 1
    return False


def _receive_general(n: VirtIONet, q: VirtIONetQueue, frame: bytes, size: i64, elem: VirtQueueElement) -> i64:
    """Any header, any number of buffers; `elem` is the first, popped already.

    `frame` is longer than `size`, what arrived, only for a frame shorter than its header.
    """
    vq = q.rx_vq
    offset = n.host_hdr_len
    heads = n.rx_heads
    lengths = n.rx_lengths
    ndescs = n.rx_ndescs
    heads.clear()
    lengths.clear()
    ndescs.clear()
    touched = False
    while True:
        if elem.in_num < 1:
            vq.vdev.virtio_error("virtio-net receive queue contains no in buffers")
            return _receive_failed(n, vq, frame, elem, True, DROP_NO_IN_BUFFERS)
        start: i64 = 0
        touches = _touches_rings(vq, elem)
        if touches:
            # what waits to be written there is older than this frame
            touched = True
            vq.publish()
        if not heads:
            if elem.in_len < n.guest_hdr_len:
                vq.vdev.where_qemu_aborts(vq.oid, "virtio-net receive buffer shorter than the header", SHORT_BUFFER)
                return _receive_failed(n, vq, frame, elem, True, DROP_BUFFER_TOO_SMALL)
            _write_header(n, vq, elem, frame)
            if n.rss.populate_hash:
                elem.write_in(vq.memory, HASH_AT, frame[HASH_AT : n.host_hdr_len] + bytes(int(HDR_HASH_LEN - n.host_hdr_len)))
            start = n.guest_hdr_len
        took = elem.write_in(vq.memory, start, frame[offset:])
        if touches:
            vq.memory.turn += 1
        offset += took
        if not n.mergeable_rx_bufs and offset < size:
            vq.unpop(elem)
            _drop(n, vq, frame, DROP_BUFFER_TOO_SMALL)
            vq.publish()
            return size
        heads.append(elem.index)
        lengths.append(start + took)
        ndescs.append(elem.ndescs)
        if offset >= size:
            break
        if len(heads) == VIRTQUEUE_MAX_SIZE:
            vq.vdev.virtio_error("virtio-net unexpected long buffer chain")
            return _receive_failed(n, vq, frame, elem, False, DROP_DEVICE_ERROR)
        if elem.bounced:
            # every element stays mapped until the whole frame is in (CVE-2021-3748)
            elem.bounced = False
            n.rx_bounced = True
        if not vq.pop(elem):
            vq.vdev.virtio_error(_unexpected_empty(n, len(heads), offset, size))
            return _receive_failed(n, vq, frame, elem, False, DROP_DEVICE_ERROR)
    count: i64 = len(heads)
    if n.mergeable_rx_bufs:
        vq.memory.write(n.num_buffers_lo, bytes([count & 0xFF]))
        vq.memory.write(n.num_buffers_hi, bytes([count >> 8 & 0xFF]))
        if touched:
            vq.memory.turn += 1
    _unmap(n, vq, elem)
    for place in range(len(heads)):
        vq.fill_head(heads[place], lengths[place], place, ndescs[place])
    _finish(n, vq, frame if len(frame) == size else frame[: n.host_hdr_len], heads[0], count, _written_header(n, frame, count))
    return size


def _write_header(n: VirtIONet, vq: VirtQueue, elem: VirtQueueElement, frame: bytes) -> None:
    """receive_header: the peer's header, or an empty one; remembers where num_buffers lies.

    Without VIRTIO_NET_F_MRG_RXBUF num_buffers is left as it was, even in a 12 byte header, as QEMU does.
    """
    elem.write_in(vq.memory, 0, frame[:HDR_LEN] if n.host_hdr_len >= HDR_LEN else _EMPTY_HEADER)
    if n.mergeable_rx_bufs:
        n.num_buffers_lo = _address_at(elem, NUM_BUFFERS_OFFSET)
        n.num_buffers_hi = _address_at(elem, NUM_BUFFERS_OFFSET + 1)


def _address_at(elem: VirtQueueElement, offset: i64) -> i64:
    """The guest address of byte `offset` of the writable buffers, which are longer than that."""
    i = elem.out_num
    while offset >= elem.length[i]:
        offset -= elem.length[i]
        i += 1
    return elem.addr[i] + offset


def _unexpected_empty(n: VirtIONet, i: int, offset: i64, size: i64) -> str:
    return (
        f"virtio-net unexpected empty queue: i {i} mergeable {int(n.mergeable_rx_bufs)} offset {offset}, size {size}, "
        f"guest hdr len {n.guest_hdr_len}, host hdr len {n.host_hdr_len} guest features 0x{int(n.guest_features) & 0xFFFFFFFFFFFFFFFF:x}"
    )


def _unmap(n: VirtIONet, vq: VirtQueue, elem: VirtQueueElement) -> None:
    """The elements of a frame, the last of which is `elem`, need the bounce buffer no longer."""
    if n.rx_bounced:
        n.rx_bounced = False
        elem.bounced = True
    release_bounce(vq.memory, elem)


def _receive_failed(n: VirtIONet, vq: VirtQueue, frame: bytes, elem: VirtQueueElement, holds: bool, reason: i64) -> i64:
    """Detach every element taken for this frame."""
    if holds:
        vq.detach(elem)
    _unmap(n, vq, elem)
    for count in n.rx_ndescs:
        elem.ndescs = count
        vq.detach(elem)
    _drop(n, vq, frame, reason)
    vq.publish()
    return -1


def _written_header(n: VirtIONet, frame: bytes, count: i64) -> bytes:
    """What `_write_header` and those after it wrote before the frame, for the record: without VIRTIO_NET_F_MRG_RXBUF ten bytes of a twelve byte header."""
    if not n.ctx.packets.wanted():
        return b""
    header = frame[:HDR_LEN] if n.host_hdr_len >= HDR_LEN else _EMPTY_HEADER
    if n.mergeable_rx_bufs:
        header += bytes([count & 0xFF, count >> 8 & 0xFF])
        if n.rss.populate_hash:
            header += frame[HASH_AT : n.host_hdr_len] + bytes(int(HDR_HASH_LEN - n.host_hdr_len))
    return header


def _finish(n: VirtIONet, vq: VirtQueue, frame: bytes, head: i64, buffers: i64, header: bytes) -> None:
    """Flush what was filled and notify; outside a burst, publish."""
    counters = vq.counters
    length = i64(len(frame)) - n.host_hdr_len
    if counters is not None:
        counters.packets += 1
        counters.bytes += length
    log = vq.log
    if log.level >= LEVEL_PACKETS:
        packet = n.ctx.packets.add(DIR_RX, vq.queue_index, head, log.seq, frame[n.host_hdr_len :] if n.host_hdr_len else frame, header)
        log.emit(EV_FRAME_RX, vq.oid, packet, length, head, buffers)
    vq.flush(buffers)
    n.virtio_notify(vq)
    if not n.bursting:
        vq.publish()


class RxHandler(OutputHandler):
    """virtio_net_handle_rx: the driver added buffers, so frames that wait may come."""

    def __init__(self, n: VirtIONet) -> None:
        self.name = "virtio_net_handle_rx"
        self.n: VirtIONet = n

    def handle(self, vq: VirtQueue) -> None:
        """Flush the frames that wait for this queue."""
        n = self.n
        log = vq.log
        if log.level >= LEVEL_FULL:
            FN_HANDLE_RX.enter(log, n.addr)
        if n.nic is not None:
            nc: NetClientState = n.nic.ncs[vq.queue_index // 2]
            qemu_flush_queued_packets(nc)
        if log.level >= LEVEL_FULL:
            log.leave()
