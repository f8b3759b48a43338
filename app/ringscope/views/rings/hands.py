"""The indices as hands on the circle, each with its label beside it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QPainter, QPainterPath, QPen, QPolygonF

from ringscope.theme import Theme, mono_font, ui_font
from ringscope.views.rings.geometry import COMPACT_LABEL_HEIGHT, LABEL_HEIGHT, RingGeometry, spread
from ringscope.views.rings.model import Index, RingSnapshot
from ringscope.views.rings.paint import side_color
from ringscope.words import t


class Tag(NamedTuple):
    """The label of one hand, laid out: the hand's angle and the angle at which its leader leaves the circle, and the leader's radius."""

    hand: Index
    turn: float
    goal: float
    radius: float
    end: QPointF
    """Where the leader ends, beside the label."""
    box: QRectF
    """Room for the label."""
    left: bool
    tall: bool
    """Whether it has two lines."""

    @property
    def align(self) -> Qt.AlignmentFlag:
        """Towards the leader."""
        return Qt.AlignmentFlag.AlignVCenter | (Qt.AlignmentFlag.AlignRight if self.left else Qt.AlignmentFlag.AlignLeft)


def _shown(snap: RingSnapshot) -> list[Index]:
    return [index for index in snap.indices() if not index.note.startswith("EVENT_IDX not")]


def tags(geo: RingGeometry, snap: RingSnapshot) -> list[Tag]:
    """Every label beside the circle, where it is painted."""
    turns = [(geo.angle(index.slot), index) for index in _shown(snap)]
    if geo.one_sided:
        return _tags(geo, [(a if a < 1.5 * math.pi else a - 2 * math.pi, index) for a, index in turns], False)
    left = _tags(geo, [(2 * math.pi - a, index) for a, index in turns if a > math.pi], True)
    return left + _tags(geo, [(a, index) for a, index in turns if a <= math.pi], False)


def hands_box(geo: RingGeometry, snap: RingSnapshot) -> QRectF:
    """The circle with its hands, their leaders and labels."""
    reach = geo.radius + 28
    box = QRectF(geo.center.x() - reach, geo.center.y() - reach, 2 * reach, 2 * reach)
    for tag in tags(geo, snap):
        text, font = _line(tag) if not tag.tall else _name(tag)
        wide = QFontMetricsF(font).horizontalAdvance(text)
        if tag.tall:
            wide = max(wide, QFontMetricsF(mono_font(8.0)).horizontalAdvance(tag.hand.shown))
        wide = min(wide + 4, tag.box.width())
        box = box.united(QRectF(tag.box.right() - wide if tag.left else tag.box.left(), tag.box.top(), wide, tag.box.height()))
    return box.intersected(geo.rect)


def paint_indices(p: QPainter, geo: RingGeometry, snap: RingSnapshot, theme: Theme) -> None:
    """All indices as hands on their ring, each with its label beside the circle."""
    for index in _shown(snap):
        _paint_hand(p, geo, index, theme)
    for tag in tags(geo, snap):
        p.setPen(QPen(side_color(theme, tag.hand.side), 1.0))
        p.drawPath(_leader(geo, tag.turn, tag.goal, tag.radius, tag.end, tag.left))
        if tag.tall:
            _paint_label(p, tag, theme)
        else:
            _paint_compact_label(p, tag)


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


def _tags(geo: RingGeometry, turns: list[tuple[float, Index]], left: bool) -> list[Tag]:
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
    found = []
    for place, ((turn, index), y) in enumerate(zip(turns, ys, strict=True)):
        goal = math.acos(max(-0.985, min(0.985, (geo.center.y() - y) / (geo.radius + 12))))
        # leaders run round the outside, nested so that none crosses another's beginning
        lane = len(turns) - 1 - place if goal > turn else place
        box = QRectF(edge - 4 - room if left else edge + 4, y - height / 2, room, height)
        found.append(Tag(index, turn, goal, geo.radius + 9 + 2.2 * lane, QPointF(edge, y), box, left, tall))
    return found


def label_room(geo: RingGeometry, left: bool) -> float:
    """Pixels from where labels of one side begin to the picture's edge."""
    reach = geo.radius + 36
    return (geo.center.x() - geo.rect.left() if left else geo.rect.right() - geo.center.x()) - reach - 2


def fitted(texts: Sequence[str], room: float, sizes: Sequence[float]) -> tuple[str, QFont]:
    """The first of `texts`, from what is said to the least of it, that fits `room` pixels, in the first of `sizes` (points) that fits."""
    tries = [(text, ui_font(size, bold=True)) for text in texts for size in sizes]
    return next((one for one in tries if QFontMetricsF(one[1]).horizontalAdvance(one[0]) <= room), tries[-1])


def _line(tag: Tag) -> tuple[str, QFont]:
    """Name, free-running value and slot on one line; less of it where that is too long."""
    index = tag.hand
    name = t(index.name) + (t(" (invalid)") if index.note == "not valid" else "")
    whole = f"{name} {index.brief}"
    texts = [whole, whole.replace(" \N{RIGHTWARDS ARROW} ", "\N{RIGHTWARDS ARROW}"), f"{name} {index.value}", name]
    return fitted(texts, tag.box.width(), (7.5, 6.5))


def _name(tag: Tag) -> tuple[str, QFont]:
    """The upper line of a label of two."""
    name = t(tag.hand.name)
    if tag.hand.note == "not valid":
        name = t("{name} (invalid)", name=name)
    return fitted([name], tag.box.width(), (8.5, 7.5, 6.5))


def _paint_compact_label(p: QPainter, tag: Tag) -> None:
    """In the pen's colour."""
    text, font = _line(tag)
    p.setFont(font)
    p.drawText(tag.box, int(tag.align) | int(Qt.TextFlag.TextDontClip), text)


def _paint_label(p: QPainter, tag: Tag, theme: Theme) -> None:
    """The name, and below it value and slot."""
    upper = QRectF(tag.box.left(), tag.box.top() + 1, tag.box.width(), LABEL_HEIGHT / 2)
    text, font = _name(tag)
    p.setFont(font)
    p.drawText(upper, int(tag.align) | int(Qt.TextFlag.TextDontClip), text)
    p.setFont(mono_font(8.0))
    p.setPen(theme.color("text"))
    p.drawText(upper.translated(0, LABEL_HEIGHT / 2 - 2), int(tag.align) | int(Qt.TextFlag.TextDontClip), tag.hand.shown)


def _leader(geo: RingGeometry, turn: float, goal: float, radius: float, end: QPointF, left: bool) -> QPainterPath:
    """From the hand at angle `turn` along a circle of `radius` to angle `goal`, then straight to `end`."""
    c = geo.center
    side = -1 if left else 1
    path = QPainterPath(QPointF(c.x() + side * (geo.radius + 8) * math.sin(turn), c.y() - (geo.radius + 8) * math.cos(turn)))
    box = QRectF(c.x() - radius, c.y() - radius, 2 * radius, 2 * radius)
    path.arcTo(box, 90.0 - side * math.degrees(turn), side * math.degrees(turn - goal))
    path.lineTo(end)
    return path
