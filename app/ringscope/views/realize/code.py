"""Source text with a gutter: line numbers, breakpoints, checkpoints, and the line at which things stand."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPolygonF,
    QResizeEvent,
    QSyntaxHighlighter,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
    QTextFormat,
)
from PySide6.QtWidgets import QPlainTextEdit, QTextEdit, QToolTip, QWidget

from ringscope.theme import LIGHT, Theme, mono_font
from ringscope.words import t

_PYTHON: Final = (
    "and as assert async await break class continue def del elif else except finally for from global if import in is lambda None True False "
    "not or pass raise return try while with yield"
)
_C: Final = (
    "auto bool break case char const continue default do double else enum extern float for goto if inline int long register return short signed "
    "sizeof static struct switch typedef union unsigned void volatile while NULL true false uint8_t uint16_t uint32_t uint64_t int64_t size_t"
)
_COMMENT: Final = 1
_SIGN: Final = 16
"""Width of the strip for breakpoints and the arrow."""


class CodeColors(QSyntaxHighlighter):
    """Keywords, strings and comments, no more: Python or C."""

    def __init__(self, document: QTextDocument) -> None:
        super().__init__(document)
        self.theme: Theme = LIGHT
        self.python: bool = True

    def highlightBlock(self, text: str) -> None:
        """One line; the state carries an open comment or text over."""
        words = _PYTHON if self.python else _C
        keyword = self._format("group.call", bold=True)
        for match in re.finditer(r"\b[A-Za-z_]\w*\b", text):
            if match[0] in words.split():
                self.setFormat(match.start(), len(match[0]), keyword)
        self.setCurrentBlockState(0)
        opening, closing = ('"""', '"""') if self.python else ("/*", "*/")
        faint = self._format("text.faint")
        if self.python:
            for match in re.finditer(r"(?<!\")\"(?!\")(?:\\.|[^\"\\])*\"(?!\")|'(?:\\.|[^'\\])*'", text):
                self.setFormat(match.start(), len(match[0]), self._format("severity.ok"))
            comment = re.search(r"(?:^|\s)#.*", text)
            if comment:
                self.setFormat(comment.start(), len(comment[0]), faint)
        else:
            for match in re.finditer(r'"(?:\\.|[^"\\])*"', text):
                self.setFormat(match.start(), len(match[0]), self._format("severity.ok"))
            preprocessor = re.match(r"\s*#\s*\w+", text)
            if preprocessor:
                self.setFormat(0, len(preprocessor[0]), self._format("group.register"))
        start = 0 if self.previousBlockState() == _COMMENT else text.find(opening)
        while start >= 0:
            inside = start if self.previousBlockState() == _COMMENT and start == 0 else start + len(opening)
            end = text.find(closing, inside)
            if end < 0:
                self.setCurrentBlockState(_COMMENT)
                self.setFormat(start, len(text) - start, faint)
                return
            self.setFormat(start, end + len(closing) - start, faint)
            start = text.find(opening, end + len(closing))

    def _format(self, meaning: str, bold: bool = False) -> QTextCharFormat:
        look = QTextCharFormat()
        look.setForeground(self.theme.color(meaning))
        if bold:
            look.setFontWeight(600)
        return look


class _Gutter(QWidget):
    """The strip left of the text; it only forwards."""

    def __init__(self, code: CodeText) -> None:
        super().__init__(code)
        self._code = code
        self.setMouseTracking(True)

    def sizeHint(self) -> QSize:
        """As wide as the numbers."""
        return QSize(self._code.gutter_width(), 0)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Numbers and signs."""
        self._code.paint_gutter(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """A click sets or deletes a breakpoint."""
        line = self._code.line_at(event.position().y())
        if line:
            self._code.gutter_clicked.emit(line, event.button() == Qt.MouseButton.RightButton)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Say what a click would do."""
        tip = self._code.tips.get(self._code.line_at(event.position().y()), "")
        QToolTip.showText(event.globalPosition().toPoint(), tip, self)


class CodeText(QPlainTextEdit):
    """Read-only source.  `gutter_clicked` carries the line (from 1) and whether it was the right button."""

    gutter_clicked = Signal(int, bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme: Theme = LIGHT
        self.current: int = 0
        """The line at which things stand, 0 for none."""
        self.numbers: Mapping[int, int] = {}
        """Lines that can be stopped at: our line to QEMU's."""
        self.breakpoints: Mapping[int, bool] = {}
        """Lines with a breakpoint, and whether it is enabled."""
        self.tips: Mapping[int, str] = {}
        self._two_numbers = False
        self._colors = CodeColors(self.document())
        self._gutter = _Gutter(self)
        self.setReadOnly(True)
        self.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard)
        self.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.setFrameShape(QPlainTextEdit.Shape.NoFrame)
        self.setFont(mono_font(9.0))
        self.setAccessibleName(t("source text"))
        self.setProperty("role", "flat")
        self.updateRequest.connect(self._scrolled)
        self._shown = ""

    def set_theme(self, theme: Theme) -> None:
        """Colour by `theme`."""
        self.theme = self._colors.theme = theme
        self.setFont(mono_font(9.0))
        self._colors.rehighlight()
        self._mark_current()
        self._gutter.update()

    def show_text(self, text: str, python: bool) -> None:
        """Show another file; with Python, QEMU's lines stand beside ours."""
        if text == self._shown and python == self._colors.python:
            return
        self._shown = text
        self._colors.python = self._two_numbers = python
        self.setPlainText(text)
        self.setViewportMargins(self.gutter_width(), 0, 0, 0)

    def show_marks(self, current: int, numbers: Mapping[int, int], breakpoints: Mapping[int, bool], tips: Mapping[int, str]) -> None:
        """Where things stand, where they can be stopped and where they are."""
        moved = current != self.current
        self.current, self.numbers, self.breakpoints, self.tips = current, numbers, breakpoints, tips
        self._mark_current()
        self._gutter.update()
        if moved and current:
            self.go_to(current)

    def go_to(self, line: int) -> None:
        """Bring `line` into sight, near the middle when it was not."""
        block = self.document().findBlockByNumber(line - 1)
        if not block.isValid():
            return
        self.setTextCursor(QTextCursor(block))
        top = self.blockBoundingGeometry(block).translated(self.contentOffset()).top()
        margin = 3 * self.fontMetrics().height()
        if top < margin or top > self.viewport().height() - margin:
            self.centerCursor()

    def _mark_current(self) -> None:
        block = self.document().findBlockByNumber(self.current - 1)
        if self.current < 1 or not block.isValid():
            self.setExtraSelections([])
            return
        mark = QTextEdit.ExtraSelection()
        look = QTextCharFormat()
        look.setBackground(self.theme.color("flash"))
        look.setProperty(int(QTextFormat.Property.FullWidthSelection.value), True)
        mark.format = look
        mark.cursor = QTextCursor(block)
        self.setExtraSelections([mark])

    # -- the gutter ---------------------------------------------------------------------------------------------------
    def gutter_width(self) -> int:
        """Pixels: signs, our numbers, and QEMU's where they differ."""
        digit = self.fontMetrics().horizontalAdvance("9")
        return _SIGN + digit * len(str(max(self.blockCount(), 100))) + (digit * 5 + 6 if self._two_numbers else 0) + 10

    def line_at(self, y: float) -> int:
        """The line at a height of the viewport, 0 below the last."""
        block = self.firstVisibleBlock()
        top = self.blockBoundingGeometry(block).translated(self.contentOffset()).top()
        while block.isValid():
            bottom = top + self.blockBoundingRect(block).height()
            if top <= y < bottom:
                return int(block.blockNumber()) + 1
            block, top = block.next(), bottom
        return 0

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The gutter has the full height."""
        super().resizeEvent(event)
        box = self.contentsRect()
        self._gutter.setGeometry(QRect(box.left(), box.top(), self.gutter_width(), box.height()))

    def _scrolled(self, box: QRect, dy: int) -> None:
        if dy:
            self._gutter.scroll(0, dy)
        else:
            self._gutter.update(0, box.y(), self._gutter.width(), box.height())
        width = self.gutter_width()
        if self._gutter.width() != width:
            self._gutter.resize(width, self._gutter.height())

    def paint_gutter(self, event: QPaintEvent) -> None:
        """Numbers of the lines in sight, breakpoints, the arrow."""
        p = QPainter(self._gutter)
        p.setRenderHint(QPainter.RenderHint.Antialiasing)
        p.fillRect(event.rect(), self.theme.color("raised"))
        p.setFont(self.font())
        width, height = self._gutter.width(), self.fontMetrics().height()
        digit = self.fontMetrics().horizontalAdvance("9")
        block = self.firstVisibleBlock()
        top = self.blockBoundingGeometry(block).translated(self.contentOffset()).top()
        while block.isValid() and top <= event.rect().bottom():
            line = int(block.blockNumber()) + 1
            self._paint_sign(p, line, top + height / 2)
            p.setPen(self.theme.color("text" if line == self.current else "text.faint"))
            right = width - 6 - (digit * 5 + 6 if self._two_numbers else 0)
            p.drawText(QRectF(0, top, right, height), Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, str(line))
            if self._two_numbers and line in self.numbers:
                p.setPen(self.theme.color("link"))
                p.drawText(QRectF(0, top, width - 6, height), Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, str(self.numbers[line]))
            top += self.blockBoundingRect(block).height()
            block = block.next()
        p.end()

    def _paint_sign(self, p: QPainter, line: int, middle: float) -> None:
        red: QColor = self.theme.severity("error")
        x = _SIGN / 2 + 1
        if line in self.breakpoints:
            p.setPen(QPen(red, 1.4))
            p.setBrush(red if self.breakpoints[line] else Qt.BrushStyle.NoBrush)
            p.drawEllipse(QPointF(x, middle), 4.6, 4.6)
        elif line in self.numbers:
            p.setPen(Qt.PenStyle.NoPen)
            p.setBrush(self.theme.color("text.faint"))
            p.drawEllipse(QPointF(x, middle), 1.7, 1.7)
        if line == self.current:
            p.setPen(Qt.PenStyle.NoPen)
            p.setBrush(self.theme.color("cursor"))
            p.drawPolygon(QPolygonF([QPointF(x - 2, middle - 4), QPointF(x + 6, middle), QPointF(x - 2, middle + 4)]))
