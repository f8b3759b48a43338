"""The Realize view: the stack as gdb prints it, the nested timeline of the whole chain, checkpoints and fields of a call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QModelIndex, QPoint, Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QCheckBox, QComboBox, QFrame, QHBoxLayout, QLabel, QLineEdit, QMenu, QPushButton, QSplitter, QVBoxLayout, QWidget

from ringscope.core_words import heard
from ringscope.theme import Theme
from ringscope.views.realize import places
from ringscope.views.realize.chart import AXES, FlameChart
from ringscope.views.realize.console import ConsolePane
from ringscope.views.realize.match import MatchDialog
from ringscope.views.realize.model import MAX_EVENTS, ROOTS, Call, CallTree, signature
from ringscope.views.realize.panes import Panes
from ringscope.views.realize.source import SourcePane
from ringscope.views.realize.stack import StackText
from ringscope.views.realize.twin import calls_text
from ringscope.views.spec import View
from ringscope.widgets.point_menu import add_offers, field_offers, function_offers
from ringscope.widgets.spots import Spot
from ringscope.widgets.stack_rows import CopyTable, RowsModel
from ringscope.words import t
from ringscope_core.gdb.backtrace import backtrace
from ringscope_core.query.qemu_tree import function_at
from ringscope_core.trace.kinds import EV_FIELD

if TYPE_CHECKING:
    from ringscope.commands import Commands
    from ringscope.focus import Focus
    from ringscope.store import Store

LANDMARK: Final = "virtio_net_device_realize"
"""The call that the view leads to when no call is open at the focus."""


class RealizeView(View):
    """Calls around the focused moment."""

    live_hz = 15.0

    def __init__(self, store: Store, focus: Focus, commands: Commands, parent: QWidget | None = None) -> None:
        super().__init__(store, focus, commands, parent)
        self._generation: int = store.generation
        self._chapters: list[Call] = []
        self._open_spans: int = 0
        self._match: int = -1
        self._seq: int = -1
        self._row_seq: int = -1
        """The event of the row that was clicked last."""
        self.chart = FlameChart(store)
        self.chart.picked.connect(self._go_to)
        self.chart.menu_wanted.connect(self._call_menu)
        self.chart.chosen.connect(lambda call: self._show_call(call))
        self.stack = StackText()
        self.stack.picked.connect(self._go_to)
        self.stack.menu_wanted.connect(lambda frame, at: self.popup_menu(frame.function, frame.line, at))
        self.chapter = QComboBox()
        self.axis = QComboBox()
        self.find_box = QLineEdit()
        self.found = QLabel()
        self.stop_note = QLabel()
        self.landmark = QPushButton(t("Go to {landmark}", landmark=LANDMARK))
        self.with_callees = QCheckBox(t("with callees"))
        self.call_title = QLabel()
        self.points = RowsModel((t("event"), t("line"), t("function")), right=(0, 1), parent=self)
        self.fields = RowsModel((t("event"), t("object"), t("field"), t("old"), t("new"), t("written in")), right=(0, 3, 4), parent=self)
        self.point_table, self.field_table = CopyTable(), CopyTable()
        self.source = SourcePane(store, commands)
        self.source.said.connect(commands.message)
        self.console = ConsolePane(store, focus, commands)
        self.console.file_wanted.connect(self._show_file)
        self.call_side = self._details()
        self.panes = Panes([(t("Call"), self.call_side, False), (t("Source"), self.source, False), (t("Console"), self.console, True)])
        self._build()

    # -- building ---------------------------------------------------------------------------------------------------------------
    def _build(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._bar())
        top = QSplitter(Qt.Orientation.Horizontal)
        top.setChildrenCollapsible(False)
        self.stack_side = self._stack_side()
        top.addWidget(self.stack_side)
        top.addWidget(self.chart)
        top.setSizes([460, 740])
        top.setStretchFactor(0, 2)
        top.setStretchFactor(1, 3)
        whole = QSplitter(Qt.Orientation.Vertical)
        whole.setChildrenCollapsible(False)
        whole.addWidget(top)
        whole.addWidget(self.panes)
        whole.setStretchFactor(0, 3)
        whole.setStretchFactor(1, 2)
        whole.setSizes([470, 300])
        layout.addWidget(whole, 1)

    def _bar(self) -> QWidget:
        bar = QFrame()
        bar.setObjectName("strip")
        row = QHBoxLayout(bar)
        row.setContentsMargins(8, 4, 8, 4)
        self.chapter.setMinimumWidth(290)
        self.chapter.setAccessibleName(t("which realize"))
        self.chapter.activated.connect(self._show_chapter)
        self.axis.addItems([t(name) for name in AXES])
        self.axis.setAccessibleName(t("horizontal axis"))
        self.axis.currentIndexChanged.connect(self._set_axis)
        self.find_box.setPlaceholderText(t("Find a function (Enter: next)"))
        self.find_box.setClearButtonEnabled(True)
        self.find_box.setMinimumWidth(210)
        self.find_box.setMaximumWidth(280)
        self.find_box.textChanged.connect(self._search_changed)
        self.find_box.returnPressed.connect(self._next_match)
        self.found.setProperty("role", "muted")
        self.landmark.clicked.connect(self._go_to_landmark)
        fit = QPushButton(t("Fit"))
        fit.setToolTip(t("Show the whole chain (Home)"))
        fit.clicked.connect(self.chart.go_home)
        for widget in (self.chapter, self.axis, fit, self.find_box, self.found):
            row.addWidget(widget)
        row.addStretch(1)
        row.addWidget(self.landmark)
        return bar

    def _stack_side(self) -> QWidget:
        side = QWidget()
        layout = QVBoxLayout(side)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        self.stack_title = _heading(t("Stack"))
        self.stop_note.setProperty("role", "stop")
        self.stop_note.setContentsMargins(8, 0, 8, 4)
        self.stop_note.setWordWrap(True)
        layout.addWidget(self.stack_title)
        layout.addWidget(self.stop_note)
        layout.addWidget(self.stack, 1)
        return side

    def _details(self) -> QWidget:
        side = QWidget()
        layout = QVBoxLayout(side)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        bar = QFrame()
        bar.setObjectName("strip")
        row = QHBoxLayout(bar)
        row.setContentsMargins(8, 3, 8, 3)
        self.call_title.setProperty("role", "heading")
        self.call_title.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        row.addWidget(self.call_title, 1)
        self.with_callees.toggled.connect(lambda _: self._show_call(self.chart.selected))
        row.addWidget(self.with_callees)
        layout.addWidget(bar)
        tables = QSplitter(Qt.Orientation.Horizontal)
        tables.setChildrenCollapsible(False)
        for table, model, widths, name in (
            (self.point_table, self.points, (58, 50, 120), t("checkpoints passed")),
            (self.field_table, self.fields, (64, 120, 250, 110, 150, 180), t("fields written")),
        ):
            table.setModel(model)
            table.set_widths(widths)
            table.setAccessibleName(name)
            table.clicked.connect(self._row_clicked)
            table.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
            tables.addWidget(table)
        self.point_table.customContextMenuRequested.connect(self._point_menu)
        self.field_table.customContextMenuRequested.connect(self._field_menu)
        self.point_table.setMinimumWidth(230)
        tables.setSizes([330, 870])
        layout.addWidget(tables, 1)
        return side

    # -- showing ----------------------------------------------------------------------------------------------------------------
    def refresh(self) -> None:
        """Show the calls known so far and the stack at the focus."""
        if self._generation != self.store.generation or self.chart.tree.events_read == 0:
            self._generation = self.store.generation
            self.chart.set_tree(CallTree())
            self._chapters = []
        if self.chart.tree.extend(self.store):
            self._update_chapters()
        seq = self.focus.seq
        selected = self.chart.selected
        # who looks through the rows of a call with its callees stays at that call; who steps goes along
        if selected is None or seq != self._row_seq or not selected.covers(seq):
            self.chart.selected = self.chart.tree.innermost_at(seq) or selected or self._landmark()
        if seq != self._seq:
            self._seq = seq
            self._follow_stop()
        self.chart.set_moment(seq)
        self._show_stack()
        self._show_call(self.chart.selected)
        self._show_source(self.chart.selected)

    @property
    def unfinished(self) -> bool:
        """Whether more calls wait to be read."""
        return not self.chart.tree.complete and self.chart.tree.events_read < MAX_EVENTS

    def prepare_figure(self) -> None:
        """The console is for typing: its room goes to the tables, which have columns that would be out of sight; unless it is asked for."""
        if "console" not in self.wanted_parts:
            self.panes.without(self.console)

    def _follow_stop(self) -> None:
        """Where things stopped is to be seen: the chart goes there, out of the chapter shown when need be."""
        call = self.chart.selected
        if call is None or not call.covers(self._seq) or not self.commands.stands_at(self._seq) or self.chart.in_sight(call, self._seq):
            return
        self.show_bar(call)
        self.chart.show_moment(self._seq)

    def show_bar(self, call: Call) -> None:
        """Bring the bar of `call` into sight, out of the chapter shown when need be."""
        if not self.chart.in_reach(call):
            self.chapter.setCurrentIndex(self.chapter.count() - 1)
            self._show_chapter(self.chapter.count() - 1)
        self.chart.show_call(call)

    def _landmark(self) -> Call | None:
        calls = self.chart.tree.named(self.store.reader.functions, (LANDMARK,))
        return calls[0] if calls else None

    def _show_stack(self) -> None:
        """The stack at the focus; where no call is open, that of the selected call, and the title says so."""
        reader, state = self.store.reader, self.store.moment(self.focus)
        title, stack, selected = t("Stack after event {seq}", seq=state.seq), state.stack, self.chart.selected
        if not stack and selected is not None:
            title = t("No call is open after event {seq}. Stack at event {selected}", seq=state.seq, selected=selected.seq)
            stack = self.store.reader.state_at(selected.seq).stack
        frames = backtrace(stack, reader.functions, reader.strings)
        self.stack.show_frames(frames, t("No stack: no call is open after event {seq}.", seq=state.seq))
        stop = self.commands.stop
        stands = stop is not None and self.commands.stands_at(self.focus.seq)
        self.stop_note.setVisible(stands)
        if stop is not None and stands:
            self.stop_note.setText(
                t("Stopped: {reason}", reason=heard(stop.reason))
                if stop.seq == self.focus.seq
                else t("The machine stands at event {seq}: {reason}", seq=stop.seq, reason=heard(stop.reason))
            )
        self.stack_title.setText(title + (t(" · {n} frames", n=len(frames)) if frames else ""))

    def _update_chapters(self) -> None:
        chapters = self.chart.tree.named(self.store.reader.functions, ROOTS)
        open_spans = sum(call.end < 0 for call in chapters)
        known = [call.seq for call in chapters] == [call.seq for call in self._chapters]
        if known and self._chapters and open_spans == self._open_spans:
            if open_spans:
                self._show_chapter(max(0, self.chapter.currentIndex()), keep=True)
            return
        grown = len(chapters) != len(self._chapters)
        self._chapters, self._open_spans = chapters, open_spans
        if grown or not self.chapter.count():
            self.chapter.clear()
            for number, call in enumerate(chapters, 1):
                self.chapter.addItem(
                    t(
                        "{function} {number}: events {first} to {last}",
                        function=ROOTS[0],
                        number=number,
                        first=call.seq,
                        last=call.end if call.end >= 0 else "...",
                    )
                )
            self.chapter.addItem(t("all calls"))
        self._show_chapter(max(0, self.chapter.currentIndex()))

    def _show_chapter(self, place: int, keep: bool = False) -> None:
        """Show chapter `place` whole; `keep` leaves a person's zoom alone."""
        tree = self.chart.tree
        if not tree.calls:
            return
        if place < len(self._chapters):
            first, last = tree.span_of(self._chapters[place])
        else:
            first, last = tree.calls[0].seq, max([*(call.end for call in tree.calls), tree.calls[-1].seq + 1])
        self.chart.set_home(first, last, keep)

    def _set_axis(self, axis: int) -> None:
        self.chart.axis = axis
        self._show_chapter(max(0, self.chapter.currentIndex()))

    def _show_call(self, call: Call | None) -> None:
        if call is None:
            self.call_title.setText(t("No call selected"))
            self.points.set_rows([])
            self.fields.set_rows([])
            return
        reader = self.store.reader
        seq = self.focus.seq if call.covers(self.focus.seq) else call.seq
        self.call_title.setText(signature(call, reader.functions, reader.strings, seq))
        calls = call.inside() if self.with_callees.isChecked() else [call]
        name = self.store.decoder.function
        points = sorted((point.seq, point.line, name(item.fn)) for item in calls for point in item.checkpoints)
        self.points.set_rows([(str(at), str(line), function) for at, line, function in points])
        self._show_fields(calls)

    def _show_source(self, call: Call | None) -> None:
        spec = self.store.function(call.fn) if call is not None else None
        if call is None or spec is None:
            self.source.show_place("", 0)
        else:
            seq = self.focus.seq
            self.source.show_place(spec.name, call.line_at(seq) if call.covers(seq) else call.checkpoints[0].line)

    def _show_fields(self, calls: list[Call]) -> None:
        decoder = self.store.decoder
        rows: list[tuple[int, tuple[str, ...]]] = []
        for call in calls:
            where = decoder.function(call.fn)
            for w in call.fields:
                old, new = decoder.field_value(w.field, w.old), decoder.field_value(w.field, w.new)
                rows.append((w.seq, (str(w.seq), self.store.name_of(w.oid), decoder.field_name(w.field), old, new, where)))
            for trouble in call.troubles:
                rows.append((trouble.seq, (str(trouble.seq), "", trouble.text, "", "", where)))
        rows.sort(key=lambda row: row[0])
        red = self.theme.severity("error")
        colors: dict[tuple[int, int], QColor] = {(i, 2): red for i, (_, row) in enumerate(rows) if not row[1] and not row[3]}
        self.fields.set_rows([row for _, row in rows], colors)
        # an error's text takes the room of the columns it has nothing for
        self.field_table.clearSpans()
        for place, _ in colors:
            self.field_table.setSpan(place, 2, 1, 4)

    def theme_changed(self, theme: Theme) -> None:
        """Give the painters the theme."""
        self.chart.theme = theme
        self.stack.set_theme(theme)
        self.source.set_theme(theme)
        self.console.set_theme(theme)
        self.chart.update()

    # -- acting -----------------------------------------------------------------------------------------------------------------
    def _go_to(self, seq: int) -> None:
        self.focus.select(seq=seq, subject="event")

    def _row_clicked(self, index: QModelIndex) -> None:
        self._row_seq = int(str(index.siblingAtColumn(0).data()))
        self._go_to(self._row_seq)

    def popup_menu(self, function: str, line: int, at: QPoint) -> QMenu:
        """Breakpoints on a function or a line in it."""
        spec = next((spec for spec in self.store.reader.functions.values() if spec.name == function), None)
        menu = QMenu(self)
        add_offers(menu, function_offers(function, line, spec.line if spec is not None else 0), self.store, self.commands, self.window())
        menu.popup(at)
        return menu

    def _call_menu(self, call: Call, line: int, at: QPoint) -> None:
        self.popup_menu(self.store.decoder.function(call.fn), line, at)

    def _point_menu(self, at: QPoint) -> None:
        index = self.point_table.indexAt(at)
        if index.isValid():
            line, function = (str(index.siblingAtColumn(column).data()) for column in (1, 2))
            self.popup_menu(function, int(line), self.point_table.viewport().mapToGlobal(at))

    def _field_menu(self, at: QPoint) -> None:
        index = self.field_table.indexAt(at)
        event = self.store.row(int(str(index.siblingAtColumn(0).data()))) if index.isValid() else None
        if event is not None and int(event["kind"]) == EV_FIELD:
            menu = QMenu(self)
            add_offers(menu, field_offers(self.store, int(event["obj"]), int(event["a0"])), self.store, self.commands, self.window())
            menu.popup(self.field_table.viewport().mapToGlobal(at))

    def show_console(self) -> None:
        """Put the keyboard into the console."""
        self.panes.bring(self.console)
        self.console.input.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def show_source(self) -> None:
        """Put the keyboard into the source."""
        self.panes.bring(self.source)
        self.source.code.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def match_backtrace(self) -> MatchDialog:
        """Open the comparison with a backtrace of gdb's; it stays beside the window."""
        dialog = MatchDialog(self.store, self.focus, lambda: self.chart.tree, self.theme, self.window())
        dialog.show()
        return dialog

    def chosen_place(self) -> tuple[str, str] | None:
        """What the line of the source that has the keyboard can be stopped at."""
        place = self.source.chosen_place()
        return (place.what, place.where) if place is not None else None

    def leave(self) -> None:
        """End the console's thread."""
        self.console.close_session()

    def _show_file(self, place: str) -> None:
        """Show what the console's ``FILE:LINE`` names: our source of the function there, or QEMU's file."""
        found = function_at(place)
        if found is not None:
            self.source.show_place(*found)
            self.panes.bring(self.source)
        else:
            self.commands.message.emit(t("{place}: no function of the model is there", place=place))

    def _go_to_landmark(self) -> None:
        call = self._landmark()
        if call is not None:
            self.chart.choose(call, call.seq)
            self.chart.show_call(call)

    def _search_changed(self, text: str) -> None:
        functions = self.store.reader.functions
        numbers = {number for number, spec in functions.items() if text and text.lower() in spec.name.lower()}
        matches = [call.number for call in self.chart.tree.calls if call.fn in numbers]
        self.chart.matches = frozenset(matches)
        self._match = -1
        self.found.setText(t("{n} calls", n=len(matches)) if text else "")
        self.chart.update()

    def _next_match(self) -> None:
        matches = sorted(self.chart.matches)
        if matches:
            self._match = (self._match + 1) % len(matches)
            call = self.chart.tree.calls[matches[self._match]]
            self.found.setText(t("{match} of {n}", match=self._match + 1, n=len(matches)))
            self.chart.choose(call, call.seq)
            self.chart.show_call(call)

    def search(self) -> None:
        """Put the keyboard into the function search."""
        self.find_box.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.find_box.selectAll()

    def parts(self) -> Mapping[str, QWidget]:
        """The panes."""
        return {
            "stack": self.stack_side,
            "timeline": self.chart,
            "call": self.call_side,
            "checkpoints": self.point_table,
            "fields": self.field_table,
            "source": self.source,
            **({"console": self.console} if self.panes.has(self.console) else {}),
        }

    def words(self) -> list[str]:
        """What can be pointed at beside the panes."""
        return places.words(self)

    def spot(self, target: str) -> Spot | None:
        """A pane, or a place in one."""
        return super().spot(target) or places.spot(self, target)

    def table_text(self) -> str:
        """The stack, the calls in sight of the timeline, then checkpoints and fields of the selected call."""
        calls = calls_text(self.chart.visible_calls(), self.store.reader.functions, self.focus.seq)
        return "\n\n".join((self.stack.toPlainText(), calls, self.call_title.text(), self.points.text(), self.fields.text()))


def _heading(text: str) -> QLabel:
    label = QLabel(text)
    label.setProperty("role", "heading")
    label.setContentsMargins(8, 5, 8, 4)
    return label
