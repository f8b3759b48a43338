"""The command palette: type a few letters of any command, view, type, object or mark, and Enter goes there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QDialog, QHeaderView, QLineEdit, QTreeWidget, QTreeWidgetItem, QVBoxLayout, QWidget

from ringscope.words import t

SHOWN: Final = 60


class Choice(NamedTuple):
    """One line of the palette."""

    text: str
    hint: str
    run: Callable[[], object]


def score(query: str, text: str) -> int:
    """How well `query` fits `text`: -1 not at all; higher is better.  Letters must come in order; starts of words count more."""
    if not query:
        return 0
    low, at, points = text.lower(), -1, 0
    for letter in query.lower():
        if letter == " ":
            continue
        found = low.find(letter, at + 1)
        if found < 0:
            return -1
        starts_word = found == 0 or not low[found - 1].isalnum()
        points += 8 if starts_word else (4 if found == at + 1 else 1)
        at = found
    return points * 100 - len(text)


class Palette(QDialog):
    """A line to type in and the best matches below it."""

    def __init__(self, choices: list[Choice], parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setAccessibleName(t("Command palette"))
        self.setMinimumSize(600, 420)
        self._choices = choices
        self._line = QLineEdit()
        self._line.setPlaceholderText(t("Command, view, type, object or mark"))
        self._line.setAccessibleName(t("Search in commands"))
        self._list = QTreeWidget()
        self._list.setAccessibleName(t("Matches"))
        self._list.setColumnCount(2)
        self._list.setHeaderHidden(True)
        self._list.setRootIsDecorated(False)
        self._list.setUniformRowHeights(True)
        self._list.header().setStretchLastSection(False)
        self._list.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self._list.header().setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.addWidget(self._line)
        layout.addWidget(self._list)
        self._line.textChanged.connect(self._show)
        self._line.returnPressed.connect(self._accept)
        self._list.itemActivated.connect(lambda _: self._accept())
        self._list.itemClicked.connect(lambda _: self._accept())
        self._line.installEventFilter(self)
        self._show("")
        self.move(parent.mapToGlobal(parent.rect().center()) - self.rect().center())
        self._line.setFocus()

    def _show(self, query: str) -> None:
        ranked = sorted(((score(query, c.text), -i) for i, c in enumerate(self._choices)), reverse=True)
        self._list.clear()
        for points, place in ranked[:SHOWN]:
            if points < 0:
                break
            choice = self._choices[-place]
            item = QTreeWidgetItem([choice.text, choice.hint])
            item.setData(0, Qt.ItemDataRole.UserRole, -place)
            item.setForeground(1, self.palette().placeholderText())
            self._list.addTopLevelItem(item)
        self._go_to(0)

    def _go_to(self, row: int) -> None:
        item = self._list.topLevelItem(row)
        if item is not None:
            self._list.setCurrentItem(item)

    def _accept(self) -> None:
        item = self._list.currentItem()
        if item is None:
            return
        self.close()
        self._choices[int(item.data(0, Qt.ItemDataRole.UserRole))].run()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Up and down move in the list while the line keeps the keyboard."""
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress and event.key() in (Qt.Key.Key_Down, Qt.Key.Key_Up):
            step = 1 if event.key() == Qt.Key.Key_Down else -1
            count = self._list.topLevelItemCount()
            if count:
                now = self._list.indexOfTopLevelItem(self._list.currentItem())
                self._go_to((now + step) % count)
            return True
        return super().eventFilter(watched, event)
