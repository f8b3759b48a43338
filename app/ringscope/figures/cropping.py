"""How much of the room around a place a crop keeps: what is empty, up to a margin, and no slivers of neighbours."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPoint, QRect
from PySide6.QtGui import QImage, QPainter
from PySide6.QtWidgets import QWidget

CROP_MARGIN: Final = 16
"""Pixels kept around a crop that is not a whole part, where so many are empty."""
_OWN: Final = 3
"""Pixels outside a place that its own border may take."""
_NEAR: Final = 6
"""How much a channel may differ along an empty line."""

Pixels = npt.NDArray[np.int16]


def with_margin(root: QWidget, box: QRect) -> QRect:
    """`box` and the empty room around it, at most `CROP_MARGIN` pixels, inside `root`."""
    box = box.intersected(root.rect())
    if box.isEmpty():
        return box
    image = QImage(root.size(), QImage.Format.Format_RGB32)
    image.fill(root.palette().window().color())
    painter = QPainter(image)
    root.render(painter, QPoint(0, 0))
    painter.end()
    pixels = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine() // 4, 4)[:, : image.width(), :3].astype(np.int16)
    left, right = box.left(), box.right() + 1
    above = _empty([pixels[y, left:right] for y in range(box.top() - 1, max(box.top() - CROP_MARGIN, 0) - 1, -1)])
    below = _empty([pixels[y, left:right] for y in range(box.bottom() + 1, min(box.bottom() + 1 + CROP_MARGIN, image.height()))])
    box = box.adjusted(0, -above, 0, below)
    top, bottom = box.top(), box.bottom() + 1
    before = _empty([pixels[top:bottom, x] for x in range(box.left() - 1, max(box.left() - CROP_MARGIN, 0) - 1, -1)])
    behind = _empty([pixels[top:bottom, x] for x in range(box.right() + 1, min(box.right() + 1 + CROP_MARGIN, image.width()))])
    return box.adjusted(-before, 0, behind, 0)


def _empty(lines: list[Pixels]) -> int:
    """How many of `lines`, from a place outwards, come before anything else is drawn."""
    begin = next((at for at, line in enumerate(lines[: _OWN + 1]) if _even(line)), -1)
    if begin < 0:
        return 0
    ground = lines[begin][0]
    for at in range(begin, len(lines)):
        if not _even(lines[at]) or np.abs(lines[at][0] - ground).max() > _NEAR:
            return at
    return len(lines)


def _even(line: Pixels) -> bool:
    """Whether a line of pixels has one colour."""
    return bool((line.max(axis=0) - line.min(axis=0)).max() <= _NEAR)
