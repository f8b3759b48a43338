"""A recording plays back by moving the focus, and can be kept under another name."""

from __future__ import annotations

from pathlib import Path

import pytest

from ringscope.commands import SPEED_MAX, SPEED_REAL, Commands
from ringscope.focus import Focus
from ringscope.sources.keep import copy_session
from ringscope.sources.session import GROWING_MS, SessionControls
from ringscope.store import Store
from ringscope_core.session.reader import SessionReader
from tests.app.synthetic import Recording, build_machine, icmp_frame, send


@pytest.fixture
def player(store: Store, focus: Focus) -> SessionControls:
    focus.scrub(0)
    return SessionControls(store, focus)


def test_it_can_play_but_not_step_the_machine(player: SessionControls) -> None:
    commands = Commands(player)
    assert commands.can_pause and commands.can_speed and not commands.can_step and not commands.can_restart and not commands.running


def test_events_a_second(player: SessionControls, focus: Focus) -> None:
    player.set_speed(100)
    player.run()
    for _ in range(10):
        player.tick(16)
    assert focus.seq == 16
    player.pause()
    player.tick(1000)
    assert focus.seq == 16


def test_real_time_goes_by_the_virtual_clock(player: SessionControls, focus: Focus, store: Store) -> None:
    player.set_speed(SPEED_REAL)
    player.run()
    player.tick(5)
    assert store.reader.vt_at_seq(focus.seq) <= 5_000_000 < store.reader.vt_at_seq(focus.seq + 1)


def test_a_person_may_move_the_focus_meanwhile(player: SessionControls, focus: Focus) -> None:
    player.set_speed(1000)
    player.run()
    player.tick(10)
    focus.scrub(500)
    player.tick(10)
    assert focus.seq == 510


def test_it_stops_at_the_end_and_runs_again_from_the_start(player: SessionControls, focus: Focus, store: Store) -> None:
    player.set_speed(SPEED_MAX)
    player.run()
    for _ in range(30):
        player.tick(500)
    assert focus.seq == store.last_seq and player.state == "paused"
    player.run()
    assert focus.seq == store.first_seq and player.state == "running"


def test_a_file_that_grows_is_live_until_it_stops(tmp_path: Path, focus: Focus, qapp: object) -> None:
    rec = Recording(tmp_path / "g.ringscope")
    build_machine(rec)
    rec.keyframe()
    rec.writer.sync()
    store = Store(SessionReader(tmp_path / "g.ringscope"))
    player = SessionControls(store, focus)
    player.tick(16)
    assert not store.live
    send(rec, 1, 0, icmp_frame(0))
    rec.keyframe()
    rec.writer.sync()
    store.poll()
    player.tick(16)
    assert store.live
    player.tick(GROWING_MS + 1)
    assert not store.live
    rec.close()
    store.reader.close()


def test_a_copy_of_a_growing_recording_is_whole(tmp_path: Path) -> None:
    rec = Recording(tmp_path / "g.ringscope")
    build_machine(rec)
    rec.keyframe()
    rec.writer.sync()
    kept = tmp_path / "kept.ringscope"
    assert copy_session(tmp_path / "g.ringscope", kept) == ""
    with SessionReader(kept) as copy, SessionReader(tmp_path / "g.ringscope") as original:
        assert copy.last_seq == original.last_seq
    rec.close()
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("kept")] == ["kept.ringscope"]


def test_a_copy_that_cannot_be_written_says_so_and_leaves_nothing(session_file: Path, tmp_path: Path) -> None:
    assert "was not written" in copy_session(session_file, tmp_path / "no" / "such.ringscope")
    assert "is the recording itself" in copy_session(session_file, session_file)
    assert list(tmp_path.iterdir()) == []
