"""Icons of `resources/icons` in the theme's colours: their SVGs draw in ``currentColor``, which is replaced."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from PySide6.QtCore import QByteArray, QPoint, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QIcon, QIconEngine, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from ringscope.theme import Theme
from ringscope.vectors import drawn, remembering
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


class _DrawnIcon(QIconEngine):
    """An icon that figures draw as shapes."""

    def __init__(self, name: str, normal: QColor, disabled: QColor) -> None:
        super().__init__()
        self._name, self._normal, self._disabled = name, normal, disabled

    def _color(self, mode: QIcon.Mode) -> QColor:
        return self._disabled if mode == QIcon.Mode.Disabled else self._normal

    def paint(self, painter: QPainter, rect: QRect, mode: QIcon.Mode, state: QIcon.State) -> None:
        """Into the largest square in the middle of `rect`."""
        side = min(rect.width(), rect.height())
        box = QRectF(rect.x() + (rect.width() - side) / 2, rect.y() + (rect.height() - side) / 2, side, side)
        painter.save()
        self._again(painter, box, self._color(mode))
        painter.restore()

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        """At the size nearest to what is asked for."""
        color = self._color(mode)
        found = QPixmap(size)
        found.fill(Qt.GlobalColor.transparent)
        painter = QPainter(found)
        self.paint(painter, QRect(QPoint(0, 0), size), mode, state)
        painter.end()
        return drawn(found, lambda target, box: self._again(target, box, color))

    def _again(self, painter: QPainter, box: QRectF, color: QColor) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setOpacity(painter.opacity() * color.alphaF())
        paint_icon(painter, self._name, box, color)


def icon(name: str, theme: Theme, meaning: str = "text") -> QIcon:
    """Icon `name` in the colour of `meaning`, with a faint one for the disabled state; FileNotFoundError for a name that does not ship."""
    if remembering():
        icon_path(name)
        return QIcon(_DrawnIcon(name, theme.color(meaning), theme.color("text.faint", 120)))
    result = QIcon()
    for scale in (1, 2):
        result.addPixmap(_pixmap(name, theme.color(meaning), scale))
        result.addPixmap(_pixmap(name, theme.color("text.faint", 120), scale), QIcon.Mode.Disabled)
    return result
