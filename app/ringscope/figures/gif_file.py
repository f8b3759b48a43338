"""An animation as a GIF: one palette, delays in hundredths of a second that add up to the true length."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt
from PIL import Image

from ringscope.figures.files import write_whole
from ringscope.figures.palette import Palette

if TYPE_CHECKING:
    from ringscope.figures.animation import Spool

_CLEAR: Final = 255
UNIT: Final = 100
"""Units a second."""
_LOOKED_AT: Final = 48
"""Pictures that the palette is made of."""
_LONGEST: Final = 65535
"""Units that one picture can last."""


def delays(spool: Spool, unit: int, longest: int = _LONGEST) -> list[int]:
    """How many units each picture lasts: its end less its beginning, both rounded, so that errors never add up."""
    ends = [round(still.end * unit) for still in spool.stills]
    starts = [round(still.start * unit) for still in spool.stills]
    return [min(max(end - start, 1), longest) for start, end in zip(starts, ends, strict=True)]


def write_gif(path: Path, spool: Spool, once: bool) -> None:
    """Write all pictures; raises InputError when the file cannot be written."""
    count = len(spool.stills)
    every = max(count // _LOOKED_AT, 1)
    palette = Palette(spool.pixels(place) for place in range(0, count, every))
    flat = palette.flat()

    def pictures() -> Iterator[Image.Image]:
        before: npt.NDArray[np.uint8] | None = None
        for pixels in spool:
            now = palette.indices(pixels)
            # what stays as it was is left clear: the file is a fraction as large
            image = Image.fromarray(now if before is None else np.where(now == before, np.uint8(_CLEAR), now), "P")
            image.putpalette([*flat, *([0] * (3 * (_CLEAR + 1) - len(flat)))])
            before = now
            yield image

    made = pictures()
    first = next(made)
    buffer = io.BytesIO()
    durations = [10 * delay for delay in delays(spool, UNIT)]
    loop = {} if once else {"loop": 0}
    first.save(
        buffer,
        "GIF",
        save_all=True,
        append_images=made,
        duration=durations if count > 1 else durations[0],
        optimize=False,
        disposal=1,
        transparency=_CLEAR,
        **loop,
    )
    write_whole(path, buffer.getvalue())
