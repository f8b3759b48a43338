"""Makes widgets fit a picture, which nobody scrolls: no scroll bars, every column in sight, arrows where a style sheet leaves them out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol, runtime_checkable

from PySide6.QtCore import QPoint, QPointF, QRect, Qt
from PySide6.QtGui import QPainter, QPen, QPolygonF
from PySide6.QtWidgets import QAbstractItemView, QAbstractScrollArea, QComboBox, QHeaderView, QTableView, QTreeView, QWidget

from ringscope.theme import Theme

_LEAST: Final = 40
"""Pixels that a column keeps when not all texts fit."""
_LEAST_CELL: Final = 24
"""The same where all values fit."""
_NAMES: Final = 0.6
"""The share of a tree's width that its names may take before other columns."""
_AIR: Final = 4
"""Pixels between the longest text of a column and the next column."""
_ARROW_INSET: Final = 11
"""Pixels from the right edge of a box to the middle of its arrow."""


@runtime_checkable
class KnowsWidths(Protocol):
    """The model of a table whose values change with the moment, and their widths with them."""

    def cell_widths(self) -> list[int]:
        """Pixels that each column's values take at any moment; empty when that is not known."""
        ...


def bare(widget: QWidget) -> None:
    """Take away what only helps a person at a window: scroll bars and sort arrows."""
    for area in widget.findChildren(QAbstractScrollArea):
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        if isinstance(area, QHeaderView):
            area.setSortIndicatorShown(False)


class Columns:
    """The columns of every table and tree below a widget, as wide as each moment needs them."""

    def __init__(self, widget: QWidget) -> None:
        self._widget = widget
        self._given: dict[QHeaderView, dict[int, int]] = {}
        """The widths that views gave: what was fitted to one moment has no part in the next."""

    def fit(self) -> None:
        """Share the width of each so that no column is hidden, and no text is cut that need not be."""
        for view in self._widget.findChildren(QAbstractItemView):
            header = view.horizontalHeader() if isinstance(view, QTableView) else view.header() if isinstance(view, QTreeView) else None
            if header is not None and not header.isHidden() and view.isVisible():
                self._fit(view, header)

    def _fit(self, view: QAbstractItemView, header: QHeaderView) -> None:
        columns = [column for column in range(header.count()) if not header.isSectionHidden(column)]
        given = self._given.setdefault(header, {})
        now = [given.setdefault(column, header.sectionSize(column)) for column in columns]
        header.setMinimumSectionSize(min(header.minimumSectionSize(), _LEAST_CELL))
        model = view.model()
        widths = model.cell_widths() if isinstance(model, KnowsWidths) else []
        hints = [widths[column] if column < len(widths) else view.sizeHintForColumn(column) for column in columns]
        cells = [max(hint + _AIR, header.minimumSectionSize()) for hint in hints]
        needed = [max(cell, header.sectionSizeHint(column) + _AIR) for cell, column in zip(cells, columns, strict=True)]
        room = view.viewport().width()
        fits = sum(now) <= room and all(width >= need for width, need in zip(now, needed, strict=True))
        if fits and [header.sectionSize(column) for column in columns] == now:
            return
        for column, width in zip(columns, now if fits else shared(now, needed, room, cells, isinstance(view, QTreeView)), strict=True):
            header.resizeSection(column, width)
        view.horizontalScrollBar().setValue(0)


def shared(now: list[int], needed: list[int], room: int, cells: Sequence[int] = (), names_first: bool = False) -> list[int]:
    """Widths of columns that together take at most `room`, each what it needs where that can be; room that is left goes where it was.

    Where there is too little, headings give way before `cells`, what the values need; with `names_first` the first column, a tree's, comes
    before the others as far as `_NAMES` of the room.
    """
    spare = room - sum(needed)
    if spare >= 0:
        extra = [max(width - need, 0) for width, need in zip(now, needed, strict=True)]
        total = sum(extra)
        return [need + (spare * more // total if total > spare else more) for need, more in zip(needed, extra, strict=True)]
    if names_first and len(needed) > 1:
        first = min(needed[0], max(int(_NAMES * room), room - sum(needed[1:])))
        return [first, *shared(now[1:], needed[1:], room - first, cells[1:])]
    least = list(cells) if cells and sum(cells) <= room else [min(need, _LEAST) for need in needed]
    # the widest give way, down to one width that all of them have
    low, high = 0, max(needed, default=0)
    while low < high:
        middle = (low + high + 1) // 2
        if sum(min(need, max(middle, own)) for need, own in zip(needed, least, strict=True)) <= room:
            low = middle
        else:
            high = middle - 1
    return [min(need, max(low, own)) for need, own in zip(needed, least, strict=True)]


def paint_arrows(painter: QPainter, widget: QWidget, theme: Theme, frame: QRect) -> None:
    """The arrows of boxes to choose from, within `frame`; `painter` is in the pixels of `widget`."""
    painter.save()
    painter.setClipRect(frame, Qt.ClipOperation.IntersectClip)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    for box in widget.findChildren(QComboBox):
        if not box.isVisibleTo(widget) or box.visibleRegion().isEmpty():
            continue
        at = QPointF(box.mapTo(widget, QPoint(box.width() - _ARROW_INSET, box.height() // 2)))
        painter.setPen(QPen(theme.color("text.muted"), 1.4, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin))
        painter.drawPolyline(QPolygonF([at + QPointF(-3.5, -1.5), at + QPointF(0, 2), at + QPointF(3.5, -1.5)]))
    painter.restore()
