"""The indices as hands on the circle, each with its label beside it."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QPainter, QPainterPath, QPen, QPolygonF

from ringscope.theme import Theme, mono_font, ui_font
from ringscope.views.rings.geometry import COMPACT_LABEL_HEIGHT, LABEL_HEIGHT, RingGeometry, spread
from ringscope.views.rings.model import Index, RingSnapshot
from ringscope.views.rings.paint import side_color
from ringscope.words import t


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
    room = label_room(geo, left)
    align = Qt.AlignmentFlag.AlignVCenter | (Qt.AlignmentFlag.AlignRight if left else Qt.AlignmentFlag.AlignLeft)
    for place, ((turn, index), y) in enumerate(zip(turns, ys, strict=True)):
        goal = math.acos(max(-0.985, min(0.985, (geo.center.y() - y) / (geo.radius + 12))))
        # leaders run round the outside, nested so that none crosses another's beginning
        lane = len(turns) - 1 - place if goal > turn else place
        p.setPen(QPen(side_color(theme, index.side), 1.0))
        p.drawPath(_leader(geo, turn, goal, geo.radius + 9 + 2.2 * lane, QPointF(edge, y), left))
        box = QRectF(edge - 4 - room if left else edge + 4, y - height / 2, room, height)
        if tall:
            _paint_label(p, index, box, align, theme)
        else:
            _paint_compact_label(p, index, box, align)


def label_room(geo: RingGeometry, left: bool) -> float:
    """Pixels from where labels of one side begin to the picture's edge."""
    reach = geo.radius + 36
    return (geo.center.x() - geo.rect.left() if left else geo.rect.right() - geo.center.x()) - reach - 2


def fitted(texts: Sequence[str], room: float) -> tuple[str, QFont]:
    """The first of `texts`, from what is said to the least of it, that fits `room` pixels, written as large as fits."""
    tries = [(text, ui_font(size, bold=True)) for text in texts for size in (8.5, 7.5, 6.5)]
    return next((one for one in tries if QFontMetricsF(one[1]).horizontalAdvance(one[0]) <= room), tries[-1])


def _paint_compact_label(p: QPainter, index: Index, box: QRectF, align: Qt.AlignmentFlag) -> None:
    """Name, free-running value and slot on one line, in the pen's colour."""
    name = t(index.name) + (t(" (invalid)") if index.note == "not valid" else "")
    text, font = fitted(
        [f"{name} {index.brief}", f"{name} {index.brief}".replace(" \N{RIGHTWARDS ARROW} ", "\N{RIGHTWARDS ARROW}"), f"{name} {index.value}", name], box.width()
    )
    p.setFont(font if font.pointSizeF() < ui_font(7.5).pointSizeF() else ui_font(7.5, bold=True))
    p.drawText(box, int(align) | int(Qt.TextFlag.TextDontClip), text)


def _paint_label(p: QPainter, index: Index, box: QRectF, align: Qt.AlignmentFlag, theme: Theme) -> None:
    """The name, and below it value and slot."""
    name = t(index.name)
    if index.note == "not valid":
        name = t("{name} (invalid)", name=name)
    upper = QRectF(box.left(), box.top() + 1, box.width(), LABEL_HEIGHT / 2)
    text, font = fitted([name], box.width())
    p.setFont(font)
    p.drawText(upper, int(align) | int(Qt.TextFlag.TextDontClip), text)
    p.setFont(mono_font(8.0))
    p.setPen(theme.color("text"))
    p.drawText(upper.translated(0, LABEL_HEIGHT / 2 - 2), int(align) | int(Qt.TextFlag.TextDontClip), index.shown)


def _leader(geo: RingGeometry, turn: float, goal: float, radius: float, end: QPointF, left: bool) -> QPainterPath:
    """From the hand at angle `turn` along a circle of `radius` to angle `goal`, then straight to `end`."""
    c = geo.center
    side = -1 if left else 1
    path = QPainterPath(QPointF(c.x() + side * (geo.radius + 8) * math.sin(turn), c.y() - (geo.radius + 8) * math.cos(turn)))
    box = QRectF(c.x() - radius, c.y() - radius, 2 * radius, 2 * radius)
    path.arcTo(box, 90.0 - side * math.degrees(turn), side * math.degrees(turn - goal))
    path.lineTo(end)
    return path
