"""The smallest useful view: how many events of each kind the recording has.

It shows what every view does: it is built from (store, focus, commands), reads the store in `refresh`, moves the focus when
clicked, takes colours from the theme, and can say itself as text.
"""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtWidgets import QVBoxLayout, QWidget

from ringscope.commands import Commands
from ringscope.focus import Focus
from ringscope.store import Store
from ringscope.theme import Theme
from ringscope.views.spec import View
from ringscope.widgets.tree_list import Node, TreeList
from ringscope.words import t
from ringscope_core.query.decode import format_count


class SkeletonView(View):
    """A table of kinds; a click filters the events by one."""

    def __init__(self, store: Store, focus: Focus, commands: Commands, parent: QWidget | None = None) -> None:
        super().__init__(store, focus, commands, parent)
        self.table = TreeList([t("Kind"), t("Events")], {1}, t("Events by kind"), (70, 30))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.table)
        # a click moves what all views share, never another view
        self.table.picked.connect(lambda name: focus.set_filter(f"kind == {name}"))

    def refresh(self) -> None:
        """Called by the window, at most once a frame, only while visible and only after something changed."""
        root = Node(None, [])
        for number, count in self.store.reader.event_counts().items():
            spec = self.store.kind(number)
            if spec is not None:
                root.add(Node(spec.name, [spec.name, format_count(count)], tip=t(spec.title)))
        self.table.put(root)

    def theme_changed(self, theme: Theme) -> None:
        """Only colours that were copied need a word here; what is read while painting does not."""
        self.table.nodes.muted = theme.color("text.muted")

    def parts(self) -> Mapping[str, QWidget]:
        """Panes that a figure can name: ``part:table``."""
        return {"table": self.table}

    def table_text(self) -> str:
        """The view as text: for copying, screen readers, export."""
        return self.table.text()
