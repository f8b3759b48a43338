"""The console pane: gdb's words in, gdb's form out.  The work is done in a thread of its own; the window never waits for it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from PySide6.QtCore import QEvent, QObject, QStringListModel, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QTextCharFormat, QTextCursor
from PySide6.QtWidgets import QCompleter, QFrame, QHBoxLayout, QLabel, QLineEdit, QListView, QPlainTextEdit, QVBoxLayout, QWidget

from ringscope.back_thread import BackThread
from ringscope.console_session import Answer, ConsoleSession
from ringscope.theme import LIGHT, Theme, mono_font
from ringscope.words import later, t

if TYPE_CHECKING:
    from ringscope.commands import Commands
    from ringscope.focus import Focus
    from ringscope.store import Store

PROMPT: Final = "(gdb) "
HINT: Final = later("gdb's words: b, c, n, s, finish, bt, p *n, x/16xb, rc, rn, rs, help; Tab completes")
TREE: Final = "qemu_tree"
"""The preference that names the QEMU source tree."""
HISTORY: Final = "console_history"
"""The preference that keeps what was typed."""
_KEPT: Final = 500
_MOST_LINES: Final = 20_000
"""Lines of output that are kept."""
LINKS: Final = re.compile(
    r"(?P<event>\b[Ee]vent \#?(?P<seq>\d+)|(?<![\w#])\#(?P<hash>\d{2,})\b)"
    r"|(?P<file>\b[\w./-]+\.[ch]:\d+)"
    r"|(?P<address>\b0x[0-9a-f]{6,16}\b)"
)
"""What can be clicked in the output: events, QEMU's files, addresses of objects."""


class Session(Protocol):
    """What the pane asks of a console."""

    def execute(self, line: str, seq: int, at_end: bool, points: Sequence[Mapping[str, Any]]) -> Answer:
        """Carry out a line."""
        ...

    def complete(self, text: str) -> list[str]:
        """Completions."""
        ...

    def interrupt(self) -> None:
        """End what is under way."""
        ...

    def close(self) -> None:
        """Close what was opened."""
        ...


class _Output(QPlainTextEdit):
    """The output; a click on a link tells it."""

    clicked = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.setReadOnly(True)
        self.setMaximumBlockCount(_MOST_LINES)
        self.setFrameShape(QPlainTextEdit.Shape.NoFrame)
        self.setFont(mono_font(9.0))
        self.setMouseTracking(True)
        self.setAccessibleName(t("console output"))
        self.setProperty("role", "flat")

    def _link_at(self, event: QMouseEvent) -> re.Match[str] | None:
        cursor = self.cursorForPosition(event.position().toPoint())
        text, column = cursor.block().text(), cursor.positionInBlock()
        return next((match for match in LINKS.finditer(text) if match.start() <= column <= match.end() and column < len(text)), None)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """A hand over links."""
        super().mouseMoveEvent(event)
        self.viewport().setCursor(Qt.CursorShape.PointingHandCursor if self._link_at(event) else Qt.CursorShape.IBeamCursor)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Go where a link leads."""
        super().mouseReleaseEvent(event)
        link = self._link_at(event)
        if link is not None and not self.textCursor().hasSelection():
            self.clicked.emit(link)


class ConsolePane(QWidget):
    """Input line below, output above.  `file_wanted` carries ``FILE:LINE`` that was clicked."""

    file_wanted = Signal(str)
    answered = Signal()
    """A line was carried out."""

    def __init__(self, store: Store, focus: Focus, commands: Commands, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.store, self.focus, self.commands = store, focus, commands
        self.theme: Theme = LIGHT
        self.make_session: Callable[[Path, str, str], Session] = ConsoleSession
        self.output = _Output()
        self.input = QLineEdit()
        self.prompt = QLabel(PROMPT)
        self._thread = BackThread("console", self)
        self._session: Session | None = None
        self._session_of: tuple[str, str, str] = ("", "", "")
        self._history: list[str] = [line for line in commands.preference(HISTORY).split("\n") if line]
        self._place = len(self._history)
        self._typed = ""
        self._completing = False
        self._enter_later = False
        self._words = QStringListModel(self)
        self._popup = QListView()
        self._completer = QCompleter(self._words, self)
        self._build()

    def _build(self) -> None:
        self.output.clicked.connect(self._follow_link)
        self.input.setFont(mono_font(9.0))
        self.input.setFrame(False)
        self.input.setAccessibleName(t("console input"))
        self.input.setPlaceholderText(t(HINT))
        self.input.returnPressed.connect(self._enter)
        self.input.installEventFilter(self)
        self.output.installEventFilter(self)
        self.prompt.setFont(mono_font(9.0))
        self._completer.setPopup(self._popup)
        self._completer.setCompletionMode(QCompleter.CompletionMode.UnfilteredPopupCompletion)
        self._completer.setWidget(self.input)
        self._completer.activated.connect(self._take_word)
        bar = QFrame()
        bar.setObjectName("console")
        row = QHBoxLayout(bar)
        row.setContentsMargins(8, 2, 6, 2)
        row.setSpacing(2)
        row.addWidget(self.prompt)
        row.addWidget(self.input, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.output, 1)
        layout.addWidget(bar)
        self.setFocusProxy(self.input)

    def set_theme(self, theme: Theme) -> None:
        """Colours of what is printed from now on, and of the fonts."""
        self.theme = theme
        for widget in (self.output, self.input, self.prompt):
            widget.setFont(mono_font(9.0))

    @property
    def busy(self) -> bool:
        """Whether a line is being carried out."""
        return self._thread.busy

    # -- lines --------------------------------------------------------------------------------------------------------
    def _enter(self) -> None:
        if self._completing:
            # Enter right after Tab means the completed line
            self._enter_later = True
            return
        line = self.input.text()
        self.input.clear()
        self.run_line(line)

    def run_line(self, line: str) -> None:
        """Carry out `line`; an empty one repeats the last, as in gdb."""
        self._print(f"{PROMPT}{line}\n", "text.muted")
        if line.strip():
            self._remember(line)
        session = self._its_session()
        seq, points = self.focus.seq, [dict(point) for point in self.commands.points]
        at_end = self.focus.following or seq >= self.store.last_seq
        self.prompt.setEnabled(False)
        self.input.setPlaceholderText(t("at work; Ctrl+C interrupts"))
        self._thread.submit(lambda: session.execute(line, seq, at_end, points), lambda answer: self._answer(answer, points))

    def _its_session(self) -> Session:
        """The session on the recording and engine of now; another one when those changed."""
        path = self.store.reader.path
        wanted = (str(path), self.commands.controls.address if self.store.live else "", self.commands.preference(TREE))
        if self._session is None or wanted != self._session_of:
            if self._session is not None:
                self._thread.submit(self._session.close, lambda _: None)
            self._session, self._session_of = self.make_session(path, wanted[1], wanted[2]), wanted
        return self._session

    def _answer(self, answer: object, points: list[dict[str, Any]]) -> None:
        if not self._thread.busy:
            self.prompt.setEnabled(True)
            self.input.setPlaceholderText(t(HINT))
        if not isinstance(answer, Answer):
            self._print(f"{answer}\n", "severity.error")
            self.answered.emit()
            return
        if answer.text:
            self._print(answer.text if answer.text.endswith("\n") else f"{answer.text}\n", "text")
        if answer.points and list(answer.points) != points or points and not answer.points and not self._session_of[1]:
            self.commands.replace_points(list(answer.points))
        if answer.at_end:
            self.focus.set_following(True)
            self.focus.advance(max(answer.seq, self.store.last_seq))
        elif answer.seq != self.focus.seq or self.focus.following:
            self.focus.select(seq=answer.seq)
        self.answered.emit()

    def _print(self, text: str, meaning: str) -> None:
        bar = self.output.verticalScrollBar()
        cursor = QTextCursor(self.output.document())
        cursor.movePosition(QTextCursor.MoveOperation.End)
        look = QTextCharFormat()
        look.setForeground(self.theme.color(meaning))
        link = QTextCharFormat(look)
        link.setForeground(self.theme.color("link"))
        at = 0
        for match in LINKS.finditer(text):
            cursor.insertText(text[at : match.start()], look)
            cursor.insertText(match[0], link)
            at = match.end()
        cursor.insertText(text[at:], look)
        bar.setValue(bar.maximum())

    def interrupt(self) -> None:
        """End what is under way: a search, or the machine that a command let run."""
        if self._session is not None:
            self._session.interrupt()
        if self.commands.running:
            self.commands.pause()

    def clear(self) -> None:
        """Forget the output."""
        self.output.clear()

    def close_session(self) -> None:
        """End the thread, and with it what it opened."""
        session, self._session = self._session, None
        self._thread.close(session.close if session is not None else None)

    # -- keys ---------------------------------------------------------------------------------------------------------
    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Up and down walk the history, Tab completes, Ctrl+C interrupts (or copies what is selected), Ctrl+L clears."""
        if not isinstance(event, QKeyEvent) or event.type() not in (QEvent.Type.KeyPress, QEvent.Type.ShortcutOverride):
            return super().eventFilter(watched, event)
        key, control = event.key(), bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        action: Callable[[], object] | None = None
        if watched is self.input and key in (Qt.Key.Key_Up, Qt.Key.Key_Down) and not event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            action = lambda: self._walk(-1 if key == Qt.Key.Key_Up else 1)  # noqa: E731
        elif watched is self.input and key == Qt.Key.Key_Tab:
            action = self.complete
        elif key == Qt.Key.Key_C and control and not self.input.hasSelectedText() and not self.output.textCursor().hasSelection():
            action = self._break
        elif key == Qt.Key.Key_L and control:
            action = self.clear
        if action is None or self._popup.isVisible():
            return super().eventFilter(watched, event)
        event.accept()
        if event.type() == QEvent.Type.KeyPress:
            action()
        return True

    def _break(self) -> None:
        if self.busy or self.commands.running:
            self.interrupt()
        else:
            self._print(f"{PROMPT}{self.input.text()}Quit\n", "text.muted")
            self.input.clear()

    def _remember(self, line: str) -> None:
        if not self._history or self._history[-1] != line:
            self._history = [*self._history, line][-_KEPT:]
            self.commands.set_preference(HISTORY, "\n".join(self._history))
        self._place = len(self._history)

    def _walk(self, direction: int) -> None:
        if self._place == len(self._history):
            self._typed = self.input.text()
        self._place = min(max(self._place + direction, 0), len(self._history))
        self.input.setText(self._history[self._place] if self._place < len(self._history) else self._typed)

    # -- completion ---------------------------------------------------------------------------------------------------
    def complete(self) -> None:
        """Complete what stands before the cursor."""
        text = self.input.text()[: self.input.cursorPosition()]
        session = self._its_session()
        self._completing = True
        self._thread.submit(lambda: session.complete(text), lambda words: self._completed(text, words))

    def _completed(self, text: str, words: object) -> None:
        self._completing = False
        self._offer(text, words)
        if self._enter_later:
            self._enter_later = False
            self._popup.hide()
            self._enter()

    def _offer(self, text: str, words: object) -> None:
        if not isinstance(words, list) or not words or self.input.text()[: self.input.cursorPosition()] != text:
            return
        whole = [self._whole(text, word) for word in words]
        common = _common(whole)
        if len(whole) == 1 or len(common) > len(text):
            self._take_word(common + (" " if len(whole) == 1 else ""))
            return
        self._words.setStringList(whole)
        box = self.input.cursorRect()
        box.setWidth(min(460, self._popup.sizeHintForColumn(0) + 30))
        self._completer.complete(box)

    @staticmethod
    def _whole(text: str, word: str) -> str:
        """The line that `word` makes of `text`: consoles offer whole lines or last words."""
        if word.startswith(text):
            return word
        for start in range(len(text) + 1):
            if word.startswith(text[start:]):
                return text[:start] + word
        return text + word

    def _take_word(self, line: str) -> None:
        rest = self.input.text()[self.input.cursorPosition() :]
        self.input.setText(line + rest)
        self.input.setCursorPosition(len(line))

    # -- links --------------------------------------------------------------------------------------------------------
    def _follow_link(self, link: object) -> None:
        if not isinstance(link, re.Match):
            return
        if link["file"]:
            self.file_wanted.emit(link["file"])
        elif link["event"]:
            seq = int(link["seq"] or link["hash"])
            if self.store.first_seq <= seq <= self.store.last_seq:
                self.focus.select(seq=seq, subject="event")
        else:
            address = int(link["address"], 16)
            objects = self.store.moment(self.focus).objects
            oid = next((oid for oid, found in objects.items() if found.addr == address), 0)
            if oid:
                self.focus.select(oid=oid, type_name=self.store.type_of(oid))


def _common(words: list[str]) -> str:
    """The longest beginning that all have."""
    first, last = min(words), max(words)
    size = next((place for place, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), min(len(first), len(last)))
    return first[:size]
