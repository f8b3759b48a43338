"""The inspector's places: lines of the page in front by what stands first in them, subjects, tabs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringscope.widgets.spots import Spot, column_spot, columns, names_of, node_spot, tree_nodes, whole
from ringscope.widgets.tree_list import Node, TreeList

if TYPE_CHECKING:
    from ringscope.views.inspector.view import InspectorView


def words(view: InspectorView) -> list[str]:
    """Subjects, the lines of the tables in sight, and their columns."""
    out = [f"part:{name}" for name in view.buttons]
    for tree in _trees(view):
        out += [f"field:{_name(node)}" for node in tree_nodes(tree) if node.texts and node.texts[0]]
        out += [f"column:{title}" for title in columns(tree.header())]
    return list(dict.fromkeys(out))


def spot(view: InspectorView, target: str) -> Spot | None:
    """``field:status`` is the first line that begins so; ``field:VirtIODevice.status`` says of which structure."""
    kind, _, name = target.partition(":")
    if kind == "part" and name in view.buttons:
        return whole(view.buttons[name])
    for tree in _trees(view):
        if kind == "column":
            found = column_spot(tree.header(), name)
            if found is not None:
                return found
        if kind == "field":
            wanted = names_of(name)
            node = next((node for node in tree_nodes(tree) if _name(node) in wanted or (node.texts and node.texts[0] in wanted)), None)
            if node is not None:
                return node_spot(tree, node)
    return None


def _trees(view: InspectorView) -> list[TreeList]:
    return [tree for tree in view.page.findChildren(TreeList) if tree.isVisibleTo(view)]


def _name(node: Node) -> str:
    """A line's first text, with the heading above it: ``VirtIODevice.status``."""
    above = node.parent
    own = node.texts[0].strip()
    return f"{above.texts[0]}.{own}" if above is not None and above.heading and above.texts else own
