"""The time panel's widget: a strip of controls over the tracks."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QLine, QPoint, QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QPixmap, QPolygonF, QWheelEvent
from PySide6.QtWidgets import QMenu, QSizePolicy, QVBoxLayout, QWidget

from ringscope.commands import Commands
from ringscope.focus import Focus
from ringscope.store import Store
from ringscope.theme import Theme, ui_font
from ringscope.vectors import paints_anew
from ringscope.views.spec import View
from ringscope.views.timeline import places
from ringscope.views.timeline.model import Density
from ringscope.views.timeline.paint import paint_tracks, ruler_ticks, tick_text, track_picture
from ringscope.views.timeline.strip import Strip
from ringscope.widgets.point_menu import Offer, add_offers, event_offers
from ringscope.widgets.spots import Spot
from ringscope.words import t
from ringscope_core.query.decode import format_clock, format_count
from ringscope_core.session.rows import MarkRow

GUTTER: Final = 76
"""Width of the groups' names."""
RULER: Final = 18
COUNT_MS: Final = 2.5
"""What counting new events may take a frame."""
MARKS_S: Final = 0.25
"""How often marks are looked for while the end is followed."""
WORDS_S: Final = 0.1
"""How often the moment is told in words while the end is followed: nobody reads faster, and each new text lays out the strip."""
_Range = tuple[float, float]


class Tracks(QWidget):
    """The picture and its gestures.  `low` and `high` are the stretch shown, in virtual ns or event numbers."""

    def __init__(self, store: Store, focus: Focus, theme: Theme) -> None:
        super().__init__()
        self._store, self._focus, self.theme = store, focus, theme
        self.by_time: bool = True
        self.zoomed: _Range | None = None
        """The stretch that the user chose, None for everything."""
        self.density = Density(store)
        self.marks: list[MarkRow] = []
        self._pixmap = QPixmap()
        self._still_key: tuple[object, ...] = ()
        self._ground = QPixmap()
        self._ground_key: tuple[object, ...] = ()
        self._drag_from: QPoint | None = None
        self._range_from: int = -1
        """Where a range is being dragged from, -1 for none."""
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setAccessibleName(t("Time line"))
        self.setMinimumHeight(RULER + 10 * 9)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    # -- scales -------------------------------------------------------------------------------------------------------
    @property
    def timed(self) -> bool:
        """Whether the axis is virtual time; while no time has passed (a realize, say) it counts events."""
        return self.by_time and self._store.reader.last_vt > 0

    def whole(self) -> _Range:
        """The whole recording."""
        if self.timed:
            return 0.0, float(max(self._store.reader.last_vt, 1))
        return float(max(self._store.first_seq, 0)), float(max(self._store.last_seq + 1, 1))

    def shown(self) -> _Range:
        """The stretch shown; it moves with the end while that is followed."""
        if self.zoomed is None:
            return self.whole()
        low, high = self.zoomed
        if self._focus.following and self._store.live:
            end = self.whole()[1]
            low, high = end - (high - low), end
            self.zoomed = (low, high)
        return low, high

    def reveal(self, seq: int) -> None:
        """Bring event `seq` into the stretch shown, when it was zoomed."""
        if self.zoomed is None or self._drag_from is not None or seq < 0:
            return
        low, high = self.zoomed
        value = self.value_of_seq(seq)
        if not low <= value <= high:
            whole_low, whole_high = self.whole()
            span = high - low
            low = min(max(value - span / 3, whole_low), max(whole_high - span, whole_low))
            self.zoomed = (low, low + span)

    def track_height(self) -> int:
        """Pixels of one group's track."""
        return max((self.height() - RULER) // max(len(self.density.groups), 1), 6)

    def track_box(self, group: str) -> QRectF:
        """The track of one of the density's groups, with its name."""
        height = self.track_height()
        return QRectF(0, RULER + self.density.groups.index(group) * height, self.width(), height)

    def ruler_box(self) -> QRect:
        """The scale over the tracks."""
        return QRect(GUTTER, 0, self.width() - GUTTER, RULER)

    def x_of(self, value: float) -> float:
        """Where a value of the axis lies."""
        low, high = self.shown()
        return GUTTER + (value - low) / max(high - low, 1e-9) * (self.width() - GUTTER)

    def value_at(self, x: float) -> float:
        """The axis' value at pixel `x`."""
        low, high = self.shown()
        return low + (x - GUTTER) / max(self.width() - GUTTER, 1) * (high - low)

    def value_of_seq(self, seq: int) -> float:
        """Where event `seq` stands on the axis."""
        return float(self._store.reader.vt_at_seq(seq)) if self.timed else seq + 0.5

    def seq_at(self, x: float) -> int:
        """The event at pixel `x`, clipped to the recording."""
        value = self.value_at(x)
        seq = self._store.reader.seq_at_vt(int(value)) if self.timed else int(value)
        return max(min(seq, self._store.last_seq), self._store.first_seq)

    # -- painting -----------------------------------------------------------------------------------------------------
    def paintEvent(self, event: QPaintEvent) -> None:
        """Tracks from the cached picture, then what moves."""
        painter = QPainter(self)
        if paints_anew(painter, self.devicePixelRatioF()):
            self._paint_still(painter)
        else:
            painter.drawPixmap(0, 0, self._still())
        painter.setClipRect(QRect(GUTTER, 0, self.width() - GUTTER, self.height()))
        self._paint_range(painter)
        self._paint_marks(painter)
        self._paint_cursor(painter)

    def _still(self) -> QPixmap:
        """Everything but marks and cursor: drawn anew only when the recording grew or the stretch shown changed."""
        low, high = self.shown()
        density, track = self.density, self.track_height()
        key = (low, high, self.size().toTuple(), density.next_seq, density.finer, self.theme.name, self.timed, id(density))
        if key != self._still_key:
            self._still_key = key
            self._pixmap = QPixmap(self._still_ground(track))
            painter = QPainter(self._pixmap)
            # the events over the lines: one that happens on the second is not to hide behind its line
            self._paint_ruler(painter)
            painter.drawImage(GUTTER, RULER, track_picture(self._bins(), density.groups, self.theme, track))
            painter.end()
        return self._pixmap

    def _bins(self) -> NDArray[np.int64]:
        """The densities of what is shown, one bin a pixel."""
        low, high = self.shown()
        return self.density.bins(low, high, max(self.width() - GUTTER, 1), self.timed)

    def _paint_still(self, painter: QPainter) -> None:
        """The same as shapes."""
        track = self.track_height()
        painter.fillRect(self.rect(), self.theme.color("surface"))
        self._paint_names(painter, track)
        self._paint_ruler(painter)
        painter.save()
        painter.translate(GUTTER, RULER)
        paint_tracks(painter, self._bins(), self.density.groups, self.theme, track)
        painter.restore()

    def _still_ground(self, track: int) -> QPixmap:
        """The surface with the groups' names, under the densities."""
        density, scale = self.density, self.devicePixelRatioF()
        key = (self.size().toTuple(), scale, track, self.theme.name, tuple(density.groups))
        if key != self._ground_key:
            self._ground_key = key
            self._ground = QPixmap(round(self.width() * scale), round(self.height() * scale))
            self._ground.setDevicePixelRatio(scale)
            self._ground.fill(self.theme.color("surface"))
            painter = QPainter(self._ground)
            self._paint_names(painter, track)
            painter.end()
        return self._ground

    def _paint_names(self, painter: QPainter, track: int) -> None:
        painter.setFont(ui_font(8.5 if track >= 11 else 7.0))
        for place, group in enumerate(self.density.groups):
            top = RULER + place * track
            painter.setPen(self.theme.color("grid"))
            painter.drawLine(0, top, self.width(), top)
            painter.fillRect(QRect(6, top + track // 2 - 3, 7, 7), self.theme.group(group))
            painter.setPen(self.theme.color("text.muted"))
            painter.drawText(QRect(18, top, GUTTER - 20, track), Qt.AlignmentFlag.AlignVCenter, t(group))

    def _paint_ruler(self, painter: QPainter) -> None:
        low, high = self.shown()
        ticks = ruler_ticks(low, high, self.width() - GUTTER)
        step = ticks[1] - ticks[0] if len(ticks) > 1 else high - low
        scale = (self.width() - GUTTER) / max(high - low, 1e-9)
        places = [round(GUTTER + (value - low) * scale) for value in ticks]
        painter.setPen(self.theme.color("border"))
        painter.drawLines([QLine(x, RULER - 4, x, self.height()) for x in places])
        painter.setFont(ui_font(8.5))
        painter.setPen(self.theme.color("text.muted"))
        metrics, timed = painter.fontMetrics(), self.timed
        for x, value in zip(places, ticks, strict=True):
            text = tick_text(value, step, timed)
            if x + metrics.horizontalAdvance(text) + 4 < self.width():
                painter.drawText(QRect(x + 4, 0, 120, RULER - 2), Qt.AlignmentFlag.AlignVCenter, text)

    def refine(self) -> bool:
        """Read more of what is looked at closely; true when there is more to read."""
        low, high = self.shown()
        return self.density.refine(low, high, max(self.width() - GUTTER, 1), self.timed, COUNT_MS)

    def _paint_range(self, painter: QPainter) -> None:
        """The chosen range: what is outside is dimmed, its ends have brackets."""
        if self._focus.range is None:
            return
        first, last = self._focus.range
        left, right = self.x_of(self.value_of_seq(first)), self.x_of(self.value_of_seq(last))
        dim = self.theme.color("surface")
        dim.setAlpha(150)
        bottom = float(self.height())
        painter.fillRect(QRectF(GUTTER, RULER, max(left - GUTTER, 0), bottom), dim)
        painter.fillRect(QRectF(right, RULER, max(self.width() - right, 0), bottom), dim)
        painter.setPen(QPen(self.theme.color("accent"), 2))
        for x, inward in ((left, 6.0), (right, -6.0)):
            painter.drawPolyline(QPolygonF([QPointF(x + inward, RULER + 1), QPointF(x, RULER + 1), QPointF(x, bottom - 1), QPointF(x + inward, bottom - 1)]))
        painter.fillRect(QRectF(left, RULER - 3, max(right - left, 1), 3), self.theme.color("accent"))

    def mark_at(self, x: float, y: float) -> MarkRow | None:
        """The mark whose flag is under a place of the ruler."""
        if y > RULER:
            return None
        near = [mark for mark in self.marks if abs(self.x_of(mark.vt if self.timed else mark.seq) - x) <= 6]
        return min(near, key=lambda mark: abs(self.x_of(mark.vt if self.timed else mark.seq) - x), default=None)

    def _paint_marks(self, painter: QPainter) -> None:
        painter.setFont(ui_font(8.5))
        color = self.theme.color("mark")
        for mark in self.marks:
            x = self.x_of(mark.vt if self.timed else mark.seq)
            painter.setPen(QPen(color, 1, Qt.PenStyle.DashLine))
            painter.drawLine(QPointF(x, RULER), QPointF(x, self.height()))
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(color)
            painter.drawPolygon(QPolygonF([QPointF(x - 4, RULER - 8), QPointF(x + 4, RULER - 8), QPointF(x, RULER)]))

    def _paint_cursor(self, painter: QPainter) -> None:
        if self._focus.seq < 0:
            return
        x = self.x_of(self.value_of_seq(self._focus.seq))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if not GUTTER - 1 <= x <= self.width() + 1:
            self._paint_away(painter, x > self.width())
            return
        x = min(x, self.width() - 1.0)
        painter.setPen(QPen(self.theme.color("cursor"), 2))
        painter.drawLine(QPointF(x, 6), QPointF(x, self.height()))
        painter.setBrush(self.theme.color("cursor"))
        painter.drawRoundedRect(QRectF(x - 5, 1, 10, 8), 2, 2)

    def _paint_away(self, painter: QPainter, right: bool) -> None:
        """The moment is out of sight: an arrow at the side where it is."""
        x, way = (self.width() - 3.0, -9.0) if right else (GUTTER + 3.0, 9.0)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self.theme.color("cursor"))
        painter.drawPolygon(QPolygonF([QPointF(x, RULER / 2), QPointF(x + way, RULER / 2 - 5), QPointF(x + way, RULER / 2 + 5)]))

    # -- gestures -----------------------------------------------------------------------------------------------------
    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Left scrubs, on a mark's flag goes to it, with Shift begins a range; middle pans."""
        self._drag_from = event.position().toPoint()
        x = event.position().x()
        if event.button() != Qt.MouseButton.LeftButton or x < GUTTER or self._store.last_seq < 0:
            return
        mark = self.mark_at(x, event.position().y())
        if event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self._range_from = self.seq_at(x)
        elif mark is not None:
            self._focus.select(seq=mark.seq)
        else:
            self._focus.scrub(self.seq_at(x))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Dragging goes on scrubbing or panning; hovering tells the moment."""
        x = event.position().x()
        if self._range_from >= 0:
            self._focus.set_range(self._range_from, self.seq_at(min(max(x, GUTTER), self.width())))
        elif event.buttons() & Qt.MouseButton.LeftButton:
            self._focus.scrub(self.seq_at(min(max(x, GUTTER), self.width())))
        elif event.buttons() & Qt.MouseButton.MiddleButton and self._drag_from is not None:
            self.pan((self._drag_from.x() - x) / max(self.width() - GUTTER, 1))
            self._drag_from = event.position().toPoint()
        elif self._store.last_seq >= 0 and x >= GUTTER:
            seq, mark = self.seq_at(x), self.mark_at(x, event.position().y())
            at = t("event {n}  at {time} s", n=format_count(seq), time=format_clock(self._store.reader.vt_at_seq(seq)))
            self.setToolTip(at if mark is None else t("{name}: event {n}", name=mark.name, n=format_count(mark.seq)) + (f"\n{mark.note}" if mark.note else ""))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """A range that was dragged is chosen; one without extent is none."""
        self._drag_from = None
        if self._range_from >= 0:
            self._range_from = -1
            if self._focus.range is not None and self._focus.range[0] == self._focus.range[1]:
                self._focus.set_range(None, None)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Show everything again."""
        self.zoomed = None
        self.update()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom where the pointer is; with Shift, pan."""
        delta = event.angleDelta().y() or event.angleDelta().x()
        if event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self.pan(-delta / 1200)
        else:
            self.zoom(0.8 if delta > 0 else 1.25, self.value_at(event.position().x()))
        event.accept()

    def zoom(self, factor: float, around: float) -> None:
        """Scale the stretch shown by `factor`, keeping `around` where it is."""
        low, high = self.shown()
        least = 1000.0 if self.timed else 20.0
        whole_low, whole_high = self.whole()
        span = max((high - low) * factor, least)
        if span >= whole_high - whole_low:
            self.zoomed = None
        else:
            low = around - (around - low) * span / max(high - low, 1e-9)
            low = min(max(low, whole_low), whole_high - span)
            self.zoomed = (low, low + span)
        self.update()

    def pan(self, part: float) -> None:
        """Move the stretch shown by a part of its width."""
        if self.zoomed is None:
            return
        low, high = self.zoomed
        whole_low, whole_high = self.whole()
        shift = min(max((high - low) * part, whole_low - low), whole_high - high)
        self.zoomed = (low + shift, high + shift)
        self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrows step, Home and End go to the ends."""
        store, focus = self._store, self._focus
        big = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        key = event.key()
        if key in (Qt.Key.Key_Left, Qt.Key.Key_Right):
            sign = -1 if key == Qt.Key.Key_Left else 1
            if big:
                x = self.x_of(self.value_of_seq(focus.seq)) + sign * (self.width() - GUTTER) / 10
                seq = self.seq_at(min(max(x, GUTTER), self.width()))
            else:
                seq = focus.seq + sign
            focus.scrub(max(min(seq, store.last_seq), store.first_seq))
        elif key == Qt.Key.Key_Home:
            focus.scrub(store.first_seq)
        elif key == Qt.Key.Key_End:
            focus.set_following(True)
            focus.advance(store.last_seq)
        elif key in (Qt.Key.Key_Plus, Qt.Key.Key_Minus) and not big:
            self.zoom(0.8 if key == Qt.Key.Key_Plus else 1.25, self.value_of_seq(focus.seq))
        else:
            super().keyPressEvent(event)


class TimelineView(View):
    """The panel: where we are in words, and the tracks."""

    live_hz = 60.0

    def __init__(self, store: Store, focus: Focus, commands: Commands, parent: QWidget | None = None) -> None:
        super().__init__(store, focus, commands, parent)
        self.tracks = Tracks(store, focus, self.theme)
        self.tracks.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.tracks.customContextMenuRequested.connect(self._menu)
        self._generation = store.generation
        self._marks_at = 0.0
        self._words_at = 0.0
        self._more = False
        """Whether the picture can become finer."""
        self._revealed = -2
        """The event that was brought into sight last; panning away from it is a person's right."""
        self._told = -2
        """The event that the words tell of."""
        self.strip = Strip(store, focus, commands)
        strip = self.strip
        self._follow, self._moment, self._end = strip.follow, strip.moment, strip.end
        strip.follow.clicked.connect(lambda on: focus.set_following(bool(on)))
        strip.axis.clicked.connect(self._set_axis)
        strip.fit.clicked.connect(self._show_all)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.strip)
        layout.addWidget(self.tracks, 1)
        self.setFocusProxy(self.tracks)

    def _set_axis(self, by_event: bool) -> None:
        self.tracks.by_time = not by_event
        self._show_all()

    def _show_all(self) -> None:
        self.tracks.zoomed = None
        self.tracks.update()

    def make_menu(self, x: float) -> QMenu:
        """Breakpoints on the moment at `x` pixels, and on what happened there."""
        store = self.store
        seq = self.tracks.seq_at(x)
        menu = QMenu(self)
        row = store.row(seq)
        if row is not None:
            vt = int(row["vt"])
            offers = [Offer(t("Break at {time} s", time=format_clock(vt)), {"what": "time", "where": f"{vt}ns"})]
            add_offers(menu, [*offers, *event_offers(store, row, self.focus.filter)], store, self.commands, self.window())
        return menu

    def _menu(self, at: QPoint) -> None:
        menu = self.make_menu(at.x())
        if menu.actions():
            menu.popup(self.tracks.mapToGlobal(at))

    def refresh(self) -> None:
        """Count what is new, and paint."""
        store, focus, tracks = self.store, self.focus, self.tracks
        if self._generation != store.generation:
            self._generation = store.generation
            tracks.density = Density(store)
            tracks.zoomed = None
        if focus.seq != self._revealed and not focus.following:
            self._revealed = focus.seq
            tracks.reveal(focus.seq)
        tracks.density.advance(COUNT_MS)
        self._more = tracks.refine()
        now = time.monotonic()
        if now - self._marks_at > MARKS_S or not focus.following:
            self._marks_at = now
            tracks.marks = store.marks()
        if now - self._words_at > WORDS_S or not (focus.following and store.live):
            self._words_at = now
            self._tell_moment()
        self._follow.setChecked(focus.following)
        tracks.update()

    def _tell_moment(self) -> None:
        store, seq = self.store, self.focus.seq
        self._told = seq
        vt = store.reader.vt_at_seq(seq) if seq >= 0 else 0
        self.strip.tell(seq)
        self.tracks.setAccessibleDescription(
            t("event {seq} of {last_seq}, virtual time {time} seconds", seq=seq, last_seq=store.last_seq, time=format_clock(vt))
        )

    @property
    def unfinished(self) -> bool:
        """Whether events remain to be counted or to be told of: refresh again next frame."""
        return self._more or self.tracks.density.next_seq <= self.store.last_seq or self._told != self.focus.seq

    def theme_changed(self, theme: Theme) -> None:
        """Icons and tracks in the new colours."""
        self.tracks.theme = theme
        self.strip.set_theme(theme)

    def parts(self) -> Mapping[str, QWidget]:
        """The panes."""
        return {"strip": self.strip, "tracks": self.tracks}

    def words(self) -> list[str]:
        """What can be pointed at beside the panes."""
        return places.words(self)

    def spot(self, target: str) -> Spot | None:
        """A pane, or a place in one."""
        return super().spot(target) or places.spot(self, target)

    def table_text(self) -> str:
        """Events by group over the whole recording, and the marks."""
        density = self.tracks.density
        lines = [t("group\tevents"), *(f"{t(group)}\t{n}" for group, n in zip(density.groups, density.totals(), strict=True))]
        if self.focus.range is not None:
            lines.append(t("range\t{first} to {last}", first=self.focus.range[0], last=self.focus.range[1]))
        lines += ["", t("mark\tevent\tvirtual time (s)"), *(f"{mark.name}\t{mark.seq}\t{format_clock(mark.vt)}" for mark in self.tracks.marks)]
        return "\n".join(lines)
