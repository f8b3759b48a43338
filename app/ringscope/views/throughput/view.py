"""The Throughput view: plots, which queues they show, and a table of the values at the crosshair, the markers or the end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QKeyEvent, QPixmap
from PySide6.QtWidgets import QCheckBox, QComboBox, QFrame, QHBoxLayout, QLabel, QPushButton, QSplitter, QToolButton, QVBoxLayout, QWidget

from ringscope.theme import Theme
from ringscope.values import offer_cells
from ringscope.vectors import drawn
from ringscope.views.spec import View
from ringscope.views.throughput import places
from ringscope.views.throughput.model import QUANTILES, Floats, Ints, Samples
from ringscope.views.throughput.plots import PLOTS, PlotBoard, PlotKind
from ringscope.widgets.spots import Spot
from ringscope.widgets.stack_rows import CopyTable, RowsModel
from ringscope.words import later, t
from ringscope_core.query.quantities import duration, si
from ringscope_core.query.watch import Watch, counter_watch
from ringscope_core.trace.oids import ring_index

if TYPE_CHECKING:
    from ringscope.commands import Commands
    from ringscope.focus import Focus
    from ringscope.store import Store

SPANS: Final = ((later("last 2 s"), 2.0), (later("last 10 s"), 10.0), (later("last 30 s"), 30.0), (later("last 2 min"), 120.0), (later("everything"), 0.0))
WINDOWS: Final = ((later("per sample"), 0.0), (later("mean of 0.1 s"), 0.1), (later("mean of 0.5 s"), 0.5), (later("mean of 2 s"), 2.0))
HEADINGS: Final = (
    later("queue"),
    later("packets/s"),
    later("bit/s"),
    later("available"),
    later("in flight"),
    "num",
    later("kicks/s"),
    later("suppressed/s"),
    later("interrupts/s"),
    later("suppressed/s"),
    "p50",
    "p90",
    "p99",
    later("packets"),
    later("drops"),
)
COUNTERS: Final = (
    "packets",
    "packets",
    "bytes",
    "available",
    "inuse",
    "num",
    "kicks",
    "kicks_suppressed",
    "interrupts",
    "interrupts_suppressed",
    "packets",
    "packets",
    "packets",
    "packets",
    "drops",
)
"""The counter behind each column."""
_LONG_NAMES: Final = 7
TURNS: Final = (*((kind,) for kind in PLOTS), ())
"""Plots that are drawn frame by frame while the end of a live run is followed; in the last turn, the table is.  All six at once would take two frames."""


class ThroughputView(View):
    """Counters of all rings over time."""

    live_hz = 60.0

    def __init__(self, store: Store, focus: Focus, commands: Commands, parent: QWidget | None = None) -> None:
        super().__init__(store, focus, commands, parent)
        self.samples = Samples()
        self._generation: int = store.generation
        self._boxes: dict[int, QCheckBox] = {}
        self._legend_count: int = 0
        self._frozen: bool = False
        self._whole: bool = False
        """Compute every latency at once: for figures."""
        self._cross: float | None = None
        self._unfinished: bool = False
        self._turn: int = 0
        self._filling: bool = False
        """Whether latencies wait to be computed."""
        self._growing: bool = False
        """Whether there were new samples when they were last looked for."""
        self.board = PlotBoard()
        self.board.pointed.connect(self._pointed)
        self.board.clicked.connect(self._clicked)
        self.board.ranged.connect(self._stop_following)
        self.board.marked.connect(self._show_values)
        self.model = RowsModel(HEADINGS, right=range(1, len(HEADINGS)), parent=self)
        self.table = CopyTable()
        self.follow = QToolButton()
        self.freeze = QToolButton()
        self.clock = QComboBox()
        self.span = QComboBox()
        self.window_box = QComboBox()
        self.legend = QHBoxLayout()
        self.when = QLabel()
        self._build()

    def _build(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._bar())
        self.legend_bar = self._legend_bar()
        layout.addWidget(self.legend_bar)
        lower = QWidget()
        column = QVBoxLayout(lower)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        self.when.setProperty("role", "heading")
        self.when.setContentsMargins(8, 4, 8, 3)
        column.addWidget(self.when)
        self.table.setModel(self.model)
        self.table.set_widths((128, 80, 90, 70, 64, 46, 70, 92, 88, 92, 62, 62, 62, 72))
        self.table.horizontalHeader().setStretchLastSection(False)
        self.table.setAccessibleName(t("values of all curves"))
        offer_cells(self.table, self._counter, self.commands)
        column.addWidget(self.table, 1)
        split = QSplitter(Qt.Orientation.Vertical)
        split.setChildrenCollapsible(False)
        split.addWidget(self.board)
        split.addWidget(lower)
        split.setStretchFactor(0, 1)
        split.setSizes([600, 150])
        layout.addWidget(split, 1)

    def _bar(self) -> QWidget:
        bar = QFrame()
        bar.setObjectName("strip")
        row = QHBoxLayout(bar)
        row.setContentsMargins(8, 4, 8, 4)
        for button, text, tip in (
            (self.follow, t("Follow"), t("Keep the newest sample at the right edge")),
            (self.freeze, t("Freeze"), t("Stop taking new samples; the recording goes on")),
        ):
            button.setText(text)
            button.setToolTip(tip)
            button.setCheckable(True)
            row.addWidget(button)
        self.follow.setChecked(True)
        self.follow.toggled.connect(lambda on: self.refresh_now() if on else None)
        self.freeze.toggled.connect(self._set_frozen)
        self.clock.addItems([t("virtual time"), t("wall time")])
        self.clock.setAccessibleName(t("clock of the horizontal axis"))
        self.span.addItems([t(text) for text, _ in SPANS])
        self.span.setCurrentIndex(1)
        self.window_box.addItems([t(text) for text, _ in WINDOWS])
        self.window_box.setCurrentIndex(1)
        self.window_box.setToolTip(t("Rates are differences over this time, latencies over 16 samples"))
        for box in (self.clock, self.span, self.window_box):
            box.currentIndexChanged.connect(lambda _: self._settings_changed())
            row.addWidget(box)
        for name in ("A", "B"):
            marker = QPushButton(name)
            marker.setToolTip(
                t("Put marker {name} in the middle of the view, or take it away ({key}+click puts it there)", name=name, key="Shift" if name == "A" else "Ctrl")
            )
            marker.setMaximumWidth(34)
            marker.clicked.connect(lambda _, which=name: self._toggle_marker(which))
            row.addWidget(marker)
        row.addStretch(1)
        return bar

    def _legend_bar(self) -> QWidget:
        bar = QFrame()
        bar.setObjectName("strip")
        self.legend.setContentsMargins(10, 3, 8, 3)
        self.legend.setSpacing(14)
        self.legend.addWidget(self._muted(t("queues")))
        self.legend.addStretch(1)
        bar.setLayout(self.legend)
        return bar

    def _muted(self, text: str) -> QLabel:
        label = QLabel(text)
        label.setProperty("role", "muted")
        return label

    # -- showing ------------------------------------------------------------------------------------------------------------------
    def refresh(self) -> None:
        """Take new samples and draw; a plot at a time while the end of a live run is followed."""
        if not (self.store.live and self.focus.following and self.follow.isChecked() and self._boxes):
            self._turn = 0
            self.refresh_now()
            return
        if self._turn == 0:
            self._take_samples()
            self.board.set_focus_time(None)
        self._draw_plots(TURNS[self._turn])
        if not TURNS[self._turn]:
            self._show_values()
        self._turn = (self._turn + 1) % len(TURNS)
        # what comes in the middle of a round waits for the next one
        self._unfinished = self._turn != 0 or self._filling or self._growing

    @property
    def unfinished(self) -> bool:
        """Whether latencies wait to be computed or plots to be drawn."""
        return self._unfinished

    def prepare_figure(self) -> None:
        """Everything at once and finely: a figure shows the whole recording."""
        self.board.smooth = True
        self._whole = True
        self.span.setCurrentIndex(len(SPANS) - 1)

    def refresh_now(self) -> None:
        """Take new samples and draw everything."""
        self._take_samples()
        self._unfinished = self._filling
        self._draw()

    def _take_samples(self) -> None:
        if self._generation != self.store.generation:
            self._generation = self.store.generation
            self.samples = Samples()
        if not self._frozen or not self.samples.count:
            self._growing = self.samples.extend(self.store.reader)
            self._filling = self.samples.fill_latency(self.store.reader, 1 << 20 if self._whole else 1)
        self._follow()
        self._update_legend()

    def _draw_plots(self, kinds: Sequence[PlotKind]) -> None:
        if self.samples.count and kinds:
            colors = {oid: self._color(oid) for oid in self.samples.oids}
            self.board.show_samples(self.samples, self._shown(), colors, self._wall, self._window_s, kinds)

    def _draw(self) -> None:
        self._follow()
        self._draw_plots(PLOTS)
        at_end = self.focus.following or self.focus.seq >= self.store.last_seq
        self.board.set_focus_time(None if at_end else self._focus_time())
        self._show_values()

    def _follow(self) -> None:
        """While the end is followed, it is at the right edge."""
        if not self.samples.count or not self.follow.isChecked():
            return
        times = self.samples.time_s(self._wall)
        first, last = float(times[0]), float(times[-1])
        span = SPANS[self.span.currentIndex()][1]
        low = max(first, last - span) if span else first
        self.board.set_x_range(low, max(last, low + 1e-6))

    def _focus_time(self) -> float:
        state = self.store.moment(self.focus)
        return (state.wall if self._wall else state.vt) / 1e9

    @property
    def _wall(self) -> bool:
        return self.clock.currentIndex() == 1

    @property
    def _window_s(self) -> float:
        return WINDOWS[self.window_box.currentIndex()][1]

    def _shown(self) -> list[int]:
        return [oid for oid in self.samples.oids if oid not in self._boxes or self._boxes[oid].isChecked()]

    def _color(self, oid: int) -> QColor:
        name = self.store.name_of(oid)
        role = "ctrl" if name.startswith("ctrl") else name[:2]
        return self.theme.queue(role, int(ring_index(oid)) // 2 if role != "ctrl" else 0)

    def _name(self, oid: int) -> str:
        name = self.store.name_of(oid)
        for prefix, word in (("rx", "receiveq"), ("tx", "transmitq"), ("ctrl", "controlq")):
            if name.startswith(prefix):
                return word + name[len(prefix) :]
        return name

    def _update_legend(self) -> None:
        for oid in self.samples.oids:
            if oid not in self._boxes:
                box = QCheckBox(self._name(oid))
                box.setChecked(True)
                box.toggled.connect(lambda _: self._draw())
                self._boxes[oid] = box
                self.legend.insertWidget(self.legend.count() - 1, box)
                self._color_box(oid, box)
        for oid in [oid for oid in self._boxes if oid not in self.samples.oids]:
            self._boxes.pop(oid).deleteLater()
        if len(self._boxes) != self._legend_count:
            self._legend_count = len(self._boxes)
            for oid, box in self._boxes.items():
                self._color_box(oid, box)

    def _color_box(self, oid: int, box: QCheckBox) -> None:
        swatch = QPixmap(14, 4)
        color = self._color(oid)
        swatch.fill(color)
        box.setIcon(drawn(swatch, lambda painter, where: painter.fillRect(where, color)))
        # with many pairs the short names keep the line on the screen
        box.setText(self.store.name_of(oid) if len(self.samples.oids) > _LONG_NAMES else self._name(oid))

    # -- values -------------------------------------------------------------------------------------------------------------------
    def _show_values(self) -> None:
        """The table: at the crosshair, else at the focused moment, else at the end; and between the markers."""
        samples = self.samples
        if not samples.count:
            self.when.setText(t("No counters are recorded yet."))
            self.model.set_rows([])
            return
        times = samples.time_s(self._wall)
        starts = samples.window_starts(times, self._window_s)
        place, where = self._value_place(times)
        clock = self.clock.currentText()
        self.when.setText(t("At {time:.6f} s {clock} ({where})", time=times[place], clock=clock, where=where) + self._marker_words())
        rows = [self._row(oid, place, int(starts[place]), times, self._name(oid)) for oid in samples.oids]
        a, b = self.board.marker("A"), self.board.marker("B")
        if a is not None and b is not None:
            first, last = sorted((max(0, samples.place_at(a, self._wall)), max(0, samples.place_at(b, self._wall))))
            rows += [self._row(oid, last, first, times, t("{name} A to B", name=self._name(oid)), since=True) for oid in samples.oids]
        self.model.set_rows(rows)

    def _counter(self, row: int, column: int) -> Watch | None:
        """The counter that a cell of the table is about."""
        oids = self.samples.oids
        return counter_watch(oids[row % len(oids)], COUNTERS[column]) if oids else None

    def _value_place(self, times: Floats) -> tuple[int, str]:
        if self._cross is not None:
            return max(0, self.samples.place_at(self._cross, self._wall)), t("crosshair")
        if not self.focus.following:
            return max(0, self.samples.place_at(self._focus_time(), self._wall)), t("focus")
        return len(times) - 1, t("newest sample")

    def _marker_words(self) -> str:
        a, b = self.board.marker("A"), self.board.marker("B")
        words = [f"{name} {value:.6f} s" for name, value in (("A", a), ("B", b)) if value is not None]
        if a is not None and b is not None:
            words.append(f"B - A {b - a:+.6f} s")
        return "".join(f"   \N{MIDDLE DOT}   {word}" for word in words)

    def _row(self, oid: int, place: int, start: int, times: Floats, name: str, since: bool = False) -> tuple[str, ...]:
        """One queue's values at sample `place`, rates since sample `start`; totals too are since then when `since`."""
        samples = self.samples
        elapsed = float(times[place] - times[start])

        def growth(column: str) -> int:
            values: Ints = samples.column(oid, column)
            return int(values[place] - values[start])

        def rate(column: str, factor: float = 1.0) -> float:
            return factor * growth(column) / elapsed if elapsed > 0 else float("nan")

        def level(column: str) -> int:
            return int(samples.column(oid, column)[place])

        latencies = ["", "", ""] if since else [duration(float(samples.latency_ns(oid, q)[place])) for q in range(len(QUANTILES))]
        total = growth if since else level
        return (
            name,
            si(rate("packets"), "pps"),
            si(rate("bytes", 8.0), "bit/s"),
            str(level("available")),
            str(level("inuse")),
            str(level("num")),
            si(rate("kicks"), "/s"),
            si(rate("kicks_suppressed"), "/s"),
            si(rate("interrupts"), "/s"),
            si(rate("interrupts_suppressed"), "/s"),
            *latencies,
            f"{total('packets'):,}".replace(",", "\N{THIN SPACE}"),
            str(total("drops")),
        )

    # -- acting -------------------------------------------------------------------------------------------------------------------
    def _pointed(self, seconds: float | None) -> None:
        if seconds != self._cross:
            self._cross = seconds
            self.board.set_cross_time(seconds)
            self._show_values()

    def _clicked(self, seconds: float) -> None:
        """Go to the moment under the pointer."""
        place = self.samples.place_at(seconds, self._wall)
        if place < 0:
            return
        vt = round(seconds * 1e9)
        if self._wall:
            vt = int(np.interp(seconds, self.samples.time_s(True), self.samples.time_s(False)) * 1e9)
        seq = self.store.reader.seq_at_vt(vt)
        if seq >= 0:
            self.focus.select(seq=seq)

    def _toggle_marker(self, name: str) -> None:
        if self.board.marker(name) is not None:
            self.board.set_marker(name, None)
            return
        low, high = self.board.x_range()
        self.board.set_marker(name, low + (high - low) * (1 / 3 if name == "A" else 2 / 3))

    def _stop_following(self) -> None:
        """A person moved the view: stay there, and draw what came into sight."""
        self.follow.setChecked(False)
        self._draw()

    def _set_frozen(self, frozen: bool) -> None:
        self._frozen = frozen

    def _settings_changed(self) -> None:
        for name in ("A", "B"):
            self.board.set_marker(name, None)
        self.follow.setChecked(True)
        self._draw()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """M puts marker A, Shift+M marker B; F follows."""
        if event.key() == Qt.Key.Key_M:
            self._toggle_marker("B" if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else "A")
        elif event.key() == Qt.Key.Key_F:
            self.follow.toggle()
        else:
            super().keyPressEvent(event)

    def theme_changed(self, theme: Theme) -> None:
        """Recolour plots and legend."""
        self.board.set_theme(theme)
        for oid, box in self._boxes.items():
            self._color_box(oid, box)
        if self.samples.count:
            self._draw()

    def parts(self) -> Mapping[str, QWidget]:
        """The panes."""
        return {"plots": self.board, "legend": self.legend_bar, "values": self.table}

    def words(self) -> list[str]:
        """What can be pointed at beside the panes."""
        return places.words(self)

    def spot(self, target: str) -> Spot | None:
        """A pane, or a place in one."""
        return super().spot(target) or places.spot(self, target)

    def table_text(self) -> str:
        """Values of all queues as tab-separated lines."""
        return f"{self.when.text()}\n{self.model.text()}"
