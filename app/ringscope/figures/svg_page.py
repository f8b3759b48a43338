"""The elements of an SVG document in the order in which they are painted; neighbours that share clip and style share a group."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QFont, QGradient, QLinearGradient, QPainterPath, QRadialGradient, QTransform

from ringscope.figures.numbers import number
from ringscope.figures.svg_text import Texts

_HATCHES: Final = {
    Qt.BrushStyle.HorPattern: "M0,4H8",
    Qt.BrushStyle.VerPattern: "M4,0V8",
    Qt.BrushStyle.CrossPattern: "M0,4H8M4,0V8",
    Qt.BrushStyle.BDiagPattern: "M-1,1L1,-1M0,8L8,0M7,9L9,7",
    Qt.BrushStyle.FDiagPattern: "M-1,7L1,9M0,0L8,8M7,-1L9,1",
    Qt.BrushStyle.DiagCrossPattern: "M0,8L8,0M0,0L8,8",
}
"""Lines of each pattern in a square of 8 pixels; the dense ones are lighter fills."""
_DENSE: Final = {
    Qt.BrushStyle.Dense1Pattern: 0.94,
    Qt.BrushStyle.Dense2Pattern: 0.88,
    Qt.BrushStyle.Dense3Pattern: 0.63,
    Qt.BrushStyle.Dense4Pattern: 0.5,
    Qt.BrushStyle.Dense5Pattern: 0.37,
    Qt.BrushStyle.Dense6Pattern: 0.12,
    Qt.BrushStyle.Dense7Pattern: 0.06,
}

NOTHING: Final = "M0,0"
"""The clip that leaves nothing."""


class Page:
    """A document of `width` by `height` logical pixels."""

    def __init__(self, width: int, height: int) -> None:
        self._frame = QRectF(0, 0, width, height)
        self._texts = Texts()
        self._lines: list[str] = []
        self._clips: dict[str, int] = {}
        self._defs: dict[str, int] = {}
        self._clip = ""
        self._style = ""
        self._open = False

    # -- adding -------------------------------------------------------------------------------------------------------
    def shape(self, clip: str, style: str, path: QPainterPath) -> None:
        """A shape, filled and outlined as `style` says, cut by the outline `clip` ("" for none)."""
        if clip == NOTHING:
            return
        box = _rectangle(path)
        if box is None:
            element = f'<path d="{data(path)}"/>'
        elif box.isEmpty() and "stroke=" not in style:
            return
        else:
            element = f'<rect x="{number(box.x())}" y="{number(box.y())}" width="{number(box.width())}" height="{number(box.height())}"/>'
        self._put(clip, style, element)

    def text(self, clip: str, style: str, text: str, x: float, y: float, font: QFont, width: float, rest: str) -> None:
        """`text` with its base line beginning at (x, y), `width` pixels long."""
        if clip != NOTHING:
            self._put(clip, style, self._texts.element(text, x, y, font, width, rest))

    def picture(self, clip: str, box: QRectF, png: str, opacity: float, rest: str) -> None:
        """Pixels, for what has no shapes."""
        if clip == NOTHING:
            return
        faint = f' opacity="{number(opacity, 3)}"' if opacity < 0.9995 else ""
        place = f'x="{number(box.x())}" y="{number(box.y())}" width="{number(box.width())}" height="{number(box.height())}"'
        self._put(clip, "", f'<image {place} preserveAspectRatio="none"{faint}{rest} xlink:href="data:image/png;base64,{png}"/>')

    def clip(self, outline: QPainterPath) -> str:
        """The outline as `shape` and `text` take it; "" when it cuts nothing."""
        box = _rectangle(outline)
        if box is not None and box.contains(self._frame):
            return ""
        return data(outline)

    def gradient(self, gradient: QGradient, moved: QTransform, opacity: float) -> str:
        """The words that fill with `gradient`, given in coordinates that `moved` brings into the picture."""
        stops = "".join(
            f'<stop offset="{number(place, 3)}" stop-color="{color.name()}" stop-opacity="{number(color.alphaF() * opacity, 3)}"/>'
            for place, color in gradient.stops()
        )
        units = "objectBoundingBox" if gradient.coordinateMode() != QGradient.CoordinateMode.LogicalMode else "userSpaceOnUse"
        if isinstance(gradient, QLinearGradient):
            first, last = gradient.start(), gradient.finalStop()
            if units == "userSpaceOnUse":
                first, last = moved.map(first), moved.map(last)
            kind, place = "linearGradient", f'x1="{number(first.x())}" y1="{number(first.y())}" x2="{number(last.x())}" y2="{number(last.y())}"'
        elif isinstance(gradient, QRadialGradient):
            middle = moved.map(gradient.center()) if units == "userSpaceOnUse" else gradient.center()
            radius = gradient.radius() * (abs(moved.determinant()) ** 0.5 if units == "userSpaceOnUse" else 1)
            kind, place = "radialGradient", f'cx="{number(middle.x())}" cy="{number(middle.y())}" r="{number(radius)}"'
        else:
            return f'fill="{gradient.stops()[0][1].name()}"'
        return f'fill="url(#{self._defined(f"<{kind} id=@ gradientUnits={units!r} {place}>{stops}</{kind}>")})"'.replace("'", '"')

    def hatching(self, pattern: Qt.BrushStyle, color: QColor, opacity: float) -> str:
        """The words that fill with one of Qt's patterns."""
        alpha = color.alphaF() * opacity
        if pattern in _DENSE:
            return f'fill="{color.name()}" fill-opacity="{number(alpha * _DENSE[pattern], 3)}"'
        lines = f'<path d="{_HATCHES[pattern]}" stroke="{color.name()}" stroke-opacity="{number(alpha, 3)}" fill="none"/>'
        return f'fill="url(#{self._defined(f"""<pattern id=@ width="8" height="8" patternUnits="userSpaceOnUse">{lines}</pattern>""")})"'

    # -- writing ------------------------------------------------------------------------------------------------------
    def body(self) -> list[str]:
        """The lines between the document's head and its end."""
        defs = [text.replace("id=@", f'id="d{place}"').replace("'", '"') for text, place in self._defs.items()]
        defs += [f'<clipPath id="c{place}"><path d="{outline}" clip-rule="evenodd"/></clipPath>' for outline, place in self._clips.items()]
        lines = ["<style>", *self._texts.faces(), "</style>"]
        if defs:
            lines += ["<defs>", *defs, "</defs>"]
        return [*lines, *self._lines, *["</g>"] * (self._open + bool(self._clip))]

    def _put(self, clip: str, style: str, element: str) -> None:
        if clip != self._clip:
            self._lines += ["</g>"] * (self._open + bool(self._clip))
            self._clip, self._open = clip, False
            if clip:
                self._lines.append(f'<g clip-path="url(#c{self._clips.setdefault(clip, len(self._clips))})">')
        if not self._open or style != self._style:
            self._lines += ["</g>"] * self._open
            self._lines.append(f"<g {style}>" if style else "<g>")
            self._open, self._style = True, style
        self._lines.append(element)

    def _defined(self, text: str) -> str:
        return f"d{self._defs.setdefault(text, len(self._defs))}"


def data(path: QPainterPath) -> str:
    """The path as SVG writes it."""
    words: list[str] = []
    count = path.elementCount()
    place = 0
    start = (0.0, 0.0)
    while place < count:
        element = path.elementAt(place)
        x, y = number(element.x), number(element.y)
        if element.isMoveTo():
            words.append(f"M{x},{y}")
            start = (element.x, element.y)
        elif element.isLineTo():
            last = place + 1 == count or path.elementAt(place + 1).isMoveTo()
            words.append("Z" if last and (element.x, element.y) == start else f"L{x},{y}")
        else:
            second, third = path.elementAt(place + 1), path.elementAt(place + 2)
            words.append(f"C{x},{y} {number(second.x)},{number(second.y)} {number(third.x)},{number(third.y)}")
            place += 2
        place += 1
    return "".join(words)


def _rectangle(path: QPainterPath) -> QRectF | None:
    """The rectangle that the path is, None for another shape."""
    if path.elementCount() != 5:
        return None
    points = [path.elementAt(place) for place in range(5)]
    if not all(point.isLineTo() for point in points[1:]) or (points[0].x, points[0].y) != (points[4].x, points[4].y):
        return None
    xs, ys = [point.x for point in points], [point.y for point in points]
    upright = xs[0] == xs[3] and xs[1] == xs[2] and ys[0] == ys[1] and ys[2] == ys[3]
    return QRectF(min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys)) if upright else None
