"""A mark's name and note."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QFormLayout, QLabel, QLineEdit, QPlainTextEdit, QVBoxLayout, QWidget

from ringscope.words import t
from ringscope_core.query.decode import format_clock, format_count
from ringscope_core.session.changes import MAX_NAME
from ringscope_core.session.rows import MarkRow


class MarkDialog(QDialog):
    """`changed` carries a new name and note, `removed` says that the mark is to go."""

    changed = Signal(str, str)
    removed = Signal()

    def __init__(self, mark: MarkRow, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(t("Edit mark"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setMinimumWidth(420)
        self.name = QLineEdit(mark.name)
        self.name.setMaxLength(MAX_NAME)
        self.name.setAccessibleName(t("Name"))
        self.note = QPlainTextEdit(mark.note)
        self.note.setAccessibleName(t("Note"))
        self.note.setTabChangesFocus(True)
        self.note.setFixedHeight(5 * self.note.fontMetrics().lineSpacing())
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel)
        remove = self.buttons.addButton(t("Remove"), QDialogButtonBox.ButtonRole.DestructiveRole)
        form = QFormLayout()
        form.addRow(t("Name"), self.name)
        form.addRow(t("Note"), self.note)
        form.addRow(t("At"), QLabel(t("event {seq}, {vt} s", seq=format_count(mark.seq), vt=format_clock(mark.vt))))
        layout = QVBoxLayout(self)
        layout.addLayout(form)
        layout.addWidget(self.buttons)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        remove.clicked.connect(self._remove)
        self.name.textChanged.connect(lambda text: self.buttons.button(QDialogButtonBox.StandardButton.Ok).setEnabled(bool(text.strip())))
        self.name.selectAll()

    def accept(self) -> None:
        """Take the words."""
        self.changed.emit(self.name.text().strip(), self.note.toPlainText())
        super().accept()

    def _remove(self) -> None:
        self.removed.emit()
        super().reject()
