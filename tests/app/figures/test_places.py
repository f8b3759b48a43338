"""What callouts and crops name: every view finds its own things, brings them into sight, and says what there is instead."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from ringscope.figures.painted_text import painted_texts
from ringscope.figures.places import crop_rect, offered, place_of, places_of
from ringscope.figures.spec import FigureSpec
from ringscope.figures.stage import Stage
from ringscope.views import ALL_VIEWS, PANELS
from ringscope_core.scenario.errors import InputError
from ringscope_core.session.reader import SessionReader
from tests.app.figures.refusals import refusal

Open = Callable[..., Stage]
SIZE = (1200, 800)


@pytest.fixture
def stage(session_file: Path, qtbot: QtBot) -> Iterator[Open]:
    """Puts a view on a stage."""
    reader = SessionReader(session_file)
    made: list[Stage] = []

    def show(view: str, size: tuple[int, int] = SIZE, **words: str) -> Stage:
        made.append(Stage(FigureSpec("", view, size=size, **words), reader))
        return made[-1]

    yield show
    for one in made:
        one.close()
    reader.close()


@pytest.mark.parametrize("view", [*ALL_VIEWS, *PANELS, "window"])
def test_what_is_offered_is_there(stage: Open, view: str) -> None:
    """Every word that a message offers is a place inside the picture."""
    widget = stage(view).widget
    words = offered(widget)
    assert any(word.startswith("part:") for word in words)
    for word in [*words[:30], *words[30::17]]:
        box = place_of(widget, word)
        assert not box.isEmpty() and widget.rect().contains(box), word


@pytest.mark.parametrize(
    ("view", "word", "said"),
    [
        ("rings", "desc:5", "5 I"),
        ("rings", "queue:tx0", "transmitq0"),
        ("rings", "field:last_avail_idx", "last_avail_idx"),
        ("realize", "frame:virtio_net_device_realize", "virtio_net_device_realize"),
        ("realize", "call:qdev_device_add", "qdev_device_add"),
        ("types", "type:virtio-net-pci", "virtio-net-pci"),
        ("typetree", "type:virtio-net-pci", "virtio-net-pci"),
        ("objects", "object:/machine/peripheral/net0", "net0"),
        ("objects", "column:Ref", "Ref"),
        ("events", "column:Cause", "Cause"),
        ("throughput", "plot:kicks", "kicks/s"),
        ("timeline", "part:strip", "virtual time"),
        ("window", "tab:inspector", "Inspector"),
    ],
)
def test_the_place_holds_what_it_names(stage: Open, view: str, word: str, said: str) -> None:
    """At the place of a thing its name is painted."""
    widget = stage(view).widget
    box = place_of(widget, word).adjusted(-2, -2, 2, 2)
    inside = [piece.text for piece in painted_texts(widget) if box.contains(piece.box.center().toPoint())]
    assert any(said.split()[0] in text.replace("\u2026", "") for text in inside), inside


def test_slots_lie_where_a_click_finds_them(stage: Open) -> None:
    """The aim of each kind of slot, in the circle and in the lens, is that slot for the pointer too."""
    from PySide6.QtCore import QPoint, QPointF

    from ringscope.views.rings.view import RingsView

    shown = stage("rings")
    view = shown.widget.findChild(RingsView)
    assert isinstance(view, RingsView)
    corner = view.canvas.mapTo(shown.widget, QPoint(0, 0))
    for band in ("avail", "desc", "used"):
        for slot in (0, 5, 63):
            place = places_of(shown.widget, [f"{band}:{slot}@circle"])[0]
            hit = view.canvas.place_at(QPointF(place.aim.center() - corner))
            assert hit is not None and tuple(hit) == (band, slot)


def test_rows_of_events(stage: Open) -> None:
    """By place, by number, and the first of a kind; far away ones are scrolled to."""
    widget = stage("events").widget
    first = place_of(widget, "row:1")
    assert place_of(widget, "row:3").top() - first.top() == 44
    assert place_of(widget, "event:7").height() == 22
    assert place_of(widget, "event:pop").height() == 22


def test_what_is_hidden_comes_to_the_front(stage: Open) -> None:
    """A pane behind another one, a folded type, a line of source, a dock behind a tab."""
    realize = stage("realize")
    assert not place_of(realize.widget, "part:source").isEmpty()
    assert not place_of(realize.widget, "line:2694").isEmpty()
    types = stage("types")
    from ringscope.views.types.view import TypesView

    view = types.widget.findChild(TypesView)
    assert isinstance(view, TypesView)
    view.graph.toggle("object")
    assert not place_of(types.widget, "type:virtio-net-pci").isEmpty()
    assert not place_of(stage("window").widget, "part:events").isEmpty()


@pytest.mark.parametrize(
    ("view", "word", "says"),
    [
        ("rings", "desc:99999", "one of desc:"),
        ("rings", "queue:rx7", "queue:rx0"),
        ("rings", "nonsense", "part:queues"),
        ("realize", "frame:virtio_net_device_realise", "one of frame:virtio_net_device_realize, "),
        ("types", "type:virtio-net", "type:virtio-net-"),
        ("objects", "object:nowhere", "object:/"),
        ("window", "part:inspektor", "one of part:inspector, "),
        ("rings", "text:no such words", "no text that is painted contains it"),
    ],
)
def test_what_is_not_there(stage: Open, view: str, word: str, says: str) -> None:
    """One line names the word and what there is, the nearest first."""
    widget = stage(view).widget
    said = refusal("callout", lambda: place_of(widget, word))
    assert said.startswith(f"callout: '{word}' is not allowed; ") and says in said
    assert len(said) < 1500


def test_texts(stage: Open) -> None:
    """The first text that is the label, else that has it in it, by the letter."""
    widget = stage("rings").widget
    whole = place_of(widget, "text:driver's index")
    part = place_of(widget, "text:index")
    assert whole.contains(part.center()) and part.width() < whole.width()


def test_crops(stage: Open) -> None:
    """A part is cut at its edges, another place with empty room around it; a wrong name names the option."""
    shown = stage("rings")
    slots = crop_rect(shown.widget, "slots")
    assert slots == crop_rect(shown.widget, "part:slots") == place_of(shown.widget, "part:slots")
    queue = place_of(shown.widget, "queue:rx0")
    kept = crop_rect(shown.widget, "queue:rx0")
    assert kept.contains(queue) and queue.adjusted(-16, -16, 16, 16).contains(kept)
    assert not any(kept.intersects(place_of(shown.widget, target)) for target in ("queue:tx0", "part:legend", "part:picture"))
    field = crop_rect(shown.widget, "field:used.idx")
    inside = [piece.text for piece in painted_texts(shown.widget) if field.intersects(piece.box.toAlignedRect().adjusted(0, 4, 0, -4))]
    assert inside[0] == "used.idx" and len(inside) == 2
    with pytest.raises(InputError, match=r"^crop: .slot. is not allowed"):
        crop_rect(shown.widget, "slot")


def test_the_circle_is_kept_with_its_hands_and_their_labels(stage: Open) -> None:
    """Nothing of the leaders and the names beside it is cut."""
    shown = stage("rings")
    kept = crop_rect(shown.widget, "circle")
    for name in ("avail.idx", "shadow_avail_idx", "used.idx", "last_used_idx"):
        places = [piece.box.toAlignedRect() for piece in painted_texts(shown.widget) if piece.text == name]
        assert any(kept.contains(place) for place in places), name
    assert not kept.intersects(place_of(shown.widget, "part:lens"))


@pytest.mark.parametrize(
    ("view", "word"),
    [("events", "column:Cause"), ("events", "text:Only this kind"), ("objects", "column:Ref"), ("rings", "text:driver's index"), ("rings", "field:inuse")],
)
def test_targets_are_the_same_in_chinese(stage: Open, view: str, word: str) -> None:
    """A document in two languages names things once."""
    assert not place_of(stage(view, lang="zh").widget, word).isEmpty()
