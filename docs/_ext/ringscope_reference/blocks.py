"""What a page of the reference is made of: sections, paragraphs and tables, their words in Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Text:
    """Markdown: paragraphs, lists, code."""

    markdown: str


@dataclass(frozen=True)
class Table:
    """A table; cells are Markdown of one line, `widths` the columns' shares of the page."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    widths: tuple[int, ...]

    def markdown(self) -> str:
        """The table as a pipe table."""
        lines = [_line(self.header), _line(["---"] * len(self.header)), *(_line(row) for row in self.rows)]
        return "\n".join(lines)


@dataclass(frozen=True)
class Section:
    """A heading with what stands under it; `label` is the name that links use, `index` its entries in the index."""

    title: str
    label: str
    body: tuple[Block, ...] = ()
    index: tuple[str, ...] = field(default=())


@dataclass(frozen=True)
class Drawing:
    """A picture with its caption, as an element of HTML and as LaTeX; other builders get the words."""

    caption: str
    html: str
    latex: str
    words: str


Block = Text | Table | Section | Drawing


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(" ".join(cell.split()).replace("|", "\\|") for cell in cells) + " |"


def code(text: object) -> str:
    """`text` as code in Markdown; nothing for nothing."""
    words = str(text)
    if not words:
        return ""
    fence = "``" if "`" in words else "`"
    pad = " " if "`" in words else ""
    return f"{fence}{pad}{words}{pad}{fence}"


def codes(texts: Sequence[object]) -> str:
    """Several, with commas."""
    return ", ".join(code(text) for text in texts)


def markdown_of(text: str) -> str:
    """A docstring's words as Markdown: its double back quotes are Markdown's too, a cross reference in single ones is code as well."""
    return " ".join(text.split())
