"""Playing both ways: speeds, ranges, loops, the live end; and the keys that do it."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from ringscope.commands import SPEED_MAX, SPEED_REAL
from ringscope.focus import Focus
from ringscope.sources.playback import FACTORS, Playback, factor_speed
from ringscope.store import Store
from ringscope.window import Window
from ringscope_core.session.reader import SessionReader
from tests.app.synthetic import Recording, build_machine, icmp_frame, send


@pytest.fixture
def player(store: Store, focus: Focus) -> Playback:
    focus.scrub(1000)
    return Playback(store, focus)


def test_forward_and_back_are_each_others_reverse(player: Playback, focus: Focus) -> None:
    player.set_speed(500)
    player.play()
    for _ in range(10):
        player.tick(16)
    assert focus.seq == 1080
    player.play(-1)
    for _ in range(10):
        player.tick(16)
    assert focus.seq == 1000


@pytest.mark.parametrize("factor", FACTORS)
@pytest.mark.parametrize("direction", [1, -1])
def test_multiples_of_virtual_time(player: Playback, focus: Focus, store: Store, factor: float, direction: int) -> None:
    start = store.reader.vt_at_seq(1000)
    player.set_speed(factor_speed(factor))
    player.play(direction)
    player.tick(0.2)
    vt = min(max(start + direction * 200_000 * factor, 0), store.reader.last_vt)
    assert store.reader.vt_at_seq(focus.seq) <= vt + 1
    assert focus.seq == store.last_seq or store.reader.vt_at_seq(focus.seq + 1) >= vt - 1


def test_it_stops_at_either_end(player: Playback, focus: Focus, store: Store) -> None:
    player.set_speed(SPEED_MAX)
    player.play(-1)
    for _ in range(40):
        player.tick(500)
    assert focus.seq == store.first_seq and not player.playing
    player.play(-1)
    assert focus.seq == store.last_seq and player.playing


def test_a_range_is_played_over_and_over(player: Playback, focus: Focus) -> None:
    focus.set_range(1100, 1000)
    assert focus.range == (1000, 1100)
    player.set_looping(True)
    player.set_speed(1000)
    player.play()
    seen = []
    for _ in range(30):
        player.tick(16)
        seen.append(focus.seq)
    assert player.playing and min(seen) >= 1000 and max(seen) <= 1100 and seen != sorted(seen)
    player.play(-1)
    player.set_looping(False)
    for _ in range(30):
        player.tick(16)
    assert focus.seq == 1000 and not player.playing


def test_outside_of_the_range_it_begins_at_the_range(player: Playback, focus: Focus) -> None:
    focus.set_range(200, 300)
    player.play()
    assert focus.seq == 200
    focus.scrub(1000)
    player.play(-1)
    assert focus.seq == 300


def test_over_the_recorded_part_of_a_live_run(tmp_path: Path, focus: Focus, qapp: object) -> None:
    rec = Recording(tmp_path / "g.ringscope")
    build_machine(rec)
    for turn in range(10):
        send(rec, 1, turn, icmp_frame(turn))
    rec.keyframe()
    rec.writer.sync()
    store = Store(SessionReader(tmp_path / "g.ringscope"), live=True)
    player = Playback(store, focus)
    focus.set_following(True)
    focus.advance(store.last_seq)
    player.play()
    assert not player.playing and focus.following, "a live run goes on by itself"
    player.set_speed(1000)
    player.play(-1)
    player.tick(16)
    assert not focus.following and focus.seq == store.last_seq - 16
    player.play()
    for _ in range(4):
        player.tick(16)
    assert focus.following and not player.playing, "at the end it follows again"
    rec.close()
    store.reader.close()


# -- keys -----------------------------------------------------------------------------------------------------------------
def press(window: Window, qtbot: QtBot, key: Qt.Key, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    window.activateWindow()
    qtbot.keyClick(window, key, modifier)


def test_keys_play(window: Window, focus: Focus, qtbot: QtBot) -> None:
    focus.scrub(1000)
    player = window.playback
    for place, factor in enumerate(FACTORS, 1):
        press(window, qtbot, Qt.Key(int(Qt.Key.Key_0) + place))
        assert player.speed == -factor
    assert -1.0 in (player.speed, SPEED_REAL)
    press(window, qtbot, Qt.Key.Key_P)
    assert player.playing and player.direction == 1 and window.commands_by_name["play"].isChecked()
    press(window, qtbot, Qt.Key.Key_P, Qt.KeyboardModifier.ShiftModifier)
    assert player.playing and player.direction == -1
    press(window, qtbot, Qt.Key.Key_P, Qt.KeyboardModifier.ShiftModifier)
    assert not player.playing
    press(window, qtbot, Qt.Key.Key_L)
    assert player.looping


def test_keys_choose_a_range(window: Window, focus: Focus, store: Store, qtbot: QtBot) -> None:
    focus.scrub(1000)
    press(window, qtbot, Qt.Key.Key_I)
    assert focus.range == (1000, store.last_seq)
    focus.scrub(1500)
    press(window, qtbot, Qt.Key.Key_BracketRight)
    assert focus.range == (1000, 1500)
    assert "range\t1000 to 1500" in window.hosts["timeline"].build().table_text()
    press(window, qtbot, Qt.Key.Key_L, Qt.KeyboardModifier.ShiftModifier)
    assert focus.range is None


def test_it_stops_at_breakpoints_both_ways(window: Window, focus: Focus, store: Store, qtbot: QtBot) -> None:
    from ringscope.sources.session import SessionControls
    from ringscope_core.trace import kinds as k

    window.commands.bind(SessionControls(store, focus, window.playback))
    window.commands.add_point({"what": "event", "where": "kick"})
    kicks = store.find((int(k.EV_KICK),), 0, store.last_seq, 1000)["seq"].tolist()
    player = window.playback
    player.set_speed(1000)
    for direction, wanted in ((1, kicks[3]), (-1, kicks[1])):
        focus.scrub(kicks[2] + direction)
        player.play(direction)
        player.tick(1)
        qtbot.waitUntil(lambda: player._stop >= 0 or not player.playing)
        for _ in range(200):
            player.tick(5)
        assert focus.seq == wanted and not player.playing
        stop = window.commands.stop
        assert stop is not None and stop.seq == wanted and stop.point


def test_a_stop_that_is_found_late_takes_it_back(player: Playback, focus: Focus) -> None:
    heard: list[int] = []
    player.stopped.connect(heard.append)
    player.set_speed(1000)
    player.play()
    player.tick(100)
    assert focus.seq == 1100
    player.stop_at(1050)
    assert focus.seq == 1050 and heard == [1050] and not player.playing
