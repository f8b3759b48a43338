"""The sheet of hotkeys, made from the table of commands."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QFrame, QGridLayout, QHBoxLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from ringscope.theme import mono_font
from ringscope.views import ALL_VIEWS, TITLES
from ringscope.window_actions import ACTIONS, MENUS, PANEL_KEYS, plain, said
from ringscope.window_spec import ActionSpec
from ringscope.words import t


def shown_keys(spec: ActionSpec) -> str:
    """Every key of a command."""
    return ", ".join(spec.all_keys)


COLUMNS: Final = 4
LONG: Final = 26
"""Letters of an explanation that goes over two lines."""
HEADING: Final = 2.5
"""Lines that a group's heading takes."""


def _group(title: str, rows: list[tuple[str, str]]) -> QWidget:
    box = QWidget()
    grid = QGridLayout(box)
    grid.setContentsMargins(0, 0, 0, 8)
    grid.setHorizontalSpacing(14)
    grid.setVerticalSpacing(3)
    heading = QLabel(title)
    heading.setProperty("role", "heading")
    grid.addWidget(heading, 0, 0, 1, 2)
    for line, (keys, text) in enumerate(rows, 1):
        key_label = QLabel(keys)
        key_label.setFont(mono_font(9.5))
        grid.addWidget(key_label, line, 0, Qt.AlignmentFlag.AlignTop)
        words = QLabel(text)
        if len(text) > LONG:
            words.setWordWrap(True)
            words.setMinimumWidth(170)
        grid.addWidget(words, line, 1)
    grid.setColumnStretch(1, 1)
    return box


def _columns(groups: list[tuple[str, list[tuple[str, str]]]], count: int) -> list[list[tuple[str, list[tuple[str, str]]]]]:
    """The groups in order, in `count` columns of about one height."""
    whole = sum(len(rows) + HEADING for _, rows in groups)
    columns: list[list[tuple[str, list[tuple[str, str]]]]] = [[] for _ in range(count)]
    so_far = 0.0
    for title, rows in groups:
        size = len(rows) + HEADING
        # where its middle falls
        columns[min(int((so_far + size / 2) * count / whole), count - 1)].append((title, rows))
        so_far += size
    return columns


class KeySheet(QDialog):
    """Every hotkey, by menu, in columns; it scrolls where the screen is small."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(t("Keyboard"))
        groups = [
            (": ".join(plain(said(part)) for part in menu.split("/")), [(shown_keys(s), plain(said(s.text))) for s in ACTIONS if s.menu == menu and s.keys])
            for menu in MENUS
        ]
        groups[2][1].extend((f"Ctrl+{place}", t("View {title}", title=t(TITLES[name][0]))) for place, name in enumerate(ALL_VIEWS, 1))
        groups.append((t("In a widget"), [(t(keys), t(text)) for keys, text in PANEL_KEYS]))
        sheet = QWidget()
        body = QHBoxLayout(sheet)
        body.setContentsMargins(0, 0, 0, 0)
        body.setSpacing(22)
        for some in _columns(groups, COLUMNS):
            column = QVBoxLayout()
            for title, rows in some:
                column.addWidget(_group(title, rows))
            column.addStretch(1)
            body.addLayout(column)
        scroll = QScrollArea()
        scroll.setWidget(sheet)
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(20, 16, 20, 12)
        layout.addWidget(scroll)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.button(QDialogButtonBox.StandardButton.Close).setIcon(QIcon())
        buttons.rejected.connect(self.reject)
        layout.addWidget(buttons)
        wanted = sheet.sizeHint()
        room = parent.screen().availableSize()
        self.resize(min(wanted.width() + 56, room.width() - 20), min(wanted.height() + 90, room.height() - 40))
