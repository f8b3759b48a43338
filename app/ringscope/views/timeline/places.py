"""The time panel's places: tracks of the groups, marks, events and the cursor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QRect, QRectF

from ringscope.widgets.spots import Spot, number, part_of

if TYPE_CHECKING:
    from ringscope.views.timeline.view import TimelineView


def words(view: TimelineView) -> list[str]:
    """Tracks, marks, the cursor."""
    return ["part:cursor", "part:ruler", *(f"track:{name}" for name in view.tracks.density.groups), *(f"mark:{mark.name}" for mark in view.tracks.marks)]


def spot(view: TimelineView, target: str) -> Spot | None:
    """Where `target` stands; ``event:N`` is its place on the axis."""
    kind, _, name = target.partition(":")
    tracks = view.tracks
    if kind == "track" and name in tracks.density.groups:
        return part_of(tracks, tracks.track_box(name))
    if kind == "mark":
        mark = next((mark for mark in tracks.marks if mark.name == name), None)
        return _upright(view, tracks.x_of(mark.vt if tracks.timed else mark.seq)) if mark is not None else None
    if kind == "event" and view.store.first_seq <= number(name) <= view.store.last_seq:
        return _upright(view, tracks.x_of(tracks.value_of_seq(number(name))))
    if target == "part:cursor" and view.focus.seq >= 0:
        return _upright(view, tracks.x_of(tracks.value_of_seq(view.focus.seq)))
    return Spot(tracks, tracks.ruler_box()) if target == "part:ruler" else None


def _upright(view: TimelineView, x: float) -> Spot:
    """A line over all tracks; a remark points at its head."""
    x = min(x, view.tracks.width() - 1.0)
    return Spot(view.tracks, QRectF(x - 5, 0, 10, view.tracks.height()).toAlignedRect(), None, QRect(round(x) - 2, 4, 4, 10))
