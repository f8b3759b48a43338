"""Branches in the window: the dialog, the engine behind it, switching and comparing."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit
from pytestqt.qtbot import QtBot

from ringscope.focus import Focus
from ringscope.launch import WindowOptions, _make_window
from ringscope.sources.engine import EngineControls, EngineOptions
from ringscope.store import Store
from ringscope.theme import DARK, LIGHT, apply
from ringscope.window import Window
from ringscope.window_branch_dialog import TITLES, BranchDialog, Wanted
from ringscope.window_branches import Branches
from ringscope.window_compare import CompareWindow
from ringscope.window_runs import RunList
from ringscope_core.engine.branch import Parent, run_branch
from ringscope_core.engine.branch_choices import Choices, choices_at
from ringscope_core.engine.change import parse_change
from ringscope_core.engine.moment import Moment
from ringscope_core.query.diff import diff
from ringscope_core.query.recording import Recording
from ringscope_core.session.reader import SessionReader

WAIT_MS = 30_000


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """0.4 s of the default scenario, recorded by a process of its own: here the synthetic session has declared some calls in its own way."""
    path = tmp_path_factory.mktemp("runs") / "parent.ringscope"
    subprocess.run(
        [sys.executable, "-m", "ringscope", "run", "default", "--headless", "--for", "400ms", "--record", str(path)], check=True, capture_output=True
    )
    return path


@pytest.fixture
def opened(recording: Path, tmp_path: Path, qtbot: QtBot) -> Iterator[Window]:
    """A window on a copy of it, at event 3000."""
    copy = tmp_path / "parent.ringscope"
    copy.write_bytes(recording.read_bytes())
    store = Store(SessionReader(copy))
    focus = Focus()
    focus.seq = 3000
    window, _ = _make_window(store, None, WindowOptions(theme="light"), focus)
    window.resize(1500, 900)
    window.show()
    qtbot.waitExposed(window)
    yield window
    window.close()
    store.reader.close()


def branches_of(window: Window) -> Branches:
    assert window.branches is not None
    return window.branches


def choices(path: Path, seq: int = 3000) -> Choices:
    with SessionReader(path) as reader:
        return choices_at(Recording(reader), seq)


def wanted(change: str, record: Path | None = None, paused: bool = True) -> Wanted:
    return Wanted(parse_change(change), paused, "1", "full", record)


# -- the dialog -------------------------------------------------------------------------------------------------------
def test_choices_are_the_recordings(recording: Path) -> None:
    found = choices(recording)
    assert found.backends == ["hostnet0"]
    (device,) = found.devices
    bits = {bit.name: bit.taken for bit in device.bits}
    assert bits["VIRTIO_NET_F_MRG_RXBUF"] and bits["VIRTIO_F_VERSION_1"] and not bits["VIRTIO_NET_F_CTRL_GUEST_OFFLOADS"]
    assert "rx_queue_size" in {option.name for option in device.options}
    assert [entry["kind"] for entry in found.traffic][:2] == ["ping", "udp-echo"]
    # before the driver was there it had taken nothing
    assert not any(bit.taken for bit in choices(recording, 10).devices[0].bits) if choices(recording, 10).devices else True


def test_the_dialog_writes_what_a_person_would(recording: Path, qtbot: QtBot) -> None:
    frame = bytes(range(64))
    dialog = BranchDialog("event 3000", choices(recording), frame, "")
    qtbot.addWidget(dialog)
    lines = {}
    for place in range(len(TITLES)):
        dialog.kind.setCurrentIndex(place)
        lines[place] = dialog.line.text()
    assert lines[0] == "none"
    assert lines[1].startswith("inject net=hostnet0 frame=000102030405")
    assert lines[2] == "link net0 off"
    assert lines[5] == "action reset"
    # nothing was chosen there yet
    for place, problem in ((3, "tick or untick a bit"), (4, "a value is needed"), (6, "change a number"), (7, "a setting is needed")):
        dialog.kind.setCurrentIndex(place)
        assert not dialog.ok.isEnabled()
        assert dialog.problem.text() == problem
    dialog.kind.setCurrentIndex(7)
    settings = dialog.stack.currentWidget().findChild(QLineEdit)
    assert settings is not None
    settings.setText("traffic.0.rate_pps=100 seed=4")
    assert dialog.ok.isEnabled()
    assert dialog.wanted().change == parse_change("set traffic.0.rate_pps=100 seed=4")


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_no_page_of_the_dialog_runs_into_another(recording: Path, qtbot: QtBot, theme: object, qapp: QApplication) -> None:
    apply(qapp, theme)  # type: ignore[arg-type]
    dialog = BranchDialog("event 3000 at 0.1 s: virtqueue_pop rx0", choices(recording), b"", "/tmp/x.ringscope")
    qtbot.addWidget(dialog)
    dialog.show()
    for place in range(len(TITLES)):
        dialog.kind.setCurrentIndex(place)
        qtbot.wait(1)
        page = dialog.stack.currentWidget()
        bottom = max(child.mapTo(dialog, QPoint(0, child.height())).y() for child in page.findChildren(object) if child.isWidgetType() and child.isVisible())  # type: ignore[attr-defined]
        assert bottom <= dialog.line.mapTo(dialog, QPoint(0, 0)).y(), TITLES[place]


# -- the window -------------------------------------------------------------------------------------------------------
def test_a_branch_by_keys_and_back(opened: Window, qtbot: QtBot, tmp_path: Path) -> None:
    window, branches = opened, branches_of(opened)
    QTest.keyClick(window, Qt.Key.Key_R, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)
    dialog = window.findChild(BranchDialog)
    assert dialog is not None
    assert "event 3000" not in dialog.problem.text()
    # beside a recording that is kept the branch is kept too
    assert dialog.record.text() == str(tmp_path / "parent-branch-1.ringscope")
    dialog.kind.setCurrentIndex(2)
    QTest.keyClick(dialog, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: branches.current.parent is not None and window.commands.state == "paused", timeout=WAIT_MS)
    about = window.store.meta["branch"]
    assert isinstance(about, dict)
    part = int(about["seq"])
    qtbot.waitUntil(lambda: window.store.last_seq >= part, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: window.focus.seq == window.store.last_seq, timeout=WAIT_MS)
    assert [run.title for run in branches.runs] == ["default", "1: link net0 off"]
    # and both stay: the same object at the same moment in the parent
    window.focus.select(seq=2900)
    oid = window.focus.oid
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow, timeout=WAIT_MS)
    QTest.keyClick(window, Qt.Key.Key_G, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)
    assert branches.current.parent is None
    assert (window.focus.seq, window.focus.oid) == (2900, oid)
    assert "branch" not in window.store.meta
    assert not window.commands_by_name["compare"].isEnabled()
    branches.show_next()
    assert "branch" in window.store.meta
    assert (window.focus.seq, window.focus.oid) == (2900, oid)
    # the file stays when the branch is closed
    assert branches.can_drop
    menu = window.findChild(RunList)
    assert menu is not None and [action.text() for action in menu.menu().actions() if action.isChecked()] == ["    1: link net0 off"]
    # it runs like any live run
    window.commands.run()
    seen = window.store.last_seq
    qtbot.waitUntil(lambda: window.store.last_seq > seen + 100, timeout=WAIT_MS)
    branches.drop()
    assert [run.title for run in branches.runs] == ["default"]
    assert branches.current.parent is None and not branches.can_drop
    with SessionReader(tmp_path / "parent-branch-1.ringscope") as reader:
        assert reader.last_seq > seen


def test_comparing_shows_where_they_part(opened: Window, qtbot: QtBot) -> None:
    window, branches = opened, branches_of(opened)
    branches.branch(3000, wanted("feature net0 -MRG_RXBUF", paused=False))
    qtbot.waitUntil(lambda: branches.current.parent is not None and window.commands.state == "running", timeout=WAIT_MS)
    about = window.store.meta["branch"]
    assert isinstance(about, dict)
    part = int(about["seq"])
    qtbot.waitUntil(lambda: window.store.last_seq > part + 500, timeout=WAIT_MS)
    window.verbs.show_state()
    QTest.keyClick(window, Qt.Key.Key_D, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)
    comparison = window.findChild(CompareWindow)
    assert comparison is not None
    qtbot.waitUntil(lambda: comparison.done, timeout=WAIT_MS)
    assert "events are the same" in comparison.summary.text()
    assert "feature net0 -VIRTIO_NET_F_MRG_RXBUF" in comparison.summary.text()
    numbers = [[comparison.tables[side].item(row, 0).text() for row in range(12)] for side in (0, 1)]
    assert numbers[0][:6] == numbers[1][:6]
    assert comparison.states.rowCount() > 0
    text = comparison.table_text()
    assert "VirtIODevice" in text or "vring_virtqueue" in text
    comparison.buttons[0].click()
    assert branches.current.parent is None
    assert window.focus.seq >= part
    comparison.close()


def test_a_file_that_is_there_stays(opened: Window) -> None:
    path = opened.store.reader.path
    before = path.read_bytes()
    assert branches_of(opened).branch(100, wanted("none", path)) is None
    assert "both stay" in opened.banner.text
    assert path.read_bytes() == before


def test_a_change_that_cannot_be_made_is_said(opened: Window, qtbot: QtBot) -> None:
    branches = branches_of(opened)
    branches.branch(3000, wanted("action pairs number=9", paused=False))
    qtbot.waitUntil(lambda: "an action that the guest's driver can do" in opened.banner.text, timeout=WAIT_MS)
    opened.banner.hide()
    branches.show(branches.runs[0])
    assert branches.current.parent is None


def test_an_engine_that_refuses_is_said(opened: Window, qtbot: QtBot) -> None:
    branches = branches_of(opened)
    branches.branch(3000, wanted("set bogus=1"))
    qtbot.waitUntil(lambda: "bogus" in opened.banner.text, timeout=WAIT_MS)
    assert len(branches.runs) == 1


def test_a_recording_that_cannot_be_run_again_says_why(store: Store, qtbot: QtBot) -> None:
    window, _ = _make_window(store, None, WindowOptions(theme="light"), Focus())
    window.commands_by_name["branch"].trigger()
    assert "No branch can be made from this recording" in window.banner.text
    window.close()


def test_a_branch_that_was_opened_is_compared_with_its_parent(recording: Path, tmp_path: Path, qtbot: QtBot) -> None:
    out = tmp_path / "child.ringscope"
    run_branch(Parent(recording, Moment(3000), parse_change("link net0 off")), out)
    store = Store(SessionReader(out))
    window, _ = _make_window(store, None, WindowOptions(theme="light"), Focus())
    assert window.commands_by_name["compare"].isEnabled()
    branches = branches_of(window)
    branches.compare()
    comparison = window.findChild(CompareWindow)
    assert comparison is not None
    qtbot.waitUntil(lambda: comparison.done, timeout=WAIT_MS)
    comparison.tables[0].cellDoubleClicked.emit(6, 0)
    assert [run.title for run in branches.runs] == ["parent", "default"]
    assert branches.current.title == "parent"
    assert window.store.reader.path == recording
    comparison.close()
    window.close()
    store.reader.close()


def test_a_run_that_goes_on_is_branched(tmp_path: Path, qtbot: QtBot) -> None:
    controls = EngineControls(EngineOptions("default", speed="1"))
    controls.start()
    store = Store(SessionReader(controls.wait_started()), live=True)
    window, _ = _make_window(store, controls, WindowOptions(theme="light"))
    window.closing.connect(controls.close)
    try:
        branches = branches_of(window)
        qtbot.waitUntil(lambda: store.last_seq > 4000, timeout=WAIT_MS)
        branches.branch(3500, wanted("action reset"))
        qtbot.waitUntil(lambda: branches.current.parent is not None and window.commands.state == "paused", timeout=WAIT_MS)
        about = store.meta["branch"]
        assert isinstance(about, dict) and int(about["seq"]) > 3500
        # the first one stands meanwhile, and goes on when it is shown and told to
        branches.show_next()
        qtbot.waitUntil(lambda: controls.state == "paused", timeout=WAIT_MS)
        seen = store.last_seq
        window.commands.run()
        qtbot.waitUntil(lambda: store.last_seq > seen + 50, timeout=WAIT_MS)
        assert parting_of(branches) >= int(about["seq"])
    finally:
        window.close()
        store.reader.close()


def parting_of(branches: Branches) -> int:
    """Number of the first event that the two runs of a window do not share."""
    with SessionReader(branches.runs[0].path) as one, SessionReader(branches.runs[1].path) as two:
        return diff(Recording(one), Recording(two)).common
