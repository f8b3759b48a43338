"""The list of notes, the text of the one in hand, and what can be done with them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Final

from PySide6.QtCore import QEvent, QObject, Qt, QTimer
from PySide6.QtGui import QGuiApplication, QKeyEvent
from PySide6.QtWidgets import QFileDialog, QFrame, QHBoxLayout, QLabel, QPlainTextEdit, QSplitter, QToolButton, QVBoxLayout, QWidget

from ringscope.commands import Commands
from ringscope.focus import Focus
from ringscope.store import Store
from ringscope.theme import Theme
from ringscope.views.spec import View
from ringscope.widgets.tree_list import Node, TreeList
from ringscope.words import later, t
from ringscope_core.query.decode import format_clock, format_count
from ringscope_core.query.notebook import event_words, notebook_markdown, number_in, where
from ringscope_core.scenario.errors import InputError
from ringscope_core.session.changes import Remove, put_note
from ringscope_core.session.rows import NoteRow

_EMPTY: Final = later("The notebook is empty.\n\nN notes this moment and what is looked at; a click on a note goes back there.")
SAVE_MS: Final = 700
"""So long after the last letter a text is kept."""


class NotebookView(View):
    """Click a note to go there; edit its text below; move it up and down, delete it, export all as Markdown."""

    live_hz = 5.0

    def __init__(self, store: Store, focus: Focus, commands: Commands, parent: QWidget | None = None) -> None:
        super().__init__(store, focus, commands, parent)
        self._notes: list[NoteRow] = store.notes()
        self._current = 0
        """Number of the note in hand, 0 for none."""
        self.list = TreeList([t("Time (s)"), t("Event"), t("Where"), t("Text")], {0, 1}, t("Notes"), (20, 16, 28, 40))
        self.list.setRootIsDecorated(False)
        self.list.picked.connect(self.go_to)
        self.list.clicked.connect(lambda index: self.go_to(self.list.nodes.node(index).key))
        self.list.installEventFilter(self)
        self.text = QPlainTextEdit()
        self.text.setPlaceholderText(t("What is there to say about this moment?"))
        self.text.setAccessibleName(t("Text of the note"))
        self.text.setTabChangesFocus(True)
        self.empty = QLabel(t(_EMPTY))
        self.empty.setWordWrap(True)
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.empty.setProperty("role", "muted")
        self.empty.setMargin(16)
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.setInterval(SAVE_MS)
        self._later.timeout.connect(self.keep_text)
        self.text.textChanged.connect(self._later.start)
        split = QSplitter(Qt.Orientation.Vertical)
        split.setChildrenCollapsible(False)
        split.addWidget(self.list)
        split.addWidget(self.text)
        split.setSizes([260, 140])
        self._split = split
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._strip())
        layout.addWidget(split, 1)
        layout.addWidget(self.empty, 1)
        self.setFocusProxy(self.list)
        self._show()

    def _strip(self) -> QFrame:
        strip = QFrame()
        strip.setObjectName("strip")
        row = QHBoxLayout(strip)
        row.setContentsMargins(6, 2, 6, 2)
        row.setSpacing(4)
        self.buttons: dict[str, QToolButton] = {}
        for name, text, tip, action in (
            ("up", t("Up"), t("Move the note up (Alt+Up)"), partial(self.move_note, -1)),
            ("down", t("Down"), t("Move the note down (Alt+Down)"), partial(self.move_note, 1)),
            ("delete", t("Delete"), t("Delete the note (Delete)"), self.delete),
            ("copy", t("Copy"), t("Copy the notebook as Markdown"), self.copy),
            ("export", t("Export..."), t("Write the notebook as Markdown"), self.export),
        ):
            button = QToolButton()
            button.setText(text)
            button.setToolTip(tip)
            button.clicked.connect(lambda _=False, action=action: action())
            self.buttons[name] = button
            row.addWidget(button)
        row.addStretch(1)
        return strip

    # -- showing ----------------------------------------------------------------------------------------------------------
    def refresh(self) -> None:
        """The notes, when there are others than before."""
        notes = self.store.notes()
        if notes != self._notes:
            self._notes = notes
            self._show()

    def _show(self) -> None:
        root = Node(None, [])
        for note in self._notes:
            place = where(self.store.recording, note.place) or str(note.place.get("view", ""))
            first = note.text.strip().splitlines()[0] if note.text.strip() else event_words(self.store.recording, note.seq)
            root.add(Node(note.id, [format_clock(note.vt), format_count(note.seq), place, first], muted=not note.text.strip(), tip=note.text))
        self.list.put(root)
        known = [note.id for note in self._notes]
        if self._current not in known:
            self._take(known[-1] if known else 0)
        elif not self.text.hasFocus():
            self._take(self._current)
        self.list.select_key(self._current)
        self._split.setVisible(bool(known))
        self.empty.setVisible(not known)
        for button in self.buttons.values():
            button.setEnabled(bool(known))

    def _take(self, number: int) -> None:
        """Have the note `number` in hand."""
        self._current = number
        note = self._note()
        text = note.text if note is not None else ""
        if text != self.text.toPlainText():
            self.text.blockSignals(True)
            self.text.setPlainText(text)
            self.text.blockSignals(False)

    def _note(self) -> NoteRow | None:
        return next((note for note in self._notes if note.id == self._current), None)

    # -- doing ------------------------------------------------------------------------------------------------------------
    def go_to(self, key: object) -> None:
        """Back to where the note was made, everything in focus as it was."""
        if not isinstance(key, int) or all(note.id != key for note in self._notes):
            return
        self.keep_text()
        self._take(key)
        note = self._note()
        if note is None:
            return
        place = note.place
        subject = place.get("subject")
        self.focus.select(
            seq=max(min(note.seq, self.store.last_seq), self.store.first_seq),
            oid=number_in(place, "oid"),
            field=number_in(place, "field", -1),
            head=number_in(place, "head", -1),
            packet=number_in(place, "packet"),
            type_name=str(place.get("type_name", "")),
            subject=subject if subject in ("event", "object", "type", "descriptor", "packet") else None,
        )
        self.commands.view_asked.emit(str(place.get("view", "")))

    def keep_text(self) -> None:
        """Keep what was typed."""
        self._later.stop()
        note = self._note()
        text = self.text.toPlainText()
        if note is not None and text != note.text:
            self._put(note, note.id, text)
            # an engine takes it a moment later: until then it stands here
            self._notes = [old._replace(text=text) if old.id == note.id else old for old in self._notes]

    def _put(self, note: NoteRow, number: int, text: str) -> None:
        try:
            self.commands.annotation.emit(put_note(note.seq, note.vt, note.place, text, number))
        except InputError as error:
            self.commands.message.emit(str(error))

    def move_note(self, by: int) -> None:
        """Exchange the note in hand with its neighbour."""
        self.keep_text()
        place = next((i for i, note in enumerate(self._notes) if note.id == self._current), -1)
        if place < 0 or not 0 <= place + by < len(self._notes):
            return
        here, there = self._notes[place], self._notes[place + by]
        self._current = there.id
        self._put(here, there.id, here.text)
        self._put(there, here.id, there.text)
        self.refresh()

    def delete(self) -> None:
        """The note in hand goes."""
        note = self._note()
        if note is not None:
            self._later.stop()
            self.commands.annotation.emit(Remove("note", note.id))
            self.refresh()

    def copy(self) -> None:
        """The notebook as Markdown, to the clipboard."""
        self.keep_text()
        QGuiApplication.clipboard().setText(notebook_markdown(self.store.recording))
        self.commands.message.emit(t("the notebook is copied as Markdown"))

    def export(self) -> None:
        """Ask for a name and write the notebook there."""
        name, _ = QFileDialog.getSaveFileName(self, t("Export the notebook"), "notebook.md", t("Markdown (*.md)"))
        if name:
            self.write(Path(name))

    def write(self, path: Path) -> None:
        """Write the notebook as Markdown; says when that failed."""
        self.keep_text()
        try:
            path.write_text(notebook_markdown(self.store.recording), encoding="utf-8")
        except OSError as error:
            self.commands.message.emit(t("{path} was not written ({strerror})", path=path, strerror=error.strerror))
        else:
            self.commands.message.emit(t("{path} is written", path=path))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Delete deletes, Alt+Up and Alt+Down move, in the list."""
        if watched is self.list and isinstance(event, QKeyEvent):
            alt = bool(event.modifiers() & Qt.KeyboardModifier.AltModifier)
            ours = event.key() == Qt.Key.Key_Delete or alt and event.key() in (Qt.Key.Key_Up, Qt.Key.Key_Down)
            if ours and event.type() == QEvent.Type.ShortcutOverride:
                event.accept()
                return True
            if ours and event.type() == QEvent.Type.KeyPress:
                if event.key() == Qt.Key.Key_Delete:
                    self.delete()
                else:
                    self.move_note(-1 if event.key() == Qt.Key.Key_Up else 1)
                return True
        return super().eventFilter(watched, event)

    def theme_changed(self, theme: Theme) -> None:
        """Muted lines in the new colour."""
        self.list.nodes.muted = theme.color("text.faint")

    def parts(self) -> Mapping[str, QWidget]:
        """The panes."""
        return {"empty": self.empty} if self._split.isHidden() else {"list": self.list, "text": self.text}

    def table_text(self) -> str:
        """The notebook as Markdown."""
        return notebook_markdown(self.store.recording)
