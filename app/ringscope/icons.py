"""Icons drawn with a pen in the theme's colours: sharp at any size and right in both themes.

Each icon is a few strokes on a grid of 16 by 16: ``M`` and ``L`` move and draw, ``Z`` closes, ``R x y w h`` is a rectangle, ``O x y r``
a circle.  A leading ``+`` fills instead of stroking.
"""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPainterPath, QPen, QPixmap

from ringscope.theme import Theme

SHAPES: Final[dict[str, tuple[str, ...]]] = {
    "run": ("+M 4.5 3 L 13 8 L 4.5 13 Z",),
    "pause": ("+R 4 3 3 10", "+R 9 3 3 10"),
    "step": ("+M 3 3.5 L 9.5 8 L 3 12.5 Z", "+R 11 3.5 2 9"),
    "over": ("M 2.5 9 L 4 5 L 8 3.5 L 12 5 L 13 8", "+M 10.4 7 L 15 7 L 13 10.5 Z", "+O 8 12 1.8"),
    "into": ("M 8 2 L 8 8", "+M 4.8 6 L 11.2 6 L 8 10 Z", "+O 8 13 1.8"),
    "out": ("M 8 10 L 8 4.5", "+M 4.8 6 L 11.2 6 L 8 2 Z", "+O 8 13 1.8"),
    "back": ("+M 13 3.5 L 6.5 8 L 13 12.5 Z", "+R 3 3.5 2 9"),
    "restart": ("M 12.5 5 L 10 3 L 7 2.8 L 4.2 4.4 L 3 7.4 L 3.6 10.4 L 6 12.7 L 9 13.2 L 11.8 11.8 L 13.2 9", "+M 13.8 2 L 13.8 6.8 L 9.2 6.2 Z"),
    "follow": ("M 2 8 L 10 8", "+M 8.5 4.5 L 12.5 8 L 8.5 11.5 Z", "M 14 3 L 14 13"),
    "types": ("R 1.5 6 4 4", "R 10.5 2 4 4", "R 10.5 10 4 4", "M 5.5 8 L 8 8 L 8 4 L 10.5 4", "M 8 8 L 8 12 L 10.5 12"),
    "objects": ("M 3 2 L 3 13 L 8 13", "M 3 7.5 L 8 7.5", "R 8.5 5.5 5 4", "R 8.5 11 5 4", "+R 1.5 1 4 3"),
    "realize": ("M 1.5 3 L 14.5 3", "M 3.5 6.5 L 13 6.5", "M 5.5 10 L 11.5 10", "M 7.5 13.5 L 9.5 13.5"),
    "rings": ("O 8 8 6", "O 8 8 2.8", "M 8 2 L 8 5", "M 8 11 L 8 14", "M 2 8 L 5 8", "M 11 8 L 14 8"),
    "throughput": ("M 1.5 2 L 1.5 14 L 14.5 14", "M 3.5 11 L 6.5 6.5 L 9 9 L 13.5 3.5"),
    "events": ("M 5 3.5 L 14.5 3.5", "M 5 8 L 14.5 8", "M 5 12.5 L 14.5 12.5", "+O 2.2 3.5 1.2", "+O 2.2 8 1.2", "+O 2.2 12.5 1.2"),
    "inspector": ("O 7 7 4.5", "M 10.4 10.4 L 14 14"),
    "time": ("O 8 8 6", "M 8 4.5 L 8 8 L 10.8 9.6"),
    "search": ("O 7 7 4.5", "M 10.4 10.4 L 14 14"),
    "palette": ("M 2.5 4 L 6.5 8 L 2.5 12", "M 8 12.5 L 13.5 12.5"),
    "fit": ("M 2 5.5 L 2 2 L 5.5 2", "M 10.5 2 L 14 2 L 14 5.5", "M 14 10.5 L 14 14 L 10.5 14", "M 5.5 14 L 2 14 L 2 10.5", "R 5 5 6 6"),
    "plus": ("M 8 3 L 8 13", "M 3 8 L 13 8"),
    "minus": ("M 3 8 L 13 8",),
    "fold": ("R 2.5 2.5 11 11", "M 5 8 L 11 8"),
    "unfold": ("R 2.5 2.5 11 11", "M 5 8 L 11 8", "M 8 5 L 8 11"),
    "table": ("R 2 2.5 12 11", "M 2 6.5 L 14 6.5", "M 2 10 L 14 10", "M 6.5 6.5 L 6.5 13.5"),
    "theme": ("O 8 8 5.5", "+M 8 2.5 L 10.5 3.2 L 12.6 5 L 13.5 8 L 12.6 11 L 10.5 12.8 L 8 13.5 Z"),
    "open": ("M 1.5 13 L 1.5 3 L 6 3 L 7.5 5 L 14.5 5 L 14.5 13 Z",),
    "save": ("R 2.5 2.5 11 11", "R 5 2.5 6 4", "R 5 9 6 4.5"),
    "mark": ("+M 4 2 L 12 2 L 12 14 L 8 10.5 L 4 14 Z",),
    "previous": ("M 10.5 2.5 L 5 8 L 10.5 13.5",),
    "next": ("M 5.5 2.5 L 11 8 L 5.5 13.5",),
    "copy": ("R 2.5 2.5 8 9", "M 5.5 14 L 13.5 14 L 13.5 5.5"),
    "keyboard": ("R 1.5 4 13 8.5", "M 4.5 10 L 11.5 10", "+O 4.5 7 0.7", "+O 7 7 0.7", "+O 9.5 7 0.7", "+O 12 7 0.7"),
    "close": ("M 3.5 3.5 L 12.5 12.5", "M 12.5 3.5 L 3.5 12.5"),
}


def _path(shape: str) -> QPainterPath:
    path = QPainterPath()
    words = shape.lstrip("+").split()
    at = 0
    while at < len(words):
        verb = words[at]
        count = {"M": 2, "L": 2, "Z": 0, "R": 4, "O": 3}[verb]
        numbers = [float(word) for word in words[at + 1 : at + 1 + count]]
        at += 1 + count
        if verb == "M":
            path.moveTo(*numbers)
        elif verb == "L":
            path.lineTo(*numbers)
        elif verb == "Z":
            path.closeSubpath()
        elif verb == "R":
            path.addRect(QRectF(*numbers))
        else:
            path.addEllipse(QPointF(numbers[0], numbers[1]), numbers[2], numbers[2])
    return path


def paint_icon(painter: QPainter, name: str, box: QRectF, color: QColor) -> None:
    """Draw icon `name` into `box`."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.translate(box.topLeft())
    painter.scale(box.width() / 16, box.height() / 16)
    pen = QPen(color, 1.5, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin)
    for shape in SHAPES[name]:
        path = _path(shape)
        if shape.startswith("+"):
            painter.fillPath(path, color)
        else:
            painter.strokePath(path, pen)
    painter.restore()


def _pixmap(name: str, color: QColor, scale: int) -> QPixmap:
    pixmap = QPixmap(16 * scale, 16 * scale)
    pixmap.setDevicePixelRatio(scale)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    paint_icon(painter, name, QRectF(0, 0, 16, 16), color)
    painter.end()
    return pixmap


def icon(name: str, theme: Theme, meaning: str = "text") -> QIcon:
    """Icon `name` in the colour of `meaning`, with a faint one for the disabled state."""
    result = QIcon()
    for scale in (1, 2):
        result.addPixmap(_pixmap(name, theme.color(meaning), scale))
        result.addPixmap(_pixmap(name, theme.color("text.faint", 110), scale), QIcon.Mode.Disabled)
    return result
