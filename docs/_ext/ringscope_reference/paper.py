"""What paper needs: tables whose columns get shares of the page by what stands in them, and questions that stay with their answers."""

from __future__ import annotations

import re
from typing import Any, Final

from docutils import nodes
from sphinx.transforms.post_transforms import SphinxPostTransform

LONGEST: Final = 70
"""A cell with more letters goes over several lines."""
LEAST: Final = 6
PAGE: Final = 92
"""Letters of code that a page is wide, in a table's type."""
PADDING: Final = 3
LONG: Final = 8
"""Tables with more rows may go over several pages."""
NEEDED: Final = r"\needspace{9\baselineskip}"
"""Room for a question of two lines, the title of the box and the first lines in it."""
_BREAKS: Final = re.compile(r"[\s_./:,;=|-]")
GIVEN: Final = "colwidths-given"


class PaperTables(SphinxPostTransform):
    """Gives widths to the columns of tables whose author gave none."""

    default_priority = 400
    builders = ("latex",)

    def run(self, **_: Any) -> None:
        """All tables of the document."""
        for table in self.document.findall(nodes.table):
            if len(list(table.findall(nodes.row))) > LONG:
                table["classes"] = [*table["classes"], "longtable"]
            if GIVEN not in table["classes"]:
                table["classes"] = [*(name for name in table["classes"] if not name.startswith("colwidths")), GIVEN]
                for spec, width in zip(table.findall(nodes.colspec), shares(table), strict=True):
                    spec["colwidth"] = width


class QuestionsWithAnswers(SphinxPostTransform):
    """No page ends between a question and the box with its answer, or in the box's title."""

    default_priority = 400
    builders = ("latex",)

    def run(self, **_: Any) -> None:
        """All boxes of the document that a paragraph stands before."""
        for box in list(self.document.findall(nodes.admonition)):
            above = box.parent
            place = above.index(box)
            if place and isinstance(above[place - 1], nodes.paragraph):
                above.insert(place - 1, nodes.raw("", NEEDED, format="latex"))


def shares(table: nodes.table) -> list[int]:
    """For each column its share, in hundredths: room for its longest piece that cannot be broken, and of the rest as much as its longest cell wants."""
    columns = len(list(table.findall(nodes.colspec)))
    wanted, least = [LEAST] * columns, [LEAST] * columns
    for row in table.findall(nodes.row):
        for place, entry in enumerate(row.findall(nodes.entry)):
            text = entry.astext()
            piece = max((len(part) for part in _BREAKS.split(text)), default=0)
            wanted[place] = max(wanted[place], min(len(text), LONGEST))
            least[place] = max(least[place], min(piece + PADDING, PAGE // 2))
    rest = max(PAGE - sum(least), 0)
    over = [max(full - small, 0) for full, small in zip(wanted, least, strict=True)]
    widths = [small + rest * more / max(sum(over), 1) for small, more in zip(least, over, strict=True)]
    return [max(round(100 * width / sum(widths)), 1) for width in widths]
