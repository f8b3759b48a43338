"""The recorder's budget: a live run drops and says so, a headless one waits."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from ringscope_core.engine.recorder import Recorder
from ringscope_core.session.errors import SessionError
from ringscope_core.session.reader import SessionReader
from ringscope_core.session.writer import SessionWriter
from ringscope_core.trace import kinds as k
from ringscope_core.trace.clock import Clock
from ringscope_core.trace.log import EventLog
from ringscope_core.trace.packets import PacketLog
from ringscope_core.trace.state import MachineState


class SlowWriter(SessionWriter):
    """Says that much waits, when told to."""

    behind: int = 0

    @property
    def pending_bytes(self) -> int:
        return self.behind or super().pending_bytes


def setup(path: Path, live: bool) -> tuple[SlowWriter, Recorder, EventLog, PacketLog]:
    writer = SlowWriter(path, {"scenario": "test"})
    recorder = Recorder(writer, live, budget_bytes=1 << 20)
    log = EventLog(Clock())
    packets = PacketLog(log.clock)
    recorder.attach(log)
    recorder.attach_packets(packets)
    return writer, recorder, log, packets


def emit(log: EventLog, count: int) -> None:
    for _ in range(count):
        log.emit(k.EV_MARK, 0, log.text("m"))


def state(log: EventLog) -> MachineState:
    out = MachineState()
    out.seq = int(log.seq) - 1
    return out


def test_a_live_run_drops_counts_and_goes_on(tmp_path: Path) -> None:
    writer, recorder, log, packets = setup(tmp_path / "a", True)
    emit(log, 100)
    recorder.flush()
    writer.behind = 2 << 20
    emit(log, 20_000)
    packets.add(0, 0, 1, 5, b"frame", b"")
    recorder.flush()
    assert recorder.dropping
    assert not recorder.tick()
    recorder.keyframe(state(log))
    writer.behind = 0
    assert recorder.tick()
    assert not recorder.dropping
    recorder.keyframe(state(log))
    emit(log, 10)
    packets.add(0, 0, 1, 5, b"later", b"")
    recorder.flush()
    assert (recorder.dropped_events, recorder.dropped_packets) == (20_000, 1)
    writer.close()
    with SessionReader(tmp_path / "a") as reader:
        assert reader.dropped == (20_000, 1)
        assert reader.event_count == 100 + 1 + 10
        assert reader.keyframes()["seq"].tolist() == [20_100]
        assert reader.packet_bytes(2) == b"later"
        assert reader.packets(1, 9)[0].id == 2


def test_a_headless_run_waits(tmp_path: Path) -> None:
    writer, recorder, log, _ = setup(tmp_path / "a", False)
    writer.behind = 2 << 20
    threading.Timer(0.3, lambda: setattr(writer, "behind", 0)).start()
    start = time.monotonic()
    emit(log, 10)
    recorder.flush()
    assert time.monotonic() - start > 0.2
    writer.close()
    with SessionReader(tmp_path / "a") as reader:
        assert reader.event_count == 10
        assert reader.strings == ["", "m"]


def test_a_disk_that_fails_ends_a_recording_with_a_sentence(tmp_path: Path) -> None:
    writer, recorder, log, _ = setup(tmp_path / "a", False)
    emit(log, 10)
    recorder.flush()
    writer.error = SessionError(str(tmp_path / "a"), "cannot be written (disk full)")
    emit(log, 10)
    with pytest.raises(SessionError, match="disk full"):
        recorder.flush()
    with pytest.raises(SessionError, match="disk full"):
        writer.close()


def test_what_was_dropped_stands_in_the_file_with_its_numbers(tmp_path: Path) -> None:
    writer, recorder, log, packets = setup(tmp_path / "a", True)
    emit(log, 50)
    recorder.flush()
    writer.behind = 2 << 20
    emit(log, 300)
    packets.add(0, 0, 1, 5, b"frame", b"")
    recorder.flush()
    writer.behind = 0
    assert recorder.tick()
    writer.behind = 2 << 20
    emit(log, 30)
    recorder.flush()
    recorder.finish()
    writer.behind = 0
    writer.close()
    with SessionReader(tmp_path / "a") as reader:
        assert [tuple(gap) for gap in reader.gaps()] == [(1, 50, 349, 300, 1, "slow disk"), (2, 350, 380, 31, 0, "slow disk")]
        assert reader.dropped == (331, 1)
