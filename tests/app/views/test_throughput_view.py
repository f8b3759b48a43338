"""The Throughput view: values, markers, legend."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from ringscope.commands import Commands
from ringscope.focus import Focus
from ringscope.store import Store
from ringscope.theme import DARK
from ringscope.views.throughput import VIEW
from ringscope.views.throughput.view import TURNS, ThroughputView
from ringscope_core.session.reader import SessionReader
from ringscope_core.trace.oids import ring_oid
from tests.app.synthetic import BDF, make_session


@pytest.fixture
def store(tmp_path: Path, qtbot: QtBot) -> Iterator[Store]:
    """The store of a small recording."""
    reader = SessionReader(make_session(tmp_path / "s.ringscope", turns=60))
    yield Store(reader)
    reader.close()


@pytest.fixture
def view(store: Store, qtbot: QtBot) -> ThroughputView:
    """The view with everything computed."""
    made = VIEW.make(store, Focus(), Commands())
    assert isinstance(made, ThroughputView)
    qtbot.addWidget(made)
    made.prepare_figure()
    made.set_theme(DARK)
    made.resize(1200, 800)
    made.refresh_now()
    return made


def test_values_of_the_newest_sample(view: ThroughputView) -> None:
    """One row a queue, totals exact, rates with units."""
    rows = {row[0]: row for row in view.model.rows}
    assert list(rows) == ["receiveq0", "transmitq0", "controlq"]
    assert rows["transmitq0"][1].endswith("kpps")
    assert rows["transmitq0"][-2:] == ("60", "0")
    assert rows["controlq"][1] == "0 pps"
    assert "newest sample" in view.when.text()


def test_markers_give_exact_means(view: ThroughputView) -> None:
    """Between two markers at the ends stand the totals and the time between."""
    times = view.samples.time_s(False)
    view.board.set_marker("A", float(times[0]))
    view.board.set_marker("B", float(times[-1]))
    rows = {row[0]: row for row in view.model.rows}
    assert rows["transmitq0 A to B"][-2] == "60"
    assert f"B - A {times[-1] - times[0]:+.6f} s" in view.when.text()
    view.board.set_marker("B", None)
    assert len(view.model.rows) == 3


def test_crosshair_reads_the_past(view: ThroughputView) -> None:
    """Under the pointer the values are those of the sample there."""
    times = view.samples.time_s(False)
    view._pointed(float(times[2]) + 1e-9)
    rows = {row[0]: row for row in view.model.rows}
    assert int(rows["transmitq0"][-2]) == int(view.samples.column(int(ring_oid(BDF, 1)), "packets")[2])
    assert "crosshair" in view.when.text()
    view._pointed(None)
    assert "newest sample" in view.when.text()


def test_a_click_moves_the_focus(view: ThroughputView, store: Store) -> None:
    """A click goes to the event at that time and stops following."""
    times = view.samples.time_s(False)
    view._clicked(float(times[3]))
    assert view.focus.seq == store.reader.seq_at_vt(round(float(times[3]) * 1e9))
    assert not view.focus.following


def test_legend_hides_a_queue(view: ThroughputView) -> None:
    """A queue that is switched off has no curve; its values stay in the table."""
    tx = int(ring_oid(BDF, 1))
    assert view.board._curves[("packets", tx, 0)].isVisible()
    view._boxes[tx].setChecked(False)
    assert not view.board._curves[("packets", tx, 0)].isVisible()
    assert len(view.model.rows) == 3


def test_moving_the_plot_stops_following(view: ThroughputView) -> None:
    """A person's zoom is not undone by the next sample."""
    view.board.ranged.emit()
    assert not view.follow.isChecked()
    view.board.set_x_range(0.0, 0.001)
    view.refresh_now()
    assert view.board.x_range() == pytest.approx((0.0, 0.001))


def test_a_live_end_is_drawn_a_plot_at_a_time(store: Store, qtbot: QtBot) -> None:
    """A round of refreshes draws every plot once, over one span of time, and asks for no more when nothing came."""
    store.live = True
    made = VIEW.make(store, Focus(), Commands())
    assert isinstance(made, ThroughputView)
    qtbot.addWidget(made)
    made.refresh()
    made.board.set_x_range(0.0, 5e-4)
    turns = 0
    while made.unfinished or not turns:
        made.refresh()
        turns += 1
        assert turns < 100
    assert turns >= len(TURNS)
    assert {tuple(plot.viewRange()[0]) for plot in made.board._plots.values()} == {made.board.x_range()}


def test_a_plot_that_a_person_moves_takes_the_others_along(view: ThroughputView) -> None:
    """All plots show the same span, and the end is no longer followed."""
    plot = view.board._plots["bits"]
    low, high = view.board.x_range()
    plot.setXRange(low, (low + high) / 2, padding=0)
    plot.vb.sigRangeChangedManually.emit([True, False])
    assert not view.follow.isChecked()
    assert {tuple(other.viewRange()[0]) for other in view.board._plots.values()} == {view.board.x_range()}
    assert view.board.x_range() == (low, (low + high) / 2)
