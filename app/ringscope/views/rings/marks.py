"""The indices above and below a band of the lens: a triangle at each slot and its names, on two lines where one has no room.

Where names go is settled before anything is painted, so that a test can ask: no names over others, none over a triangle.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QPainter, QPen, QPolygonF

from ringscope.theme import Theme, ui_font
from ringscope.views.rings.paint import side_color

LINE: Final = 12.0
"""Height of a line of names in pixels."""
MARK_HEIGHT: Final = 2 * LINE + 1.0
"""Room for the names above or below a band."""
_BESIDE: Final = 6.0
"""Pixels from a triangle's middle to its names."""
_HALF: Final = 4.0
"""Half a triangle's width."""
_APART: Final = 5.0
"""Pixels between names of different slots."""
_MORE: Final = "+"


class Name(NamedTuple):
    """The name of an index, and whose it is: driver or device."""

    text: str
    side: str


class Piece(NamedTuple):
    """Names on one line, from `left` on; line 0 is the one beside the triangles."""

    line: int
    left: float
    width: float
    names: tuple[Name, ...]


class Mark(NamedTuple):
    """A slot's triangle at `x`, and its names in one piece or two."""

    x: float
    pieces: tuple[Piece, ...]

    @property
    def names(self) -> tuple[Name, ...]:
        """All names, those of the nearer line first."""
        return tuple(name for piece in self.pieces for name in piece.names)

    @property
    def pole(self) -> bool:
        """Whether a line leads from the triangle past the first line of names to the second."""
        return any(piece.line for piece in self.pieces)


def name_font() -> QFont:
    """What names are written in."""
    return ui_font(7.5, bold=True)


def measure_name(text: str) -> float:
    """The width of a text in pixels."""
    return QFontMetricsF(name_font()).horizontalAdvance(text)


Groups = Sequence[tuple[float, tuple[Name, ...]]]
Measure = Callable[[str], float]


def written(names: tuple[Name, ...]) -> list[str]:
    """Names as they are painted one behind the other."""
    return [name.text + (", " if at + 1 < len(names) else "") for at, name in enumerate(names)]


def place_marks(groups: Groups, left: float, right: float, measure: Measure) -> list[Mark]:
    """A mark for each slot of `groups` (x, names), its names between `left` and `right` and over nothing else.

    `measure` gives a text's width in pixels.  Names for which two lines have no room give way to their number, as ``+2``.
    """
    groups = sorted(groups, key=lambda group: group[0])
    widths = {name.text: (measure(name.text), measure(name.text + ", ")) for _, names in groups for name in names}

    def width(names: tuple[Name, ...]) -> float:
        return sum(widths[name.text][at + 1 < len(names)] for at, name in enumerate(names))

    for shown in range(sum(len(names) for _, names in groups), -1, -1):
        shorter = _shortened(groups, shown)
        widths |= {name.text: (measure(name.text), measure(name.text + ", ")) for _, names in shorter for name in names}
        found = _settled(shorter, [], left, right, width)
        if found is not None:
            return found
    return [Mark(x, ()) for x, _ in groups]


def _shortened(groups: Groups, shown: int) -> Groups:
    """At most `shown` names in all: the largest groups lose their last ones to a number."""
    counts = [len(names) for _, names in groups]
    while sum(counts) > shown:
        counts[counts.index(max(counts))] -= 1
    return [
        (x, names if count == len(names) else (*names[:count], Name(f"{_MORE}{len(names) - count}", names[-1].side)))
        for (x, names), count in zip(groups, counts, strict=True)
    ]


def _settled(groups: Groups, done: list[Mark], left: float, right: float, width: Callable[[tuple[Name, ...]], float]) -> list[Mark] | None:
    """The first way to place all groups, each tried in the order in which it reads best; None when there is no way."""
    if len(done) == len(groups):
        return done
    x, names = groups[len(done)]
    taken = max((piece.left + piece.width + _APART for mark in done for piece in mark.pieces if piece.line), default=left)
    for pieces in _ways(x, names, (left, taken, right), width):
        mark = Mark(x, pieces)
        if _fits(mark, groups, done):
            found = _settled(groups, [*done, mark], left, right, width)
            if found is not None:
                return found
    return None


def _ways(x: float, names: tuple[Name, ...], room: tuple[float, float, float], width: Callable[[tuple[Name, ...]], float]) -> Iterator[tuple[Piece, ...]]:
    """Where the names of one slot may stand: beside its triangle, on the second line, on both; `room` is left, where the second line is free, right."""
    left, taken, right = room
    whole = width(names)
    for start in _sides(x, whole, left, right):
        yield (Piece(0, start, whole, names),)
    for start in _over(x, whole, taken, right):
        yield (Piece(1, start, whole, names),)
    for count in range(len(names) - 1, 0, -1):
        near, far = names[:count], names[count:]
        for low in _sides(x, width(near), left, right):
            for high in _over(x, width(far), taken, right):
                yield (Piece(0, low, width(near), near), Piece(1, high, width(far), far))


def _sides(x: float, width: float, left: float, right: float) -> list[float]:
    """Beside a triangle, on its right first."""
    return [start for start in (x + _BESIDE, x - _BESIDE - width) if start >= left and start + width <= right]


def _over(x: float, width: float, left: float, right: float) -> list[float]:
    """On the second line: to the right of its pole, to the left, and as far that way as the room allows."""
    if width > right - left:
        return []
    starts = [x - _HALF, x + _HALF - width, right - width, left]
    return [start for start in dict.fromkeys(min(max(start, left), right - width) for start in starts) if start - _BESIDE <= x <= start + width + _BESIDE]


def _fits(mark: Mark, groups: Groups, done: Sequence[Mark]) -> bool:
    """Whether a mark's names lie over no triangle, pole or name of the others, and no others' names on its pole."""
    for piece in mark.pieces:
        if piece.line == 0 and any(piece.left - _HALF < x < piece.left + piece.width + _HALF for x, _ in groups if x != mark.x):
            return False
        for other in done:
            for its in other.pieces:
                if its.line == piece.line and piece.left < its.left + its.width + _APART and its.left < piece.left + piece.width + _APART:
                    return False
    return True


def name_boxes(mark: Mark, edge: float, over: bool, measure: Measure) -> list[tuple[Name, str, QRectF]]:
    """Each name with its text as painted and its place, above (`over`) or below the band whose edge is at `edge`."""
    found = []
    for piece in mark.pieces:
        top = edge - 1 - LINE * (piece.line + 1) if over else edge + 1 + LINE * piece.line
        at = piece.left
        for name, text in zip(piece.names, written(piece.names), strict=True):
            found.append((name, text, QRectF(at, top, measure(text), LINE)))
            at += measure(text)
    return found


def paint_mark(p: QPainter, mark: Mark, edge: float, over: bool, theme: Theme) -> None:
    """The triangle, the pole and the names of one slot, in the font of names, which the painter has."""
    away = -1.0 if over else 1.0
    color = side_color(theme, mark.names[0].side)
    if mark.pole:
        p.setPen(QPen(color, 1.0))
        p.drawLine(QPointF(mark.x, edge + 6 * away), QPointF(mark.x, edge + (LINE + 2) * away))
    p.setPen(Qt.PenStyle.NoPen)
    p.setBrush(color)
    p.drawPolygon(QPolygonF([QPointF(mark.x, edge + away), QPointF(mark.x - _HALF, edge + 8 * away), QPointF(mark.x + _HALF, edge + 8 * away)]))
    p.setBrush(Qt.BrushStyle.NoBrush)
    for name, text, box in name_boxes(mark, edge, over, measure_name):
        p.setPen(side_color(theme, name.side))
        p.drawText(box.adjusted(0, 0, 2, 0), int(Qt.AlignmentFlag.AlignVCenter) | int(Qt.TextFlag.TextDontClip), text)
