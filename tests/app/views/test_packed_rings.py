"""Packed rings in the window: the numbers behind the Rings view, and what a person sees of a recorded run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from ringscope.commands import Commands
from ringscope.figures.moments import telling_moment
from ringscope.figures.record import record
from ringscope.focus import Focus
from ringscope.store import Store
from ringscope.theme import DARK, LIGHT
from ringscope.views.inspector.view import InspectorView
from ringscope.views.rings import VIEW
from ringscope.views.rings.geometry import RingGeometry
from ringscope.views.rings.layouts import ring_snapshot
from ringscope.views.rings.model import STATES, EventIndex
from ringscope.views.rings.packed import PackedSnapshot, packed_flag_words
from ringscope.views.rings.split import SplitSnapshot
from ringscope.views.rings.view import RingsView
from ringscope_core.scenario.load import load
from ringscope_core.session.reader import SessionReader
from ringscope_core.trace.fields import field
from ringscope_core.trace.oids import is_ring, ring_index
from ringscope_core.trace.state import DESC_F_INDIRECT, F_SIGNALLED, F_SIGNALLED_VALID
from tests.app.views.packed_states import DESC, event, make_packed, packed_descriptor
from tests.app.views.ring_states import make_ring

F_NUM_ADDED = int(field("vring_virtqueue.num_added", "count"))


def snapshot(num: int = 16, *, driver: bytes = b"\0\0\0\0", device: bytes = b"\0\0\0\0", chain: int = 1, **places: int) -> PackedSnapshot:
    """A snapshot of a hand-made ring."""
    image, fields = make_packed(num, chain=chain, **places)
    image.avail, image.used = bytearray(driver), bytearray(device)
    return PackedSnapshot(0x16000, image, fields)


def test_states_follow_the_places() -> None:
    """Each range round the ring's end has its state."""
    snap = snapshot(avail=42, last_avail=39, used=37, last_used=33)
    assert dict(zip(STATES, snap.counts, strict=True)) == {"free": 7, "available": 3, "in flight": 2, "used": 4}
    assert snap.consistent


def test_indices_have_their_wrap_counters() -> None:
    """Six places, and those of event structures that name a descriptor."""
    snap = snapshot(avail=18, last_avail=17, used=15, last_used=14, driver=event(0x8003, DESC), device=event(5, 1))
    found = {index.name: (index.value, index.side, index.shown) for index in snap.indices()}
    assert found == {
        "next_avail_idx": (2, "driver", "slot 2, wrap 0"),
        "shadow_avail_idx": (2, "device", "slot 2, wrap 0"),
        "last_avail_idx": (1, "device", "slot 1, wrap 0"),
        "used_idx": (15, "device", "slot 15, wrap 1"),
        "signalled_used": (15, "device", "slot 15"),
        "last_used_idx": (14, "driver", "slot 14, wrap 1"),
        "driver event": (3, "driver", "slot 3, wrap 1"),
    }


def interrupts(snap: PackedSnapshot) -> EventIndex:
    return snap.event_indices()[0]


def kicks(snap: PackedSnapshot) -> EventIndex:
    return snap.event_indices()[1]


def test_flags_alone_decide() -> None:
    """ENABLE and DISABLE need no arithmetic."""
    places = {"avail": 8, "last_avail": 6, "used": 5, "last_used": 5}
    assert interrupts(snapshot(driver=event(0, 0), **places)).notifies
    assert not interrupts(snapshot(driver=event(0, 1), **places)).notifies
    assert kicks(snapshot(device=event(0, 0), **places)).notifies
    assert not kicks(snapshot(device=event(0, 1), **places)).notifies
    assert interrupts(snapshot(driver=event(0, 1), **places)).lines[1] == ("0x1 DISABLE", "text")


def test_verdict_of_the_next_push() -> None:
    """The step is as long as the chain that is used next; it interrupts when it passes the driver's event, in the same lap."""
    places = {"avail": 12, "last_avail": 9, "used": 6, "last_used": 6, "chain": 3}
    assert [interrupts(snapshot(driver=event(0x8000 | at, DESC), **places)).notifies for at in (5, 6, 8, 9)] == [False, True, True, False]
    assert interrupts(snapshot(driver=event(0x8006, DESC), **places)).new == 9
    # the same place of the other lap is 16 further back
    assert not interrupts(snapshot(driver=event(6, DESC), **places)).notifies


def test_a_push_over_the_end_interrupts() -> None:
    """signalled_used is not valid after it, wherever the event is; so it is before the first notification."""
    over = snapshot(avail=16, last_avail=16, used=15, last_used=15, driver=event(0x8003, DESC))
    assert interrupts(over).notifies and interrupts(over).new == 0
    image, fields = make_packed(16, avail=8, last_avail=6, used=5, last_used=5)
    image.avail = bytearray(event(0x8009, DESC))
    assert not interrupts(PackedSnapshot(1, image, fields)).notifies
    fields[int(F_SIGNALLED_VALID)] = 0
    assert interrupts(PackedSnapshot(1, image, fields)).notifies


@given(num=st.integers(2, 40), used=st.integers(0, 200), at=st.integers(0, 39), wrap=st.integers(0, 1), behind=st.integers(0, 39))
def test_the_rule_of_the_next_push(num: int, used: int, at: int, wrap: int, behind: int) -> None:
    """Against the rule in words: within a lap, the event notifies when it lies from what was signalled last to what is used now."""
    at, lap, place = at % num, 1 - used // num % 2, used % num
    old = place - min(behind, place)
    image, fields = make_packed(num, avail=used + 1, last_avail=used + 1, used=used, last_used=used)
    image.avail = bytearray(event(at | wrap << 15, DESC))
    fields[int(F_SIGNALLED)] = old
    answer = interrupts(PackedSnapshot(1, image, fields))
    if place + 1 == num:
        assert answer.notifies
    else:
        assert answer.notifies == (wrap == lap and old <= at <= place)


@given(num=st.integers(2, 40), avail=st.integers(0, 200), added=st.integers(0, 39), at=st.integers(0, 39), wrap=st.integers(0, 1))
def test_the_rule_of_the_next_add(num: int, avail: int, added: int, at: int, wrap: int) -> None:
    """The driver kicks when the event is among what it added since the last kick, the next one with it (counted over the ring's end)."""
    added, at = min(added, num - 1, avail), at % num
    image, fields = make_packed(num, avail=avail, last_avail=avail, used=avail, last_used=avail)
    image.used = bytearray(event(at | wrap << 15, DESC))
    fields[F_NUM_ADDED] = added
    # the lap of the event that lies nearest behind the place after the step
    after = avail + 1
    start = after - after % num
    absolute = start + at if wrap == 1 - after // num % 2 else start - num + at
    assert kicks(PackedSnapshot(1, image, fields)).notifies == (avail - added <= absolute < after)


def test_a_chain_and_its_table() -> None:
    """Slots that follow each other; a table by buffer id, also when the used descriptor has lost its INDIRECT."""
    snap = snapshot(avail=18, last_avail=18, used=15, last_used=12, chain=3)
    assert [(item.slot, item.link) for item in snap.chain(15)] == [(15, 5), (0, 5), (1, 5)]
    assert snap.chain_title(15, snap.chain(15)).startswith("Buffer 5 at slots 15 to 1: in flight (owner: device), 3 elements, ")
    assert snap.chain_title(12, snap.chain(12)) == "Buffer 4 at slots 12 to 14: used (owner: driver, to take), used len 7"
    image, fields = make_packed(16, avail=2, last_avail=1, used=1, last_used=0)
    image.desc[16:32] = packed_descriptor(0x5000, 32, 9, 0x80 | DESC_F_INDIRECT)
    image.indirect = {9: bytearray(packed_descriptor(0x6000, 12, 0, 0) + packed_descriptor(0x7000, 1500, 0, 2)), 0: bytearray(packed_descriptor(1, 2, 0, 0))}
    snap = PackedSnapshot(1, image, fields)
    assert [(item.slot, item.length, item.indirect) for item in snap.chain(1)] == [(1, 32, False), (0, 12, True), (1, 1500, True)]
    assert [item.addr for item in snap.chain(0)] == [0x100000, 1]
    assert snap.chain_title(1, snap.chain(1)).endswith("2 elements, 12 B out, 1500 B in")
    assert packed_flag_words(snap.chain(1)[0].flags) == "AVAIL INDIRECT"


def test_the_circle_has_a_ring_for_each_flag() -> None:
    """AVAIL, USED, NEXT, WRITE, INDIRECT; painting and pointing agree on each."""
    snap = snapshot(avail=18, last_avail=18, used=15, last_used=12, chain=3)
    bands = {band.name: band for band in snap.bands()}
    assert list(bands) == ["desc", "AVAIL", "USED", "NEXT", "WRITE", "INDIRECT"]
    flags = snap.desc["flags"]
    assert bands["USED"].values.tolist() == [int(value) >> 15 & 1 for value in flags]
    assert bands["NEXT"].values.tolist() == [int(value) & 1 for value in flags]
    geo = RingGeometry(QRectF(0, 0, 900, 600), 16, snap.bands())
    for name, (inner, outer) in geo.bands.items():
        hit = geo.hit(geo.point(3.5, (inner + outer) / 2))
        assert hit is not None and (hit.band, hit.slot) == (name, 3)
    assert snap.describe("USED", 15).startswith("USED clear in desc[15]: in flight, addr ")
    assert "chain from 15" in snap.describe("desc", 0)


def test_left_and_right_go_from_chain_to_chain() -> None:
    snap = snapshot(avail=9, last_avail=6, used=3, last_used=0, chain=3)
    assert [snap.neighbour(3, 1), snap.neighbour(3, -1), snap.neighbour(6, 1)] == [6, 0, 9]


def test_each_layout_has_its_snapshot() -> None:
    packed = ring_snapshot(1, *make_packed(8, avail=1, last_avail=0, used=0, last_used=0))
    split = ring_snapshot(1, *make_ring(8, avail=1, last_avail=0, used=0, last_used=0))
    assert (type(packed), type(split)) == (PackedSnapshot, SplitSnapshot)


# -- a recorded run ---------------------------------------------------------------------------------------------------
SCENARIO = """
name = "packed-test"
profile = "7.2"
netdev = ["responder,id=hostnet0,latency-ns=400000"]
device = ["virtio-net-pci,netdev=hostnet0,id=net0,packed=on"]
[machine]
type = "pc"
[driver]
napi_tx = false
tx_layout = "split"
indirect = false
tx_fragments = 3
tx_ring = 32
[time]
guest_turn_ns = 250000
device_turn_ns = 250000
[[traffic]]
kind = "bulk-tx"
rate_pps = 400
size = 500
burst = 8
"""


@pytest.fixture(scope="module")
def packed_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recording of a packed ring at work."""
    folder = tmp_path_factory.mktemp("packed")
    (folder / "packed-test.toml").write_text(SCENARIO)
    path = folder / "packed.ringscope"
    record(load(str(folder / "packed-test.toml")), path, 120_000_000)
    return path


@pytest.fixture
def packed_store(packed_file: Path, qtbot: QtBot) -> Iterator[Store]:
    reader = SessionReader(packed_file)
    yield Store(reader)
    reader.close()


@pytest.fixture
def view(packed_store: Store, qtbot: QtBot) -> RingsView:
    """The view at a busy moment of the transmit queue."""
    focus = Focus()
    focus.scrub(telling_moment(packed_store.reader, "rings"))
    focus.select(oid=transmit(packed_store))
    made = VIEW.make(packed_store, focus, Commands())
    assert isinstance(made, RingsView)
    qtbot.addWidget(made)
    made.set_theme(LIGHT)
    made.resize(1200, 800)
    made.refresh()
    return made


def transmit(store: Store) -> int:
    return next(oid for oid in store.moment(Focus()).rings or store.state_at(store.last_seq).rings if is_ring(oid) and ring_index(oid) == 1)


def test_nothing_of_a_split_ring_is_shown(view: RingsView) -> None:
    """Names, columns, chain: all of the packed layout."""
    text = view.table_text()
    for word in ("avail.idx", "used.idx", "used_event", "avail_event", "avail.ring", "used.ring", "avail_idx_shadow", "NO_INTERRUPT"):
        assert word not in text
    for word in ("next_avail_idx", "last_used_idx", "wrap 1", "driver event", "device event", "slot\tid\tstate", "Buffer ", "AVAIL NEXT"):
        assert word in text
    assert not view.canvas._trouble


def test_telling_moment_has_every_state(view: RingsView) -> None:
    assert all(view.canvas._snap is not None and count for count in view.canvas._snap.counts[1:])


def test_a_click_selects_the_buffer_and_its_frame(view: RingsView, packed_store: Store) -> None:
    """A slot in the middle of a chain stands for the whole buffer; the frame is found by the buffer's id."""
    view.canvas.grab()
    snap, geo = view.canvas._snap, view.canvas._geo
    assert snap is not None and geo is not None
    head = snap.slots.in_flight[0]
    middle = (head + 1) % snap.num
    inner, outer = geo.bands["desc"]
    QTest.mouseClick(view.canvas, Qt.MouseButton.LeftButton, pos=geo.point(middle + 0.5, (inner + outer) / 2).toPoint())
    assert view.focus.head == head
    view.refresh()
    assert "bytes sent at event" in view.chain.text()
    hit = view.canvas._hit(QPointF(geo.point(middle + 0.5, (inner + outer) / 2)))
    assert hit is not None and f"chain from {head}" in view.canvas.describe(hit)


def test_the_lens_names_both_event_structures(view: RingsView) -> None:
    snap = view.canvas._snap
    assert snap is not None
    panels = snap.lens_panels()
    assert [panel.side for panel in panels] == ["driver", "device"]
    assert all(panel.lines[0].startswith("off_wrap 0x") and panel.lines[1].startswith("flags") for panel in panels)
    view.canvas.grab()
    lens = view.canvas._lens
    assert lens is not None and len(lens.rows) == 1 and lens.count >= 5


def test_it_paints_in_both_themes_and_narrow(view: RingsView) -> None:
    light = view.grab().toImage()
    view.set_theme(DARK)
    view.refresh()
    assert view.grab().toImage() != light
    view.resize(860, 640)
    assert not view.grab().isNull()


def test_from_a_split_ring_to_a_packed_one(view: RingsView) -> None:
    """The table changes its headings with the layout, and keeps working."""
    model = view.model
    assert model.headerData(1, Qt.Orientation.Horizontal) == "id"
    model.show_ring(ring_snapshot(1, *make_ring(8, avail=1, last_avail=0, used=0, last_used=0)))
    assert model.headerData(1, Qt.Orientation.Horizontal) == "head" and model.rowCount() == 8
    view.focus.select(seq=view.focus.seq - 1)
    view.refresh()
    assert model.headerData(1, Qt.Orientation.Horizontal) == "id" and model.rowCount() == 32


def test_the_inspector_shows_a_packed_chain(packed_store: Store, view: RingsView, qtbot: QtBot) -> None:
    snap = view.canvas._snap
    assert snap is not None
    focus = Focus()
    focus.scrub(view.focus.seq)
    made = InspectorView(packed_store, focus, Commands())
    qtbot.addWidget(made)
    for head, word in ((snap.slots.in_flight[0], "in flight"), (snap.slots.used[-1], "used")):
        focus.select(oid=snap.oid, head=head)
        made.refresh()
        text = made.table_text()
        assert f"{word}  ·  buffer id {snap.ident_of(head)}  ·  packed ring of 32" in text
        assert text.count("buffer id\n") + text.count("\tbuffer id") >= 4
        assert "\tnext\t" not in text and "Last frame through this buffer id" in text
    assert "B written" in text
    focus.select(oid=snap.oid, subject="object")
    made.refresh()
    assert "next_avail_idx = " in made.table_text() and "avail_idx_shadow" not in made.table_text()


def test_every_event_of_a_packed_run_can_be_shown(view: RingsView, packed_store: Store) -> None:
    """Through the whole recording, in the middle of updates too, nothing fails and nothing contradicts."""
    oid = transmit(packed_store)
    for seq in range(packed_store.last_seq - 400, packed_store.last_seq + 1):
        state = packed_store.state_at(seq)
        snap = ring_snapshot(oid, state.rings[oid], state.fields[oid])
        assert snap.consistent, seq
        assert sum(snap.counts) == 32
        snap.event_indices()
        snap.parties()
        snap.chain(snap.telling_head())
