"""Labels find room: near, quiet, apart, never over a target; in a margin when there is none."""

from __future__ import annotations

import numpy as np
import pytest

from ringscope.figures.boxes import Box, crosses, lines_cross
from ringscope.figures.leaders import leader, ways
from ringscope.figures.room import Room

PICTURE = Box(0, 0, 600, 400)
LABEL = (100.0, 26.0)


def room(*busy: Box) -> Room:
    """A picture with some of it drawn over."""
    noise = np.zeros((400, 600), np.bool_)
    for box in busy:
        noise[int(box.y) : int(box.bottom), int(box.x) : int(box.right)] = True
    return Room(noise, PICTURE)


def test_in_an_empty_picture_a_label_stands_beside_its_target() -> None:
    """Not over it, not far away."""
    target = Box(280, 190, 40, 20)
    place = room().arrange([LABEL], [target], [target])[0]
    assert not place.meets(target)
    (x0, y0), (x1, y1) = leader(place, target)
    assert 16 <= np.hypot(x1 - x0, y1 - y0) < 40


def test_labels_keep_apart() -> None:
    """Twelve labels at one place: none over another, none over any target, all the same when asked again."""
    targets = [Box(250 + 8 * n, 190, 6, 20) for n in range(12)]
    places = room().arrange([LABEL] * 12, targets, targets)
    for n, place in enumerate(places):
        assert not any(place.meets(other) for other in places[:n])
        assert not any(place.meets(target) for target in targets)
    assert room().arrange([LABEL] * 12, targets, targets) == places


def test_no_quiet_room_takes_a_margin() -> None:
    """Where all is drawn over, the label stands outside, at the nearest side."""
    target = Box(560, 190, 20, 20)
    place = room(PICTURE).arrange([LABEL], [target], [target])[0]
    assert place.x >= PICTURE.right


def test_a_quiet_corner_is_taken_before_a_margin() -> None:
    """Content on the left, room on the right."""
    target = Box(180, 190, 20, 20)
    place = room(Box(0, 0, 300, 400)).arrange([LABEL], [target], [target])[0]
    assert place.x >= 300 and place.right <= PICTURE.right


def test_a_target_that_fills_the_picture_is_not_covered() -> None:
    """Then only a margin is left."""
    place = room().arrange([LABEL], [PICTURE], [PICTURE])[0]
    assert not place.meets(PICTURE)


@pytest.mark.parametrize(
    ("line", "hit"), [(((0, 0), (100, 100)), True), (((0, 0), (100, 0)), False), (((0, 45), (39, 45)), False), (((0, 45), (45, 45)), True)]
)
def test_a_line_enters_a_box(line: tuple[tuple[float, float], tuple[float, float]], hit: bool) -> None:
    """The box lies from 40 to 60."""
    assert crosses(line, Box(40, 40, 20, 20)) is hit


def test_lines_that_cross() -> None:
    """An X does, two sides of a square do not."""
    assert lines_cross(((0, 0), (10, 10)), ((0, 10), (10, 0)))
    assert not lines_cross(((0, 0), (10, 0)), ((0, 10), (10, 10)))


def test_a_line_goes_round_texts() -> None:
    """Between a label and a wide target stands a word: the line ends beside it, not where it would be shortest."""
    word = Box(270, 150, 60, 14)
    place, target = Box(250, 100, 100, 26), Box(200, 200, 200, 20)
    found = Room(np.zeros((400, 600), np.bool_), PICTURE, [word]).lines([place], [target], [target])[0]
    assert crosses(leader(place, target), word)
    assert not crosses(found, word)
    assert found[0][1] == place.bottom and found[1][1] == target.y


def test_a_label_goes_where_its_line_meets_no_text() -> None:
    """Print above the target and none below: below."""
    target, print_ = Box(280, 190, 40, 20), Box(0, 150, 600, 30)
    texts = Room(np.zeros((400, 600), np.bool_), PICTURE, [print_])
    place = texts.arrange([LABEL], [target], [target])[0]
    assert not crosses(texts.lines([place], [target], [target])[0], print_)


def test_ways_touch_both_boxes_and_enter_neither() -> None:
    """Every way begins on the label's edge and ends on the target's."""
    label, target = Box(10, 10, 100, 26), Box(200, 120, 80, 40)
    for line in ways(label, target):
        (x0, y0), (x1, y1) = line
        assert x0 in (label.x, label.right) or y0 in (label.y, label.bottom)
        assert x1 in (target.x, target.right) or y1 in (target.y, target.bottom)
        assert not crosses(line, label.grown(-1)) and not crosses(line, target.grown(-1))
