"""Six linked plots of the counters, a crosshair, two markers and the focus's line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QFontMetricsF
from PySide6.QtWidgets import QGraphicsSimpleTextItem, QGraphicsView, QWidget

from ringscope.theme import LIGHT, Theme, ui_font
from ringscope.vectors import remembering
from ringscope.views.throughput.axes import GridLines, LogTimeAxis, SecondsAxis, SiAxis, pen
from ringscope.views.throughput.model import QUANTILES, Floats, Ints, Samples
from ringscope.words import later, t


class PlotKind(NamedTuple):
    """One plot: its title, and the line styles with their words."""

    name: str
    title: str
    styles: tuple[tuple[str, Qt.PenStyle], ...]


_SOLID, _DASH, _DOT = Qt.PenStyle.SolidLine, Qt.PenStyle.DashLine, Qt.PenStyle.DotLine
PLOTS: Final = (
    PlotKind("packets", later("packets/s through the device"), (("", _SOLID),)),
    PlotKind("kicks", later("kicks/s: solid sent, dashed suppressed"), (("sent", _SOLID), ("suppressed", _DASH))),
    PlotKind("bits", later("bit/s through the device"), (("", _SOLID),)),
    PlotKind("interrupts", later("interrupts/s: solid sent, dashed suppressed"), (("sent", _SOLID), ("suppressed", _DASH))),
    PlotKind("occupancy", later("ring occupancy: available + in flight, % of num"), (("", _SOLID),)),
    PlotKind(
        "latency",
        later("latency, at most: p50 solid, p90 dashed, p99 dotted (virtual; tx posted to used, rx used to taken)"),
        (("p50", _SOLID), ("p90", _DASH), ("p99", _DOT)),
    ),
)
_COLUMNS: Final = 2
_TITLE_LEFT: Final = 62.0
_MAX_POINTS: Final = 2400
"""Points a curve is drawn with: more than a screen has columns."""
_RATES: Final = ("packets", "kicks", "bits", "interrupts")
"""Plots of something per second: of which second, the title says."""


class PlotBoard(pg.GraphicsLayoutWidget):  # type: ignore[misc]
    """`pointed` carries the time (s) under the pointer or None, `clicked` the time of a click, `ranged` that a person moved the view."""

    pointed = Signal(object)
    clicked = Signal(float)
    ranged = Signal()
    marked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme: Theme = LIGHT
        self.smooth: bool = False
        """Antialiased and thicker lines: for figures, too slow for live traffic."""
        self._plots: dict[str, Any] = {}
        self._curves: dict[tuple[str, int, int], Any] = {}
        self._titles: dict[str, QGraphicsSimpleTextItem] = {}
        self._grids: list[GridLines] = []
        self._cross: list[Any] = []
        self._focus_lines: list[Any] = []
        self._markers: dict[str, list[Any]] = {"A": [], "B": []}
        self._wall: bool = False
        self._moving: bool = False
        self._span: tuple[float, float] | None = None
        """The times to show; a plot takes them over when it is drawn."""
        self._styled: dict[tuple[str, int, int], tuple[str, bool]] = {}
        """What each curve was last coloured by."""
        if remembering():
            # a cached background would be a picture in a file of shapes
            self.setCacheMode(QGraphicsView.CacheModeFlag.CacheNone)
        self.ci.layout.setSpacing(2)
        self.ci.layout.setContentsMargins(4, 4, 8, 2)
        for place, kind in enumerate(PLOTS):
            self._add_plot(place, kind)
        self.scene().sigMouseMoved.connect(self._mouse_moved)
        self.scene().sigMouseClicked.connect(self._mouse_clicked)

    # -- building -----------------------------------------------------------------------------------------------------------------
    def _add_plot(self, place: int, kind: PlotKind) -> None:
        axis = LogTimeAxis() if kind.name == "latency" else SiAxis("%" if kind.name == "occupancy" else "")
        bottom = SecondsAxis()
        plot = self.addPlot(place // _COLUMNS, place % _COLUMNS, axisItems={"left": axis, "bottom": bottom})
        for side in ("top", "right"):
            # hidden, but it would lay out its label anew with every range
            plot.getAxis(side).enableAutoSIPrefix(False)
        plot.hideButtons()
        plot.setMenuEnabled(False)
        plot.enableAutoRange(x=False, y=True)
        plot.vb.setAutoVisible(y=True)
        plot.vb.setMouseEnabled(x=True, y=False)
        plot.vb.setDefaultPadding(0.06)
        if kind.name == "latency":
            plot.vb.setLimits(minYRange=1.0)
        else:
            plot.vb.setLimits(yMin=0, minYRange=1.0)
        if kind.name == "occupancy":
            plot.enableAutoRange(y=False)
            plot.setYRange(0, 100, padding=0.03)
        plot.vb.sigRangeChangedManually.connect(lambda _, which=kind.name: self._moved(which))
        self._plots[kind.name] = plot
        # pyqtgraph's own title makes its plot as wide as the text
        plot.setTitle(None)
        plot.layout.setRowFixedHeight(0, 20)
        title = QGraphicsSimpleTextItem(plot)
        title.setPos(_TITLE_LEFT, 3)
        self._titles[kind.name] = title
        grid = GridLines(plot)
        plot.addItem(grid, ignoreBounds=True)
        self._grids.append(grid)
        self._cross.append(_hidden_line(plot))
        self._focus_lines.append(_hidden_line(plot))
        for name in self._markers:
            line = pg.InfiniteLine(angle=90, movable=True)
            line.setVisible(False)
            line.sigPositionChanged.connect(lambda moved, which=name: self._marker_moved(which, moved))
            plot.addItem(line, ignoreBounds=True)
            self._markers[name].append(line)

    def set_theme(self, theme: Theme) -> None:
        """Colours of surfaces, axes and lines; curves are recoloured with the next data."""
        self.theme = theme
        self.setBackground(theme.color("surface"))
        for kind in PLOTS:
            plot = self._plots[kind.name]
            for side in ("left", "bottom"):
                axis = plot.getAxis(side)
                axis.setPen(theme.color("border"))
                axis.setTextPen(theme.color("text.muted"))
                axis.setStyle(tickFont=ui_font(7.5), tickTextOffset=4, tickLength=4)
        for grid in self._grids:
            grid.set_color(theme.color("grid"))
        for line in self._cross:
            line.setPen(pen(theme.color("text.muted"), 1.0, _DASH))
        for line in self._focus_lines:
            line.setPen(pen(theme.color("cursor"), 1.5))
        for lines in self._markers.values():
            for line in lines:
                line.setPen(pen(theme.color("mark"), 1.5, _SOLID))
                line.setHoverPen(pen(theme.color("mark"), 3.0))
        self._styled = {}

        self._show_titles()

    def _show_titles(self) -> None:
        """Titles in the theme's colour, cut to their plot; a rate says on which clock its seconds are."""
        font = ui_font(8.5, bold=True)
        room = self.width() / _COLUMNS - _TITLE_LEFT - 16
        for kind in PLOTS:
            per = t(" (wall seconds)" if self._wall else " (virtual seconds)") if kind.name in _RATES else ""
            title = self._titles[kind.name]
            title.setFont(font)
            title.setBrush(self.theme.color("text"))
            title.setText(QFontMetricsF(font).elidedText(t(kind.title) + per, Qt.TextElideMode.ElideRight, room))

    # -- data ---------------------------------------------------------------------------------------------------------------------
    def show_samples(self, samples: Samples, shown: list[int], colors: dict[int, Any], wall: bool, window_s: float, kinds: Sequence[PlotKind] = PLOTS) -> None:
        """Draw the rings `shown` in the plots `kinds`; the others' curves are hidden."""
        if wall != self._wall:
            self._wall = wall
            self._show_titles()
        times = samples.time_s(wall)
        part = self._visible(times)
        starts = samples.window_starts(times, window_s, part)
        for key, curve in self._curves.items():
            if key[1] not in shown:
                curve.setVisible(False)
        for kind in kinds:
            self._take_span(kind.name)
            for oid in shown:
                for style, values in enumerate(_values(kind.name, samples, oid, times, starts, part)):
                    self._set(kind, oid, style, times[part], values, colors[oid])
            # else the paint would find the vertical range, and the axis would ask for a second paint
            self._plots[kind.name].vb.prepareForPaint()

    def _visible(self, times: Floats) -> slice:
        """The samples that the view shows and one on either side: the rest need not be computed."""
        low, high = self.x_range()
        first, last = np.searchsorted(times, (low, high))
        return slice(max(0, int(first) - 1), int(last) + 1)

    def _set(self, kind: PlotKind, oid: int, style: int, times: Floats, values: Floats, color: Any) -> None:
        key = (kind.name, oid, style)
        curve = self._curves.get(key)
        if curve is None:
            curve = pg.PlotCurveItem(connect="finite", antialias=self.smooth)
            self._plots[kind.name].addItem(curve)
            self._curves[key] = curve
        look = (color.name(), self.smooth)
        if self._styled.get(key) != look:
            curve.setPen(pen(color, 1.6 if self.smooth else 1.0, kind.styles[style][1]))
            self._styled[key] = look
        curve.setVisible(bool(np.isfinite(values).any()))
        curve.setData(*peaks(times, values))

    # -- ranges and lines ---------------------------------------------------------------------------------------------------------
    def x_range(self) -> tuple[float, float]:
        """The span of time shown, in seconds."""
        low, high = self._span or self._plots["packets"].viewRange()[0]
        return float(low), float(high)

    def set_x_range(self, low: float, high: float) -> None:
        """Show a span of time, in each plot from when it is drawn next."""
        if high > low:
            self._span = (low, high)

    def _take_span(self, name: str) -> None:
        plot = self._plots[name]
        if self._span is not None and list(self._span) != plot.viewRange()[0]:
            plot.setXRange(*self._span, padding=0)

    def _moved(self, name: str) -> None:
        """A person moved or scaled the plot `name`: the others follow."""
        low, high = self._plots[name].viewRange()[0]
        self._span = (low, high)
        for other in self._plots:
            self._take_span(other)
        self.ranged.emit()

    def set_focus_time(self, seconds: float | None) -> None:
        """Draw the focused moment, or nothing while the end is followed."""
        _place(self._focus_lines, seconds)

    def set_cross_time(self, seconds: float | None) -> None:
        """Draw the crosshair in all plots."""
        _place(self._cross, seconds)

    def set_marker(self, name: str, seconds: float | None) -> None:
        """Put marker A or B at a time, or take it away."""
        self._moving = True
        _place(self._markers[name], seconds)
        self._moving = False
        self.marked.emit()

    def marker(self, name: str) -> float | None:
        """Where marker A or B stands."""
        line = self._markers[name][0]
        return float(line.value()) if line.isVisible() else None

    def _marker_moved(self, name: str, moved: Any) -> None:
        if not self._moving and moved.isVisible():
            self.set_marker(name, float(moved.value()))

    def box_of(self, name: str) -> QRectF | None:
        """Where the plot `name` lies, with its title and axes; None when there is no such plot."""
        plot = self._plots.get(name)
        if plot is None:
            return None
        return QRectF(self.mapFromScene(plot.sceneBoundingRect()).boundingRect())

    # -- the pointer --------------------------------------------------------------------------------------------------------------
    def _time_at(self, position: QPointF) -> float | None:
        for plot in self._plots.values():
            if plot.sceneBoundingRect().contains(position):
                return float(plot.vb.mapSceneToView(position).x())
        return None

    def _mouse_moved(self, position: QPointF) -> None:
        self.pointed.emit(self._time_at(position))

    def _mouse_clicked(self, event: Any) -> None:
        seconds = self._time_at(event.scenePos())
        if seconds is None or event.button() != Qt.MouseButton.LeftButton:
            return
        if event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self.set_marker("A", seconds)
        elif event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.set_marker("B", seconds)
        else:
            self.clicked.emit(seconds)

    def resizeEvent(self, event: Any) -> None:
        """Columns stay equally wide, however long the titles are: what stands below each other has one scale."""
        super().resizeEvent(event)
        # the base class's constructor resizes, too
        if getattr(self, "_titles", None):
            layout = self.ci.layout
            for column in range(_COLUMNS):
                layout.setColumnFixedWidth(column, (self.width() - 14) / _COLUMNS)
            self._show_titles()

    def leaveEvent(self, event: Any) -> None:
        """The pointer is gone: no crosshair."""
        super().leaveEvent(event)
        self.pointed.emit(None)


def peaks(times: Floats, values: Floats) -> tuple[Floats, Floats]:
    """The curve with at most `_MAX_POINTS` points: of each stretch its least and its greatest value, so that no peak is lost."""
    every = len(times) // (_MAX_POINTS // 2)
    if every < 2:
        return times, values
    whole = len(times) // every * every
    parts = values[:whole].reshape(-1, every)
    ends = np.column_stack((np.fmin.reduce(parts, axis=1), np.fmax.reduce(parts, axis=1))).ravel()
    starts = np.repeat(times[:whole:every], 2)
    return np.concatenate((starts, times[whole:])), np.concatenate((ends, values[whole:]))


def _values(name: str, samples: Samples, oid: int, times: Floats, starts: Ints, part: slice) -> list[Floats]:
    """The curves of one queue in one plot, in the order of the plot's styles."""
    if name == "packets":
        return [samples.rate(oid, "packets", times, starts, part)]
    if name == "bits":
        return [8.0 * samples.rate(oid, "bytes", times, starts, part)]
    if name == "occupancy":
        return [samples.occupancy(oid)[part]]
    if name == "latency":
        # a logarithmic scale has no place for 0: what the driver waits for without time passing shows in the table alone
        with np.errstate(divide="ignore", invalid="ignore"):
            curves = [np.log10(samples.latency_ns(oid, place)[part]) for place in range(len(QUANTILES))]
        return [np.where(np.isfinite(curve), curve, np.nan) for curve in curves]
    return [samples.rate(oid, column, times, starts, part) for column in (name, f"{name}_suppressed")]


def _hidden_line(plot: Any) -> Any:
    line = pg.InfiniteLine(angle=90, movable=False)
    line.setVisible(False)
    plot.addItem(line, ignoreBounds=True)
    return line


def _place(lines: list[Any], seconds: float | None) -> None:
    """Move lines to a time and show them, or hide them."""
    for line in lines:
        if seconds is not None:
            line.setValue(seconds)
        line.setVisible(seconds is not None)
