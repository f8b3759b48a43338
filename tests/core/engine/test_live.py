"""A watched run in this process: asking, changing, and a defect in the machine."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ringscope_core.engine.debug_commands import DebugCommands
from ringscope_core.engine.live import HEAR_S, LiveListener, LiveRun
from ringscope_core.engine.recorder import Recorder
from ringscope_core.engine.run import Run
from ringscope_core.qom.object import object_new
from ringscope_core.scenario.load import load
from ringscope_core.session.reader import SessionReader
from ringscope_core.session.writer import SessionWriter


class Heard(LiveListener):
    """What a live run told."""

    def __init__(self) -> None:
        self.ends: list[str] = []
        self.stopped = threading.Event()
        self.ended = threading.Event()

    def on_stopped(self, reason: str) -> None:
        self.stopped.set()

    def on_resumed(self) -> None:
        self.stopped.clear()

    def on_ended(self, reason: str) -> None:
        self.ends.append(reason)
        self.ended.set()


class Broken(Run):
    """A machine with a defect that shows in its hundredth turn."""

    def turn(self) -> bool:
        if self.turns == 100:
            raise RuntimeError("a defect of ours")
        return super().turn()


Make = Callable[..., tuple[LiveRun, Heard]]


@pytest.fixture
def make() -> Iterator[Make]:
    made: list[LiveRun] = []

    def live(run: Run, paused: bool = False) -> tuple[LiveRun, Heard]:
        heard = Heard()
        made.append(LiveRun(run, heard, paused))
        made[-1].start()
        return made[-1], heard

    yield live
    for run in made:
        assert run.stop()
        run.run.close()


def test_a_defect_ends_the_run_and_leaves_the_recording(make: Make, tmp_path: Path) -> None:
    writer = SessionWriter(tmp_path / "a", {"scenario": "ping"})
    live, heard = make(Broken(load("ping"), recorder=Recorder(writer, True), live=True, digests=False))
    assert heard.ended.wait(10)
    assert heard.ends == ["internal error: RuntimeError: a defect of ours"]
    assert live.status == "failed"
    # raises when somebody is waited for who is not there
    assert live.hear(live.debugger.resume())
    assert live.ask(lambda: "still answered") == "still answered"
    assert live.stop()
    writer.close()
    with SessionReader(tmp_path / "a") as reader:
        assert reader.last_seq == int(live.run.log.seq) - 1
        assert reader.state_at(reader.last_seq).rings


def test_questions_are_answered_by_the_runs_thread(make: Make) -> None:
    live, heard = make(Run(load("default"), live=True, digests=False, factor=1.0))
    assert live.ask(lambda: threading.current_thread().name) == "run"
    with pytest.raises(ZeroDivisionError):
        live.ask(lambda: 1 // 0)
    live.debugger.pause()
    assert heard.stopped.wait(5)
    assert live.ask(lambda: threading.current_thread().name) == "run"
    assert live.status == "paused"
    live.debugger.resume()


def test_a_change_waits_for_the_end_of_the_turn(make: Make) -> None:
    live, heard = make(Run(load("realize"), live=True, digests=False), paused=True)
    assert heard.stopped.wait(5)
    assert live.debugger.inside_turn
    done: list[int] = []
    assert live.change(lambda: done.append(int(live.run.log.seq))) is False
    assert done == []
    live.debugger.resume()
    assert heard.ended.wait(10)
    assert len(done) == 1
    assert done[0] > 500, "after the building"
    assert live.change(lambda: done.append(0)) is True


def test_a_busy_run_is_a_timeout(make: Make) -> None:
    live, _ = make(Run(load("realize"), live=True, digests=False))
    live.debugger.call(lambda: time.sleep(0.5))
    with pytest.raises(TimeoutError, match="busy"):
        live.ask(lambda: None, timeout=0.1)


def test_a_stop_that_somebody_overrules_is_answered(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    live, heard = make(Run(load("default"), live=True, digests=False))
    busy, release, wished, answered = (threading.Event() for _ in range(4))
    pause = live.debugger.pause

    def wish() -> None:
        pause()
        wished.set()

    def keep_busy() -> None:
        busy.set()
        release.wait(HEAR_S)

    def stop() -> None:
        DebugCommands(live).stop({})
        answered.set()

    monkeypatch.setattr(live.debugger, "pause", wish)
    live.debugger.call(keep_busy)
    assert busy.wait(HEAR_S)
    thread = threading.Thread(target=stop)
    thread.start()
    assert wished.wait(HEAR_S)
    assert not answered.wait(0.1), "the run's thread is busy"
    live.debugger.resume()
    release.set()
    thread.join()
    assert answered.is_set()
    assert not heard.stopped.is_set()
    assert live.status == "running"


def test_asking_makes_no_stop(make: Make) -> None:
    live, heard = make(Run(load("realize"), live=True, digests=False), paused=True)
    assert heard.stopped.wait(5)
    live.debugger.breakpoints.add({"event": "object_new"})
    seq = int(live.run.log.seq)
    live.ask(lambda: object_new(live.run.world, "container").unref())
    assert int(live.run.log.seq) > seq, "an object was made to answer"
    assert live.debugger.breakpoints.points[0].hits == 0
