"""The nested timeline: one bar a call, one row a level, callers above callees."""

from __future__ import annotations

from bisect import bisect_right
from typing import Final

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QContextMenuEvent, QFontMetricsF, QHelpEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QWheelEvent
from PySide6.QtWidgets import QToolTip, QWidget

from ringscope.store import Store
from ringscope.theme import LIGHT, Theme, mono_font, ui_font
from ringscope.views.realize.model import SUBSYSTEM_MEANING, Call, CallTree, signature, subsystem
from ringscope.words import later, t
from ringscope_core.query.decode import format_ns

AXES: Final = (later("event order"), later("virtual time"), later("wall time"))
_RULER: Final = 22.0
_LEGEND: Final = 20.0
_MIN_ROW: Final = 14.0
_MAX_ROW: Final = 24.0
_EDGE: Final = 8.0


class FlameChart(QWidget):
    """`picked` carries the event of what was clicked: a call's beginning or a checkpoint."""

    picked = Signal(int)
    chosen = Signal(object)
    menu_wanted = Signal(object, int, object)
    """The call that was right-clicked, the line of its checkpoint there, and where on the screen."""

    def __init__(self, store: Store, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.store = store
        self.theme: Theme = LIGHT
        self.tree = CallTree()
        self.axis: int = 0
        self.moment: int = -1
        self.selected: Call | None = None
        self.matches: frozenset[int] = frozenset()
        self._home: tuple[float, float] = (0.0, 1.0)
        self._range: tuple[float, float] = (0.0, 1.0)
        self._top: float = 0.0
        self._look: tuple[object, ...] = ()
        """What the cursor changed in the picture when it was last drawn."""
        self._press: QPointF | None = None
        self._press_range: tuple[float, float] = (0.0, 1.0)
        self._dragged: bool = False
        self.setMinimumSize(QSize(300, 160))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setAccessibleName(t("nested timeline of calls"))

    # -- what is shown --------------------------------------------------------------------------------------------------------
    def set_tree(self, tree: CallTree) -> None:
        """Show another recording's calls."""
        self.tree, self.selected, self.matches, self._top = tree, None, frozenset(), 0.0
        self.update()

    def set_home(self, first: int, last: int, keep: bool = False) -> None:
        """The span (events) that Home shows, and show it; with `keep` only when the former span was shown whole."""
        zoomed = keep and self._range != self._home
        starts = [self.x_of(call) for call in self.tree.calls if first <= call.seq <= last]
        ends = [self.x_end(call, last) for call in self.tree.calls if first <= call.seq <= last]
        low, high = (min(starts), max(ends)) if starts else (float(first), float(last))
        if self.axis == 0:
            low, high = float(first), float(last)
        pad = max((high - low) * 0.01, 0.5)
        self._home = (low - pad, high + pad)
        if not zoomed:
            self.go_home()

    def set_moment(self, seq: int) -> None:
        """Put the cursor after event `seq`; repaints only when something in sight changes by it."""
        look = (self.selected, tuple(call.number for call in self.visible_calls() if call.covers(seq)), self._cursor_px(seq))
        self.moment = seq
        if look != self._look:
            self._look = look
            self.update()

    def _cursor_px(self, seq: int) -> int:
        """The cursor's pixel, -1 when it is out of sight."""
        px = self._px(self.x_of_seq(seq)) if seq >= 0 else -1.0
        return round(px) if -1 <= px <= self.width() + 1 else -1

    def go_home(self) -> None:
        """Show the whole span."""
        self._range, self._top = self._home, 0.0
        self.update()

    def x_of(self, call: Call) -> float:
        """A call's beginning on the axis in use: event number or ns."""
        return float((call.seq, call.vt, call.wall)[self.axis])

    def x_end(self, call: Call, last: int) -> float:
        """A call's end on the axis; an open one ends where the chart does."""
        if call.end < 0:
            return float(max(last, call.seq + 1)) if self.axis == 0 else self._home[1]
        return float((call.end, call.end_vt, call.end_wall)[self.axis])

    def x_of_seq(self, seq: int) -> float:
        """The cursor's place on the axis."""
        if self.axis == 0:
            return float(seq)
        place = bisect_right(self.tree.starts, seq) - 1
        return self.x_of(self.tree.calls[place]) if place >= 0 else self._range[0]

    @property
    def standstill(self) -> bool:
        """Whether the axis in use has no extent: time did not pass during these calls."""
        return self._home[1] - self._home[0] < 1.5 and self.axis != 0

    # -- places -----------------------------------------------------------------------------------------------------------------
    def _row_height(self) -> float:
        rows = self.tree.max_depth + 1
        return min(_MAX_ROW, max(_MIN_ROW, (self.height() - _RULER - _LEGEND - 4) / max(rows, 1)))

    def _px(self, x: float) -> float:
        low, high = self._range
        return _EDGE + (x - low) / max(high - low, 1e-9) * (self.width() - 2 * _EDGE)

    def _x(self, px: float) -> float:
        low, high = self._range
        return low + (px - _EDGE) / max(self.width() - 2 * _EDGE, 1) * (high - low)

    def _box(self, call: Call) -> QRectF:
        height = self._row_height()
        left = self._px(self.x_of(call))
        right = self.width() + 4.0 if call.end < 0 else self._px(self.x_end(call, call.end))
        return QRectF(left, _RULER + call.depth * height - self._top, max(right - left, 0.0), height - 2)

    def bar_of(self, call: Call) -> QRectF:
        """The bar of `call` as far as it is in sight; empty when it is not."""
        box = self._box(call)
        return QRectF(box.left(), box.top(), max(box.width(), 1.5), box.height()).intersected(QRectF(0, _RULER, self.width(), self.height() - _RULER - _LEGEND))

    def _call_at(self, point: QPointF) -> Call | None:
        if point.y() < _RULER or point.y() > self.height() - _LEGEND:
            return None
        depth = int((point.y() - _RULER + self._top) // self._row_height())
        for call in reversed(self.visible_calls()):
            if call.depth == depth:
                box = self._box(call)
                if box.left() - 1 <= point.x() <= max(box.right(), box.left() + 3):
                    return call
        return None

    def visible_calls(self) -> list[Call]:
        """The calls that may be in sight, outer ones first."""
        return self.tree.between(*self._range) if self.axis == 0 else self.tree.calls

    # -- painting ---------------------------------------------------------------------------------------------------------------
    def paintEvent(self, event: QPaintEvent) -> None:
        """Ruler, bars, cursor, legend."""
        p = QPainter(self)
        p.setRenderHint(QPainter.RenderHint.Antialiasing)
        p.fillRect(self.rect(), self.theme.color("surface"))
        if not self.tree.calls:
            p.setPen(self.theme.color("text.muted"))
            p.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, t("No call is recorded yet."))
        else:
            self._paint_ruler(p)
            p.save()
            p.setClipRect(QRectF(0, _RULER, self.width(), self.height() - _RULER - _LEGEND))
            self._paint_bars(p)
            p.restore()
            self._paint_cursor(p)
            self._paint_legend(p)
        p.end()

    def _paint_ruler(self, p: QPainter) -> None:
        theme, (low, high) = self.theme, self._range
        p.setFont(mono_font(7.5))
        metrics = QFontMetricsF(p.font())
        steps = max(2, int(self.width() / 130))
        unit = _nice((high - low) / steps)
        tick = (int(low / unit) + 1) * unit
        while tick < high:
            px = self._px(tick)
            p.setPen(QPen(theme.color("grid"), 1.0))
            p.drawLine(QPointF(px, 16), QPointF(px, self.height() - _LEGEND))
            p.setPen(theme.color("text.faint"))
            text = t("event {tick:.0f}", tick=tick) if self.axis == 0 else format_ns(int(tick))
            width = metrics.horizontalAdvance(text)
            # a label that the edge would cut says less than none
            if width / 2 <= px <= self.width() - width / 2:
                p.drawText(QRectF(px - width / 2 - 1, 1, width + 2, 14), Qt.AlignmentFlag.AlignCenter, text)
            tick += unit

    def _paint_bars(self, p: QPainter) -> None:
        p.setFont(ui_font(8.5))
        metrics = QFontMetricsF(p.font())
        filled: dict[int, float] = {}
        for call in self.visible_calls():
            box = self._box(call)
            if box.right() < 0 or box.left() > self.width() or box.top() > self.height() or box.bottom() < _RULER:
                continue
            # of calls thinner than a pixel at one place, the first stands for all
            if box.width() < 1.2 and call.number not in self.matches:
                if box.left() < filled.get(call.depth, -1.0):
                    continue
                filled[call.depth] = box.left() + 1.5
            self._paint_bar(p, metrics, call, box)

    def _paint_bar(self, p: QPainter, metrics: QFontMetricsF, call: Call, box: QRectF) -> None:
        theme = self.theme
        spec = self.store.function(call.fn)
        color = theme.color(SUBSYSTEM_MEANING[subsystem(spec.file if spec else "")])
        live = self.moment >= 0 and call.covers(self.moment)
        shape = QRectF(box.left(), box.top(), max(box.width(), 1.5), box.height())
        if box.width() < 3:
            p.fillRect(shape, color)
        else:
            fill = theme.color(SUBSYSTEM_MEANING[subsystem(spec.file if spec else "")], 120 if live else 48)
            p.fillRect(shape, fill)
            p.setPen(QPen(theme.color("cursor") if call is self.selected else color, 2.0 if call is self.selected else 1.0))
            p.drawRect(shape.adjusted(0.5, 0.5, -0.5, -0.5))
        if call.number in self.matches:
            p.fillRect(shape, theme.color("flash", 150))
        self._paint_ticks(p, call, shape)
        visible = QRectF(max(shape.left(), 0.0), shape.top(), min(shape.right(), float(self.width())) - max(shape.left(), 0.0), shape.height())
        if visible.width() > 26:
            name = spec.name if spec else f"<function {call.fn}>"
            line = call.line_at(self.moment) if live else call.checkpoints[0].line
            full = f"{name} :{line}" if line else name
            room = visible.width() - 8
            text = full if metrics.horizontalAdvance(full) < room else metrics.elidedText(name, Qt.TextElideMode.ElideMiddle, room)
            p.setPen(theme.color("text"))
            p.drawText(visible.adjusted(5, 0, -2, -1), Qt.AlignmentFlag.AlignVCenter, text)

    def _paint_ticks(self, p: QPainter, call: Call, box: QRectF) -> None:
        """Checkpoints along the lower edge, field writes along the upper one, errors over the whole height."""
        if self.axis != 0 or box.width() < 6:
            return
        bottom = box.bottom()
        p.setPen(QPen(self.theme.color("text.muted"), 1.0))
        p.drawLines([QPointF(self._px(c.seq), y) for c in call.checkpoints[1:] for y in (bottom - 4, bottom)])
        p.setPen(QPen(self.theme.color("group.field"), 1.6))
        p.drawLines([QPointF(self._px(f.seq), y) for f in call.fields for y in (box.top(), box.top() + 4)])
        p.setPen(QPen(self.theme.severity("error"), 2.0))
        p.drawLines([QPointF(self._px(t.seq), y) for t in call.troubles for y in (box.top(), bottom)])

    def _paint_cursor(self, p: QPainter) -> None:
        if self.moment < 0:
            return
        px = self._px(self.x_of_seq(self.moment))
        if -1 <= px <= self.width() + 1:
            p.setPen(QPen(self.theme.color("cursor"), 1.5))
            p.drawLine(QPointF(px, 14), QPointF(px, self.height() - _LEGEND))

    def _paint_legend(self, p: QPainter) -> None:
        theme, y = self.theme, self.height() - _LEGEND
        p.fillRect(QRectF(0, y, self.width(), _LEGEND), theme.color("raised"))
        p.setFont(ui_font(7.5))
        metrics = QFontMetricsF(p.font())
        x = 8.0
        for name, meaning in SUBSYSTEM_MEANING.items():
            p.fillRect(QRectF(x, y + 6, 8, 8), theme.color(meaning))
            p.setPen(theme.color("text.muted"))
            p.drawText(QPointF(x + 12, y + 14), name)
            x += metrics.horizontalAdvance(name) + 24
        room = self.width() - x - 8
        text = t("lower ticks: checkpoints   upper ticks: fields written   full height: errors")
        if not self.tree.complete:
            text = t("only the first {events_read} call events are drawn", events_read=self.tree.events_read)
        if self.standstill:
            text = t("{axis} stands still during these calls: choose event order", axis=t(AXES[self.axis]))
        text = metrics.elidedText(text, Qt.TextElideMode.ElideRight, room)
        p.drawText(QRectF(x, y, room, _LEGEND), Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, text)

    # -- moving -----------------------------------------------------------------------------------------------------------------
    def zoom(self, factor: float, around: float) -> None:
        """Show `factor` times as much, keeping `around` (axis units) where it is."""
        low, high = self._range
        limit = self._home[1] - self._home[0]
        factor = min(factor, limit / max(high - low, 1e-9))
        if factor < 1 and high - low < 4:
            return
        self._set_range(around - (around - low) * factor, around + (high - around) * factor)

    def _set_range(self, low: float, high: float) -> None:
        width = high - low
        low = min(max(low, self._home[0]), self._home[1] - width) if width < self._home[1] - self._home[0] else self._home[0]
        self._range = (low, low + width)
        self.update()

    def in_sight(self, call: Call, seq: int) -> bool:
        """Whether the bar of `call` can be seen and read, and the cursor at event `seq` with it."""
        low, high = self._range
        start, end = self.x_of(call), self.x_end(call, call.seq + 1)
        height, top = self._row_height(), call.depth * self._row_height() - self._top
        return (
            0 <= top <= self.height() - _RULER - _LEGEND - height and low <= self.x_of_seq(seq) <= high and start <= high and (end - start) * 60 >= high - low
        )

    def show_moment(self, seq: int) -> None:
        """Move along so that the cursor at event `seq` stands in the picture."""
        low, high = self._range
        at = self.x_of_seq(seq)
        if not low <= at <= high:
            self._set_range(at - (high - low) / 2, at + (high - low) / 2)

    def in_reach(self, call: Call) -> bool:
        """Whether the span that Home shows has `call` in it."""
        return self._home[0] <= self.x_of(call) <= self._home[1]

    def show_call(self, call: Call) -> None:
        """Scroll so that `call` can be seen, zooming in when its bar is too thin to read."""
        height, room = self._row_height(), self.height() - _RULER - _LEGEND
        if not 0 <= call.depth * height - self._top <= room - height:
            self._top = max(0.0, (call.depth + 2) * height - room)
        low, high = self._range
        start, end = self.x_of(call), self.x_end(call, call.seq + 1)
        if end - start < (high - low) / 40:
            width = max((end - start) * 4, 12.0)
            self._set_range((start + end) / 2 - width, (start + end) / 2 + width)
        elif start < low or start > high:
            self._set_range(start - (high - low) / 10, start + (high - low) * 0.9)
        self.update()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Wheel zooms around the pointer; with Shift it scrolls the levels, with Ctrl or sideways it moves along."""
        delta = event.angleDelta()
        if event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            total = (self.tree.max_depth + 1) * self._row_height()
            room = self.height() - _RULER - _LEGEND
            self._top = max(0.0, min(self._top - (delta.y() or delta.x()) / 3, total - room))
            self.update()
        elif delta.x() or event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            step = (self._range[1] - self._range[0]) * (delta.x() or delta.y()) / 1200
            self._set_range(self._range[0] - step, self._range[1] - step)
        else:
            self.zoom(0.8 ** (delta.y() / 120), self._x(event.position().x()))
        event.accept()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin a click or a drag."""
        if event.button() == Qt.MouseButton.LeftButton:
            self._press, self._press_range, self._dragged = event.position(), self._range, False

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Drag moves along the axis."""
        if self._press is None:
            return
        shift = event.position().x() - self._press.x()
        if abs(shift) > 4:
            self._dragged = True
        if self._dragged:
            step = shift / max(self.width(), 1) * (self._press_range[1] - self._press_range[0])
            self._set_range(self._press_range[0] - step, self._press_range[1] - step)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """A click selects the call; near one of its checkpoints, that checkpoint."""
        if self._press is not None and not self._dragged:
            call = self._call_at(event.position())
            if call is not None:
                self.choose(call, self._checkpoint_near(call, event.position().x()))
        self._press = None

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Breakpoints on the call, or on the checkpoint near the pointer."""
        place = QPointF(event.pos())
        call = self._call_at(place)
        if call is not None:
            self.menu_wanted.emit(call, call.line_at(self._checkpoint_near(call, place.x())), event.globalPos())

    def _checkpoint_near(self, call: Call, px: float) -> int:
        if self.axis == 0:
            for point in call.checkpoints:
                if abs(self._px(point.seq) - px) <= 4:
                    return point.seq
        return call.seq

    def choose(self, call: Call, seq: int) -> None:
        """Select `call` and go to event `seq`."""
        self.selected = call
        self.chosen.emit(call)
        self.picked.emit(seq)
        self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrows walk the calls: right into the next, left to the one before, up to the caller, down to the first callee."""
        key = event.key()
        if key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal, Qt.Key.Key_W, Qt.Key.Key_Minus, Qt.Key.Key_S):
            self.zoom(0.7 if key not in (Qt.Key.Key_Minus, Qt.Key.Key_S) else 1.4, self._x(self.width() / 2))
        elif key in (Qt.Key.Key_A, Qt.Key.Key_D):
            step = (self._range[1] - self._range[0]) * (0.1 if key == Qt.Key.Key_D else -0.1)
            self._set_range(self._range[0] + step, self._range[1] + step)
        elif key == Qt.Key.Key_Home:
            self.go_home()
        elif not self._walk(key):
            super().keyPressEvent(event)

    def _walk(self, key: int) -> bool:
        calls = self.tree.calls
        here = self.selected or self.tree.innermost_at(self.moment) or (calls[0] if calls else None)
        if here is None:
            return False
        target: Call | None = None
        if key == Qt.Key.Key_Right and here.number + 1 < len(calls):
            target = calls[here.number + 1]
        elif key == Qt.Key.Key_Left and here.number > 0:
            target = calls[here.number - 1]
        elif key == Qt.Key.Key_Up:
            target = here.parent
        elif key == Qt.Key.Key_Down:
            target = here.children[0] if here.children else None
        if target is None:
            return key in (Qt.Key.Key_Right, Qt.Key.Key_Left, Qt.Key.Key_Up, Qt.Key.Key_Down)
        self.choose(target, target.seq)
        self.show_call(target)
        return True

    def event(self, event: QEvent) -> bool:
        """Tooltips: function with arguments, file and line, how many events it took."""
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            call = self._call_at(QPointF(event.pos()))
            if call is None:
                QToolTip.hideText()
            else:
                QToolTip.showText(event.globalPos(), self.describe(call), self)
            return True
        return super().event(event)

    def describe(self, call: Call) -> str:
        """One call in words."""
        reader = self.store.reader
        head = signature(call, reader.functions, reader.strings, max(self.moment, call.seq) if call.covers(self.moment) else call.seq)
        span = t("events {seq} to {end}", seq=call.seq, end=call.end) if call.end >= 0 else t("open since event {seq}", seq=call.seq)
        return t(
            "{head}\n{span}, {checkpoints} checkpoints, {fields} fields written, {calls} calls",
            head=head,
            span=span,
            checkpoints=len(call.checkpoints),
            fields=len(call.fields),
            calls=len(call.children),
        )


def _nice(raw: float) -> float:
    """A round step of at least `raw`."""
    power = 1.0
    while power * 10 <= raw:
        power *= 10
    for factor in (1, 2, 5, 10):
        if power * factor >= raw:
            return max(1.0, power * factor)
    return max(1.0, power * 10)
