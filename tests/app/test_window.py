"""The window as a whole: every view appears, moves with the focus, and remembers its layout."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage, QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel
from pytestqt.qtbot import QtBot

from ringscope.commands import Commands
from ringscope.focus import Focus
from ringscope.settings import LAYOUT_VERSION, Settings
from ringscope.store import Store
from ringscope.theme import DARK, LIGHT
from ringscope.views import ALL_VIEWS, PANELS, TITLES, load_view
from ringscope.window import Window
from ringscope.window_actions import ACTIONS, MENUS, plain
from ringscope.window_help import KeySheet
from ringscope.window_palette import Palette, score
from tests.app.synthetic import make_session
from tests.app.test_commands import Recorder


def shades(image: QImage) -> int:
    """How many different colours a coarse grid of pixels has: a blank picture has one or two."""
    return len({image.pixel(x, y) for x in range(0, image.width(), 7) for y in range(0, image.height(), 7)})


def settle(window: Window) -> None:
    """Tick until everything visible is up to date: a busy machine needs several frames for what fits into one."""
    end = time.monotonic() + 10
    while time.monotonic() < end:
        window.tick()
        if not any(host.dirty for host in window.hosts.values() if host.view is not None and host.isVisible()):
            return
        QTest.qWait(5)
    raise AssertionError("the window does not come to rest")


@pytest.mark.parametrize("name", ALL_VIEWS)
def test_every_view_shows_something_in_both_themes(window: Window, focus: Focus, name: str) -> None:
    window.show_view(name)
    focus.select(seq=1000)
    for theme in (LIGHT, DARK):
        window.set_theme(theme)
        settle(window)
        view = window.hosts[name].view
        assert view is not None and view.isVisible()
        assert shades(view.grab().toImage()) > 4
        assert view.table_text().strip()


def test_registry_and_docks_name_the_same_views() -> None:
    assert set(TITLES) == {*ALL_VIEWS, *PANELS}
    for name in TITLES:
        spec = load_view(name)
        assert spec.name == name and TITLES[name][0] == spec.title
    with pytest.raises(KeyError):
        load_view("nonsense")


def test_hidden_views_are_not_built_and_do_nothing(window: Window) -> None:
    window.show_view("events")
    settle(window)
    assert window.hosts["types"].view is None
    assert not window.hosts["types"].refresh()


def test_nothing_is_refreshed_twice_for_one_change(window: Window, focus: Focus) -> None:
    window.show_view("events")
    focus.select(seq=500)
    settle(window)
    assert not window.hosts["events"].dirty
    assert not window.hosts["events"].refresh()
    focus.select(seq=501)
    assert window.hosts["events"].refresh()


def test_keyboard_moves_through_the_recording(window: Window, focus: Focus, store: Store, qtbot: QtBot) -> None:
    actions = window.commands_by_name
    focus.select(seq=100)
    actions["next"].trigger()
    assert focus.seq == 101
    actions["step_back"].trigger()
    assert focus.seq == 100
    actions["first"].trigger()
    assert focus.seq == store.first_seq
    actions["last"].trigger()
    assert focus.seq == store.last_seq and focus.following
    actions["previous_mark"].trigger()
    assert focus.seq == store.reader.marks()[0].seq
    actions["back"].trigger()
    assert focus.seq == store.last_seq


def test_go_to_cause(window: Window, focus: Focus, store: Store) -> None:
    rows = store.events(0, store.last_seq)
    caused = rows[rows["cause"] >= 0][0]
    focus.select(seq=int(caused["seq"]))
    window.commands_by_name["cause"].trigger()
    assert focus.seq == int(caused["cause"])


def test_run_button_follows_the_source(window: Window, commands: Commands) -> None:
    run = window.commands_by_name["run"]
    assert not run.isEnabled()
    source = Recorder("pause", "step", "restart")
    commands.bind(source)
    assert run.isEnabled() and "Pause" in run.text() and window.commands_by_name["restart"].isEnabled()
    run.trigger()
    source.state = "paused"
    source.changed.emit()
    assert source.told == ["pause"] and "Run" in run.text()
    window.focus.set_following(True)
    window.commands_by_name["step"].trigger()
    assert source.told[-1] == ("event", 1)


def test_every_shortcut_is_used_once_and_stands_in_a_menu(window: Window) -> None:
    keys = [key for spec in ACTIONS for key in spec.all_keys] + [f"Ctrl+{n}" for n in range(1, 7)]
    assert len(keys) == len(set(keys))
    assert all(not QKeySequence(key).isEmpty() for key in keys)
    in_menus = {action.objectName() for menu in window.menus.values() for action in menu.actions()}
    assert {spec.name for spec in ACTIONS} <= in_menus
    assert set(window.menus) == set(MENUS)


def test_the_sheet_of_hotkeys_lists_them_all(window: Window, qtbot: QtBot) -> None:
    sheet = KeySheet(window)
    qtbot.addWidget(sheet)
    texts = {label.text() for label in sheet.findChildren(QLabel)}
    for spec in ACTIONS:
        if spec.keys:
            assert ", ".join(spec.all_keys) in texts and plain(spec.text) in texts


def test_the_palette_finds_commands_views_types_and_objects(window: Window, focus: Focus, qtbot: QtBot) -> None:
    palette = Palette(window.verbs.choices(), window)
    qtbot.addWidget(palette)
    palette._line.setText("type virtio-net-device")
    palette._accept()
    assert focus.type_name == "virtio-net-device"
    palette = Palette(window.verbs.choices(), window)
    qtbot.addWidget(palette)
    palette._line.setText("view events")
    palette._accept()
    assert window.hosts["events"].view is not None


def test_palette_prefers_starts_of_words() -> None:
    assert score("tp", "Type tree") > score("tp", "step back") > -1 == score("zz", "Type tree")


def test_filter_box_sets_the_filter_and_says_what_is_wrong(window: Window, focus: Focus, qtbot: QtBot) -> None:
    box = window.top.filter_box
    qtbot.keyClicks(box, "kind == kick")
    assert focus.filter == "kind == kick" and box.property("validity") == "valid"
    box.setText("kind == nonsense")
    assert focus.filter == "kind == kick" and box.property("validity") == "invalid" and "nonsense" in box.problem
    focus.set_filter("")
    assert box.text() == "" and box.property("validity") == ""


def test_filter_box_completes(window: Window, qtbot: QtBot) -> None:
    box = window.top.filter_box
    box.setFocus()
    qtbot.keyClicks(box, "gro")
    assert box._words.stringList() == ["group"]
    box._completer.activated.emit("group")
    assert box.text().strip() == "group"
    box._popup.hide()


def test_a_problem_is_said_across_the_top_with_a_way_out(window: Window, commands: Commands, qtbot: QtBot) -> None:
    source = Recorder("restart")
    commands.bind(source)
    window.show_problem("The engine stopped: killed by signal 9; the session up to event 7 is kept.")
    assert window.banner.isVisible() and "event 7" in window.banner.text
    with qtbot.waitSignal(window.banner.restart, timeout=500):
        window.banner._restart.click()


def test_layout_and_theme_are_remembered(store: Store, tmp_path: Path, qtbot: QtBot) -> None:
    path = tmp_path / "kept.json"
    first = Window(store, Focus(), Commands(), DARK, Settings(path))
    first.resize(1300, 800)
    first.show()
    first.docks.docks["typetree"].toggleView(False)
    first.close()
    kept = Settings(path)
    assert kept.get("theme") == "dark" and kept.get("layout_version") == str(LAYOUT_VERSION)
    second = Window(store, Focus(), Commands(), DARK, kept)
    assert second.docks.docks["typetree"].isClosed() and not second.docks.docks["rings"].isClosed()
    second.docks.reset()
    assert not second.docks.docks["typetree"].isClosed()
    second.close()


@pytest.mark.parametrize("text", ["", "{", '{"version": 99, "values": {}}', "[]", '{"version": 1}'])
def test_damaged_settings_are_set_aside(tmp_path: Path, text: str) -> None:
    path = tmp_path / "window.json"
    path.write_text(text)
    settings = Settings(path)
    assert settings.values == {} and settings.problem
    assert settings.save() == "" and Settings(path).problem == ""


def test_another_recording_resets_the_focus(window: Window, focus: Focus, store: Store, tmp_path: Path) -> None:
    from ringscope_core.session.reader import SessionReader

    focus.select(seq=900, oid=4)
    for name in ("events", "types", "rings"):
        window.show_view(name)
        settle(window)
    store.open(SessionReader(make_session(tmp_path / "b.ringscope", 2)), True)
    settle(window)
    assert focus.following and store.type_of(focus.oid) == "virtio-net-device" and focus.seq == store.last_seq


def test_status_line_says_how_much_there_is(window: Window, store: Store) -> None:
    window.status.refresh()
    assert f"{store.reader.event_count:,}".replace(",", "\u2009") in window.status.text() and "recording" in window.status.text()


def test_copy_puts_the_table_on_the_clipboard(window: Window) -> None:
    window.show_view("events")
    settle(window)
    window.commands_by_name["copy_table"].trigger()
    assert QApplication.clipboard().text().startswith("Event\tTime (s)")


def test_find_goes_to_the_view_or_to_the_filter(window: Window, qtbot: QtBot) -> None:
    window.activateWindow()
    window.show_view("types")
    window.commands_by_name["find"].trigger()
    assert QApplication.focusWidget() is not None and QApplication.focusWidget().accessibleName() == "Search types"
    window.show_view("events")
    window.commands_by_name["find"].trigger()
    assert QApplication.focusWidget() is window.top.filter_box


@pytest.mark.parametrize(("width", "height"), [(1366, 768), (1920, 1080)])
def test_no_control_is_cut_at_common_sizes(store: Store, focus: Focus, tmp_path: Path, qtbot: QtBot, width: int, height: int) -> None:
    from PySide6.QtWidgets import QToolButton

    window = Window(store, focus, Commands(), LIGHT, Settings(tmp_path / "w.json"), None, width < 1500)
    window._timer.stop()
    window.resize(width, height)
    window.show()
    qtbot.waitExposed(window)
    for name in ("types", "events"):
        window.show_view(name)
        focus.select(seq=700, oid=5)
        settle(window)
        for button in window.findChildren(QToolButton):
            if (
                button.isVisible()
                and button.text()
                and button.toolButtonStyle() != Qt.ToolButtonStyle.ToolButtonIconOnly
                and not button.objectName().startswith("tabs")
            ):
                needed = button.fontMetrics().horizontalAdvance(button.text().replace("&", ""))
                assert button.width() >= needed, f"{button.text()!r} at {width}x{height}"
    assert window.width() == width and window.height() == height
    window.close()


def test_a_recording_that_cannot_be_read_is_said_once(window: Window, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    from ringscope_core.session.errors import SessionError

    asked: list[int] = []

    def poll() -> bool:
        asked.append(1)
        raise SessionError("x.ringscope", "is damaged")

    monkeypatch.setattr(store, "poll", poll)
    for _ in range(5):
        window.tick()
    assert asked == [1] and "x.ringscope" in window.banner.text


def test_the_cable_and_the_trace_level_follow_the_machine(window: Window, commands: Commands, store: Store) -> None:
    class Machine(Recorder):
        def set_link(self, name: str, up: bool) -> None:
            self.told.append((name, up))

        def set_trace(self, level: str) -> None:
            self.told.append(level)

    source = Machine("link", "trace")
    source.trace_level = "packets"
    commands.bind(source)
    actions = window.commands_by_name
    assert actions["trace_packets"].isChecked() and not actions["trace_full"].isChecked()
    actions["trace_full"].trigger()
    actions["link"].trigger()
    # the synthetic machine never set VirtIONet.status: its link is down
    assert source.told == ["full", ("net0", True)]
