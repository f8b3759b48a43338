"""What the window's actions do."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFileDialog, QMessageBox

from ringscope.commands import SPEED_REAL
from ringscope.core_words import heard
from ringscope.icons import icon
from ringscope.sources.keep import copy_session, notes_of
from ringscope.sources.playback import FACTORS
from ringscope.theme import Theme
from ringscope.views import TITLES
from ringscope.views.spec import View
from ringscope.window_actions import ACTIONS, plain, said
from ringscope.window_debug import DebugVerbs
from ringscope.window_export import show_export
from ringscope.window_help import KeySheet
from ringscope.window_import import open_any, open_filters
from ringscope.window_palette import Choice, Palette
from ringscope.window_preferences import PreferencesDialog
from ringscope.window_time import TimeVerbs
from ringscope.window_transport import FLAT_OUT, position_of, speed_at
from ringscope.words import t
from ringscope_core import __version__
from ringscope_core.scenario.errors import InputError
from ringscope_core.session.keep import kept_words
from ringscope_core.trace.levels import LEVEL_NAMES

if TYPE_CHECKING:
    from ringscope.window import Window


class Verbs:
    """Connects each action to its method; `show_state` keeps them true to what is possible."""

    def __init__(self, window: Window) -> None:
        self.window = window
        self.store, self.focus, self.commands = window.store, window.focus, window.commands
        self._theme: Theme = window.theme
        self.open_session: Callable[[Path], None] | None = None
        """How another session is opened; the verb that made the window sets it."""
        self.figure_command: Callable[[Window, bool], tuple[str, str]] | None = None
        """Makes the command that draws the view or the whole window, and a line about it; the verb that made the window sets it."""
        self.saved_notes: int = 0
        """Marks and notes in the copy that was saved last."""
        self._table: dict[str, Callable[[], object]] = {
            "open": self.open,
            "save": self.save,
            "export": self.export,
            "picture": self.picture,
            "figure_command": partial(self.copy_figure, True),
            "quit": window.close,
            "copy_table": self.copy_table,
            "view_figure_command": partial(self.copy_figure, False),
            "find": self.find,
            "filter": lambda: window.top.filter_box.setFocus(),
            "clear_filter": lambda: self.focus.set_filter(""),
            "palette": self.palette,
            "preferences": lambda: PreferencesDialog(self.commands, window).open(),
            "restart": self.commands.restart,
            "run": self.commands.toggle,
            "toggle": self.toggle,
            "slower": partial(self.change_speed, -10),
            "faster": partial(self.change_speed, 10),
            "link": self.toggle_link,
            "branch": partial(self._branches, "ask"),
            "compare": partial(self._branches, "compare"),
            "next_run": partial(self._branches, "show_next"),
            "trace_counters": partial(self.commands.set_trace, "counters"),
            "trace_packets": partial(self.commands.set_trace, "packets"),
            "trace_full": partial(self.commands.set_trace, "full"),
            "back": self.focus.back,
            "forward": self.focus.forward,
            "previous": partial(self.move, -1),
            "next": partial(self.move, 1),
            "previous_mark": partial(self.to_mark, -1),
            "next_mark": partial(self.to_mark, 1),
            "first": lambda: self.focus.select(seq=self.store.first_seq),
            "last": self.to_end,
            "follow": self.toggle_following,
            "cause": self.to_cause,
            "theme": window.toggle_theme,
            "reset_layout": window.docks.reset,
            "full_screen": self.full_screen,
            "keys": self.keys,
            "about": self.about,
        }
        self.debug = DebugVerbs(window)
        self._table.update(self.debug.table)
        self.time = TimeVerbs(window)
        self._table.update(self.time.table)
        for name, action in window.commands_by_name.items():
            action.triggered.connect(partial(self._run, name))
        self.commands.changed.connect(self.show_state)
        self.focus.changed.connect(self._focus_changed)
        self.show_state()

    def _run(self, name: str, _checked: bool = False) -> None:
        self._table[name]()

    # -- keeping the actions true ---------------------------------------------------------------------------------------
    def set_theme(self, theme: Theme) -> None:
        """Icons that depend on the state."""
        self._theme = theme
        self._shown_running: bool | None = None
        self.show_state()

    _shown_running: bool | None = None

    def show_state(self) -> None:
        """Enable what can be done now; run or pause as one button."""
        commands, actions = self.commands, self.window.commands_by_name
        self.debug.show_state()
        self.time.show_state()
        actions["run"].setEnabled(commands.can_pause)
        actions["restart"].setEnabled(commands.can_restart)
        for name in ("figure_command", "view_figure_command"):
            actions[name].setEnabled(self.figure_command is not None)
        actions["back"].setEnabled(self.focus.can_back)
        actions["forward"].setEnabled(self.focus.can_forward)
        actions["link"].setEnabled(commands.can_link)
        branches = self.window.branches
        actions["branch"].setEnabled(branches is not None)
        actions["compare"].setEnabled(branches is not None and branches.can_compare)
        actions["next_run"].setEnabled(branches is not None and len(branches.runs) > 1)
        for level in LEVEL_NAMES:
            actions[f"trace_{level}"].setEnabled(commands.can_trace)
            actions[f"trace_{level}"].setChecked(commands.trace_level == level)
        if commands.running != self._shown_running:
            self._shown_running = commands.running
            actions["run"].setText(t("&Pause") if commands.running else t("&Run"))
            actions["run"].setIcon(icon("pause" if commands.running else "run", self._theme, "accent"))
        actions["follow"].setChecked(self.focus.following)

    def _focus_changed(self, what: object) -> None:
        if not isinstance(what, frozenset):
            return
        actions = self.window.commands_by_name
        if "following" in what:
            actions["follow"].setChecked(self.focus.following)
        actions["back"].setEnabled(self.focus.can_back)
        actions["forward"].setEnabled(self.focus.can_forward)

    def _branches(self, method: str) -> None:
        if self.window.branches is not None:
            getattr(self.window.branches, method)()

    # -- moving -----------------------------------------------------------------------------------------------------------
    def move(self, events: int) -> None:
        """Go so many events on in the recording, without running anything."""
        store = self.store
        self.focus.scrub(max(min(self.focus.seq + events, store.last_seq), store.first_seq))

    def toggle(self) -> None:
        """Run or pause the source; without one that can, stop or go on following."""
        if self.commands.can_pause:
            self.commands.toggle()
        else:
            self.toggle_following()

    def toggle_following(self) -> None:
        """Follow the end, or stay here."""
        self.focus.set_following(not self.focus.following)
        self.focus.advance(self.store.last_seq)

    def to_end(self) -> None:
        """The newest event, and follow."""
        self.focus.set_following(True)
        self.focus.advance(self.store.last_seq)

    def to_mark(self, direction: int) -> None:
        """The next mark in a direction."""
        seqs = [mark.seq for mark in self.store.marks()]
        here = self.focus.seq
        ahead = [seq for seq in seqs if (seq - here) * direction > 0]
        if ahead:
            self.focus.select(seq=min(ahead) if direction > 0 else max(ahead))

    def to_cause(self) -> None:
        """The event that led to the one in focus."""
        row = self.store.row(self.focus.seq)
        if row is not None and int(row["cause"]) >= 0:
            self.focus.select(seq=int(row["cause"]))
        else:
            self.window.status.showMessage(t("this event has no recorded cause"), 4000)

    def change_speed(self, positions: int) -> None:
        """Slower or faster by so many notches of the slider; of a speed in virtual time, by as many tenths of a decade."""
        speed = self.commands.speed
        if speed < 0 and (speed != SPEED_REAL or self.commands.can("playback")):
            self.commands.set_speed(-min(max(-speed * 10 ** (positions / 10), FACTORS[0]), FACTORS[-1]))
            return
        place = min(max(position_of(self.commands.speed) + positions, 0), FLAT_OUT)
        self.commands.set_speed(speed_at(place))

    def toggle_link(self) -> None:
        """Pull the cable of the first network device, or plug it in: VirtIONet.status, bit 0, says how it is."""
        store = self.store
        vdev = next((oid for oid in store.names.known() if store.type_of(oid) == "virtio-net-device"), 0)
        proxy = store.state_at(store.last_seq).objects.get(vdev)
        if proxy is not None:
            up = bool(store.state_at(store.last_seq).value(vdev, store.field_id("VirtIONet.status")) & 1)
            self.commands.set_link(store.name_of(proxy.parent), not up)

    # -- files and help -----------------------------------------------------------------------------------------------------
    def open(self) -> None:
        """Ask for a session and open it."""
        name, _ = QFileDialog.getOpenFileName(self.window, t("Open session"), "", open_filters())
        if name and self.open_session is not None:
            work = open_any(Path(name), self.window, self.open_session, self.window.show_problem)
            if work is not None:
                self.window.closing.connect(work.give_up)

    def save(self) -> bool:
        """Ask for a name and keep a copy of the recording; whether that was done."""
        name, _ = QFileDialog.getSaveFileName(self.window, t("Save session"), "session.ringscope", t("Ringscope sessions (*.ringscope)"))
        if not name:
            return False
        problem = copy_session(self.store.reader.path, Path(name))
        kept = heard(kept_words(self.store.reader.keep_bytes, self.store.reader.let_go, whole=True))
        self.window.status.showMessage(
            problem or (t("saved {name}: what is left of a run that {kept}", name=name, kept=kept) if kept else t("saved {name}", name=name)), 8000
        )
        if not problem:
            self.saved_notes = notes_of(self.store.reader)
        return not problem

    def forget_saved(self) -> None:
        """Another recording began: nothing of it is saved."""
        self.saved_notes = 0

    def export(self) -> None:
        """The export dialog."""
        self.window.closing.connect(show_export(self.store, self.focus, self.window).stop)

    def picture(self) -> None:
        """Ask for a name and write the window as a PNG."""
        name, _ = QFileDialog.getSaveFileName(self.window, t("Save picture"), "ringscope.png", t("PNG (*.png)"))
        if name and not self.window.grab().save(name, "PNG"):
            self.window.status.showMessage(t("{name} cannot be written", name=name), 8000)

    def copy_table(self) -> None:
        """The current view as text, to the clipboard."""
        view = self.window.current_view()
        if view is not None:
            QGuiApplication.clipboard().setText(view.table_text())
            self.window.status.showMessage(t("copied"), 3000)

    def copy_figure(self, whole: bool) -> None:
        """The command that draws what is on screen, to the clipboard."""
        if self.figure_command is None:
            return
        try:
            line, about = self.figure_command(self.window, whole)
        except InputError as error:
            self.window.status.showMessage(t("no figure command: {why}", why=error.allowed), 10_000)
            return
        QGuiApplication.clipboard().setText(line)
        self.window.status.showMessage(about, 8000)

    def find(self) -> None:
        """Search in the current view."""
        view = self.window.current_view()
        if view is None or type(view).search is View.search:
            self.window.top.filter_box.setFocus()
        else:
            view.search()

    def full_screen(self) -> None:
        """The whole screen, or back."""
        if self.window.isFullScreen():
            self.window.showNormal()
        else:
            self.window.showFullScreen()

    def keys(self) -> None:
        """The sheet of hotkeys."""
        KeySheet(self.window).open()

    def about(self) -> None:
        """What this is."""
        QMessageBox.about(
            self.window,
            t("About Ringscope"),
            t(
                "<b>Ringscope {version}</b><p>A visual debugger for QEMU's virtio-net-pci.<br>The model follows QEMU 4.1.0; no QEMU code is included.</p>",
                version=__version__,
            ),
        )

    def palette(self) -> None:
        """The command palette."""
        Palette(self.choices(), self.window).show()

    def choices(self) -> list[Choice]:
        """Everything the palette offers now."""
        window, focus = self.window, self.focus
        actions = window.commands_by_name
        found = [
            Choice(plain(said(spec.text)), spec.keys, actions[spec.name].trigger)
            for spec in ACTIONS
            if spec.name != "palette" and actions[spec.name].isEnabled()
        ]
        found += [Choice(t("View: {title}", title=t(title)), "", partial(window.show_view, name)) for name, (title, _) in TITLES.items()]
        found += [Choice(t("Type: {name}", name=row["name"]), "", partial(focus.select, type_name=str(row["name"]))) for row in self.store.reader.types]
        found += [
            Choice(t("Object: {path}", path=self.store.path_of(oid)), self.store.type_of(oid), partial(focus.select, oid=oid))
            for oid in self.store.names.known()
        ]
        found += [Choice(t("Mark: {name}", name=mark.name), t("event {seq}", seq=mark.seq), partial(focus.select, seq=mark.seq)) for mark in self.store.marks()]
        return found
