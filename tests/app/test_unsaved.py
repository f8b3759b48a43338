"""Recordings that nobody saved: kept while a window lives, offered when it died, deleted when it closed."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QMessageBox, QPushButton
from pytestqt.qtbot import QtBot

from ringscope import launch, window_trust
from ringscope.sources import unsaved
from ringscope.sources.engine import EngineControls, EngineOptions
from ringscope.sources.unsaved import UnsavedFolder, clean_up, delete_unsaved, find_unsaved, unsaved_root
from ringscope.window import Window
from ringscope.window_trust import Trust
from ringscope.window_unsaved import UnsavedOffer
from ringscope_core.session.errors import SessionError
from ringscope_core.session.reader import SessionReader
from tests.core.session.recording import make

STAND_IN = Path(__file__).with_name("stand_in_engine.py")


def left_behind(session_file: Path, age_s: float = 60.0, name: str = "run-1.ringscope") -> Path:
    """A recording as a killed window leaves it."""
    folder = UnsavedFolder.make()
    path = folder.path / name
    shutil.copy(session_file, path)
    os.utime(path, (time.time() - age_s,) * 2)
    folder.release()
    return path


def test_what_a_living_window_holds_is_not_offered(session_file: Path) -> None:
    path = left_behind(session_file)
    held = UnsavedFolder.hold(path.parent)
    assert held is not None
    assert UnsavedFolder.hold(path.parent) is None
    assert find_unsaved() == ([], False)
    assert delete_unsaved(path) == "run-1.ringscope is in use"
    held.release()
    (found,), busy = find_unsaved()
    assert (found.path, found.title, busy, found.problem) == (path, "Synthetic traffic", False, "") or found.path == path
    assert found.events > 100
    assert found.size == path.stat().st_size


HOLDER = """
import sys, time
from pathlib import Path
from ringscope.sources.unsaved import UnsavedFolder
held = UnsavedFolder.hold(Path(sys.argv[1]))
print("held" if held else "not", flush=True)
time.sleep(60)
"""


def test_a_killed_holder_lets_go(session_file: Path) -> None:
    path = left_behind(session_file)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    with subprocess.Popen([sys.executable, "-c", HOLDER, str(path.parent)], stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        assert find_unsaved()[0] == []
        process.send_signal(signal.SIGKILL)
    assert [one.path for one in find_unsaved()[0]] == [path]


def test_what_still_grows_is_looked_at_later(session_file: Path) -> None:
    left_behind(session_file, age_s=0.0)
    assert find_unsaved() == ([], True)


def test_damaged_ones_are_offered_too(session_file: Path) -> None:
    path = left_behind(session_file)
    path.write_bytes(path.read_bytes()[:50_000])
    os.utime(path, (time.time() - 60,) * 2)
    (found,), _ = find_unsaved()
    assert "is damaged" in found.problem or "is cut off" in found.problem


def test_old_and_many_ones_go(session_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old, newer, newest = left_behind(session_file, 31 * 86400), left_behind(session_file, 2000), left_behind(session_file, 1000)
    assert clean_up() == 1
    assert not old.exists()
    monkeypatch.setattr(unsaved, "KEEP_BYTES", int(newest.stat().st_size * 1.5))
    assert clean_up() == 1
    assert (newer.exists(), newest.exists()) == (False, True)


def test_empty_folders_go() -> None:
    folder = UnsavedFolder.make()
    folder.release()
    assert find_unsaved() == ([], False)
    assert list(unsaved_root().iterdir()) == []


def test_where_nothing_can_be_written_the_run_is_recorded_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    folder = UnsavedFolder.make(tmp_path / "file" / "unsaved")
    assert folder.path.is_dir()
    folder.discard()
    assert not folder.path.exists()


@pytest.mark.parametrize("crash", [False, True])
def test_an_engine_records_where_it_is_found_again(qtbot: QtBot, crash: bool) -> None:
    controls = EngineControls(EngineOptions("ping", ("seed=3",), record=None))
    controls.command = (sys.executable, str(STAND_IN))
    controls.start()
    controls.wait_started(20)
    assert controls.session is not None
    assert controls.session.parent.parent == unsaved_root()
    assert len(controls.address) < 100, "a socket's path is short"
    if crash:
        assert controls.process is not None
        with qtbot.waitSignal(controls.stopped, timeout=10_000):
            os.kill(controls.process.processId(), signal.SIGKILL)
    controls.close()
    assert controls.session.exists() is crash


def buttons(window: Window, text: str) -> list[QPushButton]:
    return [button for button in window.unsaved.findChildren(QPushButton) if button.text() == text and button.isVisibleTo(window.unsaved)]


def press(window: Window, text: str, qtbot: QtBot, place: int = 0) -> None:
    qtbot.mouseClick(buttons(window, text)[place], Qt.MouseButton.LeftButton)


def offered(window: Window, qtbot: QtBot, count: int) -> None:
    offer = UnsavedOffer(window)
    offer.start()
    qtbot.waitUntil(lambda: len(window.unsaved.offered) == count == len(buttons(window, "Open")), timeout=5000)


def test_the_bar_offers_and_deletes(window: Window, session_file: Path, qtbot: QtBot) -> None:
    paths = [left_behind(session_file, age) for age in (100, 200, 300)]
    offered(window, qtbot, 3)
    assert window.unsaved.isVisible()
    assert [one.path for one in window.unsaved.offered] == paths
    press(window, "Delete", qtbot)
    assert paths[0].exists(), "the first press asks"
    press(window, "Really delete?", qtbot)
    assert not paths[0].parent.exists()
    qtbot.waitUntil(lambda: len(buttons(window, "Open")) == 2, timeout=2000)
    press(window, "Not now", qtbot)
    assert not window.unsaved.isVisible()
    assert paths[1].exists()
    offered(window, qtbot, 2)
    qtbot.waitUntil(window.unsaved.isVisible, timeout=2000)
    press(window, "Delete all", qtbot)
    press(window, "Really delete?", qtbot)
    assert not any(path.exists() for path in paths)
    assert not window.unsaved.isVisible()


def test_saving_one_moves_it(window: Window, session_file: Path, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = left_behind(session_file)
    offered(window, qtbot, 1)
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: ("", ""))
    press(window, "Save as...", qtbot)
    assert path.exists()
    target = tmp_path / "kept.ringscope"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(target), ""))
    press(window, "Save as...", qtbot)
    with SessionReader(target) as reader, SessionReader(session_file) as original:
        assert reader.event_count == original.event_count
    assert not path.parent.exists()
    assert not window.unsaved.isVisible()


def test_saving_a_damaged_one_keeps_what_is_whole_and_vouches_for_nothing_else(
    window: Window, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(tmp_path / "a.ringscope", 300)
    data = bytearray((tmp_path / "a.ringscope").read_bytes())
    data[4096 * 6 + 9] ^= 4
    (tmp_path / "b.ringscope").write_bytes(data)
    path = left_behind(tmp_path / "b.ringscope")
    offered(window, qtbot, 1)
    target = tmp_path / "kept.ringscope"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(target), ""))
    press(window, "Save as...", qtbot)
    with SessionReader(target) as reader, SessionReader(tmp_path / "a.ringscope") as original:
        assert reader.event_count == original.event_count
        assert [gap.reason for gap in reader.gaps()] in ([], ["damaged"])
    assert path.exists()
    assert window.unsaved.isVisible()


def test_opening_one_holds_it(window: Window, session_file: Path, qtbot: QtBot) -> None:
    path = left_behind(session_file)
    trust = Trust(window)
    window.verbs.open_session = lambda chosen: window.store.open(trust.open(chosen), False)
    offered(window, qtbot, 1)
    press(window, "Open", qtbot)
    assert window.store.reader.path == path
    assert find_unsaved()[0] == []
    window.close()
    assert [one.path for one in find_unsaved()[0]] == [path]


def test_damage_met_late_is_rescued(window: Window, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "late.ringscope"
    recording = make(path, 3000, close=False)
    recording.writer.sync()
    # a file without a seal: nothing is noticed when it is opened
    copy = tmp_path / "copy.ringscope"
    shutil.copy(path, copy)
    shutil.copy(f"{path}-wal", f"{copy}-wal")
    recording.writer.close()
    with SessionReader(copy) as reader:
        rows = reader.event_count
    database = sqlite3.connect(copy)
    tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master")}
    table = "block_data" if "block_data" in tables else "block"
    database.execute(f"UPDATE {table} SET data = x'1234' WHERE first_seq = (SELECT max(first_seq) FROM block)")
    database.commit()
    database.close()
    trust = Trust(window)
    window.store.open(trust.open(copy), False)
    assert window.store.reader.damage == ""
    with pytest.raises(SessionError) as caught:
        window.store.reader.events(rows - 1, rows - 1)
    monkeypatch.setattr(window.store, "poll", lambda: raising(caught.value))
    window.tick()
    monkeypatch.undo()
    assert "part of the file is damaged" in window.banner.text
    assert 0 < window.store.reader.event_count < rows
    window.tick()


def test_damage_in_names_is_rescued_at_once(window: Window, tmp_path: Path) -> None:
    path = tmp_path / "a.ringscope"
    make(path, 12000)
    data = bytearray(path.read_bytes())
    path.write_bytes(data[: len(data) * 9 // 10])
    reader = Trust(window).open(path)
    assert reader.damage
    reader.close()


def raising(error: SessionError) -> bool:
    raise error


class Controls:
    holds_unsaved = True
    keep_unsaved = False

    def __init__(self, window: Window) -> None:
        self.session = window.store.reader.path


@pytest.mark.parametrize(
    ("answer", "closes", "keeps"),
    [
        (QMessageBox.StandardButton.Cancel, False, False),
        (QMessageBox.StandardButton.Ignore, True, True),
        (QMessageBox.StandardButton.Discard, True, False),
        (QMessageBox.StandardButton.Save, False, False),
    ],
)
def test_closing_asks_only_when_a_person_left_notes(
    window: Window, monkeypatch: pytest.MonkeyPatch, answer: QMessageBox.StandardButton, closes: bool, keeps: bool
) -> None:
    controls = Controls(window)
    trust = Trust(window)
    trust.ask_before_closing(controls)  # type: ignore[arg-type]
    assert window.may_close is not None
    asked: list[bool] = []
    monkeypatch.setattr(window_trust, "ask", lambda _: asked.append(True) or answer)
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: ("", ""))
    monkeypatch.setattr(window_trust, "notes_of", lambda _: 0)
    assert window.may_close()
    assert not asked
    monkeypatch.setattr(window_trust, "notes_of", lambda _: 2)
    assert window.close() is closes
    assert asked == [True]
    assert controls.keep_unsaved is keeps
    window.may_close = None


def test_a_recording_that_stopped_is_said(window: Window, qtbot: QtBot) -> None:
    controls = EngineControls(EngineOptions("ping", record=None))
    window.commands.bind(controls)
    heard: list[str] = []
    controls.changed.connect(lambda: heard.append(controls.recording_stopped))
    controls.changed.connect(lambda: launch._engine_changed(window, controls))
    controls._take_status({"state": "running", "recording_stopped": ""})
    assert not window.banner.text
    controls._take_status({"state": "running", "recording_stopped": "cannot be written (database or disk is full)"})
    assert "cannot be written (database or disk is full)" in heard
    assert window.banner.text.startswith("Recording stopped at event ")
    assert "disk is full" in window.banner.text
    controls.close()
