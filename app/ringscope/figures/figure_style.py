"""The style that figures are drawn in: Fusion, with its small pictures as shapes wherever the file can hold shapes."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QImage, QPainter, QPalette, QPixmap, QPolygonF
from PySide6.QtWidgets import QProxyStyle, QStyle, QStyleOption, QStyleOptionHeader, QWidget

from ringscope.vectors import drawing_of, paints_anew

_ARROWS: Final = {
    QStyle.PrimitiveElement.PE_IndicatorArrowDown: ((-1.0, -0.5), (1.0, -0.5), (0.0, 0.5)),
    QStyle.PrimitiveElement.PE_IndicatorArrowUp: ((-1.0, 0.5), (1.0, 0.5), (0.0, -0.5)),
    QStyle.PrimitiveElement.PE_IndicatorArrowRight: ((-0.5, -1.0), (-0.5, 1.0), (0.5, 0.0)),
    QStyle.PrimitiveElement.PE_IndicatorArrowLeft: ((0.5, -1.0), (0.5, 1.0), (-0.5, 0.0)),
}
"""Corners of each arrow, in halves of its width."""
_HALF: Final = 4.0
"""Pixels of half an arrow's width."""


class FigureStyle(QProxyStyle):
    """Fusion, but arrows and icons are shapes."""

    def __init__(self) -> None:
        super().__init__("Fusion")
        # the theme asks by this name whether the style is set
        self.setObjectName("fusion")

    def drawItemPixmap(self, painter: QPainter, rect: QRect, alignment: int, pixmap: QPixmap | QImage) -> None:
        """A pixmap whose drawing is known is drawn again where shapes are kept, or the picture is finer."""
        drawing = drawing_of(pixmap) if isinstance(pixmap, QPixmap) and paints_anew(painter, 1.0) else None
        if drawing is None or not isinstance(pixmap, QPixmap):
            super().drawItemPixmap(painter, rect, alignment, pixmap)
            return
        size = pixmap.deviceIndependentSize().toSize()
        box = QStyle.alignedRect(Qt.LayoutDirection.LeftToRight, Qt.AlignmentFlag(alignment), size, rect)
        painter.save()
        drawing(painter, QRectF(box))
        painter.restore()

    def drawPrimitive(self, element: QStyle.PrimitiveElement, option: QStyleOption, painter: QPainter, widget: QWidget | None = None) -> None:
        """Arrows, also those of branches, which Fusion keeps as pixmaps."""
        if element == QStyle.PrimitiveElement.PE_IndicatorHeaderArrow and isinstance(option, QStyleOptionHeader):
            up = option.sortIndicator == QStyleOptionHeader.SortIndicator.SortUp
            element = QStyle.PrimitiveElement.PE_IndicatorArrowUp if up else QStyle.PrimitiveElement.PE_IndicatorArrowDown
        if element in _ARROWS:
            _arrow(element, option, painter)
            return
        if element == QStyle.PrimitiveElement.PE_IndicatorBranch:
            if option.state & QStyle.StateFlag.State_Children:
                opened = bool(option.state & QStyle.StateFlag.State_Open)
                _arrow(QStyle.PrimitiveElement.PE_IndicatorArrowDown if opened else QStyle.PrimitiveElement.PE_IndicatorArrowRight, option, painter)
            return
        super().drawPrimitive(element, option, painter, widget)


def _arrow(element: QStyle.PrimitiveElement, option: QStyleOption, painter: QPainter) -> None:
    box = QRectF(option.rect)
    half = min(_HALF, box.width() / 2, box.height() / 2)
    if half <= 0:
        return
    middle = box.center()
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    group = QPalette.ColorGroup.Normal if option.state & QStyle.StateFlag.State_Enabled else QPalette.ColorGroup.Disabled
    painter.setBrush(option.palette.color(group, QPalette.ColorRole.Text))
    painter.drawPolygon(QPolygonF([middle + QPointF(x * half, y * half) for x, y in _ARROWS[element]]))
    painter.restore()
