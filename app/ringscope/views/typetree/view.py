"""The tree of types: name, instances, sizes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from PySide6.QtWidgets import QVBoxLayout, QWidget

from ringscope.commands import Commands
from ringscope.focus import Focus
from ringscope.store import Store
from ringscope.theme import Theme
from ringscope.type_rows import TypeForest, instance_counts
from ringscope.views.spec import View
from ringscope.views.typetree import places
from ringscope.widgets.spots import Spot
from ringscope.widgets.tree_list import Node, TreeList
from ringscope.words import t


class TypeTreeView(View):
    """One line a type; a click focuses it."""

    live_hz = 5.0

    def __init__(self, store: Store, focus: Focus, commands: Commands, parent: QWidget | None = None) -> None:
        super().__init__(store, focus, commands, parent)
        self.tree = TreeList([t("Type"), t("Live"), t("Size")], {1, 2}, t("QOM types"), (70, 14, 18))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.tree)
        self.setFocusProxy(self.tree)
        self.tree.picked.connect(lambda name: focus.select(type_name=str(name)))
        self._forest = TypeForest(store)
        self._generation = store.generation

    def _tree(self, counts: Counter[str]) -> Node:
        root = Node("", [])
        nodes: dict[str, Node] = {"": root}
        for name, _ in self._forest.walk():
            row = self._forest.rows[name]
            size = "?" if row.instance_size is None else str(row.instance_size)
            node = Node(name, [name, str(counts[name]) if counts[name] else "", size], tip=t("abstract") if row.abstract else "")
            node.muted = row.abstract
            nodes[name] = nodes.get(row.parent, root).add(node)
        return root

    def refresh(self) -> None:
        """Counts at the moment, and the selected type."""
        if self._generation != self.store.generation or len(self._forest) != len(self.store.reader.types):
            self._generation = self.store.generation
            self._forest = TypeForest(self.store)
        self.tree.put(self._tree(instance_counts(self.store.moment(self.focus), self.store)))
        if self.focus.type_name:
            self.tree.select_key(self.focus.type_name)

    def theme_changed(self, theme: Theme) -> None:
        """Muted lines in the new colour."""
        self.tree.nodes.muted = theme.color("text.muted")

    def parts(self) -> Mapping[str, QWidget]:
        """The panes."""
        return {"tree": self.tree}

    def words(self) -> list[str]:
        """What can be pointed at beside the panes."""
        return places.words(self)

    def spot(self, target: str) -> Spot | None:
        """A pane, or a place in one."""
        return super().spot(target) or places.spot(self, target)

    def table_text(self) -> str:
        """The tree as text."""
        return self.tree.text()
