"""A table of any number of rows that holds none of them: it asks its source for what is visible and paints that.

Qt's own table keeps eight bytes and a recalculation for every row; with millions of rows that grow sixty times a second
this one does not notice.
"""

from __future__ import annotations

from typing import Final, NamedTuple, Protocol

from PySide6.QtCore import QRect, Qt, Signal
from PySide6.QtGui import QColor, QFontMetrics, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QResizeEvent, QStandardItemModel
from PySide6.QtWidgets import QAbstractScrollArea, QHeaderView

from ringscope.theme import LIGHT, ROW, Theme, mono_font
from ringscope.words import t

PAD: Final = 7


class Column(NamedTuple):
    """A column: its title, its first width in pixels, and whether it is right-aligned.  The last one takes what is left."""

    title: str
    width: int
    right: bool = False


class Line(NamedTuple):
    """What one row shows: a text a column; `color` paints a swatch before the column `swatch`, `faint` means nothing is recorded."""

    texts: tuple[str, ...]
    color: QColor | None = None
    faint: bool = False


class RowSource(Protocol):
    """Where the rows come from.  Rows are addressed by place, 0 to `count` - 1."""

    def count(self) -> int:
        """How many rows there are now."""
        ...

    def lines(self, first: int, count: int) -> list[Line]:
        """Rows `first` and on, at most `count`."""
        ...


class RowList(QAbstractScrollArea):
    """The table.  `chosen` tells that a row was clicked or moved to, `activated` that it was double-clicked or entered."""

    chosen = Signal(int)
    activated = Signal(int)

    def __init__(self, source: RowSource, columns: tuple[Column, ...], swatch: int = -1) -> None:
        super().__init__()
        self._source, self._columns, self._swatch = source, columns, swatch
        self.theme: Theme = LIGHT
        self.current: int = -1
        """The selected row, -1 for none."""
        self.follow: bool = False
        """Keep the last row in sight."""
        self._count = 0
        self._font = mono_font(9.5)
        self._metrics = QFontMetrics(self._font)
        self._letter = self._metrics.maxWidth()
        """No ASCII letter is wider."""
        self.header = QHeaderView(Qt.Orientation.Horizontal, self)
        self._header_model = QStandardItemModel(0, len(columns), self)
        self._header_model.setHorizontalHeaderLabels([t(column.title) for column in columns])
        self.header.setModel(self._header_model)
        self.header.setStretchLastSection(True)
        self.header.setSectionsClickable(False)
        self.header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self.header.setMinimumSectionSize(30)
        for place, column in enumerate(columns):
            self.header.resizeSection(place, column.width)
        self.header.sectionResized.connect(lambda *_: self.viewport().update())
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.verticalScrollBar().valueChanged.connect(lambda _: self.viewport().update())
        self.setViewportMargins(0, self._header_height(), 0, 0)

    def _header_height(self) -> int:
        return max(self.header.sizeHint().height(), 24)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The header spans the viewport."""
        box = self.viewport().geometry()
        self.header.setGeometry(box.left(), box.top() - self._header_height(), box.width(), self._header_height())
        self._range()
        super().resizeEvent(event)

    # -- extent -------------------------------------------------------------------------------------------------------
    def page(self) -> int:
        """Whole rows that fit."""
        return max(self.viewport().height() // ROW, 1)

    def _range(self) -> None:
        bar = self.verticalScrollBar()
        bar.setPageStep(self.page())
        bar.setRange(0, max(self._count - self.page(), 0))

    def refresh(self) -> None:
        """Take over the source's present extent and paint."""
        self._count = self._source.count()
        self._range()
        if self.follow:
            self.verticalScrollBar().setValue(self.verticalScrollBar().maximum())
        self.viewport().update()

    def show_row(self, row: int) -> None:
        """Select `row` and bring it into sight, near the middle when it was not."""
        self.current = row
        bar = self.verticalScrollBar()
        if row >= 0 and not bar.value() <= row < bar.value() + self.page():
            bar.setValue(max(row - self.page() // 2, 0))
        self.viewport().update()

    # -- painting -----------------------------------------------------------------------------------------------------
    def paintEvent(self, event: QPaintEvent) -> None:
        """The visible rows."""
        painter = QPainter(self.viewport())
        theme = self.theme
        first = self.verticalScrollBar().value()
        width = self.viewport().width()
        painter.fillRect(self.viewport().rect(), theme.color("surface"))
        painter.setFont(self._font)
        text, faint = theme.color("text"), theme.color("text.faint")
        stripe, selected = theme.color("stripe"), theme.color("selection")
        lines = self._source.lines(first, self.page() + 1)
        cells = self._cells()
        for place, line in enumerate(lines):
            top = place * ROW
            if first + place == self.current:
                painter.fillRect(0, top, width, ROW, selected)
            elif (first + place) % 2:
                painter.fillRect(0, top, width, ROW, stripe)
            painter.setPen(faint if line.faint else text)
            self._paint_line(painter, line, top, cells)
        if not lines:
            painter.setPen(faint)
            painter.drawText(self.viewport().rect(), Qt.AlignmentFlag.AlignCenter, t("nothing to show"))

    def _cells(self) -> list[tuple[int, int, int]]:
        """Left edge, width and text flags of each column."""
        header, flags = self.header, Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine
        sides = [Qt.AlignmentFlag.AlignRight if column.right else Qt.AlignmentFlag.AlignLeft for column in self._columns]
        return [(header.sectionViewportPosition(place), header.sectionSize(place), int(side | flags)) for place, side in enumerate(sides)]

    def _paint_line(self, painter: QPainter, line: Line, top: int, cells: list[tuple[int, int, int]]) -> None:
        for place, ((left, width, flags), text) in enumerate(zip(cells, line.texts, strict=False)):
            inset = PAD
            if place == self._swatch and line.color is not None:
                painter.fillRect(left + PAD, top + ROW // 2 - 4, 8, 8, line.color)
                inset += 14
            if not text:
                continue
            box = QRect(left + inset, top, width - inset - PAD, ROW)
            # measuring costs as much as drawing: most texts are short enough with any letters
            certain = text.isascii() and len(text) * self._letter <= box.width()
            if not certain and self._metrics.horizontalAdvance(text) > box.width():
                text = self._metrics.elidedText(text, Qt.TextElideMode.ElideRight, box.width())
            painter.drawText(box, flags, text)

    # -- gestures -----------------------------------------------------------------------------------------------------
    def row_at(self, y: float) -> int:
        """The row at a height of the viewport, -1 below the last."""
        row = self.verticalScrollBar().value() + int(y) // ROW
        return row if 0 <= row < self._count else -1

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Choose."""
        self._choose(self.row_at(event.position().y()))

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Activate."""
        row = self.row_at(event.position().y())
        if row >= 0:
            self.activated.emit(row)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Up, down, pages, ends, and Enter."""
        steps = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1, Qt.Key.Key_PageUp: -self.page(), Qt.Key.Key_PageDown: self.page()}
        key = Qt.Key(event.key())
        if key in steps:
            self._choose(min(max(self.current + steps[key], 0), self._count - 1))
        elif key in (Qt.Key.Key_Home, Qt.Key.Key_End):
            self._choose(0 if key == Qt.Key.Key_Home else self._count - 1)
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.current >= 0:
            self.activated.emit(self.current)
        else:
            super().keyPressEvent(event)

    def _choose(self, row: int) -> None:
        if row < 0:
            return
        self.show_row(row)
        line = self._source.lines(row, 1)
        self.setAccessibleDescription("  ".join(line[0].texts) if line else "")
        self.chosen.emit(row)
