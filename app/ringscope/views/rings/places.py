"""The Rings view's places: slots of each ring, queues, panes and what the panes hold."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QRect, QRectF
from PySide6.QtGui import QPainterPath

from ringscope.views.rings.geometry import RingGeometry
from ringscope.views.rings.hands import hands_box
from ringscope.views.rings.model import queue_word
from ringscope.widgets.spots import Spot, column_spot, columns, names_of, number, part_of, row_spot

if TYPE_CHECKING:
    from ringscope.views.rings.view import RingsView

BANDS: Final = {"avail": "avail.ring", "desc": "desc", "used": "used.ring"}
"""Slots of a ring are ``desc:5``; the ring itself is ``part:avail.ring``."""
_FORMS: Final = ("circle", "lens", "table")
"""Where a slot may be shown; ``desc:5@circle`` chooses."""
_AIM: Final = 0.62
"""Where on the circle (of a turn) a line to a whole ring ends: where few labels stand."""


def words(view: RingsView) -> list[str]:
    """What can be pointed at beside the panes."""
    out = [f"queue:{view.store.name_of(card.oid)}" for card in view.strip.cards]
    geo, lens = view.canvas.laid_out()
    if geo is not None:
        out += ["part:circle", "part:legend", *(f"part:{BANDS.get(name, name)}" for name in geo.bands)]
        out += [f"{name}:{slot}" for name in geo.bands if name in BANDS for slot in range(geo.num)]
    if lens is not None:
        out += ["part:lens", *(f"part:lens.{row.name}" for row in lens.rows)]
    out += [f"part:{side}" for side in view.numbers.sides()]
    out += [f"part:{title}" for title in view.events.titles()]
    out += [f"field:{name}" for name in view.numbers.names()]
    out += [f"chain:{place}" for place in range(len(view.chain.shown[2]))]
    return [*out, *(f"column:{title}" for title in columns(view.table.horizontalHeader()))]


def spot(view: RingsView, target: str) -> Spot | None:
    """Where `target` stands."""
    kind, _, name = target.partition(":")
    if kind in BANDS:
        return _slot(view, kind, name)
    if kind == "queue":
        return _queue(view, name)
    if kind == "chain":
        return row_spot(view.chain.table, number(name))
    if kind == "column":
        return column_spot(view.table.horizontalHeader(), name)
    if kind == "field":
        own, shown = names_of(name)
        box = view.numbers.box_of(own) or view.numbers.box_of(shown)
        return part_of(view.numbers, box) if box is not None else None
    return _part(view, name) if kind == "part" else None


def _slot(view: RingsView, band: str, name: str) -> Spot | None:
    place, _, form = name.partition("@")
    slot = number(place)
    geo, lens = view.canvas.laid_out()
    if geo is None or band not in geo.bands or not 0 <= slot < geo.num or form not in ("", *_FORMS):
        return None
    if form == "table":
        return row_spot(view.table, view.model.row_of(slot)) if band == "desc" else None
    row = next((row for row in lens.rows if row.name == band and (slot - row.first) % geo.num < lens.count), None) if lens is not None else None
    if lens is not None and row is not None and form != "circle":
        return part_of(view.canvas, lens.cell(row, slot))
    if form == "lens":
        return None
    path = QPainterPath()
    geo.add_run(path, band, slot, 1)
    return Spot(view.canvas, path.boundingRect().toAlignedRect(), None, _aim(geo, band, slot + 0.5))


def _aim(geo: RingGeometry, band: str, slot: float) -> QRect:
    """The middle of a slot."""
    inner, outer = geo.bands[band]
    middle = geo.point(slot, (inner + outer) / 2)
    return QRectF(middle.x() - 1, middle.y() - 1, 2, 2).toAlignedRect()


def _queue(view: RingsView, name: str) -> Spot | None:
    for place, card in enumerate(view.strip.cards):
        short = view.store.name_of(card.oid)
        if name in (short, queue_word(short)):
            return part_of(view.strip, view.strip.card_box(place), partial(view.cards.show_card, place))
    return None


def _part(view: RingsView, name: str) -> Spot | None:
    geo, lens = view.canvas.laid_out()
    if geo is not None:
        c = geo.center
        if name == "circle" and view.canvas.snap is not None:
            return part_of(view.canvas, hands_box(geo, view.canvas.snap))
        if name == "legend":
            return Spot(view.canvas, view.canvas.legend_box())
        band = next((band for band in geo.bands if BANDS.get(band, band) == name), "")
        if band:
            outer = geo.bands[band][1]
            box = QRectF(c.x() - outer, c.y() - outer, 2 * outer, 2 * outer)
            return Spot(view.canvas, box.toAlignedRect(), None, _aim(geo, band, geo.num * _AIM))
    if lens is not None:
        if name == "lens":
            return part_of(view.canvas, lens.rect)
        row = next((row for row in lens.rows if f"lens.{row.name}" == name), None)
        if row is not None:
            return part_of(view.canvas, lens.row_box(row))
    side, question = view.numbers.side_box(name), view.events.title_box(name)
    if side is not None:
        return part_of(view.numbers, side)
    return part_of(view.events, question) if question is not None else None
