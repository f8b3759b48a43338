"""The Events view's places: rows by place, by event number or by kind, and the columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringscope.views.events.model import COLUMNS
from ringscope.widgets.spots import Spot, column_spot, columns, list_row_spot, number

if TYPE_CHECKING:
    from ringscope.views.events.view import EventsView

_KIND = next(place for place, column in enumerate(COLUMNS) if column.title == "Kind")


def words(view: EventsView) -> list[str]:
    """The rows in sight by place and by event, the kinds in sight, and the columns."""
    first, count = _page(view)
    lines = view.rows.lines(first, count)
    out = [f"row:{place + 1}" for place in range(count)]
    out += [f"event:{view.rows.seq_of(first + place)}" for place in range(count)]
    out += [f"event:{kind}" for kind in dict.fromkeys(line.texts[_KIND] for line in lines)]
    return [*out, *(f"column:{title}" for title in columns(view.list.header))]


def spot(view: EventsView, target: str) -> Spot | None:
    """``row:1`` is the first in sight; ``event:pop`` the first of its kind in sight, else the next one below, else the last above."""
    kind, _, name = target.partition(":")
    first, count = _page(view)
    if kind == "row":
        place = number(name)
        return list_row_spot(view.list, first + place - 1, view.rows.count()) if 1 <= place <= count else None
    if kind == "column":
        return column_spot(view.list.header, name)
    if kind != "event":
        return None
    row = _row_of(view, number(name)) if number(name) >= 0 else _row_of_kind(view, name)
    return list_row_spot(view.list, row, view.rows.count())


def _page(view: EventsView) -> tuple[int, int]:
    """The first row in sight and how many there are."""
    first = view.list.verticalScrollBar().value()
    return first, max(min(view.list.page(), view.rows.count() - first), 0)


def _row_of(view: EventsView, seq: int) -> int:
    row = view.rows.row_of(seq) if view.store.first_seq <= seq <= view.store.last_seq else -1
    return row if row >= 0 and view.rows.seq_of(row) == seq else -1


def _row_of_kind(view: EventsView, name: str) -> int:
    first, count = _page(view)
    lines = view.rows.lines(first, count)
    names = {spec.name for spec in view.store.reader.kinds.values()}
    # ``event:pop`` is virtqueue_pop
    name = name if name in names else next((full for full in sorted(names) if full.endswith(f"_{name}")), name)
    here = next((first + place for place, line in enumerate(lines) if line.texts[_KIND] == name), -1)
    if here >= 0 or not view.rows.count():
        return here
    kinds = [kind for kind, spec in view.store.reader.kinds.items() if spec.name == name]
    if not kinds:
        return -1
    top = view.rows.seq_of(min(first, view.rows.count() - 1))
    for low, high, back in ((top, view.store.last_seq, False), (view.store.first_seq, top, True)):
        found = view.store.find(kinds, low, high, 1, back)
        if len(found) and _row_of(view, int(found[0]["seq"])) >= 0:
            return _row_of(view, int(found[0]["seq"]))
    return -1
