"""The stack exactly as gdb prints it, with the functions picked out; a click on a frame goes to where it began."""

from __future__ import annotations

import re
from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QContextMenuEvent, QMouseEvent, QSyntaxHighlighter, QTextCharFormat, QTextDocument, QTextOption
from PySide6.QtWidgets import QPlainTextEdit, QWidget

from ringscope.theme import LIGHT, Theme, mono_font
from ringscope.words import t
from ringscope_core.gdb.backtrace import BtFrame, format_frame

_FRAME: Final = re.compile(r"^(#\d+ +|    \(tail call\) )(?:(0x[0-9a-f]+) in )?([A-Za-z_]\w*) \(")
_PLACE: Final = re.compile(r" at (\S+:\d+)$")


class _Highlighter(QSyntaxHighlighter):
    """Function names bold, addresses and paths muted."""

    def __init__(self, document: QTextDocument) -> None:
        super().__init__(document)
        self.theme: Theme = LIGHT

    def highlightBlock(self, text: str) -> None:
        """Format one line."""
        muted, name, place = QTextCharFormat(), QTextCharFormat(), QTextCharFormat()
        muted.setForeground(self.theme.color("text.muted"))
        name.setForeground(self.theme.color("value"))
        name.setFontWeight(700)
        place.setForeground(self.theme.color("text.muted"))
        found = _FRAME.match(text)
        if found:
            self.setFormat(0, found.end(1), muted)
            if found.group(2):
                self.setFormat(found.start(2), len(found.group(2)) + 4, muted)
            self.setFormat(found.start(3), len(found.group(3)), name)
        where = _PLACE.search(text)
        if where:
            self.setFormat(where.start(1), len(where.group(1)), place)


class StackText(QPlainTextEdit):
    """`picked` carries the event that opened the frame which was clicked."""

    picked = Signal(int)
    menu_wanted = Signal(object, object)
    """The frame that was right-clicked (`BtFrame`), and where on the screen."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._line_seqs: list[int] = []
        self._line_frames: list[BtFrame] = []
        self._shown: str = ""
        self._highlighter = _Highlighter(self.document())
        self.setReadOnly(True)
        self.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self.setFrameShape(QPlainTextEdit.Shape.NoFrame)
        self.setFont(mono_font(8.5))
        self.setAccessibleName(t("call stack"))
        self.setProperty("role", "flat")

    def set_theme(self, theme: Theme) -> None:
        """Colour by `theme`."""
        self._highlighter.theme = theme
        self.setFont(mono_font(8.5))
        self._highlighter.rehighlight()

    def show_frames(self, frames: list[BtFrame], empty: str) -> None:
        """Show the stack, innermost first; `empty` says what to print without one."""
        lines: list[str] = []
        seqs: list[int] = []
        self._line_frames = []
        for frame in frames:
            for line in format_frame(frame).split("\n"):
                lines.append(line)
                seqs.append(frame.seq)
                self._line_frames.append(frame)
        text = "\n".join(lines) or empty
        if text != self._shown:
            self._shown, self._line_seqs = text, seqs
            self.setPlainText(text)

    @property
    def frames(self) -> list[BtFrame]:
        """The frames shown, each once, innermost first."""
        return list({id(frame): frame for frame in self._line_frames}.values())

    def line_of(self, name: str) -> int:
        """The first line of the innermost frame of function `name`, or of frame number ``#N``; -1 when it is not on the stack."""
        for line, frame in enumerate(self._line_frames):
            if name in (frame.function, f"#{frame.number}"):
                return line
        return -1

    def frame_at(self, line: int) -> BtFrame | None:
        """The frame of a line of the text."""
        return self._line_frames[line] if 0 <= line < len(self._line_frames) else None

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Breakpoints on the frame; a selection has the usual menu."""
        frame = self.frame_at(self.cursorForPosition(event.pos()).blockNumber())
        if frame is None or self.textCursor().hasSelection():
            super().contextMenuEvent(event)
        else:
            self.menu_wanted.emit(frame, event.globalPos())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """A click without a selection goes to the frame's beginning."""
        super().mouseReleaseEvent(event)
        if event.button() != Qt.MouseButton.LeftButton:
            return
        line = self.cursorForPosition(event.position().toPoint()).blockNumber()
        if not self.textCursor().hasSelection() and line < len(self._line_seqs):
            self.picked.emit(self._line_seqs[line])
