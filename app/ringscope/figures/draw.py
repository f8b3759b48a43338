"""Figures as files: a specification and a recording in, the bytes of a PNG, SVG or PDF out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringscope.figures.alt import alt_text
from ringscope.figures.parse import check
from ringscope.figures.pdf_file import pdf_bytes
from ringscope.figures.png_file import painted, png_bytes
from ringscope.figures.stage import Stage
from ringscope.figures.svg_file import svg_bytes

if TYPE_CHECKING:
    from PySide6.QtGui import QImage

    from ringscope.figures.spec import FigureSpec
    from ringscope_core.session.reader import SessionReader


def image(spec: FigureSpec, reader: SessionReader) -> QImage:
    """The figure as pixels: `spec.size` times `spec.scale`, more with callouts in the margin, less when cropped.  Raises InputError."""
    check(spec, ".png")
    with Stage(spec, reader) as stage:
        return painted(stage)


def draw(spec: FigureSpec, reader: SessionReader, suffix: str) -> bytes:
    """The figure as a file's bytes, `suffix` one of ``.png``, ``.svg``, ``.pdf``; the same arguments give the same bytes.  Raises InputError."""
    suffix = suffix.lower()
    check(spec, suffix)
    with Stage(spec, reader) as stage:
        if suffix == ".svg":
            return svg_bytes(stage, _title(spec), alt_text(spec, reader))
        if suffix == ".pdf":
            return pdf_bytes(stage, _title(spec))
        return png_bytes(painted(stage))


def _title(spec: FigureSpec) -> str:
    """What the file is called by programs that show titles."""
    return f"Ringscope: {spec.view}"
