"""The frames that pass the device, for the recorder."""

from __future__ import annotations

from typing import Final, final

from mypy_extensions import i64, mypyc_attr

from ringscope_core.trace.clock import Clock

DIR_TX: Final[i64] = 0
DIR_RX: Final[i64] = 1


@mypyc_attr(allow_interpreted_subclasses=True)
class PacketSink:
    """Takes frames.  Called in the run thread: keep it short."""

    def on_packet(self, packet: i64, vt: i64, wall: i64, direction: i64, queue: i64, head: i64, seq: i64, frame: bytes, header: bytes) -> None:
        """Frame number `packet` passed the device at event `seq`.

        `frame` has no virtio_net_hdr; `header` is what of it stood in the driver's buffer: the driver's own (transmit), what the device
        wrote (receive), empty for a frame that never came to a buffer.
        """


@final
class PacketLog:
    """Numbers frames from 1 and hands them to the sink."""

    def __init__(self, clock: Clock) -> None:
        self.clock: Clock = clock
        self.next_id: i64 = 1
        self.sink: PacketSink | None = None

    def add(self, direction: i64, queue: i64, head: i64, seq: i64, frame: bytes, header: bytes) -> i64:
        """Record one frame and its virtio_net_hdr; returns its number."""
        packet = self.next_id
        self.next_id = packet + 1
        sink = self.sink
        if sink is not None:
            clock = self.clock
            sink.on_packet(packet, clock.now_ns, clock.wall_ns, direction, queue, head, seq, frame, header)
        return packet
