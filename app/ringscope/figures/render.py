"""Draws one view, or the whole window, of a recording at a moment into an image or an SVG file.

The same widgets that a person sees are laid out offscreen, so a figure cannot differ from the window.
"""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol, runtime_checkable

from PySide6.QtCore import QBuffer, QByteArray, QCoreApplication, QEvent, QIODevice, QPoint, QRect, QSize, Qt
from PySide6.QtGui import QImage, QImageWriter, QPainter, QResizeEvent
from PySide6.QtWidgets import QWidget

from ringscope.commands import Commands
from ringscope.figures.application import drawing_application
from ringscope.figures.moments import ring_at, telling_moment
from ringscope.focus import Focus
from ringscope.store import Store
from ringscope.theme import THEMES, Theme, apply
from ringscope.views import ALL_VIEWS, load_view
from ringscope.views.spec import View
from ringscope_core.scenario.errors import InputError

if TYPE_CHECKING:
    from ringscope_core.session.reader import SessionReader

WINDOW: Final = "window"
VIEW_NAMES: Final = (WINDOW, *ALL_VIEWS)
"""What can be drawn."""
DEFAULT_SIZE: Final = (1600, 1000)
MIN_SIZE: Final = (320, 240)
MAX_SIZE: Final = (8192, 8192)
SUFFIXES: Final = (".png", ".svg")
_SETTLE_ROUNDS: Final = 4
"""Rounds of work that layouts need, whatever the views say."""
_MOST_ROUNDS: Final = 400
"""Rounds after which a view that still says it is unfinished is drawn as it is."""
_NARROW: Final = 1500
"""Windows of less pixels across fold the left docks away, as on a small screen."""
_DPM: Final = 3780
"""Dots per metre of 96 dpi, written into the image."""


@runtime_checkable
class FigureView(Protocol):
    """A view that can do better when it need not be quick."""

    def prepare_figure(self, vector: bool) -> None:
        """Draw finely and completely from now on; `vector`: without pixmaps."""


def parse_size(text: str) -> tuple[int, int]:
    """``WxH`` in pixels; raises InputError."""
    found = re.match(r"^(\d{1,5})x(\d{1,5})$", text)
    allowed = f"WIDTHxHEIGHT from {MIN_SIZE[0]}x{MIN_SIZE[1]} to {MAX_SIZE[0]}x{MAX_SIZE[1]}"
    if found is None:
        raise InputError("size", text, allowed)
    width, height = int(found.group(1)), int(found.group(2))
    if not (MIN_SIZE[0] <= width <= MAX_SIZE[0] and MIN_SIZE[1] <= height <= MAX_SIZE[1]):
        raise InputError("size", text, allowed)
    return width, height


def check_names(view: str, theme: str, output: str | Path) -> None:
    """Raise InputError for a view, theme or file type that does not exist, before anything is made."""
    if view not in VIEW_NAMES:
        raise InputError("view", view, f"one of {', '.join(VIEW_NAMES)}")
    if theme not in THEMES:
        raise InputError("theme", theme, f"one of {', '.join(THEMES)}")
    path = Path(output)
    if path.suffix.lower() not in SUFFIXES:
        raise InputError("output", str(output), f"a file name ending in {' or '.join(SUFFIXES)}")
    if not path.absolute().parent.is_dir():
        raise InputError("output", str(output), "a file in a folder that exists")


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


class _Stage:
    """A view set up for drawing; `close` takes it down."""

    def __init__(self, view: str, reader: SessionReader, seq: int | None, size: tuple[int, int], theme: Theme, vector: bool) -> None:
        self.app = drawing_application()
        apply(self.app, theme)
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self.store = Store(reader)
        self.focus = Focus()
        self.focus.following = False
        self.focus.seq = telling_moment(reader, view) if seq is None else seq
        if view in (WINDOW, "rings"):
            self.focus.oid = ring_at(reader, self.focus.seq)
        self.widget: QWidget = self._window(theme, size[0] < _NARROW) if view == WINDOW else self._view(view, theme, vector)
        self.widget.resize(*size)
        self.widget.show()
        for round_ in range(_MOST_ROUNDS):
            if round_ >= _SETTLE_ROUNDS and not any(view.isVisible() and getattr(view, "unfinished", False) for view in self.widget.findChildren(View)):
                break
            self._refresh()
            self.app.processEvents()

    def _view(self, name: str, theme: Theme, vector: bool) -> QWidget:
        view = load_view(name).make(self.store, self.focus, Commands())
        view.set_theme(theme)
        if isinstance(view, FigureView):
            view.prepare_figure(vector)
        self._refresh = view.refresh
        # in a frame without a layout the figure has the size that was asked for, whatever the view's least size is
        frame = _Frame()
        frame.hold(view)
        frame.setAttribute(Qt.WidgetAttribute.WA_DontShowOnScreen)
        return frame

    def _window(self, theme: Theme, narrow: bool) -> QWidget:
        from ringscope.settings import Settings
        from ringscope.window import Window

        # a window of its own settings: a figure neither follows nor changes a person's layout
        self._folder = tempfile.TemporaryDirectory()
        window = Window(self.store, self.focus, Commands(), theme, Settings(Path(self._folder.name) / "window.json"), narrow=narrow)
        self._refresh = window.tick
        return window

    def close(self) -> None:
        """Take the widgets down; the reader stays open, it is the caller's."""
        self.widget.close()
        self.widget.deleteLater()
        # without an event loop nobody would delete them, and each would be styled again for every later picture
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
        self.app.processEvents()
        if self._folder is not None:
            self._folder.cleanup()


def render(view: str, reader: SessionReader, seq: int | None = None, size: tuple[int, int] = DEFAULT_SIZE, theme: str = "light") -> QImage:
    """`view` of the recording after event `seq` (None: its telling moment) as an image of `size` pixels."""
    stage = _Stage(view, reader, seq, size, THEMES[theme], False)
    try:
        image = QImage(QSize(*size), QImage.Format.Format_RGB32)
        image.setDotsPerMeterX(_DPM)
        image.setDotsPerMeterY(_DPM)
        image.fill(THEMES[theme].color("window"))
        stage.widget.render(image)
        return image
    finally:
        stage.close()


def render_svg(view: str, reader: SessionReader, seq: int | None = None, size: tuple[int, int] = DEFAULT_SIZE, theme: str = "light") -> bytes:
    """The same as an SVG document."""
    from PySide6.QtSvg import QSvgGenerator

    stage = _Stage(view, reader, seq, size, THEMES[theme], True)
    try:
        data = QByteArray()
        buffer = QBuffer(data)
        buffer.open(QIODevice.OpenModeFlag.WriteOnly)
        generator = QSvgGenerator()
        generator.setOutputDevice(buffer)
        generator.setSize(QSize(*size))
        generator.setViewBox(QRect(0, 0, *size))
        generator.setResolution(96)
        generator.setTitle(f"Ringscope: {view}")
        painter = QPainter(generator)
        stage.widget.render(painter, QPoint(0, 0))
        painter.end()
        buffer.close()
        return bytes(data.data())
    finally:
        stage.close()


def png_bytes(image: QImage) -> bytes:
    """The image as a PNG file's bytes; the same image gives the same bytes."""
    data = QByteArray()
    buffer = QBuffer(data)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    writer = QImageWriter(buffer, QByteArray(b"PNG"))
    if not writer.write(image):
        raise OSError(f"the image cannot be written as PNG: {writer.errorString()}")
    return bytes(data.data())


def write_whole(path: Path, data: bytes) -> None:
    """Write a file at once or not at all: into a new one beside it, which then takes its name."""
    fresh = path.with_name(f".{path.name}.new")
    try:
        fresh.write_bytes(data)
        fresh.replace(path)
    except OSError as error:
        fresh.unlink(missing_ok=True)
        raise InputError("output", str(path), f"a file that can be written ({error.strerror})") from None


def draw(view: str, reader: SessionReader, path: Path, seq: int | None = None, size: tuple[int, int] = DEFAULT_SIZE, theme: str = "light") -> None:
    """Draw `view` into `path`, as PNG or SVG by its suffix."""
    if path.suffix.lower() == ".svg":
        write_whole(path, render_svg(view, reader, seq, size, theme))
    else:
        write_whole(path, png_bytes(render(view, reader, seq, size, theme)))
