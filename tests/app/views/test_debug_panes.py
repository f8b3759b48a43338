"""Realize's source and console panes."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from ringscope.commands import Commands
from ringscope.console_session import Answer
from ringscope.focus import Focus
from ringscope.settings import Settings
from ringscope.sources.session import SessionControls
from ringscope.store import Store
from ringscope.theme import DARK, LIGHT
from ringscope.views.realize.console import HISTORY, LINKS, ConsolePane
from ringscope.views.realize.panes import WIDE
from ringscope.views.realize.view import RealizeView
from ringscope_core.session.reader import SessionReader
from ringscope_core.trace.function_lines import FUNCTION_LINES


@pytest.fixture
def store(session_file: Path, tmp_path: Path, qapp: object) -> Iterator[Store]:
    """A store of a recording of its own: breakpoints are kept in it."""
    reader = SessionReader(shutil.copy(session_file, tmp_path / "own.ringscope"))
    yield Store(reader)
    reader.close()


@pytest.fixture
def commands(store: Store, focus: Focus) -> Commands:
    return Commands(SessionControls(store, focus))


@pytest.fixture
def realize(store: Store, focus: Focus, commands: Commands, qtbot: QtBot) -> Iterator[RealizeView]:
    made = RealizeView(store, focus, commands)
    made.set_theme(LIGHT)
    qtbot.addWidget(made)
    made.resize(1200, 800)
    made.show()
    made.refresh()
    yield made
    made.leave()


def call(realize: RealizeView, focus: Focus, name: str, line: int = 0) -> int:
    """Stand in a call of `name`, at a checkpoint when `line` is given; the event."""
    tree, functions = realize.chart.tree, realize.store.reader.functions
    found = tree.named(functions, (name,))[0]
    seq = next((point.seq for point in found.checkpoints if point.line == line), found.seq)
    focus.select(seq=seq)
    realize.refresh()
    return seq


# -- source -----------------------------------------------------------------------------------------------------------
def test_our_function_stands_on_its_checkpoint(realize: RealizeView, focus: Focus) -> None:
    realize.show_source()
    call(realize, focus, "virtio_net_device_realize")
    source = realize.source
    lines = source.code.toPlainText().split("\n")
    assert "hw/virtio_net/realize.py" in source.title.text() and "virtio_net_device_realize:2658" in source.title.text()
    assert ".enter_at(" in lines[source.code.current - 1]
    call(realize, focus, "virtio_init")
    assert "hw/virtio/virtio.py" in source.title.text() and "FN_INIT.enter(" in source.code.toPlainText().split("\n")[source.code.current - 1]


def test_the_gutter_sets_and_deletes_breakpoints(realize: RealizeView, focus: Focus, commands: Commands, qtbot: QtBot) -> None:
    realize.show_source()
    call(realize, focus, "virtio_net_device_realize")
    code = realize.source.code
    line = next(at for at, number in code.numbers.items() if number == 2705)
    code.gutter_clicked.emit(line, False)
    assert [(p["what"], p["where"]) for p in commands.points] == [("checkpoint", "virtio_net_device_realize:2705")]
    assert code.breakpoints == {line: True}
    commands.update_point(1, enabled=False)
    assert code.breakpoints == {line: False}
    code.gutter_clicked.emit(line, False)
    assert not commands.points
    code.gutter_clicked.emit(code.current, False)
    assert [(p["what"], p["where"]) for p in commands.points] == [("function", "virtio_net_device_realize")]
    with qtbot.waitSignal(commands.message) as said:
        code.gutter_clicked.emit(1, False)
    assert "no checkpoint on line 1" in said.args[0]


def test_a_real_click_in_the_gutter(realize: RealizeView, focus: Focus, commands: Commands) -> None:
    realize.show_source()
    call(realize, focus, "virtio_net_device_realize")
    code = realize.source.code
    y = next(y for y in range(code.height()) if code.line_at(y) == code.current) + 4
    QTest.mouseClick(code._gutter, Qt.MouseButton.LeftButton, pos=QPointF(8, y).toPoint())
    assert [p["where"] for p in commands.points] == ["virtio_net_device_realize"]


def test_the_line_with_the_keyboard_is_the_chosen_place(realize: RealizeView, focus: Focus) -> None:
    realize.show_source()
    call(realize, focus, "virtio_net_device_realize")
    code = realize.source.code
    assert realize.chosen_place() == ("function", "virtio_net_device_realize")
    code.go_to(next(at for at, number in code.numbers.items() if number == 2716))
    assert realize.chosen_place() == ("checkpoint", "virtio_net_device_realize:2716")


def make_tree(folder: Path, version: str, shift: int = 0) -> Path:
    """A QEMU tree of one function."""
    file = folder / "hw" / "net" / "virtio-net.c"
    file.parent.mkdir(parents=True)
    definition = FUNCTION_LINES["virtio_net_device_realize"][1] + shift
    file.write_text("\n".join(["/* */"] * (definition - 1) + ["static void virtio_net_device_realize(DeviceState *dev, Error **errp)", "{", "}"]))
    (folder / "VERSION").write_text(version)
    return folder


def test_qemus_file_from_the_persons_tree(realize: RealizeView, focus: Focus, commands: Commands, tmp_path: Path) -> None:
    realize.show_source()
    call(realize, focus, "virtio_net_device_realize")
    source = realize.source
    source.qemu.click()
    assert "Preferences" in source.note.text() and source.note.isVisible() and not source.code.toPlainText()
    commands.set_preference("qemu_tree", str(make_tree(tmp_path / "same", "4.1.0")))
    assert source.code.current == 2658 and not source.note.isVisible()
    assert "static void virtio_net_device_realize" in source.code.toPlainText() and 2705 in source.code.numbers
    source.code.gutter_clicked.emit(2705, False)
    assert commands.points[0]["where"] == "virtio_net_device_realize:2705"
    commands.set_preference("qemu_tree", str(make_tree(tmp_path / "other", "7.2.0", 100)))
    assert "7.2.0" in source.note.text() and source.note.isVisible() and source.code.current == 2758
    commands.set_preference("qemu_tree", str(tmp_path / "nowhere"))
    assert "is no folder" in source.note.text()
    source.ours.click()
    assert "realize.py" in source.title.text() and not source.note.isVisible()


def test_on_a_narrow_view_all_panes_stand_in_one_row(realize: RealizeView) -> None:
    panes = realize.panes
    assert panes.width() >= WIDE and panes.right.isVisible() and panes.left.count() == 2
    realize.resize(800, 700)
    assert not panes.right.isVisible() and panes.left.count() == 3
    realize.show_console()
    assert realize.console.isVisible()
    realize.resize(1300, 700)
    assert panes.right.isVisible() and panes.left.count() == 2 and realize.console.isVisible()


# -- console ----------------------------------------------------------------------------------------------------------
class StandIn:
    """A console that answers what a test says, in its own thread."""

    def __init__(self, path: Path, address: str, tree: str) -> None:
        self.asked: list[Any] = []
        self.threads: set[int] = set()
        self.gate = threading.Event()
        self.gate.set()
        self.closed = self.interrupted = False

    def execute(self, line: str, seq: int, at_end: bool, points: Sequence[Mapping[str, Any]]) -> Answer:
        self.threads.add(threading.get_ident())
        self.asked.append((line, seq, at_end))
        assert self.gate.wait(20)
        if line == "fail":
            raise ValueError("cannot")
        kept = tuple(dict(point) for point in points)
        if line.startswith("b "):
            kept = (*kept, {"id": 1, "what": "function", "where": line[2:], "enabled": True})
        text = "at hw/net/virtio-net.c:2658, event #40, 0x55555729b2b0" if line == "bt" else f"did {line}"
        return Answer(text, 40 if line == "bt" else seq, False, kept, "(gdb) ")

    def complete(self, text: str) -> list[str]:
        return {"fi": ["finish"], "info ": ["info breakpoints", "info qtree"], "b virtio_n": ["virtio_net_init", "virtio_net_reset"]}.get(text, [])

    def interrupt(self) -> None:
        self.interrupted = True
        self.gate.set()

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def console(realize: RealizeView) -> ConsolePane:
    realize.console.make_session = StandIn
    realize.show_console()
    return realize.console


def enter(console: ConsolePane, qtbot: QtBot, line: str) -> None:
    QTest.keyClicks(console.input, line)
    with qtbot.waitSignal(console.answered, timeout=20_000):
        QTest.keyClick(console.input, Qt.Key.Key_Return)


def session(console: ConsolePane) -> StandIn:
    found = console._session
    assert isinstance(found, StandIn)
    return found


def test_a_line_is_carried_out_beside_the_window(console: ConsolePane, focus: Focus, qtbot: QtBot) -> None:
    focus.select(seq=70)
    enter(console, qtbot, "info b")
    assert console.output.toPlainText() == "(gdb) info b\ndid info b\n" and not console.input.text()
    assert session(console).asked == [("info b", 70, False)] and session(console).threads != {threading.get_ident()}
    enter(console, qtbot, "fail")
    assert "cannot" in console.output.toPlainText()


def test_its_cursor_is_the_focus_both_ways(console: ConsolePane, focus: Focus, qtbot: QtBot) -> None:
    enter(console, qtbot, "bt")
    assert focus.seq == 40
    focus.select(seq=55)
    enter(console, qtbot, "p 1")
    assert session(console).asked[-1] == ("p 1", 55, False) and focus.seq == 55


def test_its_breakpoints_are_the_windows(console: ConsolePane, commands: Commands, qtbot: QtBot) -> None:
    enter(console, qtbot, "b virtio_init")
    assert [p["where"] for p in commands.points] == ["virtio_init"]


def test_history_is_walked_and_kept(console: ConsolePane, commands: Commands, qtbot: QtBot, tmp_path: Path) -> None:
    for line in ("info b", "bt", "bt"):
        enter(console, qtbot, line)
    QTest.keyClicks(console.input, "half")
    seen = []
    for key in (Qt.Key.Key_Up, Qt.Key.Key_Up, Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_Down):
        QTest.keyClick(console.input, key)
        seen.append(console.input.text())
    assert seen == ["bt", "info b", "info b", "bt", "half"]
    settings = Settings(tmp_path / "window.json")
    settings.put(HISTORY, commands.preference(HISTORY))
    settings.save()
    assert Settings(tmp_path / "window.json").get(HISTORY) == "info b\nbt"


def test_tab_completes(console: ConsolePane, qtbot: QtBot) -> None:
    QTest.keyClicks(console.input, "fi")
    QTest.keyClick(console.input, Qt.Key.Key_Tab)
    qtbot.waitUntil(lambda: console.input.text() == "finish ", timeout=20_000)
    console.input.clear()
    QTest.keyClicks(console.input, "fi")
    QTest.keyClick(console.input, Qt.Key.Key_Tab)
    with qtbot.waitSignal(console.answered, timeout=20_000):
        QTest.keyClick(console.input, Qt.Key.Key_Return)
    assert session(console).asked[-1][0] == "finish "
    QTest.keyClicks(console.input, "b virtio_n")
    QTest.keyClick(console.input, Qt.Key.Key_Tab)
    qtbot.waitUntil(lambda: console.input.text() == "b virtio_net_", timeout=20_000)
    console.input.clear()
    QTest.keyClicks(console.input, "info ")
    QTest.keyClick(console.input, Qt.Key.Key_Tab)
    qtbot.waitUntil(console._popup.isVisible, timeout=20_000)
    assert console._words.stringList() == ["info breakpoints", "info qtree"]
    console._popup.hide()


def test_control_c_interrupts_what_is_under_way_and_copies_what_is_selected(console: ConsolePane, qtbot: QtBot) -> None:
    enter(console, qtbot, "info b")
    stand_in = session(console)
    stand_in.gate.clear()
    QTest.keyClicks(console.input, "c")
    QTest.keyClick(console.input, Qt.Key.Key_Return)
    assert console.busy and not console.prompt.isEnabled()
    with qtbot.waitSignal(console.answered, timeout=20_000):
        QTest.keyClick(console.input, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert stand_in.interrupted and not console.busy
    QTest.keyClicks(console.input, "typed")
    console.input.selectAll()
    QTest.keyClick(console.input, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QGuiApplication.clipboard().text() == "typed"
    console.input.deselect()
    QTest.keyClick(console.input, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert not console.input.text() and console.output.toPlainText().endswith("typedQuit\n")


def test_places_in_the_output_lead_somewhere(realize: RealizeView, console: ConsolePane, focus: Focus, store: Store, qtbot: QtBot) -> None:
    enter(console, qtbot, "bt")
    line = console.output.toPlainText().split("\n")[1]
    links = list(LINKS.finditer(line))
    assert [link[0] for link in links] == ["hw/net/virtio-net.c:2658", "event #40", "0x55555729b2b0"]
    console._follow_link(links[0])
    assert realize.source.isVisible() and realize.source.function == "virtio_net_device_realize"
    focus.select(seq=store.last_seq)
    console._follow_link(links[2])
    assert store.type_of(focus.oid) == "virtio-net-device"
    console._follow_link(links[1])
    assert focus.seq == 40


def test_another_recording_has_another_console(console: ConsolePane, store: Store, qtbot: QtBot) -> None:
    enter(console, qtbot, "one")
    first = session(console)
    store.live = True
    console.commands.controls.address = "/run/engine"
    enter(console, qtbot, "two")
    assert session(console) is not first and first.closed


def test_both_themes_colour_the_panes(realize: RealizeView, focus: Focus) -> None:
    realize.show_source()
    call(realize, focus, "virtio_net_device_realize")
    pictures = []
    for theme in (LIGHT, DARK):
        realize.set_theme(theme)
        image = realize.source.code.grab().toImage()
        pictures.append({image.pixelColor(x, y).name() for x in range(0, image.width(), 3) for y in range(0, image.height(), 3)})
        assert theme.hex("flash") in pictures[-1]


# -- a pasted backtrace -------------------------------------------------------------------------------------------------
def test_a_pasted_backtrace_is_matched_frame_by_frame(realize: RealizeView, focus: Focus, tmp_path: Path) -> None:
    call(realize, focus, "virtio_net_device_realize")
    pasted = realize.stack.toPlainText()
    frames = pasted.count("#")
    focus.select(seq=0)
    dialog = realize.match_backtrace()
    dialog.text.setPlainText(pasted)
    assert dialog.against.currentText().startswith("virtio_net_device_realize, event ")
    assert {match.verdict for match in dialog.matches} == {"equal"} and dialog.said.text() == f"{frames} equal"
    changed = pasted.replace("virtio-net.c:2658", "virtio-net.c:2632").replace(" device_set_realized ", " some_other_function ")
    (tmp_path / "bt.txt").write_text(changed)
    dialog.load(tmp_path / "bt.txt")
    verdicts = [match.verdict for match in dialog.matches]
    assert verdicts[0] == "other line" and "missing here" in verdicts and "only here" in verdicts
    assert "line 2632 there, 2658 here" in dialog.rows.rows[0][4]
    dialog._go(dialog.rows.index(0, 0))
    assert focus.seq == realize.chart.tree.named(realize.store.reader.functions, ("virtio_net_device_realize",))[0].seq
    dialog.text.setPlainText("nothing of gdb's")
    assert not dialog.matches and "no frame" in dialog.said.text()
    dialog.load(tmp_path / "missing.txt")
    assert "cannot be read" in dialog.said.text()
    dialog.close()
