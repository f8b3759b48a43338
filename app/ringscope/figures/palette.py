"""One palette for all pictures of an animation: the commonest colours exactly, the rest by median cut, so that nothing flickers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image

COLORS: Final = 255
"""One index is left for what does not change from one picture to the next."""
_EXACT: Final = 160
"""Of a picture with more colours than fit: how many of the commonest are kept as they are."""
_UNSET: Final = 0xFFFF

Pixels = npt.NDArray[np.uint32]


class Palette:
    """At most 255 colours, and the nearest of them for any other."""

    def __init__(self, pictures: Iterable[Pixels]) -> None:
        """Made of `pictures`, each rows of 0xRRGGBB."""
        counts: dict[int, int] = {}
        for picture in pictures:
            colors, numbers = np.unique(picture, return_counts=True)
            for color, number in zip(colors.tolist(), numbers.tolist(), strict=True):
                counts[color] = counts.get(color, 0) + number
        ranked = sorted(counts, key=lambda color: (-counts[color], color))
        self.exact: bool = len(ranked) <= COLORS
        """Whether every colour that was looked at is in it."""
        colors_kept = ranked if self.exact else ranked[:_EXACT] + _cut(ranked[_EXACT:], COLORS - _EXACT)
        self.colors: list[int] = sorted(set(colors_kept))
        self._rgb = _channels(np.array(self.colors, np.uint32))
        self._table = np.full(1 << 24, _UNSET, np.uint16)

    def flat(self) -> list[int]:
        """Red, green and blue of each colour, one after another."""
        return [int(channel) for color in self._rgb for channel in color]

    def indices(self, picture: Pixels) -> npt.NDArray[np.uint8]:
        """Each pixel as a place in the palette."""
        found = self._table[picture]
        missing = np.unique(picture[found == _UNSET])
        if len(missing):
            for part in np.array_split(missing, max(len(missing) // 4096, 1)):
                away = ((_channels(part)[:, None, :] - self._rgb[None, :, :]) ** 2).sum(axis=2)
                self._table[part] = away.argmin(axis=1).astype(np.uint16)
            found = self._table[picture]
        return found.astype(np.uint8)


def _channels(colors: Pixels) -> npt.NDArray[np.int32]:
    return np.stack((colors >> 16, colors >> 8 & 0xFF, colors & 0xFF), axis=-1).astype(np.int32)


def _cut(colors: list[int], count: int) -> list[int]:
    """`count` colours that stand for `colors`, each of which counts once."""
    image = Image.fromarray(_channels(np.array([colors], np.uint32)).astype(np.uint8), "RGB")
    chosen = image.quantize(count, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).getpalette() or []
    return [chosen[at] << 16 | chosen[at + 1] << 8 | chosen[at + 2] for at in range(0, min(len(chosen), 3 * count), 3)]
