"""The table twin of a view as entries of a text figure: every table, title and text that the view shows, instead of its picture."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ringscope.figures.parse import parse_table_view
from ringscope.figures.spec import FigureSpec
from ringscope_core.gdb.tables import Table
from ringscope_core.gdb.transcript import Entry

if TYPE_CHECKING:
    from ringscope.figures.spec import TextSpec
    from ringscope_core.session.reader import SessionReader


def view_entries(spec: TextSpec, reader: SessionReader) -> list[Entry]:
    """Tables and texts of `spec`'s view at its moment, without commands.  Draws nothing, but lays the view out.  Raises InputError."""
    from ringscope.figures.stage import Stage
    from ringscope.views.spec import View
    from ringscope.words import speaking

    parse_table_view(spec.view)
    picture = FigureSpec(spec.source, spec.view, spec.focus, spec.at, lang=spec.lang, filter=spec.filter)
    with speaking(spec.lang), Stage(picture, reader) as stage:
        view = stage.widget.findChild(View)
        assert isinstance(view, View)
        text = view.shown_text()
    if spec.view == "notebook":
        # what people wrote is no table, whatever signs are in it
        return [Entry("", "", text.rstrip())]
    return [_entry(block) for block in blocks(text)]


def blocks(text: str) -> Iterator[list[str]]:
    """The stretches of a twin that are tables (lines with tabs) or text (lines without), in their order."""
    block: list[str] = []
    tabs = False
    for line in [*text.split("\n"), ""]:
        if block and (not line.strip() or ("\t" in line) != tabs):
            yield block
            block = []
        if line.strip():
            block.append(line)
            tabs = "\t" in line


def _entry(block: list[str]) -> Entry:
    return Entry("", "", "", (table_of(block),)) if "\t" in block[0] else Entry("", "", "\n".join(block))


def table_of(lines: list[str]) -> Table:
    """Tab-separated lines as a table: headings first; a column whose cells are all numbers goes to the right."""
    cells = [line.split("\t") for line in lines]
    width = max(map(len, cells))
    rows = [(*row, *([""] * (width - len(row)))) for row in cells]
    right = frozenset(place for place in range(width) if _numbers([row[place] for row in rows[1:]]))
    return Table(tuple(rows[0]), tuple(tuple(row) for row in rows[1:]), right)


def _numbers(cells: list[str]) -> bool:
    said = [cell for cell in cells if cell]
    return bool(said) and all(cell.replace("\N{THIN SPACE}", "").replace(".", "", 1).removeprefix("-").isdigit() for cell in said)
