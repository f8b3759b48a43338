"""The bar across the top: transport, the one filter box, and what is global."""

from __future__ import annotations

from PySide6.QtGui import QAction
from PySide6.QtWidgets import QWidget

from ringscope.commands import Commands
from ringscope.focus import Focus
from ringscope.store import Store
from ringscope.theme import Theme
from ringscope.widgets.filter_box import FilterBox
from ringscope.window_branches import Branches
from ringscope.window_runs import RunList
from ringscope.window_transport import TransportBar


class TopBar(TransportBar):
    """The transport bar with the filter box, the palette and the theme button behind it."""

    def __init__(self, store: Store, focus: Focus, commands: Commands, actions: dict[str, QAction], parent: QWidget) -> None:
        super().__init__(commands, actions, parent)
        self.filter_box = FilterBox(store, focus)
        self.addAction(actions["back"])
        self.addAction(actions["forward"])
        self.filter_action: QAction = self.addWidget(self.filter_box)
        self.addSeparator()
        for name in ("follow", "mark", "palette", "theme", "keys"):
            self.addAction(actions[name])

    def add_runs(self, branches: Branches) -> None:
        """The list of runs, in front of the filter, as soon as there is more than one."""
        RunList(branches, self)

    def set_theme(self, theme: Theme) -> None:
        """The filter box has an icon of its own."""
        self.filter_box.set_theme(theme)
