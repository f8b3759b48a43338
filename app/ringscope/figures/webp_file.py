"""An animation as a WebP without loss, delays in milliseconds."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from PIL import Image

from ringscope.figures.files import write_whole
from ringscope.figures.gif_file import delays

if TYPE_CHECKING:
    from ringscope.figures.animation import Spool

UNIT: Final = 1000
"""Units a second."""
_LONGEST: Final = (1 << 24) - 1
_METHOD: Final = 2
"""How hard the encoder tries, 0 to 6: what is more costs much time and saves little of pictures like these."""


def write_webp(path: Path, spool: Spool, once: bool) -> None:
    """Write all pictures; raises InputError when the file cannot be written."""

    def pictures() -> Iterator[Image.Image]:
        for pixels in spool:
            yield Image.fromarray(np.stack((pixels >> 16 & 0xFF, pixels >> 8 & 0xFF, pixels & 0xFF), axis=-1).astype(np.uint8), "RGB")

    made = pictures()
    first = next(made)
    buffer = io.BytesIO()
    durations = delays(spool, UNIT, _LONGEST)
    loop = 1 if once else 0
    options = {"lossless": True, "quality": 60, "method": _METHOD, "loop": loop}
    first.save(buffer, "WEBP", save_all=True, append_images=made, duration=durations, **options)
    write_whole(path, buffer.getvalue())
