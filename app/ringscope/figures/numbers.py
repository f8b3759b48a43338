"""Numbers as SVG files say them."""

from __future__ import annotations


def number(value: float, digits: int = 2) -> str:
    """`value` with at most `digits` places, as short as it goes."""
    text = f"{value:.{digits}f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text
