"""Tables of docutils."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from docutils import nodes

if TYPE_CHECKING:
    from ringscope_core.gdb.tables import Table


def table_node(table: Table) -> nodes.table:
    """A console's table; its columns of numbers are aligned right in HTML by their class."""
    rows = [[[nodes.paragraph("", text, classes=["ringscope-number"] if place in table.right else [])] for place, text in enumerate(row)] for row in table.rows]
    return grid(table.headings, rows, table.title, ["ringscope-table"])


def grid(headings: Sequence[str], rows: Iterable[Sequence[Sequence[nodes.Node]]], title: str = "", classes: Sequence[str] = ()) -> nodes.table:
    """A table of `headings` over `rows` of cells, each cell the nodes in it."""
    table = nodes.table("", classes=[*classes, "colwidths-auto"])
    if title:
        table += nodes.title("", title)
    group = nodes.tgroup("", cols=len(headings))
    group += [nodes.colspec("", colwidth=100 // len(headings)) for _ in headings]
    head = nodes.row()
    head += [nodes.entry("", nodes.paragraph("", heading)) for heading in headings]
    group += nodes.thead("", head)
    body = nodes.tbody()
    for row in rows:
        line = nodes.row()
        line += [nodes.entry("", *cell) for cell in row]
        body += line
    group += body
    table += group
    return table
