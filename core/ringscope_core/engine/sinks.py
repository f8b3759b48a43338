"""What is measured of a run's log while it passes by, in front of the recorder or without one."""

from __future__ import annotations

import hashlib

from mypy_extensions import i64

from ringscope_core.session.blocks import as_rows
from ringscope_core.session.rows import Events
from ringscope_core.trace.log import BlockSink
from ringscope_core.trace.packets import DIR_RX, DIR_TX, PacketSink


class EventDigest(BlockSink):
    """SHA-256 over all rows with the wall column zeroed; hands the rows on to `then`."""

    def __init__(self, then: BlockSink | None = None) -> None:
        super().__init__()
        self.then: BlockSink | None = then
        self.events: int = 0
        self._sha = hashlib.sha256()

    def on_block(self, first_seq: i64, rows: bytes) -> None:
        """Called in the run's thread with each block."""
        block = as_rows(rows).copy()
        block["wall"] = 0
        self._sha.update(block.tobytes())
        self.events += len(block)
        if self.then is not None:
            self.then.on_block(first_seq, rows)

    def hexdigest(self) -> str:
        """The digest of the blocks so far: flush the log first."""
        return self._sha.hexdigest()


class FrameDigest(PacketSink):
    """Counts and digests of the frames that passed the device's boundary, by direction; hands the frames on to `then`.

    Frames are seen from trace level packets on.  Frames towards the guest count whether or not the device dropped them.
    """

    def __init__(self, then: PacketSink | None = None) -> None:
        super().__init__()
        self.then: PacketSink | None = then
        self.tx_count: int = 0
        self.rx_count: int = 0
        self._tx = hashlib.sha256()
        self._rx = hashlib.sha256()

    def on_packet(self, packet: i64, vt: i64, wall: i64, direction: i64, queue: i64, head: i64, seq: i64, frame: bytes, header: bytes) -> None:
        """Called in the run's thread with each frame."""
        if direction == DIR_TX:
            self.tx_count += 1
            self._tx.update(frame)
        elif direction == DIR_RX:
            self.rx_count += 1
            self._rx.update(frame)
        if self.then is not None:
            self.then.on_packet(packet, vt, wall, direction, queue, head, seq, frame, header)

    def tx_sha256(self) -> str:
        """Digest of what the device sent to its peer."""
        return self._tx.hexdigest()

    def rx_sha256(self) -> str:
        """Digest of what the peer gave the device."""
        return self._rx.hexdigest()


class RowKeeper(BlockSink):
    """Keeps every row in memory: for short runs."""

    def __init__(self) -> None:
        super().__init__()
        self._blocks: list[bytes] = []
        self._joined: bytes = b""

    def on_block(self, first_seq: i64, rows: bytes) -> None:
        """Called in the run's thread with each block."""
        self._blocks.append(rows)

    def rows(self) -> Events:
        """Every row so far (`RAW_DTYPE`): flush the log first."""
        if self._blocks:
            self._joined = b"".join([self._joined, *self._blocks])
            self._blocks = []
        return as_rows(self._joined)
