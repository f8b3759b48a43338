"""Draws the ring picture: the bands of a layout (split: available ring, descriptor table, used ring); `hands` draws the indices.

Everything is drawn as vectors, runs of equal slots as one sector, so that a ring of 1024 slots costs little more than one of
64 and a figure keeps sharp edges.  What does not change from one moment to the next (slot borders, scale) is kept in a
pixmap by `RingCanvas`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPainterPath, QPen

from ringscope.theme import RING_STATES, Theme, mono_font, ui_font
from ringscope.views.rings.geometry import RingGeometry
from ringscope.views.rings.model import STATES, Band, RingSnapshot
from ringscope.words import t

COUNTS_HEIGHT: Final = 18.0
_CENTER_ROOM: Final = 52.0
"""Half the width that the counts need in the middle of the circle."""
_MIN_BORDER: Final = 3.5
"""Slots narrower than this (pixels) get no border of their own."""


def runs(values: npt.NDArray[np.uint8]) -> list[tuple[int, int, int]]:
    """Stretches of equal values as (value, first, count)."""
    if not len(values):
        return []
    edges = np.flatnonzero(np.diff(values)) + 1
    bounds = [0, *edges.tolist(), len(values)]
    return [(int(values[a]), a, b - a) for a, b in pairwise(bounds)]


def paint_bands(p: QPainter, geo: RingGeometry, bands: Sequence[Band], theme: Theme) -> None:
    """Every band, coloured by its values."""
    p.setPen(Qt.PenStyle.NoPen)
    for band in bands:
        paths = [QPainterPath() for _ in band.colors]
        for value, first, count in runs(band.values):
            if band.colors[value]:
                geo.add_run(paths[value], band.name, first, count)
        for meaning, path in zip(band.colors, paths, strict=True):
            if not path.isEmpty():
                p.fillPath(path, theme.color(meaning))


def paint_scale(p: QPainter, geo: RingGeometry, wraps: bool, theme: Theme) -> None:
    """Slot borders where slots are wide enough, the rings' outlines, and slot numbers round the inside."""
    c = geo.center
    p.setPen(QPen(theme.color("surface"), 0.8))
    p.setBrush(Qt.BrushStyle.NoBrush)
    for band, (inner, outer) in geo.bands.items():
        if geo.slot_width(band) >= _MIN_BORDER:
            p.drawLines([point for slot in range(geo.num) for point in (geo.point(slot, inner), geo.point(slot, outer))])
    p.setPen(QPen(theme.color("border"), 1.0))
    for inner, outer in geo.bands.values():
        p.drawEllipse(c, inner, inner)
        p.drawEllipse(c, outer, outer)
    _paint_slot_numbers(p, geo, theme)
    if wraps:
        _paint_boundary(p, geo, theme)


def number_parts(geo: RingGeometry, widest: float) -> int:
    """Into how many parts slot numbers of up to `widest` pixels divide the circle without meeting each other."""
    parts = 16 if geo.radius > 200 else 8
    while parts > 4 and 2 * math.sin(math.pi / parts) * (geo.inner - 15) < math.hypot(widest, 10.0):
        parts //= 2
    return parts


def _paint_slot_numbers(p: QPainter, geo: RingGeometry, theme: Theme) -> None:
    p.setFont(mono_font(7.5))
    inner = geo.inner
    parts = number_parts(geo, QFontMetricsF(p.font()).horizontalAdvance(str(geo.num - 1)))
    for part in range(parts):
        slot = geo.num * part // parts
        p.setPen(QPen(theme.color("text.faint"), 1.0))
        p.drawLine(geo.point(slot, inner), geo.point(slot, inner - 4))
        at = geo.point(slot, inner - 15)
        p.drawText(QRectF(at.x() - 18, at.y() - 7, 36, 14), Qt.AlignmentFlag.AlignCenter, str(slot))


def _paint_boundary(p: QPainter, geo: RingGeometry, theme: Theme) -> None:
    """The end of a ring whose places begin again at 0: there the wrap counters flip."""
    p.setPen(QPen(theme.color("text"), 2.0))
    p.drawLine(geo.point(0, geo.inner - 6), geo.point(0, geo.radius + 6))
    if not has_center(geo):
        return
    p.setFont(ui_font(7.5, bold=True))
    at = geo.point(0, geo.inner - 26)
    p.drawText(QRectF(at.x() - 40, at.y() - 7, 80, 14), Qt.AlignmentFlag.AlignCenter, t("wrap"))


def paint_center(p: QPainter, geo: RingGeometry, snap: RingSnapshot, name: str, theme: Theme) -> None:
    """The queue's name, its size and the counts, in words, in the middle: the legend of the colours."""
    room = geo.inner - 26
    if not has_center(geo):
        _paint_counts_below(p, geo, snap, theme)
        return
    c = geo.center
    big = room > 84
    row = 17.0 if big else 13.0
    top = c.y() - (row * 5 + 26) / 2 + (0 if big else 4)
    p.setPen(theme.color("text"))
    p.setFont(ui_font(12.0 if big else 9.5, bold=True))
    p.drawText(QRectF(c.x() - room, top - 4, 2 * room, 20), Qt.AlignmentFlag.AlignCenter, name)
    p.setFont(ui_font(8.5 if big else 7.5))
    p.setPen(theme.color("text.muted"))
    p.drawText(QRectF(c.x() - room, top + 15, 2 * room, 14), Qt.AlignmentFlag.AlignCenter, t("{num} descriptors", num=snap.num))
    p.setFont(mono_font(9.0 if big else 7.5))
    widest = max((t(state) for state in STATES), key=len)
    wide = QFontMetricsF(p.font()).horizontalAdvance(f"1024 {widest}") + 16
    for i, state in enumerate(RING_STATES):
        y = top + 32 + row * i
        left = c.x() - wide / 2
        p.fillRect(QRectF(left, y + row / 2 - 4.5, 9, 9), theme.ring(state))
        p.setPen(theme.color("text"))
        p.drawText(QRectF(left + 15, y, wide, row), Qt.AlignmentFlag.AlignVCenter, f"{snap.counts[i]:>4} {t(STATES[i])}")
    if big:
        _paint_notes(p, snap.notes(), QRectF(c.x() - room, top + 34 + row * len(RING_STATES), 2 * room, 13.0), theme)


def _paint_notes(p: QPainter, notes: tuple[str, ...], line: QRectF, theme: Theme) -> None:
    """Small lines under the counts, the first one `line`."""
    p.setFont(ui_font(7.5))
    p.setPen(theme.color("text.muted"))
    for place, text in enumerate(notes):
        p.drawText(line.translated(0, line.height() * place), Qt.AlignmentFlag.AlignCenter, text)


def has_center(geo: RingGeometry) -> bool:
    """Whether the counts have room inside the circle; else they stand below `geo.rect`, `COUNTS_HEIGHT` high."""
    return geo.inner - 26 >= _CENTER_ROOM


def _paint_counts_below(p: QPainter, geo: RingGeometry, snap: RingSnapshot, theme: Theme) -> None:
    """The counts on one line under a circle too small to hold them."""
    p.setFont(ui_font(8.0))
    metrics = QFontMetricsF(p.font())
    x, y = geo.rect.left() + 10, geo.rect.bottom() + 2
    for i, state in enumerate(RING_STATES):
        text = f"{snap.counts[i]} {t(STATES[i])}"
        p.fillRect(QRectF(x, y + 3, 9, 9), theme.ring(state))
        p.setPen(theme.color("text"))
        p.drawText(QRectF(x + 13, y, 200, 15), Qt.AlignmentFlag.AlignVCenter, text)
        x += metrics.horizontalAdvance(text) + 28


def side_color(theme: Theme, side: str) -> QColor:
    """The colour of driver, memory or device."""
    return theme.color(f"side.{side}")


def paint_chain(p: QPainter, geo: RingGeometry, snap: RingSnapshot, head: int, color: QColor) -> None:
    """Outline the chain of `head`: its descriptors, and its places in other bands, joined by lines."""
    if not 0 <= head < snap.num:
        return
    path = QPainterPath()
    for item in snap.chain(head):
        if not item.indirect:
            geo.add_run(path, "desc", item.slot, 1)
    desc_in, desc_out = geo.bands["desc"]
    p.setPen(QPen(color, 2.0))
    for band, place in snap.places_of(head):
        geo.add_run(path, band, place, 1)
        inner, outer = geo.bands[band]
        if inner >= desc_out:
            _paint_link(p, geo, place + 0.5, head + 0.5, (inner + desc_out) / 2)
        else:
            _paint_link(p, geo, head + 0.5, place + 0.5, (desc_in + outer) / 2)
    p.drawPath(path)


def _paint_link(p: QPainter, geo: RingGeometry, first: float, second: float, radius: float) -> None:
    """An arc in the gap between two rings from one slot to another, the short way round."""
    c = geo.center
    start = 90.0 - math.degrees(geo.angle(first))
    sweep = (math.degrees(geo.angle(first) - geo.angle(second)) + 180.0) % 360.0 - 180.0
    p.drawArc(QRectF(c.x() - radius, c.y() - radius, 2 * radius, 2 * radius), round(16 * start), round(16 * sweep))


def paint_legend(p: QPainter, rect: QRectF, legends: Sequence[str], theme: Theme) -> None:
    """One line: which ring is which, and who keeps which hand."""
    p.setFont(ui_font(8.0))
    metrics = QFontMetricsF(p.font())
    y = rect.center().y()
    x = rect.left() + 10
    for text, side in ((t("driver's index"), "driver"), (t("device's index"), "device")):
        p.setPen(QPen(side_color(theme, side), 3))
        p.drawLine(QPointF(x, y), QPointF(x + 14, y))
        p.setPen(theme.color("text.muted"))
        width = metrics.horizontalAdvance(text)
        p.drawText(QRectF(x + 20, rect.top(), width + 4, rect.height()), Qt.AlignmentFlag.AlignVCenter, text)
        x += width + 36
    room = QRectF(x, rect.top(), rect.right() - x - 10, rect.height())
    p.setPen(theme.color("text.muted"))
    # half a legend says nothing: where none fits, the hover texts and the lens name the rings
    legend = next((text for text in map(t, legends) if metrics.horizontalAdvance(text) <= room.width()), "")
    p.drawText(room, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, legend)
