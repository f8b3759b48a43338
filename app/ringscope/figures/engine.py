"""What the paint engines of figures have in common: the surface they stand for, the clip that holds, and what goes wrong."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Final

from PySide6.QtCore import QSize
from PySide6.QtGui import QPaintDevice, QPaintEngine, QPaintEngineState, QPainter, QPainterPath, QRegion

SCREEN_DPI: Final = 96
"""Logical pixels of an inch."""


def kept(method: Callable[..., None]) -> Callable[..., None]:
    """What goes wrong while Qt is painting is kept for afterwards: Qt's own frames must not see an exception."""

    @wraps(method)
    def careful(self: Engine, *args: Any) -> None:
        if self.problem is None:
            try:
                method(self, *args)
            except Exception as error:
                self.problem = error

    return careful


class Engine(QPaintEngine):
    """Hears of everything that is painted on its `Surface`; by itself it does nothing with it."""

    def __init__(self) -> None:
        super().__init__(QPaintEngine.PaintEngineFeature.AllFeatures)
        self.problem: Exception | None = None
        """The first thing that went wrong."""
        self._cut: QRegion | None = None
        self._stale = True

    # -- what Qt asks -------------------------------------------------------------------------------------------------
    def begin(self, pdev: QPaintDevice) -> bool:
        """Painting begins."""
        return True

    def end(self) -> bool:
        """Painting has ended."""
        return True

    def type(self) -> QPaintEngine.Type:
        """One of our own: Qt takes an engine of type SVG or PDF for its own class."""
        return QPaintEngine.Type.User

    def updateState(self, state: QPaintEngineState) -> None:
        """Only clips are remembered; the rest is asked for when something is painted."""
        flags = QPaintEngine.DirtyFlag
        if state.state() & (flags.DirtyClipPath | flags.DirtyClipRegion | flags.DirtyClipEnabled):
            self._stale = True

    def drawPath(self, *args: Any) -> None:
        """Fill and outline."""

    def drawPolygon(self, *args: Any) -> None:
        """A polygon, or a line through points."""

    def drawRects(self, *args: Any) -> None:
        """Rectangles."""

    def drawLines(self, *args: Any) -> None:
        """Lines."""

    def drawEllipse(self, *args: Any) -> None:
        """An ellipse."""

    def drawPoints(self, *args: Any) -> None:
        """Dots of the pen's width."""

    def drawTextItem(self, *args: Any) -> None:
        """Text in one font."""

    def drawPixmap(self, *args: Any) -> None:
        """A picture."""

    def drawTiledPixmap(self, *args: Any) -> None:
        """A pattern of pictures."""

    def drawImage(self, *args: Any) -> None:
        """A picture."""

    # -- clips --------------------------------------------------------------------------------------------------------
    def clip_changed(self) -> bool:
        """Whether `outline` may be another than when this was asked the last time."""
        cut = self.systemClip()
        if not self._stale and cut == self._cut:
            return False
        self._stale, self._cut = False, QRegion(cut)
        return True

    def outline(self) -> QPainterPath | None:
        """The clip that holds now, the widget's and the painter's together, in the surface's pixels; None where nothing is cut."""
        painter, cut = self.painter(), self.systemClip()
        outline: QPainterPath | None = None
        if not cut.isEmpty():
            outline = QPainterPath()
            outline.addRegion(cut)
        if painter.hasClipping():
            own = painter.deviceTransform().map(painter.clipPath())
            outline = own if outline is None else outline.intersected(own)
        return outline


class Surface(QPaintDevice):
    """A surface of `size` logical pixels at a screen's resolution, whose paintings `engine` hears of."""

    def __init__(self, size: QSize, engine: Engine) -> None:
        super().__init__()
        self.engine = engine
        metric = QPaintDevice.PaintDeviceMetric
        self._metrics = {
            metric.PdmWidth: size.width(),
            metric.PdmHeight: size.height(),
            metric.PdmWidthMM: round(size.width() * 25.4 / SCREEN_DPI),
            metric.PdmHeightMM: round(size.height() * 25.4 / SCREEN_DPI),
            metric.PdmDpiX: SCREEN_DPI,
            metric.PdmDpiY: SCREEN_DPI,
            metric.PdmPhysicalDpiX: SCREEN_DPI,
            metric.PdmPhysicalDpiY: SCREEN_DPI,
            metric.PdmDepth: 32,
            metric.PdmNumColors: 1 << 24,
            metric.PdmDevicePixelRatioScaled: int(QPaintDevice.devicePixelRatioFScale()),
        }

    def paintEngine(self) -> QPaintEngine:
        """The engine."""
        return self.engine

    def metric(self, metric: QPaintDevice.PaintDeviceMetric) -> int:
        """Sizes and resolution."""
        return self._metrics.get(metric, 1)


def hear(engine: Engine, size: QSize, paint: Callable[[QPainter], None]) -> None:
    """Have `engine` hear of what `paint` paints on a surface of `size` logical pixels.  Raises what went wrong in the engine."""
    surface = Surface(size, engine)
    painter = QPainter(surface)
    paint(painter)
    painter.end()
    if engine.problem is not None:
        raise engine.problem
