"""A small recording made by the event log itself: what the session's tests write and read back."""

from __future__ import annotations

import random
from pathlib import Path

from ringscope_core.session.rows import PacketRow
from ringscope_core.session.writer import RingSample, SessionWriter
from ringscope_core.trace import kinds as k
from ringscope_core.trace.clock import Clock
from ringscope_core.trace.counters import BUCKETS, COUNTER_NAMES
from ringscope_core.trace.log import BlockSink, EventLog
from ringscope_core.trace.oids import ring_oid
from ringscope_core.trace.state import MachineState, Row, apply

RING = int(ring_oid(0x20, 0))
NUM = 64


class Keeper(BlockSink):
    """Hands blocks to the writer and keeps the rows, as the truth to compare with."""

    def __init__(self, writer: SessionWriter) -> None:
        self.writer = writer
        self.data = b""

    def on_block(self, first_seq: int, rows: bytes) -> None:
        assert first_seq == len(self.data) // 80
        self.data += rows
        self.writer.add_block(first_seq, rows)


class Recording:
    """An event log with ring traffic, and the state it should fold to."""

    def __init__(self, path: Path, seed: int = 1, keep_bytes: int = 0) -> None:
        types = [{"name": "virtio-net-device", "parent": "virtio-device"}]
        self.writer = SessionWriter(path, {"scenario": "test", "seed": seed}, types, keep_bytes)
        self.log = EventLog(Clock())
        self.keeper = Keeper(self.writer)
        self.log.sink = self.keeper
        self.random = random.Random(seed)
        self.strings = 0
        self.packets = 0

    def start(self) -> None:
        log = self.log
        log.emit(k.EV_RUN_STATE, 0, 1, log.text("start"))
        log.emit(k.EV_OBJ_NEW, 1, log.text("virtio-net-pci"), 0x555557293140, 33136)
        log.enter(3, 10, 1)
        log.emit(k.EV_RING_RESET, RING, NUM, 0x1000, 0x2000, 0x3000)

    def traffic(self, packets: int) -> None:
        """Ring operations of that many packets."""
        log, rng = self.log, self.random
        for _ in range(packets):
            log.clock.now_ns += rng.randrange(5000)
            head = rng.randrange(NUM)
            n = self.packets
            log.emit(k.EV_DESC_WRITE, RING, head, rng.randrange(1 << 40), 1526, 2, 0)
            log.emit(k.EV_AVAIL_ADD, RING, n % NUM, head)
            log.emit(k.EV_AVAIL_IDX, RING, (n + 1) & 0xFFFF)
            log.emit(k.EV_POP, RING, head, (n + 1) & 0xFFFF, (n + 1) & 0xFFFF, 0, 1, 1)
            log.emit(k.EV_FILL, RING, n % NUM, head, 60)
            log.emit(k.EV_FLUSH, RING, (n + 1) & 0xFFFF, 1, 0, 1)
            self.packets += 1

    def flush(self) -> None:
        """Hand everything so far to the writer."""
        texts = self.log.strings.texts
        self.writer.add_strings(self.strings, texts[self.strings :])
        self.strings = len(texts)
        self.log.flush()

    def rows(self) -> list[Row]:
        from ringscope_core.session.blocks import as_rows

        return [tuple(row) for row in as_rows(self.keeper.data).tolist()]

    def truth(self, seq: int) -> MachineState:
        """The state after event `seq`, folded from the rows themselves."""
        state = MachineState()
        for row in self.rows()[: seq + 1]:
            apply(state, row)
        return state

    def keyframe(self) -> None:
        self.flush()
        seq = int(self.log.seq) - 1
        self.writer.add_keyframe(seq, int(self.log.clock.now_ns), 0, self.truth(seq).to_plain())


def sample(n: int) -> RingSample:
    """Counters that tell which sample they are."""
    latency = [0] * int(BUCKETS)
    latency[20] = n
    latency[25] = 2 * n
    return RingSample(RING, [n * (i + 1) for i in range(len(COUNTER_NAMES))], latency)


def make(path: Path, packets: int = 3000, close: bool = True, seed: int = 1) -> Recording:
    """A complete recording: events, two keyframes, packets, counters, a mark."""
    r = Recording(path, seed)
    r.start()
    r.traffic(packets // 2)
    r.keyframe()
    r.traffic(packets - packets // 2)
    r.keyframe()
    r.traffic(5)
    r.flush()
    frames = [bytes([i % 251]) * (i % 1500) for i in range(1, 2101)]
    r.writer.add_packets([PacketRow(i + 1, i * 10, 0, i % 2, 0, i % NUM, i, len(f)) for i, f in enumerate(frames)], frames)
    for n in range(1, 4):
        r.writer.add_counters(n * 100, n, [sample(n)])
    r.writer.add_mark(3, 7, "first", "a note")
    r.writer.sync()
    if close:
        r.writer.close()
    return r
