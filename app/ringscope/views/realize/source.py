"""The source pane: our own function with the line at which it stands, or QEMU's file from the person's disk."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from PySide6.QtCore import QPoint, Signal
from PySide6.QtGui import QAction, QContextMenuEvent
from PySide6.QtWidgets import QButtonGroup, QFrame, QHBoxLayout, QLabel, QMenu, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from ringscope.core_words import heard
from ringscope.theme import Theme
from ringscope.views.realize.code import CodeText
from ringscope.widgets.point_dialogs import PointDialog
from ringscope.words import later, t
from ringscope_core.query.qemu_tree import marked_lines, qemu_source
from ringscope_core.query.sources import our_source
from ringscope_core.trace.function_lines import FUNCTION_LINES

if TYPE_CHECKING:
    from ringscope.commands import Commands
    from ringscope.store import Store

TREE: Final = "qemu_tree"
"""The preference that names the QEMU source tree."""
_NO_TREE: Final = later("No QEMU source tree is set: Preferences (Ctrl+,) take the folder of your QEMU 4.1.0 sources. Ringscope ships none.")


class Place(NamedTuple):
    """A line that can be stopped at, as a breakpoint has it."""

    what: str
    where: str


class SourcePane(QWidget):
    """`said` carries one line for the status bar."""

    said = Signal(str)

    def __init__(self, store: Store, commands: Commands, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.store, self.commands = store, commands
        self.function: str = ""
        self.line: int = 0
        """QEMU's line at which the function stands."""
        self.code = CodeText()
        self.code.gutter_clicked.connect(self._gutter_clicked)
        self.code.contextMenuEvent = self._context_menu  # type: ignore[method-assign]
        self.ours, self.qemu = self._button(t("Ours"), t("Our own function, in Python")), self._button(t("QEMU"), t("QEMU's own file, from your source tree"))
        self.ours.setChecked(True)
        self.title, self.note = QLabel(), QLabel()
        self._places: dict[int, Place] = {}
        """Our line (or that of the file shown) to a place."""
        self._shown: tuple[object, ...] = ()
        self._build()
        commands.points_changed.connect(self._show)
        commands.preference_changed.connect(lambda name: self._show() if name == TREE else None)

    @staticmethod
    def _button(text: str, tip: str) -> QToolButton:
        button = QToolButton()
        button.setText(text)
        button.setToolTip(tip)
        button.setCheckable(True)
        return button

    def _build(self) -> None:
        bar = QFrame()
        bar.setObjectName("strip")
        row = QHBoxLayout(bar)
        row.setContentsMargins(6, 2, 8, 2)
        row.setSpacing(4)
        group = QButtonGroup(self)
        for button in (self.ours, self.qemu):
            group.addButton(button)
            button.clicked.connect(lambda _: self._show())
            row.addWidget(button)
        self.title.setProperty("role", "mono")
        self.note.setProperty("role", "problem")
        self.title.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        row.addSpacing(4)
        row.addWidget(self.title, 1)
        self.note.setWordWrap(True)
        self.note.setContentsMargins(10, 4, 10, 4)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(bar)
        layout.addWidget(self.note)
        layout.addWidget(self.code, 1)
        self.setFocusProxy(self.code)

    # -- showing ------------------------------------------------------------------------------------------------------
    def show_place(self, function: str, line: int) -> None:
        """Show `function` standing on QEMU's `line`; without a function, nothing."""
        if (function, line) != (self.function, self.line):
            self.function, self.line = function, line
            self._show()

    def set_theme(self, theme: Theme) -> None:
        """Colour by `theme`."""
        self.code.set_theme(theme)

    def refresh(self) -> None:
        """Show again: a file on disk may have changed."""
        self._show()

    def _show(self) -> None:
        if not self.isVisible():
            # what is hidden is read when it is seen
            self._shown = ()
            return
        if not self.function:
            self._blank(t("no call is open and none is selected"), "")
        elif self.qemu.isChecked():
            self._show_qemu()
        else:
            self._show_ours()

    def showEvent(self, event: object) -> None:
        """What changed while hidden is shown now."""
        super().showEvent(event)  # type: ignore[arg-type]
        self._show()

    def _blank(self, title: str, note: str) -> None:
        self.title.setText(title)
        self._say(note)
        self._places = {}
        self.code.show_text("", True)
        self.code.show_marks(0, {}, {}, {})

    def _say(self, note: str) -> None:
        self.note.setText(note)
        self.note.setVisible(bool(note))

    def _show_ours(self) -> None:
        found = our_source(self.function)
        if found is None:
            self._blank(self.function, t("{function} opens call frames in recordings of another version; here is no source of it", function=self.function))
            return
        self.title.setText(f"{self.function}:{self.line} \N{MIDDLE DOT} {found.module}")
        self.title.setToolTip(str(found.path))
        self._say("")
        self.code.show_text(found.text, True)
        points = {point.at: point.line for point in (*found.checkpoints, found.entry)}
        self._places = {at: self._place(self.function, line) for at, line in points.items()}
        self._places[found.entry.at] = Place("function", self.function)
        self._mark(found.place_of(self.line), points)

    def _show_qemu(self) -> None:
        tree = self.commands.preference(TREE)
        file = FUNCTION_LINES.get(self.function, ("", 0))[0]
        if not tree:
            self._blank(f"{file}:{self.line}", t(_NO_TREE))
            return
        found = qemu_source(Path(tree).expanduser(), self.function, self.line)
        self.title.setText(f"{self.function}:{self.line} \N{MIDDLE DOT} {file}:{found.line or self.line}")
        self.title.setToolTip(str(found.path))
        if not found.text:
            self._blank(f"{file}:{self.line}", heard(found.note))
            return
        self._say(found.note)
        self.code.show_text(found.text, False)
        marked = marked_lines(file) if not found.shift else {}
        self._places = {line: self._place(name, line) for line, name in marked.items()}
        self._mark(found.line, {line: line for line in marked})

    @staticmethod
    def _place(function: str, line: int) -> Place:
        return Place("function", function) if line == FUNCTION_LINES[function][1] else Place("checkpoint", f"{function}:{line}")

    def _mark(self, current: int, points: dict[int, int]) -> None:
        known = {(str(point["what"]), str(point["where"])): bool(point.get("enabled", True)) for point in self.commands.points}
        breakpoints = {line: known[place] for line, place in self._places.items() if place in known}
        tips = {
            line: t("Delete the breakpoint on {where}" if place in known else "Set the breakpoint on {where}", where=place.where)
            for line, place in self._places.items()
        }
        self.code.show_marks(current, points, breakpoints, tips)

    # -- acting -------------------------------------------------------------------------------------------------------
    def chosen_place(self) -> Place | None:
        """The place of the line with the text cursor, where the pane has the keyboard."""
        return self._places.get(self.code.textCursor().blockNumber() + 1) if self.code.hasFocus() else None

    def place_at(self, line: int) -> Place | None:
        """What a click on `line` (from 1) of the text shown means."""
        return self._places.get(line)

    def toggle(self, place: Place) -> None:
        """Set a breakpoint there, or delete the one that is."""
        for point in self.commands.points:
            if (point["what"], point["where"]) == tuple(place):
                self.commands.remove_point(int(point["id"]))
                return
        self.commands.add_point({"what": place.what, "where": place.where})

    def _gutter_clicked(self, line: int, right: bool) -> None:
        place = self._places.get(line)
        if place is None:
            near = min(self._places, key=lambda at: abs(at - line), default=0)
            self.said.emit(t("no checkpoint on line {line}", line=line) + (t("; the nearest is on line {near}", near=near) if near else ""))
        elif right:
            self._menu(place).popup(self.code.mapToGlobal(QPoint(20, 20)))
        else:
            self.toggle(place)

    def _context_menu(self, event: QContextMenuEvent) -> None:
        place = self._places.get(self.code.line_at(event.pos().y()))
        menu = self.code.createStandardContextMenu() if place is None else self._menu(place)
        menu.popup(event.globalPos())

    def _menu(self, place: Place) -> QMenu:
        menu = QMenu(self)
        is_set = any((point["what"], point["where"]) == tuple(place) for point in self.commands.points)
        toggle: QAction = menu.addAction(t("Delete the breakpoint on {where}" if is_set else "Set a breakpoint on {where}", where=place.where))
        toggle.triggered.connect(lambda: self.toggle(place))
        condition = menu.addAction(t("Breakpoint with a condition..."))
        condition.triggered.connect(lambda: PointDialog(self.store, {"what": place.what, "where": place.where}, self.commands.add_point, self.window()).open())
        until = menu.addAction(t("Run until {where}", where=place.where))
        until.triggered.connect(lambda: self.commands.until_wanted.emit({"what": place.what, "where": place.where}))
        return menu
