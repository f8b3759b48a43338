"""Remarks on a picture: labels in quiet places or in a margin, each with a line to what it speaks of."""

from __future__ import annotations

import math
import re
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPoint, QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QImage, QPainter, QPen, QPolygonF, QTextLayout, QTextOption
from PySide6.QtWidgets import QWidget

from ringscope.figures.boxes import Box, Line
from ringscope.figures.painted_text import painted_texts
from ringscope.figures.places import Place, places_of
from ringscope.figures.room import Room
from ringscope.figures.spec import Callout
from ringscope.theme import Theme, ui_font
from ringscope_core.scenario.errors import InputError

_WIDEST: Final = 230.0
"""Pixels of text before a label breaks its line."""
_PAD_X: Final = 9.0
_PAD_Y: Final = 6.0
_BADGE: Final = 20.0
"""Diameter of a number."""
_EDGE: Final = 12
"""Pixels between a label in the margin and the picture's edge."""
_POINT: Final = 9.5
_FRAMED: Final = (14.0, 11.0)
"""Targets at least so wide and high are framed, so that it is clear which of two lines is meant."""
_NUMBER: Final = re.compile(r"^\d{1,2}$")
_BACKGROUNDS: Final = ("surface", "window", "raised", "stripe")
"""Colours that mean nothing is there."""
_NEAR: Final = 10
"""How much a channel may differ from a background and still be one."""


class Label(NamedTuple):
    """What one callout says, measured: its number ("" for none), its lines, and its size in pixels."""

    number: str
    lines: tuple[str, ...]
    width: float
    height: float


class Sight(NamedTuple):
    """A target that is seen: where its line ends, and all of it."""

    aim: Box
    frame: Box


class Arranged:
    """Callouts with their places.  `bounds` is what the figure shows: the picture or its crop, and margins where labels needed them."""

    def __init__(self, bounds: QRect, theme: Theme, labels: list[Label], boxes: list[Box], targets: list[Box], frames: list[Box], lines: list[Line]) -> None:
        self.bounds = bounds
        self._theme = theme
        self.labels = labels
        self.boxes = boxes
        """Where each label lies, in the order of the callouts, in the widget's pixels."""
        self.targets = targets
        """Where each line ends."""
        self.frames = frames
        """What each speaks of."""
        self.lines = lines
        """From each label to its target."""

    def paint(self, painter: QPainter) -> None:
        """Lines first, labels over them; the painter's origin is the widget's."""
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for frame, target in zip(self.frames, self.targets, strict=True):
            if frame == target and frame.w >= _FRAMED[0] and frame.h >= _FRAMED[1]:
                _paint_frame(painter, frame.grown(1.5), self.bounds, self._theme)
        for line in self.lines:
            _paint_line(painter, line, self._theme)
        for label, box in zip(self.labels, self.boxes, strict=True):
            _paint_label(painter, label, box, self._theme)
        painter.restore()


def arrange(root: QWidget, callouts: tuple[Callout, ...], theme: Theme, crop: QRect | None = None) -> Arranged:
    """Find the targets and a place for each label; may scroll `root` so that all targets are seen.  Raises InputError."""
    frame = crop if crop is not None else root.rect()
    if not callouts:
        return Arranged(frame, theme, [], [], [], [], [])
    places = places_of(root, [callout.target for callout in callouts])
    sights = [_sight(callout, place, frame) for callout, place in zip(callouts, places, strict=True)]
    labels = labels_of(callouts)
    aims, frames = [sight.aim for sight in sights], [sight.frame for sight in sights]
    room = Room(busy(root, theme), _box(frame), [Box(piece.box.x(), piece.box.y(), piece.box.width(), piece.box.height()) for piece in painted_texts(root)])
    boxes = room.arrange([(label.width, label.height) for label in labels], aims, frames)
    return Arranged(bounds_of(frame, boxes), theme, labels, boxes, aims, frames, room.lines(boxes, aims, frames))


def sight_of(root: QWidget, callout: Callout, frame: QRect, errors: dict[int, InputError] | None = None, key: int = 0) -> Sight | None:
    """The target of one callout, None when it is not to be seen now; why goes into `errors`."""
    try:
        return _sight(callout, places_of(root, [callout.target])[0], frame)
    except InputError as error:
        if errors is not None:
            errors[key] = error
        return None


def _sight(callout: Callout, place: Place, frame: QRect) -> Sight:
    if not place.box.intersects(frame):
        raise InputError("callout", callout.target, "a place inside the part that the crop keeps")
    box = place.box.intersected(frame)
    return Sight(_box(place.aim.intersected(frame)) if place.aim.intersects(frame) else _box(box), _box(box))


def paint_callouts(painter: QPainter, root: QWidget, callouts: tuple[Callout, ...], theme: Theme) -> None:
    """Arrange and paint in one go, where no margin is possible."""
    arrange(root, callouts, theme).paint(painter)


# -- measuring --------------------------------------------------------------------------------------------------------------
def labels_of(callouts: tuple[Callout, ...]) -> list[Label]:
    """``#`` becomes the next number; a text of digits alone is a number too."""
    found: list[Label] = []
    count = 0
    for callout in callouts:
        number, text = "", callout.text.strip()
        if text.startswith("#"):
            count += 1
            number, text = str(count), text[1:].strip()
        elif _NUMBER.match(text):
            number, text = text, ""
        found.append(_measured(number, text))
    return found


def _font() -> QFont:
    return ui_font(_POINT)


def _measured(number: str, text: str) -> Label:
    lines = _wrapped(text) if text else ()
    metrics = QFontMetricsF(_font())
    if not lines:
        return Label(number, (), _BADGE, _BADGE)
    width = max(metrics.horizontalAdvance(line) for line in lines) + 2 * _PAD_X + (_BADGE + 3 if number else 0)
    return Label(number, lines, math.ceil(width), math.ceil(metrics.height() * len(lines) + 2 * _PAD_Y))


def _wrapped(text: str) -> tuple[str, ...]:
    """Lines no wider than `_WIDEST`, of even lengths: as narrow as they get with as few lines."""
    lines = _broken(text, _WIDEST)
    low, high = 40.0, _WIDEST
    while len(lines) > 1 and high - low > 4:
        middle = (low + high) / 2
        if len(_broken(text, middle)) == len(lines):
            high = middle
        else:
            low = middle
    return _broken(text, high)


def _broken(text: str, width: float) -> tuple[str, ...]:
    layout = QTextLayout(text.replace("\\n", "\u2028"), _font())
    option = QTextOption()
    option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
    layout.setTextOption(option)
    layout.beginLayout()
    lines: list[str] = []
    while (line := layout.createLine()).isValid():
        line.setLineWidth(width)
        lines.append(layout.text()[line.textStart() : line.textStart() + line.textLength()].strip(" \u2028"))
    layout.endLayout()
    return tuple(lines)


def busy(root: QWidget, theme: Theme) -> npt.NDArray[np.bool_]:
    """Where `root` paints anything but background."""
    image = QImage(root.size(), QImage.Format.Format_RGB32)
    image.fill(theme.color("window"))
    painter = QPainter(image)
    root.render(painter, QPoint(0, 0))
    painter.end()
    flat = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine() // 4, 4)
    channels = [np.ascontiguousarray(flat[:, : image.width(), place]) for place in range(3)]
    quiet = np.zeros(channels[0].shape, np.bool_)
    for name in _BACKGROUNDS:
        color: QColor = theme.color(name)
        near = np.ones(quiet.shape, np.bool_)
        for channel, value in zip(channels, (color.blue(), color.green(), color.red()), strict=True):
            near &= (channel >= max(value - _NEAR, 0)) & (channel <= min(value + _NEAR, 255))
        quiet |= near
    return ~quiet


def _box(rect: QRect) -> Box:
    return Box(rect.x(), rect.y(), rect.width(), rect.height())


def bounds_of(frame: QRect, boxes: list[Box]) -> QRect:
    """`frame`, and each label in the margin with some air around it."""
    bounds = QRect(frame)
    for box in boxes:
        rect = QRectF(*box).toAlignedRect()
        left, right = _EDGE if rect.left() < frame.left() else 0, _EDGE if rect.right() > frame.right() else 0
        above, below = _EDGE if rect.top() < frame.top() else 0, _EDGE if rect.bottom() > frame.bottom() else 0
        bounds = bounds.united(rect.adjusted(-left, -above, right, below))
    return bounds


# -- painting ---------------------------------------------------------------------------------------------------------------
def _paint_frame(p: QPainter, box: Box, bounds: QRect, theme: Theme) -> None:
    """A thin line around what is large enough to have one."""
    rect = QRectF(*box).intersected(QRectF(bounds).adjusted(1, 1, -1, -1))
    p.setBrush(Qt.BrushStyle.NoBrush)
    for color, width in (("surface", 3.6), ("accent", 1.2)):
        p.setPen(QPen(theme.color(color), width))
        p.drawRoundedRect(rect, 3, 3)


def _paint_line(p: QPainter, line: Line, theme: Theme) -> None:
    """The leader with an arrow head at the target, on a halo of the surface so that it is seen over anything."""
    start, end = QPointF(*line[0]), QPointF(*line[1])
    dx, dy = end.x() - start.x(), end.y() - start.y()
    length = max(math.hypot(dx, dy), 1e-6)
    along = QPointF(dx / length, dy / length)
    across = QPointF(-along.y(), along.x())
    back = end - along * 8
    head = QPolygonF([end, back + across * 4, back - across * 4])
    p.setBrush(Qt.BrushStyle.NoBrush)
    p.setPen(QPen(theme.color("surface"), 4.5, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
    p.drawLine(start, end)
    p.drawPolygon(head)
    p.setPen(QPen(theme.color("accent"), 1.6))
    p.drawLine(start, back)
    p.setPen(Qt.PenStyle.NoPen)
    p.setBrush(theme.color("accent"))
    p.drawPolygon(head)


def _paint_label(p: QPainter, label: Label, box: Box, theme: Theme) -> None:
    rect = QRectF(*box)
    if not label.lines:
        _paint_number(p, label.number, rect.center(), theme)
        return
    p.setPen(QPen(theme.color("accent"), 1.4))
    p.setBrush(theme.color("surface"))
    p.drawRoundedRect(rect.adjusted(0.7, 0.7, -0.7, -0.7), 5, 5)
    left = rect.left() + _PAD_X
    if label.number:
        _paint_number(p, label.number, QPointF(rect.left() + 5 + _BADGE / 2, rect.top() + _PAD_Y + QFontMetricsF(_font()).height() / 2), theme)
        left += _BADGE + 3
    metrics = QFontMetricsF(_font())
    p.setFont(_font())
    p.setPen(theme.color("text"))
    for place, line in enumerate(label.lines):
        p.drawText(QPointF(left, rect.top() + _PAD_Y + metrics.ascent() + place * metrics.height()), line)


def _paint_number(p: QPainter, number: str, middle: QPointF, theme: Theme) -> None:
    p.setPen(QPen(theme.color("surface"), 1.2))
    p.setBrush(theme.color("accent"))
    p.drawEllipse(middle, _BADGE / 2 - 1, _BADGE / 2 - 1)
    p.setFont(ui_font(_POINT, bold=True))
    p.setPen(theme.color("text.on_accent"))
    p.drawText(QRectF(middle.x() - _BADGE / 2, middle.y() - _BADGE / 2, _BADGE, _BADGE), Qt.AlignmentFlag.AlignCenter, number)
