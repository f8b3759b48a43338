"""The names of indices at the lens and round the circle: each is there, and none lies over another."""

from __future__ import annotations

from itertools import combinations, product

import pytest
from PySide6.QtCore import QRectF
from PySide6.QtGui import QFontMetricsF
from pytestqt.qtbot import QtBot

from ringscope.views.rings.canvas import RingCanvas
from ringscope.views.rings.geometry import RingGeometry
from ringscope.views.rings.hands import fitted, label_room
from ringscope.views.rings.lens import Lens
from ringscope.views.rings.marks import MARK_HEIGHT, Mark, Name, measure_name, name_boxes, place_marks
from ringscope.views.rings.packed import PackedSnapshot
from ringscope.views.rings.paint import number_parts
from ringscope.views.rings.split import SplitSnapshot
from ringscope_core.trace.state import F_SHADOW_AVAIL
from tests.app.views.packed_states import make_packed
from tests.app.views.ring_states import make_ring

AVAIL = (Name("avail.idx", "driver"), Name("shadow_avail_idx", "device"), Name("last_avail_idx", "device"), Name("avail_event", "device"))
WIDTHS = (320, 400, 640, 1100)


def boxes(marks: list[Mark]) -> list[QRectF]:
    """Where all names lie, above an edge at 100."""
    return [box for mark in marks for _, _, box in name_boxes(mark, 100.0, True, measure_name)]


def check(marks: list[Mark], left: float, right: float) -> None:
    """No two names meet, none lies over a triangle of another slot, all are in the room."""
    found = boxes(marks)
    assert all(not one.adjusted(0.5, 0.5, -0.5, -0.5).intersects(other) for one, other in combinations(found, 2))
    assert all(left <= box.left() and box.right() <= right + 0.5 and box.top() >= 100.0 - MARK_HEIGHT for box in found)
    triangles = [QRectF(mark.x - 4, 92, 8, 8) for mark in marks]
    assert not any(box.intersects(triangle) for box in found for triangle in triangles)
    poles = [QRectF(mark.x - 0.5, 88, 1, 12) for mark in marks if mark.pole]
    assert not any(box.intersects(pole) for box in found for pole in poles)


@pytest.mark.parametrize("width", WIDTHS)
def test_names_of_neighbouring_slots_never_meet(width: int, qtbot: QtBot) -> None:
    """Four indices at every choice of up to five neighbouring slots: every name is there, none over another."""
    count = max(1, (width - 98) // 66)
    for places in product(range(min(count, 5)), repeat=4):
        groups = [(86.0 + 66 * place, tuple(name for name, at in zip(AVAIL, places, strict=True) if at == place)) for place in sorted(set(places))]
        marks = place_marks(groups, 6, width - 4, measure_name)
        assert sorted(name.text for mark in marks for name in mark.names) == sorted(name.text for name in AVAIL)
        check(marks, 6, width - 4)


def test_names_without_room_give_way_to_their_number(qtbot: QtBot) -> None:
    """A strip too narrow for all names shows what fits and how many more there are."""
    marks = place_marks([(60.0, AVAIL)], 6, 150, measure_name)
    names = [name.text for mark in marks for name in mark.names]
    assert names[0] == "avail.idx" and names[-1] == f"+{4 - (len(names) - 1)}"
    check(marks, 6, 150)


@pytest.mark.parametrize("width", WIDTHS)
def test_the_lens_shows_every_index_in_reach(width: int, qtbot: QtBot) -> None:
    """A split ring whose device lags one slot behind: the marks of both rings hold all eight names."""
    image, fields = make_ring(256, avail=8, last_avail=7, used=6, last_used=5, used_event=5, avail_event=7)
    fields[int(F_SHADOW_AVAIL)] = 7
    snap = SplitSnapshot(1, image, fields)
    lens = Lens(QRectF(0, 0, width, 198), snap, -1)
    shown = {name.text for _, _, marks in lens.marks() for mark in marks for name in mark.names}
    for row, over, marks in lens.marks():
        assert over and row.name in ("avail", "used")
        check(marks, 6, width - 4)
    assert {"avail.idx", "shadow_avail_idx", "last_avail_idx", "avail_event", "used.idx", "last_used_idx"} <= shown


def test_marks_keep_out_of_the_bands(qtbot: QtBot) -> None:
    """Names above and below a packed ring's band lie beside it, under the picture and over the panels."""
    image, fields = make_packed(256, avail=9, last_avail=8, used=7, last_used=6)
    lens = Lens(QRectF(0, 0, 640, 198), PackedSnapshot(1, image, fields), -1)
    for row, over, marks in lens.marks():
        edge = row.top if over else row.top + row.height
        for mark in marks:
            for _, _, box in name_boxes(mark, edge, over, measure_name):
                assert lens.rect.contains(box)
                assert not box.intersects(QRectF(0, row.top, 640, row.height))


def test_slot_numbers_have_room_in_a_small_circle(qtbot: QtBot) -> None:
    """A circle of 62 pixels numbers four slots, a large one sixteen; neighbours are always a number's width apart."""
    image, fields = make_ring(256, avail=0, last_avail=0, used=0, last_used=0)
    bands = SplitSnapshot(1, image, fields).bands()
    small, large = (RingGeometry(QRectF(0, 0, width, height), 256, bands) for width, height in ((326, 400), (900, 800)))
    assert (number_parts(small, 18.0), number_parts(large, 18.0)) == (4, 16)


def test_a_picture_that_had_a_lens_keeps_it(qtbot: QtBot) -> None:
    """The second line of names takes no lens away from a low picture."""
    image, fields = make_ring(64, avail=3, last_avail=2, used=1, last_used=0)
    canvas = RingCanvas()
    qtbot.addWidget(canvas)
    canvas.resize(640, 417)
    canvas.show_ring(SplitSnapshot(1, image, fields), "tx", -1, "")
    assert canvas.laid_out()[1] is not None


@pytest.mark.parametrize("width", (326, 640, 700, 1200))
def test_labels_beside_the_circle_end_inside_the_picture(width: int, qtbot: QtBot) -> None:
    """The longest name there is, and the longest line of a low picture, fit between the circle and the edge."""
    image, fields = make_ring(256, avail=0, last_avail=0, used=0, last_used=0)
    geo = RingGeometry(QRectF(0, 0, width, 700), 256, SplitSnapshot(1, image, fields).bands())
    room = label_room(geo, False)
    assert geo.center.x() + geo.radius + 36 + room <= width
    for texts in (["signalled_used (invalid)"], ["signalled_used 65535 \N{RIGHTWARDS ARROW} 255", "signalled_used 65535", "signalled_used"]):
        text, font = fitted(texts, room, (8.5, 7.5, 6.5))
        assert QFontMetricsF(font).horizontalAdvance(text) <= room
