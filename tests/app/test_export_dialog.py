"""File > Export and File > Open on captures."""

from __future__ import annotations

import csv
import threading
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QMessageBox
from pytestqt.qtbot import QtBot

from ringscope.export_thread import ExportWork, Work
from ringscope.focus import Focus
from ringscope.store import Store
from ringscope.window import Window
from ringscope.window_export import BETWEEN, WHOLE, ExportDialog
from ringscope.window_host import UNKNOWN
from ringscope_core.export.formats import FORMATS, export
from ringscope_core.export.request import Request
from ringscope_core.session.reader import SessionReader


@pytest.fixture
def dialog(window: Window, qtbot: QtBot, tmp_path: Path) -> ExportDialog:
    """The dialog over a window."""
    made = ExportDialog(window.store, window.focus, window)
    qtbot.addWidget(made)
    made.show()
    made.target.setText(str(tmp_path / "out"))
    return made


def choose(dialog: ExportDialog, form: str) -> None:
    """Choose a format by its short name."""
    dialog.format.setCurrentIndex(list(FORMATS).index(form))


def wait(qtbot: QtBot, dialog: ExportDialog) -> None:
    """Until the export has ended."""
    qtbot.waitUntil(lambda: dialog._work is None, timeout=20_000)


def test_the_menu_opens_it(window: Window, qtbot: QtBot) -> None:
    """Ctrl+E, with the window's filter in its field; it blocks nothing."""
    window.focus.set_filter("kind == kick")
    window.commands_by_name["export"].trigger()
    found = [child for child in window.children() if isinstance(child, ExportDialog)]
    assert len(found) == 1 and found[0].isVisible() and not found[0].isModal()
    assert found[0].filter.text() == "kind == kick"
    found[0].close()


@pytest.mark.parametrize("form", list(FORMATS))
def test_every_format_has_its_fields(dialog: ExportDialog, form: str) -> None:
    """Tables and options are the format's own; the first of each is chosen."""
    choose(dialog, form)
    made = FORMATS[form]
    assert list(dialog.whats) == (list(made.whats) if len(made.whats) > 1 else [])
    assert list(dialog.options) == [option.name for option in made.options]
    request = dialog.request()
    assert request.format == form
    assert dict(request.options) == {option.name: option.preset for option in made.options}
    assert dialog.start.isEnabled()


def test_it_exports(dialog: ExportDialog, qtbot: QtBot, tmp_path: Path) -> None:
    """What the fields say is what is written, and the dialog says how much."""
    choose(dialog, "csv")
    dialog.filter.setText("kind == kick")
    dialog.span.setCurrentText(BETWEEN)
    dialog.until.setEditText("mark:half way")
    dialog.target.setText(str(tmp_path / "k.csv"))
    qtbot.mouseClick(dialog.start, Qt.MouseButton.LeftButton)
    wait(qtbot, dialog)
    with (tmp_path / "k.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["kind"] for row in rows} == {"kick"}
    assert len(rows) == 122
    assert "122 events" in dialog.note.text() and dialog.leave.text() == "Close"


def test_wrong_fields_are_said(dialog: ExportDialog) -> None:
    """A wrong filter, moment or set of tables: why, and no button to press."""
    choose(dialog, "jsonl")
    dialog.filter.setText("heads == 1")
    assert "heads" in dialog.note.text() and not dialog.start.isEnabled()
    dialog.filter.setText("")
    assert dialog.start.isEnabled()
    dialog.span.setCurrentText(BETWEEN)
    dialog.since.setEditText("mark:none")
    assert "mark:none" in dialog.note.text() and not dialog.start.isEnabled()
    dialog.span.setCurrentText(WHOLE)
    dialog.whats["events"].setChecked(False)
    assert "table" in dialog.note.text() and not dialog.start.isEnabled()


def test_the_selected_range(window: Window, qtbot: QtBot) -> None:
    """A range that is selected in the window is offered."""
    window.focus.range = (100, 200)
    made = ExportDialog(window.store, window.focus, window)
    qtbot.addWidget(made)
    made.span.setCurrentIndex(1)
    assert (made.request().since, made.request().until) == ("seq:100", "seq:200")
    made.close()


def test_replacing_is_asked(dialog: ExportDialog, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No keeps the file, yes replaces it."""
    choose(dialog, "markdown")
    target = tmp_path / "r.md"
    target.write_text("mine")
    dialog.target.setText(str(target))
    answers = [QMessageBox.StandardButton.No, QMessageBox.StandardButton.Yes]
    monkeypatch.setattr(QMessageBox, "question", lambda *_: answers.pop(0))
    dialog.begin()
    assert dialog._work is None and target.read_text() == "mine"
    dialog.begin()
    wait(qtbot, dialog)
    assert target.read_text().startswith("# ")


def test_cancel_leaves_nothing(dialog: ExportDialog, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The window goes on while the export runs; Cancel ends it, and the dialog stays for another try."""
    choose(dialog, "csv")
    dialog.target.setText(str(tmp_path / "c.csv"))
    begun, go_on = threading.Event(), threading.Event()
    progress = ExportWork.progress

    def slow(self: ExportWork, done: int, total: int) -> bool:
        begun.set()
        go_on.wait(10)
        return progress(self, done, total)

    monkeypatch.setattr(ExportWork, "progress", slow)
    dialog.begin()
    qtbot.waitUntil(begun.is_set, timeout=10_000)
    window = dialog.parent()
    assert isinstance(window, Window)
    window.tick()
    assert dialog.bar.isVisible() and dialog.leave.text() == "Cancel" and not dialog.start.isEnabled()
    qtbot.mouseClick(dialog.leave, Qt.MouseButton.LeftButton)
    go_on.set()
    wait(qtbot, dialog)
    assert "Cancelled" in dialog.note.text() and dialog.isVisible() and dialog.start.isEnabled()
    assert list(tmp_path.glob("*c.csv*")) == []


def test_it_goes_on_until_its_thread_has_ended(dialog: ExportDialog, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What tells the result still runs: a dialog that went now would take a running thread along."""
    choose(dialog, "csv")
    dialog.target.setText(str(tmp_path / "e.csv"))
    told, go_on, do = [], threading.Event(), ExportWork._do

    def slow(self: ExportWork) -> None:
        do(self)
        go_on.wait(20)

    monkeypatch.setattr(ExportWork, "_do", slow)
    dialog.begin()
    work = dialog._work
    assert work is not None
    work.ended.connect(told.append)
    qtbot.waitUntil(lambda: bool(told), timeout=20_000)
    assert dialog._work is work and not dialog.start.isEnabled()
    go_on.set()
    wait(qtbot, dialog)
    assert "Wrote" in dialog.note.text() and dialog.start.isEnabled()


@pytest.mark.parametrize("command", ["export", "open"])
def test_a_window_that_closes_ends_what_goes_on(window: Window, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    """Its threads end with it, and nothing half done is left or opened."""
    export(window.store.recording, Request("pcapng"), tmp_path / "f.pcapng")
    begun, works, opened = threading.Event(), [], list[Path]()

    def endless(self: Work, done: int, total: int) -> bool:
        works.append(self)
        begun.set()
        return not self._stop.wait(20)

    monkeypatch.setattr(Work, "progress", endless)
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_, **__: (str(tmp_path / "f.pcapng"), ""))
    window.verbs.open_session = opened.append
    window.commands_by_name[command].trigger()
    for dialog in window.findChildren(ExportDialog):
        dialog.run_export(Request("csv"), tmp_path / "half.csv")
    assert begun.wait(20)
    window.close()
    assert works[0].isFinished()
    qtbot.wait(1)
    assert not opened
    assert sorted(path.name for path in tmp_path.iterdir() if path.suffix in (".csv", ".pcapng")) == ["f.pcapng"]


def test_a_failure_is_said(dialog: ExportDialog, qtbot: QtBot, tmp_path: Path) -> None:
    """A place that cannot be written ends in one line."""
    choose(dialog, "csv")
    dialog.target.setText(str(tmp_path / "no" / "c.csv"))
    dialog.begin()
    wait(qtbot, dialog)
    assert "folder that exists" in dialog.note.text()


def _ticked(window: Window) -> bool:
    window.tick()
    return True


def test_open_takes_a_capture(window: Window, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A capture is opened as a session made of it, and views of the machine say that nothing is known of one."""
    export(window.store.recording, Request("pcapng"), tmp_path / "f.pcapng")
    opened: list[Path] = []
    window.verbs.open_session = opened.append
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_, **__: (str(tmp_path / "f.pcapng"), ""))
    window.commands_by_name["open"].trigger()
    qtbot.waitUntil(lambda: bool(opened), timeout=20_000)
    with SessionReader(opened[0]) as reader:
        assert reader.packet_count == window.store.reader.packet_count
    window.store.open(SessionReader(opened[0]), False)
    window.show_view("rings")
    host = window.hosts["rings"]
    qtbot.waitUntil(lambda: _ticked(window) and host._unknown is not None, timeout=10_000)
    assert host._unknown is not None and host._unknown.text() == UNKNOWN and host._unknown.isVisible()
    assert host.view is not None and not host.view.isVisible()
    window.status.refresh()
    assert "frames only" in window.status.text()
    window.focus.select(packet=1, seq=0, subject="packet")
    qtbot.waitUntil(lambda: _ticked(window) and "head unknown" in window.hosts["inspector"].build().table_text(), timeout=10_000)


def test_open_complains_of_anything_else(window: Window, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that is none of them is named across the top."""
    (tmp_path / "f.txt").write_text("hello")
    window.verbs.open_session = lambda path: None
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_, **__: (str(tmp_path / "f.txt"), ""))
    window.commands_by_name["open"].trigger()
    assert window.banner.isVisible()


def test_a_growing_session_is_exported_as_it_is(tmp_path: Path, qtbot: QtBot) -> None:
    """While a run goes on: what was committed when the export began."""
    from tests.app.synthetic import Recording as Growing
    from tests.app.synthetic import build_machine, icmp_frame, send

    rec = Growing(tmp_path / "g.ringscope")
    build_machine(rec)
    for turn in range(5):
        send(rec, 1, turn, icmp_frame(turn))
        send(rec, 0, turn, icmp_frame(turn))
    rec.keyframe()
    assert rec.writer.sync()
    store, focus = Store(SessionReader(tmp_path / "g.ringscope"), live=True), Focus()
    made = ExportDialog(store, focus)
    qtbot.addWidget(made)
    choose(made, "pcapng")
    made.target.setText(str(tmp_path / "g.pcapng"))
    made.begin()
    send(rec, 1, 5, icmp_frame(5))
    wait(qtbot, made)
    assert "10 packets" in made.note.text()
    rec.close()
    store.reader.close()
