"""Both themes are complete, legible, and told apart by people who see colours differently."""

from __future__ import annotations

import itertools
import math
import re

import pytest
from PySide6.QtGui import QColor

from ringscope.theme import DARK, LIGHT, PRINT, RING_STATES, Theme, contrast
from ringscope.theme_sheet import dock_sheet, style_sheet

BOTH = pytest.mark.parametrize("theme", [LIGHT, DARK, PRINT], ids=lambda theme: theme.name)
"""Those of windows and that of figures on paper."""

# Machado, Oliveira, Fernandes 2009: full protanopia, deuteranopia, tritanopia, on linear RGB
DEFICIENCIES = {
    "none": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protanopia": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deuteranopia": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "tritanopia": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
}


def lab(color: QColor, deficiency: str) -> tuple[float, float, float]:
    """CIE L*a*b* (D65) of a colour as it is seen."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (color.redF(), color.greenF(), color.blueF())]
    r, g, b = (min(max(sum(m * c for m, c in zip(row, linear, strict=True)), 0), 1) for row in DEFICIENCIES[deficiency])
    x, y, z = 0.4124 * r + 0.3576 * g + 0.1805 * b, 0.2126 * r + 0.7152 * g + 0.0722 * b, 0.0193 * r + 0.1192 * g + 0.9505 * b

    def f(t: float) -> float:
        return t ** (1 / 3) if t > 0.008856 else 7.787 * t + 16 / 116

    fx, fy, fz = f(x / 0.9505), f(y), f(z / 1.089)
    return 116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)


def test_both_themes_name_the_same_meanings() -> None:
    assert set(LIGHT.hexes) == set(DARK.hexes) == set(PRINT.hexes)
    assert all(re.fullmatch("#[0-9a-f]{6}", value) for theme in (LIGHT, DARK, PRINT) for value in theme.hexes.values())


@BOTH
@pytest.mark.parametrize("surface", ["window", "surface", "raised", "stripe", "hover", "selection", "accent.soft", "flash", "filter.valid", "filter.invalid"])
def test_text_is_legible_on_every_surface(theme: Theme, surface: str) -> None:
    assert contrast(theme.color("text"), theme.color(surface)) >= 7


@BOTH
@pytest.mark.parametrize("surface", ["window", "surface", "raised", "stripe"])
def test_quieter_texts_keep_four_and_a_half_to_one(theme: Theme, surface: str) -> None:
    quiet = ["text.muted", "text.faint", "unknown", "value", "link", "accent", "mark"]
    quiet += [name for name in theme.hexes if name.startswith(("severity.", "group.", "queue."))]
    for name in quiet:
        assert contrast(theme.color(name), theme.color(surface)) >= 4.5, name


@BOTH
def test_words_on_coloured_grounds(theme: Theme) -> None:
    assert contrast(theme.color("text.on_accent"), theme.color("accent")) >= 4.5
    for state in RING_STATES:
        assert contrast(theme.ring_text(state), theme.ring(state)) >= 4.5, state


@BOTH
@pytest.mark.parametrize("deficiency", DEFICIENCIES)
@pytest.mark.parametrize("names", [[f"ring.{s}" for s in RING_STATES], ["queue.tx", "queue.rx", "queue.ctrl"]], ids=["ring", "queue"])
def test_states_and_directions_are_told_apart(theme: Theme, deficiency: str, names: list[str]) -> None:
    for first, second in itertools.combinations(names, 2):
        distance = math.dist(lab(theme.color(first), deficiency), lab(theme.color(second), deficiency))
        assert distance >= 15, f"{first} and {second} for {deficiency}: {distance:.1f}"


@BOTH
def test_sheets_have_no_meaning_left_unfilled(theme: Theme) -> None:
    assert "@" not in style_sheet(theme.hexes, "Mono") + dock_sheet(theme.hexes)


def test_an_unknown_meaning_is_an_error_but_an_unknown_group_is_muted() -> None:
    with pytest.raises(KeyError):
        LIGHT.color("no.such")
    assert LIGHT.group("from a newer file") == LIGHT.color("text.muted")


def test_print_is_black_on_white_and_works_in_grey() -> None:
    """Paper and ink; the states of a slot keep apart where a printer has no colours."""
    assert PRINT.hex("window") == PRINT.hex("surface") == "#ffffff"
    assert PRINT.hex("text") == "#000000"
    lightness = sorted(lab(PRINT.ring(state), "none")[0] for state in RING_STATES)
    assert all(next_one - one >= 14 for one, next_one in itertools.pairwise(lightness))
