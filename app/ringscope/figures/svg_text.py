"""Texts of an SVG file: each as long as it was measured, in fonts that the file brings with it as far as it needs them."""

from __future__ import annotations

import base64
import io
from collections import defaultdict
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final
from xml.sax.saxutils import escape

from PySide6.QtGui import QFont

from ringscope.figures.numbers import number
from ringscope_resources import FONT_FAMILIES, font_file

if TYPE_CHECKING:
    from fontTools.ttLib import TTFont

_GENERIC: Final = {"JetBrains Mono": "monospace"}
"""What stands in where a program does not read fonts out of files; sans-serif for the others."""
_POINTS: Final = 72 / 96


class Texts:
    """Gathers the texts of one document; `faces` are the fonts they need."""

    def __init__(self) -> None:
        self._used: dict[tuple[str, bool, bool], set[str]] = defaultdict(set)

    def element(self, text: str, x: float, y: float, font: QFont, width: float, rest: str = "") -> str:
        """The ``text`` element that says `text` from (x, y) on, `width` pixels long; `rest` is more attributes."""
        families = [name for name in font.families() if name] or [font.family()]
        bold = font.weight() >= QFont.Weight.DemiBold
        italic = font.italic()
        # Qt measures and draws in whole pixels
        size = round(font.pixelSize() if font.pixelSize() > 0 else font.pointSizeF() / _POINTS)
        pieces = self._pieces(text, families, bold, italic)
        words = [f'x="{number(x)}" y="{number(y)}" font-family="{_named(families)}" font-size="{number(size)}"']
        words += ['font-weight="700"'] if bold else []
        words += ['font-style="italic"'] if italic else []
        if lines := [word for word, has in (("underline", font.underline()), ("line-through", font.strikeOut())) if has]:
            words.append(f'text-decoration="{" ".join(lines)}"')
        if len(text.strip()) > 1:
            words.append(f'textLength="{number(width)}" lengthAdjust="spacingAndGlyphs"')
        if text != " ".join(text.split()):
            words.append('xml:space="preserve"')
        # not every program looks for a missing letter in the families as they are listed
        said = "".join(
            escape(piece) if family == families[0] else f'<tspan font-family="{_named([family])}">{escape(piece)}</tspan>' for family, piece in pieces
        )
        return f"<text {' '.join(words)}{rest}>{said}</text>"

    def _pieces(self, text: str, families: list[str], bold: bool, italic: bool) -> list[tuple[str, str]]:
        """`text` cut by the family that each letter is in; notes which letters are used of each."""
        known = [name for name in families if name in FONT_FAMILIES]
        found: list[tuple[str, str]] = []
        for sign in text:
            family = next((name for name in known if ord(sign) in _signs(font_file(name, bold, italic))), "")
            if family:
                self._used[family, bold, italic].add(sign)
            family = family or families[0]
            if found and found[-1][0] == family:
                found[-1] = (family, found[-1][1] + sign)
            else:
                found.append((family, sign))
        return found

    def faces(self) -> list[str]:
        """A ``@font-face`` rule for each font, with the glyphs of the texts so far and no others."""
        return [
            f"@font-face{{font-family:'{family}';font-weight:{700 if bold else 400};font-style:{'italic' if italic else 'normal'};"
            f"src:url(data:font/woff2;base64,{_subset(font_file(family, bold, italic), ''.join(sorted(signs)))}) format('woff2')}}"
            for (family, bold, italic), signs in sorted(self._used.items())
        ]


def _named(families: list[str]) -> str:
    """The families as an attribute lists them, with a generic one behind them."""
    return ",".join(f"'{name}'" if " " in name else name for name in [*families, _GENERIC.get(families[0], "sans-serif")])


@lru_cache(maxsize=16)
def _signs(path: Path) -> frozenset[int]:
    """The characters that a font has."""
    return frozenset(_open(path).getBestCmap())


def _open(path: Path) -> TTFont:
    from fontTools.ttLib import TTFont

    # out of memory: a font that reads its tables when asked would keep its file open
    return TTFont(io.BytesIO(path.read_bytes()), lazy=True, recalcTimestamp=False)


@lru_cache(maxsize=256)
def _subset(path: Path, signs: str) -> str:
    """The glyphs of `signs` as woff2 in base64.  Kerning stays; what else a font would do by itself the figures do without."""
    from fontTools.subset import Options, Subsetter

    options = Options(hinting=False, layout_features=["kern"], notdef_outline=True, name_IDs=[1, 2], drop_tables=["DSIG", "STAT", "GDEF"])
    options.recalc_timestamp = False
    font = _open(path)
    chooser = Subsetter(options)
    chooser.populate(text=signs)
    chooser.subset(font)
    font.flavor = "woff2"
    data = io.BytesIO()
    font.save(data, reorderTables=None)
    return base64.b64encode(data.getvalue()).decode()
