"""`make bench`: how long searches, steps and the time panel take on a session of a hundred million events."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ringscope_core.query.recording import Recording
from ringscope_core.query.travel import BACKWARD, last_write, next_change, next_event, parse_watch, step, why
from ringscope_core.session.reader import SessionReader
from tests.bench.long_session import make_long_session
from tests.bench.test_recorder import EVENTS
from tests.bench.test_speed import say

ROUNDS = 25
VALUES = (
    "tx0.VirtQueue.last_avail_idx",
    "tx0.VirtQueue.inuse",
    "tx0.desc[5].addr",
    "tx0.avail.idx",
    "tx0.used.ring[3].len",
    "tx0.counter.packets",
    "run_state",
)
RARE = "tx0.VRing.num"
"""Written once, at the beginning: a search through everything."""


def timed(what: str, action: Callable[[int], object], seqs: list[int], target: str) -> None:
    """Median and worst of `action` over moments, in ms."""
    values: list[float] = []
    for seq in seqs:
        start = time.perf_counter()
        action(seq)
        values.append((time.perf_counter() - start) * 1000)
    values.sort()
    say(f"{what}, median", values[len(values) // 2], "ms", target)
    say(f"{what}, worst", values[-1], "ms", "")


def travel(path: Path) -> None:
    """Measure in a process of its own: ``python -m tests.bench.test_travel FILE``."""
    with SessionReader(path) as reader:
        recording = Recording(reader)
        rng = random.Random(1)
        seqs = [rng.randrange(reader.first_seq + 10_000, reader.last_seq - 10_000) for _ in range(ROUNDS)]
        for words in VALUES:
            watch = parse_watch(words, recording)
            timed(f"last write of {words}", lambda seq, watch=watch: last_write(recording, watch, seq), seqs, "< 50")
            timed(f"next change of {words}", lambda seq, watch=watch: next_change(recording, watch, seq), seqs, "< 50")
        rare = parse_watch(RARE, recording)
        timed(f"last write of {RARE}, through everything", lambda seq: last_write(recording, rare, seq), seqs[:3], "")
        for kind in ("event", "over", "into", "packet", "kick"):
            timed(f"step {kind}", lambda seq, kind=kind: step(recording, seq, kind), seqs, "< 50")
            timed(f"step {kind} back", lambda seq, kind=kind: step(recording, seq, kind, 1, BACKWARD), seqs, "< 50")
        timed("why", lambda seq: why(recording, seq), seqs, "< 50")
        ring = parse_watch(VALUES[0], recording).oid
        timed("next event on a ring", lambda seq: next_event(recording, seq, 1, None, ring), seqs, "< 50")


def panel(path: Path) -> None:
    """What the time panel's densities take, whole and zoomed in: ``python -m tests.bench.test_travel FILE panel``."""
    from ringscope.store import Store
    from ringscope.views.timeline.model import Density

    with SessionReader(path) as reader:
        density = Density(Store(reader))
        density.advance(1.0)
        end = float(reader.last_vt)
        timed("time panel, everything", lambda _: density.bins(0.0, end, 1800, True), list(range(20)), "< 16")
        for part in (0.1, 0.01, 0.001):
            low, high = end * 0.4, end * (0.4 + part)
            timed(f"time panel, {part:g} of it, at once", lambda _, low=low, high=high: density.bins(low, high, 1800, True), list(range(20)), "< 16")


@pytest.mark.bench
def test_searches_and_steps(tmp_path: Path) -> None:
    """Prints; asserts nothing about time."""
    path = tmp_path / "long.ringscope"
    make_long_session(path, EVENTS)
    for arguments in ([str(path)], [str(path), "panel"]):
        done = subprocess.run([sys.executable, "-m", "tests.bench.test_travel", *arguments], check=True, capture_output=True, text=True)
        print(done.stdout, end="")
        assert "median" in done.stdout


if __name__ == "__main__":
    (panel if sys.argv[2:] == ["panel"] else travel)(Path(sys.argv[1]))
