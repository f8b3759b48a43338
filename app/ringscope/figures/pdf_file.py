"""A stage as a PDF document of one page that is as large as the figure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from xml.sax.saxutils import escape

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QMarginsF, QSizeF
from PySide6.QtGui import QPageLayout, QPageSize, QPainter, QPdfWriter

from ringscope.figures.engine import SCREEN_DPI, hear
from ringscope.figures.pdf_engine import AgainEngine
from ringscope.figures.pdf_fixed import fixed

if TYPE_CHECKING:
    from ringscope.figures.stage import Stage

_POINTS: Final = 72 / SCREEN_DPI
"""Points of a logical pixel."""
_METADATA: Final = """<?xpacket begin='' id='W5M0MpCehiHzreSzNTczkc9d'?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/">
<dc:title><rdf:Alt><rdf:li xml:lang="x-default">{title}</rdf:li></rdf:Alt></dc:title>
</rdf:Description></rdf:RDF></x:xmpmeta>
<?xpacket end='r'?>"""


def pdf_bytes(stage: Stage, title: str) -> bytes:
    """The figure as a PDF document's bytes: shapes, texts that can be selected, its fonts inside."""
    data = QByteArray()
    buffer = QBuffer(data)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    writer = QPdfWriter(buffer)
    size = stage.size
    page = QPageSize(QSizeF(size.width() * _POINTS, size.height() * _POINTS), QPageSize.Unit.Point, "", QPageSize.SizeMatchPolicy.ExactMatch)
    writer.setPageLayout(QPageLayout(page, QPageLayout.Orientation.Portrait, QMarginsF(0, 0, 0, 0)))
    writer.setResolution(SCREEN_DPI)
    writer.setTitle(title)
    writer.setCreator("Ringscope")
    writer.setDocumentXmpMetadata(QByteArray(_METADATA.format(title=escape(title)).encode()))
    painter = QPainter(writer)
    # what is a picture stays one: no JPEG
    painter.setRenderHint(QPainter.RenderHint.LosslessImageRendering)
    hear(AgainEngine(painter), size, stage.paint)
    painter.end()
    buffer.close()
    return fixed(bytes(data.data()))
