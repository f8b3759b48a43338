"""The lens under the circle: bands of neighbouring slots, large enough for words and numbers.

At 1024 slots the circle shows a distribution; the lens shows the slots where something happens: each cell names its state in
words, so that colour is never the only sign.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPen

from ringscope.theme import RING_STATES, Theme, mono_font, ui_font
from ringscope.views.rings.geometry import Hit
from ringscope.views.rings.marks import MARK_HEIGHT, Mark, Name, measure_name, name_font, paint_mark, place_marks
from ringscope.views.rings.model import STATES, LensPanel, RingSnapshot
from ringscope.views.rings.paint import side_color
from ringscope.words import later, t

CELL_WIDTH: Final = 66.0
TITLE_WIDTH: Final = 86.0
GAP: Final = 5.0
_LINE: Final = 15.0
_PANEL_LINE: Final = 14.0
LENS_HEIGHT: Final = 198.0
"""Height of the whole lens in pixels."""


class Row(NamedTuple):
    """One band of the lens, laid out: which ring, its words, where it stands, its first slot, and the states of the whole ring."""

    name: str
    title: str
    subtitle: str
    top: float
    height: float
    first: int
    states: npt.NDArray[np.uint8]
    above: str
    below: str


class Lens:
    """The bands of one snapshot, laid out in `rect`; made anew for each refresh."""

    def __init__(self, rect: QRectF, snap: RingSnapshot, head: int) -> None:
        self.rect = rect
        self.snap = snap
        chain = {item.slot for item in snap.chain(head) if not item.indirect}
        self.focused: dict[str, set[int]] = {"desc": chain}
        """The slots of the focused chain, by band."""
        for name, place in snap.places_of(head) if chain else ():
            self.focused.setdefault(name, set()).add(place)
        self.count: int = max(1, min(snap.num, int((rect.width() - TITLE_WIDTH - 12) / CELL_WIDTH)))
        """Cells in a band."""
        self.width: float = (rect.width() - TITLE_WIDTH - 12) / self.count
        back = self.count // 3
        rows: list[Row] = []
        top = rect.top()
        for band in snap.lens_bands(head):
            top += MARK_HEIGHT if band.above else 0.0
            height = _LINE * band.lines + 1.0
            rows.append(Row(band.name, band.title, band.subtitle, top, height, (band.anchor - back) % snap.num, band.states, band.above, band.below))
            top += height + GAP + (MARK_HEIGHT if band.below else 0.0)
        self.rows: tuple[Row, ...] = tuple(rows)
        self._panel_top: float = top

    def cell(self, row: Row, slot: int) -> QRectF:
        """Where `slot` of `row` lies; its left edge may be outside the rectangle."""
        place = (slot - row.first) % self.snap.num
        return QRectF(self.rect.left() + TITLE_WIDTH + place * self.width, row.top, self.width - 2, row.height)

    def row_box(self, row: Row) -> QRectF:
        """A row with its title."""
        return QRectF(self.rect.left(), row.top, TITLE_WIDTH + self.count * self.width, row.height)

    def hit(self, point: QPointF) -> Hit | None:
        """The slot under `point`."""
        place = int((point.x() - self.rect.left() - TITLE_WIDTH) // self.width)
        if 0 <= place < self.count:
            for row in self.rows:
                if row.top <= point.y() < row.top + row.height:
                    return Hit(row.name, (row.first + place) % self.snap.num)
        return None

    # -- painting ---------------------------------------------------------------------------------------------------------
    def paint(self, p: QPainter, theme: Theme) -> None:
        """All bands with their marks, and the panels."""
        for row in self.rows:
            self._paint_title(p, row, theme)
            for place in range(self.count):
                self._paint_cell(p, row, (row.first + place) % self.snap.num, theme)
        p.setFont(name_font())
        for row, over, marks in self.marks():
            for mark in marks:
                paint_mark(p, mark, row.top if over else row.top + row.height, over, theme)
        self._paint_panels(p, self.snap.lens_panels(), theme)

    def _paint_title(self, p: QPainter, row: Row, theme: Theme) -> None:
        x = self.rect.left() + 8
        p.setPen(theme.color("text"))
        p.setFont(ui_font(8.5, bold=True))
        p.drawText(QRectF(x, row.top + 6, TITLE_WIDTH - 10, 16), Qt.AlignmentFlag.AlignVCenter, t(row.title))
        p.setPen(theme.color("text.muted"))
        p.setFont(ui_font(7.5))
        for place, line in enumerate(t(row.subtitle).split("\n")):
            p.drawText(QRectF(x, row.top + 22 + 13 * place, TITLE_WIDTH - 10, 14), Qt.AlignmentFlag.AlignVCenter, line)

    def _paint_cell(self, p: QPainter, row: Row, slot: int, theme: Theme) -> None:
        state = int(row.states[slot])
        box = self.cell(row, slot)
        p.fillRect(box, theme.ring(RING_STATES[state]))
        p.setPen(theme.ring_text(RING_STATES[state]))
        first, *others = self.snap.lens_words(row.name, slot)
        inner = box.adjusted(4, 1, -2, -1)
        p.setFont(mono_font(8.0))
        p.drawText(inner, Qt.AlignmentFlag.AlignTop, first)
        p.setFont(mono_font(7.5))
        step = inner.height() / (len(others) + 2)
        for place, text in enumerate(others):
            line = QRectF(inner.left(), inner.top() + step * (place + 1), inner.width(), step)
            p.drawText(line, Qt.AlignmentFlag.AlignVCenter, text)
        p.setFont(ui_font(7.5))
        p.drawText(inner, Qt.AlignmentFlag.AlignBottom, t(STATES[state] if row.name == "desc" or state else later("stale")))
        if slot in self.focused.get(row.name, ()):
            p.setPen(QPen(theme.color("cursor"), 2.0))
            p.drawRect(box.adjusted(1, 1, -1, -1))

    def marks(self) -> list[tuple[Row, bool, list[Mark]]]:
        """The indices by band, above (True) or below it, where their names are painted; those at one slot share a mark."""
        found = []
        for row in self.rows:
            for which, over in ((row.above, True), (row.below, False)):
                if which:
                    found.append((row, over, place_marks(self._groups(row, which), self.rect.left() + 6, self.rect.right() - 4, measure_name)))
        return found

    def _groups(self, row: Row, which: str) -> list[tuple[float, tuple[Name, ...]]]:
        """The left edges of the cells that indices name, with the indices' names."""
        by_place: dict[int, list[Name]] = {}
        for index in self.snap.indices():
            place = (index.slot - row.first) % self.snap.num
            wanted = index.space == row.name and which in ("all", "back" if index.back else "forth")
            if wanted and place < self.count and not index.note.startswith("EVENT_IDX not"):
                by_place.setdefault(place, []).append(Name(t(index.name), index.side))
        return [(self.rect.left() + TITLE_WIDTH + place * self.width, tuple(names)) for place, names in sorted(by_place.items())]

    def _paint_panels(self, p: QPainter, panels: tuple[LensPanel, ...], theme: Theme) -> None:
        """Structures in words, side by side under the bands."""
        width = (self.rect.width() - 16) / max(1, len(panels))
        for place, panel in enumerate(panels):
            box = QRectF(self.rect.left() + 8 + place * width, self._panel_top + 3, width - 10, _PANEL_LINE * (len(panel.lines) + 1))
            color = side_color(theme, panel.side)
            p.fillRect(QRectF(box.left(), box.top(), 3, box.height()), color)
            line = QRectF(box.left() + 9, box.top(), box.width() - 9, _PANEL_LINE)
            p.setPen(color)
            p.setFont(ui_font(8.5, bold=True))
            p.drawText(line, Qt.AlignmentFlag.AlignVCenter, QFontMetricsF(p.font()).elidedText(t(panel.title), Qt.TextElideMode.ElideRight, line.width()))
            p.setPen(theme.color("text"))
            p.setFont(mono_font(8.0))
            for text in panel.lines:
                line = line.translated(0, _PANEL_LINE)
                p.drawText(line, Qt.AlignmentFlag.AlignVCenter, QFontMetricsF(p.font()).elidedText(text, Qt.TextElideMode.ElideRight, line.width()))
