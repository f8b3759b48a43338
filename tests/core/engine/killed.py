"""Runs an engine, kills it at a moment, and says what the file has: shared by the test of a few and the benchmark of many."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from ringscope_core.engine.client import QmpClient, QmpError
from ringscope_core.query.verify import Report, verify
from ringscope_core.session.reader import SessionReader

MODES: tuple[tuple[str, ...], ...] = (
    ("default", "--speed", "1"),
    ("default", "--speed", "max"),
    ("bulk-tx", "--speed", "max", "--trace", "full"),
    ("packed", "--speed", "max", "--trace", "packets"),
    ("bulk-rx", "--speed", "max", "--trace", "full"),
)
"""Scenario and options of the runs that are killed, in turn."""


class Killed(NamedTuple):
    """`lost_s`: how long before the kill the engine had told of an event that the file does not have; 0 for none."""

    mode: str
    after_s: float
    told_seq: int
    last_seq: int
    lost_s: float
    report: Report


def kill_engine(folder: Path, number: int, rng: random.Random, longest_s: float = 2.0) -> Killed:
    """Start run `number`, kill it with SIGKILL after a random time, open and verify what is left."""
    mode = MODES[number % len(MODES)]
    session, address = folder / f"killed-{number}.ringscope", str(folder / f"q{number}")
    command = [sys.executable, "-m", "ringscope_core.engine", "--scenario", mode[0], "--session", str(session), "--socket", address, *mode[1:]]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["ready"]
        polls = _poll_until_killed(process, address, rng.uniform(0.02, longest_s))
    return _look(session, " ".join(mode), polls)


def _poll_until_killed(process: subprocess.Popen[str], address: str, after_s: float) -> tuple[float, float, list[tuple[float, int]]]:
    """Ask how far it is until the moment; start, moment of the kill, and (time, number of the last event) of each answer."""
    began = time.monotonic()
    polls: list[tuple[float, int]] = []
    client = QmpClient(address)
    try:
        while time.monotonic() < began + after_s:
            with suppress(QmpError):
                # what an answer tells had happened when it came, so the loss is not said smaller than it is
                seq = int(client.execute("x-ringscope-status")["seq"])
                polls.append((time.monotonic(), seq))
            time.sleep(0.01)
        killed = time.monotonic()
        os.kill(process.pid, signal.SIGKILL)
        process.wait(10)
    finally:
        client.close()
    return began, killed, polls


def _look(session: Path, mode: str, told: tuple[float, float, list[tuple[float, int]]]) -> Killed:
    began, killed, polls = told
    with SessionReader(session) as reader:
        last = reader.last_seq
        assert reader.meta["closed"] is False
        reader.state_at(last)
    missing = [at for at, seq in polls if seq > last]
    report = verify(session, jobs=1)
    return Killed(mode, killed - began, max((seq for _, seq in polls), default=-1), last, killed - min(missing) if missing else 0.0, report)
