"""The button that says which run is shown, and lists the others."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtGui import QActionGroup
from PySide6.QtWidgets import QMenu, QToolButton

from ringscope.words import t

if TYPE_CHECKING:
    from ringscope.window_branches import Branches, Shown
    from ringscope.window_top import TopBar


class RunList(QToolButton):
    """Hidden while there is one run; lives in the top bar."""

    def __init__(self, branches: Branches, bar: TopBar) -> None:
        super().__init__(bar)
        self._branches = branches
        self.setAccessibleName(t("Run shown"))
        self.setToolTip(t("The runs of this window: a branch and what it came from"))
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self._menu = QMenu(self)
        self.setMenu(self._menu)
        self._place = bar.insertWidget(bar.filter_action, self)
        branches.changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Another list, or another run is shown."""
        runs = self._branches.runs
        self._place.setVisible(len(runs) > 1)
        self.setText(self._branches.current.title)
        self._menu.clear()
        group = QActionGroup(self._menu)
        for run in runs:
            action = self._menu.addAction("    " * depth_of(run) + run.title)
            action.setCheckable(True)
            action.setChecked(run is self._branches.current)
            action.triggered.connect(partial(self._show, run))
            group.addAction(action)

        self._menu.addSeparator()
        drop = self._menu.addAction(t("Close this branch"))
        drop.setToolTip(t("Ends its engine; a recording that was kept stays"))
        drop.setEnabled(self._branches.can_drop)
        drop.triggered.connect(lambda _=False: self._branches.drop())

    def _show(self, run: Shown, _checked: bool = False) -> None:
        if run is not self._branches.current:
            self._branches.show(run)


def depth_of(run: Shown) -> int:
    """How many runs lie above."""
    depth, above = 0, run.parent
    while above is not None:
        depth, above = depth + 1, above.parent
    return depth
