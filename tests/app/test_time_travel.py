"""The Time menu as a person uses it: keys, context menus, dialogs, marks and the notebook."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QPoint, Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from ringscope.commands import Commands
from ringscope.focus import Focus
from ringscope.settings import Settings
from ringscope.store import Store
from ringscope.theme import LIGHT
from ringscope.value_search import ValueSearch
from ringscope.values import value_of
from ringscope.views.notebook.view import NotebookView
from ringscope.widgets.mark_dialog import MarkDialog
from ringscope.window import Window
from ringscope.window_seek import SeekDialog
from ringscope_core.query.travel import Watch, field_watch, last_write, next_change, parse_watch, why
from ringscope_core.query.watch import ring_watch
from ringscope_core.session.reader import SessionReader
from ringscope_core.trace import kinds as k
from ringscope_core.trace.state import F_LAST_AVAIL


@pytest.fixture
def window(session_file: Path, focus: Focus, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> Iterator[Window]:
    """A window on a recording of one's own, that may be annotated."""
    monkeypatch.setenv("RINGSCOPE_DATA", str(tmp_path / "data"))
    path = tmp_path / "a.ringscope"
    shutil.copy(session_file, path)
    store = Store(SessionReader(path))
    made = Window(store, focus, Commands(), LIGHT, Settings(tmp_path / "window.json"))
    made._timer.stop()
    made.resize(1600, 960)
    made.show()
    qtbot.waitExposed(made)
    focus.scrub(store.last_seq)
    made.tick()
    yield made
    made.close()
    made.deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    store.reader.close()


def press(window: Window, qtbot: QtBot, key: Qt.Key, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    window.activateWindow()
    qtbot.keyClick(window, key, modifier)
    window.tick()


def message(window: Window) -> str:
    return window.status.currentMessage()


def ring(window: Window, name: str) -> int:
    return next(oid for oid in window.store.names.known() if window.store.name_of(oid) == name)


SHIFT = Qt.KeyboardModifier.ShiftModifier


# -- values ---------------------------------------------------------------------------------------------------------------
def test_back_to_the_last_write_and_on_to_the_next_change(window: Window, focus: Focus, qtbot: QtBot) -> None:
    store = window.store
    oid, field = ring(window, "tx0"), int(F_LAST_AVAIL)
    watch = field_watch(oid, field)
    focus.select(oid=oid, field=field)
    window.hosts["timeline"].build().setFocus()
    here = store.last_seq
    for _ in range(3):
        wanted = last_write(store.recording, watch, here)
        press(window, qtbot, Qt.Key.Key_W)
        assert focus.seq == wanted and focus.oid == oid and focus.field == field
        assert "virtqueue_pop" in message(window) and "tx0.VirtQueue.last_avail_idx" in message(window)
        here = wanted - 1
    press(window, qtbot, Qt.Key.Key_W, SHIFT)
    assert focus.seq == next_change(store.recording, watch, wanted)
    focus.scrub(store.last_seq)
    press(window, qtbot, Qt.Key.Key_W, SHIFT)
    assert focus.seq == store.last_seq and "keeps its value" in message(window)


def test_the_value_that_has_the_keyboard_counts(window: Window, focus: Focus, qtbot: QtBot) -> None:
    oid = ring(window, "tx0")
    focus.select(oid=oid, subject="object")
    window.tick()
    page = window.hosts["inspector"].build().page  # type: ignore[attr-defined]
    page.refresh()
    page.fields.setFocus()
    assert page.fields.select_key(int(F_LAST_AVAIL))
    assert value_of(page.fields) == field_watch(oid, int(F_LAST_AVAIL))
    rings = window.show_view("rings")
    rings.refresh()
    table = rings.table  # type: ignore[attr-defined]
    index = table.model().index(4, 3)
    table.setCurrentIndex(index)
    assert value_of(table) == ring_watch(oid, "desc", 4, "addr")


def test_every_number_of_the_rings_view_stands_for_a_value(window: Window, focus: Focus) -> None:
    from ringscope.views.rings.view import RingsView

    oid = ring(window, "tx0")
    focus.select(oid=oid, head=2)
    view = window.show_view("rings")
    assert isinstance(view, RingsView)
    view.refresh()
    names = {}
    numbers = view.numbers
    for x in range(6, numbers.width(), numbers.width() // 3 // 2 or 1):
        for y in range(2, numbers.height(), 8):
            found = numbers.cell_at(QPoint(x, y).toPointF())
            if found is not None:
                names[found[0]] = view._number_value(QPoint(x, y))
    assert {"last_avail_idx", "avail.idx", "used_event", "num_free", "used.flags"} <= set(names)
    assert names["avail.idx"] == ring_watch(oid, "avail", -1, "idx")
    assert names["last_avail_idx"] == field_watch(oid, int(F_LAST_AVAIL))
    assert names["used_event"] == ring_watch(oid, "avail", -1, "used_event")
    assert names["num_free"] == parse_watch("tx0.vring_virtqueue.num_free", window.store.recording)
    assert view._chain_value(0, 1) == ring_watch(oid, "desc", 2, "addr")
    assert view._picture_value(None) == ring_watch(oid, "desc", 2)


def test_a_context_menu_names_the_value(window: Window, qtbot: QtBot) -> None:
    oid = ring(window, "tx0")
    menu = window.verbs.time.make_menu(field_watch(oid, int(F_LAST_AVAIL)))
    texts = [action.text() for action in menu.actions()]
    assert texts[0].startswith("tx0.VirtQueue.last_avail_idx = ")
    assert any("last" in text and "rite" in text for text in texts)
    menu.deleteLater()


def test_without_a_value_it_says_so(window: Window, focus: Focus, qtbot: QtBot) -> None:
    focus.select(oid=0, field=-1)
    window.hosts["timeline"].build().setFocus()
    press(window, qtbot, Qt.Key.Key_W)
    assert "choose a value" in message(window)


def test_a_long_search_goes_on_in_a_thread_and_can_be_given_up(window: Window, qtbot: QtBot) -> None:
    store, search = window.store, ValueSearch()
    answers: list[object] = []

    def slow(recording: object, tick: object) -> object:
        for turn in range(100_000):
            tick(turn)  # type: ignore[operator]
            if recording is not store.recording and turn == 5:
                return "found"
        return "at once"

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ringscope.value_search.PATIENCE_S", -1.0)
        assert not search.ask(store, slow, answers.append, answers.append)
        assert search.busy
        qtbot.waitUntil(lambda: bool(answers))
        assert answers == ["found"] and not search.busy
        search.ask(store, slow, answers.append, answers.append)
        assert search.cancel()
    qtbot.wait(50)
    assert answers == ["found"] and not search.cancel()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ringscope.value_search.PATIENCE_S", 60.0)
        assert search.ask(store, slow, answers.append, answers.append)
    assert answers == ["found", "at once"]
    search.close()


# -- moments --------------------------------------------------------------------------------------------------------------
def seek_dialog(window: Window, qtbot: QtBot) -> SeekDialog:
    press(window, qtbot, Qt.Key.Key_G, Qt.KeyboardModifier.ControlModifier)
    return next(widget for widget in QApplication.topLevelWidgets() if isinstance(widget, SeekDialog) and widget.isVisible())


def test_going_to_a_moment_by_words(window: Window, focus: Focus, qtbot: QtBot) -> None:
    dialog = seek_dialog(window, qtbot)
    qtbot.keyClicks(dialog.line, "#123")
    assert "event 123" in dialog.told.text()
    qtbot.keyClick(dialog.line, Qt.Key.Key_Return)
    assert focus.seq == 123
    dialog = seek_dialog(window, qtbot)
    qtbot.keyClicks(dialog.line, "mark:half way")
    qtbot.keyClick(dialog.line, Qt.Key.Key_Return)
    assert focus.seq == window.store.marks()[0].seq


def test_words_that_lead_nowhere_say_why_and_move_nothing(window: Window, focus: Focus, qtbot: QtBot) -> None:
    dialog = seek_dialog(window, qtbot)
    before = focus.seq
    for words, says in (("#99999999", "the recording holds #0"), ("nonsense", "a time"), ("packet:77777", "packets 1 to")):
        dialog.line.setText(words)
        assert says in dialog.told.text()
        qtbot.keyClick(dialog.line, Qt.Key.Key_Return)
        assert dialog.isVisible() and focus.seq == before
    dialog.reject()


def test_next_of_this_kind_on_this_object_and_packet(window: Window, focus: Focus, qtbot: QtBot) -> None:
    store = window.store
    kick = int(store.find((int(k.EV_KICK),), 0, store.last_seq, 2)[0]["seq"])
    focus.select(seq=kick)
    press(window, qtbot, Qt.Key.Key_K)
    assert focus.seq > kick and int(store.row(focus.seq)["kind"]) == k.EV_KICK
    press(window, qtbot, Qt.Key.Key_K, SHIFT)
    assert focus.seq == kick
    focus.select(oid=ring(window, "rx0"))
    press(window, qtbot, Qt.Key.Key_J)
    assert focus.seq > kick and int(store.row(focus.seq)["obj"]) == ring(window, "rx0")
    press(window, qtbot, Qt.Key.Key_Greater)
    assert focus.packet and focus.subject == "packet"
    first = focus.packet
    press(window, qtbot, Qt.Key.Key_Greater)
    assert focus.packet == first + 1


# -- why ------------------------------------------------------------------------------------------------------------------
def test_why_walks_the_chain_both_ways(window: Window, focus: Focus, qtbot: QtBot) -> None:
    store = window.store
    rows = store.events(0, store.last_seq)
    seq = int(rows[rows["cause"] >= 0][-1]["seq"])
    chain = why(store.recording, seq)
    focus.select(seq=seq)
    press(window, qtbot, Qt.Key.Key_Y)
    popup = window.verbs.time.why_popup
    assert popup is not None and popup.isVisible()
    assert [node.key for node in popup.tree.nodes.root.children] == [seq, *chain]
    qtbot.keyClick(popup.tree, Qt.Key.Key_Down)
    assert focus.seq == chain[0]
    qtbot.keyClick(popup.tree, Qt.Key.Key_Up)
    assert focus.seq == seq
    popup.hide()
    focus.select(seq=0)
    press(window, qtbot, Qt.Key.Key_Y)
    assert not popup.isVisible() and "no recorded cause" in message(window)


# -- marks and notes ------------------------------------------------------------------------------------------------------
def test_marks_at_any_moment_are_kept_in_the_session(window: Window, focus: Focus, qtbot: QtBot) -> None:
    focus.scrub(700)
    press(window, qtbot, Qt.Key.Key_M)
    assert [mark.seq for mark in window.store.marks()][-1] == 700
    press(window, qtbot, Qt.Key.Key_M, SHIFT)
    dialog = next(widget for widget in QApplication.topLevelWidgets() if isinstance(widget, MarkDialog) and widget.isVisible())
    dialog.name.setText("here it is")
    dialog.note.setPlainText("odd")
    dialog.accept()
    with SessionReader(window.store.reader.path) as again:
        assert (again.marks()[-1].seq, again.marks()[-1].name, again.marks()[-1].note) == (700, "here it is", "odd")
    press(window, qtbot, Qt.Key.Key_M, SHIFT)
    dialog = next(widget for widget in QApplication.topLevelWidgets() if isinstance(widget, MarkDialog) and widget.isVisible())
    dialog._remove()
    assert all(mark.seq != 700 for mark in window.store.marks())


def test_the_notebook_takes_one_back(window: Window, focus: Focus, qtbot: QtBot, tmp_path: Path) -> None:
    oid = ring(window, "tx0")
    window.show_view("rings")
    focus.select(seq=900, oid=oid, head=5)
    press(window, qtbot, Qt.Key.Key_N)
    window.show_view("events")
    focus.select(seq=300, oid=ring(window, "rx0"), subject="object")
    press(window, qtbot, Qt.Key.Key_N)
    book = window.show_view("notebook")
    assert isinstance(book, NotebookView)
    book.refresh()
    notes = window.store.notes()
    assert [(note.seq, note.place["view"]) for note in notes] == [(900, "rings"), (300, "events")]
    book.go_to(notes[0].id)
    assert (focus.seq, focus.oid, focus.head, focus.subject) == (900, oid, 5, "descriptor")
    assert window.hosts["rings"].isVisible()
    book.text.setPlainText("the *first* one\nin two lines")
    book.keep_text()
    book.move_note(1)
    assert [note.seq for note in window.store.notes()] == [300, 900]
    out = tmp_path / "notes.md"
    book.write(out)
    text = out.read_text()
    for words in ("## 2.", ": tx0 descriptor 5", "the *first* one", "| VirtQueue.last\\_avail\\_idx | ", "Descriptor 5: "):
        assert words in text
    book.go_to(window.store.notes()[0].id)
    qtbot.keyClick(book.list, Qt.Key.Key_Delete)
    assert [note.seq for note in window.store.notes()] == [900]
    with SessionReader(window.store.reader.path) as again:
        assert [note.text for note in again.notes()] == ["the *first* one\nin two lines"]
    book.write(tmp_path / "no" / "such.md")
    assert "was not written" in message(window)


def test_a_hostile_note_does_no_harm(window: Window, qtbot: QtBot) -> None:
    from ringscope_core.session.changes import put_note

    window.commands.annotation.emit(
        put_note(1 << 40, 5, {"oid": "x", "head": 1 << 80, "subject": [1], "view": {"a": 1}, "packet": True}, "<b>|`\n# no heading?")
    )
    book = window.show_view("notebook")
    book.refresh()
    assert isinstance(book, NotebookView)
    book.go_to(window.store.notes()[0].id)
    assert "not in the recording" in book.table_text()


def test_of_a_live_run_the_engine_takes_them(window: Window, focus: Focus, qtbot: QtBot) -> None:
    from ringscope.commands import Controls

    class Engine(Controls):
        told: list[object]

        def annotate(self, change: object) -> None:
            self.told.append(change)

    engine = Engine()
    engine.told = []
    engine.capabilities = frozenset({"annotate"})
    window.commands.bind(engine)
    focus.scrub(400)
    press(window, qtbot, Qt.Key.Key_M)
    press(window, qtbot, Qt.Key.Key_N)
    assert [(change["put"], change["seq"]) for change in engine.told] == [("mark", 400), ("note", 400)]  # type: ignore[index]
    assert not any(mark.seq == 400 for mark in window.store.marks())


def test_a_watch_is_a_plain_tuple() -> None:
    assert isinstance(field_watch(1, 2), Watch) and hash(field_watch(1, 2)) == hash(field_watch(1, 2))
