"""An animation as a GIF: one palette, delays in hundredths of a second that add up to the true length."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PIL import Image

from ringscope.figures.files import write_whole
from ringscope.figures.palette import Palette

if TYPE_CHECKING:
    from ringscope.figures.animation import Spool

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
        for pixels in spool:
            image = Image.fromarray(palette.indices(pixels), "P")
            image.putpalette(flat)
            yield image

    made = pictures()
    first = next(made)
    buffer = io.BytesIO()
    durations = [10 * delay for delay in delays(spool, UNIT)]
    loop = {} if once else {"loop": 0}
    first.save(buffer, "GIF", save_all=True, append_images=made, duration=durations if count > 1 else durations[0], optimize=False, disposal=1, **loop)
    write_whole(path, buffer.getvalue())
