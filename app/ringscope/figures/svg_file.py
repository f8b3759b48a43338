"""A stage as an SVG document: shapes and texts, no pixels, the fonts inside."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from ringscope.figures.engine import hear
from ringscope.figures.svg_engine import SvgEngine
from ringscope.figures.svg_page import Page

if TYPE_CHECKING:
    from ringscope.figures.stage import Stage


def svg_bytes(stage: Stage, title: str, description: str = "") -> bytes:
    """The figure as an SVG document's bytes; `title` and `description` are for who cannot see it."""
    size = stage.size
    page = Page(size.width(), size.height())
    hear(SvgEngine(page), size, stage.paint)
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
        f' width="{size.width()}" height="{size.height()}" viewBox="0 0 {size.width()} {size.height()}"'
        ' role="img" fill-rule="evenodd" stroke-linecap="square" stroke-linejoin="bevel"'
        # widths as in the picture, whatever the zoom; ``0x12`` as typed, also where the fonts are installed with all their ligatures
        " text-rendering=\"geometricPrecision\" style=\"font-variant-ligatures:none;font-feature-settings:'calt' 0,'liga' 0\">",
        f"<title>{escape(title)}</title>",
    ]
    if description:
        lines.append(f"<desc>{escape(description)}</desc>")
    return "\n".join([*lines, *page.body(), "</svg>", ""]).encode()
