"""Which value a row or a cell stands for: what a view says once, so that the window can offer "last write", "next change" and "why" on it.

A view calls `offer` for each widget that shows values.  The window asks `value_of` for the keyboard's value, and hears of a context menu
through `Commands.value_asked`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QAbstractItemView, QAbstractScrollArea, QWidget

from ringscope.widgets.tree_list import TreeList
from ringscope_core.query.watch import Watch
from ringscope_core.query.watch_words import parse_watch
from ringscope_core.scenario.errors import InputError

if TYPE_CHECKING:
    from ringscope.commands import Commands
    from ringscope_core.query.recording import Recording

Find = Callable[[QPoint | None], Watch | None]
"""The value at a place of the widget (of its viewport), None for where the keyboard is; None when there is none."""

_OFFERS: WeakKeyDictionary[QWidget, Find] = WeakKeyDictionary()


def offer(widget: QWidget, find: Find, commands: Commands) -> None:
    """Say that `widget` shows values, and which ones."""
    _OFFERS[widget] = find
    widget.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
    widget.customContextMenuRequested.connect(lambda point: _asked(widget, point, commands))


def offer_tree(tree: TreeList, watch_of: Callable[[object], Watch | None], commands: Commands) -> None:
    """The same for a tree whose keys say which value a line stands for."""

    def find(point: QPoint | None) -> Watch | None:
        index = tree.currentIndex() if point is None else tree.indexAt(point)
        return watch_of(tree.nodes.node(index).key) if index.isValid() else None

    offer(tree, find, commands)


def offer_cells(table: QAbstractItemView, watch_of: Callable[[int, int], Watch | None], commands: Commands) -> None:
    """The same for a table: `watch_of` gets row and column."""

    def find(point: QPoint | None) -> Watch | None:
        index = table.currentIndex() if point is None else table.indexAt(point)
        return watch_of(index.row(), index.column()) if index.isValid() else None

    offer(table, find, commands)


def value_of(widget: QWidget | None) -> Watch | None:
    """The value that the keyboard is on in `widget` or in what it stands in."""
    while widget is not None:
        find = _OFFERS.get(widget)
        if find is not None:
            return find(None)
        widget = widget.parentWidget()
    return None


def _asked(widget: QWidget, point: QPoint, commands: Commands) -> None:
    watch = _OFFERS[widget](point)
    if watch is not None:
        ground = widget.viewport() if isinstance(widget, QAbstractScrollArea) else widget
        commands.value_asked.emit(watch, ground.mapToGlobal(point))


def named_value(oid: int, name: str, recording: Recording) -> Watch | None:
    """The value that ring `oid`'s panels call `name`: ``avail.idx``, ``used_event``, ``inuse``; None when that is none."""
    for prefix in ("", "avail.", "used.", "VirtQueue.", "vring_virtqueue.", "VRing."):
        try:
            return parse_watch(f"#{oid}.{prefix}{name}", recording)
        except InputError:
            continue
    return None
