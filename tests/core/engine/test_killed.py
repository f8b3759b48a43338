"""`kill -9` at any moment: the file opens, is right, and lacks at most the last half second.  Disks that are full, places that are read-only."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ringscope_core.query.verify import verify
from ringscope_core.session.reader import SessionReader
from tests.core.engine.killed import MODES, kill_engine
from tests.core.session.permissions import obeying, with_room

LOST_S = 0.5


@pytest.mark.parametrize("number", range(len(MODES)))
def test_killed_at_a_random_moment(tmp_path: Path, number: int) -> None:
    found = kill_engine(tmp_path, number, random.Random(number))
    assert found.report.findings == []
    assert found.lost_s <= LOST_S
    assert found.report.events > 0


@pytest.mark.slow
def test_killed_many_times(tmp_path: Path) -> None:
    rng = random.Random(50)
    for number in range(50):
        found = kill_engine(tmp_path, number, rng, 1.0)
        assert found.report.findings == [], found
        assert found.lost_s <= LOST_S, found


def engine(session: Path, address: Path, *more: str) -> list[str]:
    return [
        sys.executable,
        "-m",
        "ringscope_core.engine",
        "--scenario",
        "bulk-tx",
        "--set",
        "traffic.0.count=0",
        "--speed",
        "max",
        "--trace",
        "full",
        "--session",
        str(session),
        "--socket",
        str(address),
        *more,
    ]


@pytest.mark.parametrize("room", [1 << 20, 2 << 20])
def test_a_full_disk_while_it_records(tmp_path: Path, room: int) -> None:
    """The run goes on; the file opens, is right up to there, and says what it lacks."""
    session = tmp_path / "a.ringscope"
    with subprocess.Popen(
        with_room(room, engine(session, tmp_path / "q")),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        time.sleep(3.0)
        still_there = process.poll() is None
        process.terminate()
        message = process.stderr.read()
        code = process.wait(30)
    assert still_there, f"the run ended with {code}: {message}"
    assert code in (0, 2)
    assert "Traceback" not in message
    with SessionReader(session) as reader:
        assert reader.event_count > 0
        assert reader.state_at(reader.last_seq).objects
        losses = [gap.reason for gap in reader.gaps()]
    assert verify(session, jobs=1).findings == []
    assert code == 2 and "cannot be written" in message or "full disk" in losses, (code, message, losses)


def test_a_headless_run_on_a_full_disk_says_so(tmp_path: Path) -> None:
    session = tmp_path / "a.ringscope"
    done = subprocess.run(
        with_room(
            1 << 20, [sys.executable, "-m", "ringscope", "run", "bulk-tx", "--headless", "--set", "count=60000", "--packets", "60000", "--record", str(session)]
        ),
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert done.returncode == 2, done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
    assert str(session) in done.stderr
    assert "cannot be written" in done.stderr or "full" in done.stderr
    with SessionReader(session) as reader:
        assert reader.event_count > 0
    assert verify(session, jobs=1).findings == []


def test_a_folder_where_nothing_can_be_written(tmp_path: Path) -> None:
    folder = tmp_path / "readonly"
    folder.mkdir()
    folder.chmod(0o555)
    for command in (
        engine(folder / "a.ringscope", tmp_path / "q"),
        [sys.executable, "-m", "ringscope", "run", "ping", "--headless", "--packets", "3", "--record", str(folder / "a.ringscope")],
    ):
        done = subprocess.run(obeying(command), check=False, capture_output=True, text=True, timeout=60)
        assert done.returncode == 2, done.stderr
        assert done.stderr.count("\n") == 1
        assert f"session {folder / 'a.ringscope'}: cannot be created" in done.stderr
        assert list(folder.iterdir()) == []
