"""The list of breakpoints, the form, and the entries of context menus."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from ringscope.commands import Commands, Stop
from ringscope.focus import Focus
from ringscope.sources.session import SessionControls
from ringscope.store import Store
from ringscope.theme import LIGHT
from ringscope.views.breakpoints.model import conditions_text, place_text
from ringscope.views.breakpoints.view import BreakpointsView
from ringscope.views.events.view import EventsView
from ringscope.views.realize.view import RealizeView
from ringscope.views.timeline.view import TimelineView
from ringscope.widgets.point_dialogs import PointDialog, UntilDialog
from ringscope.widgets.point_form import PointForm, offers
from ringscope.widgets.point_menu import event_offers, field_offers, function_offers
from ringscope_core.session.reader import SessionReader
from ringscope_core.trace.kinds import EV_FIELD, EV_KICK


@pytest.fixture
def commands(store: Store, focus: Focus) -> Commands:
    """Commands of a recording: breakpoints work."""
    return Commands(SessionControls(store, focus))


@pytest.fixture
def view(store: Store, focus: Focus, commands: Commands, qtbot: QtBot) -> Iterator[BreakpointsView]:
    made = BreakpointsView(store, focus, commands)
    made.set_theme(LIGHT)
    qtbot.addWidget(made)
    made.resize(380, 500)
    made.show()
    made.refresh()
    yield made
    made.leave()


def point(what: str, where: str, **more: object) -> dict[str, object]:
    return {"what": what, "where": where, **more}


def test_an_empty_list_says_how_to_begin(view: BreakpointsView) -> None:
    assert view.empty.isVisible() and "Ctrl+B" in view.empty.text() and not view.table.isVisible()


def test_rows_say_what_is_to_be_known(view: BreakpointsView, commands: Commands) -> None:
    commands.add_point(point("function", "virtio_init"))
    commands.add_point(point("event", "kick", condition="obj == tx0", ignore=3, every=2))
    commands.add_point(point("field", "VirtIODevice.status", log="status is {value}"))
    commands.add_point(point("time", "2ms", temporary=True))
    model = view.points
    assert [place_text(p) for p in model.points] == ["virtio_init", "event kick", "change of VirtIODevice.status", "time 2ms"]
    assert conditions_text(model.points[1]) == "if obj == tx0, ignore 3, each 2th"
    assert "status is {value}" in conditions_text(model.points[2]) and conditions_text(model.points[3]) == "once"
    assert view.title.text() == "4 breakpoints" and view.table.isVisible() and not view.empty.isVisible()
    assert "event kick\tif obj == tx0" in view.table_text()


def test_keys_toggle_delete_and_the_check_box_too(view: BreakpointsView, commands: Commands, qtbot: QtBot) -> None:
    commands.add_point(point("function", "virtio_init"))
    commands.add_point(point("function", "virtio_reset"))
    view.choose(2)
    QTest.keyClick(view.table, Qt.Key.Key_Space)
    assert [p["enabled"] for p in commands.points] == [True, False] and "1 disabled" in view.title.text()
    view.points.setData(view.points.index(0, 0), Qt.CheckState.Unchecked, int(Qt.ItemDataRole.CheckStateRole))
    assert [p["enabled"] for p in commands.points] == [False, False]
    view.enable_all(True)
    assert all(p["enabled"] for p in commands.points)
    QTest.keyClick(view.table, Qt.Key.Key_Delete)
    assert [p["where"] for p in commands.points] == ["virtio_init"]


def test_the_one_that_was_hit_is_picked_out_while_one_stays_there(view: BreakpointsView, commands: Commands, focus: Focus) -> None:
    commands.add_point(point("event", "kick"))
    focus.select(seq=50)
    commands.found(Stop("breakpoint 1", 50, 0, 1))
    view.refresh()
    cell = view.points.index(0, 0)
    assert view.points.data(cell, int(Qt.ItemDataRole.BackgroundRole)) == QColor(LIGHT.hex("flash"))
    focus.select(seq=51)
    view.refresh()
    assert view.points.data(cell, int(Qt.ItemDataRole.BackgroundRole)) is None


@pytest.mark.parametrize(
    ("words", "part", "says"),
    [
        (point("function", "no_such_function"), "where", "function"),
        (point("function", ""), "where", "function"),
        (point("checkpoint", "virtio_init"), "where", "FUNCTION:LINE"),
        (point("event", "kicks"), "where", "event"),
        (point("field", "VirtIODevice.nonsense"), "where", "field"),
        (point("time", "soon"), "where", "virtual time"),
        (point("event", "kick", condition="obj =="), "condition", "condition"),
        (point("event", "kick", log="{nonsense}"), "log", ""),
    ],
)
def test_a_wrong_part_turns_red_and_says_why(store: Store, qtbot: QtBot, words: dict[str, object], part: str, says: str) -> None:
    form = PointForm(store)
    qtbot.addWidget(form)
    form.fill(words)
    assert not form.check()
    lines = {"where": form.where, "condition": form.condition, "log": form.log}
    assert lines[part].property("validity") == "invalid"
    assert says in form.problem.text() and form.problem.text()


def test_a_right_form_gives_the_breakpoint_back(store: Store, qtbot: QtBot) -> None:
    form = PointForm(store)
    qtbot.addWidget(form)
    words = point("event", "kick", condition="obj == tx0", ignore=2, every=3, log="", temporary=True, enabled=False)
    form.fill(words)
    assert form.check() and form.problem.text() == ""
    assert form.plain() == words
    assert "kick" in offers(store, "event") and "virtio_net_device_realize:2705" in offers(store, "checkpoint")
    assert "VirtIODevice.status" in offers(store, "field")


def test_the_dialogs_stay_open_while_something_is_wrong(store: Store, qtbot: QtBot) -> None:
    taken: list[dict[str, object]] = []
    dialog = PointDialog(store, point("function", "wrong"), taken.append)
    qtbot.addWidget(dialog)
    dialog.open()
    dialog.accept()
    assert dialog.isVisible() and not taken
    dialog.form.where.setText("virtio_init")
    dialog.accept()
    assert not dialog.isVisible() and taken[0]["where"] == "virtio_init"


def test_run_until_takes_numbers_and_places(store: Store, qtbot: QtBot) -> None:
    events: list[int] = []
    points: list[dict[str, object]] = []
    for what, text in ((6, "77"), (5, "3"), (0, "virtio_init")):
        dialog = UntilDialog(store, events.append, points.append)
        qtbot.addWidget(dialog)
        dialog.form.what.setCurrentIndex(what)
        dialog.form.where.setText(text)
        dialog.accept()
    assert events[0] == 77 and len(events) == 2 and store.row(events[1])["a0"] == 3
    assert points == [{"what": "function", "where": "virtio_init", "condition": ""}]
    for what, text in ((6, "99999999"), (6, "x"), (5, "99999")):
        dialog = UntilDialog(store, events.append, points.append)
        qtbot.addWidget(dialog)
        dialog.open()
        dialog.form.what.setCurrentIndex(what)
        dialog.form.where.setText(text)
        dialog.accept()
        assert dialog.isVisible() and dialog.form.where.property("validity") == "invalid"
    assert len(events) == 2


def test_what_context_menus_offer(store: Store) -> None:
    kick = store.find([int(EV_KICK)], 0, store.last_seq)[0]
    texts = {offer.text: offer.point for offer in event_offers(store, kick, "queue == 1")}
    name = store.name_of(int(kick["obj"]))
    assert texts["Break at every kick"] == point("event", "kick")
    assert texts[f"Break at kick of {name}"]["condition"] == f"obj == {name}"
    assert texts["Break at kick with this filter"]["condition"] == "queue == 1"
    write = store.find([int(EV_FIELD)], 0, store.last_seq)[0]
    fields = field_offers(store, int(write["obj"]), int(write["a0"]))
    assert [offer.point["what"] for offer in fields] == ["field", "field"] and str(fields[0].point["where"]).endswith(str(fields[1].point["where"]))
    assert [offer.point["where"] for offer in function_offers("virtio_init", 2390, 2387)] == ["virtio_init:2390", "virtio_init"]
    assert [offer.point["where"] for offer in function_offers("virtio_init", 2387, 2387)] == ["virtio_init"]


def entries(menu: Any) -> list[str]:
    return [action.text() for action in menu.actions() if action.text()]


def test_menus_set_and_delete(store: Store, focus: Focus, commands: Commands, qtbot: QtBot) -> None:
    events, realize = EventsView(store, focus, commands), RealizeView(store, focus, commands)
    for made in (events, realize):
        qtbot.addWidget(made)
        made.set_theme(LIGHT)
        made.refresh()
    row = int(store.find([int(EV_KICK)], 0, store.last_seq)[0]["seq"])
    menu = events.make_menu(row)
    assert menu is not None and "Break at every kick" in entries(menu)
    next(action for action in menu.actions() if action.text() == "Break at every kick").trigger()
    assert commands.points[0]["where"] == "kick"
    menu = events.make_menu(row)
    assert menu is not None
    next(action for action in menu.actions() if action.text().startswith("Delete breakpoint 1")).trigger()
    assert not commands.points
    shown = realize.popup_menu("virtio_init", 2390, QPoint(0, 0))
    assert entries(shown)[:2] == ["Break at virtio_init:2390", "Break at virtio_init"]
    shown.close()
    wanted: list[object] = []
    commands.until_wanted.connect(wanted.append)
    next(action for action in shown.actions() if action.text().startswith("Run until")).trigger()
    assert wanted == [point("checkpoint", "virtio_init:2390")]
    realize.leave()


def test_they_are_there_when_the_recording_is_opened_again(store: Store, focus: Focus, commands: Commands) -> None:
    commands.add_point(point("event", "kick", condition="obj == tx0"))
    commands.add_point(point("function", "virtio_init", enabled=False))
    commands.remove_point(1)
    again = SessionReader(store.reader.path)
    try:
        kept = SessionControls(Store(again), Focus()).points
        assert [(p["id"], p["where"], p["enabled"]) for p in kept] == [(2, "virtio_init", False)]
    finally:
        again.close()


def test_a_moment_of_the_time_line_is_a_breakpoint(store: Store, focus: Focus, commands: Commands, qtbot: QtBot) -> None:
    made = TimelineView(store, focus, commands)
    qtbot.addWidget(made)
    made.set_theme(LIGHT)
    made.resize(1000, 200)
    made.show()
    made.refresh()
    x = made.tracks.x_of(made.tracks.value_of_seq(store.last_seq // 2))
    seq = made.tracks.seq_at(x)
    menu = made.make_menu(x)
    menu.actions()[0].trigger()
    vt = store.reader.vt_at_seq(seq)
    assert [(p["what"], p["where"]) for p in commands.points] == [("time", f"{vt}ns")]


def test_over_a_recording_messages_are_searched_for(view: BreakpointsView, commands: Commands, focus: Focus, store: Store, qtbot: QtBot) -> None:
    commands.add_point(point("event", "kick", condition="obj == tx0", log="queue {queue} kicked"))
    kicks = [int(row["seq"]) for row in store.find([int(EV_KICK)], 0, store.last_seq, 1000) if store.name_of(int(row["obj"])) == "tx0"]
    qtbot.waitUntil(lambda: bool(view.logs.rows), timeout=20_000)
    assert [int(row[0]) for row in view.logs.rows] == kicks and {row[3] for row in view.logs.rows} == {"queue 1 kicked"}
    assert view.log_table.isVisible()
    view._log_clicked(view.logs.index(2, 3))
    assert focus.seq == kicks[2]
    commands.update_point(1, enabled=False)
    assert not view.logs.rows
