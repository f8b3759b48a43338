"""Makes widgets fit a picture, which nobody scrolls: no scroll bars, every column in sight, arrows where a style sheet leaves them out."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QPoint, QPointF, QRect, Qt
from PySide6.QtGui import QPainter, QPen, QPolygonF
from PySide6.QtWidgets import QAbstractItemView, QAbstractScrollArea, QComboBox, QHeaderView, QTableView, QTreeView, QWidget

from ringscope.theme import Theme

_LEAST: Final = 40
"""Pixels that a column keeps when not all texts fit."""
_AIR: Final = 4
"""Pixels between the longest text of a column and the next column."""
_ARROW_INSET: Final = 11
"""Pixels from the right edge of a box to the middle of its arrow."""


def bare(widget: QWidget) -> None:
    """Take away what only helps a person at a window: scroll bars and sort arrows."""
    for area in widget.findChildren(QAbstractScrollArea):
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        if isinstance(area, QHeaderView):
            area.setSortIndicatorShown(False)


def fit_columns(widget: QWidget) -> None:
    """Share the width of each table and tree below `widget` so that no column is hidden, and no text is cut that need not be."""
    for view in widget.findChildren(QAbstractItemView):
        header = view.horizontalHeader() if isinstance(view, QTableView) else view.header() if isinstance(view, QTreeView) else None
        if header is None or header.isHidden() or not view.isVisible():
            continue
        columns = [column for column in range(header.count()) if not header.isSectionHidden(column)]
        now = [header.sectionSize(column) for column in columns]
        needed = [max(view.sizeHintForColumn(column), header.sectionSizeHint(column)) + _AIR for column in columns]
        room = view.viewport().width()
        if sum(now) <= room and all(width >= need for width, need in zip(now, needed, strict=True)):
            continue
        for column, width in zip(columns, shared(now, needed, room), strict=True):
            header.resizeSection(column, width)
        view.horizontalScrollBar().setValue(0)


def shared(now: list[int], needed: list[int], room: int) -> list[int]:
    """Widths of columns that together take at most `room`, each what it needs where that can be; room that is left goes where it was."""
    spare = room - sum(needed)
    if spare >= 0:
        extra = [max(width - need, 0) for width, need in zip(now, needed, strict=True)]
        total = sum(extra)
        return [need + (spare * more // total if total > spare else more) for need, more in zip(needed, extra, strict=True)]
    # the widest give way, down to one width that all of them have
    low, high = 0, max(needed, default=0)
    while low < high:
        middle = (low + high + 1) // 2
        if sum(min(need, max(middle, _LEAST)) for need in needed) <= room:
            low = middle
        else:
            high = middle - 1
    return [min(need, max(low, _LEAST)) for need in needed]


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
