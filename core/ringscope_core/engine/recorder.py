"""Hands what a run produces to the session's writer, within a budget.

The sinks are called in the run's thread in the middle of things, so they only pass on; between turns `tick` decides. A live
run never waits for the disk: past the budget blocks are dropped, counted, and the gap ends with an event that says so and
a keyframe.  A headless run waits instead.
"""

from __future__ import annotations

import time
from typing import Final

from mypy_extensions import i64

from ringscope_core.session.rows import PacketRow
from ringscope_core.session.writer import RingSample, SessionWriter
from ringscope_core.trace.counters import RingCounters
from ringscope_core.trace.kinds import EV_DROPPED
from ringscope_core.trace.log import ROW_BYTES, BlockSink, EventLog
from ringscope_core.trace.packets import PacketLog, PacketSink
from ringscope_core.trace.state import MachineState

BUDGET_BYTES: Final = 64 << 20
"""What may wait for the writer."""
_PACKETS_AT_ONCE: Final = 1024
_WAIT_S: Final = 0.002


class _Blocks(BlockSink):
    def __init__(self, recorder: Recorder) -> None:
        super().__init__()
        self.recorder: Recorder = recorder

    def on_block(self, first_seq: i64, rows: bytes) -> None:
        self.recorder.take_block(int(first_seq), rows)


class _Packets(PacketSink):
    def __init__(self, recorder: Recorder) -> None:
        super().__init__()
        self.rows: list[PacketRow] = []
        self.frames: list[bytes] = []
        self.headers: list[bytes] = []
        self.recorder: Recorder = recorder

    def on_packet(self, packet: i64, vt: i64, wall: i64, direction: i64, queue: i64, head: i64, seq: i64, frame: bytes, header: bytes) -> None:
        self.rows.append(PacketRow(packet, vt, wall, direction, queue, head, seq, len(frame), len(header)))
        self.frames.append(frame)
        self.headers.append(header)
        if len(self.rows) >= _PACKETS_AT_ONCE:
            self.recorder.hand_packets()


class Recorder:
    """Between a run and its session file.  `live` says whether to drop or to wait when the disk is slow."""

    def __init__(self, writer: SessionWriter, live: bool = False, budget_bytes: int = BUDGET_BYTES) -> None:
        self.writer: SessionWriter = writer
        self.live: bool = live
        self.budget_bytes: int = budget_bytes
        self.dropped_events: int = 0
        self.dropped_packets: int = 0
        self._log: EventLog | None = None
        self._strings: int = 0
        self._gap: tuple[int, int] = (0, 0)
        """Events and packets dropped since the recorder last kept up."""
        self._dropping: bool = False
        self._keyframe_seq: int = -1
        self._packets: _Packets = _Packets(self)
        self._blocks: _Blocks = _Blocks(self)

    def attach(self, log: EventLog) -> None:
        """Record this log from now on."""
        self._log = log
        log.sink = self._blocks

    def attach_packets(self, packets: PacketLog) -> None:
        """Record these frames from now on."""
        packets.sink = self._packets

    # -- in the middle of a turn --------------------------------------------------------------------------------------
    def take_block(self, first_seq: int, rows: bytes) -> None:
        """Pass a block of events on, after the texts that it names."""
        if self._refused():
            self._gap = (self._gap[0] + len(rows) // int(ROW_BYTES), self._gap[1])
            return
        self._hand_strings()
        self.writer.add_block(first_seq, rows)

    def hand_packets(self) -> None:
        """Pass the gathered frames on."""
        sink = self._packets
        if not sink.rows:
            return
        if self._refused():
            self._gap = (self._gap[0], self._gap[1] + len(sink.rows))
        else:
            self.writer.add_packets(sink.rows, sink.frames, sink.headers)
        sink.rows, sink.frames, sink.headers = [], [], []

    def _refused(self) -> bool:
        """Whether to drop; waits for room in a headless run.  Raises SessionError when the file cannot be written any more."""
        writer = self.writer
        if writer.error is not None:
            raise writer.error
        if writer.pending_bytes > self.budget_bytes:
            if self.live:
                self._dropping = True
            while not self.live and writer.pending_bytes > self.budget_bytes and writer.error is None:
                time.sleep(_WAIT_S)
        return self._dropping

    def _hand_strings(self) -> None:
        assert self._log is not None
        texts = self._log.strings.texts
        if len(texts) > self._strings:
            self.writer.add_strings(self._strings, texts[self._strings :])
            self._strings = len(texts)

    # -- between turns ------------------------------------------------------------------------------------------------
    def flush(self) -> None:
        """Hand everything on that was recorded so far."""
        if self._log is not None:
            self._log.flush()
            self.hand_packets()

    def tick(self) -> bool:
        """End a gap when the writer has caught up; true when it did and a keyframe is wanted."""
        if not self._dropping or self.writer.pending_bytes > self.budget_bytes // 2:
            return False
        assert self._log is not None
        self.flush()
        self._dropping = False
        events, packets = self._gap
        self._gap = (0, 0)
        self.dropped_events += events
        self.dropped_packets += packets
        self._log.emit(EV_DROPPED, 0, events, packets)
        return True

    @property
    def dropping(self) -> bool:
        """Whether blocks are being dropped now."""
        return self._dropping

    def keyframe(self, state: MachineState) -> None:
        """Record a state; one that follows no new event is left out."""
        if self._dropping or state.seq == self._keyframe_seq:
            return
        self.flush()
        self._hand_strings()
        self._keyframe_seq = state.seq
        self.writer.add_keyframe(state.seq, state.vt, state.wall, state.to_plain())

    @property
    def keyframe_seq(self) -> int:
        """The event that the last keyframe follows, -1 for none."""
        return self._keyframe_seq

    def counters(self, vt: int, wall: int, rings: dict[int, RingCounters]) -> None:
        """Record a sample of every ring's counters."""
        if not self._dropping:
            self.writer.add_counters(vt, wall, [RingSample(oid, c.to_list(), c.latency.to_list()) for oid, c in sorted(rings.items())])
