"""A disk that is full: what was committed stays whole, the rest is counted, and the file says so where that still fits."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from ringscope_core.engine.recorder import Recorder
from ringscope_core.session.errors import SessionError
from ringscope_core.session.reader import SessionReader
from ringscope_core.session.rows import GAP_FULL
from ringscope_core.trace import kinds as k
from ringscope_core.trace.clock import Clock
from ringscope_core.trace.log import EventLog
from tests.core.session.recording import Recording


def fill(recording: Recording) -> None:
    """Let the file have no more pages than it has, and write until that is noticed."""
    writer = recording.writer
    assert writer.sync()
    (pages,) = writer._database.execute("PRAGMA page_count").fetchone()
    writer._database.execute(f"PRAGMA max_page_count = {pages + 20}").fetchall()
    for _ in range(200):
        recording.traffic(200)
        recording.flush()
        if not writer.sync():
            return
    raise AssertionError("the disk is not full")


def test_what_was_committed_stays_and_the_rest_is_counted(tmp_path: Path) -> None:
    path = tmp_path / "a.ringscope"
    recording = Recording(path)
    recording.start()
    recording.traffic(300)
    recording.keyframe()
    fill(recording)
    writer = recording.writer
    assert writer.error is not None
    assert "full" in writer.error.reason
    recording.traffic(100)
    recording.flush()
    writer.sync()
    with pytest.raises(SessionError, match="full"):
        writer.close()
    with SessionReader(path) as reader:
        (gap,) = reader.gaps()
        assert gap.reason == GAP_FULL
        assert (gap.first_seq, gap.last_seq) == (reader.last_seq + 1, int(recording.log.seq) - 1)
        assert gap.events == gap.last_seq - gap.first_seq + 1
        assert reader.dropped == (gap.events, 0)
        assert reader.event_count + gap.events == int(recording.log.seq)
        assert reader.state_at(reader.last_seq).to_plain() == recording.truth(reader.last_seq).to_plain()
        assert reader.meta["closed"] is False


def test_a_live_run_goes_on_unrecorded(tmp_path: Path) -> None:
    recording = Recording(tmp_path / "a.ringscope")
    recorder = Recorder(recording.writer, live=True)
    log = EventLog(Clock())
    recorder.attach(log)
    rng = random.Random(1)
    writer = recording.writer
    (pages,) = writer._database.execute("PRAGMA page_count").fetchone()
    writer._database.execute(f"PRAGMA max_page_count = {pages + 20}").fetchall()
    while not recorder.stopped:
        for _ in range(2000):
            log.emit(k.EV_CFG_READ, 1, rng.getrandbits(60), rng.getrandbits(60))
        recorder.flush()
        writer.sync()
    assert "full" in recorder.stopped
    lost = writer.lost.events
    for _ in range(100):
        log.emit(k.EV_CFG_READ, 1, 2)
    recorder.flush()
    recorder.tick()
    writer.sync()
    assert writer.lost.events == lost + 100
    with pytest.raises(SessionError, match="full"):
        writer.close()
