"""The Objects view: the composition tree and the bus tree of a moment."""

from __future__ import annotations

import pytest
from pytestqt.qtbot import QtBot

from ringscope.commands import Commands
from ringscope.focus import Focus
from ringscope.store import Store
from ringscope.type_rows import TypeForest
from ringscope.views.objects.model import bus_tree, composition
from ringscope.views.objects.view import ObjectsView
from ringscope.widgets.tree_list import Node
from ringscope_core.trace.kinds import EV_OBJ_NEW


@pytest.fixture
def view(store: Store, focus: Focus, commands: Commands, qtbot: QtBot) -> ObjectsView:
    made = ObjectsView(store, focus, commands)
    qtbot.addWidget(made)
    made.resize(500, 600)
    made.show()
    return made


def names(node: Node, depth: int = 0) -> list[str]:
    return [line for child in node.children for line in ("  " * depth + child.texts[0], *names(child, depth + 1))]


def test_children_stand_below_their_parents(store: Store) -> None:
    tree = names(composition(store.state_at(store.last_seq), store))
    assert tree[:6] == ["machine", "  peripheral", "    net0", "      virtio-backend", "      virtio-bus", "  pci.0"]
    assert tree[6:] == ["virtqueues", "  rx0", "  tx0", "  ctrl"]


def test_the_bus_tree_nests_devices_and_their_buses(store: Store) -> None:
    tree = names(bus_tree(store.state_at(store.last_seq), store, TypeForest(store)))
    assert tree == [
        "bus: pci.0  type PCI",
        '  dev: virtio-net-pci, id "net0"',
        "    bus: virtio-bus  type virtio-pci-bus",
        '      dev: virtio-net-device, id ""',
    ]


def test_the_tree_is_that_of_the_moment(view: ObjectsView, store: Store, focus: Focus) -> None:
    made = store.find([int(EV_OBJ_NEW)], 0, store.last_seq, 9)
    focus.select(seq=int(made[2]["seq"]) - 1)
    view.refresh()
    before = view.table_text()
    focus.select(seq=store.last_seq)
    view.refresh()
    assert "virtio-backend" not in before and "virtio-backend" in view.table_text()


def test_what_was_open_stays_open(view: ObjectsView, store: Store, focus: Focus) -> None:
    focus.select(seq=store.last_seq)
    view.refresh()
    machine = view.composition.nodes.index(0, 0)
    view.composition.setExpanded(machine, False)
    focus.select(seq=20)
    view.refresh()
    focus.select(seq=store.last_seq)
    view.refresh()
    assert not view.composition.isExpanded(view.composition.nodes.index(0, 0))


def test_choosing_an_object_focuses_it_and_its_type(view: ObjectsView, store: Store, focus: Focus) -> None:
    focus.select(seq=store.last_seq)
    view.refresh()
    oid = next(oid for oid in store.names.known() if store.name_of(oid) == "virtio-backend")
    view.composition.picked.emit(oid)
    assert (focus.oid, focus.type_name, focus.subject) == (oid, "virtio-net-device", "object")


def test_addresses_show_when_there_is_room(view: ObjectsView) -> None:
    view.resize(300, 600)
    assert view.composition.isColumnHidden(3)
    view.resize(600, 600)
    assert not view.composition.isColumnHidden(3)
