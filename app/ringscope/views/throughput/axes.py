"""Axes whose numbers carry their units: k and M for rates, ns to s on a logarithmic scale for latencies, seconds for time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QColor, QPainter

from ringscope_core.query.quantities import duration


def _plain(value: float) -> str:
    return f"{value:.4g}"


class SiAxis(pg.AxisItem):  # type: ignore[misc]
    """Rates: 20 k, 1.5 M."""

    def __init__(self, unit: str = "") -> None:
        super().__init__("left")
        self.unit = unit
        self.enableAutoSIPrefix(False)
        self.setWidth(56)

    def tickStrings(self, values: Sequence[float], scale: float, spacing: float) -> list[str]:
        """Numbers with a prefix; all of one axis share it."""
        top = max((abs(value) for value in values), default=0.0)
        factor, prefix = next(((f, p) for f, p in ((1e9, "G"), (1e6, "M"), (1e3, "k")) if top >= f), (1.0, ""))
        return [f"{_plain(value / factor)}{prefix if value else ''}{self.unit}" for value in values]


class LogTimeAxis(pg.AxisItem):  # type: ignore[misc]
    """Latencies: the plot holds log10 of ns."""

    def __init__(self) -> None:
        super().__init__("left")
        self.enableAutoSIPrefix(False)
        self.setWidth(56)

    def tickValues(self, minVal: float, maxVal: float, size: float) -> list[tuple[float, list[float]]]:
        """Decades, and 2 and 5 between them when there is room."""
        first, last = math.floor(minVal), math.ceil(maxVal)
        decades = [float(d) for d in range(first, last + 1) if minVal <= d <= maxVal]
        between = [d + math.log10(f) for d in range(first, last + 1) for f in (2, 5) if minVal <= d + math.log10(f) <= maxVal]
        if maxVal - minVal < 3:
            return [(1.0, decades), (0.3, between)]
        return [(1.0, decades if maxVal - minVal < 6 else decades[:: 2 if maxVal - minVal < 9 else 3])]

    def tickStrings(self, values: Sequence[float], scale: float, spacing: float) -> list[str]:
        """The time itself."""
        return [duration(round(10**value, 6)) for value in values]


class SecondsAxis(pg.AxisItem):  # type: ignore[misc]
    """Time since the run began, in the unit that suits the span."""

    def __init__(self) -> None:
        super().__init__("bottom")
        self.enableAutoSIPrefix(False)

    def tickStrings(self, values: Sequence[float], scale: float, spacing: float) -> list[str]:
        """Seconds; milliseconds or microseconds when the whole span is shorter."""
        span = self.range[1] - self.range[0]
        factor, unit = (1.0, "s") if span > 0.2 else (1e3, "ms") if span > 2e-4 else (1e6, "\N{MICRO SIGN}s")
        digits = max(0, -math.floor(math.log10(spacing * factor) + 1e-9)) if spacing > 0 else 0
        return [f"{value * factor:.{digits}f} {unit}" for value in values]


def pen(color: Any, width: float = 1.0, style: Any = None) -> Any:
    """A cosmetic pen: its width is in pixels at any zoom."""
    return pg.mkPen(color, width=width, style=style, cosmetic=True) if style is not None else pg.mkPen(color, width=width, cosmetic=True)


class GridLines(pg.GraphicsObject):  # type: ignore[misc]
    """Lines at the axes' major ticks.

    pyqtgraph's own grid blends each line over the whole plot: with six plots it took 80 ms a frame, this one takes less than one.
    """

    def __init__(self, plot: pg.PlotItem) -> None:
        super().__init__()
        self._plot = plot
        self._pen = pen("k")
        self.setZValue(-100)

    def set_color(self, color: QColor) -> None:
        """The lines' colour, which should be opaque."""
        self._pen = pen(color)
        self.update()

    def viewRangeChanged(self) -> None:
        """The view moved: so do the lines."""
        self.prepareGeometryChange()
        self.update()

    def boundingRect(self) -> QRectF:
        """All that the view shows."""
        return QRectF(self._plot.vb.viewRect())

    def paint(self, p: QPainter, *_: object) -> None:
        """Horizontal and vertical lines from edge to edge."""
        (left, right), (bottom, top) = self._plot.vb.viewRange()
        p.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        p.setPen(self._pen)
        for x in self._ticks("bottom", left, right, self._plot.vb.width()):
            p.drawLine(QPointF(x, bottom), QPointF(x, top))
        for y in self._ticks("left", bottom, top, self._plot.vb.height()):
            p.drawLine(QPointF(left, y), QPointF(right, y))

    def _ticks(self, side: str, low: float, high: float, size: float) -> list[float]:
        levels = self._plot.getAxis(side).tickValues(low, high, size) if high > low and size > 0 else []
        return [value for _, values in levels[:2] for value in values if low < value < high]
