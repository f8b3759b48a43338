"""`make bench`: what is left of recordings whose engine was killed, and how fast sessions are verified and compared.  Reported, never asserted in time."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest

from ringscope_core.query.diff import diff
from ringscope_core.query.recording import Recording
from ringscope_core.query.verify import verify
from ringscope_core.session.reader import SessionReader
from tests.core.engine.killed import kill_engine
from tests.core.query.sessions import record

KILLS = 50


@pytest.mark.bench
def test_killed_fifty_times(tmp_path: Path) -> None:
    rng = random.Random(time.time_ns())
    lost: list[float] = []
    compared = wrong = events = 0
    print()
    for number in range(KILLS):
        found = kill_engine(tmp_path, number, rng)
        lost.append(found.lost_s)
        compared += found.report.compared
        wrong += found.report.wrong
        events += found.report.events
        print(
            f"  {number + 1:>2}  {found.mode:<38} killed after {found.after_s:5.2f} s  {found.report.events:>9} events, "
            f"{found.report.compared:>4} keyframes equal  lost {found.lost_s * 1e3:5.0f} ms"
        )
    lost.sort()
    print(f"  {KILLS} killed: all open, {events} events, {compared} keyframes compared, {wrong} differences;")
    print(f"  lost: median {lost[KILLS // 2] * 1e3:.0f} ms, most {lost[-1] * 1e3:.0f} ms  (at most 500)")
    assert wrong == 0


@pytest.mark.bench
def test_verify_and_diff(tmp_path: Path) -> None:
    paths = [record(tmp_path / f"{name}.ringscope", "bulk-tx", ("count=400000",), 400_000) for name in ("a", "b")]
    report = verify(paths[0])
    print(
        f"\n  verify: {report.events} events, {report.compared} keyframes in {report.wall_s:.2f} s: {report.events / report.wall_s / 1e6:.2f} million events/s"
    )
    assert report.equal
    with SessionReader(paths[0]) as a, SessionReader(paths[1]) as b:
        start = time.perf_counter()
        found = diff(Recording(a), Recording(b))
        seconds = time.perf_counter() - start
    print(f"  diff:   {found.common} events are the same in {seconds:.2f} s: {found.common / seconds / 1e6:.2f} million events/s")
    assert found.equal
