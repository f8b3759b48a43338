"""The events table: any number of rows, filtered, followed, linked."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from pytestqt.qtbot import QtBot

from ringscope.commands import Commands
from ringscope.focus import Focus
from ringscope.store import Store
from ringscope.theme import LIGHT
from ringscope.views.events.model import Stretches
from ringscope.views.events.view import EventsView
from ringscope.widgets.row_list import Column, Line, RowList


@pytest.fixture
def view(store: Store, focus: Focus, commands: Commands, qtbot: QtBot) -> EventsView:
    made = EventsView(store, focus, commands)
    qtbot.addWidget(made)
    made.set_theme(LIGHT)
    made.resize(1000, 600)
    made.show()
    made.refresh()
    return made


def settle(view: EventsView) -> None:
    view.refresh()
    while view.unfinished:
        view.refresh()


def test_every_event_is_a_row(view: EventsView, store: Store) -> None:
    assert view.rows.count() == store.reader.event_count
    line = view.rows.lines(100, 1)[0]
    row = store.row(100)
    assert line.texts[0] == "100" and line.texts[3] == store.reader.kinds[int(row["kind"])].name
    assert line.texts[-1] == store.describe_event(row)


def test_a_filter_keeps_its_order_and_finds_the_focus(view: EventsView, focus: Focus, store: Store) -> None:
    focus.set_filter("kind == kick and obj == tx0")
    focus.select(seq=store.last_seq)
    settle(view)
    seqs = [view.rows.seq_of(row) for row in range(view.rows.count())]
    assert len(seqs) == 120 and seqs == sorted(seqs)
    focus.select(seq=seqs[7] + 3)
    view.refresh()
    assert view.list.current == 7
    focus.set_filter("")
    settle(view)
    assert view.rows.count() == store.reader.event_count and view.list.current == seqs[7] + 3


def test_a_click_moves_the_focus_and_a_double_click_goes_to_the_cause(view: EventsView, focus: Focus, store: Store, qtbot: QtBot) -> None:
    rows = store.events(0, store.last_seq)
    caused = int(rows[rows["cause"] >= 0][0]["seq"])
    view.list.verticalScrollBar().setValue(caused)
    at = QPoint(200, 5)
    qtbot.mouseClick(view.list.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, at)
    assert focus.seq == caused and focus.subject == "event"
    qtbot.mouseDClick(view.list.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, at)
    assert focus.seq == int(store.row(caused)["cause"])


def test_keys_move_the_selection(view: EventsView, focus: Focus, store: Store, qtbot: QtBot) -> None:
    focus.select(seq=50)
    view.refresh()
    qtbot.keyClick(view.list, Qt.Key.Key_Down)
    assert focus.seq == 51
    qtbot.keyClick(view.list, Qt.Key.Key_PageDown)
    assert focus.seq == 51 + view.list.page()
    qtbot.keyClick(view.list, Qt.Key.Key_End)
    assert focus.seq == store.last_seq
    assert str(store.last_seq) in view.list.accessibleDescription()


def test_buttons_filter_by_the_selected_event(view: EventsView, focus: Focus, store: Store) -> None:
    rows = store.events(0, store.last_seq)
    kicks = rows[rows["obj"] > 0x10000]
    focus.select(seq=int(kicks[0]["seq"]))
    view._only_object()
    assert focus.filter == f"obj == {int(kicks[0]['obj'])}"
    view._only_kind()
    assert focus.filter == "kind == ring_reset"


class Many:
    """A billion rows, made up as they are asked for."""

    def __init__(self) -> None:
        self.asked = 0

    def count(self) -> int:
        return 1_000_000_000

    def lines(self, first: int, count: int) -> list[Line]:
        self.asked += count
        return [Line((str(row), "text")) for row in range(first, first + count)]


def test_a_billion_rows_cost_what_is_visible(qtbot: QtBot, tmp_path: Path) -> None:
    source = Many()
    table = RowList(source, (Column("n", 100, True), Column("text", 100)))
    qtbot.addWidget(table)
    table.resize(400, 300)
    table.show()
    table.refresh()
    table.show_row(999_999_999)
    table.grab()
    assert table.row_at(table.viewport().height() - 30) > 999_999_900
    assert source.asked < 2000


@pytest.mark.parametrize(
    ("first", "holes", "last"),
    [(0, [], 9), (5, [], 5), (0, [(9, 20)], 30), (0, [(9, 20), (25, 27)], 40), (3, [(3, 10), (10, 1_000_000)], 1_000_002), (0, [], -1)],
)
def test_a_hole_is_one_row(first: int, holes: list[tuple[int, int]], last: int) -> None:
    rows = Stretches(first, holes, last)
    missing = sum(after - before - 1 for before, after in holes)
    assert rows.count == (last - first + 1 - missing + len(holes) if last >= 0 else 0)
    for row in range(rows.count):
        assert rows.row_of(rows.seq_of(row)) == row
    assert sorted(rows.seq_of(row) for row in range(rows.count)) == [rows.seq_of(row) for row in range(rows.count)]
    for before, after in holes:
        assert rows.row_of(before) + 1 == rows.row_of(before + 1) == rows.row_of(after - 1) == rows.row_of(after) - 1
