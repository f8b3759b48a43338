"""A picture that can be zoomed, moved and fitted: the frame of every graph."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QKeyEvent, QPainter, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QGraphicsScene, QGraphicsView

LARGEST: Final = 3.0
SMALLEST: Final = 0.15
MARGIN: Final = 16.0


class GraphView(QGraphicsView):
    """Wheel zooms at the pointer, dragging moves, 0 fits.  While nobody zoomed, a resize fits again."""

    def __init__(self, scene: QGraphicsScene) -> None:
        super().__init__(scene)
        self.setRenderHint(QPainter.RenderHint.Antialiasing)
        self.setDragMode(QGraphicsView.DragMode.ScrollHandDrag)
        self.setTransformationAnchor(QGraphicsView.ViewportAnchor.AnchorUnderMouse)
        self.setViewportUpdateMode(QGraphicsView.ViewportUpdateMode.SmartViewportUpdate)
        self.setFrameShape(QGraphicsView.Shape.NoFrame)
        self.fitted: bool = True
        """Whether the picture is shown whole, and is to stay so."""

    def fit(self, largest: float = 1.25) -> None:
        """Show everything, at most `largest` times its size."""
        box = self._drawn().adjusted(-MARGIN, -MARGIN, MARGIN, MARGIN)
        self.setSceneRect(box)
        if box.isEmpty() or self.viewport().width() < 10:
            return
        scale = min(self.viewport().width() / box.width(), self.viewport().height() / box.height(), largest)
        self.resetTransform()
        self.scale(scale, scale)
        self.centerOn(box.center())
        self.fitted = True

    def _drawn(self) -> QRectF:
        """What is to be seen of the scene: items that are folded away still lie where they were."""
        box = QRectF()
        for item in self.scene().items():
            if item.isVisible():
                box |= item.sceneBoundingRect()
        return box

    def zoom(self, factor: float) -> None:
        """Scale by `factor`, within bounds."""
        now = self.transform().m11()
        factor = min(max(now * factor, SMALLEST), LARGEST) / now
        self.scale(factor, factor)
        self.fitted = False

    def reveal(self, box: QRectF) -> None:
        """Bring `box` into sight."""
        self.ensureVisible(box, 40, 40)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fit again when the picture was fitted."""
        super().resizeEvent(event)
        if self.fitted:
            self.fit()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom."""
        self.zoom(1.15 if event.angleDelta().y() > 0 else 1 / 1.15)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """+ and - zoom, 0 fits."""
        if event.key() in (Qt.Key.Key_Plus, Qt.Key.Key_Equal):
            self.zoom(1.25)
        elif event.key() == Qt.Key.Key_Minus:
            self.zoom(0.8)
        elif event.key() == Qt.Key.Key_0:
            self.fit()
        else:
            super().keyPressEvent(event)
