"""The Objects view: two trees of the same objects."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QTabWidget, QVBoxLayout, QWidget

from ringscope.commands import Commands
from ringscope.focus import Focus
from ringscope.store import Store
from ringscope.theme import Theme
from ringscope.type_rows import TypeForest
from ringscope.values import offer_tree
from ringscope.views.objects import places
from ringscope.views.objects.model import bus_tree, composition
from ringscope.views.spec import View
from ringscope.widgets.spots import Spot
from ringscope.widgets.tree_list import TreeList
from ringscope.words import later, t
from ringscope_core.query.watch import Watch, object_watch
from ringscope_core.trace.oids import is_ring

COLUMNS = (later("Name"), later("Type"), later("Ref"), later("Address"))
WIDE = 430
"""From this width on there is room for the addresses."""


class ObjectsView(View):
    """Composition and buses; a click focuses the object (and its type)."""

    live_hz = 5.0

    def __init__(self, store: Store, focus: Focus, commands: Commands, parent: QWidget | None = None) -> None:
        super().__init__(store, focus, commands, parent)
        self.composition = TreeList([t(name) for name in COLUMNS], {2, 3}, t("Composition tree"))
        self.buses = TreeList([t(name) for name in COLUMNS], {2, 3}, t("Bus tree"))
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        self.tabs.addTab(self.composition, t("Composition"))
        self.tabs.addTab(self.buses, t("Buses"))
        for tree in (self.composition, self.buses):
            tree.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
            tree.setIndentation(11)
            tree.picked.connect(self._pick)
            offer_tree(tree, self._value, commands)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.tabs)
        self._forest = TypeForest(store)
        self.setFocusProxy(self.composition)
        self.tabs.currentChanged.connect(lambda _: self.refresh())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Names and types share what there is; addresses show when there is room (they are in the inspector too)."""
        super().resizeEvent(event)
        for tree in (self.composition, self.buses):
            # the bus tree's names say the types
            names, types = (60, 28) if tree is self.composition else (87, 0)
            tree.weights = (names, types, 12, 32 if self.width() >= WIDE else 0)
            tree.share()

    def _value(self, key: object) -> Watch | None:
        """An object: its references, which come and go with it; a ring is none."""
        return object_watch(key, "ref") if isinstance(key, int) and key > 0 and not is_ring(key) else None

    def _pick(self, key: object) -> None:
        if isinstance(key, int) and key > 0:
            self.focus.select(oid=key, type_name=self.store.type_of(key) or None, subject="object")

    def refresh(self) -> None:
        """The tree in front, at the moment."""
        if len(self._forest) != len(self.store.reader.types):
            self._forest = TypeForest(self.store)
        state = self.store.moment(self.focus)
        tree = self.tabs.currentWidget()
        assert isinstance(tree, TreeList)
        tree.put(composition(state, self.store) if tree is self.composition else bus_tree(state, self.store, self._forest))
        if self.focus.oid:
            tree.select_key(self.focus.oid)

    def theme_changed(self, theme: Theme) -> None:
        """Muted lines in the new colour."""
        for tree in (self.composition, self.buses):
            tree.nodes.muted = theme.color("text.muted")

    def parts(self) -> Mapping[str, QWidget]:
        """The panes."""
        return {"composition": self.composition, "buses": self.buses}

    def words(self) -> list[str]:
        """What can be pointed at beside the panes."""
        return places.words(self)

    def spot(self, target: str) -> Spot | None:
        """A pane, or a place in one."""
        return super().spot(target) or places.spot(self, target)

    def table_text(self) -> str:
        """The tree in front as text."""
        tree = self.tabs.currentWidget()
        assert isinstance(tree, TreeList)
        return tree.text()
