"""Where something stands in a widget, so that a figure can point at it: rows, lines and cells of what views are made of."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from PySide6.QtCore import QRect, QRectF, Qt
from PySide6.QtGui import QTextBlock
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QPlainTextEdit, QWidget

from ringscope.theme import ROW
from ringscope.widgets.row_list import RowList
from ringscope.widgets.tree_list import Node, TreeList
from ringscope.words import t


class Spot(NamedTuple):
    """A place: the widget that paints it, the rectangle in that widget's pixels, and what brings it into sight where it can be scrolled."""

    widget: QWidget
    rect: QRect
    show: Callable[[], object] | None = None
    aim: QRect | None = None
    """Where a line to it ends, when that is not its edge: the middle of a sector, say."""


def whole(widget: QWidget) -> Spot:
    """All of `widget`."""
    return Spot(widget, widget.rect())


def part_of(widget: QWidget, box: QRectF, show: Callable[[], object] | None = None) -> Spot:
    """A rectangle of what `widget` paints, to whole pixels."""
    return Spot(widget, box.toAlignedRect(), show)


def row_spot(view: QAbstractItemView, row: int) -> Spot | None:
    """A row of a table, as far as its cells go; None when there is none."""
    model = view.model()
    if not 0 <= row < model.rowCount():
        return None
    first, last = model.index(row, 0), model.index(row, model.columnCount() - 1)
    return Spot(view.viewport(), view.visualRect(first).united(view.visualRect(last)), lambda: view.scrollTo(first))


def list_row_spot(rows: RowList, row: int, count: int) -> Spot | None:
    """A row of a list of any length; None when there is none."""
    if not 0 <= row < count:
        return None
    top = (row - rows.verticalScrollBar().value()) * ROW
    return Spot(rows.viewport(), QRect(0, top, rows.viewport().width(), ROW), lambda: rows.show_row(row))


def node_spot(tree: TreeList, node: Node) -> Spot:
    """A line of a tree, unfolded when it is asked into sight."""
    index = tree.nodes.createIndex(node.row, 0, node)
    box = tree.visualRect(index)
    # the words, not the whole line: a tree's first column is wide
    words = tree.fontMetrics().horizontalAdvance(node.texts[0] if node.texts else "") + 14
    if not box.isEmpty():
        box.setWidth(min(box.width(), words))
    return Spot(tree.viewport(), box, lambda: tree.scrollTo(index))


def tree_nodes(tree: TreeList) -> list[Node]:
    """All lines of a tree, from the top."""

    def below(node: Node) -> list[Node]:
        return [found for child in node.children for found in (child, *below(child))]

    return below(tree.nodes.root)


def line_spot(text: QPlainTextEdit, line: int) -> Spot | None:
    """A line (from 0) of a text: what is written in it; None when there is none."""
    block: QTextBlock = text.document().findBlockByNumber(line)
    if not block.isValid():
        return None
    box = text.blockBoundingGeometry(block).translated(text.contentOffset())
    margin = text.document().documentMargin()
    used = block.layout().boundingRect().width() if block.lineCount() > 1 else text.fontMetrics().horizontalAdvance(block.text())
    box = QRectF(box.left() + margin, box.top(), max(used, 8.0), box.height())

    def show() -> None:
        cursor = text.textCursor()
        cursor.setPosition(block.position())
        text.setTextCursor(cursor)
        text.centerCursor()

    return Spot(text.viewport(), box.toAlignedRect(), show)


def columns(header: QHeaderView) -> list[str]:
    """The titles of the columns that are shown."""
    model = header.model()
    titles = (str(model.headerData(place, Qt.Orientation.Horizontal) or "") for place in range(header.count()) if not header.isSectionHidden(place))
    return [title for title in titles if title]


def column_spot(header: QHeaderView, title: str) -> Spot | None:
    """A column by its title, in English or as it is shown; None when there is none so called."""
    model = header.model()
    wanted = names_of(title)
    for place in range(header.count()):
        if str(model.headerData(place, Qt.Orientation.Horizontal) or "") in wanted and not header.isSectionHidden(place):
            box = QRect(header.sectionViewportPosition(place), 0, header.sectionSize(place), header.height())
            return Spot(header.viewport(), box, partial(_scroll_to_column, header, place))
    return None


def _scroll_to_column(header: QHeaderView, place: int) -> None:
    table = header.parentWidget()
    if isinstance(table, QAbstractItemView):
        table.scrollTo(table.model().index(0, place))


def names_of(word: str) -> tuple[str, str]:
    """What a word in English may read on the screen: itself, or its translation; so a target is the same in every language."""
    return word, t(word)


def number(text: str) -> int:
    """A whole number that is not negative; -1 for any other text."""
    return int(text) if text.isascii() and text.isdigit() else -1
