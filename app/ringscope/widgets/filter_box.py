"""The filter box: green while the filter is right, red with the reason when it is not, completion while typing."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QPoint, QStringListModel, Qt
from PySide6.QtGui import QAction, QKeyEvent
from PySide6.QtWidgets import QCompleter, QLineEdit, QListView, QSizePolicy, QToolTip

from ringscope.core_words import heard
from ringscope.focus import Focus
from ringscope.icons import icon
from ringscope.store import Store
from ringscope.theme import Theme, mono_font
from ringscope.words import t
from ringscope_core.query.filters import Filter, FilterError, completions


class FilterBox(QLineEdit):
    """Sets `Focus.filter` at every change that makes sense; a wrong filter leaves the last right one in force."""

    def __init__(self, store: Store, focus: Focus) -> None:
        super().__init__()
        self._store, self._focus = store, focus
        self._words = QStringListModel(self)
        self._completer = QCompleter(self._words, self)
        self._popup = QListView()
        self._completer.setPopup(self._popup)
        self._completer.setCompletionMode(QCompleter.CompletionMode.UnfilteredPopupCompletion)
        self._completer.setWidget(self)
        self._completer.activated.connect(self._complete)
        self._start = 0
        self.problem: str = ""
        """What is wrong with the text, empty when nothing is."""
        self.setPlaceholderText(t("Filter, such as  kind == kick and obj == tx0"))
        self.setAccessibleName(t("Filter"))
        self.setClearButtonEnabled(True)
        self.setFont(mono_font(9.5))
        self.setMinimumWidth(180)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._icon = QAction(self)
        self.addAction(self._icon, QLineEdit.ActionPosition.LeadingPosition)
        self.textChanged.connect(self._changed)
        self.textEdited.connect(self._suggest)
        focus.changed.connect(self._focus_changed)
        self.installEventFilter(self)

    def set_theme(self, theme: Theme) -> None:
        """The magnifier in the theme's colour."""
        self._icon.setIcon(icon("filter", theme, "text.muted"))

    def _changed(self, text: str) -> None:
        self.problem = ""
        validity = "valid" if text.strip() else ""
        try:
            Filter(text, self._store.recording)
        except FilterError as error:
            self.problem = heard(str(error))
            validity = "invalid"
        if self.property("validity") != validity:
            self.setProperty("validity", validity)
            self.style().unpolish(self)
            self.style().polish(self)
        self.setToolTip(self.problem)
        self.setAccessibleDescription(self.problem or t("the filter is right"))
        if not self.problem:
            self._focus.set_filter(text.strip())

    def _focus_changed(self, what: object) -> None:
        if isinstance(what, frozenset) and "filter" in what and self._focus.filter != self.text().strip():
            self.setText(self._focus.filter)

    def _suggest(self, _: str) -> None:
        text = self.text()[: self.cursorPosition()]
        self._start, words = completions(text, self._store.recording)
        typed = text[self._start :]
        if not words or words == [typed]:
            self._popup.hide()
            return
        self._words.setStringList(words)
        self._completer.setCompletionPrefix("")
        box = self.cursorRect()
        box.setWidth(min(320, self._popup.sizeHintForColumn(0) + 30))
        self._completer.complete(box)

    def _complete(self, word: str) -> None:
        at = self.cursorPosition()
        text = self.text()
        self.setText(f"{text[: self._start]}{word} {text[at:].lstrip()}")
        self.setCursorPosition(self._start + len(word) + 1)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Enter on a wrong filter says why; Escape gives the keyboard back; Ctrl+Space completes."""
        if not isinstance(event, QKeyEvent) or event.type() != QEvent.Type.KeyPress:
            return super().eventFilter(watched, event)
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.problem:
            QToolTip.showText(self.mapToGlobal(QPoint(20, self.height())), self.problem, self)
            return True
        if event.key() == Qt.Key.Key_Escape:
            self.clearFocus()
            return True
        if event.key() == Qt.Key.Key_Space and event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self._suggest("")
            return True
        return super().eventFilter(watched, event)
