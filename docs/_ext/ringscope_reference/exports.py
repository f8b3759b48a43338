"""Topics ``exports``, ``columns`` and ``session``: formats, columns and tables, from what writes them."""

from __future__ import annotations

from ringscope_core.export.event_columns import FIXED, EventColumns
from ringscope_core.export.formats import FORMATS
from ringscope_core.export.tables import COLUMNS
from ringscope_core.session import words
from ringscope_core.session.schema import TABLES, VIEWS
from ringscope_core.trace.kinds import KIND_BY_NUMBER

from .blocks import Block, Section, Table, Text, code, codes, markdown_of
from .wording import w


def exports() -> list[Block]:
    """The formats, and each format's own options."""
    header = (w("format"), w("is"), w("ends in"), w("holds"))
    formats = tuple((code(made.name), made.title, code(made.suffix) if made.suffix else w("a folder"), codes(made.whats)) for made in FORMATS.values())
    blocks: list[Block] = [Table(header, formats, (14, 42, 14, 30))]
    rows = tuple(
        (code(made.name), code(f"--{option.name}"), codes(option.values) or w("a text"), code(option.preset), markdown_of(option.means))
        for made in FORMATS.values()
        for option in made.options
    )
    blocks.append(Table((w("format"), w("option"), w("allowed"), w("default"), w("means")), rows, (12, 16, 18, 11, 43)))
    return blocks


def columns() -> list[Block]:
    """The columns of CSV, JSON lines and Parquet."""
    names = [column.name for column in EventColumns(KIND_BY_NUMBER).columns]
    rows = [(code("events"), f"{codes(FIXED)}; {w('then')} {codes(names)}")]
    rows += [(code(what), codes([column.name for column in made])) for what, made in COLUMNS.items()]
    return [Table((w("table"), w("columns")), tuple(rows), (16, 84))]


def session() -> list[Block]:
    """Every table and view of a session file."""
    views = tuple((code(name), markdown_of(words.VIEWS[name])) for name in VIEWS)
    meta = tuple((code(name), markdown_of(means)) for name, means in words.META.items())
    tables: list[Block] = []
    for name in TABLES:
        made = words.TABLES[name]
        rows = tuple((code(column), markdown_of(means)) for column, means in made.columns.items())
        tables.append(
            Section(
                code(name), f"session-table-{name.replace('_', '-')}", (Text(f"{w('A row is')} {made.row}."), Table((w("column"), w("holds")), rows, (26, 74)))
            )
        )
    return [
        Section(w("Views for people"), "session-views", (Table((w("view"), w("a row is")), views, (24, 76)),)),
        Section(w("What `meta` says"), "session-meta", (Table((w("key"), w("holds")), meta, (24, 76)),)),
        Section(w("Tables"), "session-tables", tuple(tables)),
    ]
