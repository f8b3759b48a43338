"""What people write about figures: one line names the field, the value and what is allowed."""

from __future__ import annotations

from pathlib import Path

import pytest

from ringscope.figures import parse
from ringscope.figures.request import PANEL_SIZES, Words, spec_of
from ringscope.figures.spec import Callout, FigureSpec, TextSpec
from ringscope_core.scenario.errors import InputError
from tests.app.figures.refusals import refusal

GOOD = FigureSpec("default", "rings")


@pytest.mark.parametrize(
    ("changes", "suffix", "field"),
    [
        ({"view": "ring"}, ".svg", "view"),
        ({"theme": "blue"}, ".svg", "theme"),
        ({"lang": "de"}, ".svg", "lang"),
        ({"scale": 0.1}, ".png", "scale"),
        ({"scale": float("nan")}, ".png", "scale"),
        ({"size": (100, 100), "view": "window"}, ".svg", "size"),
        ({"size": (9000, 100)}, ".svg", "size"),
        ({"size": (8000, 8000), "scale": 8.0}, ".png", "scale"),
        ({"layout": "/no/such/file", "view": "window"}, ".svg", "layout"),
        ({"layout": __file__}, ".svg", "layout"),
        ({}, ".jpg", "format"),
    ],
)
def test_pictures_that_cannot_be(changes: dict[str, object], suffix: str, field: str) -> None:
    """Each names its field."""
    parse.check(GOOD)
    refusal(field, lambda: parse.check(GOOD.with_(**changes), suffix))


def test_many_pixels_are_no_matter_without_pixels() -> None:
    """Scale says nothing to a vector file."""
    parse.check(GOOD.with_(size=(8000, 8000), scale=8.0), ".pdf")


def test_words_become_a_picture() -> None:
    """Every word arrives, and panels have sizes of their own."""
    words = Words("default", "window", "net0", "1ms", "", "1200x700", "2", "print", "zh", ("desc:5:head", "head: the queue"), "top", "kind == kick")
    spec = spec_of(words, ".PNG")
    assert spec == FigureSpec(
        "default",
        "window",
        "net0",
        "1ms",
        "",
        (1200, 700),
        2.0,
        "print",
        "zh",
        (Callout("desc:5", "head"), Callout("head", "the queue")),
        "top",
        "kind == kick",
    )
    for panel, size in PANEL_SIZES.items():
        made = spec_of(Words("default", panel), ".svg")
        assert isinstance(made, FigureSpec)
        assert made.size == size


def test_words_become_a_text() -> None:
    """Commands, or a view's table."""
    assert spec_of(Words("default", at="1ms", texts=("bt", "p *n")), ".md") == TextSpec("default", ("bt", "p *n"), at="1ms")
    assert spec_of(Words("default", "events", filter="kind == kick"), ".rst") == TextSpec("default", view="events", filter="kind == kick")


@pytest.mark.parametrize(
    ("words", "suffix", "says"),
    [
        (Words("default"), ".svg", "view: '' is not allowed; one of window, types, "),
        (Words("default", "rings", texts=("bt",)), ".svg", "text: 'bt' is not allowed; given with an output file ending in .rst or .md or .txt"),
        (Words("default"), ".md", "text: '' is not allowed; a command such as bt, or a view"),
        (Words("default", "rings", texts=("bt",)), ".md", "view: 'rings' is not allowed; left out where commands are given"),
        (Words("default", "window"), ".md", "view: 'window' is not allowed; one of types, "),
        (Words("default", "rings", theme="dark"), ".md", "theme: 'dark' is not allowed; given with a picture"),
        (Words("default", "rings", callouts=("a:b",)), ".md", "callout: 'a:b' is not allowed; given with a picture"),
        (Words("default", "rings", callouts=("ab",)), ".svg", "callout: 'ab' is not allowed; TARGET:TEXT"),
        (Words("default", "rings", scale="two"), ".png", "scale: 'two' is not allowed; a number from 0.25 to 8"),
    ],
)
def test_words_that_do_not_go_together(words: Words, suffix: str, says: str) -> None:
    """One line each."""
    assert refusal(says.partition(":")[0], lambda: spec_of(words, suffix)).startswith(says)


def test_outputs(tmp_path: Path) -> None:
    """A known type in a folder that exists, and no folder itself."""
    assert parse.parse_output(tmp_path / "x.PDF") == tmp_path / "x.PDF"
    (tmp_path / "taken.svg").mkdir()
    for wrong in ("x.jpg", "x", "missing/x.png", "taken.svg"):
        with pytest.raises(InputError, match=r"^output: "):
            parse.parse_output(tmp_path / wrong)
