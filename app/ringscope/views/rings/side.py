"""The right side of the Rings view: all below each other where there is room, two pages where there is not."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QScrollArea, QTabWidget, QVBoxLayout, QWidget

from ringscope.views.rings.indices import EventIndexPanel, IndexPanel
from ringscope.words import t

_WIDE_MIN = 540
_NARROW_MIN = 350


class SidePanel(QWidget):
    """Numbers, event index, and below them `lower` (slots and chain)."""

    def __init__(self, lower: QWidget, numbers: IndexPanel, events: EventIndexPanel) -> None:
        super().__init__()
        self._lower, self._numbers, self._events = lower, numbers, events
        self._narrow: bool | None = None
        self._pages = QTabWidget()
        self._pages.setDocumentMode(True)
        self._page = QWidget()
        self._page_layout = _column(self._page)
        self._page_layout.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidget(self._page)
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QScrollArea.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll = scroll
        self._layout = _column(self)
        self.set_narrow(False)

    def set_narrow(self, narrow: bool) -> bool:
        """Arrange for little or for enough room; true when that changed anything."""
        if narrow == self._narrow:
            return False
        self._narrow = narrow
        self._numbers.set_stacked(narrow)
        self._events.set_stacked(narrow)
        if narrow:
            self._page_layout.insertWidget(0, self._events)
            self._page_layout.insertWidget(1, self._numbers)
            self._pages.addTab(self._lower, t("Slots and chain"))
            self._pages.addTab(self._scroll, t("Indices"))
            self._layout.addWidget(self._pages)
            self._pages.show()
        else:
            self._layout.removeWidget(self._pages)
            self._pages.hide()
            self._pages.clear()
            for widget, stretch in ((self._numbers, 0), (self._events, 0), (self._lower, 1)):
                self._layout.addWidget(widget, stretch)
                widget.show()
        self.setMinimumWidth(_NARROW_MIN if narrow else _WIDE_MIN)
        return True


def _column(widget: QWidget) -> QVBoxLayout:
    layout = QVBoxLayout(widget)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(0)
    return layout
