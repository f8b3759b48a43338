"""The Throughput view's places: plots, queues' rows, columns of the table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringscope.views.throughput.plots import PLOTS
from ringscope.widgets.spots import Spot, column_spot, columns, part_of, row_spot

if TYPE_CHECKING:
    from ringscope.views.throughput.view import ThroughputView


def words(view: ThroughputView) -> list[str]:
    """Plots, queues and columns."""
    out = [f"plot:{kind.name}" for kind in PLOTS]
    out += [f"queue:{view.store.name_of(oid)}" for oid in view.samples.oids]
    return list(dict.fromkeys([*out, *(f"column:{title}" for title in columns(view.table.horizontalHeader()))]))


def spot(view: ThroughputView, target: str) -> Spot | None:
    """Where `target` stands; a queue is its row of values."""
    kind, _, name = target.partition(":")
    if kind in ("plot", "part"):
        box = view.board.box_of(name)
        return part_of(view.board, box) if box is not None else None
    if kind == "column":
        return column_spot(view.table.horizontalHeader(), name)
    if kind == "queue":
        row = next((place for place, oid in enumerate(view.samples.oids) if name in (view.store.name_of(oid), view.model.rows[place][0])), -1)
        return row_spot(view.table, row)
    return None
