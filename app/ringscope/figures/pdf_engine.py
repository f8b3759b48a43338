"""A paint engine of Qt that paints everything again with another painter, each shape cut as it was cut the first time.

Qt's PDF writer knows the clips of painters, not those of widgets: what a scroll area hides would show.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QFont, QImage, QPaintEngine, QPainter, QPainterPath, QPixmap, QPolygonF, QTextItem

from ringscope.figures.engine import Engine, kept
from ringscope.vectors import drawing_of


def _again(method: Callable[..., None]) -> Callable[..., None]:
    """Brings the other painter into the state of this one first."""

    @kept
    @wraps(method)
    def ready(self: AgainEngine, *args: Any) -> None:
        if self.ready():
            method(self, *args)

    return ready


class AgainEngine(Engine):
    """Paints with `other` what is painted on its device; both have the same coordinates."""

    def __init__(self, other: QPainter) -> None:
        super().__init__()
        self.other = other
        self._nothing = False

    def ready(self) -> bool:
        """Take over pen, brush, transform and clip; false when nothing would be seen."""
        own, other = self.painter(), self.other
        if self.clip_changed():
            self._clip()
        if self._nothing:
            return False
        other.setTransform(own.deviceTransform())
        other.setPen(own.pen())
        other.setBrush(own.brush())
        other.setBrushOrigin(own.brushOrigin())
        other.setBackground(own.background())
        other.setBackgroundMode(own.backgroundMode())
        other.setOpacity(own.opacity())
        other.setRenderHint(QPainter.RenderHint.Antialiasing, bool(own.renderHints() & QPainter.RenderHint.Antialiasing))
        return True

    def _clip(self) -> None:
        outline = self.outline()
        self._nothing = outline is not None and outline.isEmpty()
        self.other.resetTransform()
        if outline is None:
            self.other.setClipping(False)
        else:
            self.other.setClipPath(outline)

    # -- what is painted ----------------------------------------------------------------------------------------------
    @_again
    def drawPath(self, path: QPainterPath) -> None:
        """Fill and outline."""
        self.other.drawPath(path)

    @_again
    def drawPolygon(self, points: Sequence[Any], *rest: Any) -> None:
        """A polygon, or a line through points."""
        mode = rest[-1] if rest else QPaintEngine.PolygonDrawMode.OddEvenMode
        corners = QPolygonF([QPointF(point) for point in points])
        if mode == QPaintEngine.PolygonDrawMode.PolylineMode:
            self.other.drawPolyline(corners)
        else:
            winding = mode == QPaintEngine.PolygonDrawMode.WindingMode
            self.other.drawPolygon(corners, Qt.FillRule.WindingFill if winding else Qt.FillRule.OddEvenFill)

    @_again
    def drawRects(self, rects: Sequence[Any], *rest: Any) -> None:
        """Rectangles."""
        for rect in rects:
            self.other.drawRect(QRectF(rect))

    @_again
    def drawLines(self, lines: Sequence[Any], *rest: Any) -> None:
        """Lines."""
        for line in lines:
            self.other.drawLine(QLineF(line))

    @_again
    def drawEllipse(self, rect: Any) -> None:
        """An ellipse."""
        self.other.drawEllipse(QRectF(rect))

    @_again
    def drawPoints(self, points: Sequence[Any], *rest: Any) -> None:
        """Dots of the pen's width."""
        for point in points:
            self.other.drawPoint(QPointF(point))

    @_again
    def drawTextItem(self, p: Any, textItem: QTextItem) -> None:
        """Text, in the font that was found for it."""
        self.other.setFont(_whole(textItem.font()))
        self.other.drawText(QPointF(p), textItem.text())

    @_again
    def drawPixmap(self, r: Any, pm: QPixmap, sr: Any) -> None:
        """A picture that really is one; what was drawn into it as shapes is drawn as shapes again."""
        drawing = drawing_of(pm)
        if drawing is not None:
            self.other.save()
            drawing(self.other, QRectF(r))
            self.other.restore()
            return
        self.other.drawPixmap(QRectF(r), pm, QRectF(sr))

    @_again
    def drawTiledPixmap(self, r: Any, pixmap: QPixmap, s: Any) -> None:
        """A pattern of pictures."""
        self.other.drawTiledPixmap(QRectF(r), pixmap, QPointF(s))

    @_again
    def drawImage(self, r: Any, pm: QImage, sr: Any, flags: Any = None) -> None:
        """A picture that really is one."""
        self.other.drawImage(QRectF(r), pm, QRectF(sr))


def _whole(font: QFont) -> QFont:
    """The same with everything said outright: what a font only inherits, a painter would take from its device's."""
    same = QFont(font)
    same.setFamilies(font.families())
    if font.pixelSize() > 0:
        same.setPixelSize(font.pixelSize())
    else:
        same.setPointSizeF(font.pointSizeF())
    same.setWeight(font.weight())
    same.setItalic(font.italic())
    same.setUnderline(font.underline())
    same.setStrikeOut(font.strikeOut())
    same.setStyleStrategy(font.styleStrategy())
    same.setLetterSpacing(font.letterSpacingType(), font.letterSpacing())
    for feature in ("calt", "liga"):
        same.setFeature(QFont.Tag(feature), 0)
    return same
