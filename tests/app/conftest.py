"""A recording and a window around it, for every test of the application."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QEvent
from pytestqt.qtbot import QtBot

from ringscope.cli.main import main
from ringscope.commands import Commands
from ringscope.focus import Focus
from ringscope.settings import Settings
from ringscope.store import Store
from ringscope.theme import LIGHT
from ringscope.window import Window
from ringscope.words import set_language
from ringscope_core.session.reader import SessionReader
from tests.app.synthetic import make_session
from tests.app.verbs import Verb


@pytest.fixture(scope="session")
def session_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished recording, read by many."""
    return make_session(tmp_path_factory.mktemp("sessions") / "synthetic.ringscope", 120)


@pytest.fixture
def store(session_file: Path, tmp_path: Path, qapp: object) -> Iterator[Store]:
    """A store of a copy of it: marks, notes and breakpoints are kept in the file."""
    reader = SessionReader(shutil.copy(session_file, tmp_path / "own.ringscope"))
    yield Store(reader)
    reader.close()


@pytest.fixture
def focus() -> Focus:
    """A focus at the beginning."""
    found = Focus()
    found.following = False
    return found


@pytest.fixture
def commands() -> Commands:
    """Commands of a source that can do nothing."""
    return Commands()


@pytest.fixture
def window(store: Store, focus: Focus, commands: Commands, tmp_path: Path, qtbot: QtBot) -> Iterator[Window]:
    """A window of 1600 by 960 that ticks only when a test says so."""
    made = Window(store, focus, commands, LIGHT, Settings(tmp_path / "window.json"))
    made._timer.stop()
    made.resize(1600, 960)
    made.show()
    qtbot.waitExposed(made)
    yield made
    made.close()
    made.deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


@pytest.fixture
def verb(capsys: pytest.CaptureFixture[str], qtbot: QtBot) -> Verb:
    """Call a verb; gives exit code, stdout, stderr."""

    def call(*args: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main([str(arg) for arg in args])
        out, err = capsys.readouterr()
        return int(ended.value.code or 0), out, err

    return call


@pytest.fixture(autouse=True)
def english_after() -> Iterator[None]:
    """A language is the process's: none is left to the next test."""
    yield
    set_language("en")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The offscreen platform says what it cannot do; that is no defect of the window."""
    for item in items:
        item.add_marker(pytest.mark.qt_log_ignore("This plugin does not support"))
