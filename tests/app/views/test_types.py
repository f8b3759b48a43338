"""The Types view: a tidy tree without crossings, found by search, folded by a click."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from ringscope.commands import Commands
from ringscope.focus import Focus
from ringscope.store import Store
from ringscope.type_rows import TypeForest
from ringscope.views.types.layout import Box, edge_points, forest_graph, layout
from ringscope.views.types.view import TypesView
from ringscope.views.typetree.view import TypeTreeView

Segment = tuple[tuple[float, float], tuple[float, float]]


def crosses(first: Segment, second: Segment) -> bool:
    """Whether two axis-parallel segments cross inside both of them."""
    (ax, ay), (bx, by) = first
    (cx, cy), (dx, dy) = second
    if ay == by and cx == dx:
        return min(ax, bx) < cx < max(ax, bx) and min(cy, dy) < ay < max(cy, dy)
    if ax == bx and cy == dy:
        return crosses(second, first)
    return False


def segments(points: list[tuple[float, float]]) -> list[Segment]:
    return list(itertools.pairwise(points))


def check_tidy(children: dict[str, list[str]], boxes: dict[str, Box]) -> None:
    for first, second in itertools.combinations(boxes.values(), 2):
        apart = (
            first.x + first.width <= second.x or second.x + second.width <= first.x or first.y + first.height <= second.y or second.y + second.height <= first.y
        )
        assert apart, f"{first} lies on {second}"
    edges = [(parent, child) for parent, names in children.items() if parent in boxes for child in names if child in boxes]
    drawn = {edge: segments(edge_points(boxes[edge[0]], boxes[edge[1]])) for edge in edges}
    for one, other in itertools.combinations(edges, 2):
        if one[0] == other[0]:
            continue
        assert not any(crosses(a, b) for a in drawn[one] for b in drawn[other]), f"{one} crosses {other}"
    for edge, parts in drawn.items():
        for name, box in boxes.items():
            if name in edge:
                continue
            for (ax, ay), (bx, by) in parts:
                inside = max(min(ax, bx), box.x) < min(max(ax, bx), box.x + box.width) and box.y < ay < box.y + box.height and ay == by
                assert not inside, f"{edge} runs through {name}"


def test_the_recording_s_types_are_tidy(store: Store) -> None:
    forest = TypeForest(store)
    graph = forest_graph(forest.children, forest.roots, frozenset())
    boxes = layout(graph, {name: (100.0 + 5 * len(name), 60.0) for name in graph})
    assert set(boxes) == set(forest.rows)
    check_tidy(forest.children, boxes)
    assert all(boxes[row.parent].x + boxes[row.parent].width < boxes[name].x for name, row in forest.rows.items() if row.parent)


@st.composite
def forests(draw: st.DrawFn) -> tuple[dict[str, list[str]], list[str]]:
    count = draw(st.integers(1, 24))
    children: dict[str, list[str]] = {str(n): [] for n in range(count)}
    roots = ["0"]
    for n in range(1, count):
        parent = draw(st.integers(-1, n - 1))
        if parent < 0:
            roots.append(str(n))
        else:
            children[str(parent)].append(str(n))
    return children, roots


@settings(max_examples=60, deadline=None)
@given(forests(), st.lists(st.integers(20, 120), min_size=24, max_size=24))
def test_any_forest_is_tidy(forest: tuple[dict[str, list[str]], list[str]], heights: list[int]) -> None:
    children, roots = forest
    graph = forest_graph(children, roots, frozenset())
    boxes = layout(graph, {name: (80.0, float(heights[int(name)])) for name in graph})
    assert set(boxes) == set(children)
    check_tidy(children, boxes)


@pytest.fixture
def view(store: Store, focus: Focus, commands: Commands, qtbot: QtBot) -> TypesView:
    made = TypesView(store, focus, commands)
    qtbot.addWidget(made)
    made.resize(1240, 820)
    made.show()
    made.refresh()
    return made


def test_instances_are_those_of_the_moment(view: TypesView, store: Store, focus: Focus) -> None:
    focus.select(seq=store.last_seq)
    view.refresh()
    assert view.graph.items_by_name["virtio-net-device"].instances == 1
    focus.select(seq=0)
    view.refresh()
    assert view.graph.items_by_name["virtio-net-device"].instances == 0


def test_folding_hides_a_subtree_and_selecting_unfolds_it(view: TypesView, focus: Focus) -> None:
    items = view.graph.items_by_name
    view.graph.toggle("device")
    assert not items["virtio-net-pci"].isVisible() and items["device"].isVisible() and items["bus"].isVisible()
    focus.select(type_name="virtio-net-pci")
    view.refresh()
    assert items["virtio-net-pci"].isVisible() and items["virtio-net-pci"].selected


def test_fold_button_keeps_the_way_to_the_selection(view: TypesView, focus: Focus) -> None:
    focus.select(type_name="virtio-net-device")
    view.refresh()
    view._fold()
    items = view.graph.items_by_name
    assert items["virtio-net-device"].isVisible() and not items["virtio-net-pci"].isVisible()
    view._unfold()
    assert all(item.isVisible() for item in items.values())


def test_search_lights_what_it_finds_and_enter_goes_there(view: TypesView, focus: Focus) -> None:
    view.search()
    view._search.setText("virtio_net_class_init")
    assert [name for name, item in view.graph.items_by_name.items() if item.hit] == ["virtio-net-device"]
    view._go_to_found()
    assert focus.type_name == "virtio-net-device"
    view._search.setText("no such thing")
    assert view._found.text() == "nothing found"
    view._search.clear()
    assert all(item.hit is None for item in view.graph.items_by_name.values())


def test_everything_is_in_sight_and_legible_at_first(view: TypesView) -> None:
    seen = view.picture.mapToScene(view.picture.viewport().rect()).boundingRect()
    assert all(seen.contains(item.sceneBoundingRect()) for item in view.graph.items_by_name.values())
    assert view.picture.transform().m11() >= 0.7


def test_unknown_sizes_say_so(view: TypesView) -> None:
    lines = {line.split("\t")[0].strip(): line for line in view.table_text().splitlines()}
    assert "unknown" in lines["PCI"] and "8960 B" in lines["virtio-net-device"]
    assert lines["virtio-net-pci"].split("\t")[2] == "pci-express-device, conventional-pci-device"


def test_the_tree_twin_selects_the_same_type(store: Store, focus: Focus, commands: Commands, qtbot: QtBot) -> None:
    twin = TypeTreeView(store, focus, commands)
    qtbot.addWidget(twin)
    twin.show()
    focus.select(seq=store.last_seq, type_name="virtio-bus")
    twin.refresh()
    assert twin.tree.nodes.node(twin.tree.currentIndex()).key == "virtio-bus"
    twin.tree.select_key("device")
    assert focus.type_name == "virtio-bus"
    qtbot.keyClick(twin.tree, Qt.Key.Key_Down)
    assert focus.type_name == "pci-device"
    assert twin.table_text().count("\n") >= len(store.reader.types)
