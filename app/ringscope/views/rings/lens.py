"""The lens under the circle: three bands of neighbouring slots, large enough for words and numbers.

At 1024 slots the circle shows a distribution; the lens shows the slots where something happens: each cell names its state in
words, so that colour is never the only sign.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPen, QPolygonF

from ringscope.theme import RING_STATES, Theme, mono_font, ui_font
from ringscope.views.rings.geometry import Hit
from ringscope.views.rings.model import STATES, Index, RingSnapshot, flag_words
from ringscope.views.rings.paint import side_color

CELL_WIDTH: Final = 66.0
TITLE_WIDTH: Final = 86.0
ROW_HEIGHT: Final = 46.0
MARK_HEIGHT: Final = 14.0
LENS_HEIGHT: Final = 2 * (ROW_HEIGHT + MARK_HEIGHT) + ROW_HEIGHT + 10.0
"""Height of the whole lens in pixels."""


class Band(NamedTuple):
    """One band of the lens: which ring, where it stands, its first slot, and the states of the whole ring."""

    name: str
    title: str
    subtitle: str
    top: float
    first: int
    states: npt.NDArray[np.uint8]


class Lens:
    """The three bands of one snapshot, laid out in `rect`; made anew for each refresh."""

    def __init__(self, rect: QRectF, snap: RingSnapshot, head: int) -> None:
        self.rect = rect
        self.snap = snap
        self.head = head
        self.chain: set[int] = {item.slot for item in snap.chain(head) if not item.indirect}
        self.avail_place: int = snap.avail_place_of(head) if self.chain else -1
        self.used_place: int = snap.used_place_of(head) if self.chain else -1
        self.count: int = max(1, min(snap.num, int((rect.width() - TITLE_WIDTH - 12) / CELL_WIDTH)))
        """Cells in a band."""
        self.width: float = (rect.width() - TITLE_WIDTH - 12) / self.count
        top = rect.top() + MARK_HEIGHT
        back = self.count // 3
        avail_at, desc_at, used_at = self._anchors()
        self.bands: tuple[Band, ...] = (
            Band("avail", "avail.ring", "slot: head", top, (avail_at - back) % snap.num, snap.avail_states),
            Band("desc", "desc", "len, flags", top + ROW_HEIGHT + 5, (desc_at - back) % snap.num, snap.states),
            Band("used", "used.ring", "slot: id, len", top + 2 * ROW_HEIGHT + MARK_HEIGHT + 10, (used_at - back) % snap.num, snap.used_states),
        )

    def _anchors(self) -> tuple[int, int, int]:
        """The slots that the bands are centred on: the focused chain's, else where device and driver work."""
        snap, num = self.snap, self.snap.num
        avail_at, used_at = snap.active_slot(), snap.used_idx % num
        if 0 <= self.head < num:
            return (self.avail_place if self.avail_place >= 0 else avail_at, self.head, self.used_place if self.used_place >= 0 else used_at)
        return avail_at, int(snap.avail_ring[avail_at]) % num, used_at

    def cell(self, band: Band, slot: int) -> QRectF:
        """Where `slot` of `band` lies; its left edge may be outside the rectangle."""
        place = (slot - band.first) % self.snap.num
        return QRectF(self.rect.left() + TITLE_WIDTH + place * self.width, band.top, self.width - 2, ROW_HEIGHT)

    def hit(self, point: QPointF) -> Hit | None:
        """The slot under `point`."""
        place = int((point.x() - self.rect.left() - TITLE_WIDTH) // self.width)
        if 0 <= place < self.count:
            for band in self.bands:
                if band.top <= point.y() < band.top + ROW_HEIGHT:
                    return Hit(band.name, (band.first + place) % self.snap.num)
        return None

    # -- painting ---------------------------------------------------------------------------------------------------------
    def paint(self, p: QPainter, theme: Theme) -> None:
        """All three bands with their marks."""
        for band in self.bands:
            self._paint_title(p, band, theme)
            for place in range(self.count):
                self._paint_cell(p, band, (band.first + place) % self.snap.num, theme)
        self._paint_marks(p, self.bands[0], "avail", theme)
        self._paint_marks(p, self.bands[2], "used", theme)

    def _paint_title(self, p: QPainter, band: Band, theme: Theme) -> None:
        x = self.rect.left() + 8
        p.setPen(theme.color("text"))
        p.setFont(ui_font(8.5, bold=True))
        p.drawText(QRectF(x, band.top + 6, TITLE_WIDTH - 10, 16), Qt.AlignmentFlag.AlignVCenter, band.title)
        p.setPen(theme.color("text.muted"))
        p.setFont(ui_font(7.5))
        p.drawText(QRectF(x, band.top + 22, TITLE_WIDTH - 10, 14), Qt.AlignmentFlag.AlignVCenter, band.subtitle)

    def _paint_cell(self, p: QPainter, band: Band, slot: int, theme: Theme) -> None:
        state = int(band.states[slot])
        box = self.cell(band, slot)
        p.fillRect(box, theme.ring(RING_STATES[state]))
        p.setPen(theme.ring_text(RING_STATES[state]))
        first, second = self._words(band, slot)
        inner = box.adjusted(4, 1, -2, -1)
        p.setFont(mono_font(8.0))
        p.drawText(inner, Qt.AlignmentFlag.AlignTop, first)
        p.setFont(mono_font(7.5))
        p.drawText(inner, Qt.AlignmentFlag.AlignVCenter, second)
        p.setFont(ui_font(7.5))
        p.drawText(inner, Qt.AlignmentFlag.AlignBottom, STATES[state] if band.name == "desc" or state else "stale")
        if self._is_focused(band, slot):
            p.setPen(QPen(theme.color("cursor"), 2.0))
            p.drawRect(box.adjusted(1, 1, -1, -1))

    def _is_focused(self, band: Band, slot: int) -> bool:
        if band.name == "desc":
            return slot in self.chain
        return slot == (self.avail_place if band.name == "avail" else self.used_place)

    def _words(self, band: Band, slot: int) -> tuple[str, str]:
        snap = self.snap
        if band.name == "avail":
            return f"{slot}", f"head {int(snap.avail_ring[slot])}"
        if band.name == "used":
            element = snap.used_ring[slot]
            return f"{slot}: {int(element['id'])}", f"len {int(element['len'])}"
        row = snap.desc[slot]
        letters = "".join(word[0] for word in flag_words(int(row["flags"])).split())
        return f"{slot} {letters}", f"{int(row['len'])} B"

    def _paint_marks(self, p: QPainter, band: Band, space: str, theme: Theme) -> None:
        """The indices of one ring above its band; those at one slot share a mark."""
        by_slot: dict[int, list[Index]] = {}
        for index in self.snap.indices():
            if index.space == space and not index.note.startswith("EVENT_IDX not"):
                by_slot.setdefault(index.slot, []).append(index)
        p.setFont(ui_font(7.5, bold=True))
        right = -1.0
        for slot, group in sorted(by_slot.items(), key=lambda item: (item[0] - band.first) % self.snap.num):
            place = (slot - band.first) % self.snap.num
            if place >= self.count:
                continue
            right = self._paint_mark(p, band, place, group, right, theme)

    def _paint_mark(self, p: QPainter, band: Band, place: int, group: list[Index], right: float, theme: Theme) -> float:
        """One mark with its names, not over the one that ends at `right`; returns where it ends."""
        x = self.rect.left() + TITLE_WIDTH + place * self.width
        y = band.top
        p.setPen(Qt.PenStyle.NoPen)
        p.setBrush(side_color(theme, group[0].side))
        p.drawPolygon(QPolygonF([QPointF(x, y - 1), QPointF(x - 4, y - 8), QPointF(x + 4, y - 8)]))
        p.setBrush(Qt.BrushStyle.NoBrush)
        left = max(x + 6, right + 4)
        for at, index in enumerate(group):
            text = index.name + (", " if at + 1 < len(group) else "")
            width = p.fontMetrics().horizontalAdvance(text)
            if left + width > self.rect.right():
                break
            p.setPen(side_color(theme, index.side))
            p.drawText(QRectF(left, y - MARK_HEIGHT, width + 2, MARK_HEIGHT - 1), Qt.AlignmentFlag.AlignVCenter, text)
            left += width
        return left
