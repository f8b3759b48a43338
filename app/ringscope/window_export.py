"""File > Export: format, tables, range, filter, the format's options, and the progress of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt
from PySide6.QtGui import QCloseEvent, QIcon
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QMessageBox,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from ringscope.core_words import heard
from ringscope.export_thread import ExportWork
from ringscope.theme import mono_font
from ringscope.words import later, t
from ringscope_core.export.formats import FORMATS, check, export_exists
from ringscope_core.export.moments import range_of
from ringscope_core.export.request import Request, Summary
from ringscope_core.query.decode import format_clock, format_count
from ringscope_core.query.filters import Filter, FilterError
from ringscope_core.scenario.errors import InputError

if TYPE_CHECKING:
    from ringscope.focus import Focus
    from ringscope.store import Store

WHOLE: Final = later("Whole session")
BETWEEN: Final = later("From ... until ...")
SELECTION: Final = later("Selected range")


class ExportDialog(QDialog):
    """Not modal: the window goes on while it is open, and while the export runs."""

    def __init__(self, store: Store, focus: Focus, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._store, self._focus = store, focus
        self._work: ExportWork | None = None
        """The export that is going on, until its thread has ended."""
        self._written = Path()
        """Where it is written."""
        self._outcome = ""
        """How it ended, in words."""
        self._named = False
        """The person chose the file's name."""
        self.setWindowTitle(t("Export session"))
        self.setMinimumWidth(620)
        self.format = QComboBox()
        self.format.setAccessibleName(t("Format"))
        for name, made in FORMATS.items():
            self.format.addItem(t(made.title), name)
        self.whats: dict[str, QCheckBox] = {}
        self._what_row = QWidget()
        self.span = QComboBox()
        self.span.setAccessibleName(t("Range"))
        self.since, self.until = self._moment(t("From"), 0), self._moment(t("Until"), 1)
        self.filter = QLineEdit(focus.filter)
        self.filter.setAccessibleName(t("Filter"))
        self.filter.setFont(mono_font(9.5))
        self.filter.setPlaceholderText(t("everything"))
        self.options: dict[str, QComboBox | QLineEdit] = {}
        self._moments_row = QWidget()
        self.target = QLineEdit()
        self.target.setAccessibleName(t("File"))
        self.note = QLabel()
        self.note.setProperty("role", "muted")
        self.note.setWordWrap(True)
        self.bar = QProgressBar()
        self.bar.setRange(0, 1000)
        self.bar.setAccessibleName(t("Progress"))
        self.bar.hide()
        self.start = QPushButton(t("Export"))
        self.start.setDefault(True)
        self.leave = QPushButton(t("Close"))
        self._lay_out()
        self._connect()
        self._fill_spans()
        self._format_chosen()

    # -- building -----------------------------------------------------------------------------------------------------
    def _moment(self, name: str, place: int) -> QComboBox:
        """A moment: those that there are, or one typed."""
        box = QComboBox()
        box.setEditable(True)
        box.setAccessibleName(name)
        box.setMinimumWidth(170)
        box.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        box.addItems(["start", "end", f"seq:{self._focus.seq}"])
        box.addItems([f"mark:{mark.name}" for mark in self._store.reader.marks()])
        box.setCurrentIndex(place)
        return box

    def _lay_out(self) -> None:
        form = QFormLayout()
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.setHorizontalSpacing(14)
        form.setVerticalSpacing(9)
        form.addRow(t("Format"), self.format)
        row = QHBoxLayout(self._what_row)
        row.setContentsMargins(0, 0, 0, 0)
        form.addRow(t("Tables"), self._what_row)
        form.addRow(t("Range"), self.span)
        moments = QHBoxLayout(self._moments_row)
        moments.setContentsMargins(0, 0, 0, 0)
        moments.setSpacing(8)
        moments.addWidget(self.since, 1)
        moments.addWidget(QLabel(t("until")))
        moments.addWidget(self.until, 1)
        form.addRow(t("From"), self._moments_row)
        form.addRow(t("Filter"), self.filter)
        self._form = form
        browse = QPushButton(t("Browse..."))
        browse.setAutoDefault(False)
        browse.clicked.connect(self._browse)
        file_row = QHBoxLayout()
        file_row.setSpacing(8)
        file_row.addWidget(self.target, 1)
        file_row.addWidget(browse)
        form.addRow(t("File"), file_row)
        buttons = QDialogButtonBox()
        buttons.addButton(self.start, QDialogButtonBox.ButtonRole.ActionRole)
        buttons.addButton(self.leave, QDialogButtonBox.ButtonRole.RejectRole)
        for button in (self.start, self.leave):
            button.setIcon(QIcon())
        layout = QVBoxLayout(self)
        layout.setContentsMargins(20, 16, 20, 14)
        layout.setSpacing(9)
        layout.addLayout(form)
        layout.addWidget(self.note)
        layout.addWidget(self.bar)
        layout.addWidget(buttons)

    def _connect(self) -> None:
        self.format.currentIndexChanged.connect(self._format_chosen)
        self.span.currentTextChanged.connect(self._look)
        for box in (self.since, self.until):
            box.editTextChanged.connect(self._look)
        self.filter.textChanged.connect(self._look)
        self.target.textEdited.connect(self._name_edited)
        self.start.clicked.connect(self.begin)
        self.leave.clicked.connect(self.reject)

    def _fill_spans(self) -> None:
        self.span.addItem(t(WHOLE), WHOLE)
        if self._selected() is not None:
            self.span.addItem(t(SELECTION), SELECTION)
        self.span.addItem(t(BETWEEN), BETWEEN)

    def _selected(self) -> tuple[int, int] | None:
        """The range that is selected in the window, when one is."""
        found = getattr(self._focus, "range", None)
        return (int(found[0]), int(found[1])) if isinstance(found, tuple) and len(found) == 2 else None

    # -- what is chosen -----------------------------------------------------------------------------------------------
    def _name(self) -> str:
        return str(self.format.currentData())

    def _format_chosen(self) -> None:
        made = FORMATS[self._name()]
        row = self._what_row.layout()
        assert row is not None
        for box in self.whats.values():
            row.removeWidget(box)
            box.deleteLater()
        self.whats = {}
        for what in made.whats if len(made.whats) > 1 else ():
            box = QCheckBox(t(what))
            box.setAutoExclusive(not made.many)
            box.setChecked(what == made.whats[0])
            box.toggled.connect(self._look)
            row.addWidget(box)
            self.whats[what] = box
        self._form.setRowVisible(self._what_row, bool(self.whats))
        for old in self.options.values():
            self._form.removeRow(old)
        self.options = {}
        for option in made.options:
            field: QComboBox | QLineEdit
            if option.values:
                field = QComboBox()
                field.addItems(list(option.values))
                field.currentTextChanged.connect(self._look)
            else:
                field = QLineEdit(option.preset)
                field.textChanged.connect(self._look)
            field.setAccessibleName(t(option.title))
            self.options[option.name] = field
            self._form.insertRow(self._form.rowCount() - 1, t(option.title), field)
        if not self._named:
            self.target.setText(str(self._proposed()))
        self._look()
        self.adjustSize()

    def _proposed(self) -> Path:
        """A name beside where the person works, of the session and the format."""
        made = FORMATS[self._name()]
        before = Path(self.target.text()).parent if self.target.text() else Path.home()
        stem = str(self._store.meta.get("scenario") or self._store.reader.path.stem or "session")
        return before / (f"{stem}{made.suffix}" if made.suffix else f"{stem}-{made.name}")

    def _name_edited(self) -> None:
        self._named = True
        self._look()

    def request(self) -> Request:
        """The export that the fields ask for."""
        made = FORMATS[self._name()]
        whats = tuple(what for what, box in self.whats.items() if box.isChecked())
        since, until = "", ""
        selected = self._selected()
        if self.span.currentData() == BETWEEN:
            since, until = self.since.currentText(), self.until.currentText()
        elif self.span.currentData() == SELECTION and selected is not None:
            since, until = f"seq:{selected[0]}", f"seq:{selected[1]}"
        options = {name: field.currentText() if isinstance(field, QComboBox) else field.text() for name, field in self.options.items()}
        return Request(made.name, whats, since, until, self.filter.text(), options)

    def problem(self) -> str:
        """What stands against it, empty when nothing does."""
        request = self.request()
        try:
            check(request)
            if self.whats and not request.whats:
                return t("choose at least one table")
            first, last = range_of(self._store.recording, request.since, request.until)[:2]
            Filter(request.filter, self._store.recording)
        except (InputError, FilterError) as error:
            return heard(str(error))
        if not self.target.text().strip():
            return t("choose a file")
        self._span_text = t(
            "Events {first} to {last}, until {time} s.",
            first=format_count(max(first, 0)),
            last=format_count(last),
            time=format_clock(self._store.reader.vt_at_seq(last)),
        )
        return ""

    _span_text: str = ""

    def _look(self) -> None:
        """Say what would be exported, or what stands against it."""
        self._form.setRowVisible(self._moments_row, self.span.currentData() == BETWEEN)
        if self._work is not None:
            return
        problem = self.problem()
        try:
            Filter(self.filter.text(), self._store.recording)
            validity = "valid" if self.filter.text().strip() else ""
        except FilterError:
            validity = "invalid"
        if self.filter.property("validity") != validity:
            self.filter.setProperty("validity", validity)
            self.filter.style().unpolish(self.filter)
            self.filter.style().polish(self.filter)
        self.note.setText(problem or self._span_text)
        self.start.setEnabled(not problem)

    def _browse(self) -> None:
        made = FORMATS[self._name()]
        if made.folder:
            name = QFileDialog.getExistingDirectory(self, t("Folder of the Parquet tables"), str(Path(self.target.text()).parent))
        else:
            name, _ = QFileDialog.getSaveFileName(
                self, t("Export as"), self.target.text(), f"{made.title} (*{made.suffix})", options=QFileDialog.Option.DontConfirmOverwrite
            )
        if name:
            self._named = True
            self.target.setText(name)
            self._look()

    # -- the export ---------------------------------------------------------------------------------------------------
    def begin(self) -> None:
        """Start, after a question where a file would be replaced."""
        if self._work is not None or self.problem():
            return
        request, target = self.request(), Path(self.target.text()).expanduser()
        if export_exists(self._store.recording, request, target):
            answer = QMessageBox.question(self, t("Export"), t("{target} is there already. Replace it?", target=target))
            if answer != QMessageBox.StandardButton.Yes:
                return
            request = Request(request.format, request.whats, request.since, request.until, request.filter, request.options, True)
        self.run_export(request, target)

    def run_export(self, request: Request, target: Path) -> None:
        """Export in a thread."""
        work = ExportWork(self._store.reader.path, request, target, self)
        self._work, self._written = work, target
        work.moved.connect(self._moved)
        work.ended.connect(self._ended)
        work.failed.connect(self._failed)
        work.cancelled.connect(self._cancelled)
        work.finished.connect(self._finished)
        self._busy(True)
        self.note.setText(t("Writing {target} ...", target=target))
        work.start()

    def _busy(self, busy: bool) -> None:
        for field in (self.format, self.span, self.since, self.until, self.filter, self.target, *self.whats.values(), *self.options.values()):
            field.setEnabled(not busy)
        self.start.setEnabled(not busy)
        self.leave.setText(t("Cancel") if busy else t("Close"))
        self.bar.setValue(0)
        self.bar.setVisible(busy)

    def _moved(self, done: int, total: int) -> None:
        self.bar.setValue(1000 * done // total)

    def _ended(self, summary: Summary) -> None:
        rows = ", ".join(f"{format_count(number)} {t(what)}" for what, number in summary.rows.items())
        wrote = t("Wrote {target}: {rows}; {size} bytes", target=self._written, rows=rows, size=format_count(summary.size))
        self._outcome = ". ".join([wrote, *map(heard, summary.remarks)])

    def _failed(self, text: str) -> None:
        self._outcome = text

    def _cancelled(self) -> None:
        self._outcome = t("Cancelled: nothing was written.")

    def _finished(self) -> None:
        """The thread has ended: only now may the dialog go, or begin another one."""
        work, self._work = self._work, None
        if work is not None:
            work.deleteLater()
        self._busy(False)
        self._look()
        self.note.setText(self._outcome)

    def reject(self) -> None:
        """Cancel the export, or close when none is going on."""
        if self._work is not None:
            self._work.cancel()
        else:
            super().reject()

    def closeEvent(self, event: QCloseEvent) -> None:
        """An export that is going on is cancelled and waited for: it leaves nothing."""
        self.stop()
        super().closeEvent(event)

    def stop(self) -> None:
        """End an export that is going on."""
        if self._work is not None:
            self._work.give_up()


def show_export(store: Store, focus: Focus, parent: QWidget) -> ExportDialog:
    """Open the dialog over a window."""
    dialog = ExportDialog(store, focus, parent)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.show()
    return dialog
