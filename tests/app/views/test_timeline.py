"""The time panel: right counts, a cursor that follows the mouse, keys that step."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from pytestqt.qtbot import QtBot

from ringscope.commands import Commands
from ringscope.focus import Focus
from ringscope.store import Store
from ringscope.theme import LIGHT
from ringscope.views.timeline.model import CHUNK, Density
from ringscope.views.timeline.paint import ruler_ticks, tick_text, track_picture
from ringscope.views.timeline.view import GUTTER, TimelineView


@pytest.fixture
def view(store: Store, focus: Focus, commands: Commands, qtbot: QtBot) -> TimelineView:
    made = TimelineView(store, focus, commands)
    qtbot.addWidget(made)
    made.set_theme(LIGHT)
    made.resize(1200, 190)
    made.show()
    made.refresh()
    return made


def totals(store: Store, density: Density) -> list[int]:
    counts = dict.fromkeys(density.groups, 0)
    for kind, count in store.reader.event_counts().items():
        counts[store.reader.kinds[kind].group] += count
    return [counts[group] for group in density.groups]


def test_density_counts_every_event_once(store: Store) -> None:
    density = Density(store)
    while density.next_seq <= store.last_seq:
        density.advance(0.0001)
    assert density.counts.sum(axis=0).tolist() == totals(store, density)
    assert density.chunks == store.last_seq // CHUNK + 1
    assert (np.diff(density.vt) >= 0).all()


@pytest.mark.parametrize("by_time", [False, True])
def test_bins_hold_all_events_of_the_stretch(store: Store, by_time: bool) -> None:
    density = Density(store)
    density.advance(1000)
    high = float(store.reader.last_vt + 1) if by_time else float(store.last_seq + 1)
    assert density.bins(0, high, 333, by_time).sum(axis=0).tolist() == totals(store, density)
    half = density.bins(0, high / 2, 50, by_time).sum() + density.bins(high / 2, high, 50, by_time).sum()
    assert half == store.reader.event_count
    assert density.bins(5, 5, 10, by_time).sum() == 0


def test_chunks_and_events_give_the_same_picture(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    density = Density(store)
    density.advance(1000)
    exact = density.bins(0, store.last_seq + 1, 4, False)
    monkeypatch.setattr("ringscope.views.timeline.model.DIRECT", 0)
    coarse = density.bins(0, store.last_seq + 1, 4, False)
    assert coarse.sum() == exact.sum()
    assert np.abs(coarse - exact).sum() <= 4 * CHUNK * 2


def test_any_event_can_be_seen() -> None:
    bins = np.zeros((100, 2), np.int64)
    bins[10, 0], bins[20, 1] = 1, 1_000_000
    image = track_picture(bins, ["ring", "call"], LIGHT, 12)
    assert (image.width(), image.height()) == (100, 24)
    assert image.pixelColor(10, 11) == LIGHT.group("ring") and image.pixelColor(11, 11).alpha() == 0
    assert image.pixelColor(20, 14) == LIGHT.group("call")


@pytest.mark.parametrize(("low", "high"), [(0, 1), (0, 1e9), (123456, 9e9), (5, 5)])
def test_ticks_are_round_and_apart(low: float, high: float) -> None:
    ticks = ruler_ticks(low, high, 1000)
    assert all(low <= tick <= high for tick in ticks) and len(ticks) <= 12
    assert (tick_text(1.5e9, 5e8, True), tick_text(2e6, 1e6, True), tick_text(1234, 100, False)) == ("1.5 s", "2 ms", "1\u2009234")


def test_dragging_scrubs(view: TimelineView, focus: Focus, store: Store, qtbot: QtBot) -> None:
    tracks = view.tracks
    left = QPoint(GUTTER + 2, 60)
    qtbot.mousePress(tracks, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, left)
    early = focus.seq
    qtbot.mouseMove(tracks, QPoint(tracks.width() - 1, 60))
    qtbot.mouseRelease(tracks, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, QPoint(tracks.width() - 1, 60))
    qtbot.mouseClick(tracks, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, QPoint(tracks.width() - 1, 60))
    assert early < 100 and focus.seq > store.last_seq - 100 and not focus.following


@pytest.mark.parametrize("by_time", [False, True])
def test_the_axis_and_its_inverse_agree(view: TimelineView, store: Store, by_time: bool) -> None:
    view._set_axis(not by_time)
    for seq in (60, 500, 2000):
        found = view.tracks.seq_at(view.tracks.x_of(view.tracks.value_of_seq(seq)))
        # events of one virtual time share a place
        assert abs(found - seq) <= 12


def test_keys_step_and_go_to_the_ends(view: TimelineView, focus: Focus, store: Store, qtbot: QtBot) -> None:
    focus.scrub(100)
    qtbot.keyClick(view.tracks, Qt.Key.Key_Right)
    assert focus.seq == 101
    qtbot.keyClick(view.tracks, Qt.Key.Key_Left)
    qtbot.keyClick(view.tracks, Qt.Key.Key_Left)
    assert focus.seq == 99
    qtbot.keyClick(view.tracks, Qt.Key.Key_Home)
    assert focus.seq == store.first_seq
    qtbot.keyClick(view.tracks, Qt.Key.Key_End)
    assert focus.seq == store.last_seq and focus.following


def test_zoom_keeps_the_place_under_the_pointer(view: TimelineView) -> None:
    tracks = view.tracks
    around = tracks.value_at(700)
    tracks.zoom(0.5, around)
    assert tracks.zoomed is not None and tracks.x_of(around) == pytest.approx(700, abs=1)
    tracks.pan(10)
    assert tracks.shown()[1] == pytest.approx(tracks.whole()[1])
    for _ in range(20):
        tracks.zoom(2, around)
    assert tracks.zoomed is None


def test_marks_and_totals_are_said_as_text(view: TimelineView) -> None:
    text = view.table_text()
    assert "half way" in text and "ring\t" in text
