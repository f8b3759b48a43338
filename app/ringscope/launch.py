"""Opens the window on a live run or on a recording, and runs until it is closed."""

from __future__ import annotations

import gc
import logging
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QTimer
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QApplication

from ringscope.settings import Settings
from ringscope.sources.engine import EngineControls, EngineOptions
from ringscope.words import LANGUAGES, desktop_language, set_language, t
from ringscope_core.scenario.errors import InputError
from ringscope_resources import icon as icon_path

if TYPE_CHECKING:
    from ringscope.commands import Controls
    from ringscope.focus import Focus
    from ringscope.store import Store
    from ringscope.window import Window
    from ringscope.window_trust import Trust


NARROW: Final = 1500
"""On a screen of less pixels across, the first layout folds the left docks away."""


@dataclass(frozen=True)
class WindowOptions:
    """How the window is to look, and what a test wants of it."""

    theme: str = ""
    """light, dark or auto; empty: as it was the last time."""
    size: tuple[int, int] | None = None
    view: str = ""
    """The view in front; empty: as it was."""
    screenshot: Path | None = None
    """Write a picture of the window here and end."""
    after_s: float = 4.0
    """When the picture is taken or the report written."""
    fps_report: Path | None = None
    """Write frame times here and end."""
    watchdog: bool = False
    """Log ticks that take too long."""
    lang: str = ""
    """en or zh; empty: as the preferences say, else as the desktop speaks."""

    @property
    def interactive(self) -> bool:
        """Whether a person sits before it, who can be asked."""
        return self.screenshot is None and self.fps_report is None


def application() -> QApplication:
    """The application object, made once."""
    app = QApplication.instance()
    if isinstance(app, QApplication):
        return app
    app = QApplication([sys.argv[0]])
    app.setApplicationName("ringscope")
    app.setApplicationDisplayName("Ringscope")
    app.setDesktopFileName("ringscope")
    app.setWindowIcon(QIcon(str(icon_path("ringscope"))))
    return app


def open_live(engine: EngineOptions, options: WindowOptions) -> int:
    """The window on a new run; returns the exit code.  InputError when the engine refuses the scenario."""
    app = application()
    controls = EngineControls(engine)
    controls.keep_preferred = lambda: Settings().get("keep")
    controls.start()
    # the heavy imports go on while the engine starts
    from ringscope.store import Store
    from ringscope.window import Window  # noqa: F401
    from ringscope_core.session.reader import SessionReader

    try:
        path = controls.wait_started()
    except RuntimeError as error:
        controls.close()
        raise InputError("scenario", engine.scenario, str(error)) from None
    store = Store(SessionReader(path), live=True)
    window, trust = _make_window(store, controls, options)
    controls.keep_preferred = lambda: window.commands.preference("keep")
    if options.interactive:
        trust.ask_before_closing(controls)
    controls.started.connect(lambda name: _engine_began(window, controls, Path(name)))
    controls.stopped.connect(lambda why: _engine_stopped(window, controls, why))
    controls.changed.connect(lambda: _engine_changed(window, controls))
    controls.started.connect(lambda _: window.verbs.forget_saved())
    # what the engine said while the window was being made
    _engine_changed(window, controls)
    window.closing.connect(controls.close)
    try:
        return _run(app, window, trust, options)
    finally:
        controls.close()
        store.reader.close()


def _engine_began(window: Window, controls: EngineControls, path: Path) -> None:
    """Another run of the same engine's scenario."""
    from ringscope_core.session.reader import SessionReader

    if window.commands.controls is controls:
        window.store.open(SessionReader(path), True)
        if window.branches is not None:
            window.branches.restarted(path)


def _engine_stopped(window: Window, controls: EngineControls, why: str) -> None:
    if window.commands.controls is not controls:
        # a branch is shown
        window.status.showMessage(t("the engine of the first run stopped: {why}", why=why), 10_000)
        return
    window.store.poll()
    window.store.set_live(False)
    last = max(window.store.last_seq, 0)
    window.show_problem(t("The engine stopped: {why}; the session up to event {last} is kept. Save it with Ctrl+S, or restart.", why=why, last=last))


def _engine_changed(window: Window, controls: EngineControls) -> None:
    if window.commands.controls is not controls:
        return
    if controls.state == "failed" and controls.failures:
        window.show_problem(t("The machine was not built: {why}", why=controls.failures[-1]))
    if controls.recording_stopped and not window.not_recorded:
        window.not_recorded = True
        last = max(window.store.last_seq, 0)
        window.show_problem(
            t(
                "Recording stopped at event {last}: the file {why}. The run goes on and is not kept; what was recorded is whole.",
                last=last,
                why=controls.recording_stopped,
            )
        )
    window.store.set_live(controls.state not in ("failed", "finished"))


def open_file(path: Path, options: WindowOptions) -> int:
    """The window on a recording; returns the exit code.  SessionError for a file that is none."""
    from ringscope.focus import Focus
    from ringscope.store import Store
    from ringscope_core.query.opening import open_for_view

    app = application()
    store = Store(open_for_view(path))
    focus = Focus()
    focus.seq = store.last_seq
    window, trust = _make_window(store, None, options, focus)
    trust.tell(store.reader)
    try:
        return _run(app, window, trust, options)
    finally:
        store.reader.close()


def window_language(asked: str, saved: str) -> str:
    """The language of a window: the one `asked` for on the command line, else the `saved` one, else the desktop's."""
    chosen = asked or saved
    return chosen if chosen in LANGUAGES else desktop_language()


def _make_window(store: Store, controls: Controls | None, options: WindowOptions, focus: Focus | None = None) -> tuple[Window, Trust]:
    from ringscope.commands import Commands
    from ringscope.focus import Focus as NewFocus
    from ringscope.sources.playback import Playback
    from ringscope.sources.session import SessionControls
    from ringscope.theme import theme_named
    from ringscope.window import Window
    from ringscope.window_branches import Branches
    from ringscope.window_frames import FrameMeter
    from ringscope.window_trust import Trust

    settings = Settings()
    set_language(window_language(options.lang, settings.get("language")))
    focus = focus or NewFocus()
    playback = Playback(store, focus)
    recorded = None if controls is not None else SessionControls(store, focus, playback)
    commands = Commands(controls or recorded)
    width = options.size[0] if options.size is not None else application().primaryScreen().availableGeometry().width()
    theme = theme_named(options.theme or settings.get("theme", "auto"))
    window = Window(store, focus, commands, theme, settings, FrameMeter(options.watchdog), width < NARROW, playback)
    if recorded is not None:
        window.on_tick = recorded.watch
    source = controls or recorded
    assert source is not None
    branches = Branches(window, source, recorded.watch if recorded is not None else None)
    window.take_branches(branches)

    trust = Trust(window)

    def open_other(path: Path) -> None:
        reader = trust.open(path)
        commands.controls.close()
        store.open(reader, False)
        focus.scrub(store.last_seq)
        other = SessionControls(store, focus, playback)
        commands.bind(other)
        window.on_tick = other.watch
        branches.reset(other, other.watch)
        trust.tell(reader)

    window.verbs.open_session = open_other
    window.verbs.figure_command = _figure_command
    window.verbs.show_state()
    return window, trust


def _figure_command(window: Window, whole: bool) -> tuple[str, str]:
    from ringscope.figures.from_window import figure_command

    return figure_command(window, whole)


def _run(app: QApplication, window: Window, trust: Trust, options: WindowOptions) -> int:
    if options.size is not None:
        window.resize(*options.size)
    window.show()
    if options.view:
        window.show_view(options.view)
    if options.watchdog:
        logging.basicConfig(level=logging.WARNING)
    # the objects made so far live as long as the window: the collector need not look at them again in the middle of a frame
    gc.collect()
    gc.freeze()
    if options.screenshot is not None or options.fps_report is not None:
        _later(options.after_s / 2, window.meter.forget)
        _later(options.after_s, lambda: _finish(window, options))
    if options.interactive:
        trust.offer_unsaved()
    return app.exec()


def _later(seconds: float, action: Callable[[], None]) -> None:
    QTimer.singleShot(round(seconds * 1000), action)


def _finish(window: Window, options: WindowOptions) -> None:
    if options.screenshot is not None and not window.grab().save(str(options.screenshot)):
        print(f"ringscope: {options.screenshot} cannot be written", file=sys.stderr)
    if options.fps_report is not None:
        window.meter.write(options.fps_report)
    window.close()
