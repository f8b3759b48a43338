"""A tree of texts with columns: small, rebuilt only when its shape changes, updated in place otherwise."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from PySide6.QtCore import QAbstractItemModel, QModelIndex, QPersistentModelIndex, Qt, Signal
from PySide6.QtGui import QColor, QFont, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTreeView

from ringscope.theme import mono_font

Index = QModelIndex | QPersistentModelIndex
KEY_ROLE: Final = int(Qt.ItemDataRole.UserRole) + 1
_NONE: Final = QModelIndex()


@dataclass
class Node:
    """A line: texts by column, a key that says what it is, and its children."""

    key: object
    texts: list[str]
    children: list[Node] = field(default_factory=list)
    tip: str = ""
    muted: bool = False
    """Paint the whole line in the muted colour: nothing known, or a heading."""
    heading: bool = False
    span: bool = False
    """The first text may use the whole line."""
    parent: Node | None = None
    row: int = 0

    def add(self, child: Node) -> Node:
        """Put `child` last; returns it."""
        child.parent, child.row = self, len(self.children)
        self.children.append(child)
        return child

    def shape(self) -> tuple[object, ...]:
        """Keys of the whole tree: equal shapes are updated in place."""
        return (self.key, *(child.shape() for child in self.children))


class TreeModel(QAbstractItemModel):
    """The nodes as Qt wants them."""

    def __init__(self, columns: list[str], mono: set[int]) -> None:
        super().__init__()
        self.columns, self._mono = columns, mono
        self.root = Node(None, [])
        self.muted: QColor = QColor()
        self.flash: QColor = QColor()
        self._fonts = (mono_font(9.5), QFont())
        self._fonts[1].setBold(True)

    def node(self, index: Index) -> Node:
        """The node of an index, the root for an invalid one."""
        if not index.isValid():
            return self.root
        found = index.internalPointer()
        assert isinstance(found, Node)
        return found

    def put(self, root: Node) -> bool:
        """Show `root`; true when the shape changed, so that expansions are lost."""
        if root.shape() == self.root.shape():
            self._update(self.root, root)
            return False
        self.beginResetModel()
        self.root = root
        self.endResetModel()
        return True

    def _update(self, old: Node, new: Node) -> None:
        for mine, fresh in zip(old.children, new.children, strict=True):
            if mine.texts != fresh.texts or mine.muted != fresh.muted or mine.tip != fresh.tip:
                mine.texts, mine.muted, mine.tip = fresh.texts, fresh.muted, fresh.tip
                left = self.createIndex(mine.row, 0, mine)
                self.dataChanged.emit(left, self.createIndex(mine.row, len(self.columns) - 1, mine))
            self._update(mine, fresh)

    def index(self, row: int, column: int, parent: Index = _NONE) -> QModelIndex:
        """Qt's address of a node."""
        children = self.node(parent).children
        return self.createIndex(row, column, children[row]) if 0 <= row < len(children) else QModelIndex()

    def parent(self, index: Index) -> QModelIndex:  # type: ignore[override]
        """Qt's address of the parent."""
        above = self.node(index).parent
        return QModelIndex() if above is None or above is self.root else self.createIndex(above.row, 0, above)

    def rowCount(self, parent: Index = _NONE) -> int:
        """Children."""
        return 0 if parent.column() > 0 else len(self.node(parent).children)

    def columnCount(self, parent: Index = _NONE) -> int:
        """Columns, the same everywhere."""
        return len(self.columns)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = int(Qt.ItemDataRole.DisplayRole)) -> object:
        """Column titles."""
        return self.columns[section] if role == Qt.ItemDataRole.DisplayRole and orientation == Qt.Orientation.Horizontal else None

    def data(self, index: Index, role: int = int(Qt.ItemDataRole.DisplayRole)) -> object:
        """Texts, fonts, colours."""
        node, column = self.node(index), index.column()
        if role == Qt.ItemDataRole.DisplayRole:
            return node.texts[column] if column < len(node.texts) else ""
        if role == Qt.ItemDataRole.FontRole:
            return self._fonts[1] if node.heading else self._fonts[0] if column in self._mono else None
        if role == Qt.ItemDataRole.ForegroundRole:
            return self.muted if node.muted else None
        if role == Qt.ItemDataRole.ToolTipRole:
            return node.tip or "  ".join(text for text in node.texts if text)
        if role == KEY_ROLE:
            return node.key
        return None


class TreeList(QTreeView):
    """The tree.  `picked` carries the key of a clicked or reached node."""

    picked = Signal(object)

    def __init__(self, columns: list[str], mono: set[int], name: str, weights: tuple[int, ...] = (), expand_depth: int = -1) -> None:
        super().__init__()
        self.weights: tuple[int, ...] = weights
        """How the columns share the width, 0 hides one; without, the columns keep the widths that a person gave them."""
        self.nodes = TreeModel(columns, mono)
        self.setModel(self.nodes)
        self.setAccessibleName(name)
        self.setUniformRowHeights(True)
        self.setAlternatingRowColors(True)
        self.setIndentation(14)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.header().setStretchLastSection(True)
        self.header().setMinimumSectionSize(22)
        self.header().setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        if weights:
            self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._expand_depth = expand_depth
        self._quiet = False
        self.selectionModel().currentChanged.connect(self._moved)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Share the width by the weights."""
        super().resizeEvent(event)
        self.share()

    def share(self) -> None:
        """Give each column its part of the width."""
        total = sum(self.weights)
        room = self.viewport().width()
        for place, weight in enumerate(self.weights):
            self.setColumnHidden(place, weight == 0)
            if weight:
                self.header().resizeSection(place, room * weight // total)

    def _moved(self, current: QModelIndex, _: QModelIndex) -> None:
        if not self._quiet and current.isValid():
            self.picked.emit(self.nodes.node(current).key)

    def put(self, root: Node) -> None:
        """Show `root`; what was open stays open where it still exists."""
        if root.shape() == self.nodes.root.shape():
            self.nodes.put(root)
            return
        first = not self.nodes.root.children
        open_keys = {node.key for node in self._all(self.nodes.root) if self.isExpanded(self._index(node))}
        known = {node.key for node in self._all(self.nodes.root)}
        self._quiet = True
        self.nodes.put(root)
        for node in self._all(root):
            # so may a heading without values
            if node.span or (node.heading and not any(node.texts[1:])):
                self.setFirstColumnSpanned(node.row, self._index(node).parent(), True)
        if first and self._expand_depth < 0:
            self.expandAll()
        elif first:
            self.expandToDepth(self._expand_depth)
        else:
            for node in self._all(root):
                if node.children and (node.key in open_keys or node.key not in known):
                    self.setExpanded(self._index(node), True)
        self._quiet = False

    def _all(self, node: Node) -> list[Node]:
        return [found for child in node.children for found in (child, *self._all(child))]

    def _index(self, node: Node) -> QModelIndex:
        return self.nodes.createIndex(node.row, 0, node)

    def select_key(self, key: object) -> bool:
        """Make the node of `key` current without telling; false when there is none."""
        for node in self._all(self.nodes.root):
            if node.key == key:
                index = self._index(node)
                if self.currentIndex() != index:
                    self._quiet = True
                    self.setCurrentIndex(index)
                    self.scrollTo(index)
                    self._quiet = False
                return True
        return False

    def text(self) -> str:
        """Everything as tab-separated lines, indented by depth."""
        lines = ["\t".join(self.nodes.columns)]
        self._lines(self.nodes.root, 0, lines)
        return "\n".join(lines)

    def _lines(self, node: Node, depth: int, lines: list[str]) -> None:
        for child in node.children:
            lines.append("  " * depth + "\t".join(child.texts))
            self._lines(child, depth + 1, lines)
