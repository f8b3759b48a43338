"""A stage as an SVG document: shapes and texts, no pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QRect
from PySide6.QtGui import QPainter
from PySide6.QtSvg import QSvgGenerator

if TYPE_CHECKING:
    from ringscope.figures.stage import Stage


def svg_bytes(stage: Stage) -> bytes:
    """The figure as an SVG document's bytes."""
    data = QByteArray()
    buffer = QBuffer(data)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    generator = QSvgGenerator(QSvgGenerator.SvgVersion.Svg11)
    generator.setOutputDevice(buffer)
    size = stage.size
    generator.setSize(size)
    generator.setViewBox(QRect(0, 0, size.width(), size.height()))
    generator.setResolution(96)
    generator.setTitle(f"Ringscope: {stage.spec.view}")
    painter = QPainter(generator)
    stage.paint(painter)
    painter.end()
    buffer.close()
    return bytes(data.data())
