"""Icons of `resources/icons` in the theme's colours: their SVGs draw in ``currentColor``, which is replaced."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from PySide6.QtCore import QByteArray, QRectF, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from ringscope.theme import Theme
from ringscope_resources import icon as icon_path

SIZE: Final = 16
"""The size, in pixels at scale 1, that icons are rendered for."""


@lru_cache(maxsize=512)
def _renderer(name: str, color: str) -> QSvgRenderer:
    source = icon_path(name).read_bytes().replace(b"currentColor", color.encode())
    return QSvgRenderer(QByteArray(source))


def paint_icon(painter: QPainter, name: str, box: QRectF, color: QColor) -> None:
    """Draw icon `name` into `box`."""
    _renderer(name, color.name()).render(painter, box)


def _pixmap(name: str, color: QColor, scale: int) -> QPixmap:
    pixmap = QPixmap(SIZE * scale, SIZE * scale)
    pixmap.setDevicePixelRatio(scale)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setOpacity(color.alphaF())
    paint_icon(painter, name, QRectF(0, 0, SIZE, SIZE), color)
    painter.end()
    return pixmap


def icon(name: str, theme: Theme, meaning: str = "text") -> QIcon:
    """Icon `name` in the colour of `meaning`, with a faint one for the disabled state; FileNotFoundError for a name that does not ship."""
    result = QIcon()
    for scale in (1, 2):
        result.addPixmap(_pixmap(name, theme.color(meaning), scale))
        result.addPixmap(_pixmap(name, theme.color("text.faint", 120), scale), QIcon.Mode.Disabled)
    return result
