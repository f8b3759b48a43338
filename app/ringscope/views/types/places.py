"""The Types view's places: the box of each type."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF

from ringscope.widgets.spots import Spot

if TYPE_CHECKING:
    from ringscope.views.types.graph import TypeItem
    from ringscope.views.types.view import TypesView


def words(view: TypesView) -> list[str]:
    """Every type."""
    return [f"type:{name}" for name in view.graph.items_by_name]


def spot(view: TypesView, target: str) -> Spot | None:
    """The box of ``type:NAME``; what is folded away is unfolded when it is asked into sight."""
    kind, _, name = target.partition(":")
    item = view.graph.items_by_name.get(name) if kind == "type" else None
    if item is None:
        return None
    picture = view.picture
    box = QRectF(0, 0, item.box.width, item.box.height) if item.isVisible() else QRectF()
    return Spot(picture.viewport(), picture.mapFromScene(item.mapRectToScene(box)).boundingRect(), lambda: _show(view, item))


def _show(view: TypesView, item: TypeItem) -> None:
    view.graph.folded -= {row.name for row in view.forest.chain(item.row.name)[1:]}
    view.graph.arrange()
    view.picture.reveal(item.sceneBoundingRect())
