"""A read-only table of text rows: the form in which views list chains, fields, checkpoints and values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, QRect, Qt
from PySide6.QtGui import QColor, QFont, QGuiApplication, QKeyEvent, QKeySequence, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

from ringscope.theme import ROW, mono_font, ui_font
from ringscope.words import t

_Index = QModelIndex | QPersistentModelIndex


class RowsModel(QAbstractTableModel):
    """Rows of text under headings; `set_rows` replaces them and tells the view only when they differ."""

    def __init__(self, headings: Sequence[str], right: Sequence[int] = (), parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.headings: tuple[str, ...] = tuple(headings)
        self.rows: list[tuple[str, ...]] = []
        self.colors: dict[tuple[int, int], QColor] = {}
        """Text colours of single cells, by (row, column)."""
        self._right = frozenset(right)
        self._font: QFont = mono_font(8.5)

    def set_rows(self, rows: list[tuple[str, ...]], colors: dict[tuple[int, int], QColor] | None = None) -> None:
        """Show `rows`."""
        colors = colors or {}
        if rows == self.rows and colors == self.colors:
            return
        if len(rows) == len(self.rows):
            self.rows, self.colors = rows, colors
            if rows:
                self.dataChanged.emit(self.index(0, 0), self.index(len(rows) - 1, len(self.headings) - 1))
            return
        self.beginResetModel()
        self.rows, self.colors = rows, colors
        self.endResetModel()

    def set_headings(self, headings: Sequence[str]) -> None:
        """Other headings over as many columns."""
        if tuple(headings) != self.headings:
            self.headings = tuple(headings)
            self.headerDataChanged.emit(Qt.Orientation.Horizontal, 0, len(self.headings) - 1)

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008
        """Rows shown."""
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008
        """Headings."""
        return 0 if parent.isValid() else len(self.headings)

    def data(self, index: _Index, role: int = int(Qt.ItemDataRole.DisplayRole)) -> Any:
        """A cell's text, font, alignment or colour."""
        if role == Qt.ItemDataRole.DisplayRole or role == Qt.ItemDataRole.ToolTipRole:
            row = self.rows[index.row()]
            return row[index.column()] if index.column() < len(row) else ""
        if role == Qt.ItemDataRole.FontRole:
            return self._font
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignRight if index.column() in self._right else Qt.AlignmentFlag.AlignLeft
            return int(side | Qt.AlignmentFlag.AlignVCenter)
        if role == Qt.ItemDataRole.ForegroundRole:
            return self.colors.get((index.row(), index.column()))
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = int(Qt.ItemDataRole.DisplayRole)) -> Any:
        """The headings."""
        if role == Qt.ItemDataRole.DisplayRole and orientation == Qt.Orientation.Horizontal:
            return t(self.headings[section])
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignRight if section in self._right else Qt.AlignmentFlag.AlignLeft
            return int(side | Qt.AlignmentFlag.AlignVCenter)
        return None

    def text(self) -> str:
        """Headings and rows, tab-separated."""
        return "\n".join("\t".join(row) for row in [tuple(map(t, self.headings)), *self.rows])


class CopyTable(QTableView):
    """A table with even rows whose selection copies as tab-separated text."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setShowGrid(False)
        self.setAlternatingRowColors(True)
        self.setWordWrap(False)
        self.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.verticalHeader().hide()
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.verticalHeader().setDefaultSectionSize(ROW - 2)
        self.horizontalHeader().setHighlightSections(False)
        self.horizontalHeader().setTextElideMode(Qt.TextElideMode.ElideRight)
        self.horizontalHeader().setFont(ui_font(8.5))
        self.horizontalHeader().setStretchLastSection(True)

    def set_widths(self, widths: Sequence[int]) -> None:
        """Fix the columns' first widths; the last one stretches."""
        for column, width in enumerate(widths):
            self.setColumnWidth(column, width)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """A selected row that was in sight stays in sight, whole."""
        super().resizeEvent(event)
        rows = self.selectionModel().selectedRows() if self.model() is not None else []
        box = self.visualRect(rows[0]) if rows else QRect()
        if box.isValid() and 0 <= box.top() < event.oldSize().height() and box.bottom() >= self.viewport().height():
            self.scrollTo(rows[0])

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Ctrl+C copies the selected rows."""
        if event.matches(QKeySequence.StandardKey.Copy):
            QGuiApplication.clipboard().setText(self.selected_text())
        else:
            super().keyPressEvent(event)

    def selected_text(self) -> str:
        """The selected rows, tab-separated."""
        model = self.model()
        rows = sorted({index.row() for index in self.selectedIndexes()})
        return "\n".join("\t".join(str(model.index(row, column).data() or "") for column in range(model.columnCount())) for row in rows)
