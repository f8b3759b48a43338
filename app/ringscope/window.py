"""The window: docks around one store and one focus, and the single timer that moves them.

Each tick takes what the recording gained, moves the focus along while it follows, and refreshes visible views that something
changed for, as long as the tick's budget lasts; what did not fit comes first in the next tick.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from PySide6.QtCore import QByteArray, QEvent, Qt, QTimer, Signal
from PySide6.QtGui import QAction, QCloseEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QApplication, QMainWindow, QVBoxLayout, QWidget

from ringscope import window_places
from ringscope.commands import Commands
from ringscope.focus import Focus
from ringscope.settings import LAYOUT_VERSION, PREFERENCES, Settings
from ringscope.sources.playback import Playback
from ringscope.store import Store
from ringscope.theme import DARK, LIGHT, Theme, apply
from ringscope.theme_sheet import dock_sheet
from ringscope.views import ALL_VIEWS, PANELS
from ringscope.views.spec import View
from ringscope.widgets.spots import Spot
from ringscope.window_actions import fill_menus, make_actions, paint_actions
from ringscope.window_banner import Banner
from ringscope.window_branches import Branches
from ringscope.window_docks import DockArea
from ringscope.window_frames import BUDGET_MS, FrameMeter
from ringscope.window_host import ViewHost
from ringscope.window_state import StateFile
from ringscope.window_status import StatusLine
from ringscope.window_top import TopBar
from ringscope.window_unsaved import UnsavedBar
from ringscope.window_verbs import Verbs
from ringscope.words import t
from ringscope_core.session.errors import SessionError

TICK_MS: Final = 16
DEVICE_TYPE: Final = "virtio-net-device"


class Window(QMainWindow):
    """Everything that a person sees of one recording.

    `closing` is emitted once, before the window is gone, so that its source can end what it started.  `narrow` is a first layout for a
    small screen.
    """

    closing = Signal()

    def __init__(
        self,
        store: Store,
        focus: Focus,
        commands: Commands,
        theme: Theme,
        settings: Settings,
        meter: FrameMeter | None = None,
        narrow: bool = False,
        playback: Playback | None = None,
    ) -> None:
        super().__init__()
        self.store, self.focus, self.commands, self.theme, self.settings = store, focus, commands, theme, settings
        self.meter = meter or FrameMeter()
        self.branches: Branches | None = None
        """The runs of this window, where whoever made it can start some."""
        self.playback = playback or Playback(store, focus, self)
        self.commands.playback = self.playback
        self.on_tick: Callable[[float], None] | None = None
        """Called first in each tick with the ms since the last: a source's playback."""
        self.not_recorded: bool = False
        """It was said that the recording stopped."""
        self.rescue: Callable[[SessionError], bool] | None = None
        """Asked when the file turns out to be damaged: whether it put what is whole into the store."""
        self.may_close: Callable[[], bool] | None = None
        """Asked before the window closes: whether it may."""
        # widgets take their fonts when they are made
        self._dress(theme)
        self.setWindowTitle(self._title())
        self.setMinimumSize(960, 600)
        self.hosts: dict[str, ViewHost] = {name: ViewHost(name, store, focus, commands, self._built) for name in (*ALL_VIEWS, *PANELS)}
        self.commands_by_name: dict[str, QAction] = make_actions(self)
        self.menus = fill_menus(self.menuBar(), self.commands_by_name)
        self.banner = Banner()
        self.unsaved = UnsavedBar()
        self._layout_kind = f"{LAYOUT_VERSION}{' narrow' if narrow else ''}"
        """Which saved layouts fit: one of a wide screen hides half of everything on a narrow one."""
        self.docks = DockArea(self.hosts, narrow)
        self._assemble()
        self.top = TopBar(store, focus, commands, self.commands_by_name, self)
        self.addToolBar(Qt.ToolBarArea.TopToolBarArea, self.top)
        self.status = StatusLine(store, focus, commands, self.meter)
        self.setStatusBar(self.status)
        for name in PREFERENCES:
            commands.set_preference(name, settings.get(name))
        self.verbs = Verbs(self)
        self.state_file = StateFile(self)
        self.docks.fill_menu(self.menus["&View"], self.commands_by_name["theme"])
        self._turn = 0
        self._last_tick = time.perf_counter()
        self._slow_due = 0.0
        self._closed = False
        self._proportioned = False
        self._suggested = False
        self._broken = False
        self._connect()
        self.set_theme(theme)
        self._restore()
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self.tick)
        self._timer.start(TICK_MS)

    # -- building -----------------------------------------------------------------------------------------------------
    def _assemble(self) -> None:
        middle = QWidget()
        layout = QVBoxLayout(middle)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.banner)
        layout.addWidget(self.unsaved)
        layout.addWidget(self.docks.manager, 1)
        self.setCentralWidget(middle)

    def _connect(self) -> None:
        self.store.grown.connect(self._grown)
        self.store.replaced.connect(self._replaced)
        self.store.live_changed.connect(self._everything_changed)
        self.focus.changed.connect(self._focus_changed)
        self.commands.changed.connect(self._everything_changed)
        self.banner.restart.connect(self.commands.restart)
        self.commands.message.connect(self.status.showMessage)

    def _built(self, host: ViewHost) -> None:
        host.setAccessibleName(host.name)

    def _title(self) -> str:
        name = str(self.store.meta.get("title") or self.store.meta.get("scenario") or self.store.reader.path.name)
        branch = self.store.meta.get("branch")
        of = t(", a branch of {name}", name=branch.get("name")) if isinstance(branch, dict) else ""
        return f"{name}{of} - Ringscope"

    def take_branches(self, branches: Branches) -> None:
        """Offer branches from now on."""
        self.branches = branches
        self.top.add_runs(branches)
        branches.changed.connect(self.verbs.show_state)
        self.verbs.show_state()

    def _replaced(self) -> None:
        self._suggested = self._broken = self.not_recorded = False
        self.focus.reset()
        self.banner.hide()
        self.setWindowTitle(self._title())
        self._everything_changed()

    def _grown(self) -> None:
        for host in self.hosts.values():
            host.dirty = True

    def _focus_changed(self, what: object) -> None:
        if self.focus.following and what == frozenset({"seq"}):
            self._grown()
        else:
            self._everything_changed()

    def _everything_changed(self, _: object = None) -> None:
        for host in self.hosts.values():
            host.dirty = host.urgent = True

    # -- the tick -----------------------------------------------------------------------------------------------------
    def tick(self) -> None:
        """One frame's work."""
        start = time.perf_counter()
        elapsed_ms, self._last_tick = (start - self._last_tick) * 1000, start
        slowest = "store"
        try:
            slowest = self._work(start, elapsed_ms)
        except SessionError as error:
            self._unreadable(error)
        if start >= self._slow_due:
            self._slow_due = start + 0.2
            self.status.refresh()
            self.verbs.show_state()
        self.state_file.write()
        self.meter.tick((time.perf_counter() - start) * 1000, slowest)

    def _work(self, start: float, elapsed_ms: float) -> str:
        """Take what is new and refresh what is due; the name of what took longest."""
        if self.on_tick is not None:
            self.on_tick(elapsed_ms)
        self.playback.tick(elapsed_ms)
        if not self._broken:
            self.store.poll()
        self.focus.advance(self.store.last_seq)
        if not self._suggested:
            self._suggest()
        slowest, worst = "store", (time.perf_counter() - start) * 1000
        hosts = list(self.hosts.values())
        for place in range(len(hosts)):
            if (time.perf_counter() - start) * 1000 > BUDGET_MS:
                self._turn = (self._turn + place) % len(hosts)
                break
            host = hosts[(self._turn + place) % len(hosts)]
            if host.refresh() and host.cost_ms > worst:
                slowest, worst = host.name, host.cost_ms
            if host.view is not None and host.view.unfinished:
                host.dirty = True
        return slowest

    def _unreadable(self, error: SessionError) -> None:
        """The file is damaged, or was taken away: show what of it is whole, or what is in memory, and say so once."""
        if self.rescue is not None and not self._broken and self.rescue(error):
            return
        if not self._broken:
            self._broken = True
            self.store.set_live(False)
            self.show_problem(t("The recording cannot be read: {error}", error=error))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The first layout is made for the first real size."""
        super().resizeEvent(event)
        if not self._proportioned and self.isVisible():
            self._proportioned = True
            self.docks.proportion(self.docks.manager.width(), self.docks.manager.height())

    def showEvent(self, event: QShowEvent) -> None:
        """As `resizeEvent`, for a window that was sized before."""
        super().showEvent(event)
        # the keyboard begins in the view, not in the filter box
        view = self.current_view()
        if view is not None and QApplication.focusWidget() in (None, self.top.filter_box):
            view.setFocus(Qt.FocusReason.OtherFocusReason)
        if not self._proportioned:
            self._proportioned = True
            self.docks.proportion(self.width(), self.height() - 110)

    def _suggest(self) -> None:
        """Look at the network device as soon as there is one, so that the inspector does not begin empty."""
        store = self.store
        oid = next((oid for oid in store.names.known() if store.type_of(oid) == DEVICE_TYPE), 0)
        if oid:
            self._suggested = True
            if not self.focus.oid:
                self.focus.suggest(oid, DEVICE_TYPE)

    def event(self, event: QEvent) -> bool:
        """Times every paint of the window."""
        if event.type() != QEvent.Type.UpdateRequest:
            return super().event(event)
        start = self.meter.now_ns()
        done = super().event(event)
        self.meter.paint(start)
        return done

    # -- what a person does ---------------------------------------------------------------------------------------------
    def set_theme(self, theme: Theme) -> None:
        """Dress the whole application in `theme`."""
        self.theme = theme
        self._dress(theme)
        self.docks.manager.setStyleSheet(dock_sheet(theme.hexes))
        self.docks.paint_icons(theme)
        paint_actions(self.commands_by_name, theme)
        for host in self.hosts.values():
            host.set_theme(theme)
        self.top.set_theme(theme)
        self.verbs.set_theme(theme)

    @staticmethod
    def _dress(theme: Theme) -> None:
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        apply(app, theme)

    def toggle_theme(self) -> None:
        """From light to dark and back."""
        self.set_theme(LIGHT if self.theme.dark else DARK)

    def show_view(self, name: str) -> View:
        """Bring the view `name` to the front, with the keyboard in it."""
        self.docks.show(name)
        view = self.hosts[name].build()
        view.setFocus(Qt.FocusReason.ShortcutFocusReason)
        return view

    def current_view(self) -> View | None:
        """The view that has the keyboard, else the one in front at the centre."""
        widget = QApplication.focusWidget()
        while widget is not None:
            if isinstance(widget, View):
                return widget
            widget = widget.parentWidget()
        return next((self.hosts[name].view for name in ALL_VIEWS if self.hosts[name].isVisible()), None)

    def show_problem(self, text: str) -> None:
        """Say across the top what went wrong."""
        self.banner.show_problem(text, self.commands.can_restart)

    # -- places that a figure can point at --------------------------------------------------------------------------------
    def spot(self, target: str) -> Spot | None:
        """Where a bar, a dock or a pane of a view stands, seen or not; None when there is none so called."""
        return window_places.spot(self, target)

    def places(self) -> list[str]:
        """Every such target."""
        return window_places.words(self)

    # -- between starts -------------------------------------------------------------------------------------------------
    def _restore(self) -> None:
        if self.settings.get("layout_version") == self._layout_kind:
            self.restoreGeometry(QByteArray.fromBase64(self.settings.get("geometry").encode()))
            self.docks.restore(self.settings.get("docks"))
            self._proportioned = True
        else:
            self.resize(1600, 960)
        if self.settings.problem:
            self.status.showMessage(self.settings.problem, 20_000)

    def _save(self) -> None:
        self.settings.put("layout_version", self._layout_kind)
        self.settings.put("geometry", bytes(self.saveGeometry().toBase64().data()).decode())
        self.settings.put("docks", self.docks.state())
        self.settings.put("theme", self.theme.name)
        for name in PREFERENCES:
            self.settings.put(name, self.commands.preference(name))
        self.settings.save()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Remember the layout, stop the timer, end the source."""
        if not self._closed and self.may_close is not None and not self.may_close():
            event.ignore()
            return
        if not self._closed:
            self._closed = True
            self._timer.stop()
            self._save()
            for host in self.hosts.values():
                if host.view is not None:
                    host.view.leave()
            self.closing.emit()
            self.docks.close()
        super().closeEvent(event)
