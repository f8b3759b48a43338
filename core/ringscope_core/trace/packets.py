"""The frames that pass the device, for the recorder."""

from __future__ import annotations

from typing import Final, final

from librt.strings import BytesWriter, write_i64_le
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


@mypyc_attr(allow_interpreted_subclasses=True)
class PacketBlockSink:
    """Takes frames many at a time: a call into a recorder for each would cost more than the frame.  Called in the run thread."""

    def on_packets(self, rows: bytes, data: bytes) -> None:
        """`rows` has `PACKET_WORDS` words of eight bytes a frame: number, vt, wall, direction, queue, head, event, length, length of the header.

        `data` has their bytes one after the other, each behind its header.
        """


PACKET_WORDS: Final = 9
BLOCK_PACKETS: Final[i64] = 1024
BLOCK_BYTES: Final[i64] = 1 << 20


@final
class PacketLog:
    """Numbers frames from 1 and hands them to the sinks: to `sink` at once, to `blocks` many at a time."""

    def __init__(self, clock: Clock) -> None:
        self.clock: Clock = clock
        self.next_id: i64 = 1
        self.sink: PacketSink | None = None
        self.blocks: PacketBlockSink | None = None
        self._rows: BytesWriter = BytesWriter()
        self._data: BytesWriter = BytesWriter()
        self._gathered: i64 = 0

    def wanted(self) -> bool:
        """Whether anybody takes frames: else their bytes need not be put together."""
        return self.sink is not None or self.blocks is not None

    def add(self, direction: i64, queue: i64, head: i64, seq: i64, frame: bytes, header: bytes) -> i64:
        """Record one frame and its virtio_net_hdr; returns its number."""
        packet = self.next_id
        self.next_id = packet + 1
        sink = self.sink
        if sink is not None:
            clock = self.clock
            sink.on_packet(packet, clock.now_ns, clock.wall_ns, direction, queue, head, seq, frame, header)
        if self.blocks is not None:
            self._row(packet, direction, queue, head, seq, i64(len(frame)), i64(len(header)))
            # copies, so that the frame's own memory is free for the next one while the processor still has it near
            self._data.write(header)
            self._data.write(frame)
            self._next_row()
        return packet

    def add_whole(self, direction: i64, queue: i64, head: i64, seq: i64, data: bytes, header_len: i64) -> i64:
        """`add` for a frame that stands behind its header of `header_len` bytes in `data` (which nobody looks at unless somebody takes frames)."""
        sink = self.sink
        if sink is not None or self.blocks is None:
            return self.add(direction, queue, head, seq, data[header_len:], data[:header_len])
        packet = self.next_id
        self.next_id = packet + 1
        size = i64(len(data))
        header = min(size, header_len)
        self._row(packet, direction, queue, head, seq, size - header, header)
        self._data.write(data)
        self._next_row()
        return packet

    def _row(self, packet: i64, direction: i64, queue: i64, head: i64, seq: i64, length: i64, header: i64) -> None:
        rows = self._rows
        clock = self.clock
        write_i64_le(rows, packet)
        write_i64_le(rows, clock.now_ns)
        write_i64_le(rows, clock.wall_ns)
        write_i64_le(rows, direction)
        write_i64_le(rows, queue)
        write_i64_le(rows, head)
        write_i64_le(rows, seq)
        write_i64_le(rows, length)
        write_i64_le(rows, header)

    def _next_row(self) -> None:
        self._gathered += 1
        if self._gathered >= BLOCK_PACKETS or i64(len(self._data)) >= BLOCK_BYTES:
            self.flush()

    def flush(self) -> None:
        """Hand the frames gathered so far to `blocks`."""
        if self._gathered == 0:
            return
        rows, data = self._rows.getvalue(), self._data.getvalue()
        self._rows, self._data, self._gathered = BytesWriter(), BytesWriter(), 0
        blocks = self.blocks
        if blocks is not None:
            blocks.on_packets(rows, data)
