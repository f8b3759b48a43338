"""What texts a widget paints and where: asked of the painting itself, so that labels, tables and pictures answer alike."""

from __future__ import annotations

from typing import Any, Final, NamedTuple, Protocol, runtime_checkable

from PySide6.QtCore import QPoint, QRect, QRectF
from PySide6.QtGui import QFontMetricsF, QTextItem
from PySide6.QtWidgets import QWidget

from ringscope.figures.engine import Engine, hear, kept
from ringscope.widgets.spots import names_of

_TOUCHING: Final = 1.5
"""Pixels between two pieces of one text."""


class Piece(NamedTuple):
    """One text as it was painted, and its rectangle in the widget's pixels."""

    text: str
    box: QRectF


@runtime_checkable
class KeepsPixmaps(Protocol):
    """A widget that paints some things once into a pixmap, unless it is painted for vectors."""

    vector: bool


class _TextEngine(Engine):
    """Keeps the texts."""

    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[Piece] = []

    @kept
    def drawTextItem(self, p: Any, textItem: QTextItem) -> None:
        text = textItem.text()
        if not text.strip():
            return
        painter = self.painter()
        box = QRectF(p.x(), p.y() - textItem.ascent(), textItem.width(), textItem.ascent() + textItem.descent())
        if painter.hasClipping():
            box = box.intersected(painter.clipBoundingRect())
        if not box.isEmpty():
            self.pieces.append(Piece(text, painter.deviceTransform().mapRect(box)))


def painted_texts(widget: QWidget) -> list[Piece]:
    """Every text that `widget` paints now, in reading order; pieces that touch (an underlined letter) are one."""
    engine = _TextEngine()
    # what is painted into a pixmap once is painted anew for vectors: else its texts would not be heard of
    cached = [child for child in widget.findChildren(QWidget) if isinstance(child, KeepsPixmaps) and child.vector is False]
    for child in cached:
        child.vector = True
    hear(engine, widget.size(), lambda painter: widget.render(painter, QPoint(0, 0)))
    for child in cached:
        child.vector = False
    joined: list[Piece] = []
    for piece in engine.pieces:
        last = joined[-1] if joined else None
        if last is not None and abs(last.box.top() - piece.box.top()) < 1 and abs(last.box.right() - piece.box.left()) <= _TOUCHING:
            joined[-1] = Piece(last.text + piece.text, last.box.united(piece.box))
        else:
            joined.append(piece)
    return sorted(joined, key=lambda piece: (int(piece.box.center().y()) // 8, piece.box.left()))


def text_place(widget: QWidget, wanted: str) -> QRect | None:
    """The first text that is `wanted`, else the first one that contains it, in English or as it is shown; None when nothing painted does."""
    pieces = painted_texts(widget)
    for label in names_of(wanted):
        found = next((piece for piece in pieces if piece.text.strip() == label), None) or next((piece for piece in pieces if label in piece.text), None)
        if found is not None:
            return _part(widget, found, label)
    return None


def _part(widget: QWidget, found: Piece, label: str) -> QRect:
    """Where in a text `label` stands."""
    metrics = QFontMetricsF(widget.font())
    whole = metrics.horizontalAdvance(found.text)
    at = found.text.index(label)
    left = found.box.left() + found.box.width() * metrics.horizontalAdvance(found.text[:at]) / max(whole, 1.0)
    width = found.box.width() * metrics.horizontalAdvance(label) / max(whole, 1.0)
    return QRectF(left, found.box.top(), width, found.box.height()).toAlignedRect()
