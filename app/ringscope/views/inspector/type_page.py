"""The type in focus: its line of parents, sizes, hooks and structure."""

from __future__ import annotations

from PySide6.QtWidgets import QTabWidget

from ringscope.commands import Commands
from ringscope.focus import Focus
from ringscope.store import Store
from ringscope.type_rows import TypeForest, instance_counts, size_text
from ringscope.views.inspector.object_page import hook_tree
from ringscope.views.inspector.page import Page, table, wide_table
from ringscope.widgets.tree_list import Node, TreeList
from ringscope.words import t
from ringscope_core.trace.structs import STRUCTS


class TypePage(Page):
    """Three tabs about one QOM type."""

    def __init__(self, store: Store, focus: Focus, commands: Commands) -> None:
        super().__init__(store, focus, commands)
        self.chain = table([t("Type"), t("Instance"), t("Class")], (52, 30, 26), {1, 2}, t("Line of parents"))
        self.methods = wide_table([t("Hook"), t("Function"), t("Set by")], {1}, t("Class hooks"))
        self.layout_table = table([t("Field"), t("Type"), t("At")], (40, 48, 14), {1, 2}, t("Structure"))
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        for tree, name in ((self.chain, t("Parents")), (self.methods, t("Hooks")), (self.layout_table, t("Structure"))):
            self.tabs.addTab(tree, name)
        self.body.addWidget(self.tabs, 1)
        self.chain.picked.connect(self._pick)

    def _pick(self, key: object) -> None:
        name = str(key).split("/")[0]
        if name:
            self.focus.select(type_name=name)

    def refresh(self) -> None:
        """Everything about the type."""
        forest = TypeForest(self.store)
        row = forest.rows.get(self.focus.type_name)
        if row is None:
            self.title.setText(t("No type in focus"))
            self.subtitle.setText(t("Choose one in Types or in the type tree."))
            for tree in (self.chain, self.methods, self.layout_table):
                tree.put(Node(None, []))
            return
        counts = instance_counts(self.store.moment(self.focus), self.store)
        below = [name for name in forest.rows if any(up.name == row.name for up in forest.chain(name))]
        self.title.setText(row.name)
        words = [
            t("abstract") if row.abstract else t("concrete"),
            t("instances: {counts}", counts=counts[row.name]),
            t("with subtypes: {n}", n=sum(counts[name] for name in below)),
        ]
        if row.file:
            words.append(row.file)
        self.subtitle.setText("  ·  ".join(words))
        self._show_chain(forest, row.name)
        self.methods.put(hook_tree([up.name for up in forest.chain(row.name)]))
        self._show_structure(row.instance_struct)

    def _show_chain(self, forest: TypeForest, name: str) -> None:
        root = Node(None, [])
        for row in forest.chain(name):
            node = root.add(Node(row.name, [row.name, size_text(row.instance_size), size_text(row.class_size)], heading=row.name == name))
            node.add(Node(row.name + "/struct", [f"{row.instance_struct or t('unknown')}, {row.class_struct or t('unknown')}", "", ""], muted=True, span=True))
            for hook, function in row.hooks:
                node.add(Node(f"{row.name}/{hook}", [f"{hook}: {function}", "", ""], span=True))
            for interface in row.interfaces:
                node.add(Node(f"{row.name}/{interface}", [t("interface: {interface}", interface=interface), "", ""], span=True))
        self.chain.put(root)

    def _show_structure(self, struct: str) -> None:
        root = Node(None, [])
        if struct in STRUCTS:
            size, where, fields = STRUCTS[struct]
            root.add(Node(struct, [struct, t("{size} bytes, {where}", size=size, where=where), ""], heading=True))
            for offset, name, ctype in fields:
                root.add(Node(name, [name, ctype, f"+{offset}"]))
        else:
            root.add(Node("", [t("its layout is not known"), "", ""], muted=True, span=True))
        self.layout_table.put(root)

    def text(self) -> str:
        """The tab in front."""
        tree = self.tabs.currentWidget()
        assert isinstance(tree, TreeList)
        return f"{self.heading()}\n{tree.text()}"
