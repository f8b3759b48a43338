"""The sheet of hotkeys, made from the table of commands."""

from __future__ import annotations

from itertools import combinations, pairwise
from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QFrame, QGridLayout, QHBoxLayout, QLabel, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from ringscope.theme import mono_font
from ringscope.views import ALL_VIEWS
from ringscope.window_actions import ACTIONS, MENUS, PANEL_KEYS, plain
from ringscope.window_docks import TITLES
from ringscope.window_spec import ActionSpec

Group = tuple[str, list[tuple[str, str]]]
"""A heading, and keys with what they do."""
WIDE: Final = 1600
"""Pixels from which on there is room for four columns."""


def in_columns(groups: list[Group], count: int) -> list[list[Group]]:
    """The groups in their order in `count` columns, so that the longest is as short as can be."""

    def longest(cuts: tuple[int, ...]) -> int:
        return max(sum(len(rows) + 2 for _, rows in groups[start:end]) for start, end in pairwise((0, *cuts, len(groups))))

    cuts = min(combinations(range(1, len(groups)), count - 1), key=longest)
    return [groups[start:end] for start, end in pairwise((0, *cuts, len(groups)))]


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
    box.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
    return box


class KeySheet(QDialog):
    """Every hotkey, by menu, in columns of about one length."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Keyboard")
        columns = [QVBoxLayout() for _ in range(4 if self.screen().availableGeometry().width() >= WIDE else 3)]
        groups = [(plain(menu), [(shown_keys(s), plain(s.text)) for s in ACTIONS if s.menu == menu and s.keys]) for menu in MENUS]
        groups[2][1].extend((f"Ctrl+{place}", f"View {TITLES[name][0]}") for place, name in enumerate(ALL_VIEWS, 1))
        groups.append(("In a widget", list(PANEL_KEYS)))
        for column, part in zip(columns, in_columns(groups, len(columns)), strict=True):
            for title, rows in part:
                column.addWidget(_group(title, rows))
        body = QHBoxLayout()
        body.setSpacing(36)
        for column in columns:
            column.addStretch(1)
            body.addLayout(column)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(20, 16, 20, 12)
        page = QWidget()
        page.setLayout(body)
        body.setContentsMargins(0, 0, 12, 0)
        # a small screen scrolls
        area = QScrollArea()
        area.setWidget(page)
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.viewport().setAutoFillBackground(False)
        page.setAutoFillBackground(False)
        layout.addWidget(area, 1)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.button(QDialogButtonBox.StandardButton.Close).setIcon(QIcon())
        buttons.rejected.connect(self.reject)
        layout.addWidget(buttons)
        room = self.screen().availableGeometry()
        wanted = page.sizeHint()
        self.resize(min(wanted.width() + 70, room.width() - 20), min(wanted.height() + 90, room.height() - 40))
