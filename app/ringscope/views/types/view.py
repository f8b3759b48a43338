"""The Types view: the picture, its search and its folding."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QLineEdit, QToolButton, QVBoxLayout, QWidget

from ringscope.commands import Commands
from ringscope.focus import Focus
from ringscope.icons import icon
from ringscope.store import Store
from ringscope.theme import Theme
from ringscope.type_rows import TypeForest, instance_counts, size_text
from ringscope.views.spec import View
from ringscope.views.types import places
from ringscope.views.types.graph import TypeGraph
from ringscope.widgets.graph_view import GraphView
from ringscope.widgets.spots import Spot
from ringscope.words import t

_LEGIBLE: Final = 0.75
"""The scale below which names are too small to read."""


class TypesView(View):
    """A strip (search, fold, zoom) over the picture."""

    live_hz = 5.0

    def __init__(self, store: Store, focus: Focus, commands: Commands, parent: QWidget | None = None) -> None:
        super().__init__(store, focus, commands, parent)
        self.forest = TypeForest(store)
        self.graph = TypeGraph()
        self.picture = GraphView(self.graph)
        self.picture.setAccessibleName(t("Type hierarchy"))
        self._generation = store.generation
        self._shown_type = ""
        self._search = QLineEdit()
        self._search.setPlaceholderText(t("Find a type, interface, structure or hook (Ctrl+F)"))
        self._search.setAccessibleName(t("Search types"))
        self._search.setClearButtonEnabled(True)
        self._search.setMaximumWidth(360)
        self._found = QLabel()
        self._found.setProperty("role", "muted")
        self._buttons: dict[str, QToolButton] = {}
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._strip())
        layout.addWidget(self.picture, 1)
        self._search.textChanged.connect(self._find)
        self._search.returnPressed.connect(self._go_to_found)
        self.graph.picked.connect(lambda name: focus.select(type_name=name))
        self.graph.rearranged.connect(self._rearranged)
        self.setFocusProxy(self.picture)
        self.graph.show_forest(self.forest)

    def _strip(self) -> QFrame:
        strip = QFrame()
        strip.setObjectName("strip")
        row = QHBoxLayout(strip)
        row.setContentsMargins(8, 3, 8, 3)
        row.addWidget(self._search, 1)
        row.addWidget(self._found)
        row.addStretch(1)
        for name, text, tip in (
            ("fold", t("Fold"), t("Fold everything but the way to the selected type")),
            ("unfold", t("Unfold"), t("Show every type")),
            ("zoom-out", "", t("Smaller (-)")),
            ("zoom-in", "", t("Larger (+)")),
            ("zoom-fit", "", t("Show everything (0)")),
        ):
            button = QToolButton()
            button.setToolTip(tip)
            button.setText(text)
            button.setAccessibleName(tip)
            self._buttons[name] = button
            row.addWidget(button)
        self._buttons["fold"].clicked.connect(self._fold)
        self._buttons["unfold"].clicked.connect(self._unfold)
        self._buttons["zoom-in"].clicked.connect(lambda: self.picture.zoom(1.25))
        self._buttons["zoom-out"].clicked.connect(lambda: self.picture.zoom(0.8))
        self._buttons["zoom-fit"].clicked.connect(lambda: self.picture.fit())
        return strip

    def _rearranged(self) -> None:
        if self.picture.fitted:
            self.picture.fit()
        else:
            self.picture.setSceneRect(self.graph.itemsBoundingRect().adjusted(-40, -40, 40, 40))

    def _find(self, text: str) -> None:
        found = self.graph.search(text)
        self._found.setText("" if not text.strip() else t("{n} found", n=len(found)) if found else t("nothing found"))

    def _go_to_found(self) -> None:
        found = self.graph.search(self._search.text())
        if found:
            after = [name for name in found if name > self.focus.type_name]
            self.focus.select(type_name=min(after) if after else min(found))

    def _fold(self) -> None:
        way = {row.name for row in self.forest.chain(self.focus.type_name)}
        self.graph.folded = {name for name, names in self.forest.children.items() if names and name not in way and name not in self.forest.roots}
        self.graph.arrange()

    def _unfold(self) -> None:
        self.graph.folded = set()
        self.graph.arrange()

    def refresh(self) -> None:
        """New types, counts at the moment, the selected type."""
        if self._generation != self.store.generation or len(self.forest) != len(self.store.reader.types):
            self._generation = self.store.generation
            self.forest = TypeForest(self.store)
            self.graph.show_forest(self.forest)
            self.picture.fit()
        self.graph.set_counts(instance_counts(self.store.moment(self.focus), self.store))
        if self._shown_type != self.focus.type_name:
            self._shown_type = self.focus.type_name
            self.graph.select(self._shown_type)
            item = self.graph.items_by_name.get(self._shown_type)
            if item is not None and not self.picture.fitted:
                self.picture.reveal(item.sceneBoundingRect())

    def arrange_figure(self) -> None:
        """A picture of a type shows the way to it and what is below it; all the others are folded when they would make it too small to read."""
        way = {row.name for row in self.forest.chain(self.focus.type_name)}
        if not way or self.picture.transform().m11() >= _LEGIBLE:
            return
        for keep in (way | self._below(self.focus.type_name), way):
            self.graph.folded = {name for name, names in self.forest.children.items() if names and name not in keep and name not in self.forest.roots}
            self.graph.arrange()
            self.picture.fit()
            if self.picture.transform().m11() >= _LEGIBLE:
                return

    def _below(self, name: str) -> set[str]:
        """A type and everything derived from it."""
        found = {name}
        for child in self.forest.children.get(name, ()):
            found |= self._below(child)
        return found

    def theme_changed(self, theme: Theme) -> None:
        """Picture and icons in the new colours."""
        self.graph.set_theme(theme)
        for name, button in self._buttons.items():
            button.setIcon(icon(name, theme))

    def search(self) -> None:
        """The keyboard into the search field."""
        self._search.setFocus()
        self._search.selectAll()

    def parts(self) -> Mapping[str, QWidget]:
        """The panes."""
        return {"picture": self.picture, "search": self._search}

    def words(self) -> list[str]:
        """What can be pointed at beside the panes."""
        return places.words(self)

    def spot(self, target: str) -> Spot | None:
        """A pane, or a place in one."""
        return super().spot(target) or places.spot(self, target)

    def table_text(self) -> str:
        """Every type on a line, indented by its depth."""
        counts = instance_counts(self.store.moment(self.focus), self.store)
        lines = [t("type\tabstract\tinterfaces\tinstance\tsize\tclass\tsize\tinstances")]
        for name, depth in self.forest.walk():
            row = self.forest.rows[name]
            cells = (
                "  " * depth + name,
                t("abstract") if row.abstract else "",
                ", ".join(row.interfaces),
                row.instance_struct or t("unknown"),
                size_text(row.instance_size),
                row.class_struct or t("unknown"),
                size_text(row.class_size),
                str(counts[name]),
            )
            lines.append("\t".join(cells))
        return "\n".join(lines)
