"""The verbs figure and tour, as a person calls them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ringscope_core.query.filters import FORM
from ringscope_core.session.reader import SessionReader
from tests.app.synthetic import make_session
from tests.app.verbs import Verb


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """A small recording."""
    return make_session(tmp_path / "s.ringscope", turns=12)


def test_figure_of_a_recording(verb: Verb, recording: Path, tmp_path: Path) -> None:
    """The picture is written in the size asked for, and nothing is printed."""
    from PySide6.QtGui import QImage

    out = tmp_path / "rings.png"
    assert verb("figure", str(recording), "--view", "rings", "--at", "half way", "--size", "800x600", "--theme", "dark", "-o", str(out)) == (0, "", "")
    image = QImage(str(out))
    assert (image.width(), image.height()) == (800, 600)


def test_figure_of_a_scenario_is_repeatable(verb: Verb, tmp_path: Path) -> None:
    """A scenario is run and drawn; the same scenario gives the same bytes."""
    for name in ("a.png", "b.png"):
        assert verb("figure", "realize", "--view", "realize", "--size", "900x620", "-o", str(tmp_path / name))[0] == 0
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (
            {"--view": "ring"},
            "view: 'ring' is not allowed; one of window, types, objects, realize, rings, throughput, events, typetree",
        ),
        ({"--at": "noon"}, "at: 'noon' is not allowed; a virtual time such as 12.5ms, seq:N, packet:N, mark:NAME, start, end, or "),
        ({"--size": "big"}, "size: 'big' is not allowed; WIDTHxHEIGHT from 120x80 to 8192x8192"),
        ({"--theme": "blue"}, "theme: 'blue' is not allowed; one of light, dark, print"),
    ],
)
def test_bad_options_are_one_line(verb: Verb, recording: Path, tmp_path: Path, change: dict[str, str], says: str) -> None:
    """One line that names what is allowed, exit code 2, no file."""
    out = tmp_path / "x.png"
    options = {"--view": "rings", "-o": str(out), **change}
    code, _, err = verb("figure", str(recording), *[word for pair in options.items() for word in pair])
    assert code == 2
    assert err.startswith(f"ringscope: {says}")
    assert err.count("\n") == 1
    assert not out.exists()


def test_texts_and_standard_output(recording: Path, tmp_path: Path) -> None:
    """A figure goes into a pipe, its type said; commands print where the first moment is."""
    written = tmp_path / "bt.md"
    words = ["figure", str(recording), "--text", "bt", "--at", "break:virtio_net_device_realize"]
    program = [sys.executable, "-m", "ringscope"]
    piped = subprocess.run([*program, *words, "-o", "-", "--format", "md"], check=True, capture_output=True)
    subprocess.run([*program, *words, "-o", str(written)], check=True)
    assert piped.stdout == written.read_bytes()
    assert piped.stdout.startswith(b"```text\n(gdb) bt\n")
    picture = subprocess.run([*program, "figure", str(recording), "--view", "timeline", "-o", "-", "--format", "PNG"], check=True, capture_output=True)
    assert picture.stdout.startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("-o", "-"), "format: '' is not allowed; one of png, svg, pdf, rst, md, txt, with -o -"),
        (("-o", "x.svg", "--format", "svg"), "format: 'svg' is not allowed; given with -o - only"),
        (("-o", "x.gif"), "output: 'x.gif' is not allowed; a file name ending in .png or .svg or .pdf or .rst or .md or .txt"),
        (("-o", "missing/x.svg"), "output: 'missing/x.svg' is not allowed; a file in a folder that exists"),
        (("-o", "x.svg", "--set", "seed=3"), "set: 'seed=3' is not allowed; nothing: a session is as it was recorded"),
        (("-o", "x.svg", "--focus", "nett0"), "focus: 'nett0' is not allowed; "),
        (("-o", "x.svg", "--filter", "kind =="), f"filter: 'kind ==' is not allowed; {FORM} (a value is missing behind 'kind ==')"),
        (("-o", "x.svg", "--text", "bt"), "text: 'bt' is not allowed; given with an output file ending in .rst"),
        (("-o", "x.svg", "--layout", "x"), "layout: 'x' is not allowed; given with the view window only"),
        (("-o", "x.svg", "--callout", "nowhere"), "callout: 'nowhere' is not allowed; TARGET:TEXT"),
        (("-o", "x.svg", "--scale", "0"), "scale: '0' is not allowed; a number from 0.25 to 8"),
        (("-o", "x.svg", "--lang", "fr"), "lang: 'fr' is not allowed; one of en, zh"),
    ],
)
def test_words_that_cannot_be_are_one_line(
    verb: Verb, recording: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], says: str
) -> None:
    """Whatever is wrong: its name, its value, what is allowed; exit 2, nothing written."""
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.iterdir())
    code, out, err = verb("figure", str(recording), "--view", "rings", *words)
    assert (code, out) == (2, "")
    assert err.startswith(f"ringscope: {says}")
    assert err.count("\n") == 1
    assert sorted(tmp_path.iterdir()) == before


def test_bad_sources_are_one_line(verb: Verb, tmp_path: Path) -> None:
    """A scenario that does not exist, and a file that is no session."""
    out = tmp_path / "x.png"
    junk = tmp_path / "junk.ringscope"
    junk.write_bytes(b"not a session")
    for source in ("nosuch", str(junk)):
        code, _, err = verb("figure", source, "--view", "rings", "-o", str(out))
        assert code == 2
        assert err.startswith("ringscope: ")
        assert err.count("\n") == 1
    assert not out.exists()


@pytest.mark.slow
def test_tour_leaves_a_recording_and_all_pictures(verb: Verb, tmp_path: Path) -> None:
    """Recording, window and each view in both themes, and a summary."""
    folder = tmp_path / "tour"
    code, out, _ = verb("tour", "-o", str(folder), "--size", "1000x700")
    assert code == 0
    names = sorted(path.name for path in folder.iterdir())
    views = ("events", "objects", "realize", "rings", "throughput", "types", "window")
    assert names == sorted([*(f"{view}.png" for view in views), *(f"{view}-dark.png" for view in views), "tour.ringscope"])
    assert "frames delivered" in out
    reader = SessionReader(folder / "tour.ringscope")
    assert reader.last_vt == 3_000_000_000
    assert len(reader.types) > 10
    reader.close()
