"""Pixmaps that know how they were drawn, so that a figure can draw them again as shapes.

Nothing is remembered until `remember_drawings` says so: a window on a screen has no use for it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from PySide6.QtCore import QRect, QRectF, QSize
from PySide6.QtGui import QColor, QIcon, QIconEngine, QPaintEngine, QPainter, QPixmap

Drawing = Callable[[QPainter, QRectF], None]
"""Draws a picture into a box of a painter."""

_VECTOR_ENGINES: Final = (QPaintEngine.Type.User, QPaintEngine.Type.Pdf)
_MOST: Final = 20_000


class _Drawings:
    """What is remembered; `on` once somebody draws figures."""

    def __init__(self) -> None:
        self.on = False
        self.by_key: dict[int, Drawing] = {}


_DRAWINGS: Final = _Drawings()


def remember_drawings() -> None:
    """From now on `drawn` keeps what it is told."""
    _DRAWINGS.on = True


def remembering() -> bool:
    """Whether drawings are kept."""
    return _DRAWINGS.on


def drawn(pixmap: QPixmap, drawing: Drawing) -> QPixmap:
    """`pixmap`, which shows what `drawing` draws into a box of its logical size."""
    if _DRAWINGS.on:
        if len(_DRAWINGS.by_key) >= _MOST:
            _DRAWINGS.by_key.clear()
        _DRAWINGS.by_key[pixmap.cacheKey()] = drawing
    return pixmap


def drawing_of(pixmap: QPixmap) -> Drawing | None:
    """How `pixmap` was drawn, None when nobody said."""
    return _DRAWINGS.by_key.get(pixmap.cacheKey())


class _Swatch(QIconEngine):
    """A square of one colour."""

    def __init__(self, color: QColor) -> None:
        super().__init__()
        self._color = color

    def paint(self, painter: QPainter, rect: QRect, mode: QIcon.Mode, state: QIcon.State) -> None:
        """All of `rect`."""
        painter.fillRect(rect, self._color)

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        """As large as is asked for."""
        found = QPixmap(size)
        found.fill(self._color)
        return drawn(found, lambda painter, box: painter.fillRect(box, self._color))


def swatch(color: QColor) -> QColor | QIcon:
    """What a model says to decorate a cell with a colour: the colour itself, or, for figures, an icon that stays a shape."""
    return QIcon(_Swatch(color)) if _DRAWINGS.on else color


def paints_vectors(painter: QPainter) -> bool:
    """Whether what `painter` draws stays shapes."""
    engine = painter.paintEngine()
    return engine is not None and engine.type() in _VECTOR_ENGINES


def paints_anew(painter: QPainter, ratio: float) -> bool:
    """Whether a pixmap of `ratio` pixels for each logical one would not do: shapes are kept, or the picture is finer."""
    return paints_vectors(painter) or abs(painter.deviceTransform().m11() - ratio) > 0.01
