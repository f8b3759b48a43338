"""Draws the ring picture: the bands of a layout (split: available ring, descriptor table, used ring), and the indices.

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
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPainterPath, QPen, QPolygonF

from ringscope.theme import RING_STATES, Theme, mono_font, ui_font
from ringscope.views.rings.geometry import COMPACT_LABEL_HEIGHT, LABEL_HEIGHT, LABEL_WIDTH, RingGeometry, spread
from ringscope.views.rings.model import STATES, Band, Index, RingSnapshot
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


def paint_indices(p: QPainter, geo: RingGeometry, snap: RingSnapshot, theme: Theme) -> None:
    """All indices as hands on their ring, each with its label beside the circle."""
    indices = [index for index in snap.indices() if not index.note.startswith("EVENT_IDX not")]
    for index in indices:
        _paint_hand(p, geo, index, theme)
    turns = [(geo.angle(index.slot), index) for index in indices]
    if geo.one_sided:
        _paint_labels(p, geo, [(a if a < 1.5 * math.pi else a - 2 * math.pi, index) for a, index in turns], False, theme)
    else:
        _paint_labels(p, geo, [(2 * math.pi - a, index) for a, index in turns if a > math.pi], True, theme)
        _paint_labels(p, geo, [(a, index) for a, index in turns if a <= math.pi], False, theme)


def _paint_hand(p: QPainter, geo: RingGeometry, index: Index, theme: Theme) -> None:
    color = side_color(theme, index.side)
    inner, outer = geo.bands[index.space]
    start = geo.point(index.slot, geo.radius + 9)
    p.setPen(QPen(theme.color("surface"), 3.4))
    p.drawLine(geo.point(index.slot, geo.radius), geo.point(index.slot, inner))
    p.setPen(QPen(color, 1.4, Qt.PenStyle.DashLine if index.back else Qt.PenStyle.SolidLine))
    p.drawLine(start, geo.point(index.slot, outer))
    p.setPen(QPen(color, 2.2))
    p.drawLine(geo.point(index.slot, outer), geo.point(index.slot, inner))
    angle = geo.angle(index.slot)
    tip = geo.point(index.slot, outer - 1)
    back = geo.point(index.slot, outer + 9)
    across = QPointF(math.cos(angle) * 4, math.sin(angle) * 4)
    p.setPen(QPen(theme.color("surface"), 0.8))
    p.setBrush(color)
    p.drawPolygon(QPolygonF([tip, back + across, back - across]))
    p.setBrush(Qt.BrushStyle.NoBrush)


def _paint_labels(p: QPainter, geo: RingGeometry, turns: list[tuple[float, Index]], left: bool, theme: Theme) -> None:
    """Labels of one side, in the order of `turns`: angles from twelve o'clock towards that side, which run from -pi/2 to 3 pi/2."""
    turns = sorted(turns, key=lambda turn: turn[0])
    wanted = [geo.center.y() - (geo.radius + 12) * math.cos(min(max(turn, 0.0), math.pi)) for turn, _ in turns]
    # a low picture has no room for two lines a label
    tall = LABEL_HEIGHT * len(turns) <= geo.rect.height() - 4
    height = LABEL_HEIGHT if tall else COMPACT_LABEL_HEIGHT
    reach = max(geo.radius * 0.97, height * len(turns) / 2)
    ys = spread(wanted, height, max(geo.rect.top() + 2, geo.center.y() - reach), min(geo.rect.bottom() - 2, geo.center.y() + reach))
    edge = geo.center.x() + (-1 if left else 1) * (geo.radius + 32)
    for place, ((turn, index), y) in enumerate(zip(turns, ys, strict=True)):
        goal = math.acos(max(-0.985, min(0.985, (geo.center.y() - y) / (geo.radius + 12))))
        # leaders run round the outside, nested so that none crosses another's beginning
        lane = len(turns) - 1 - place if goal > turn else place
        p.setPen(QPen(side_color(theme, index.side), 1.0))
        p.drawPath(_leader(geo, turn, goal, geo.radius + 9 + 2.2 * lane, QPointF(edge, y), left))
        if tall:
            _paint_label(p, index, edge, y, left, theme)
        else:
            _paint_compact_label(p, index, edge, y, left)


def _paint_compact_label(p: QPainter, index: Index, edge: float, y: float, left: bool) -> None:
    """Name, free-running value and slot on one line, in the pen's colour."""
    align = Qt.AlignmentFlag.AlignVCenter | (Qt.AlignmentFlag.AlignRight if left else Qt.AlignmentFlag.AlignLeft)
    mark = t(" (invalid)") if index.note == "not valid" else ""
    width = LABEL_WIDTH - 8
    box = QRectF(edge - width - 4 if left else edge + 4, y - COMPACT_LABEL_HEIGHT / 2, width, COMPACT_LABEL_HEIGHT)
    p.setFont(ui_font(7.5, bold=True))
    p.drawText(box, align, f"{t(index.name)}{mark} {index.brief}")


def _paint_label(p: QPainter, index: Index, edge: float, y: float, left: bool, theme: Theme) -> None:
    align = Qt.AlignmentFlag.AlignVCenter | (Qt.AlignmentFlag.AlignRight if left else Qt.AlignmentFlag.AlignLeft)
    name = t(index.name)
    if index.note == "not valid":
        name = t("{name} (invalid)", name=name)
    box = QRectF(edge - LABEL_WIDTH + 34 if left else edge + 4, y - LABEL_HEIGHT / 2 + 1, LABEL_WIDTH - 38, LABEL_HEIGHT / 2)
    p.setFont(ui_font(8.5, bold=True))
    p.drawText(box, align, name)
    p.setFont(mono_font(8.0))
    p.setPen(theme.color("text"))
    p.drawText(box.translated(0, LABEL_HEIGHT / 2 - 2), align, index.shown)


def _leader(geo: RingGeometry, turn: float, goal: float, radius: float, end: QPointF, left: bool) -> QPainterPath:
    """From the hand at angle `turn` along a circle of `radius` to angle `goal`, then straight to `end`."""
    c = geo.center
    side = -1 if left else 1
    path = QPainterPath(QPointF(c.x() + side * (geo.radius + 8) * math.sin(turn), c.y() - (geo.radius + 8) * math.cos(turn)))
    box = QRectF(c.x() - radius, c.y() - radius, 2 * radius, 2 * radius)
    path.arcTo(box, 90.0 - side * math.degrees(turn), side * math.degrees(turn - goal))
    path.lineTo(end)
    return path


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
