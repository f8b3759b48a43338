"""Where the docks stand at first, and how their arrangement is kept."""

from __future__ import annotations

from typing import Final

import PySide6QtAds as ads
from PySide6.QtCore import QByteArray, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu

from ringscope.icons import icon
from ringscope.theme import Theme
from ringscope.views import ALL_VIEWS, TITLES
from ringscope.window_host import ViewHost
from ringscope.words import t

FIRST: Final = "rings"
"""The view in front when the window opens for the first time."""
_LAYOUT: Final = 1


def _configure() -> None:
    flag = ads.CDockManager.eConfigFlag
    manager = ads.CDockManager
    manager.setConfigFlags(manager.eConfigFlag(0))
    manager.setAutoHideConfigFlags(manager.eAutoHideFlag.AutoHideFeatureEnabled)
    for one in (
        flag.OpaqueSplitterResize,
        flag.XmlCompressionEnabled,
        flag.DockAreaHasTabsMenuButton,
        flag.DockAreaDynamicTabsMenuButtonVisibility,
        flag.DragPreviewIsDynamic,
        flag.DragPreviewShowsContentPixmap,
        flag.FocusHighlighting,
        flag.FloatingContainerHasWidgetTitle,
        flag.DisableTabTextEliding,
    ):
        manager.setConfigFlag(one, True)


class DockArea:
    """The dock manager and the first layout: objects left, views in the middle, inspector right, time below.

    On a `narrow` screen the left docks wait folded at the edge, so that the views have the room.
    """

    def __init__(self, hosts: dict[str, ViewHost], narrow: bool) -> None:
        _configure()
        self.narrow: bool = narrow
        """Whether the first layout is that of a narrow screen."""
        self.manager = ads.CDockManager(None)
        self.docks: dict[str, ads.CDockWidget] = {}
        for name, host in hosts.items():
            title, _ = TITLES[name]
            dock = ads.CDockWidget(self.manager, t(title))
            dock.setObjectName(name)
            dock.setWidget(host, ads.CDockWidget.eInsertMode.ForceNoScrollArea)
            dock.setMinimumSizeHintMode(ads.CDockWidget.eMinimumSizeHintMode.MinimumSizeHintFromDockWidget)
            dock.setFeature(ads.CDockWidget.DockWidgetFeature.DockWidgetClosable, True)
            self.docks[name] = dock
        self._arrange()
        self._first_state = self.state()

    def _arrange(self) -> None:
        docks, manager = self.docks, self.manager
        center = manager.addDockWidget(ads.CenterDockWidgetArea, docks["types"])
        for name in ALL_VIEWS:
            if name not in ("types", "objects"):
                manager.addDockWidgetTabToArea(docks[name], center)
        bottom = manager.addDockWidget(ads.BottomDockWidgetArea, docks["timeline"])
        # one panel that is always there needs no tab: the views get its height
        bottom.setDockAreaFlag(ads.CDockAreaWidget.eDockAreaFlag.HideSingleWidgetTitleBar, True)
        if self.narrow:
            for name in ("objects", "typetree"):
                manager.addAutoHideDockWidget(ads.SideBarLeft, docks[name]).setSize(300)
        else:
            left = manager.addDockWidget(ads.LeftDockWidgetArea, docks["objects"], center)
            manager.addDockWidgetTabToArea(docks["typetree"], left)
            docks["objects"].setAsCurrentTab()
        right = manager.addDockWidget(ads.RightDockWidgetArea, docks["inspector"], center)
        manager.addDockWidgetTabToArea(docks["breakpoints"], right)
        if self.narrow:
            manager.addAutoHideDockWidget(ads.SideBarLeft, docks["notebook"]).setSize(420)
        else:
            manager.addDockWidgetTabToArea(docks["notebook"], right)
        docks["inspector"].setAsCurrentTab()
        docks[FIRST].setAsCurrentTab()

    def proportion(self, width: int, height: int) -> None:
        """Give the side docks and the time panel their first sizes in a window of so many pixels."""
        center, bottom = self.docks[FIRST].dockAreaWidget(), self.docks["timeline"].dockAreaWidget()
        right = min(max(round(width * 0.22), 340), 420)
        left = min(max(round(width * 0.165), 250), 330)
        row = [width - right, right] if self.narrow else [left, width - left - right, right]
        self.manager.setSplitterSizes(center, row)
        low = min(max(round(height * 0.17), 150), 180)
        self.manager.setSplitterSizes(bottom, [height - low, low])

    def show(self, name: str) -> None:
        """Open the dock `name` and bring it to the front."""
        dock = self.docks[name]
        if dock.isAutoHide():
            dock.autoHideDockContainer().collapseView(False)
            return
        if dock.isClosed():
            dock.toggleView(True)
        dock.setAsCurrentTab()

    def fill_menu(self, menu: QMenu, before: QAction) -> None:
        """One entry a dock; the views have Ctrl+1 and on."""
        for place, (name, (title, _)) in enumerate(TITLES.items(), 1):
            action = QAction(t(title), menu)
            if place <= len(ALL_VIEWS):
                action.setShortcut(f"Ctrl+{place}")
            action.triggered.connect(lambda _=False, name=name: self.show(name))
            menu.insertAction(before, action)
        menu.insertSeparator(before)

    def paint_icons(self, theme: Theme) -> None:
        """Tab icons in the theme's colours."""
        for name, dock in self.docks.items():
            dock.setIcon(icon(TITLES[name][1], theme, "text.muted"))

    def state(self) -> str:
        """The arrangement as text."""
        return bytes(self.manager.saveState(_LAYOUT).toBase64().data()).decode()

    def restore(self, state: str) -> bool:
        """Arrange as `state` says; false when it does not fit."""
        return bool(state) and bool(self.manager.restoreState(QByteArray.fromBase64(state.encode()), _LAYOUT))

    def reset(self) -> None:
        """As at first."""
        self.restore(self._first_state)
        self.proportion(self.manager.width(), self.manager.height())

    def close(self) -> None:
        """Floating docks go with the window."""
        for container in self.manager.floatingWidgets():
            container.hide()
        self.manager.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
