"""The Objects view's places: objects by path, by name or by number, and the columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringscope.widgets.spots import Spot, column_spot, columns, node_spot, number, tree_nodes
from ringscope.widgets.tree_list import Node, TreeList

if TYPE_CHECKING:
    from ringscope.views.objects.view import ObjectsView


def words(view: ObjectsView) -> list[str]:
    """The objects of the tree in front by path, and the columns."""
    tree = _front(view)
    paths = [view.store.path_of(node.key) or str(node.key) for node in tree_nodes(tree) if isinstance(node.key, int) and node.key > 0]
    return [*(f"object:{path}" for path in paths), *(f"column:{title}" for title in columns(tree.header()))]


def spot(view: ObjectsView, target: str) -> Spot | None:
    """Where `target` stands: in the tree in front, else in the other one."""
    kind, _, name = target.partition(":")
    front = _front(view)
    if kind == "column":
        return column_spot(front.header(), name)
    if kind != "object":
        return None
    for tree in (front, view.buses if front is view.composition else view.composition):
        node = _node(view, tree, name)
        if node is not None:
            return node_spot(tree, node)
    return None


def _front(view: ObjectsView) -> TreeList:
    tree = view.tabs.currentWidget()
    assert isinstance(tree, TreeList)
    return tree


def _node(view: ObjectsView, tree: TreeList, name: str) -> Node | None:
    """By number, by path, by the end of a path, or by the name in the tree; the first of equals."""
    nodes = [node for node in tree_nodes(tree) if isinstance(node.key, int) and node.key > 0]
    paths = {id(node): view.store.path_of(int(str(node.key))) for node in nodes}
    for fits in (
        lambda node: node.key == number(name),
        lambda node: paths[id(node)] == name,
        lambda node: node.texts[0] == name,
        lambda node: paths[id(node)].endswith(f"/{name}"),
    ):
        found = next((node for node in nodes if fits(node)), None)
        if found is not None:
            return found
    return None
