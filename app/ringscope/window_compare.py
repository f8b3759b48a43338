"""Two recordings side by side from where they part: both event streams, and how the states differ."""

from __future__ import annotations

import threading
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from PySide6.QtCore import QObject, Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QGuiApplication
from PySide6.QtWidgets import QHBoxLayout, QHeaderView, QLabel, QPushButton, QSplitter, QTableWidget, QTableWidgetItem, QVBoxLayout, QWidget

from ringscope.core_words import heard
from ringscope.theme import ROW, SPACE, Theme, mono_font
from ringscope.words import later, t
from ringscope_core.engine.change import Change
from ringscope_core.query.decode import format_clock
from ringscope_core.query.diff import Parting, diff
from ringscope_core.query.recording import Recording
from ringscope_core.query.state_diff import state_diff
from ringscope_core.scenario.errors import InputError
from ringscope_core.session.errors import SessionError
from ringscope_core.session.reader import SessionReader

BEFORE: Final = 6
"""Common events shown above the parting."""
AFTER: Final = 120
"""Events shown from there on, on each side."""
LATER: Final = 500
"""Differences shown at the end of the shorter recording."""
_POLL_MS: Final = 60
_COLUMNS: Final = (later("Event"), later("Time"), later("Kind"), later("Object"), later("Arguments"))
_WIDTHS: Final = (60, 82, 130, 70)

Rows = list[tuple[int, tuple[str, ...]]]
"""(number, texts) of events."""


class _Found:
    """What the thread hands over, in words."""

    def __init__(self) -> None:
        self.parting: Parting | None = None
        self.sides: tuple[Rows, Rows] = ([], [])
        self.part: tuple[int, int] = (-1, -1)
        self.states: list[tuple[str, str, str, str]] = []
        self.change: str = ""
        """What the second one changed, if it is a branch."""
        self.problem: str = ""


class Comparison(QObject):
    """Compares two sessions in a thread of its own, with readers of its own."""

    def __init__(self, first: Path, second: Path) -> None:
        super().__init__()
        self._paths = (first, second)
        self.cancelled = False
        self.progress: tuple[int, int] = (0, 1)
        self.found: _Found | None = None
        self._thread = threading.Thread(target=self._main, name="compare", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Have it end, and wait until it has."""
        self.cancelled = True
        if self._thread.is_alive():
            self._thread.join(5.0)

    def _main(self) -> None:
        found = _Found()
        try:
            with SessionReader(self._paths[0]) as one, SessionReader(self._paths[1]) as two:
                self._fill(found, Recording(one), Recording(two))
        except (SessionError, OSError) as error:
            found.problem = str(error)
        self.found = found

    def _fill(self, found: _Found, one: Recording, two: Recording) -> None:
        parting = diff(one, two, progress=self._report)
        found.parting = parting
        numbers = [int(row["seq"]) if row is not None else recording.reader.last_seq + 1 for row, recording in ((parting.a, one), (parting.b, two))]
        found.part = (numbers[0], numbers[1])
        about = two.reader.meta.get("branch")
        if isinstance(about, dict):
            with suppress(InputError):
                found.change = Change.from_plain(about.get("change")).describe()
        if parting.equal:
            return
        found.sides = (_rows(one, numbers[0]), _rows(two, numbers[1]))
        found.states = [(t("before"), *difference) for difference in parting.before] + [(t("after"), *difference) for difference in parting.states]
        vt = min(one.reader.last_vt, two.reader.last_vt)
        later = state_diff(one, one.reader.seq_at_vt(vt), two.reader.seq_at_vt(vt), other=two, addresses=False, limit=LATER)
        found.states += [(f"{vt / 1e9:.4f} s", *difference) for difference in later]

    def _report(self, done: int, total: int) -> bool:
        self.progress = (done, max(total, 1))
        return not self.cancelled


def _rows(recording: Recording, part: int) -> Rows:
    rows = recording.reader.events(max(part - BEFORE, 0), part + AFTER)
    return [(int(row["seq"]), _texts(recording, row)) for row in rows]


def _texts(recording: Recording, row: Any) -> tuple[str, ...]:
    spec = recording.kinds.get(int(row["kind"]))
    name = spec.name if spec is not None else str(int(row["kind"]))
    return (str(int(row["seq"])), format_clock(int(row["vt"])), name, recording.names.name(int(row["obj"])), recording.describe(row))


class CompareWindow(QWidget):
    """A window of its own.  `go` carries (side, event) for a row that was double-clicked; side 0 is the first recording, the parent."""

    go = Signal(int, int)

    def __init__(self, first: Path, second: Path, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent, Qt.WindowType.Window)
        self.setWindowTitle(t("{second} compared with {first}", second=second.stem, first=first.stem))
        self.resize(1240, 760)
        self._theme = theme
        self._work = Comparison(first, second)
        self._part = (-1, -1)
        self.summary = QLabel(t("comparing ..."))
        self.summary.setWordWrap(True)
        self.summary.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.titles = (QLabel(first.stem), QLabel(second.stem))
        self.tables = (_table(t("Events of the parent"), _COLUMNS), _table(t("Events of the branch"), _COLUMNS))
        self.states = _table(t("Differences of the states"), (t("When"), t("Where"), first.stem, second.stem))
        for side, table in enumerate(self.tables):
            for place, width in enumerate(_WIDTHS):
                table.setColumnWidth(place, width)
            table.cellDoubleClicked.connect(lambda row, _, side=side: self._chosen(side, row))
        for place, width in enumerate((92, 400, 260)):
            self.states.setColumnWidth(place, width)
        self.buttons = (QPushButton(t("Show the parent there")), QPushButton(t("Show the branch there")))
        for side, button in enumerate(self.buttons):
            button.setEnabled(False)
            button.clicked.connect(lambda _=False, side=side: self.go.emit(side, max(self._part[side], 0)))
        self._copy = QPushButton(t("Copy as text"))
        self._copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(self.table_text()))
        self._assemble()
        # they scroll together: line by line they are the same length
        for one, two in (self.tables, self.tables[::-1]):
            one.verticalScrollBar().valueChanged.connect(two.verticalScrollBar().setValue)
        self._timer = QTimer(self)
        self._timer.setInterval(_POLL_MS)
        self._timer.timeout.connect(self._poll)

    def _assemble(self) -> None:
        sides = QSplitter()
        for title, table in zip(self.titles, self.tables, strict=True):
            title.setProperty("role", "heading")
            box = QWidget()
            column = QVBoxLayout(box)
            column.setContentsMargins(0, 0, 0, 0)
            column.addWidget(title)
            column.addWidget(table, 1)
            sides.addWidget(box)
        below = QWidget()
        column = QVBoxLayout(below)
        column.setContentsMargins(0, 0, 0, 0)
        heading = QLabel(t("How the states differ: before and after the first event that is not the same, and at the end of the shorter recording"))
        heading.setProperty("role", "heading")
        column.addWidget(heading)
        column.addWidget(self.states, 1)
        split = QSplitter(Qt.Orientation.Vertical)
        split.addWidget(sides)
        split.addWidget(below)
        split.setSizes([460, 220])
        row = QHBoxLayout()
        for button in self.buttons:
            row.addWidget(button)
        row.addStretch(1)
        row.addWidget(self._copy)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4 * SPACE, 3 * SPACE, 4 * SPACE, 3 * SPACE)
        layout.addWidget(self.summary)
        layout.addWidget(split, 1)
        layout.addLayout(row)

    # -- the work -------------------------------------------------------------------------------------------------------
    def start(self) -> None:
        """Compare; what is found appears when it is."""
        self._work.start()
        self._timer.start()

    @property
    def done(self) -> bool:
        """Whether the result is shown."""
        return self._work.found is not None and not self._timer.isActive()

    def _poll(self) -> None:
        found = self._work.found
        if found is not None:
            self._timer.stop()
            self._show(found)
        else:
            done, total = self._work.progress
            self.summary.setText(t("comparing ... {done} % of {total} events", done=done * 100 // total, total=total))

    def _show(self, found: _Found) -> None:
        parting = found.parting
        if found.problem or parting is None:
            self.summary.setText(found.problem or t("nothing was compared"))
            return
        if parting.equal:
            self.summary.setText(t("{common} events, all the same.", common=parting.common))
            return
        self._part = found.part
        change = t(" Changed: {change}.", change=found.change) if found.change else ""
        self.summary.setText(t("{common} events are the same; then: {why}.{change}", common=parting.common, why=heard(parting.why), change=change))
        for side, (table, rows) in enumerate(zip(self.tables, found.sides, strict=True)):
            self._fill_events(table, rows, found.part[side])
            self.buttons[side].setEnabled(bool(rows))
        self.states.setRowCount(len(found.states))
        for place, texts in enumerate(found.states):
            for column, text in enumerate(texts):
                self.states.setItem(place, column, _item(text))

    def _fill_events(self, table: QTableWidget, rows: Rows, part: int) -> None:
        table.setRowCount(len(rows))
        apart, faint = self._theme.color("filter.invalid"), self._theme.color("text.faint")
        for place, (seq, texts) in enumerate(rows):
            for column, text in enumerate(texts):
                item = _item(text)
                item.setData(Qt.ItemDataRole.UserRole, seq)
                if column < 2:
                    item.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
                if seq < part:
                    item.setForeground(faint)
                elif seq == part:
                    item.setBackground(apart)
                table.setItem(place, column, item)

    def _chosen(self, side: int, row: int) -> None:
        item = self.tables[side].item(row, 0)
        if item is not None:
            self.go.emit(side, int(item.data(Qt.ItemDataRole.UserRole)))

    def table_text(self) -> str:
        """Everything as text: the line on top, both streams, the states."""
        parts = [self.summary.text()]
        for title, table in ((self.titles[0].text(), self.tables[0]), (self.titles[1].text(), self.tables[1]), (t("states"), self.states)):
            lines = ["\t".join(_text_of(table, row, column) for column in range(table.columnCount())) for row in range(table.rowCount())]
            parts.append("\n".join([title, *lines]))
        return "\n\n".join(parts) + "\n"

    def closeEvent(self, event: QCloseEvent) -> None:
        """End the thread."""
        self._timer.stop()
        self._work.stop()
        super().closeEvent(event)


def _table(name: str, columns: tuple[str, ...]) -> QTableWidget:
    table = QTableWidget(0, len(columns))
    table.setAccessibleName(name)
    table.setHorizontalHeaderLabels([t(name) for name in columns])
    table.setFont(mono_font(9.5))
    table.verticalHeader().hide()
    table.verticalHeader().setDefaultSectionSize(ROW)
    table.horizontalHeader().setStretchLastSection(True)
    table.horizontalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
    table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
    table.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
    table.setSelectionBehavior(QTableWidget.SelectionBehavior.SelectRows)
    table.setShowGrid(False)
    table.setWordWrap(False)
    return table


def _item(text: str) -> QTableWidgetItem:
    item = QTableWidgetItem(text)
    item.setToolTip(text)
    return item


def _text_of(table: QTableWidget, row: int, column: int) -> str:
    item = table.item(row, column)
    return item.text() if item is not None else ""
