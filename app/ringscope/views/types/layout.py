"""Places of a tree's boxes: one column a generation, children beside their parent, subtrees packed without a crossing.

Siblings keep their order, and in each column everything of one sibling lies above everything of the next.  An edge runs only between
neighbouring columns, so no two can cross; `tests/app/views/test_types.py` measures it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    import networkx as nx

COLUMN_GAP: Final = 34.0
ROW_GAP: Final = 10.0
TREE_GAP: Final = 26.0


class Box(NamedTuple):
    """A node's place and size."""

    x: float
    y: float
    width: float
    height: float

    @property
    def middle(self) -> float:
        """Where edges meet it."""
        return self.y + self.height / 2


def forest_graph(children: Mapping[str, list[str]], roots: list[str], folded: frozenset[str]) -> nx.DiGraph[Any]:
    """The visible part of a forest as a graph, edges from parent to child in their order."""
    import networkx as nx

    graph: nx.DiGraph[Any] = nx.DiGraph()
    waiting = list(reversed(roots))
    graph.add_nodes_from(roots)
    while waiting:
        name = waiting.pop()
        if name not in folded:
            graph.add_edges_from((name, child) for child in children[name])
            waiting.extend(reversed(children[name]))
    return graph


class _Packed:
    """A subtree's nodes relative to its root's middle, and how far it reaches up and down in each column."""

    def __init__(self) -> None:
        self.middles: dict[str, float] = {}
        self.tops: list[float] = []
        self.bottoms: list[float] = []

    def put_below(self, other: _Packed, depth: int) -> float:
        """Shift at which `other` clears everything here, its root standing at column `depth`."""
        shift = 0.0
        for column, top in enumerate(other.tops, depth):
            if column < len(self.bottoms):
                shift = max(shift, self.bottoms[column] + ROW_GAP - top)
        return shift

    def merge(self, other: _Packed, shift: float, depth: int) -> None:
        """Take over `other` moved down by `shift`."""
        self.middles.update((name, middle + shift) for name, middle in other.middles.items())
        for column, (top, bottom) in enumerate(zip(other.tops, other.bottoms, strict=True), depth):
            if column < len(self.tops):
                self.tops[column] = min(self.tops[column], top + shift)
                self.bottoms[column] = max(self.bottoms[column], bottom + shift)
            else:
                self.tops.append(top + shift)
                self.bottoms.append(bottom + shift)


def _pack(graph: nx.DiGraph[Any], name: str, heights: Mapping[str, float]) -> _Packed:
    below = _Packed()
    places: list[float] = []
    for child in graph.successors(name):
        part = _pack(graph, child, heights)
        shift = below.put_below(part, 0)
        below.merge(part, shift, 0)
        places.append(shift)
    middle = (places[0] + places[-1]) / 2 if places else 0.0
    packed = _Packed()
    packed.middles = {name: 0.0, **{node: at - middle for node, at in below.middles.items()}}
    packed.tops = [-heights[name] / 2, *(top - middle for top in below.tops)]
    packed.bottoms = [heights[name] / 2, *(bottom - middle for bottom in below.bottoms)]
    return packed


def layout(graph: nx.DiGraph[Any], sizes: Mapping[str, tuple[float, float]]) -> dict[str, Box]:
    """Boxes of every node; `sizes` are (width, height).  Each further root's tree stands below what is there, in the columns where there is most room."""
    roots = [node for node, degree in graph.in_degree() if not degree]
    depths = _depths(graph, roots)
    widths: dict[int, float] = {}
    for node, depth in depths.items():
        widths[depth] = max(widths.get(depth, 0.0), sizes[node][0])
    lefts = [0.0]
    for depth in range(len(widths)):
        lefts.append(lefts[-1] + widths[depth] + COLUMN_GAP)
    heights = {node: sizes[node][1] for node in graph}
    boxes: dict[str, Box] = {}
    filled = [0.0] * len(widths)
    for root in roots:
        packed = _pack(graph, root, heights)
        column, base = _lowest_rise(packed, filled)
        for node, middle in packed.middles.items():
            at = depths[node] + column
            width = max(widths[at], sizes[node][0])
            boxes[node] = Box(lefts[at], base + middle - heights[node] / 2, width, heights[node])
        for place, bottom in enumerate(packed.bottoms, column):
            filled[place] = base + bottom + TREE_GAP
    return boxes


def _lowest_rise(packed: _Packed, filled: list[float]) -> tuple[int, float]:
    """Where the next tree makes the whole the least tall: its first column, and its root's middle.  `filled` is how far down columns are taken."""
    found: list[tuple[float, int, float]] = []
    for column in range(len(filled) - len(packed.tops) + 1):
        base = max(filled[column + place] - top for place, top in enumerate(packed.tops))
        found.append((max(base + bottom for bottom in packed.bottoms), column, base))
    # a tree that makes nothing taller may stand anywhere; the left is where people look first
    tallest = max(filled)
    _, column, base = min(found, key=lambda one: (max(one[0], tallest), one[1]))
    return column, base


def _depths(graph: nx.DiGraph[Any], roots: list[str]) -> dict[str, int]:
    import networkx as nx

    return {node: depth for depth, layer in enumerate(nx.bfs_layers(graph, roots)) for node in layer}


def edge_points(parent: Box, child: Box) -> list[tuple[float, float]]:
    """An edge's corners: out of the parent, along the gap, into the child."""
    bend = child.x - COLUMN_GAP / 2
    return [(parent.x + parent.width, parent.middle), (bend, parent.middle), (bend, child.middle), (child.x, child.middle)]
