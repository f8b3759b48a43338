"""The list of breakpoints and, below it, what those that only log have said."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from PySide6.QtCore import QEvent, QModelIndex, QPoint, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QAbstractItemView, QFrame, QHBoxLayout, QHeaderView, QLabel, QMenu, QSplitter, QTableView, QToolButton, QVBoxLayout, QWidget

from ringscope.icons import icon
from ringscope.theme import ROW, Theme, ui_font
from ringscope.views.breakpoints.messages import Messages
from ringscope.views.breakpoints.model import PointsModel
from ringscope.views.spec import View
from ringscope.widgets.point_dialogs import PointDialog
from ringscope.widgets.stack_rows import CopyTable, RowsModel
from ringscope.words import later, t
from ringscope_core.query.decode import format_clock

if TYPE_CHECKING:
    from ringscope.commands import Commands
    from ringscope.focus import Focus
    from ringscope.store import Store

LOGGED: Final = 500
"""Messages that are listed, the newest."""
_EMPTY: Final = later(
    "No breakpoints.\n\nCtrl+B adds one, F9 sets one where the selected call stands. Or right-click a call or a line in Realize, "
    "an event, a field in the inspector, a moment in the time panel."
)
_KEYS: Final = (Qt.Key.Key_Space, Qt.Key.Key_Delete, Qt.Key.Key_Return, Qt.Key.Key_Enter)


class PointsTable(QTableView):
    """The list; Space, Delete and Enter are its own while it has the keyboard."""

    def __init__(self, model: PointsModel, act: Any) -> None:
        super().__init__()
        self._act = act
        self.setModel(model)
        self.setAccessibleName(t("breakpoints"))
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setShowGrid(False)
        self.setAlternatingRowColors(True)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.verticalHeader().hide()
        self.verticalHeader().setMinimumSectionSize(ROW)
        self.horizontalHeader().setFont(ui_font(8.5))
        self.horizontalHeader().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self.horizontalHeader().setSectionResizeMode(1, QHeaderView.ResizeMode.Fixed)
        self.horizontalHeader().resizeSection(1, 64)
        self.horizontalHeader().setHighlightSections(False)
        self.horizontalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)

    def event(self, event: QEvent) -> bool:
        """Keep the keys from being the window's."""
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) and event.key() in _KEYS and not event.modifiers():
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Space toggles, Delete deletes, Enter edits."""
        if event.key() in _KEYS and not event.modifiers():
            self._act(Qt.Key(event.key()))
        else:
            super().keyPressEvent(event)


class BreakpointsView(View):
    """Breakpoints of the source, live or recorded."""

    live_hz = 10.0

    def __init__(self, store: Store, focus: Focus, commands: Commands, parent: QWidget | None = None) -> None:
        super().__init__(store, focus, commands, parent)
        self.points = PointsModel(self)
        self.points.toggled.connect(lambda number, on: commands.update_point(number, enabled=on))
        self.table = PointsTable(self.points, self._key)
        self.table.customContextMenuRequested.connect(self._menu)
        self.table.doubleClicked.connect(lambda _: self.edit())
        self.logs = RowsModel((t("Event"), t("Time (s)"), t("By"), t("Message")), right=(0, 1, 2), parent=self)
        self.log_table = CopyTable()
        self.messages = Messages(self)
        self.messages.changed.connect(self.refresh)
        self.title = QLabel()
        self.empty = QLabel(t(_EMPTY))
        self._buttons: dict[str, QToolButton] = {}
        self._build()
        commands.points_changed.connect(self.refresh)

    def _build(self) -> None:
        bar = QFrame()
        bar.setObjectName("strip")
        row = QHBoxLayout(bar)
        row.setContentsMargins(8, 2, 6, 2)
        row.setSpacing(2)
        self.title.setProperty("role", "muted")
        row.addWidget(self.title, 1)
        for name, picture, tip, action in (
            ("add", "breakpoint-add", t("Add a breakpoint (Ctrl+B)"), self.add),
            ("edit", "settings", t("Change the selected one (Enter)"), self.edit),
            ("delete", "close", t("Delete the selected one (Delete)"), self.delete),
            ("all", "unfold", t("Enable all"), partial(self.enable_all, True)),
            ("none", "fold", t("Disable all"), partial(self.enable_all, False)),
        ):
            button = QToolButton()
            button.setToolTip(tip)
            button.setAccessibleName(tip)
            button.setProperty("icon_name", picture)
            button.clicked.connect(lambda _=False, action=action: action())
            self._buttons[name] = button
            row.addWidget(button)
        self.log_table.setModel(self.logs)
        self.log_table.set_widths((64, 80, 30))
        self.log_table.setAccessibleName(t("messages of breakpoints"))
        self.log_table.clicked.connect(self._log_clicked)
        self.empty.setWordWrap(True)
        self.empty.setProperty("role", "muted")
        self.empty.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.empty.setContentsMargins(12, 12, 12, 12)
        both = QSplitter(Qt.Orientation.Vertical)
        both.setChildrenCollapsible(False)
        both.addWidget(self.table)
        both.addWidget(self.log_table)
        both.setSizes([300, 160])
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(bar)
        layout.addWidget(self.empty, 1)
        layout.addWidget(both, 1)
        self._both = both
        # which of the two is to be seen the first refresh knows
        self.empty.hide()
        both.hide()
        self.setFocusProxy(self.table)

    # -- showing ----------------------------------------------------------------------------------------------------------------
    def refresh(self) -> None:
        """The list as the source has it, the one that was hit picked out, and what was logged."""
        stop = self.commands.stop
        here = stop.point if stop is not None and self.commands.stands_at(self.focus.seq) else 0
        chosen = self._chosen()
        if self.points.put(self.commands.points, here):
            self.table.resizeRowsToContents()
            ids = [int(point["id"]) for point in self.points.points]
            wanted = here or (int(chosen["id"]) if chosen is not None else 0)
            self.choose(wanted if wanted in ids else ids[-1] if ids else 0)
        count = len(self.points.points)
        off = sum(not point.get("enabled", True) for point in self.points.points)
        words = t("{n} breakpoint" if count == 1 else "{n} breakpoints", n=count) if count else ""
        self.title.setText(words + (t(", {n} disabled", n=off) if off else ""))
        self.empty.setVisible(not count)
        self._both.setVisible(bool(count) or bool(self.logs.rows))
        can = self.commands.can_break
        for name, button in self._buttons.items():
            button.setEnabled(can and (name == "add" or bool(count)))
        self._show_logs()

    def _show_logs(self) -> None:
        running = bool(self.commands.controls.address) and self.store.live
        logs = self.messages.lines(self.store, self.commands.points, running)[-LOGGED:]
        rows: list[tuple[str, ...]] = [(str(row.seq), format_clock(row.vt), str(row.point), row.text) for row in logs]
        if rows != self.logs.rows:
            self.logs.set_rows(rows)
            if running:
                self.log_table.scrollToBottom()
        self.log_table.setVisible(bool(logs))

    def leave(self) -> None:
        """End the search for messages."""
        self.messages.close()

    def theme_changed(self, theme: Theme) -> None:
        """Dots and icons in the new colours."""
        self.points.theme = theme
        self.points.repaint_all()
        for button in self._buttons.values():
            button.setIcon(icon(str(button.property("icon_name")), theme))

    def parts(self) -> Mapping[str, QWidget]:
        """The panes."""
        return {"empty": self.empty} if self._both.isHidden() else {"list": self.table, **({} if self.log_table.isHidden() else {"messages": self.log_table})}

    def table_text(self) -> str:
        """The list, then the messages."""
        return "\n\n".join((self.points.text(), self.logs.text())) if self.logs.rows else self.points.text()

    # -- acting -----------------------------------------------------------------------------------------------------------------
    def _chosen(self) -> dict[str, Any] | None:
        place = self.table.currentIndex().row()
        return self.points.points[place] if 0 <= place < len(self.points.points) else None

    def choose(self, number: int) -> None:
        """Select a breakpoint by its id."""
        place = next((row for row, point in enumerate(self.points.points) if point["id"] == number), -1)
        if place >= 0:
            self.table.setCurrentIndex(self.points.index(place, 0))

    def add(self) -> None:
        """Ask for a new one."""
        PointDialog(self.store, {}, self.commands.add_point, self.window()).open()

    def edit(self) -> None:
        """Ask for changes of the selected one."""
        point = self._chosen()
        if point is not None:
            PointDialog(self.store, point, lambda plain: self.commands.update_point(int(point["id"]), **plain), self.window()).open()

    def delete(self) -> None:
        """Delete the selected one."""
        point = self._chosen()
        if point is not None:
            self.commands.remove_point(int(point["id"]))

    def toggle(self) -> None:
        """Enable or disable the selected one."""
        point = self._chosen()
        if point is not None:
            self.commands.update_point(int(point["id"]), enabled=not point.get("enabled", True))

    def enable_all(self, on: bool) -> None:
        """Enable or disable every one."""
        for point in self.points.points:
            if bool(point.get("enabled", True)) != on:
                self.commands.update_point(int(point["id"]), enabled=on)

    def _key(self, key: Qt.Key) -> None:
        {Qt.Key.Key_Space: self.toggle, Qt.Key.Key_Delete: self.delete}.get(key, self.edit)()

    def _menu(self, at: QPoint) -> None:
        menu = QMenu(self)
        menu.addAction(t("Add..."), self.add)
        point = self._chosen()
        if point is not None and self.table.indexAt(at).isValid():
            menu.addAction(t("Change..."), self.edit)
            menu.addAction(t("Disable") if point.get("enabled", True) else t("Enable"), self.toggle)
            menu.addAction(t("Delete"), self.delete)
        menu.popup(self.table.viewport().mapToGlobal(at))

    def _log_clicked(self, index: QModelIndex) -> None:
        self.focus.select(seq=int(str(index.siblingAtColumn(0).data())), subject="event")
