"""The Realize view: call tree, chart, stack, details."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from ringscope.commands import Commands
from ringscope.figures.moments import telling_moment
from ringscope.focus import Focus
from ringscope.store import Store
from ringscope.theme import LIGHT
from ringscope.views.realize import VIEW
from ringscope.views.realize.model import CallTree, subsystem
from ringscope.views.realize.view import RealizeView
from ringscope_core.session.reader import SessionReader
from tests.app.synthetic import make_session


@pytest.fixture
def store(tmp_path: Path, qtbot: QtBot) -> Iterator[Store]:
    """The store of a small recording."""
    reader = SessionReader(make_session(tmp_path / "s.ringscope", turns=10))
    yield Store(reader)
    reader.close()


@pytest.fixture
def view(store: Store, qtbot: QtBot) -> RealizeView:
    """The view at the first statement of the device's realize."""
    focus = Focus()
    focus.scrub(telling_moment(store.reader, "realize"))
    made = VIEW.make(store, focus, Commands())
    assert isinstance(made, RealizeView)
    qtbot.addWidget(made)
    made.set_theme(LIGHT)
    made.resize(1200, 800)
    made.refresh()
    return made


def test_tree_of_calls(store: Store) -> None:
    """Depths, spans and what each call wrote follow the events."""
    tree = CallTree()
    assert tree.extend(store)
    assert not tree.extend(store)
    names = [(store.decoder.function(call.fn), call.depth) for call in tree.calls]
    assert names == [("qdev_device_add", 0), ("object_property_set_bool", 1), ("device_set_realized", 2), ("virtio_net_device_realize", 3), ("virtio_init", 4)]
    realize = tree.calls[3]
    assert [point.line for point in realize.checkpoints] == [2658, 2661]
    assert [store.decoder.field_name(write.field) for write in realize.fields] == ["VirtIONet.max_queues", "VirtIODevice.host_features"]
    assert all(call.end > call.seq for call in tree.calls)
    assert tree.innermost_at(realize.seq) is realize
    assert tree.innermost_at(store.last_seq) is None


def test_stack_is_gdbs(view: RealizeView) -> None:
    """The stack at the moment, innermost first, in gdb's form."""
    lines = view.stack.toPlainText().splitlines()
    assert lines[0].startswith("#0  virtio_net_device_realize (dev=0x55555729b2b0, errp=0x7fffffffe1f0) at ")
    assert lines[0].endswith("hw/net/virtio-net.c:2658")
    assert any(line.startswith("#1  0x000055555599c655 in device_set_realized") for line in lines)


def test_arrows_walk_and_move_the_focus(view: RealizeView, store: Store) -> None:
    """Down goes to the first callee, up to the caller; the focus follows and the details with it."""
    tree = view.chart.tree
    QTest.keyClick(view.chart, Qt.Key.Key_Down)
    assert view.focus.seq == tree.calls[4].seq
    view.refresh()
    assert view.call_title.text().startswith("virtio_init (")
    QTest.keyClick(view.chart, Qt.Key.Key_Up)
    QTest.keyClick(view.chart, Qt.Key.Key_Up)
    assert view.focus.seq == tree.calls[2].seq


def test_click_on_a_bar(view: RealizeView) -> None:
    """A click on a bar selects its call."""
    view.chart.grab()
    call = view.chart.tree.calls[2]
    box = view.chart._box(call)
    QTest.mouseClick(view.chart, Qt.MouseButton.LeftButton, pos=box.center().toPoint())
    assert view.chart.selected is call


def test_search_marks_and_steps(view: RealizeView) -> None:
    """Typing marks calls, Enter goes from one to the next."""
    view.find_box.setText("realize")
    assert view.chart.matches == {2, 3}
    QTest.keyClick(view.find_box, Qt.Key.Key_Return)
    QTest.keyClick(view.find_box, Qt.Key.Key_Return)
    assert view.focus.seq == view.chart.tree.calls[3].seq
    assert view.found.text() == "2 of 2"


def test_details_name_the_fields(view: RealizeView) -> None:
    """Fields written by the call, old and new, by name; with callees, theirs too."""
    assert view.fields.rows[0][1:5] == ("virtio-backend", "VirtIONet.max_queues", "0", "1")
    before = len(view.fields.rows)
    view.with_callees.setChecked(True)
    assert ("VirtIODevice.device_id", "virtio_init") in {(row[2], row[5]) for row in view.fields.rows}
    assert len(view.fields.rows) == before + 1


def test_after_the_realize(view: RealizeView, store: Store) -> None:
    """Without an open call the stack says so, and the button leads back."""
    view.focus.scrub(store.last_seq)
    view.refresh()
    assert view.stack_title.text().startswith(f"No call is open after event {store.last_seq}. Stack at event {view.chart.tree.calls[3].seq}")
    assert view.stack.toPlainText().startswith("#0  virtio_net_device_realize")
    view.landmark.click()
    assert view.focus.seq == view.chart.tree.calls[3].seq


def test_time_that_stands_still_is_said(view: RealizeView) -> None:
    """Virtual time does not pass in a realize: the chart says so instead of drawing nothing."""
    view.axis.setCurrentIndex(1)
    assert view.chart.standstill
    view.axis.setCurrentIndex(0)
    assert not view.chart.standstill


@pytest.mark.parametrize(("path", "part"), [("qom/object.c", "qom"), ("hw/net/virtio-net.c", "virtio-net"), ("qdev-monitor.c", "qdev"), ("vl.c", "main")])
def test_parts_of_qemu(path: str, part: str) -> None:
    """Bars are coloured by the part of QEMU."""
    assert subsystem(path) == part
