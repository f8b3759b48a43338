"""What the inspector's pages have in common."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHeaderView, QLabel, QVBoxLayout, QWidget

from ringscope.commands import Commands
from ringscope.focus import Focus
from ringscope.store import Store
from ringscope.theme import LIGHT, Theme
from ringscope.widgets.tree_list import TreeList


class Page(QWidget):
    """One subject: a title of two lines, and whatever the page adds below."""

    def __init__(self, store: Store, focus: Focus, commands: Commands) -> None:
        super().__init__()
        self.store, self.focus, self.commands = store, focus, commands
        self.theme: Theme = LIGHT
        self.title = QLabel()
        self.title.setProperty("role", "title")
        self.title.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.title.setWordWrap(True)
        self.subtitle = QLabel()
        self.subtitle.setProperty("role", "muted")
        self.subtitle.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.subtitle.setWordWrap(True)
        self.body = QVBoxLayout(self)
        self.body.setContentsMargins(0, 6, 0, 0)
        self.body.setSpacing(4)
        for label in (self.title, self.subtitle):
            label.setContentsMargins(10, 0, 10, 0)
            self.body.addWidget(label)

    def refresh(self) -> None:
        """Show the focus."""
        raise NotImplementedError

    def text(self) -> str:
        """What the page shows, as text."""
        raise NotImplementedError

    def set_theme(self, theme: Theme) -> None:
        """Muted lines of all tables in the new colour."""
        self.theme = theme
        for tree in self.findChildren(TreeList):
            tree.nodes.muted = theme.color("text.faint")

    def heading(self) -> str:
        """Title and subtitle as text."""
        return f"{self.title.text()}\n{self.subtitle.text()}"


def table(columns: list[str], weights: tuple[int, ...], mono: set[int], name: str) -> TreeList:
    """A table for a page; `weights` share its width."""
    return TreeList(columns, mono, name, weights)


def wide_table(columns: list[str], mono: set[int], name: str) -> TreeList:
    """A table whose columns are as wide as what is seen in them: nothing is cut, a narrow inspector scrolls it sideways."""
    tree = TreeList(columns, mono, name)
    header = tree.header()
    header.setStretchLastSection(False)
    header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
    # of a long table only the lines in sight are measured
    header.setResizeContentsPrecision(0)
    return tree
