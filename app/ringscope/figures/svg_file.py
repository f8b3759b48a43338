"""A stage as an SVG document: shapes and texts, no pixels, the fonts inside."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QRect
from PySide6.QtGui import QPainter
from PySide6.QtSvg import QSvgGenerator

from ringscope.figures.svg_shapes import ROOT, grouped, tidy
from ringscope.figures.svg_text import Texts

if TYPE_CHECKING:
    from ringscope.figures.stage import Stage


def svg_bytes(stage: Stage, title: str, description: str = "") -> bytes:
    """The figure as an SVG document's bytes; `title` and `description` are for who cannot see it."""
    texts = Texts()
    shapes, box = tidy(_painted(stage), texts)
    size = stage.size
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="{size.width()}" height="{size.height()}" viewBox="{box}"'
        f' role="img" {ROOT}>',
        f"<title>{escape(title)}</title>",
    ]
    if description:
        lines.append(f"<desc>{escape(description)}</desc>")
    body = grouped(shapes)
    lines += ["<style>", *texts.faces(), "</style>", *body, "</svg>", ""]
    return "\n".join(lines).encode()


def _painted(stage: Stage) -> bytes:
    """What Qt makes of it."""
    data = QByteArray()
    buffer = QBuffer(data)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    generator = QSvgGenerator(QSvgGenerator.SvgVersion.Svg11)
    generator.setOutputDevice(buffer)
    size = stage.size
    generator.setSize(size)
    generator.setViewBox(QRect(0, 0, size.width(), size.height()))
    generator.setResolution(96)
    painter = QPainter(generator)
    stage.paint(painter)
    painter.end()
    buffer.close()
    return bytes(data.data())
