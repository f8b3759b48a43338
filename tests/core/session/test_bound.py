"""A recording within a size: the oldest goes, the head stays, and what is there folds."""

from __future__ import annotations

import random
import sqlite3
from pathlib import Path

import pytest

from ringscope_core.session.reader import SessionReader
from ringscope_core.session.rows import GAP_BOUND, PacketRow
from ringscope_core.trace import kinds as k
from ringscope_core.trace.state import MachineState, apply
from tests.core.session.recording import NUM, Recording, sample

KEEP = 3 << 20
ROUNDS = 48


class Bounded:
    """A recording that is larger than its bound, with its keyframes as the truth."""

    def __init__(self, path: Path, pin: bool = True) -> None:
        self.path = path
        self.recording = Recording(path, keep_bytes=KEEP)
        self.state = MachineState()
        self.folded = 0
        self.packets = 0
        self.largest = 0
        self.recording.start()
        self.recording.traffic(100)
        self.keyframe()
        self.head_end = int(self.recording.log.seq) - 1 if pin else -1
        if pin:
            self.recording.writer.pin()

    def keyframe(self) -> None:
        self.recording.flush()
        data = self.recording.keeper.data[self.folded * 80 :]
        from ringscope_core.session.blocks import as_rows

        for row in as_rows(data).tolist():
            apply(self.state, tuple(row))
        self.folded += len(data) // 80
        self.recording.writer.add_keyframe(self.state.seq, self.state.vt, self.state.wall, self.state.to_plain())

    def round(self, n: int) -> None:
        recording, rng = self.recording, random.Random(n)
        for _ in range(3):
            recording.traffic(rng.randrange(100, 400))
            seq = int(recording.log.seq) - 1
            frames = [rng.randbytes(1000) for _ in range(40)]
            rows = [PacketRow(self.packets + i + 1, int(recording.log.clock.now_ns), 0, 0, 0, i % NUM, seq, 1000) for i in range(40)]
            recording.flush()
            recording.writer.add_packets(rows, frames)
            self.packets += 40
        self.keyframe()
        recording.writer.add_counters(int(recording.log.clock.now_ns), n, [sample(n)])
        assert recording.writer.sync()
        self.largest = max(self.largest, self.path.stat().st_size)


def check(path: Path, bounded: Bounded) -> None:
    with SessionReader(path) as reader:
        gap = reader.let_go
        assert gap is not None
        assert gap.reason == GAP_BOUND
        assert gap.first_seq == bounded.head_end + 1
        assert gap.events == gap.last_seq - gap.first_seq + 1
        assert reader.event_count == int(bounded.recording.log.seq) - gap.events
        assert reader.keep_bytes == KEEP
        assert reader.dropped == (0, 0), "let go is not lost"
        assert sum(reader.event_counts().values()) == reader.event_count
        begin = gap.last_seq
        frames = reader.keyframes()["seq"].tolist()
        assert begin in frames, "what is kept begins behind a keyframe"
        assert [seq for seq in frames if bounded.head_end < seq < begin] == []
        states = [seq for seq in frames if seq > begin]
        assert len(states) >= 3
        for seq in states:
            told = reader.keyframe_state(seq)
            again = SessionReader(path)
            try:
                before = max(s for s in frames if s < seq)
                again._keyframes = again._keyframes[again._keyframes["seq"] <= before]
                assert again.state_at(seq).comparable() == told.comparable(), seq
            finally:
                again.close()
        rows = reader.events(0, reader.last_seq)
        assert rows["seq"].tolist() == [*range(bounded.head_end + 1), *range(begin + 1, int(bounded.recording.log.seq))]
        assert reader.first_seq == (0 if bounded.head_end >= 0 else begin + 1)
        if bounded.head_end >= 0:
            assert reader.holes() == [(bounded.head_end, begin + 1)]
            assert reader.state_at(2).objects.keys() == {1}
        for seq in (begin + 1, reader.last_seq, random.randrange(begin + 1, reader.last_seq)):
            assert reader.seq_at_vt(reader.vt_at_seq(seq)) >= seq
            assert reader.state_at(seq).seq == seq
        assert reader.packet_count == bounded.packets
        kept = reader.packets(1, bounded.packets)
        assert len(kept) == bounded.packets - gap.packets
        assert {row.seq for row in kept} <= {*range(bounded.head_end + 1), *range(begin - 3000, reader.last_seq + 1)}
        assert len(reader.packet_bytes(kept[0].id)) == 1000


@pytest.mark.parametrize("pin", [True, False])
def test_the_file_stays_within_its_bound(tmp_path: Path, pin: bool) -> None:
    path = tmp_path / "a.ringscope"
    bounded = Bounded(path, pin)
    with SessionReader(path) as live:
        for n in range(ROUNDS):
            bounded.round(n)
            live.refresh()
            assert live.last_seq == int(bounded.recording.log.seq) - 1
            gap = live.let_go
            if gap is not None:
                assert live.first_seq == (0 if pin else gap.last_seq + 1)
                assert live.keyframe_state(int(live.keyframes()["seq"][-1])).comparable() == bounded.state.comparable()
                assert live.event_count == int(bounded.recording.log.seq) - gap.events
        assert live.let_go is not None
    bounded.recording.writer.close()
    assert bounded.largest <= KEEP
    assert path.stat().st_size <= KEEP
    assert [p.name for p in tmp_path.iterdir()] == ["a.ringscope"]
    check(path, bounded)


def test_the_log_beside_it_stays_small_too(tmp_path: Path) -> None:
    bounded = Bounded(tmp_path / "a.ringscope")
    log = tmp_path / "a.ringscope-wal"
    for n in range(ROUNDS):
        bounded.round(n)
        assert log.stat().st_size < KEEP
    bounded.recording.writer.close()


def test_a_large_head_is_not_kept_at_any_price(tmp_path: Path) -> None:
    path = tmp_path / "a.ringscope"
    bounded = Bounded(path, pin=False)
    for n in range(20):
        bounded.round(n)
    bounded.recording.writer.pin()
    for n in range(20, ROUNDS):
        bounded.round(n)
    bounded.recording.writer.close()
    assert path.stat().st_size <= KEEP
    check(path, bounded)


def test_without_a_bound_nothing_goes(tmp_path: Path) -> None:
    path = tmp_path / "a.ringscope"
    recording = Recording(path)
    recording.start()
    recording.traffic(9000)
    recording.keyframe()
    recording.writer.close()
    with SessionReader(path) as reader:
        assert (reader.let_go, reader.keep_bytes) == (None, 0)
        assert reader.event_count == int(recording.log.seq)


def test_what_went_stands_in_the_file_for_people(tmp_path: Path) -> None:
    path = tmp_path / "a.ringscope"
    bounded = Bounded(path)
    for n in range(ROUNDS):
        bounded.round(n)
    bounded.recording.writer.close()
    with sqlite3.connect(path) as database:
        ((reason, events, packets),) = database.execute("SELECT reason, events, packets FROM losses").fetchall()
        assert (reason, events > 0, packets > 0) == ("bound", True, True)
        (counted,) = database.execute("SELECT sum(count) FROM event_count").fetchone()
        assert counted == int(bounded.recording.log.seq) - events
        (pops,) = database.execute("SELECT count FROM event_count WHERE kind = ?", (int(k.EV_POP),)).fetchone()
        assert pops == bounded.recording.packets - events // 6 or pops > 0
    database.close()
