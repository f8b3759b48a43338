"""What driver, shared memory and device each hold of one virtqueue, and the event index on its circle."""

from __future__ import annotations

import math
from typing import Final

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from ringscope.theme import LIGHT, Theme, mono_font, ui_font
from ringscope.views.rings.model import Cell, EventIndex, RingSnapshot
from ringscope.views.rings.paint import side_color
from ringscope.words import t

ROW: Final = 16.0
_SIDE_HEIGHT: Final = 112


def _paint_rule(p: QPainter, widget: QWidget, theme: Theme) -> None:
    """The line under a panel."""
    p.setPen(QPen(theme.color("border"), 1.0))
    p.drawLine(0, widget.height() - 1, widget.width(), widget.height() - 1)


def cell_word(name: str) -> str:
    """The name of a number: fields have QEMU's and Linux's names in every language, what is not one field is said in words."""
    return t(name) if " " in name else name


class IndexPanel(QWidget):
    """Three columns: driver, memory, device."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme: Theme = LIGHT
        self._columns: list[tuple[str, str, list[Cell]]] = []
        self._stacked: bool = False
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.set_stacked(False)

    def set_stacked(self, stacked: bool) -> None:
        """The three parties below each other instead of side by side."""
        self._stacked = stacked
        self.setFixedHeight(int((ROW * 8 + 8) * (3 if stacked else 1) + 4))
        self.update()

    def show_ring(self, snap: RingSnapshot | None) -> None:
        """Show `snap`'s numbers; nothing without one.  Repaints only when something differs."""
        columns = snap.parties() if snap is not None else []
        if columns != self._columns:
            self._columns = columns
            self.update()

    def cell_at(self, point: QPointF) -> tuple[str, str] | None:
        """The name of the number at a place, and that of the one above it."""
        if not self._columns:
            return None
        width, height = (self.width(), ROW * 8 + 8) if self._stacked else (self.width() / len(self._columns), self.height() - 4.0)
        place = int(point.y() // height) if self._stacked else int(point.x() // width)
        line = int((point.y() - (place * height if self._stacked else 0) - 4) // ROW) - 1
        if not 0 <= place < len(self._columns) or not 0 <= line < len(self._columns[place][2]):
            return None
        cells = self._columns[place][2]
        return cells[line][0], cells[line - 1][0] if line else ""

    def sides(self) -> list[str]:
        """Whose numbers are shown: driver, memory, device."""
        return [side for side, _, _ in self._columns]

    def side_box(self, side: str) -> QRectF | None:
        """The column of a party; None when it is not shown."""
        places = [place for place, (name, _, _) in enumerate(self._columns) if name == side]
        if not places:
            return None
        width, height = (self.width(), ROW * 8 + 8) if self._stacked else (self.width() / 3, self.height() - 4.0)
        return QRectF(0, places[0] * height, width, height) if self._stacked else QRectF(places[0] * width, 0, width, height)

    def names(self) -> list[str]:
        """The names of all numbers shown."""
        return [name for _, _, cells in self._columns for name, _ in cells]

    def box_of(self, name: str) -> QRectF | None:
        """The line of the first number called `name`; None when there is none."""
        for side, _, cells in self._columns:
            box = self.side_box(side)
            for line, (own, _) in enumerate(cells):
                if own == name and box is not None:
                    return QRectF(box.left() + 12, box.top() + 4 + ROW * (line + 1), box.width() - 18, ROW)
        return None

    def text(self) -> str:
        """The three columns as tab-separated lines."""
        return "\n".join(f"{t(side)}\t{cell_word(name)}\t{value}" for side, _, cells in self._columns for name, value in cells)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the columns."""
        p = QPainter(self)
        p.fillRect(self.rect(), self.theme.color("surface"))
        width, height = (self.width(), ROW * 8 + 8) if self._stacked else (self.width() / 3, self.height() - 4.0)
        for place, (side, title, cells) in enumerate(self._columns):
            corner = QPointF(0, place * height) if self._stacked else QPointF(place * width, 0)
            self._paint_column(p, QRectF(corner.x(), corner.y() + 4, width, height - 4), side, title, cells)
        _paint_rule(p, self, self.theme)
        p.end()

    def _paint_column(self, p: QPainter, box: QRectF, side: str, title: str, cells: list[Cell]) -> None:
        theme = self.theme
        p.fillRect(QRectF(box.left() + 4, box.top() + 2, 3, box.height() - 4), side_color(theme, side))
        p.setPen(side_color(theme, side))
        p.setFont(ui_font(8.5, bold=True))
        row = QRectF(box.left() + 12, box.top(), box.width() - 18, ROW)
        p.drawText(row, Qt.AlignmentFlag.AlignVCenter, t(title))
        for place, (name, value) in enumerate(cells):
            line = row.translated(0, ROW * (place + 1))
            p.setFont(ui_font(8.0))
            p.setPen(theme.color("text.muted"))
            p.drawText(line, Qt.AlignmentFlag.AlignVCenter, cell_word(name))
            free = line.width() - QFontMetricsF(p.font()).horizontalAdvance(cell_word(name)) - 6
            p.setFont(mono_font(8.0))
            p.setPen(theme.color("text"))
            if QFontMetricsF(p.font()).horizontalAdvance(value) > free:
                value = value.replace(" wrap ", " w")
            if QFontMetricsF(p.font()).horizontalAdvance(value) > free:
                # five digits in a narrow dock: the blanks round the arrow go first, then size
                value = value.replace(" ", "")
                p.setFont(mono_font(7.0))
            p.drawText(line, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, value)


class EventIndexPanel(QWidget):
    """Will the next used element interrupt, will the next available chain kick: on the circle of places (split: 65,536) and in numbers."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme: Theme = LIGHT
        self._sides: tuple[EventIndex, ...] = ()
        self._stacked: bool = False
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.set_stacked(False)

    def set_stacked(self, stacked: bool) -> None:
        """The two questions below each other instead of side by side."""
        self._stacked = stacked
        self.setFixedHeight(_SIDE_HEIGHT * (2 if stacked else 1))
        self.update()

    def show_ring(self, snap: RingSnapshot | None) -> None:
        """Show `snap`'s event indices; nothing without one.  Repaints only when something differs."""
        sides = snap.event_indices() if snap is not None else ()
        if sides != self._sides:
            self._sides = sides
            self.update()

    def titles(self) -> list[str]:
        """What the questions are about: interrupt, kick."""
        return [side.title for side in self._sides]

    def title_box(self, title: str) -> QRectF | None:
        """The picture and the numbers of one question; None when it is not shown."""
        place = next((place for place, side in enumerate(self._sides) if side.title == title), -1)
        return self._side_box(place) if place >= 0 else None

    def _side_box(self, place: int) -> QRectF:
        if self._stacked:
            return QRectF(0, place * _SIDE_HEIGHT, self.width(), _SIDE_HEIGHT)
        return QRectF(place * self.width() / 2, 0, self.width() / 2, _SIDE_HEIGHT)

    def text(self) -> str:
        """The verdicts with their arithmetic."""
        return "\n".join(f"{t(side.title)}\t{side.verdict}\t{side.formula}" for side in self._sides)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw both sides."""
        p = QPainter(self)
        p.setRenderHint(QPainter.RenderHint.Antialiasing)
        p.fillRect(self.rect(), self.theme.color("surface"))
        for place, side in enumerate(self._sides):
            self._paint_side(p, self._side_box(place), side)
        _paint_rule(p, self, self.theme)
        p.end()

    def _paint_side(self, p: QPainter, box: QRectF, side: EventIndex) -> None:
        theme = self.theme
        radius = 34.0
        center = QPointF(box.left() + radius + 14, box.center().y() + 4)
        self._paint_circle(p, center, radius, side)
        left = center.x() + radius + 14
        line = QRectF(left, box.top() + 5, box.right() - left - 4, 16)
        p.setFont(ui_font(8.5, bold=True))
        p.setPen(theme.color("text"))
        question = t("next push interrupts?  ") if side.title == "interrupt" else t("next add kicks?  ")
        p.drawText(line, Qt.AlignmentFlag.AlignVCenter, question)
        p.setPen(theme.severity("ok") if side.notifies else theme.color("text.muted"))
        metrics = QFontMetricsF(p.font())
        at = metrics.horizontalAdvance(question)
        p.drawText(line.translated(at, 0), Qt.AlignmentFlag.AlignVCenter, t("yes") if side.notifies else t("no"))
        p.setFont(mono_font(7.5))
        for place, (text, color) in enumerate(side.lines):
            p.setPen(theme.color(color))
            row = line.translated(0, 17 + 14.5 * place)
            p.drawText(row, Qt.AlignmentFlag.AlignVCenter, QFontMetricsF(p.font()).elidedText(text, Qt.TextElideMode.ElideRight, row.width()))

    def _paint_circle(self, p: QPainter, center: QPointF, radius: float, side: EventIndex) -> None:
        """The circle of the index's places, 0 at the top: the step old to new as an arc, the event as a mark."""
        theme = self.theme
        whole = side.span
        p.setBrush(Qt.BrushStyle.NoBrush)
        p.setPen(QPen(theme.color("border"), 5.0))
        p.drawEllipse(center, radius, radius)
        box = QRectF(center.x() - radius, center.y() - radius, 2 * radius, 2 * radius)
        span = max(180, round((side.new - side.old) % whole / whole * 5760))
        p.setPen(QPen(theme.color("accent"), 5.0, Qt.PenStyle.SolidLine, Qt.PenCapStyle.FlatCap))
        p.drawArc(box, round(1440 - side.old / whole * 5760), -span)
        p.setFont(mono_font(6.5))
        p.setPen(theme.color("text.faint"))
        for quarter in range(4):
            value = whole * quarter // 4
            angle = 2 * math.pi * value / whole
            at = QPointF(center.x() + (radius - 15) * math.sin(angle), center.y() - (radius - 14) * math.cos(angle))
            label = f"{value >> 10}k" if whole == 65536 and value else str(value)
            p.drawText(QRectF(at.x() - 16, at.y() - 6, 32, 12), Qt.AlignmentFlag.AlignCenter, label)
        if side.enabled:
            angle = 2 * math.pi * side.event / whole
            along = QPointF(math.sin(angle), -math.cos(angle))
            p.setPen(QPen(theme.color("cursor"), 2.4))
            p.drawLine(center + along * (radius - 6), center + along * (radius + 8))
