"""Draws the tracks: one picture of all densities made with numpy, then ruler, marks and cursor over it."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF
from PySide6.QtGui import QImage, QPainter

from ringscope.theme import Theme

_STEPS: Final = (1, 2, 5)


def track_picture(bins: NDArray[np.int64], groups: list[str], theme: Theme, track: int) -> QImage:
    """Densities [bin, group] as bars, `track` pixels high each, one pixel a bin; heights grow with the logarithm of the count."""
    count = max(bins.shape[0], 1)
    height = max(len(groups) * track, 1)
    pixels = np.zeros((height, count), np.uint32)
    if groups and bins.shape[0]:
        tall = _heights(bins, groups, track)
        first = np.ceil(track - tall).astype(np.int16)
        filled = np.arange(track, dtype=np.int16)[None, :, None] >= first[:, None, :]
        colors = np.array([theme.group(group).rgba() for group in groups], np.uint32)
        pixels = np.where(filled, colors[:, None, None], np.uint32(0)).reshape(height, count)
    # clear or opaque: the premultiplied form holds the same numbers, and is what the raster engine draws as it is
    image = QImage(pixels.data, count, height, 4 * count, QImage.Format.Format_ARGB32_Premultiplied)
    return image.copy()


def paint_tracks(painter: QPainter, bins: NDArray[np.int64], groups: list[str], theme: Theme, track: int) -> None:
    """The same as shapes: a rectangle for each stretch of bars of one height."""
    if not (groups and bins.shape[0]):
        return
    tall = np.floor(_heights(bins, groups, track)).astype(np.int64)
    for place, group in enumerate(groups):
        color = theme.group(group)
        row = tall[place]
        edges = np.flatnonzero(np.diff(row)) + 1
        for first, last in zip([0, *edges.tolist()], [*edges.tolist(), len(row)], strict=True):
            if height := int(row[first]):
                painter.fillRect(QRectF(first, (place + 1) * track - height, last - first, height), color)


def _heights(bins: NDArray[np.int64], groups: list[str], track: int) -> NDArray[np.float64]:
    """Pixels of each bar [group, bin]; any event at all shows at least two."""
    columns = bins[:, : len(groups)].T
    top = math.log1p(max(int(columns.max(initial=0)), 1))
    heights: NDArray[np.float64] = np.where(columns > 0, np.maximum(2, np.log1p(columns) / top * (track - 2)), 0)
    return heights


def ruler_ticks(low: float, high: float, width: int, apart: int = 90) -> list[float]:
    """Round values between `low` and `high`, at least `apart` pixels from each other on `width` pixels."""
    span = high - low
    if span <= 0 or width <= 0:
        return []
    rough = span * apart / width
    power = 10.0 ** math.floor(math.log10(rough)) if rough > 0 else 1.0
    step = next((power * s for s in _STEPS if power * s >= rough), power * 10)
    first = math.ceil(low / step) * step
    return [first + step * i for i in range(int((high - first) / step) + 1)]


def tick_text(value: float, step: float, by_time: bool) -> str:
    """A tick's label: a time with a unit that fits the step, or an event's number."""
    if not by_time:
        return f"{value:,.0f}".replace(",", "\u2009")
    unit, name = (1e9, "s") if step >= 1e8 else (1e6, "ms") if step >= 1e5 else (1e3, "µs") if step >= 100 else (1.0, "ns")
    digits = max(0, -math.floor(math.log10(max(step / unit, 1e-9)))) if step < unit else 0
    return f"{value / unit:.{digits}f} {name}"
