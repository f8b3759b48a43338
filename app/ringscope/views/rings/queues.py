"""The strip of queues: one card a virtqueue, with a bar of its states that moves with the traffic."""

from __future__ import annotations

from typing import Final, NamedTuple

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QScrollArea, QWidget

from ringscope.theme import LIGHT, RING_STATES, Theme, mono_font, ui_font
from ringscope.views.rings.model import queue_role
from ringscope.words import t

CARD_WIDTH: Final = 190
CARD_HEIGHT: Final = 52


class Card(NamedTuple):
    """One queue: `counts` by state in descriptors, `num` 0 when the driver has not set it up."""

    oid: int
    name: str
    num: int
    counts: tuple[int, int, int, int]


class QueueStrip(QWidget):
    """The cards; `chosen` carries the ring's object id."""

    chosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme: Theme = LIGHT
        self._cards: list[Card] = []
        self._oid: int = 0
        self.setFixedHeight(CARD_HEIGHT + 8)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAccessibleName(t("virtqueues"))

    def show_queues(self, cards: list[Card], oid: int) -> None:
        """Show `cards`, that of `oid` chosen; repaints only when something differs."""
        if cards == self._cards and oid == self._oid:
            return
        if len(cards) != len(self._cards):
            self.setMinimumWidth(len(cards) * CARD_WIDTH + 8)
        self._cards, self._oid = cards, oid
        self.update()

    @property
    def cards(self) -> list[Card]:
        """The cards shown."""
        return self._cards

    def card_box(self, place: int) -> QRectF:
        """Where card `place` lies."""
        return QRectF(6 + place * CARD_WIDTH, 4, CARD_WIDTH - 6, CARD_HEIGHT)

    def sizeHint(self) -> QSize:
        """Room for every card."""
        return QSize(len(self._cards) * CARD_WIDTH + 8, CARD_HEIGHT + 8)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the cards."""
        p = QPainter(self)
        p.setRenderHint(QPainter.RenderHint.Antialiasing)
        p.fillRect(self.rect(), self.theme.color("raised"))
        for place, card in enumerate(self._cards):
            self._paint_card(p, self.card_box(place), card)
        p.end()

    def _paint_card(self, p: QPainter, box: QRectF, card: Card) -> None:
        theme = self.theme
        chosen = card.oid == self._oid
        p.setPen(QPen(theme.color("accent" if chosen else "border"), 1.6 if chosen else 1.0))
        p.setBrush(theme.color("accent.soft" if chosen else "surface"))
        p.drawRoundedRect(box.adjusted(1, 1, -1, -1), 4, 4)
        p.fillRect(QRectF(box.left() + 2, box.top() + 8, 3, box.height() - 16), theme.queue(queue_role(card.name)))
        inner = box.adjusted(11, 5, -8, -5)
        p.setPen(theme.color("text"))
        p.setFont(ui_font(9.0, bold=True))
        p.drawText(inner, Qt.AlignmentFlag.AlignTop, card.name)
        p.setPen(theme.color("text.muted"))
        p.setFont(mono_font(8.0))
        p.drawText(inner, Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignRight, str(card.num) if card.num else "-")
        bar = QRectF(inner.left(), inner.top() + 18, inner.width(), 7)
        self._paint_bar(p, bar, card)
        p.setPen(theme.color("text.muted"))
        p.setFont(ui_font(7.5))
        _, available, in_flight, used = card.counts
        text = t("{available} avail  {in_flight} in flight  {used} used", available=available, in_flight=in_flight, used=used) if card.num else t("not set up")
        p.drawText(inner, Qt.AlignmentFlag.AlignBottom, text)

    def _paint_bar(self, p: QPainter, bar: QRectF, card: Card) -> None:
        """Available, in flight, used, free: lengths in proportion; what exists is at least a pixel and a half wide."""
        p.fillRect(bar, self.theme.ring("free"))
        if not card.num:
            return
        x = bar.left()
        for state in (3, 2, 1):
            count = card.counts[state]
            if count:
                width = max(1.5, bar.width() * count / card.num)
                p.fillRect(QRectF(x, bar.top(), min(width, bar.right() - x), bar.height()), self.theme.ring(RING_STATES[state]))
                x += width

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Choose the card under the pointer."""
        place = int((event.position().x() - 6) // CARD_WIDTH)
        if 0 <= place < len(self._cards):
            self.chosen.emit(self._cards[place].oid)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Left and right choose the neighbour."""
        step = {int(Qt.Key.Key_Left): -1, int(Qt.Key.Key_Right): 1}.get(event.key(), 0)
        oids = [card.oid for card in self._cards]
        if step and self._oid in oids:
            self.chosen.emit(oids[(oids.index(self._oid) + step) % len(oids)])
        else:
            super().keyPressEvent(event)


class ScrollingStrip(QScrollArea):
    """The strip in an area that scrolls sideways, and is higher by the scroll bar, when there are many queue pairs."""

    def __init__(self, strip: QueueStrip) -> None:
        super().__init__()
        self._strip = strip
        self.setWidget(strip)
        self.setWidgetResizable(True)
        self.setFrameShape(QScrollArea.Shape.NoFrame)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.fit()

    def fit(self) -> None:
        """Take the height that the cards need."""
        scrolls = self._strip.minimumWidth() > self.width()
        self.setFixedHeight(CARD_HEIGHT + 10 + (self.horizontalScrollBar().sizeHint().height() if scrolls else 0))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The scroll bar comes or goes."""
        super().resizeEvent(event)
        self.fit()

    def show_card(self, place: int) -> None:
        """Scroll so that card `place` is seen whole."""
        self.ensureVisible(place * CARD_WIDTH + CARD_WIDTH // 2, 0, CARD_WIDTH // 2 + 4, 0)
