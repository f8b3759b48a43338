"""The preferences: what a person sets once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QComboBox, QDialog, QDialogButtonBox, QFileDialog, QFormLayout, QHBoxLayout, QLabel, QLineEdit, QPushButton, QVBoxLayout, QWidget

from ringscope.core_words import heard
from ringscope.theme import mono_font
from ringscope.words import later, t
from ringscope_core.query.qemu_tree import MODELLED, tree_problem, version_of
from ringscope_core.scenario.errors import InputError
from ringscope_core.session.keep import KEEP_ALLOWED, KEEP_DEFAULT, keep_bytes, size_words

if TYPE_CHECKING:
    from ringscope.commands import Commands

TREE = "qemu_tree"
KEEP = "keep"
LANGUAGE = "language"
NAMES: Final = (("", later("As the desktop")), ("en", "English"), ("zh", "简体中文"))
"""Languages by the value that is kept; each under the name that its readers know."""


class PreferencesDialog(QDialog):
    """Takes effect with OK."""

    def __init__(self, commands: Commands, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(t("Preferences"))
        self._commands = commands
        self.tree = QLineEdit(commands.preference(TREE))
        self.tree.setFont(mono_font(9.5))
        self.tree.setAccessibleName(t("QEMU source tree"))
        self.tree.setPlaceholderText(t("folder of QEMU's sources; empty: none"))
        self.tree.setMinimumWidth(420)
        self.tree.textChanged.connect(self._look)
        browse = QPushButton(t("Browse..."))
        browse.clicked.connect(self._browse)
        row = QHBoxLayout()
        row.addWidget(self.tree, 1)
        row.addWidget(browse)
        self.found = QLabel()
        self.found.setWordWrap(True)
        hint = QLabel(t("The source pane of Realize shows QEMU's own file at the line where a call stands. Ringscope ships no QEMU sources."))
        hint.setWordWrap(True)
        hint.setProperty("role", "muted")
        self.keep = QLineEdit(commands.preference(KEEP))
        self.keep.setAccessibleName(t("Unsaved runs keep"))
        self.keep.setPlaceholderText(KEEP_DEFAULT)
        self.keep.setMaximumWidth(120)
        self.keep.textChanged.connect(self._look)
        self.keep_found = QLabel()
        self.keep_found.setWordWrap(True)
        self.language = QComboBox()
        self.language.setAccessibleName(t("Language"))
        for value, name in NAMES:
            self.language.addItem(t(name), value)
        self.language.setCurrentIndex(max(self.language.findData(commands.preference(LANGUAGE)), 0))
        self.language_found = QLabel(t("From the next start on."))
        self.language_found.setProperty("role", "muted")
        form = QFormLayout()
        form.addRow(t("QEMU source tree"), row)
        form.addRow("", self.found)
        form.addRow("", hint)
        form.addRow(t("Unsaved runs keep"), self.keep)
        form.addRow("", self.keep_found)
        form.addRow(t("Language"), self.language)
        form.addRow("", self.language_found)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel)
        for button in buttons.buttons():
            button.setIcon(QIcon())
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 14, 16, 12)
        layout.setSpacing(12)
        layout.addLayout(form)
        layout.addWidget(buttons)
        self._look()

    def _browse(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, t("QEMU source tree"), self.tree.text())
        if folder:
            self.tree.setText(folder)

    def _look(self) -> None:
        """Say what is in the folder."""
        text = self.tree.text().strip()
        tree = Path(text).expanduser()
        problem = heard(tree_problem(tree)) if text else ""
        version = version_of(tree) if text and not problem else ""
        if version and version != MODELLED:
            problem = t("QEMU {version}: the model tells lines of {modelled}, so they may be others here", version=version, modelled=MODELLED)
        elif text and not problem and not version:
            problem = t("the tree has no VERSION: lines may be others")
        self.found.setText(problem or (f"QEMU {version}" if version else ""))
        _as(self.found, problem)
        self.found.setVisible(bool(self.found.text()))
        self._look_at_keep()

    def _look_at_keep(self) -> str:
        """Say what the size means; the problem with it, empty when there is none."""
        text = self.keep.text().strip() or KEEP_DEFAULT
        try:
            size = keep_bytes(KEEP, text)
        except InputError:
            problem = t("{given!r} is not allowed; {allowed}", given=text, allowed=heard(KEEP_ALLOWED))
        else:
            problem = ""
            kept = (
                t("The recording stays within {size}: the oldest goes, the building stays", size=size_words(size))
                if size
                else t("The recording is complete, however large")
            )
            self.keep_found.setText(t("{kept}. A saved run is always complete. From the next start on.", kept=kept))
        if problem:
            self.keep_found.setText(problem)
        _as(self.keep_found, problem)
        return problem

    def accept(self) -> None:
        """Take it over."""
        if self._look_at_keep():
            self.keep.setFocus()
            return
        self._commands.set_preference(LANGUAGE, str(self.language.currentData()))
        self._commands.set_preference(KEEP, self.keep.text().strip())
        self._commands.set_preference(TREE, self.tree.text().strip())
        super().accept()


def _as(label: QLabel, problem: str) -> None:
    """Coloured as what it says."""
    label.setProperty("role", "problem" if problem else "muted")
    label.style().unpolish(label)
    label.style().polish(label)
