"""Makes the Chinese fonts in ``resources/fonts`` again, from Noto Sans CJK: ``python tools/make_fonts.py FOLDER``.

FOLDER holds ``NotoSansCJK-Regular.ttc`` and ``NotoSansCJK-Bold.ttc`` (Debian's package fonts-noto-cjk; SIL Open Font License 1.1, reserved
font name "Source").  What comes out is the Simplified Chinese face cut down to the 6,763 characters of GB 2312, its punctuation and full-width forms,
and what the catalogue needs, under a family name of its own, so that a Noto that is installed cannot take its place.
Line metrics are Inter's: a line with Chinese in it is as high as one without.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTCollection, TTFont

ROOT = Path(__file__).resolve().parent.parent
FONTS = ROOT / "resources" / "fonts"
FAMILY = "Ringscope Sans SC"
FACE = "Noto Sans CJK SC"
STYLES = ("Regular", "Bold")
VERSION = "Version 2.004; subset by tools/make_fonts.py"
_PUNCTUATION = "\u2014\u2018\u2019\u201c\u201d\u2026\u00b7\u00d7\u2190\u2191\u2192\u2193\u2460\u2461\u2462\u2463\u2464\u2465\u2466\u2467\u2468\u2469"
_EPOCH_1904 = 3_700_000_000
"""The fonts' time stamp, seconds from 1904: the same bytes each time."""


def wanted() -> set[int]:
    """The code points that the fonts must have."""
    text = set(_PUNCTUATION)
    for row in (*range(0xA1, 0xA4), *range(0xB0, 0xF8)):
        for cell in range(0xA1, 0xFF):
            text.update(bytes((row, cell)).decode("gb2312", "ignore"))
    text.update(chr(code) for code in (*range(0x3000, 0x3020), *range(0xFF01, 0xFF5F), 0xFFE5))
    catalogue = ROOT / "resources" / "translations" / "zh.po"
    text.update(char for char in catalogue.read_text(encoding="utf-8") if ord(char) >= 0x2E80)
    return {ord(char) for char in text}


def _metrics(font: Any) -> None:
    """Lines as high as Inter's, in this font's units."""
    inter = TTFont(FONTS / "Inter-Regular.otf")
    scale = font["head"].unitsPerEm / inter["head"].unitsPerEm
    ours, theirs = font["hhea"], inter["hhea"]
    ours.ascent, ours.descent, ours.lineGap = (round(value * scale) for value in (theirs.ascent, theirs.descent, theirs.lineGap))
    os2 = font["OS/2"]
    os2.sTypoAscender, os2.sTypoDescender, os2.sTypoLineGap = ours.ascent, ours.descent, ours.lineGap
    os2.usWinAscent, os2.usWinDescent = ours.ascent, -ours.descent


def _names(font: Any, style: str) -> None:
    """The family's own name; the copyright and the licence stay."""
    table = font["name"]
    table.names = [record for record in table.names if record.nameID in (0, 7, 8, 9, 11, 13, 14) and record.platformID == 3 and record.langID == 0x409]
    compact = FAMILY.replace(" ", "")
    for number, text in ((1, FAMILY), (2, style), (3, f"{compact}-{style}"), (4, f"{FAMILY} {style}"), (5, VERSION), (6, f"{compact}-{style}")):
        table.setName(text, number, 3, 1, 0x409)
    cff = font["CFF "].cff
    cff.fontNames = [f"{compact}-{style}"]
    top = cff.topDictIndex[0]
    top.FamilyName, top.FullName = FAMILY, f"{FAMILY} {style}"


def make(collection: Path, style: str) -> Path:
    """One font file, from the collection of that style."""
    faces = TTCollection(collection, lazy=True).fonts
    font = next(face for face in faces if face["name"].getDebugName(1) == FACE or face["name"].getDebugName(16) == FACE)
    options = Options()
    options.hinting = False
    options.layout_features = []
    options.name_IDs = ["*"]
    options.notdef_outline = True
    options.drop_tables += ["vhea", "vmtx", "VORG", "BASE", "GPOS", "GSUB", "GDEF", "DSIG"]
    subsetter = Subsetter(options)
    subsetter.populate(unicodes=wanted())
    subsetter.subset(font)
    _metrics(font)
    _names(font, style)
    font["head"].modified = font["head"].created = _EPOCH_1904
    font.recalcTimestamp = False
    output = FONTS / f"RingscopeSansSC-{style}.otf"
    font.save(output)
    return output


def main() -> int:
    """Make both; says their sizes."""
    if len(sys.argv) != 2:
        print("usage: python tools/make_fonts.py FOLDER-WITH-NotoSansCJK-*.ttc", file=sys.stderr)
        return 2
    for style in STYLES:
        source = Path(sys.argv[1]) / f"NotoSansCJK-{style}.ttc"
        if not source.is_file():
            print(f"there is no {source}", file=sys.stderr)
            return 2
        output = make(source, style)
        print(f"{output.name}: {output.stat().st_size:,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
