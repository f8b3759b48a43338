"""Callouts on pictures: seen, apart, in every theme and language, as text in vector files, inside a crop."""

from __future__ import annotations

import re

import pytest
from PySide6.QtCore import QRect
from PySide6.QtGui import QImage

from ringscope.figures.boxes import Box, crosses
from ringscope.figures.callouts import labels_of
from ringscope.figures.draw import draw, image
from ringscope.figures.painted_text import painted_texts
from ringscope.figures.places import crop_rect, place_of
from ringscope.figures.spec import Callout, FigureSpec, parse_callout
from ringscope.figures.stage import Stage
from ringscope.theme import FIGURE_THEMES
from ringscope_core.scenario.errors import InputError
from ringscope_core.session.reader import SessionReader

SIZE = (1200, 800)
THREE = (Callout("desc:5", "the head of a chain"), Callout("queue:tx0", "#"), Callout("part:slots", "every descriptor is a row of this table as well"))


def rect(box: tuple[float, float, float, float]) -> QRect:
    """Whole pixels."""
    return QRect(*(int(number) for number in box))


def cut(picture: QImage, box: QRect) -> QImage:
    """A part of a picture."""
    return picture.copy(box)


@pytest.mark.parametrize("theme", ["light", "dark", "print"])
def test_labels_cover_neither_targets_nor_each_other(reader: SessionReader, theme: str) -> None:
    """And the pixels of small targets are the same as without callouts."""
    spec = FigureSpec("", "rings", size=SIZE, theme=theme, callouts=THREE)
    with Stage(spec, reader) as stage:
        arranged = stage._arrange()
        boxes = [rect(box) for box in arranged.boxes]
        targets = [place_of(stage.widget, callout.target) for callout in THREE]
    for n, box in enumerate(boxes):
        assert arranged.bounds.contains(box)
        assert not any(box.intersects(other) for other in [*boxes[:n], *targets])
    plain, drawn = image(spec.with_(callouts=()), reader), image(spec, reader)
    inside = targets[1].adjusted(12, 6, -12, -10)
    assert cut(plain, inside) == cut(drawn, inside.translated(-arranged.bounds.topLeft()))
    color = FIGURE_THEMES[theme].color("accent").rgb()
    assert any(drawn.pixel(x, y) == color for x in range(0, drawn.width(), 2) for y in range(0, drawn.height(), 2))


@pytest.mark.parametrize("target", ["queue:rx0", "field:last_avail_idx", "column:len", "chain:0", "queue:tx0"])
def test_lines_cross_no_text(reader: SessionReader, target: str) -> None:
    """The remarks of the guide, one by one: between label and target no word of the view is struck out."""
    with Stage(FigureSpec("", "rings", size=(1200, 760), focus="tx0", callouts=(Callout(target, "how far the device has come"),)), reader) as stage:
        arranged = stage._arrange()
        own = arranged.frames[0].grown(2)
        words = [Box(piece.box.x(), piece.box.y(), piece.box.width(), piece.box.height()).grown(-1) for piece in painted_texts(stage.widget)]
        assert len(arranged.lines) == 1
        assert not [word for word in words if crosses(arranged.lines[0], word) and not own.meets(word)]


def test_the_same_twice(reader: SessionReader) -> None:
    """Places are found without chance."""
    spec = FigureSpec("", "rings", size=SIZE, callouts=THREE)
    assert draw(spec, reader, ".svg") == draw(spec, reader, ".svg")


def test_texts_stay_texts_in_vectors(reader: SessionReader) -> None:
    """A label of one line is one text of the SVG."""
    data = draw(FigureSpec("", "rings", size=SIZE, callouts=THREE), reader, ".svg").decode()
    assert "the head of a chain" in re.sub(r"<[^>]*>", "", data)


def test_a_margin_when_all_is_taken(reader: SessionReader) -> None:
    """The picture grows by the label and keeps its own pixels."""
    spec = FigureSpec("", "throughput", size=SIZE, crop="plots")
    plain = image(spec, reader)
    remark = spec.with_(callouts=(Callout("part:plots", "six plots with one axis of time"),))
    drawn = image(remark, reader)
    assert drawn.width() > plain.width() or drawn.height() > plain.height()
    with Stage(remark, reader) as stage:
        corner = crop_rect(stage.widget, "plots").topLeft() - stage.bounds.topLeft()
    inside = QRect(300, 200, 200, 200)
    assert cut(plain, inside) == cut(drawn, inside.translated(corner))


def test_inside_a_crop(reader: SessionReader) -> None:
    """Exact pixels of the part; a callout of something else is an error."""
    whole = image(FigureSpec("", "rings", size=SIZE), reader)
    spec = FigureSpec("", "rings", size=SIZE, crop="picture")
    part = image(spec, reader)
    with Stage(spec, reader) as stage:
        box = crop_rect(stage.widget, "picture")
    assert part == cut(whole, box)
    image(spec.with_(callouts=(Callout("desc:5", "here"),)), reader)
    with pytest.raises(InputError, match="a place inside the part that the crop keeps"):
        image(spec.with_(callouts=(Callout("part:slots", "not here"),)), reader)


def test_numbers() -> None:
    """``#`` counts, digits alone are a number, anything else is text."""
    labels = labels_of((Callout("a", "#"), Callout("b", "# second"), Callout("c", "7"), Callout("d", "42 slots")))
    assert [label.number for label in labels] == ["1", "2", "7", ""]
    assert [label.lines for label in labels] == [(), ("second",), (), ("42 slots",)]


def test_long_texts_break_evenly() -> None:
    """Words stay whole, Chinese breaks anywhere, nothing is lost."""
    english, chinese = labels_of(
        (
            Callout("a", "what the driver published last and the device has not taken yet"),
            Callout("b", "驱动程序最后发布而设备尚未取走的描述符链的头部所在的位置就在这里"),
        )
    )
    assert len(english.lines) > 1 and " ".join(english.lines) == "what the driver published last and the device has not taken yet"
    assert len(chinese.lines) > 1 and "".join(chinese.lines) == "驱动程序最后发布而设备尚未取走的描述符链的头部所在的位置就在这里"
    assert max(map(len, english.lines)) - min(map(len, english.lines)) < 14


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("desc:5:the head", ("desc:5", "the head")),
        ("slots:every row: sorted", ("slots", "every row: sorted")),
        ("type:virtio-net-pci::conventional-pci-device:an interface", ("type:virtio-net-pci::conventional-pci-device", "an interface")),
        (" frame : virtio_init : here ", ("frame:virtio_init", "here")),
    ],
)
def test_what_people_write(text: str, found: tuple[str, str]) -> None:
    """The target is what stands before the text, however many colons it has."""
    assert tuple(parse_callout(text)) == found


@pytest.mark.parametrize("text", ["", "desc:5", "desc:5:", ":text", "slots"])
def test_what_is_no_callout(text: str) -> None:
    """Half of one."""
    with pytest.raises(InputError, match="TARGET:TEXT"):
        parse_callout(text)
