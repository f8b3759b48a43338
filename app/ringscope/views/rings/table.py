"""The ring picture's twin: every descriptor as a row, sorted and filtered by number, cheap enough to follow live traffic."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF

from ringscope.theme import LIGHT, RING_STATES, Theme, mono_font
from ringscope.vectors import swatch
from ringscope.views.rings.model import STATES, RingSnapshot
from ringscope.views.rings.split import SplitSnapshot
from ringscope.words import t

_Index = QModelIndex | QPersistentModelIndex

_STATE: Final = 2
"""The column that has a colour beside its word, whatever the layout."""


_PAD: Final = 8
"""Pixels beside a cell's text."""
_SWATCH: Final = 22
"""Pixels of the colour beside the state's word."""
_WIDEST_FLAGS: Final = {False: "INDIRECT", True: "AVAIL USED"}
"""The flags that most descriptors have, of a split and of a packed ring."""


class SlotModel(QAbstractTableModel):
    """One ring's descriptors.  `order` maps rows to slots."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.theme: Theme = LIGHT
        self._snap: RingSnapshot | None = None
        self._order: npt.NDArray[np.int64] = np.zeros(0, np.int64)
        self._column: int = 0
        self._descending: bool = False
        self._filter: str = ""
        self._font: QFont = mono_font(8.5)
        self._headings: tuple[str, ...] = SplitSnapshot.headings
        self._right: frozenset[int] = SplitSnapshot.right
        self._cells: dict[int, tuple[str, ...]] = {}
        """Texts of the slots that were asked for: a row is asked for column by column."""

    def show_ring(self, snap: RingSnapshot | None) -> None:
        """Show `snap`; rows stay where they are when the order has not changed."""
        if snap is not None and snap.headings != self._headings:
            self.beginResetModel()
            self._headings, self._right = snap.headings, snap.right
            self._snap, self._order = None, np.zeros(0, np.int64)
            self.endResetModel()
            self.headerDataChanged.emit(Qt.Orientation.Horizontal, 0, len(self._headings) - 1)
        self._snap = snap
        self._cells = {}
        self._arrange()

    def cell_widths(self) -> list[int]:
        """Pixels that the values of each column take in all of the recording, not just now: in a film columns stand still."""
        snap = self._snap
        if snap is None:
            return []
        metrics = QFontMetricsF(self._font)
        texts = {_STATE: max((t(state) for state in STATES), key=metrics.horizontalAdvance), 3: "0x0000000", 4: "0000", 5: _WIDEST_FLAGS[snap.wraps]}
        number = str(max(snap.num - 1, 100))
        return [
            round(metrics.horizontalAdvance(texts.get(column, number))) + (_PAD + _SWATCH if column == _STATE else _PAD)
            for column in range(len(self._headings))
        ]

    def set_filter(self, text: str) -> None:
        """Keep rows in which every word of `text` occurs."""
        self._filter = text.lower()
        self._arrange()

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Sort by a column; ties by slot."""
        self._column = max(0, column)
        self._descending = order == Qt.SortOrder.DescendingOrder
        self._arrange()

    def _arrange(self) -> None:
        order = self._new_order()
        if len(order) != len(self._order):
            self.beginResetModel()
            self._order = order
            self.endResetModel()
            return
        self._order = order
        if len(order):
            self.dataChanged.emit(self.index(0, 0), self.index(len(order) - 1, len(self._headings) - 1))

    def _new_order(self) -> npt.NDArray[np.int64]:
        snap = self._snap
        if snap is None:
            return np.zeros(0, np.int64)
        order = np.argsort(snap.sort_keys()[self._column], kind="stable")
        if self._descending:
            order = order[::-1]
        if self._filter:
            words = self._filter.split()
            order = np.array([slot for slot in order.tolist() if self._matches(slot, words)], np.int64)
        return order

    def _matches(self, slot: int, words: list[str]) -> bool:
        text = " ".join(self.cells(slot)).lower()
        return all(word in text for word in words)

    def cells(self, slot: int) -> tuple[str, ...]:
        """One slot as text, under the headings."""
        found = self._cells.get(slot)
        if found is None:
            assert self._snap is not None
            found = self._cells[slot] = self._snap.cells(slot)
        return found

    def row_of(self, slot: int) -> int:
        """The row that shows `slot`, -1 when the filter hides it."""
        rows = np.flatnonzero(self._order == slot)
        return int(rows[0]) if len(rows) else -1

    def slot_at(self, row: int) -> int:
        """The slot that `row` shows."""
        return int(self._order[row])

    def heading_at(self, column: int) -> str:
        """A column's heading."""
        return self._headings[column]

    def head_at(self, row: int) -> int:
        """The head of the chain that `row` belongs to."""
        assert self._snap is not None
        return self._snap.head_of(self.slot_at(row))

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008
        """Slots shown."""
        return 0 if parent.isValid() else len(self._order)

    def columnCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008
        """Columns."""
        return 0 if parent.isValid() else len(self._headings)

    def data(self, index: _Index, role: int = int(Qt.ItemDataRole.DisplayRole)) -> Any:
        """A cell's text, font, alignment; the state's colour beside its word."""
        if self._snap is None:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return self.cells(self.slot_at(index.row()))[index.column()]
        if role == Qt.ItemDataRole.FontRole:
            return self._font
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignRight if index.column() in self._right else Qt.AlignmentFlag.AlignLeft
            return int(side | Qt.AlignmentFlag.AlignVCenter)
        if role == Qt.ItemDataRole.DecorationRole and index.column() == _STATE:
            return swatch(self._state_color(index.row()))
        return None

    def _state_color(self, row: int) -> QColor:
        assert self._snap is not None
        return self.theme.ring(RING_STATES[int(self._snap.states[self.slot_at(row)])])

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = int(Qt.ItemDataRole.DisplayRole)) -> Any:
        """The headings."""
        if orientation != Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return t(self._headings[section])
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignRight if section in self._right else Qt.AlignmentFlag.AlignLeft
            return int(side | Qt.AlignmentFlag.AlignVCenter)
        return None

    def text(self) -> str:
        """Headings and shown rows, tab-separated."""
        rows = [tuple(map(t, self._headings)), *(self.cells(slot) for slot in self._order.tolist())]
        return "\n".join("\t".join(row) for row in rows)
