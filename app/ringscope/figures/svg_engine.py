"""A paint engine of Qt that keeps what is painted as SVG elements, all of them in the coordinates of the picture.

Qt's own writer leaves out the clips of widgets, puts those of painters into the wrong coordinates and needs `vector-effect`, which few
programs know.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Sequence
from typing import Any, Final

from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import (
    QBrush,
    QColor,
    QImage,
    QPaintEngine,
    QPainter,
    QPainterPath,
    QPen,
    QPixmap,
    QPolygonF,
    QTextItem,
    QTransform,
)

from ringscope.figures.engine import Engine, kept
from ringscope.figures.numbers import number
from ringscope.figures.png_file import png_bytes
from ringscope.figures.svg_page import NOTHING, Page
from ringscope.vectors import drawing_of

_CAPS: Final = {Qt.PenCapStyle.FlatCap: "butt", Qt.PenCapStyle.SquareCap: "square", Qt.PenCapStyle.RoundCap: "round"}
_JOINS: Final = {
    Qt.PenJoinStyle.MiterJoin: "miter",
    Qt.PenJoinStyle.SvgMiterJoin: "miter",
    Qt.PenJoinStyle.BevelJoin: "bevel",
    Qt.PenJoinStyle.RoundJoin: "round",
}
_HALF: Final = 0.5


class SvgEngine(Engine):
    """Writes everything that is painted on its device into `page`."""

    def __init__(self, page: Page) -> None:
        super().__init__()
        self.page = page
        self._clip = ""

    # -- shapes -------------------------------------------------------------------------------------------------------
    @kept
    def drawPath(self, path: QPainterPath) -> None:
        """Fill and outline."""
        self._shape(path)

    @kept
    def drawPolygon(self, points: Sequence[Any], *rest: Any) -> None:
        """A polygon, or a line through points."""
        mode = rest[-1] if rest else QPaintEngine.PolygonDrawMode.OddEvenMode
        path = QPainterPath()
        closed = mode != QPaintEngine.PolygonDrawMode.PolylineMode
        path.addPolygon(QPolygonF([QPointF(point) for point in points]))
        if closed:
            path.closeSubpath()
        path.setFillRule(Qt.FillRule.WindingFill if mode == QPaintEngine.PolygonDrawMode.WindingMode else Qt.FillRule.OddEvenFill)
        self._shape(path, filled=closed)

    @kept
    def drawRects(self, rects: Sequence[Any], *rest: Any) -> None:
        """Rectangles, each an element of its own."""
        for rect in rects:
            path = QPainterPath()
            path.addRect(QRectF(rect))
            self._shape(path)

    @kept
    def drawLines(self, lines: Sequence[Any], *rest: Any) -> None:
        """Lines, as one path."""
        path = QPainterPath()
        for line in lines:
            exact = QLineF(line)
            path.moveTo(exact.p1())
            path.lineTo(exact.p2() if exact.p1() != exact.p2() else exact.p2() + QPointF(0.01, 0))
        self._shape(path, filled=False)

    @kept
    def drawEllipse(self, rect: Any) -> None:
        """An ellipse."""
        path = QPainterPath()
        path.addEllipse(QRectF(rect))
        self._shape(path)

    @kept
    def drawPoints(self, points: Sequence[Any], *rest: Any) -> None:
        """Dots of the pen's width."""
        self.drawLines([QLineF(QPointF(point), QPointF(point)) for point in points])

    # -- texts and pictures -------------------------------------------------------------------------------------------
    @kept
    def drawTextItem(self, p: Any, textItem: QTextItem) -> None:
        """Text as text."""
        text = textItem.text()
        if not text.strip():
            return
        painter = self.painter()
        moved = painter.deviceTransform()
        fill = _paint("fill", painter.pen().color(), painter.opacity())
        plain = moved.type().value <= QTransform.TransformationType.TxTranslate.value
        at = moved.map(QPointF(p)) if plain else QPointF(p)
        turn = "" if plain else f' transform="{_matrix(moved)}"'
        self.page.text(self._clipped(), fill, text, at.x(), at.y(), textItem.font(), textItem.width(), turn)

    @kept
    def drawPixmap(self, r: Any, pm: QPixmap, sr: Any) -> None:
        """A picture that really is one; another is drawn again."""
        drawing = drawing_of(pm)
        if drawing is not None:
            painter = self.painter()
            painter.save()
            drawing(painter, QRectF(r))
            painter.restore()
            return
        self.drawImage(r, pm.copy(QRectF(sr).toRect()).toImage(), QRectF(0, 0, 0, 0))

    @kept
    def drawTiledPixmap(self, r: Any, pixmap: QPixmap, s: Any) -> None:
        """A pattern of pictures."""
        image = QImage(QRectF(r).toRect().size(), QImage.Format.Format_ARGB32_Premultiplied)
        image.fill(Qt.GlobalColor.transparent)
        painter = QPainter(image)
        painter.drawTiledPixmap(image.rect(), pixmap, QPointF(s).toPoint())
        painter.end()
        self.drawImage(r, image, QRectF(0, 0, 0, 0))

    @kept
    def drawImage(self, r: Any, pm: QImage, sr: Any, flags: Any = None) -> None:
        """A picture that really is one, as PNG."""
        part = QRectF(sr)
        image = pm if part.isEmpty() else pm.copy(part.toRect())
        moved = self.painter().deviceTransform()
        plain = moved.type().value <= QTransform.TransformationType.TxScale.value
        box = moved.mapRect(QRectF(r)) if plain else QRectF(r)
        turn = "" if plain else f' transform="{_matrix(moved)}"'
        self.page.picture(self._clipped(), box, base64.b64encode(png_bytes(image)).decode(), self.painter().opacity(), turn)

    # -- the parts ----------------------------------------------------------------------------------------------------
    def _shape(self, path: QPainterPath, filled: bool = True) -> None:
        painter = self.painter()
        moved = painter.deviceTransform()
        pen, brush = painter.pen(), painter.brush()
        fill = self._fill(brush, painter, moved) if filled else "none"
        line = pen.style() != Qt.PenStyle.NoPen and pen.color().alpha() > 0
        if fill == "none" and not line:
            return
        words = 'fill="none"' if fill == "none" else fill
        smooth = bool(painter.renderHints() & QPainter.RenderHint.Antialiasing)
        there = moved.map(path)
        level = _level(there)
        if line:
            width = pen.widthF() or 1.0
            width *= 1.0 if pen.isCosmetic() else math.sqrt(abs(moved.determinant()))
            if fill != "none" and not smooth and level:
                # a fill covers pixels, a line their middles
                self.page.shape(self._clipped(), words, there)
                words = 'fill="none"'
            words += f" {_stroke(pen, width, painter.opacity())}"
            if not smooth and round(width) % 2 == 1:
                there = there.translated(_HALF, _HALF)
        if words != 'fill="none"':
            self.page.shape(self._clipped(), words, there)

    def _fill(self, brush: QBrush, painter: QPainter, moved: QTransform) -> str:
        """The words of a brush: ``none``, or ``fill="..."`` and its opacity."""
        if brush.style() == Qt.BrushStyle.NoBrush:
            return "none"
        gradient = brush.gradient()
        if gradient is not None:
            return self.page.gradient(gradient, moved, painter.opacity())
        color = brush.color()
        if brush.style() == Qt.BrushStyle.SolidPattern or brush.style() == Qt.BrushStyle.TexturePattern:
            return _paint("fill", color, painter.opacity()) if color.alpha() else "none"
        return self.page.hatching(brush.style(), color, painter.opacity())

    def _clipped(self) -> str:
        """The clip that holds now, as the page takes it; "" for none."""
        if self.clip_changed():
            outline = self.outline()
            self._clip = "" if outline is None else self.page.clip(outline) if not outline.isEmpty() else NOTHING
        return self._clip


def _paint(name: str, color: QColor, opacity: float) -> str:
    alpha = color.alphaF() * opacity
    return f'{name}="{color.name()}"' + (f' {name}-opacity="{number(alpha, 3)}"' if alpha < 0.9995 else "")


def _stroke(pen: QPen, width: float, opacity: float) -> str:
    words = [_paint("stroke", pen.color(), opacity)]
    if abs(width - 1) > 1e-3:
        words.append(f'stroke-width="{number(width)}"')
    cap, join = _CAPS.get(pen.capStyle(), "butt"), _JOINS.get(pen.joinStyle(), "bevel")
    if cap != "square":
        words.append(f'stroke-linecap="{cap}"')
    if join != "bevel":
        words.append(f'stroke-linejoin="{join}"')
    if pen.style() != Qt.PenStyle.SolidLine:
        words.append(f'stroke-dasharray="{" ".join(number(length * max(width, 1)) for length in pen.dashPattern())}"')
        if pen.dashOffset():
            words.append(f'stroke-dashoffset="{number(pen.dashOffset() * max(width, 1))}"')
    return " ".join(words)


def _matrix(moved: QTransform) -> str:
    return f"matrix({' '.join(number(value, 5) for value in (moved.m11(), moved.m12(), moved.m21(), moved.m22(), moved.dx(), moved.dy()))})"


def _level(path: QPainterPath) -> bool:
    """Whether all its lines are upright or level."""
    elements = [path.elementAt(place) for place in range(path.elementCount())]
    return all(
        element.isMoveTo() or (element.isLineTo() and (abs(element.x - before.x) < 1e-6 or abs(element.y - before.y) < 1e-6))
        for before, element in zip(elements[:1] + elements, elements, strict=False)
    )
