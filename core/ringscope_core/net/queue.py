"""The queue in front of a client: frames that it could not take when they came (net/queue.c).

A frame is delivered at once whenever it can be; only then does the queue cost nothing but a test.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final, final

from mypy_extensions import i64

from ringscope_core.trace.kinds import EV_FRAME_DROP, EV_FRAME_WAIT
from ringscope_core.trace.levels import LEVEL_PACKETS

if TYPE_CHECKING:
    from ringscope_core.net.client import NetClientState

NQ_MAXLEN: Final[i64] = 10000
"""Frames without a callback that may wait (net/queue.c: qemu_new_net_queue)."""
DROP_QUEUE_FULL: Final[i64] = 7
"""Its place in `kinds.ENUMS` "drop"."""
DIRECTION_RX: Final[i64] = 1


@final
class QueuedPacket:
    """A frame that waits, and who sent it."""

    def __init__(self, sender: NetClientState, frame: bytes, has_callback: bool, raw: bool = False) -> None:
        self.sender: NetClientState = sender
        self.frame: bytes = frame
        self.has_callback: bool = has_callback
        """The sender wants `tx_complete`."""
        self.raw: bool = raw
        """It carries no virtio_net_hdr, whatever was agreed on (QEMU_NET_PACKET_FLAG_RAW)."""


@final
class NetQueue:
    """Frames on their way into `owner`."""

    def __init__(self, owner: NetClientState) -> None:
        self.owner: NetClientState = owner
        self.nq_maxlen: i64 = NQ_MAXLEN
        self.nq_count: i64 = 0
        self.delivering: bool = False
        """A frame is being handed over: what comes meanwhile waits, so that order holds."""
        self.dropped: i64 = 0
        """Frames that found the queue full."""
        self.packets: deque[QueuedPacket] = deque()

    def append(self, sender: NetClientState, frame: bytes, has_callback: bool, raw: bool = False) -> None:
        """Let `frame` wait (qemu_net_queue_append); without a callback it is dropped when the queue is full."""
        owner = self.owner
        log = owner.host.log
        if self.nq_count >= self.nq_maxlen and not has_callback:
            self.dropped += 1
            if log.level >= LEVEL_PACKETS:
                log.emit(EV_FRAME_DROP, owner.oid, 0, len(frame), DROP_QUEUE_FULL, DIRECTION_RX)
            return
        self.packets.append(QueuedPacket(sender, frame, has_callback, raw))
        self.nq_count += 1
        if log.level >= LEVEL_PACKETS:
            log.emit(EV_FRAME_WAIT, owner.oid, 0, len(frame))

    def deliver(self, frame: bytes, raw: bool = False) -> i64:
        """Hand `frame` to the owner (qemu_net_queue_deliver, qemu_deliver_packet_iov).

        Returns 0 when the owner cannot take it now, which stops the flow until it is flushed; anything else, also a
        negative number, means that the frame is gone.
        """
        owner = self.owner
        if owner.link_down:
            return len(frame)
        if owner.receive_disabled:
            return 0
        self.delivering = True
        ret = owner.receive_raw(frame) if raw else owner.receive(frame)
        self.delivering = False
        if ret == 0:
            owner.receive_disabled = True
        return ret

    def flush(self) -> bool:
        """Deliver what waits until the owner refuses (qemu_net_queue_flush); True when nothing is left.

        While a frame is being delivered nothing can be flushed: it would overtake.  A full queue is one burst for the
        owner.
        """
        if self.nq_count == 0:
            return True
        if self.delivering:
            return False
        owner = self.owner
        burst = self.nq_count > 1 and not owner.bursting
        if burst:
            owner.bursting = True
            owner.begin_burst()
        emptied = self._deliver_waiting()
        if burst:
            owner.bursting = False
            owner.end_burst()
        return emptied

    def _deliver_waiting(self) -> bool:
        packets = self.packets
        while self.nq_count > 0:
            packet = packets.popleft()
            self.nq_count -= 1
            ret = self.deliver(packet.frame, packet.raw)
            if ret == 0:
                packets.appendleft(packet)
                self.nq_count += 1
                return False
            if packet.has_callback:
                packet.sender.tx_complete(ret)
        return True

    def purge(self, sender: NetClientState) -> None:
        """Forget what `sender` has waiting here, telling it 0 for each frame (qemu_net_queue_purge)."""
        ours = [packet for packet in self.packets if packet.sender is sender]
        if not ours:
            return
        others = [packet for packet in self.packets if packet.sender is not sender]
        # in place: a delivery loop further out holds the same deque
        self.packets.clear()
        self.packets.extend(others)
        self.nq_count = len(others)
        for packet in ours:
            if packet.has_callback:
                sender.tx_complete(0)

    def clear(self) -> None:
        """Forget everything without telling anyone (qemu_del_net_queue)."""
        self.packets.clear()
        self.nq_count = 0
