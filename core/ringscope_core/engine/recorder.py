"""Hands what a run produces to the session's writer, within a budget.

The sinks are called in the run's thread in the middle of things, so they only pass on; between turns `tick` decides. A live
run never waits for the disk: past the budget blocks are dropped, counted, and the gap ends with an event that says so and
a keyframe.  A headless run waits instead.
"""

from __future__ import annotations

import time
from typing import Final

import numpy as np
from mypy_extensions import i64

from ringscope_core.session.rows import GAP_SLOW
from ringscope_core.session.writer import RingSample, SessionWriter
from ringscope_core.trace.counters import RingCounters
from ringscope_core.trace.kinds import EV_DROPPED
from ringscope_core.trace.log import ROW_BYTES, BlockSink, EventLog
from ringscope_core.trace.packets import PACKET_WORDS, PacketBlockSink, PacketLog
from ringscope_core.trace.state import MachineState

BUDGET_BYTES: Final = 16 << 20
"""What may wait for the writer."""
_WAIT_S: Final = 0.002
SETTLE_S: Final = 5.0
"""The end of a run waits that long for a writer that is behind."""


class _Blocks(BlockSink):
    def __init__(self, recorder: Recorder) -> None:
        super().__init__()
        self.recorder: Recorder = recorder

    def on_block(self, first_seq: i64, rows: bytes) -> None:
        self.recorder.take_block(int(first_seq), rows)


class _Packets(PacketBlockSink):
    def __init__(self, recorder: Recorder) -> None:
        super().__init__()
        self.recorder: Recorder = recorder

    def on_packets(self, rows: bytes, data: bytes) -> None:
        self.recorder.take_packets(rows, data)


class _Gap:
    """What was dropped since the recorder last kept up."""

    def __init__(self) -> None:
        self.first_seq: int = -1
        self.last_seq: int = -1
        self.events: int = 0
        self.packets: int = 0


class Recorder:
    """Between a run and its session file.  `live` says whether to drop or to wait when the disk is slow."""

    def __init__(self, writer: SessionWriter, live: bool = False, budget_bytes: int = BUDGET_BYTES) -> None:
        self.writer: SessionWriter = writer
        self.live: bool = live
        self.budget_bytes: int = budget_bytes
        self.dropped_events: int = 0
        self.dropped_packets: int = 0
        self._log: EventLog | None = None
        self._packet_log: PacketLog | None = None
        self._strings: int = 0
        self._gap: _Gap = _Gap()
        self._dropping: bool = False
        self._keyframe_seq: int = -1
        self._packets: _Packets = _Packets(self)
        self._blocks: _Blocks = _Blocks(self)
        if not live:
            writer.be_patient()

    def attach(self, log: EventLog) -> None:
        """Record this log from now on."""
        self._log = log
        log.sink = self._blocks

    def attach_packets(self, packets: PacketLog) -> None:
        """Record these frames from now on."""
        self._packet_log = packets
        packets.blocks = self._packets

    # -- in the middle of a turn --------------------------------------------------------------------------------------
    def take_block(self, first_seq: int, rows: bytes) -> None:
        """Pass a block of events on, after the texts that it names."""
        if self._refused():
            gap, count = self._gap, len(rows) // int(ROW_BYTES)
            gap.first_seq = first_seq if gap.first_seq < 0 else gap.first_seq
            gap.last_seq = first_seq + count - 1
            gap.events += count
            return
        self._hand_strings()
        self.writer.add_block(first_seq, rows)

    def take_packets(self, rows: bytes, data: bytes) -> None:
        """Pass frames on."""
        if self._refused():
            self._gap.packets += len(rows) // (8 * PACKET_WORDS)
        else:
            self.writer.add_packet_array(np.frombuffer(rows, np.int64).reshape(-1, PACKET_WORDS), data)

    def _refused(self) -> bool:
        """Whether to drop; waits for room in a headless run.

        A file that cannot be written any more ends a headless run (raises SessionError); a live one goes on unrecorded.
        """
        writer = self.writer
        if writer.error is not None and not self.live:
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
        if self._packet_log is not None:
            self._packet_log.flush()

    def tick(self) -> bool:
        """End a gap when the writer has caught up; true when it did and a keyframe is wanted."""
        if not self._dropping or self.writer.pending_bytes > self.budget_bytes // 2:
            return False
        assert self._log is not None
        self.flush()
        self._dropping = False
        gap, self._gap = self._gap, _Gap()
        self.dropped_events += gap.events
        self.dropped_packets += gap.packets
        self.writer.add_gap(gap.first_seq, gap.last_seq, gap.events, gap.packets, GAP_SLOW)
        self._log.emit(EV_DROPPED, 0, gap.events, gap.packets)
        return True

    def settle(self) -> None:
        """Nothing runs any more: let the writer catch up, so that a gap ends before the last events and not with them."""
        deadline = time.monotonic() + SETTLE_S
        while self._dropping and self.writer.error is None and time.monotonic() < deadline and not self.tick():
            time.sleep(_WAIT_S)

    def pin(self) -> None:
        """What is recorded so far stays when the file is bounded: the building, after its keyframe."""
        self.writer.pin()

    def finish(self) -> None:
        """The run is over: say what was dropped last."""
        gap, self._gap = self._gap, _Gap()
        if gap.events or gap.packets:
            self.dropped_events += gap.events
            self.dropped_packets += gap.packets
            self.writer.add_gap(gap.first_seq, gap.last_seq, gap.events, gap.packets, GAP_SLOW)

    @property
    def stopped(self) -> str:
        """Why nothing is recorded any more, "" while something is."""
        return "" if self.writer.error is None else self.writer.error.reason

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
