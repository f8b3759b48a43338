"""Ctrl+G: going to a moment by words, with completion and a line that says where the words lead or what is wrong with them."""

from __future__ import annotations

from PySide6.QtCore import QStringListModel, Qt
from PySide6.QtWidgets import QCompleter, QDialog, QDialogButtonBox, QLabel, QLineEdit, QVBoxLayout, QWidget

from ringscope.focus import Focus
from ringscope.store import Store
from ringscope.words import t
from ringscope_core.query.decode import format_clock, format_count
from ringscope_core.query.seek import completions
from ringscope_core.query.travel import seek
from ringscope_core.scenario.errors import InputError


class SeekDialog(QDialog):
    """A line to type in; Enter goes there."""

    def __init__(self, store: Store, focus: Focus, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(t("Go to a moment"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setMinimumWidth(460)
        self._store, self._focus = store, focus
        self._seq = -1
        self.line = QLineEdit()
        self.line.setAccessibleName(t("Moment"))
        self.line.setPlaceholderText(t("1.5s   300us   #123   packet:7   mark:NAME   start   end"))
        self.line.setClearButtonEnabled(True)
        self._offers = QStringListModel(self)
        completer = QCompleter(self._offers, self)
        completer.setCompletionMode(QCompleter.CompletionMode.PopupCompletion)
        completer.setFilterMode(Qt.MatchFlag.MatchContains)
        completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self.line.setCompleter(completer)
        self.told = QLabel()
        self.told.setWordWrap(True)
        self.told.setMinimumHeight(3 * self.told.fontMetrics().lineSpacing())
        self.told.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel)
        self.buttons.button(QDialogButtonBox.StandardButton.Ok).setText(t("Go"))
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.addWidget(QLabel(t("A time, an event's number, a mark or a packet:")))
        layout.addWidget(self.line)
        layout.addWidget(self.told)
        layout.addWidget(self.buttons)
        self.line.textChanged.connect(self._show)
        self._show("")
        self.line.setFocus()

    def _show(self, text: str) -> None:
        """Say where the words lead."""
        self._offers.setStringList(completions(self._store.recording, text))
        self._seq = -1
        if text.strip():
            try:
                self._seq = seek(self._store.recording, text)
                vt = self._store.reader.vt_at_seq(self._seq)
                self.told.setText(t("event {seq} at {vt} s", seq=format_count(self._seq), vt=format_clock(vt)))
            except InputError as error:
                self.told.setText(f"{error.field}: {error.allowed}")
        else:
            self.told.setText("")
        self.buttons.button(QDialogButtonBox.StandardButton.Ok).setEnabled(self._seq >= 0)

    def accept(self) -> None:
        """Go there; words that lead nowhere keep the dialog open."""
        if self._seq >= 0:
            self._focus.select(seq=self._seq)
            super().accept()
