"""Where things lie in the ring picture: concentric rings, labels beside them, and the way back from a point to a slot."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QPainterPath

from ringscope.views.rings.model import Band

LABEL_WIDTH: Final = 146.0
"""Room on either side of the circle for the labels of the indices."""
LABEL_HEIGHT: Final = 30.0
COMPACT_LABEL_HEIGHT: Final = 15.0
"""Of a label on one line."""
TWO_SIDED_WIDTH: Final = 640.0
"""Pictures narrower than this have their labels on one side."""
_MARGIN: Final = 28.0


class Hit(NamedTuple):
    """A place of the picture: which of its rings, and which slot of it."""

    band: str
    slot: int


class RingGeometry:
    """The circle inside `rect` for rings of `num` slots.  Slot 0 begins at twelve o'clock; slots run clockwise."""

    def __init__(self, rect: QRectF, num: int, bands: Sequence[Band]) -> None:
        self.rect = rect
        self.num = max(1, num)
        self.one_sided: bool = rect.width() < TWO_SIDED_WIDTH
        """Whether all labels stand on the right: a narrow picture gives the room of the left ones to the circle."""
        across = (rect.width() - LABEL_WIDTH) / 2 - _MARGIN if self.one_sided else rect.width() / 2 - LABEL_WIDTH
        self.radius = max(60.0, min(across, rect.height() / 2 - _MARGIN))
        left = rect.left() + _MARGIN + self.radius
        self.center = QPointF(left, rect.center().y()) if self.one_sided else rect.center()
        r = self.radius
        self.bands: dict[str, tuple[float, float]] = {band.name: (r * band.inner, r * band.outer) for band in bands}
        """Inner and outer radius of each ring in pixels."""
        self.inner: float = min(inner for inner, _ in self.bands.values())
        """The innermost radius: what lies inside is free for words."""

    def angle(self, slot: float) -> float:
        """Clockwise angle of a slot's beginning from twelve o'clock, in radians."""
        return 2 * math.pi * slot / self.num

    def point(self, slot: float, radius: float) -> QPointF:
        """The point at `radius` in the direction of `slot`."""
        angle = self.angle(slot)
        return QPointF(self.center.x() + radius * math.sin(angle), self.center.y() - radius * math.cos(angle))

    def slot_width(self, band: str) -> float:
        """Pixels of arc a slot has in the middle of a ring."""
        inner, outer = self.bands[band]
        return math.pi * (inner + outer) / self.num

    def add_run(self, path: QPainterPath, band: str, first: int, count: int) -> None:
        """Add the annular sector of `count` slots from `first` on to `path`."""
        inner, outer = self.bands[band]
        c = self.center
        box_out = QRectF(c.x() - outer, c.y() - outer, 2 * outer, 2 * outer)
        box_in = QRectF(c.x() - inner, c.y() - inner, 2 * inner, 2 * inner)
        start = 90.0 - 360.0 * first / self.num
        sweep = -360.0 * count / self.num
        path.arcMoveTo(box_out, start)
        path.arcTo(box_out, start, sweep)
        path.arcTo(box_in, start + sweep, -sweep)
        path.closeSubpath()

    def hit(self, point: QPointF) -> Hit | None:
        """The slot under `point`."""
        dx, dy = point.x() - self.center.x(), point.y() - self.center.y()
        distance = math.hypot(dx, dy)
        for band, (inner, outer) in self.bands.items():
            if inner <= distance <= outer:
                turn = math.atan2(dx, -dy) / (2 * math.pi) % 1.0
                return Hit(band, min(self.num - 1, int(turn * self.num)))
        return None


def spread(wanted: list[float], height: float, low: float, high: float) -> list[float]:
    """Move centres of labels of `height` apart so that none overlap, staying near `wanted` and inside low..high.

    Order is kept: `wanted` must be ascending.
    """
    placed: list[float] = []
    for y in wanted:
        placed.append(max(y, placed[-1] + height if placed else low + height / 2))
    limit = high - height / 2
    for i in range(len(placed) - 1, -1, -1):
        placed[i] = min(placed[i], limit)
        limit = placed[i] - height
    return placed
