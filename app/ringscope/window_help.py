"""The sheet of hotkeys, made from the table of commands."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QGridLayout, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from ringscope.theme import mono_font
from ringscope.views import ALL_VIEWS
from ringscope.window_actions import ACTIONS, MENUS, PANEL_KEYS, plain
from ringscope.window_docks import TITLES
from ringscope.window_spec import ActionSpec

COLUMNS: Final = 3


def shown_keys(spec: ActionSpec) -> str:
    """Every key of a command."""
    return ", ".join(spec.all_keys)


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
        grid.addWidget(QLabel(text), line, 1)
    grid.setColumnStretch(1, 1)
    return box


class KeySheet(QDialog):
    """Every hotkey, by menu, in columns of about one length."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Keyboard")
        columns = [QVBoxLayout() for _ in range(COLUMNS)]
        groups = [(plain(menu), [(shown_keys(s), plain(s.text)) for s in ACTIONS if s.menu == menu and s.keys]) for menu in MENUS]
        groups[2][1].extend((f"Ctrl+{place}", f"View {TITLES[name][0]}") for place, name in enumerate(ALL_VIEWS, 1))
        groups.append(("In a widget", list(PANEL_KEYS)))
        # menus stay in their order; each column takes its share of the lines
        room = sum(len(rows) + 2 for _, rows in groups) / COLUMNS
        filled = 0.0
        for title, rows in groups:
            middle = filled + (len(rows) + 2) / 2
            columns[min(int(middle / room), COLUMNS - 1)].addWidget(_group(title, rows))
            filled += len(rows) + 2
        body = QHBoxLayout()
        body.setSpacing(36)
        for column in columns:
            column.addStretch(1)
            body.addLayout(column)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(20, 16, 20, 12)
        layout.addLayout(body)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.button(QDialogButtonBox.StandardButton.Close).setIcon(QIcon())
        buttons.rejected.connect(self.reject)
        layout.addWidget(buttons)
