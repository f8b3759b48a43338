"""A recording is run again to the event: whatever disturbed it, every event comes again."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from ringscope_core.engine.compare import ReplayError
from ringscope_core.engine.errors import CancelledError
from ringscope_core.engine.headless import Goal, Headless, limit_replay
from ringscope_core.engine.recorder import Recorder
from ringscope_core.engine.replay import Rerun
from ringscope_core.engine.replayable import can_branch
from ringscope_core.engine.run import Run
from ringscope_core.engine.session_meta import session_meta
from ringscope_core.scenario.load import load
from ringscope_core.scenario.shipped import SHIPPED
from ringscope_core.session.reader import SessionReader
from ringscope_core.session.writer import SessionWriter
from ringscope_core.trace.levels import LEVEL_NAMES
from tests.core.engine.watched import record


def headless(path: Path, scenario: str, settings: list[str], trace: str = "full", goal: Goal | None = None, **meta: Any) -> Path:
    """A session of a run that nobody watched."""
    wanted = load(scenario, settings)
    writer = SessionWriter(path, {**session_meta(wanted, wanted.seed, trace), **meta})
    run = Run(wanted, trace_level=LEVEL_NAMES.index(trace), recorder=Recorder(writer))
    run.build()
    goal = goal or Goal(virtual_ns=400_000_000)
    limit_replay(run, goal.packets)
    Headless(run, goal).to_the_end()
    run.close()
    writer.close()
    return path


def again(reader: SessionReader, to: int, **options: Any) -> Rerun:
    """The recording, run again to event `to`."""
    run = Rerun(reader, to, **options)
    try:
        run.build()
    finally:
        run.close()
    return run


@pytest.mark.parametrize("scenario", SHIPPED)
def test_a_watched_run_comes_again(tmp_path: Path, scenario: str) -> None:
    path = record(tmp_path / "a.ringscope", scenario, seed=len(scenario) * 31 + SHIPPED.index(scenario))
    with SessionReader(path) as reader:
        assert can_branch(reader) == ""
        run = again(reader, reader.last_seq)
        assert run.compared == reader.event_count
        assert int(run.log.seq) == reader.last_seq + 1


@pytest.mark.parametrize("trace", LEVEL_NAMES)
def test_a_headless_run_comes_again_to_any_event(tmp_path: Path, trace: str) -> None:
    path = headless(tmp_path / "a.ringscope", "default", [], trace)
    with SessionReader(path) as reader:
        for to in (0, 700, reader.last_seq // 2, reader.last_seq - 2):
            run = again(reader, to)
            # to the end of the turn, and no further
            assert to < int(run.log.seq) <= reader.last_seq + 1
            assert run.compared == int(run.log.seq)


def test_the_state_is_the_recorded_one(tmp_path: Path) -> None:
    path = headless(tmp_path / "a.ringscope", "multiqueue", [])
    with SessionReader(path) as reader:
        run = Rerun(reader, reader.last_seq * 2 // 3)
        run.build()
        told, folded = run.state().comparable(), reader.state_at(int(run.log.seq) - 1).comparable()
        run.close()
        for clock in ("vt", "wall"):
            del told[clock], folded[clock]
        assert told == folded


def test_a_limited_capture_comes_again(tmp_path: Path) -> None:
    path = headless(tmp_path / "a.ringscope", "pcap-replay", [], goal=Goal(packets=7), packets=7)
    with SessionReader(path) as reader:
        assert again(reader, reader.last_seq).compared == reader.event_count


def test_the_capture_of_the_first_run_stays(tmp_path: Path) -> None:
    out = tmp_path / "out.pcap"
    path = headless(tmp_path / "a.ringscope", "bulk-tx", [f"netdev=pcap,id=hostnet0,out={out}"], goal=Goal(virtual_ns=2_000_000))
    first = out.read_bytes()
    assert len(first) > 24
    out.unlink()
    with SessionReader(path) as reader:
        assert again(reader, reader.last_seq).compared == reader.event_count
    assert list(tmp_path.iterdir()) == [path]


def _change(path: Path, statement: str, *values: object) -> None:
    with sqlite3.connect(path) as database:
        database.execute(statement, values)
    database.close()


def test_a_run_that_was_another_one_is_named_by_its_first_event(tmp_path: Path) -> None:
    path = headless(tmp_path / "a.ringscope", "ping", [])
    _change(path, "UPDATE meta SET value = '99' WHERE key = 'seed'")
    with SessionReader(path) as reader, pytest.raises(ReplayError, match=r"event \d+ (is not what was recorded: recorded .*; run again|does not come)"):
        again(reader, reader.last_seq)


def test_a_command_that_was_not_given_is_a_difference(tmp_path: Path) -> None:
    path = headless(tmp_path / "a.ringscope", "ping", [])
    with SessionReader(path) as reader:
        row = reader.events(reader.last_seq // 2, reader.last_seq // 2)[0]
        seq, vt = int(row["seq"]), reader.vt_at_seq(int(row["seq"]) - 1)
        assert again(reader, reader.last_seq).compared == reader.event_count
    _change(path, 'INSERT INTO control VALUES (1, ?, ?, \'set_link\', \'{"name": "net0", "up": false}\')', seq, vt)
    with SessionReader(path) as reader, pytest.raises(ReplayError, match=r"does not come|not what was recorded"):
        again(reader, reader.last_seq)


def test_a_long_one_can_be_cancelled_and_tells_how_far_it_is(tmp_path: Path) -> None:
    path = headless(tmp_path / "a.ringscope", "default", [], goal=Goal(virtual_ns=900_000_000))
    heard: list[tuple[int, int]] = []

    def progress(made: int, wanted: int) -> bool:
        heard.append((made, wanted))
        return len(heard) < 2

    with SessionReader(path) as reader:
        run = Rerun(reader, reader.last_seq, progress=progress)
        with pytest.raises(CancelledError):
            run.build()
        run.close()
        assert heard[0][1] == reader.last_seq + 1
        assert heard[0][0] < heard[1][0] <= heard[1][1]


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        ("time", '"realtime"', "its time went with the wall clock"),
        ("source", '"pcapng"', "it was not emulated here: its source is pcapng"),
        ("scenario_data", '{"name": "x", "netdev": ["dgram,id=n"]}', "frames came from outside through its backend dgram"),
        ("scenario_data", '{"name": "x", "netdev": ["pcap,id=n,file=/nowhere/x.pcap"]}', "the capture that it replayed is gone: /nowhere/x.pcap"),
        ("scenario_data", '{"name": "x", "bogus": 1}', "its scenario cannot be read any more"),
        ("scenario_data", "null", "it does not hold its scenario"),
        ("profile", '"9.9"', "unknown here"),
    ],
)
def test_what_cannot_be_run_again_says_why(tmp_path: Path, key: str, value: str, reason: str) -> None:
    path = headless(tmp_path / "a.ringscope", "realize", [])
    _change(path, "UPDATE meta SET value = ? WHERE key = ?", value, key)
    with SessionReader(path) as reader:
        assert reason in can_branch(reader)
        with pytest.raises(ReplayError, match="cannot be run again"):
            Rerun(reader, 0)


def test_a_recording_that_lost_a_part_at_level_full(tmp_path: Path) -> None:
    path = headless(tmp_path / "a.ringscope", "bulk-tx", [], "full", Goal(virtual_ns=400_000_000))
    with SessionReader(path) as reader:
        blocks = [entry.first_seq for entry in reader._index.entries]
        last = reader.last_seq
    assert len(blocks) > 2
    _change(path, "DELETE FROM block WHERE first_seq = ?", blocks[1])
    _change(path, "INSERT INTO gap VALUES (1, ?, ?, ?, 0, 'bound')", blocks[1], blocks[2] - 1, blocks[2] - blocks[1])
    with SessionReader(path) as reader:
        run = again(reader, last)
        assert run.compared == reader.event_count < int(run.log.seq)


@pytest.mark.parametrize(("reason", "possible"), [("bound", False), ("full disk", False), ("slow disk", True)])
def test_a_recording_that_lost_a_part_below_it(tmp_path: Path, reason: str, possible: bool) -> None:
    path = headless(tmp_path / "a.ringscope", "ping", [], "packets")
    _change(path, "INSERT INTO gap VALUES (1, 2000, 2100, 101, 0, ?)", reason)
    with SessionReader(path) as reader:
        assert (can_branch(reader) == "") is possible
        if not possible:
            assert "a part of it is gone" in can_branch(reader)


def test_commands_between_turns_without_time_have_no_place(tmp_path: Path) -> None:
    path = headless(tmp_path / "a.ringscope", "ping", ["time.guest_turn_ns=0"])
    with SessionReader(path) as reader:
        assert can_branch(reader) == ""
    _change(path, "INSERT INTO control VALUES (1, 2000, 100, 'set_link', '{}')")
    with SessionReader(path) as reader:
        assert "cost no virtual time" in can_branch(reader)


def test_other_numbers_of_another_version(tmp_path: Path) -> None:
    path = headless(tmp_path / "a.ringscope", "realize", [])
    _change(path, "UPDATE function SET name = 'another' WHERE id = 3")
    with SessionReader(path) as reader:
        assert "another version" in can_branch(reader)
