"""An animation as a folder of PNG files, one for every picture in the order of time: what video tools take."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from PySide6.QtGui import QImage

from ringscope.figures.files import check_writable
from ringscope.figures.png_file import png_bytes
from ringscope_core.scenario.errors import InputError

if TYPE_CHECKING:
    from ringscope.figures.animation import Spool
    from ringscope.figures.shots import Shot

_NAME: Final = re.compile(r"^\d{4,}\.png$")
_DPM: Final = 3780


def check_folder(path: Path) -> None:
    """Raise InputError unless `path` is new, empty, or holds nothing but the pictures of an earlier animation."""
    if path.exists() and not path.is_dir():
        raise InputError("output", str(path), "a folder, or a file ending in .gif or .webp")
    if path.is_dir() and any(not _NAME.match(entry.name) for entry in path.iterdir()):
        raise InputError("output", str(path), "a new folder, or one with nothing but numbered pictures: this one holds other files")
    if not path.absolute().parent.is_dir():
        raise InputError("output", str(path), "a folder in one that exists")
    # the new folder takes the place of the old one
    check_writable(path.absolute().parent, "output", path)


def write_folder(path: Path, spool: Spool, plan: list[Shot], scale: float = 1.0) -> None:
    """``0000.png`` and on, a file for each of `plan`; all of them or none.  Raises InputError."""
    check_folder(path)
    digits = max(4, len(str(len(plan) - 1)))
    fresh = path.absolute().parent / f".{path.name}.{os.getpid()}.new"
    try:
        fresh.mkdir()
        number = 0
        for still, pixels in zip(spool.stills, spool, strict=True):
            data = png_bytes(_image(pixels, scale))
            while number < len(plan) and plan[number].end <= still.end:
                (fresh / f"{number:0{digits}}.png").write_bytes(data)
                number += 1
        if path.is_dir():
            shutil.rmtree(path)
        fresh.rename(path)
    except OSError as error:
        raise InputError("output", str(path), f"a folder that can be written ({error.strerror})") from None
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _image(pixels: np.ndarray[tuple[int, int], np.dtype[np.uint32]], scale: float) -> QImage:
    """As a still figure's, to the byte."""
    height, width = pixels.shape
    data = (pixels | np.uint32(0xFF000000)).tobytes()
    image = QImage(data, width, height, 4 * width, QImage.Format.Format_RGB32).copy()
    image.setDotsPerMeterX(round(_DPM * scale))
    image.setDotsPerMeterY(round(_DPM * scale))
    return image
