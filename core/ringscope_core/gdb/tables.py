"""Tables of the console's own words: aligned columns at a terminal, real tables where a document asks for them."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

GAP: Final = "  "
"""Between two columns."""


class Table(NamedTuple):
    """Rows under headings.  `right` are the columns of numbers; a title stands above."""

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    right: frozenset[int] = frozenset()
    title: str = ""

    def text(self) -> str:
        """Title, headings and rows in aligned columns, without spaces at the ends of lines."""
        return "\n".join([*([self.title] if self.title else []), *aligned([self.headings, *self.rows], self.right)])


def columns(text: str) -> int:
    """How many columns of a terminal `text` takes: a Chinese character two, a combining one none."""
    return sum(0 if unicodedata.combining(one) else 2 if unicodedata.east_asian_width(one) in "WF" else 1 for one in text)


def aligned(rows: Iterable[Sequence[str]], right: frozenset[int] = frozenset()) -> list[str]:
    """Rows of equally many cells as lines with columns below each other."""
    found = [tuple(row) for row in rows]
    widths = [max(columns(row[place]) for row in found) for place in range(len(found[0]))] if found else []
    return [GAP.join(_cell(text, width, place in right) for place, (text, width) in enumerate(zip(row, widths, strict=True))).rstrip() for row in found]


def _cell(text: str, width: int, right: bool) -> str:
    space = " " * (width - columns(text))
    return space + text if right else text + space


def tables_text(tables: Iterable[Table]) -> str:
    """Several tables, an empty line between them."""
    return "\n\n".join(table.text() for table in tables)
