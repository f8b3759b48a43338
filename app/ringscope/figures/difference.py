"""Shows how two versions of a figure differ: old, new and the marked difference side by side; for texts a unified diff."""

from __future__ import annotations

import difflib
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from ringscope.figures.spec import ANIMATIONS, TEXTS

if TYPE_CHECKING:
    from PySide6.QtGui import QImage

SUFFIXES: Final = (".png", ".diff")
"""Of what shows a difference."""
_GAP: Final = 16
_TITLE: Final = 28
_PAD: Final = 3
"""Pixels that a mark is wider than what it marks."""
_CELL: Final = 24
"""Differences nearer than this are one place."""
_MARK: Final = (214, 0, 110)
_ENOUGH: Final = 200
"""Places that are framed; more are one large one."""


@dataclass(frozen=True, slots=True)
class Difference:
    """What `compare` found."""

    text: str
    """One line."""
    data: bytes
    """A PNG, or the unified diff; empty where nothing can be shown."""
    suffix: str


def compare(old: bytes, new: bytes, suffix: str, name: str = "") -> Difference:
    """How `old` and `new`, two files of type `suffix`, differ."""
    if suffix in TEXTS:
        return _texts(old, new, name)
    if suffix in ANIMATIONS:
        return _animations(old, new)
    first, second = rasterise(old, suffix), rasterise(new, suffix)
    if first is None or second is None:
        what = "the old file is no picture" if first is None and second is not None else "it cannot be rasterised here"
        return Difference(f"{len(old):,} bytes were, {len(new):,} are ({what})", b"", "")
    return _pictures(first, second)


def _texts(old: bytes, new: bytes, name: str) -> Difference:
    before, after = (data.decode(errors="replace").splitlines(keepends=True) for data in (old, new))
    lines = list(difflib.unified_diff(before, after, f"{name} (old)", f"{name} (new)"))
    gone = sum(line.startswith("-") and not line.startswith("---") for line in lines)
    come = sum(line.startswith("+") and not line.startswith("+++") for line in lines)
    said = f"{gone} lines gone, {come} lines new" if lines else "only line ends differ"
    return Difference(said, "".join(line if line.endswith("\n") else f"{line}\n" for line in lines).encode(), ".diff")


# -- pictures -----------------------------------------------------------------------------------------------------------
def rasterise(data: bytes, suffix: str) -> QImage | None:
    """The picture in a file as pixels, None when it is none or no renderer is installed."""
    from ringscope.figures.application import drawing_application

    drawing_application()
    if suffix == ".svg":
        return _svg(data)
    if suffix == ".pdf":
        return _pdf(data)
    from PySide6.QtGui import QImage

    image = QImage.fromData(data)
    return None if image.isNull() else image.convertToFormat(QImage.Format.Format_RGB32)


def _svg(data: bytes) -> QImage | None:
    from PySide6.QtCore import QByteArray
    from PySide6.QtGui import QImage, QPainter
    from PySide6.QtSvg import QSvgRenderer

    renderer = QSvgRenderer(QByteArray(data))
    # the size of the document is in millimetres, the box in logical pixels
    size = renderer.viewBox().size()
    if not renderer.isValid() or size.isEmpty():
        return None
    image = QImage(size, QImage.Format.Format_RGB32)
    image.fill(0xFFFFFFFF)
    painter = QPainter(image)
    renderer.render(painter)
    painter.end()
    return image


def _pdf(data: bytes) -> QImage | None:
    """Qt's own PDF module is not part of PySide6-Essentials, so whichever renderer there is."""
    from PySide6.QtGui import QImage

    try:
        import pypdfium2
    except ImportError:
        return None
    try:
        document = pypdfium2.PdfDocument(data)
        # 72 points are 96 logical pixels
        picture = document[0].render(scale=96 / 72).to_numpy()
    except (pypdfium2.PdfiumError, IndexError):
        return None
    blue_green_red = np.ascontiguousarray(picture[:, :, :3])
    height, width = blue_green_red.shape[:2]
    return QImage(blue_green_red.tobytes(), width, height, 3 * width, QImage.Format.Format_BGR888).convertToFormat(QImage.Format.Format_RGB32)


def pixels(image: QImage) -> NDArray[np.uint8]:
    """Rows of (red, green, blue)."""
    from PySide6.QtGui import QImage

    plain = image.convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(plain.constBits(), np.uint8).reshape(plain.height(), plain.bytesPerLine())
    return rows[:, : 3 * plain.width()].reshape(plain.height(), plain.width(), 3).copy()


def _animations(old: bytes, new: bytes) -> Difference:
    """The first picture that differs."""
    before, after = _stills(old), _stills(new)
    if not before or not after:
        return Difference(f"{len(old):,} bytes were, {len(new):,} are (the old file is no animation)", b"", "")
    same = 0
    while same < min(len(before), len(after)) and np.array_equal(pixels(before[same]), pixels(after[same])):
        same += 1
    said = f"{len(before)} pictures were, {len(after)} are; " if len(before) != len(after) else ""
    if same == min(len(before), len(after)):
        return Difference(f"{said}the pictures are the same, how long they last or the bytes of the file are not", b"", "")
    found = _pictures(before[same], after[same])
    return Difference(f"{said}picture {same + 1} is the first that differs: {found.text}", found.data, found.suffix)


def _stills(data: bytes) -> list[QImage]:
    """The pictures of an animation, none when it is no such file."""
    from PIL import Image, ImageSequence
    from PySide6.QtGui import QImage

    try:
        with Image.open(io.BytesIO(data)) as moving:
            frames = [frame.convert("RGB") for frame in ImageSequence.Iterator(moving)]
    except (OSError, ValueError):
        return []
    return [QImage(frame.tobytes(), *frame.size, 3 * frame.width, QImage.Format.Format_RGB888).convertToFormat(QImage.Format.Format_RGB32) for frame in frames]


def _pictures(old: QImage, new: QImage) -> Difference:
    a, b = pixels(old), pixels(new)
    height, width = max(a.shape[0], b.shape[0]), max(a.shape[1], b.shape[1])
    wide_a, wide_b = _padded(a, height, width), _padded(b, height, width)
    changed = (wide_a != wide_b).any(axis=2)
    changed[min(a.shape[0], b.shape[0]) :, :] = True
    changed[:, min(a.shape[1], b.shape[1]) :] = True
    count = int(changed.sum())
    if not count:
        return Difference("the pixels are the same, the bytes of the file are not", b"", "")
    found = places(changed)
    said = f"{count:,} of {height * width:,} pixels in {len(found)} place{'s' if len(found) != 1 else ''}, the first at {found[0][0]},{found[0][1]}"
    if a.shape != b.shape:
        said = f"{a.shape[1]}x{a.shape[0]} was, {b.shape[1]}x{b.shape[0]} is; {said}"
    return Difference(said, _side_by_side(wide_a, wide_b, _marked(wide_b, changed), found), ".png")


def _padded(rows: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    out = np.full((height, width, 3), 255, np.uint8)
    out[: rows.shape[0], : rows.shape[1]] = rows
    return out


def places(changed: NDArray[np.bool_]) -> list[tuple[int, int, int, int]]:
    """Frames (x, y, width, height) around what changed, from the top; what is near to each other is in one."""
    height, width = changed.shape
    grid = np.zeros((-(-height // _CELL), -(-width // _CELL)), bool)
    ys, xs = changed.nonzero()
    grid[ys // _CELL, xs // _CELL] = True
    found: list[tuple[int, int, int, int]] = []
    left = {(int(y), int(x)) for y, x in zip(*grid.nonzero(), strict=True)}
    while left:
        seed = min(left)
        left.discard(seed)
        group, edge = [seed], [seed]
        while edge:
            y, x = edge.pop()
            for near in [(y + dy, x + dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)]:
                if near in left:
                    left.discard(near)
                    group.append(near)
                    edge.append(near)
        top, bottom = min(y for y, _ in group) * _CELL, (max(y for y, _ in group) + 1) * _CELL
        start, end = min(x for _, x in group) * _CELL, (max(x for _, x in group) + 1) * _CELL
        inner_y, inner_x = changed[top:bottom, start:end].nonzero()
        x, y = start + int(inner_x.min()), top + int(inner_y.min())
        found.append((x, y, int(inner_x.max() - inner_x.min()) + 1, int(inner_y.max() - inner_y.min()) + 1))
    found.sort(key=lambda frame: (frame[1], frame[0]))
    return found


def _marked(rows: NDArray[np.uint8], changed: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """The new picture pale and grey, with what changed in one loud colour."""
    grey = rows.mean(axis=2)
    pale = (255 - (255 - grey) * 0.35).astype(np.uint8)
    out = np.repeat(pale[:, :, None], 3, axis=2)
    out[changed] = _MARK
    return out


def _side_by_side(old: NDArray[np.uint8], new: NDArray[np.uint8], marked: NDArray[np.uint8], found: list[tuple[int, int, int, int]]) -> bytes:
    from PySide6.QtCore import QRect, Qt
    from PySide6.QtGui import QColor, QFont, QImage, QPainter, QPen

    from ringscope.figures.png_file import png_bytes

    height, width = old.shape[:2]
    sheet = QImage(3 * width + 4 * _GAP, height + _TITLE + 2 * _GAP, QImage.Format.Format_RGB32)
    sheet.fill(QColor("#d8dade"))
    painter = QPainter(sheet)
    font = QFont("Inter")
    font.setPixelSize(15)
    painter.setFont(font)
    for place, (title, rows) in enumerate((("old", old), ("new", new), ("difference", marked))):
        x, y = _GAP + place * (width + _GAP), _GAP + _TITLE
        painter.setPen(QColor("#16181d"))
        painter.drawText(QRect(x, _GAP, width, _TITLE), Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, title)
        data = rows.tobytes()
        painter.drawImage(x, y, QImage(data, width, height, 3 * width, QImage.Format.Format_RGB888))
        if place:
            painter.setPen(QPen(QColor(*_MARK), 2))
            for left, top, wide, high in found[:_ENOUGH]:
                painter.drawRect(x + left - _PAD, y + top - _PAD, wide + 2 * _PAD, high + 2 * _PAD)
    painter.end()
    return png_bytes(sheet)
