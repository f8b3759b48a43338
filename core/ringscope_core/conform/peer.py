"""The network peer of a case: a FIFO that hands over one frame at a time, with or without a virtio_net_hdr."""

from __future__ import annotations

from typing import Final

from ringscope_core.conform.case import PeerSpec
from ringscope_core.net.client import NetClientState
from ringscope_core.net.host import NetHost
from ringscope_core.net.net import qemu_net_client_setup, qemu_purge_queued_packets, qemu_send_packet_async

TUN_F_CSUM: Final = 1
TUN_F_TSO4: Final = 2
TUN_F_TSO6: Final = 4
TUN_F_TSO_ECN: Final = 8
TUN_F_UFO: Final = 16
NET_BUFSIZE: Final = 4096 + 65536
"""A stream's reader takes so many bytes at a time (include/net/net.h)."""
LENGTH_BYTES: Final = 4
"""In a stream each frame has its length in front."""


class FifoPeer(NetClientState):
    """One queue of the peer."""

    def __init__(self, host: NetHost, spec: PeerSpec, sent: list[tuple[int, bytes]]) -> None:
        """What it gets goes to `sent`, with the queue's number."""
        super().__init__(host, spec.kind, "n0", spec.kind)
        self.spec: PeerSpec = spec
        self.sent: list[tuple[int, bytes]] = sent
        self.fifo: list[bytes] = []
        self._partly: int = 0
        """Bytes of the stream's next frame that were read already."""
        self.in_flight: bool = False
        """The device holds a frame back."""
        self.attached: bool = True
        self.told: dict[str, int] = {}
        """What the device told the tap last."""
        self.buffer: bytes = b""
        """Where a tap reads frames to: a short one leaves the end of the one before."""
        self.watched: list[FifoPeer] = []
        """The queues that the main loop reads, shared by all; the one that was put there last comes first."""

    # -- frames -------------------------------------------------------------------------------------------------------
    def can_receive(self) -> bool:
        return self.spec.kind != "hub"

    def receive(self, frame: bytes) -> int:
        self.sent.append((int(self.queue_index), frame))
        return len(frame)

    def receive_raw(self, frame: bytes) -> int:
        return self.receive(bytes(int(self.vnet_hdr_len)) + frame)

    def tx_complete(self, ret: int) -> None:
        self.in_flight = False
        self.watch()

    def watch(self) -> None:
        """Read this queue from now on, when it may be read."""
        if self.in_flight or not self.attached:
            if self in self.watched:
                self.watched.remove(self)
        elif self not in self.watched:
            self.watched.insert(0, self)

    def _read_stream(self) -> list[bytes]:
        """The frames that one read of the socket completes: it takes as many bytes as its buffer has."""
        room = NET_BUFSIZE
        frames: list[bytes] = []
        while self.fifo and room:
            missing = LENGTH_BYTES + len(self.fifo[0]) - self._partly
            if missing > room:
                self._partly += room
                break
            room -= missing
            self._partly = 0
            frames.append(self.fifo.pop(0))
        return frames

    def pump(self) -> bool:
        """Hand frames over until one waits; whether any moved.

        A stream hands over all that it has read, also when the first waits; a tap goes on while it can.
        """
        moved = False
        stream = self.spec.kind in ("stream", "socket")
        if not self.attached or (stream and not any(self.fifo)):
            # the reader of a stream knows that an empty frame is complete when more comes
            return False
        while self.fifo and not self.in_flight and self.attached:
            moved = True
            for frame in self._read_stream() if stream else [self.fifo.pop(0)]:
                self.buffer = frame + self.buffer[len(frame) :]
                self.in_flight = qemu_send_packet_async(self, frame) == 0 or self.in_flight
        self.watch()
        return moved

    # -- virtio_net_hdr -----------------------------------------------------------------------------------------------
    def has_vnet_hdr(self) -> bool:
        return self.spec.vnet_hdr

    def has_ufo(self) -> bool:
        return self.spec.vnet_hdr

    def has_vnet_hdr_len(self, length: int) -> bool:
        return self.spec.vnet_hdr

    def set_vnet_hdr_len(self, length: int) -> None:
        self.vnet_hdr_len = length
        self.told[f"{int(self.queue_index)}.hdrsz"] = int(length)

    def behind(self, size: int) -> bytes:
        return self.buffer[size:]

    def set_offload(self, csum: bool, tso4: bool, tso6: bool, ecn: bool, ufo: bool) -> None:
        bits = 0
        if csum:
            bits = TUN_F_CSUM | TUN_F_TSO4 * tso4 | TUN_F_TSO6 * tso6 | TUN_F_UFO * ufo
            if tso4 or tso6:
                bits |= TUN_F_TSO_ECN * ecn
        self.told[f"{int(self.queue_index)}.offload"] = bits

    def set_queue_attached(self, attached: bool) -> None:
        """The kernel hears of changes only, and of none from a tap that is alone."""
        if attached != self.attached and self.spec.queues > 1:
            self.told[f"{int(self.queue_index)}.queue"] = int(attached)
        self.attached = attached
        if not attached:
            # tap_disable: what it sent and nobody has taken is forgotten
            qemu_purge_queued_packets(self)
        self.watch()


def make_peers(host: NetHost, spec: PeerSpec, sent: list[tuple[int, bytes]]) -> list[FifoPeer]:
    """The clients that ``netdev=n0`` finds, one a queue; none for a NIC without a netdev."""
    if spec.kind == "none":
        return []
    peers: list[FifoPeer] = []
    watched: list[FifoPeer] = []
    for index in range(spec.queues):
        peer = FifoPeer(host, spec, sent)
        peer.queue_index = index
        peer.watched = watched
        peer.watch()
        qemu_net_client_setup(peer, None)
        peers.append(peer)
    return peers
