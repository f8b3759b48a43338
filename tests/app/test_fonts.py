"""The fonts that ship: every family has its files, and what Chinese needs is among them."""

from __future__ import annotations

import pytest
from fontTools.ttLib import TTFont
from PySide6.QtGui import QFontDatabase, QFontInfo, QFontMetricsF, QRawFont

import ringscope_resources
from ringscope.theme import HAN_FAMILY, LIGHT, apply, mono_font, ui_font
from ringscope_resources import FONT_FAMILIES, font_file, fonts


def test_the_table_of_families_names_every_file_and_its_family() -> None:
    beginnings = {path.name.split("-")[0] for path in fonts()}
    assert beginnings == set(FONT_FAMILIES.values())
    for family in FONT_FAMILIES:
        for bold in (False, True):
            path = font_file(family, bold)
            names = TTFont(path)["name"]
            assert names.getDebugName(1) == family
            assert ("Bold" in path.name) is bold


def test_italic_is_had_where_there_is_one() -> None:
    assert font_file("Inter", italic=True).name == "Inter-Italic.otf"
    assert font_file(HAN_FAMILY, italic=True).name == "RingscopeSansSC-Regular.otf"
    with pytest.raises(KeyError):
        font_file("Times")


@pytest.mark.parametrize("bold", [False, True])
def test_chinese_font_has_gb_2312_and_the_catalogue(bold: bool) -> None:
    has = set(TTFont(font_file(HAN_FAMILY, bold)).getBestCmap())
    han = [bytes((row, cell)).decode("gb2312", "ignore") for row in range(0xB0, 0xF8) for cell in range(0xA1, 0xFF)]
    assert {char for char in han if char and ord(char) not in has} == set()
    assert sum(bool(char) for char in han) == 6763
    catalogue = ringscope_resources.path("translations", "zh.po").read_text(encoding="utf-8")
    assert {char for char in catalogue if ord(char) >= 0x2E80 and ord(char) not in has} == set()


def test_chinese_fonts_are_small_and_under_a_name_of_their_own() -> None:
    files = [font_file(HAN_FAMILY, bold) for bold in (False, True)]
    assert sum(path.stat().st_size for path in files) < 4_000_000
    licence = ringscope_resources.path("fonts", "OFL.txt").read_text(encoding="utf-8")
    assert all(path.name in licence for path in files)
    assert "Reserved Font Name 'Source'" in licence


@pytest.mark.parametrize("mono", [False, True], ids=["ui", "mono"])
def test_latin_and_line_height_stay_what_they_are_without_chinese(qapp, mono: bool) -> None:
    apply(qapp, LIGHT)
    assert HAN_FAMILY in QFontDatabase.families()
    font = mono_font(11) if mono else ui_font(11)
    family = "JetBrains Mono" if mono else "Inter"
    assert QFontInfo(font).family() == family
    raw = QRawFont.fromFont(font)
    assert raw.familyName() == family
    latin = QFontMetricsF(font)
    # each Chinese character is one em wide, from our file and no other
    em = QRawFont(str(font_file(HAN_FAMILY)), raw.pixelSize()).advancesForGlyphIndexes(
        QRawFont(str(font_file(HAN_FAMILY)), raw.pixelSize()).glyphIndexesForString("环")
    )
    assert latin.horizontalAdvance("环") == pytest.approx(em[0].x(), abs=0.6)
    assert latin.boundingRect("Qg环").height() == latin.boundingRect("Qg").height()
