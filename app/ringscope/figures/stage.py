"""A view, or the whole window, laid out without a display and ready to be painted.

The same widgets that a person sees are on the stage, so a figure cannot differ from the window.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QCoreApplication, QEvent, QRect, QSize, Qt
from PySide6.QtGui import QPainter, QRegion, QResizeEvent
from PySide6.QtWidgets import QWidget

from ringscope.commands import Commands
from ringscope.figures.application import drawing_application
from ringscope.figures.callouts import Arranged, arrange
from ringscope.figures.fitting import Columns, bare, paint_arrows
from ringscope.figures.layouts import read_layout
from ringscope.figures.look import look
from ringscope.figures.parse import WINDOW
from ringscope.figures.places import crop_rect
from ringscope.focus import Focus
from ringscope.sources.playback import Playback
from ringscope.sources.session import SessionControls
from ringscope.store import Store
from ringscope.theme import FIGURE_THEMES, Theme, apply
from ringscope.views import load_view
from ringscope.views.spec import View
from ringscope.words import set_language

if TYPE_CHECKING:
    from collections.abc import Callable

    from ringscope.figures.spec import FigureSpec
    from ringscope_core.session.reader import SessionReader

_SETTLE_ROUNDS: Final = 4
"""Rounds of work that layouts need, whatever the views say."""
_MOST_ROUNDS: Final = 400
"""Rounds after which a view that still says it is unfinished is drawn as it is."""
_NARROW: Final = 1500
"""Windows of less pixels across fold the left docks away, as on a small screen."""


class _Frame(QWidget):
    """Holds one widget at its own size."""

    def hold(self, widget: QWidget) -> None:
        """Take `widget` in."""
        self._held = widget
        widget.setParent(self)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The widget fills the frame."""
        super().resizeEvent(event)
        self._held.setGeometry(self.rect())


class Stage:
    """What `spec` shows of the recording, laid out; as a context manager it takes the widgets down at the end.

    `reader` stays open, it is the caller's.  Raises InputError for a moment, an object, a callout's target or a part that is not there.
    """

    def __init__(self, spec: FigureSpec, reader: SessionReader) -> None:
        self.app = drawing_application()
        set_language(spec.lang)
        self.spec: FigureSpec = spec
        self.theme: Theme = FIGURE_THEMES[spec.theme]
        apply(self.app, self.theme)
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._refresh: Callable[[], None] = lambda: None
        self.store = Store(reader)
        self.focus = Focus()
        look(self.focus, self.store.recording, spec)
        self.widget: QWidget = self._window() if spec.view == WINDOW else self._view()
        """What is drawn: its pixels are the places that `bounds` speaks of."""
        self._arranged: Arranged | None = None
        self._frame = QRect()
        self._prepared: set[View] = set()
        self._columns = Columns(self.widget)
        try:
            self.widget.resize(*spec.size)
            self.widget.show()
            self.settle()
            self._fit()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Stage:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    # -- building -----------------------------------------------------------------------------------------------------
    def _view(self) -> QWidget:
        view = load_view(self.spec.view).make(self.store, self.focus, Commands(SessionControls(self.store, self.focus)))
        view.set_theme(self.theme)
        self._refresh = view.refresh
        # in a frame without a layout the figure has the size that was asked for, whatever the view's least size is
        frame = _Frame()
        frame.hold(view)
        frame.setAttribute(Qt.WidgetAttribute.WA_DontShowOnScreen)
        return frame

    def _window(self) -> QWidget:
        from ringscope.settings import Settings
        from ringscope.window import Window

        layout = read_layout(self.spec.layout) if self.spec.layout else None
        # a window of its own settings: a figure neither follows nor changes a person's layout
        self._folder = tempfile.TemporaryDirectory()
        settings = Settings(Path(self._folder.name) / "window.json")
        if layout is not None:
            layout.put_into(settings)
        narrow = layout.narrow if layout is not None else self.spec.size[0] < _NARROW
        playback = Playback(self.store, self.focus)
        commands = Commands(SessionControls(self.store, self.focus, playback))
        window = Window(self.store, self.focus, commands, self.theme, settings, narrow=narrow, playback=playback)
        window.setAttribute(Qt.WidgetAttribute.WA_DontShowOnScreen)
        self._refresh = window.tick
        return window

    # -- moving -------------------------------------------------------------------------------------------------------
    def settle(self) -> None:
        """Let layouts and views come to rest at the present moment."""
        self._arranged = None
        for turn in range(_MOST_ROUNDS):
            views = self.widget.findChildren(View)
            if turn >= _SETTLE_ROUNDS and not any(view.isVisible() and view.unfinished for view in views):
                break
            for view in views:
                self._prepare(view)
            self._refresh()
            self.app.processEvents()

    def _prepare(self, view: View) -> None:
        """A window makes its views when they are first seen."""
        if view not in self._prepared:
            self._prepared.add(view)
            view.wanted_parts = frozenset([self.spec.crop, *(callout.target.removeprefix("part:") for callout in self.spec.callouts)])
            view.prepare_figure()
            bare(self.widget)

    def _fit(self) -> None:
        """Share the room as a picture needs it."""
        views = [view for view in self.widget.findChildren(View) if view.isVisible()]
        for view in views:
            view.arrange_figure()
        self.app.processEvents()
        for view in views:
            # a window asks only views that something new happened to
            view.refresh()
        self.settle()
        self._fit_columns()

    def _fit_columns(self) -> None:
        self._columns.fit()
        self.app.processEvents()

    def go(self, seq: int) -> None:
        """Show the moment after event `seq` from now on."""
        self.focus.scrub(seq)
        self.settle()
        self._fit_columns()

    # -- painting -----------------------------------------------------------------------------------------------------
    def _arrange(self) -> Arranged:
        if self._arranged is None:
            self._frame = self.cropped()
            self._arranged = arrange(self.widget, self.spec.callouts, self.theme, self._frame)
            if self.cropped() != self._frame:
                # a target was scrolled into sight, and the crop with it
                self._frame = self.cropped()
                self._arranged = arrange(self.widget, self.spec.callouts, self.theme, self._frame)
        return self._arranged

    def cropped(self) -> QRect:
        """What is shown without margins, in the widget's pixels; raises InputError for a part that is not there."""
        return crop_rect(self.widget, self.spec.crop) if self.spec.crop else self.widget.rect()

    def use(self, arranged: Arranged, frame: QRect) -> None:
        """Show these callouts around `frame` of the widget until the stage moves on: in an animation they stand still."""
        self._arranged, self._frame = arranged, frame

    @property
    def bounds(self) -> QRect:
        """What the figure shows, in the widget's pixels: all of it or its crop, and the margins that callouts took."""
        return self._arrange().bounds

    @property
    def size(self) -> QSize:
        """Width and height of the figure in logical pixels."""
        return self.bounds.size()

    def paint(self, painter: QPainter) -> None:
        """The widget and its callouts, with the corner of `bounds` at the painter's origin."""
        arranged = self._arrange()
        painter.save()
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.TextAntialiasing, False)
        painter.translate(-arranged.bounds.topLeft())
        painter.fillRect(arranged.bounds, self.theme.color("window"))
        self.widget.render(painter, self._frame.topLeft(), QRegion(self._frame))
        paint_arrows(painter, self.widget, self.theme, self._frame)
        arranged.paint(painter)
        painter.restore()

    def close(self) -> None:
        """Take the widgets down."""
        self.widget.close()
        self.widget.deleteLater()
        # without an event loop nobody would delete them, and each would be styled again for every later picture
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
        self.app.processEvents()
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None
