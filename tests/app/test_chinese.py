"""Every view and the window in Chinese: what stands in them is Chinese, but for names, values and commands; and Chinese characters come from our font."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from fontTools.ttLib import TTFont
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QComboBox,
    QGraphicsView,
    QLabel,
    QLineEdit,
    QMenu,
    QPlainTextEdit,
    QTabWidget,
    QWidget,
)
from pytestqt.qtbot import QtBot

from ringscope.commands import Commands
from ringscope.figures.spec import FigureSpec
from ringscope.figures.stage import Stage
from ringscope.launch import window_language
from ringscope.theme import HAN_FAMILY
from ringscope.views import ALL_VIEWS, PANELS
from ringscope.views.spec import View
from ringscope.window import Window
from ringscope.window_help import KeySheet
from ringscope.window_preferences import PreferencesDialog
from ringscope_core.session.reader import SessionReader
from ringscope_resources import font_file
from tests.app.synthetic import make_session

CHINESE: Final = re.compile("[\u4e00-\u9fff]")
SENTENCE: Final = re.compile(r"\b[a-z]{2,}(?:,? [a-z]{2,}){2,}\b")
"""Three English words in a row: no name, no value and no command is written so."""
SAID: Final = re.compile(r"\(gdb\)|^#\d|<optimized out>| in | at /|bus master container|kind == |a warning of the model|^The notebook is empty\.$")
"""gdb's and QEMU's own words, and the filter language."""


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One small recording for all."""
    return make_session(tmp_path_factory.mktemp("chinese") / "s.ringscope", turns=20)


def texts(widget: QWidget) -> Iterator[str]:
    """Everything that a person can read on a widget and on those inside it."""
    for one in [widget, *widget.findChildren(QWidget)]:
        yield one.toolTip()
        yield one.accessibleDescription()
        yield one.windowTitle()
        if isinstance(one, QLabel | QAbstractButton):
            yield one.text()
        elif isinstance(one, QLineEdit):
            yield one.placeholderText()
        elif isinstance(one, QComboBox):
            yield from (one.itemText(place) for place in range(one.count()))
        elif isinstance(one, QTabWidget):
            yield from (one.tabText(place) for place in range(one.count()))
        elif isinstance(one, QPlainTextEdit):
            yield one.placeholderText()
        elif isinstance(one, QMenu):
            yield from (action.text() for action in one.actions())
        elif isinstance(one, QAbstractItemView) and one.model() is not None:
            model = one.model()
            yield from (str(model.headerData(place, Qt.Orientation.Horizontal) or "") for place in range(model.columnCount()))
        elif isinstance(one, QGraphicsView) and one.scene() is not None:
            yield from (item.text() for item in one.scene().items() if hasattr(item, "text") and callable(item.text))
    for action in widget.findChildren(QAction):
        yield from (action.text(), action.toolTip(), action.statusTip())


def english(found: Iterator[str] | list[str]) -> list[str]:
    """Lines that are sentences in English."""
    lines = {line for text in found for line in str(text).splitlines()}
    return sorted(line for line in lines if SENTENCE.search(line) and not SAID.search(line) and not CHINESE.search(line))


@pytest.mark.parametrize("name", [*ALL_VIEWS, *PANELS])
def test_a_view_speaks_chinese(recording: Path, name: str, qtbot: QtBot) -> None:
    reader = SessionReader(recording)
    with Stage(FigureSpec("", name, size=(1200, 760), lang="zh"), reader) as stage:
        view = next(view for view in stage.widget.findChildren(View))
        said = [*texts(stage.widget), *view.table_text().splitlines()]
    reader.close()
    assert english(said) == []
    assert any(CHINESE.search(text) for text in said)


def test_the_window_speaks_chinese(recording: Path, qtbot: QtBot) -> None:
    reader = SessionReader(recording)
    with Stage(FigureSpec("", "window", size=(1600, 1000), lang="zh"), reader) as stage:
        window = stage.widget if isinstance(stage.widget, Window) else stage.widget.findChild(Window)
        assert isinstance(window, Window)
        said = list(texts(window))
        palette = [choice.text for choice in window.verbs.choices()]
        menus = [action.text() for action in window.menuBar().actions()]
        sheet = [label.text() for label in KeySheet(window).findChildren(QLabel)]
    reader.close()
    assert english(said) == []
    assert english(palette) == [] and english(sheet) == []
    assert menus[0] == "文件(&F)"
    # no mnemonic is left where keys and commands are listed
    assert [text for text in (*palette, *sheet) if "(&" in text or re.search(r"\([A-Z]\)", text)] == []
    assert "环" in sheet or any("环" in text for text in sheet)


def test_buttons_of_qt_itself_are_chinese(recording: Path, qtbot: QtBot) -> None:
    reader = SessionReader(recording)
    with Stage(FigureSpec("", "events", size=(900, 600), lang="zh"), reader):
        dialog = PreferencesDialog(Commands())
        buttons = [button.text() for button in dialog.findChildren(QAbstractButton) if button.text()]
        assert buttons and all(CHINESE.search(text) for text in buttons), buttons
        assert dialog.language.itemText(2) == "简体中文"
    with Stage(FigureSpec("", "events", size=(900, 600)), reader):
        dialog = PreferencesDialog(Commands())
        assert "Cancel" in [button.text().replace("&", "") for button in dialog.findChildren(QAbstractButton)]
    reader.close()


def test_the_window_takes_its_language_from_the_command_line_the_preferences_or_the_desktop(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    commands = Commands()
    dialog = PreferencesDialog(commands)
    qtbot.addWidget(dialog)
    assert dialog.language.currentData() == ""
    dialog.language.setCurrentIndex(2)
    dialog.accept()
    assert commands.preference("language") == "zh"
    for name in ("LC_ALL", "LC_MESSAGES", "LANGUAGE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    assert window_language("en", "zh") == "en"
    assert window_language("", "en") == "en"
    assert window_language("", "") == "zh"
    # of a newer version's settings
    assert window_language("", "fr") == "zh"


def test_characters_of_the_catalogue_are_drawn_with_our_font(qapp: object) -> None:
    """Of every character in a translation either Inter or the Chinese font has the glyph: nothing falls back to a system's font."""
    from ringscope.words import catalogue

    inter = set(TTFont(font_file("Inter")).getBestCmap())
    mono = set(TTFont(font_file("JetBrains Mono")).getBestCmap())
    han = set(TTFont(font_file(HAN_FAMILY)).getBestCmap())
    used = {ord(char) for text in catalogue("zh").values() for char in text if char not in "\n\t"}
    assert {chr(code) for code in used - (inter | han)} == set()
    assert {chr(code) for code in used - (mono | han)} == set()
