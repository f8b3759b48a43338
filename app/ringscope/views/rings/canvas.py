"""The widget of the ring picture: circle and lens, hover texts, clicks."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetricsF, QHelpEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPixmap
from PySide6.QtWidgets import QToolTip, QWidget

from ringscope.theme import LIGHT, Theme, ui_font
from ringscope.vectors import paints_anew
from ringscope.views.rings.geometry import Hit, RingGeometry
from ringscope.views.rings.hands import paint_indices
from ringscope.views.rings.lens import LENS_HEIGHT, Lens
from ringscope.views.rings.model import Band, RingSnapshot
from ringscope.views.rings.paint import COUNTS_HEIGHT, has_center, paint_bands, paint_center, paint_chain, paint_legend, paint_scale
from ringscope.words import t

_LEGEND_HEIGHT = 20.0
_MIN_CIRCLE = 218.0
"""A circle smaller than this says nothing: the lens gives way."""


class RingCanvas(QWidget):
    """Paints a `RingSnapshot`; `picked` carries the descriptor slot that was clicked."""

    picked = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme: Theme = LIGHT
        self._snap: RingSnapshot | None = None
        self._name: str = ""
        self._note: str = ""
        self._trouble: str = ""
        self._head: int = -1
        self._lens: Lens | None = None
        self._geo: RingGeometry | None = None
        self._scale: QPixmap | None = None
        self._scale_key: tuple[object, ...] = ()
        self.setMinimumSize(QSize(320, 260))
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(t("virtqueue picture"))

    @property
    def snap(self) -> RingSnapshot | None:
        """The ring that is drawn."""
        return self._snap

    @property
    def title(self) -> str:
        """What the picture is of, and what is wrong with it; without a ring, why there is none."""
        if self._snap is None:
            return self._note
        words = t("packed ring of {size} descriptors") if self._snap.wraps else t("split ring of {size} descriptors")
        return "  \N{MIDDLE DOT}  ".join(text for text in (self._name, words.format(size=self._snap.num), self._trouble) if text)

    def show_ring(self, snap: RingSnapshot | None, name: str, head: int, note: str, trouble: str = "") -> None:
        """Show `snap` with the chain of `head` marked; without a snapshot, `note` says why there is none.

        `trouble` is written over the picture: what is wrong with the device or the ring.
        """
        self._snap, self._name, self._head, self._note, self._trouble = snap, name, head, note, trouble
        self.update()

    # -- painting -----------------------------------------------------------------------------------------------------------
    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw everything."""
        p = QPainter(self)
        p.setRenderHint(QPainter.RenderHint.Antialiasing)
        p.fillRect(self.rect(), self.theme.color("surface"))
        if self._snap is None:
            self._paint_note(p)
        else:
            self._paint_ring(p, self._snap)
        p.end()

    def _paint_note(self, p: QPainter) -> None:
        p.setFont(ui_font(11.0))
        p.setPen(self.theme.color("text.muted"))
        p.drawText(QRectF(self.rect()).adjusted(24, 24, -24, -24), int(Qt.AlignmentFlag.AlignCenter) | int(Qt.TextFlag.TextWordWrap), self._note)

    def _paint_ring(self, p: QPainter, snap: RingSnapshot) -> None:
        bands = snap.bands()
        paint_legend(p, QRectF(self.legend_box()), snap.legends, self.theme)
        geo, self._lens = self._lay_out(snap, bands)
        self._geo = geo
        paint_bands(p, geo, bands, self.theme)
        self._paint_scale(p, geo, snap)
        paint_chain(p, geo, snap, self._head, self.theme.color("cursor"))
        paint_indices(p, geo, snap, self.theme)
        paint_center(p, geo, snap, self._name, self.theme)
        if self._lens is not None:
            self._lens.paint(p, self.theme)
        if self._trouble:
            self._paint_trouble(p, geo)

    def _lay_out(self, snap: RingSnapshot, bands: Sequence[Band]) -> tuple[RingGeometry, Lens | None]:
        """The circle, and below it the lens where there is room for both."""
        rect = QRectF(self.rect())
        lens_height = LENS_HEIGHT + 6 if rect.height() - LENS_HEIGHT >= _MIN_CIRCLE else 0.0
        area = rect.adjusted(0, _LEGEND_HEIGHT, 0, -lens_height)
        geo = RingGeometry(area, snap.num, bands)
        if not has_center(geo):
            geo = RingGeometry(area.adjusted(0, 0, 0, -COUNTS_HEIGHT), snap.num, bands)
        if not lens_height:
            return geo, None
        return geo, Lens(QRectF(rect.left(), rect.bottom() - lens_height + 2, rect.width(), LENS_HEIGHT), snap, self._head)

    def laid_out(self) -> tuple[RingGeometry | None, Lens | None]:
        """Where the picture's pieces lie now, painted or not; None without a ring."""
        return self._lay_out(self._snap, self._snap.bands()) if self._snap is not None else (None, None)

    def legend_box(self) -> QRect:
        """The line that says which ring is which."""
        return QRect(0, 2, self.width(), int(_LEGEND_HEIGHT))

    def _paint_trouble(self, p: QPainter, geo: RingGeometry) -> None:
        """A strip under the legend with what is wrong."""
        box = QRectF(geo.rect.left() + 8, geo.rect.top() + 2, geo.rect.width() - 16, 20)
        p.fillRect(box, self.theme.color("filter.invalid"))
        p.setFont(ui_font(8.5, bold=True))
        p.setPen(self.theme.severity("error"))
        text = QFontMetricsF(p.font()).elidedText(self._trouble, Qt.TextElideMode.ElideRight, box.width() - 12)
        p.drawText(box.adjusted(6, 0, -6, 0), Qt.AlignmentFlag.AlignVCenter, text)

    def _paint_scale(self, p: QPainter, geo: RingGeometry, snap: RingSnapshot) -> None:
        """The slot borders and numbers: the same until size, ring size or theme change."""
        if paints_anew(p, self.devicePixelRatioF()):
            paint_scale(p, geo, snap.wraps, self.theme)
            return
        ratio = self.devicePixelRatioF()
        key = (self.size().toTuple(), geo.num, geo.radius, snap.layout, self.theme.name, ratio)
        if self._scale is None or self._scale_key != key:
            pixmap = QPixmap((self.size().toSizeF() * ratio).toSize())
            pixmap.setDevicePixelRatio(ratio)
            pixmap.fill(Qt.GlobalColor.transparent)
            inner = QPainter(pixmap)
            inner.setRenderHint(QPainter.RenderHint.Antialiasing)
            paint_scale(inner, geo, snap.wraps, self.theme)
            inner.end()
            self._scale, self._scale_key = pixmap, key
        p.drawPixmap(QPointF(0, 0), self._scale)

    # -- pointing -----------------------------------------------------------------------------------------------------------
    def _hit(self, point: QPointF) -> Hit | None:
        if self._snap is None:
            return None
        found = self._lens.hit(point) if self._lens is not None else None
        return found or (self._geo.hit(point) if self._geo is not None else None)

    def place_at(self, point: QPointF) -> Hit | None:
        """The place of the ring under a point, of the picture or the lens."""
        return self._hit(point)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Select the chain under the pointer."""
        hit = self._hit(event.position())
        if hit is not None and self._snap is not None and event.button() == Qt.MouseButton.LeftButton:
            self.picked.emit(self._snap.descriptor_of(hit.band, hit.slot))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Left and right go to the neighbouring head."""
        step = {int(Qt.Key.Key_Left): -1, int(Qt.Key.Key_Right): 1}.get(event.key(), 0)
        if step == 0 or self._snap is None:
            super().keyPressEvent(event)
            return
        start = self._head if self._head >= 0 else self._snap.active_head()
        self.picked.emit(self._snap.neighbour(start, step))

    def event(self, event: QEvent) -> bool:
        """Tooltips say what lies under the pointer."""
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            hit = self._hit(QPointF(event.pos()))
            if hit is None:
                QToolTip.hideText()
            else:
                QToolTip.showText(event.globalPos(), self.describe(hit), self)
            return True
        return super().event(event)

    def describe(self, hit: Hit) -> str:
        """One place of the picture in words."""
        assert self._snap is not None
        return self._snap.describe(hit.band, hit.slot)
