"""A stage as pixels, and those as a PNG file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QBuffer, QByteArray, QIODevice
from PySide6.QtGui import QImage, QImageWriter, QPainter

if TYPE_CHECKING:
    from ringscope.figures.stage import Stage

_DPM: Final = 3780
"""Dots per metre of 96 dpi; a picture of twice the scale has twice as many."""


def painted(stage: Stage) -> QImage:
    """The figure as an image of its size times its scale."""
    scale = stage.spec.scale
    size = stage.size
    image = QImage(round(size.width() * scale), round(size.height() * scale), QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(scale)
    image.fill(stage.theme.color("window"))
    painter = QPainter(image)
    stage.paint(painter)
    painter.end()
    image.setDevicePixelRatio(1)
    return sized(image, scale)


def sized(image: QImage, scale: float) -> QImage:
    """`image`, which from now on says that it has `scale` pixels for each logical one."""
    image.setDotsPerMeterX(round(_DPM * scale))
    image.setDotsPerMeterY(round(_DPM * scale))
    return image


def png_bytes(image: QImage) -> bytes:
    """The image as a PNG file's bytes; the same image gives the same bytes."""
    data = QByteArray()
    buffer = QBuffer(data)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    writer = QImageWriter(buffer, QByteArray(b"PNG"))
    if not writer.write(image):
        raise OSError(f"the image cannot be written as PNG: {writer.errorString()}")
    return bytes(data.data())
