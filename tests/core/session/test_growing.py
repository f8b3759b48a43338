"""A session that grows: readers beside the writer, in this process and in another; a writer that is killed."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ringscope_core.session.errors import SessionError
from ringscope_core.session.inserts import Inserter
from ringscope_core.session.reader import SessionReader
from ringscope_core.trace.log import ROW_BYTES
from ringscope_core.trace.state import MachineState
from tests.core.session.recording import make, sample

_ENDLESS = """
import sys, time
from pathlib import Path
from tests.core.session.recording import Recording
r = Recording(Path(sys.argv[1]))
if "patient" in sys.argv: r.writer.be_patient()
r.start()
n = 0
while True:
    r.traffic(20)
    r.keyframe() if n % 10 == 0 else r.flush()
    n += 1
    if n == 5: print("going", flush=True)
    print(time.monotonic(), r.log.seq, flush=True)
    time.sleep(0.01)
"""


def test_a_reader_sees_what_is_committed(tmp_path: Path) -> None:
    path = tmp_path / "a.ringscope"
    recording = make(path, 200, close=False)
    with SessionReader(path) as reader:
        assert reader.refresh() is False
        before, keys = reader.last_seq, len(reader.keyframes())
        for _ in range(30):
            recording.traffic(100)
            recording.keyframe()
            recording.writer.add_counters(1000, 9, [sample(9)])
            assert recording.writer.sync()
            assert reader.refresh() is True
            assert reader.last_seq == int(recording.log.seq) - 1
            assert reader.events(reader.last_seq - 700, reader.last_seq)["seq"].tolist() == list(range(reader.last_seq - 700, reader.last_seq + 1))
        assert reader.last_seq == before + 30 * 600
        assert len(reader.keyframes()) == keys + 30
        assert reader.state_at(reader.last_seq).to_plain() == recording.truth(reader.last_seq).to_plain()
        assert sum(reader.event_counts().values()) == reader.event_count == reader.last_seq + 1
        recording.writer.close()
        reader.refresh()
        assert reader.meta["closed"] is True


def test_much_at_once_is_committed_without_more_to_come(tmp_path: Path) -> None:
    """What waits for the rest of its block does not wait for ever."""
    path = tmp_path / "a.ringscope"
    recording = make(path, 20, close=False)
    recording.writer.be_patient()
    for _ in range(25):
        recording.traffic(4000 // 3)
        recording.flush()
    written = int(recording.log.seq)
    assert written * int(ROW_BYTES) > 8 << 20, "more than wakes the writer"
    end = time.monotonic() + 30
    with SessionReader(path) as reader:
        while reader.last_seq < written - 1 and time.monotonic() < end:
            time.sleep(0.02)
            reader.refresh()
        assert reader.last_seq == written - 1
        assert sum(reader.event_counts().values()) == written
    recording.writer.close()


@pytest.mark.parametrize("mood", ["", "patient"])
def test_a_killed_writer_loses_at_most_half_a_second(tmp_path: Path, mood: str) -> None:
    path = tmp_path / "a.ringscope"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    with subprocess.Popen([sys.executable, "-c", _ENDLESS, str(path), mood], stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("going"):
                break
        with SessionReader(path) as live:
            time.sleep(0.7)
            live.refresh()
            assert live.last_seq > 0
        process.send_signal(signal.SIGKILL)
        written = [line.split() for line in process.stdout.read().splitlines() if line.count(" ") == 1]
    died = float(written[-1][0])
    due = max(int(seq) for at, seq in written if float(at) < died - 0.5)
    with SessionReader(path) as reader:
        assert reader.last_seq + 1 >= due
        assert reader.meta["closed"] is False
        assert reader.state_at(reader.last_seq).seq == reader.last_seq


def test_an_older_file_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.ringscope"
    make(path, 2000)
    path.with_name("a.ringscope-wal").write_bytes(b"what a killed writer left")
    make(path, 50)
    with SessionReader(path) as reader:
        assert reader.event_counts()[56] == 55


def test_where_nothing_can_be_written(tmp_path: Path) -> None:
    with pytest.raises(SessionError, match="cannot be created"):
        make(tmp_path / "no" / "folder" / "a.ringscope")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "taken").mkdir()
    with pytest.raises(SessionError, match="cannot be created"):
        make(tmp_path / "taken")


def test_a_state_is_not_stored_before_the_events_it_follows(tmp_path: Path) -> None:
    """Events may wait for the rest of their block; a killed writer must not leave a keyframe without them."""
    path = tmp_path / "a.ringscope"
    make(path, 20)
    with sqlite3.connect(path) as database:
        inserter = Inserter(database)
        before = database.execute("SELECT count(*) FROM keyframe").fetchone()[0]
        inserter.keyframe(1 << 40, 0, 0, MachineState().to_plain())
        assert database.execute("SELECT count(*) FROM keyframe").fetchone()[0] == before
        inserter.commit()
        assert database.execute("SELECT count(*) FROM keyframe").fetchone()[0] == before + 1
