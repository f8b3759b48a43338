"""Travelling in time over a run that goes on: a real engine beside a window, driven by keys."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, Qt
from pytestqt.qtbot import QtBot

from ringscope.commands import Commands
from ringscope.focus import Focus
from ringscope.settings import Settings
from ringscope.sources.engine import EngineControls, EngineOptions
from ringscope.store import Store
from ringscope.theme import LIGHT
from ringscope.views.timeline.view import TimelineView
from ringscope.window import Window
from ringscope_core.session.reader import SessionReader

PATIENCE_MS = 30_000


@pytest.fixture
def window(tmp_path: Path, qtbot: QtBot) -> Iterator[Window]:
    """A window on a run of pings at the pace of the wall clock."""
    controls = EngineControls(EngineOptions("ping", record=tmp_path / "live.ringscope"))
    controls.start()
    store = Store(SessionReader(controls.wait_started()), live=True)
    made = Window(store, Focus(), Commands(controls), LIGHT, Settings(tmp_path / "window.json"))
    made.resize(1600, 960)
    made.show()
    qtbot.waitExposed(made)
    qtbot.waitUntil(lambda: controls.state == "running" and store.reader.last_vt > 150_000_000, timeout=PATIENCE_MS)
    yield made
    made.close()
    made.deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    controls.close()
    store.reader.close()


def press(window: Window, qtbot: QtBot, key: Qt.Key, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    window.activateWindow()
    qtbot.keyClick(window, key, modifier)


def test_looking_back_while_the_run_goes_on(window: Window, qtbot: QtBot, tmp_path: Path) -> None:
    store, focus = window.store, window.focus
    panel = window.hosts["timeline"].build()
    assert isinstance(panel, TimelineView)
    # zooming does not stop following
    panel.tracks.zoom(0.5, panel.tracks.value_at(900))
    assert focus.following
    before = store.last_seq
    qtbot.waitUntil(lambda: store.last_seq > before and focus.seq == store.last_seq, timeout=PATIENCE_MS)
    assert panel.tracks.shown()[1] == pytest.approx(panel.tracks.whole()[1])
    # scrubbed back, the moment stays and the run goes on
    focus.scrub(500)
    before = store.last_seq
    qtbot.waitUntil(lambda: store.last_seq > before, timeout=PATIENCE_MS)
    assert focus.seq == 500 and not focus.following and window.commands.running
    # marks and notes of that moment go through the engine into the recording
    press(window, qtbot, Qt.Key.Key_M)
    press(window, qtbot, Qt.Key.Key_N)
    qtbot.waitUntil(lambda: bool(store.notes()) and any(mark.seq == 500 for mark in store.marks()), timeout=PATIENCE_MS)
    assert store.notes()[0].seq == 500
    # playing back and forth over what is recorded leaves the run alone
    press(window, qtbot, Qt.Key.Key_9)
    assert window.playback.speed == -1000 and window.commands.speed == -1
    press(window, qtbot, Qt.Key.Key_P)
    qtbot.waitUntil(lambda: focus.following, timeout=PATIENCE_MS)
    focus.scrub(400)
    panel.tracks.setFocus()
    qtbot.keyClick(panel.tracks, Qt.Key.Key_End)
    assert focus.following and focus.seq == store.last_seq
    # where the end is followed, the digits are the run's speed
    press(window, qtbot, Qt.Key.Key_3)
    qtbot.waitUntil(lambda: window.commands.speed == pytest.approx(-0.1), timeout=PATIENCE_MS)
    qtbot.wait(1000)
    assert window.commands.speed == pytest.approx(-0.1), "the engine says so too"
