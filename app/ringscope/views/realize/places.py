"""The Realize view's places: frames of the stack, bars of calls, lines of source, fields and checkpoints of a call."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QRect

from ringscope.views.realize.model import Call
from ringscope.widgets.spots import Spot, column_spot, columns, line_spot, number, part_of, row_spot

if TYPE_CHECKING:
    from ringscope.views.realize.view import RealizeView

_FIELD, _LINE = 2, 1
"""Columns of the tables of fields and of checkpoints."""


def words(view: RealizeView) -> list[str]:
    """What can be pointed at beside the panes."""
    functions = view.store.reader.functions
    called = dict.fromkeys(functions[call.fn].name for call in view.chart.tree.calls if call.fn in functions)
    out = [f"frame:{name}" for name in dict.fromkeys(frame.function for frame in view.stack.frames)]
    out += [f"call:{name}" for name in called]
    out += [f"field:{row[_FIELD]}" for row in view.fields.rows if row[_LINE]]
    out += [f"checkpoint:{row[_LINE]}" for row in view.points.rows]
    out += [f"line:{line}" for line in (view.source.code.numbers.values() or range(1, view.source.code.blockCount()))]
    tables = (view.point_table, view.field_table)
    return list(dict.fromkeys([*out, *(f"column:{title}" for table in tables for title in columns(table.horizontalHeader()))]))


def spot(view: RealizeView, target: str) -> Spot | None:
    """Where `target` stands."""
    kind, _, name = target.partition(":")
    if kind == "frame":
        line = view.stack.line_of(name)
        return line_spot(view.stack, line) if line >= 0 else None
    if kind == "call":
        return _bar(view, name)
    if kind == "field":
        return _row(view, name, _FIELD)
    if kind == "checkpoint":
        row = next((place for place, texts in enumerate(view.points.rows) if texts[_LINE] == name), -1)
        return row_spot(view.point_table, row)
    if kind == "line":
        return _line(view, number(name))
    if kind == "column":
        return column_spot(view.point_table.horizontalHeader(), name) or column_spot(view.field_table.horizontalHeader(), name)
    return None


def _bar(view: RealizeView, name: str) -> Spot | None:
    """The bar of a function's call: the one that is open or selected, else the first in sight, else the first of all."""
    chart = view.chart
    calls = chart.tree.named(view.store.reader.functions, (name,))

    def rank(call: Call) -> tuple[bool, bool, int]:
        return (not (call is chart.selected or call.covers(view.focus.seq)), chart.bar_of(call).isEmpty(), call.seq)

    call = min(calls, key=rank, default=None)
    if call is None:
        return None
    box = chart.bar_of(call)
    return part_of(chart, box, lambda: view.show_bar(call))


def _row(view: RealizeView, name: str, column: int) -> Spot | None:
    row = next((place for place, texts in enumerate(view.fields.rows) if texts[column] == name), -1)
    return row_spot(view.field_table, row)


def _line(view: RealizeView, wanted: int) -> Spot | None:
    """A line by QEMU's number where the source has those, else by its own."""
    code = view.source.code
    if not view.source.isVisible():
        # what is hidden has not been read
        return Spot(code, QRect(), lambda: view.panes.bring(view.source)) if wanted > 0 else None
    own = next((line for line, qemu in code.numbers.items() if qemu == wanted), 0) or (0 if code.numbers else wanted)
    return line_spot(code, own - 1) if own > 0 else None
