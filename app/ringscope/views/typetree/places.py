"""The type tree's places: its lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringscope.widgets.spots import Spot, column_spot, columns, node_spot, tree_nodes

if TYPE_CHECKING:
    from ringscope.views.typetree.view import TypeTreeView


def words(view: TypeTreeView) -> list[str]:
    """Every type, and the columns."""
    return [*(f"type:{node.key}" for node in tree_nodes(view.tree)), *(f"column:{title}" for title in columns(view.tree.header()))]


def spot(view: TypeTreeView, target: str) -> Spot | None:
    """Where `target` stands."""
    kind, _, name = target.partition(":")
    if kind == "column":
        return column_spot(view.tree.header(), name)
    node = next((node for node in tree_nodes(view.tree) if node.key == name), None) if kind == "type" else None
    return node_spot(view.tree, node) if node is not None else None
