"""A stage as a PDF document of one page that is as large as the figure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QMarginsF, QSizeF
from PySide6.QtGui import QPageLayout, QPageSize, QPainter, QPdfWriter

if TYPE_CHECKING:
    from ringscope.figures.stage import Stage

_POINTS: Final = 72 / 96
"""Points of a logical pixel."""


def pdf_bytes(stage: Stage) -> bytes:
    """The figure as a PDF document's bytes."""
    data = QByteArray()
    buffer = QBuffer(data)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    writer = QPdfWriter(buffer)
    size = stage.size
    page = QPageSize(QSizeF(size.width() * _POINTS, size.height() * _POINTS), QPageSize.Unit.Point, "", QPageSize.SizeMatchPolicy.ExactMatch)
    writer.setPageLayout(QPageLayout(page, QPageLayout.Orientation.Portrait, QMarginsF(0, 0, 0, 0)))
    writer.setResolution(96)
    writer.setTitle(f"Ringscope: {stage.spec.view}")
    writer.setCreator("Ringscope")
    painter = QPainter(writer)
    stage.paint(painter)
    painter.end()
    buffer.close()
    return bytes(data.data())
