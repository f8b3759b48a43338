"""The ring picture's twin: every descriptor as a row, sorted and filtered by number, cheap enough to follow live traffic."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt
from PySide6.QtGui import QColor, QFont

from ringscope.theme import LIGHT, RING_STATES, Theme, mono_font
from ringscope.views.rings.model import STATES, RingSnapshot, flag_words

_Index = QModelIndex | QPersistentModelIndex

HEADINGS: Final = ("slot", "head", "state", "addr", "len", "flags", "next")
_STATE: Final = 2
_RIGHT: Final = frozenset((0, 1, 4, 6))


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
        self._cells: dict[int, tuple[str, ...]] = {}
        """Texts of the slots that were asked for: a row is asked for column by column."""

    def show_ring(self, snap: RingSnapshot | None) -> None:
        """Show `snap`; rows stay where they are when the order has not changed."""
        self._snap = snap
        self._cells = {}
        self._arrange()

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
            self.dataChanged.emit(self.index(0, 0), self.index(len(order) - 1, len(HEADINGS) - 1))

    def _new_order(self) -> npt.NDArray[np.int64]:
        snap = self._snap
        if snap is None:
            return np.zeros(0, np.int64)
        keys = (np.arange(snap.num), np.asarray(snap.heads), snap.states, snap.desc["addr"], snap.desc["len"], snap.desc["flags"], snap.desc["next"])
        order = np.argsort(keys[self._column], kind="stable")
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
        """One slot as text, in the order of `HEADINGS`."""
        found = self._cells.get(slot)
        if found is None:
            found = self._cells[slot] = self._cells_of(slot)
        return found

    def _cells_of(self, slot: int) -> tuple[str, ...]:
        snap = self._snap
        assert snap is not None
        addr, length, flags, following = snap.desc[slot].item()
        head = snap.heads[slot]
        state = int(snap.states[slot])
        chained = str(following) if flags & 1 else ""
        return (str(slot), str(head) if head >= 0 else "", STATES[state], f"0x{addr:x}", str(length), flag_words(flags), chained)

    def row_of(self, slot: int) -> int:
        """The row that shows `slot`, -1 when the filter hides it."""
        rows = np.flatnonzero(self._order == slot)
        return int(rows[0]) if len(rows) else -1

    def slot_at(self, row: int) -> int:
        """The slot that `row` shows."""
        return int(self._order[row])

    def head_at(self, row: int) -> int:
        """The head of the chain that `row` belongs to."""
        assert self._snap is not None
        return self._snap.head_of(self.slot_at(row))

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008
        """Slots shown."""
        return 0 if parent.isValid() else len(self._order)

    def columnCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008
        """Columns."""
        return 0 if parent.isValid() else len(HEADINGS)

    def data(self, index: _Index, role: int = int(Qt.ItemDataRole.DisplayRole)) -> Any:
        """A cell's text, font, alignment; the state's colour beside its word."""
        if self._snap is None:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return self.cells(self.slot_at(index.row()))[index.column()]
        if role == Qt.ItemDataRole.FontRole:
            return self._font
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignRight if index.column() in _RIGHT else Qt.AlignmentFlag.AlignLeft
            return int(side | Qt.AlignmentFlag.AlignVCenter)
        if role == Qt.ItemDataRole.DecorationRole and index.column() == _STATE:
            return self._state_color(index.row())
        return None

    def _state_color(self, row: int) -> QColor:
        assert self._snap is not None
        return self.theme.ring(RING_STATES[int(self._snap.states[self.slot_at(row)])])

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = int(Qt.ItemDataRole.DisplayRole)) -> Any:
        """The headings."""
        if orientation != Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return HEADINGS[section]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignRight if section in _RIGHT else Qt.AlignmentFlag.AlignLeft
            return int(side | Qt.AlignmentFlag.AlignVCenter)
        return None

    def text(self) -> str:
        """Headings and shown rows, tab-separated."""
        rows = [HEADINGS, *(self.cells(slot) for slot in self._order.tolist())]
        return "\n".join("\t".join(row) for row in rows)
