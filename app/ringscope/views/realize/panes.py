"""The lower part of the Realize view: call and source at the left, console at the right; on a narrow view all in one row of tabs."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QSplitter, QTabWidget, QVBoxLayout, QWidget

from ringscope.words import t

WIDE: Final = 1100
"""Pixels from which on there is room for two."""


class Panes(QWidget):
    """`pages` in order: (title, widget, whether it goes right when there is room)."""

    def __init__(self, pages: list[tuple[str, QWidget, bool]], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._pages = pages
        self.left, self.right = QTabWidget(), QTabWidget()
        self._wide: bool | None = None
        split = QSplitter(Qt.Orientation.Horizontal)
        split.setChildrenCollapsible(False)
        for tabs, name in ((self.left, t("call and source")), (self.right, t("console"))):
            tabs.setDocumentMode(True)
            tabs.setAccessibleName(name)
            tabs.setUsesScrollButtons(True)
            # what is in front has no say in how the width is shared
            tabs.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Expanding)
            tabs.setMinimumWidth(240)
            split.addWidget(tabs)
        split.setStretchFactor(0, 1)
        split.setStretchFactor(1, 1)
        split.setSizes([560, 560])
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(split)
        self._arrange(True)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """One row or two, as the width allows."""
        super().resizeEvent(event)
        self._arrange(self.width() >= WIDE)

    def _arrange(self, wide: bool) -> None:
        if wide == self._wide:
            return
        self._wide = wide
        front = self.left.currentWidget()
        for title, page, goes_right in self._pages:
            tabs = self.right if goes_right and wide else self.left
            if tabs.indexOf(page) < 0:
                tabs.addTab(page, title)
        if front is not None:
            self.left.setCurrentWidget(front)
        self.right.setVisible(self.right.count() > 0 and wide)

    def bring(self, page: QWidget) -> None:
        """Show `page` in front."""
        for tabs in (self.left, self.right):
            if tabs.indexOf(page) >= 0:
                tabs.setCurrentWidget(page)

    def without(self, page: QWidget) -> None:
        """Take `page` away for good; the others have its room."""
        self._pages = [one for one in self._pages if one[1] is not page]
        for tabs in (self.left, self.right):
            if tabs.indexOf(page) >= 0:
                tabs.removeTab(tabs.indexOf(page))
        self._wide = None
        self._arrange(self.width() >= WIDE)

    def has(self, page: QWidget) -> bool:
        """Whether `page` is one of the pages."""
        return any(one[1] is page for one in self._pages)
