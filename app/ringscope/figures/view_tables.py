"""The table twin of a view as a document: every table, title and text that the view shows, instead of its picture."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ringscope.figures.parse import parse_table_view
from ringscope.figures.spec import FigureSpec
from ringscope.figures.text_forms import form_of, literal_block, paragraph, table_block
from ringscope_core.gdb.tables import Table

if TYPE_CHECKING:
    from ringscope.figures.spec import TextSpec
    from ringscope_core.session.reader import SessionReader


def view_text(spec: TextSpec, reader: SessionReader, form: str) -> str:
    """The view of `spec` at its moment as ``rst``, ``md`` or ``txt``.  Draws nothing, but lays the view out.  Raises InputError."""
    from ringscope.figures.stage import Stage
    from ringscope.views.spec import View

    form = form_of(form)
    parse_table_view(spec.view)
    with Stage(FigureSpec(spec.source, spec.view, spec.focus, spec.at, lang=spec.lang), reader) as stage:
        view = stage.widget.findChild(View)
        assert isinstance(view, View)
        text = view.table_text()
    return "\n\n".join(part for part in (_part(block, form) for block in blocks(text)) if part) + "\n"


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


def _part(block: list[str], form: str) -> str:
    if "\t" in block[0]:
        return table_block(table_of(block), form)
    return paragraph(block[0], form) if len(block) == 1 else literal_block(block, form)


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
