"""The Rings view as a person uses it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from ringscope.commands import Commands
from ringscope.focus import Focus
from ringscope.store import Store
from ringscope.theme import DARK, LIGHT
from ringscope.views.rings import VIEW, frame
from ringscope.views.rings.frame import FrameUse, find_frame, header_lines, hex_dump, summary
from ringscope.views.rings.model import F_BROKEN
from ringscope.views.rings.view import RingsView
from ringscope_core.session.reader import SessionReader
from ringscope_core.trace.kinds import EV_FLUSH
from ringscope_core.trace.oids import ring_oid
from ringscope_core.trace.state import MachineState
from tests.app.synthetic import BDF, icmp_frame, make_session
from tests.app.views.ring_states import make_ring

TX = int(ring_oid(BDF, 1))


@pytest.fixture
def store(tmp_path: Path, qtbot: QtBot) -> Iterator[Store]:
    """The store of a small recording."""
    reader = SessionReader(make_session(tmp_path / "s.ringscope", turns=30))
    yield Store(reader)
    reader.close()


@pytest.fixture
def view(store: Store, qtbot: QtBot) -> RingsView:
    """The view, laid out, after the last event."""
    focus = Focus()
    focus.scrub(store.last_seq)
    made = VIEW.make(store, focus, Commands())
    assert isinstance(made, RingsView)
    qtbot.addWidget(made)
    made.set_theme(LIGHT)
    made.resize(1200, 800)
    made.refresh()
    return made


def between(store: Store) -> int:
    """A moment at which transmitted frame 5 is used and not yet taken."""
    rows = store.reader.find_events((int(EV_FLUSH),), 0, store.last_seq, 1 << 16, False, (TX,))
    return int(rows[5]["seq"])


def test_focus_from_elsewhere_selects_here(view: RingsView, store: Store) -> None:
    """Ring, head and moment chosen in another view are shown: table row, chain, bytes."""
    view.focus.select(seq=between(store), oid=TX, head=5)
    view.refresh()
    text = view.chain.text()
    assert text.startswith("Chain of head 5: used (owner: driver, to take)")
    assert "used.ring[5]" in text
    assert icmp_frame(5)[:8].hex(" ") in text
    assert view.table.selectionModel().selectedRows()[0].row() == 5


def test_a_click_on_a_slot_moves_the_focus(view: RingsView, store: Store) -> None:
    """Clicking a descriptor in the circle selects its chain for every view."""
    view.focus.select(oid=TX)
    view.refresh()
    view.canvas.grab()
    geo = view.canvas._geo
    assert geo is not None
    inner, outer = geo.bands["desc"]
    QTest.mouseClick(view.canvas, Qt.MouseButton.LeftButton, pos=geo.point(17.5, (inner + outer) / 2).toPoint())
    assert (view.focus.oid, view.focus.head) == (TX, 17)


def test_tooltip_words(view: RingsView, store: Store) -> None:
    """Every place of the picture can be said in words."""
    view.focus.select(seq=between(store), oid=TX)
    view.refresh()
    view.canvas.grab()
    geo = view.canvas._geo
    assert geo is not None
    inner, outer = geo.bands["used"]
    hit = view.canvas._hit(QPointF(geo.point(5.5, (inner + outer) / 2)))
    assert hit is not None
    assert view.canvas.describe(hit) == "used.ring[5] = id 5, len 0: used, not yet taken by the driver"


def test_table_filters_and_sorts(view: RingsView, store: Store) -> None:
    """The table twin finds by any word and sorts by number, not by text."""
    view.focus.select(seq=between(store), oid=TX)
    view.refresh()
    view.search_box.setText("used")
    assert [view.model.cells(view.model.slot_at(row))[2] for row in range(view.model.rowCount())] == ["used"]
    view.search_box.clear()
    view.table.sortByColumn(0, Qt.SortOrder.DescendingOrder)
    assert view.model.slot_at(0) == 63


def test_every_queue_has_a_card(view: RingsView) -> None:
    """Names and sizes of all queues; choosing one shows it."""
    assert [(card.name, card.num) for card in view.strip._cards] == [("receiveq0", 64), ("transmitq0", 64), ("controlq", 64)]
    view.strip.chosen.emit(TX)
    assert view.focus.oid == TX


def test_before_the_first_queue(view: RingsView) -> None:
    """A moment without rings says so instead of drawing an empty circle."""
    view.focus.scrub(3)
    view.refresh()
    assert view.canvas._note == "No virtqueue exists at this moment."
    assert not view.canvas.grab().isNull()


def test_text_twin_has_numbers(view: RingsView) -> None:
    """Indices, verdicts, slots and chain are there as text."""
    text = view.table_text()
    assert "device\tlast_avail_idx\t30 \N{RIGHTWARDS ARROW} 30" in text
    assert "interrupt\tthe next push" in text
    assert "slot\thead\tstate" in text


def test_dark_and_light_differ_and_draw(view: RingsView) -> None:
    """Both themes paint."""
    light = view.grab().toImage()
    view.set_theme(DARK)
    view.refresh()
    assert view.grab().toImage() != light


def test_find_frame_knows_an_earlier_trip(store: Store) -> None:
    """The frame of head 5 is that of turn 5, found from the end as well as from just after."""
    use = find_frame(store, TX, 5, store.last_seq)
    assert use is not None
    assert (use.packet, use.current, use.receive) == (11, True, False)
    assert find_frame(store, TX, 40, store.last_seq) is None


def test_hex_dump_and_summary() -> None:
    """Three columns; long frames are cut with a line that says so; runts are named."""
    dump = hex_dump(bytes(range(20)))
    assert dump.splitlines()[0] == "0000  00 01 02 03 04 05 06 07  08 09 0a 0b 0c 0d 0e 0f  ................"
    assert hex_dump(bytes(range(10)), row=8).splitlines() == ["0000  00 01 02 03 04 05 06 07  ........", "0008  08 09                    .."]
    assert hex_dump(bytes(100), 32).splitlines()[-1] == "... 68 more bytes"
    assert summary(icmp_frame(0)).endswith("IPv4  10.0.2.15 > 10.0.2.2 ICMP")
    assert summary(b"\x00" * 9) == "9 bytes: shorter than an Ethernet header"


def test_a_broken_device_is_said(view: RingsView, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """VirtIODevice.broken shows across the picture; so does a ring whose indices contradict each other."""
    state = store.state_at(store.last_seq)
    image, fields = make_ring(16, avail=40, last_avail=20, used=20, last_used=20)
    broken = MachineState()
    broken.seq, broken.rings, broken.fields = state.seq, {TX: image}, {TX: fields}
    monkeypatch.setattr(store, "moment", lambda focus: broken)
    view.focus.select(oid=TX)
    view.refresh()
    assert view.canvas._trouble == "Indices or entries contradict each other at this moment."
    broken.fields[9] = {F_BROKEN: 1}
    view.refresh()
    assert view.canvas._trouble == "The device is broken: no virtio_error is recorded"
    assert not view.canvas.grab().isNull()


def test_a_narrow_view_puts_the_numbers_on_a_page(view: RingsView) -> None:
    """In a dock the numbers leave room for the circle; wide again, all is side by side."""
    view.show()
    view.resize(860, 640)
    assert not view.numbers.isVisible()
    view.resize(1400, 800)
    assert view.numbers.isVisible()


def test_live_parts_come_in_turns_and_end_at_one_moment(store: Store, qtbot: QtBot) -> None:
    """While traffic is followed a moment is shown over several frames; when nothing more comes, every part shows the last one."""
    store.live = True
    focus = Focus()
    focus.advance(between(store))
    view = VIEW.make(store, focus, Commands())
    assert isinstance(view, RingsView)
    qtbot.addWidget(view)
    view.refresh()
    assert not view.unfinished
    before = view.numbers.text()
    focus.advance(store.last_seq)
    view.refresh()
    assert view.unfinished and view.numbers.text() == before
    view.refresh()
    assert view.numbers.text() != before
    qtbot.waitUntil(lambda: view.refresh() or not view.unfinished, timeout=2000)
    live = view.table_text()
    store.live = False
    view.refresh()
    assert live == view.table_text()


def test_the_recorded_header_is_shown_as_it_was(store: Store) -> None:
    """What the driver or the peer wrote, not what the device would have; without one it is said."""
    use = FrameUse(1, 0, 60, False, 0, True)
    (title, line) = header_lines(store.state_at(store.last_seq), use, bytes([1, 1]) + (54).to_bytes(2, "little") + bytes(8))
    assert title == "virtio_net_hdr (12 bytes):"
    assert "hdr_len 54" in line
    assert "not recorded" in header_lines(store.state_at(store.last_seq), use)[0]


def test_a_search_that_ends_early_is_not_taken_for_an_answer(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    oid = int(ring_oid(BDF, 1))
    assert frame.searched_all(store, oid, store.last_seq)
    monkeypatch.setattr(frame, "LOOK_BACK", 8)
    assert not frame.searched_all(store, oid, store.last_seq)
