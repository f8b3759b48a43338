"""The events table: the focused event is the selected row; a double click goes to the cause."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QMenu, QToolButton, QVBoxLayout, QWidget

from ringscope.commands import Commands
from ringscope.core_words import heard
from ringscope.focus import Focus
from ringscope.icons import icon
from ringscope.store import Store
from ringscope.theme import Theme
from ringscope.views.events import places
from ringscope.views.events.experts import ExpertBar
from ringscope.views.events.model import COLUMNS, SWATCH, EventRows
from ringscope.views.spec import View
from ringscope.widgets.point_menu import add_offers, event_offers
from ringscope.widgets.row_list import RowList
from ringscope.widgets.spots import Spot
from ringscope.words import t
from ringscope_core.query.decode import format_count
from ringscope_core.query.filters import FilterError

SCAN_MS = 3.0
"""What filtering may take a frame."""
_COPIED = 10_000


class EventsView(View):
    """A strip that says how much is shown, and the table."""

    live_hz = 30.0

    def __init__(self, store: Store, focus: Focus, commands: Commands, parent: QWidget | None = None) -> None:
        super().__init__(store, focus, commands, parent)
        self.rows = EventRows(store)
        self.list = RowList(self.rows, COLUMNS, SWATCH)
        self.list.setAccessibleName(t("Events"))
        self._generation = store.generation
        self._filter = ""
        self._shown = QLabel()
        self._shown.setProperty("role", "muted")
        self._cause = QToolButton()
        self._cause.setText(t("Go to cause"))
        self._cause.setToolTip(t("The event that led to this one (C, or a double click)"))
        self._cause.clicked.connect(self._to_cause)
        self._object = QToolButton()
        self._object.setText(t("Only this object"))
        self._object.setToolTip(t("Filter by the object of the selected event"))
        self._object.clicked.connect(self._only_object)
        self._kind = QToolButton()
        self._kind.setText(t("Only this kind"))
        self._kind.setToolTip(t("Filter by the kind of the selected event"))
        self._kind.clicked.connect(self._only_kind)
        self.experts = ExpertBar()
        self.experts.wanted.connect(focus.set_filter)
        strip = QFrame()
        strip.setObjectName("strip")
        row = QHBoxLayout(strip)
        row.setContentsMargins(8, 2, 8, 2)
        row.addWidget(self._shown)
        row.addStretch(1)
        row.addWidget(self.experts)
        row.addSpacing(12)
        for button in (self._kind, self._object, self._cause):
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
            row.addWidget(button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(strip)
        layout.addWidget(self.list, 1)
        self.setFocusProxy(self.list)
        self.list.chosen.connect(self._choose)
        self.list.activated.connect(lambda _: self._to_cause())
        self.list.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.list.customContextMenuRequested.connect(self._menu)

    def _choose(self, row: int) -> None:
        seq = self.rows.seq_of(row)
        event = self.store.row(seq)
        self.focus.select(seq=seq, oid=int(event["obj"]) if event is not None and int(event["obj"]) else None, subject="event")

    def make_menu(self, row: int) -> QMenu | None:
        """What can be done with the event in a row of the table."""
        event = self.store.row(self.rows.seq_of(row)) if row >= 0 else None
        if event is None:
            return None
        menu = QMenu(self)
        add_offers(menu, event_offers(self.store, event, self.focus.filter), self.store, self.commands, self.window())
        menu.addSeparator()
        menu.addAction(t("Go to cause"), self._to_cause).setEnabled(int(event["cause"]) >= 0)
        menu.addAction(t("Only this kind"), self._only_kind)
        menu.addAction(t("Only this object"), self._only_object).setEnabled(int(event["obj"]) > 0)
        return menu

    def _menu(self, at: QPoint) -> None:
        row = self.list.row_at(at.y() - self.list.viewport().y())
        if row >= 0:
            self._choose(row)
        menu = self.make_menu(row)
        if menu is not None:
            menu.popup(self.list.mapToGlobal(at))

    def _to_cause(self) -> None:
        event = self.store.row(self.focus.seq)
        if event is not None and int(event["cause"]) >= 0:
            self.focus.select(seq=int(event["cause"]), subject="event")

    def _only_object(self) -> None:
        event = self.store.row(self.focus.seq)
        if event is not None and int(event["obj"]):
            self.focus.set_filter(f"obj == {int(event['obj'])}")

    def _only_kind(self) -> None:
        event = self.store.row(self.focus.seq)
        spec = self.store.kind(int(event["kind"])) if event is not None else None
        if spec is not None:
            self.focus.set_filter(f"kind == {spec.name}")

    @property
    def unfinished(self) -> bool:
        """Whether the filter has not yet seen everything."""
        return self.rows.unfinished

    def refresh(self) -> None:
        """Filter what is new, follow or go to the focus, paint."""
        if self._generation != self.store.generation:
            self._generation = self.store.generation
            self.rows.forget()
            self.experts.forget()
        self.experts.refresh(self.store, self.focus.filter)
        if self._filter != self.focus.filter:
            self._filter = self.focus.filter
            try:
                self.rows.set_filter(self._filter)
            except FilterError as error:
                self._shown.setText(heard(str(error)))
                return
        self.rows.advance(SCAN_MS)
        following = self.focus.following and self.store.live
        self.list.follow = following
        self.list.refresh()
        self.list.show_row(self.rows.row_of(self.focus.seq))
        shown, whole = self.rows.count(), self.store.reader.event_count
        text = (
            t("{n} events", n=format_count(whole)) if self.rows.filter is None else t("{n} of {whole} events", n=format_count(shown), whole=format_count(whole))
        )
        self._shown.setText(text + ("  ..." if self.rows.unfinished else ""))
        event = self.store.row(self.focus.seq)
        self._cause.setEnabled(event is not None and int(event["cause"]) >= 0)
        self._object.setEnabled(event is not None and int(event["obj"]) > 0)

    def theme_changed(self, theme: Theme) -> None:
        """Swatches and icons in the new colours."""
        self.rows.set_theme(theme)
        self.experts.set_theme(theme)
        self.list.theme = theme
        for button in (self._kind, self._object):
            button.setIcon(icon("filter", theme))
        self._cause.setIcon(icon("link", theme))

    def parts(self) -> Mapping[str, QWidget]:
        """The panes."""
        return {"list": self.list, "experts": self.experts}

    def words(self) -> list[str]:
        """What can be pointed at beside the panes."""
        return places.words(self)

    def spot(self, target: str) -> Spot | None:
        """A pane, or a place in one."""
        return super().spot(target) or places.spot(self, target)

    def table_text(self) -> str:
        """The rows shown, at most ten thousand around the focus."""
        count = self.rows.count()
        return self._text(max(0, min(self.rows.row_of(self.focus.seq) - _COPIED // 2, count - _COPIED)), _COPIED)

    def shown_text(self) -> str:
        """The rows on the screen."""
        return self._text(self.list.verticalScrollBar().value(), self.list.page())

    def _text(self, first: int, count: int) -> str:
        experts = self.experts.text()
        lines = [experts] if experts else []
        lines.append("\t".join(t(column.title) for column in COLUMNS))
        lines += ["\t".join(line.texts) for line in self.rows.lines(first, count)]
        return "\n".join(lines)
