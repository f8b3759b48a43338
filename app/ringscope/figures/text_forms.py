"""Transcripts and tables as documents take them: reStructuredText, Markdown (MyST and CommonMark with tables) and plain text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

from ringscope.figures.spec import TEXTS
from ringscope_core.scenario.errors import InputError

if TYPE_CHECKING:
    from ringscope_core.gdb.tables import Table
    from ringscope_core.gdb.transcript import Entry

FORMS: Final = tuple(suffix.removeprefix(".") for suffix in TEXTS)
_TAB: Final = 8
_NBSP: Final = "\N{NO-BREAK SPACE}"
_RST_SIGNS: Final = re.compile(r"([\\*`|]|_(?![A-Za-z0-9]))")
_RST_STARTS: Final = re.compile(r"(?:[^\w\\]|\(?[A-Za-z0-9#]{1,6}[.)](?:\s|$))")
"""Beginnings that would make a list, a field or a directive of a paragraph."""
_MD_SIGNS: Final = re.compile(r"([\\|`*<>\[\]~{}$&]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9]))")


def form_of(name: str) -> str:
    """``rst``, ``md`` or ``txt`` of a suffix or a name, with or without its dot.  Raises InputError for another."""
    form = name.lower().removeprefix(".")
    if form not in FORMS:
        raise InputError("form", name, f"one of {', '.join(FORMS)}")
    return form


def as_text(entries: Sequence[Entry], form: str) -> str:
    """Entries as a document: literal blocks, with real tables between them where an entry has tables; ends with a line end."""
    form = form_of(form)
    parts: list[str] = []
    run: list[str] = []
    for entry in entries:
        if entry.command:
            run += [f"{entry.prompt}{entry.command}".rstrip(), *(entry.output.split("\n") if entry.output else [])]
            continue
        parts += [literal_block(run, form)] if run else []
        run = []
        parts += [table_block(table, form) for table in entry.tables] or [_text_block(entry.output, form)]
    parts += [literal_block(run, form)] if run else []
    return "\n\n".join(part for part in parts if part) + "\n"


def _text_block(text: str, form: str) -> str:
    """A text that no command gave: a line is a paragraph, more are kept as they stand."""
    return literal_block(text.split("\n"), form) if "\n" in text else paragraph(text, form)


def literal_block(lines: Iterable[str], form: str) -> str:
    """Lines as they are, in a block that nothing tries to understand: tabs become spaces, for a document's indentation would move them."""
    plain = [line.expandtabs(_TAB).rstrip() for line in lines]
    if form == "txt":
        return "\n".join(plain)
    if form == "rst":
        return "\n".join([".. code-block:: text", "", *(f"   {line}".rstrip() for line in plain)])
    longest = max((len(found) for line in plain for found in re.findall(r"`+", line)), default=0)
    fence = "`" * max(3, longest + 1)
    return "\n".join([f"{fence}text", *plain, fence])


def table_block(table: Table, form: str) -> str:
    """A table: ``list-table``, pipes, or aligned columns.  One without rows says so: documents have no tables of headings alone."""
    if not table.rows:
        table = table._replace(rows=(("-", *([""] * (len(table.headings) - 1))),))
    if form == "txt":
        return table.text()
    return _rst_table(table) if form == "rst" else _md_table(table)


def paragraph(text: str, form: str) -> str:
    """A text as a paragraph of its own that says just this."""
    return {"rst": rst_words, "md": md_words}.get(form, str)(text)


def rst_words(text: str) -> str:
    """`text` with the signs of reStructuredText made plain, in one line; spaces in front are kept."""
    body = " ".join(text.split())
    indent = _NBSP * (len(text) - len(text.lstrip(" "))) if body else ""
    made = _RST_SIGNS.sub(r"\\\1", body)
    return indent + made if indent else f"\\ {made}" if _RST_STARTS.match(body) and not made.startswith("\\") else made


def md_words(text: str) -> str:
    """`text` with the signs of Markdown made plain, in one line; spaces in front are kept."""
    body = " ".join(text.split())
    # readers strip the character itself from cells
    indent = "&nbsp;" * (len(text) - len(text.lstrip(" "))) if body else ""
    return indent + _MD_SIGNS.sub(r"\\\1", body)


def _rst_table(table: Table) -> str:
    lines = [f".. list-table:: {rst_words(table.title)}".rstrip(), "   :header-rows: 1", ""]
    for row in (table.headings, *table.rows):
        for place, text in enumerate(row):
            lines.append(f"   {'*' if not place else ' '} - {rst_words(text)}".rstrip())
    return "\n".join(lines)


def _md_table(table: Table) -> str:
    lines = [f"{md_words(table.title)}\n"] if table.title else []
    lines.append(_md_row(table.headings))
    lines.append("|" + "".join(f" {'---:' if place in table.right else '---'} |" for place in range(len(table.headings))))
    return "\n".join([*lines, *map(_md_row, table.rows)])


def _md_row(row: Sequence[str]) -> str:
    return "| " + " | ".join(map(md_words, row)) + " |"
