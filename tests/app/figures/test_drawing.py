"""Two views drawn by a process: shapes and not pixels, whatever surrounds the process, and what other programs show of them is the picture.

`test_anywhere` goes through every view.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from xml.etree import ElementTree

import numpy as np
import numpy.typing as npt
import pypdfium2
import pytest
import resvg_py
from fontTools.ttLib import TTFont
from PIL import Image

from ringscope_resources import FONT_FAMILIES, font_file, fonts
from tests.app.figures.drawn import ELSEWHERE, SIZE, all_of, draw_in_process

SVG: Final = "{http://www.w3.org/2000/svg}"
QUICK: Final = ("rings", "realize")
BLOCK: Final = 10
"""Pixels of a block's side: how a program smooths edges averages out in it, a missing letter does not."""
MEAN: Final = 4.0
"""Levels of 255 by which a picture may differ in the mean: smoothing of letters alone gives up to 3."""
WORST: Final = 60.0
"""Levels by which a block may differ."""

Pixels = npt.NDArray[np.float64]


@pytest.fixture(scope="session")
def few(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both views as every kind of file."""
    return draw_in_process(tmp_path_factory.mktemp("few"), all_of(QUICK))


def pixels(image: Image.Image) -> Pixels:
    """Rows of red, green and blue."""
    return np.asarray(image.convert("RGB"), np.float64)


def of_svg(text: str) -> Pixels:
    """As resvg shows it, with our fonts."""
    data = resvg_py.svg_to_bytes(svg_string=text, font_files=[str(path) for path in fonts()], skip_system_fonts=True)
    return pixels(Image.open(io.BytesIO(bytes(data))))


def of_pdf(path: Path) -> Iterator[tuple[str, Pixels, str]]:
    """What two programs show and read of the first page."""
    import pymupdf

    document = pypdfium2.PdfDocument(str(path))
    page = document[0]
    yield "pdfium", pixels(page.render(scale=96 / 72).to_pil()), page.get_textpage().get_text_bounded()
    document.close()
    with pymupdf.open(path) as opened:
        shown = opened[0].get_pixmap(dpi=96)
        yield "mupdf", pixels(Image.frombytes("RGB", (shown.width, shown.height), shown.samples)), opened[0].get_text()


def apart(first: Pixels, second: Pixels) -> tuple[float, float]:
    """By how many levels two pictures differ: in the mean, and in the worst block."""
    assert first.shape == second.shape
    rows, columns = (side - side % BLOCK for side in first.shape[:2])
    blocks = (first - second)[:rows, :columns].mean(axis=2).reshape(rows // BLOCK, BLOCK, columns // BLOCK, BLOCK).mean(axis=(1, 3))
    return float(np.abs(first - second).mean()), float(np.abs(blocks).max())


def texts_of(svg: str) -> list[str]:
    """What an SVG document says, text by text."""
    return ["".join(found.itertext()) for found in ElementTree.fromstring(svg).iter(f"{SVG}text")]


@pytest.mark.parametrize("view", QUICK)
def test_svg_is_painted(view: str, few: Path) -> None:
    """No pixels inside; as large as asked for; a title; each font that a text names first is inside, as a subset."""
    svg = (few / f"{view}-light.svg").read_text()
    root = ElementTree.fromstring(svg)
    assert root.find(f".//{SVG}image") is None
    assert (root.get("width"), root.get("height"), root.get("viewBox")) == (str(SIZE[0]), str(SIZE[1]), f"0 0 {SIZE[0]} {SIZE[1]}")
    assert root.findtext(f"{SVG}title")
    first = {re.split(r"[,']+", text.get("font-family", "").lstrip("'"))[0] for text in root.iter(f"{SVG}text")}
    assert first
    assert first <= set(re.findall(r"font-family:'([^']+)'", svg))
    assert len(svg) < 400_000


@pytest.mark.parametrize("view", QUICK)
def test_svg_shows_the_picture(view: str, few: Path) -> None:
    """Rendered by a program that knows nothing of Qt it is the PNG, up to the smoothing of letters."""
    mean, worst = apart(pixels(Image.open(few / f"{view}-light.png")), of_svg((few / f"{view}-light.svg").read_text()))
    assert mean < MEAN
    assert worst < WORST


@pytest.mark.parametrize("view", QUICK)
def test_pdf_shows_the_picture_and_its_text(view: str, few: Path) -> None:
    """Two programs show the PNG and read every word of the SVG; the page is as large as the picture, fonts are inside."""
    import pymupdf

    path = few / f"{view}-light.pdf"
    picture = pixels(Image.open(few / f"{view}-light.png"))
    words = {word for text in texts_of((few / f"{view}-light.svg").read_text()) for word in re.findall(r"[A-Za-z_]{4,}", text)}
    assert len(words) > 5
    for program, shown, said in of_pdf(path):
        mean, worst = apart(picture, shown)
        assert mean < MEAN, program
        assert worst < WORST, program
        assert not {word for word in words if word not in said}, program
    with pymupdf.open(path) as opened:
        assert tuple(opened[0].rect)[2:] == (SIZE[0] * 0.75, SIZE[1] * 0.75)
        assert opened.metadata["title"]
        assert not opened[0].get_images()
        assert {kind for _, kind, *_ in opened[0].get_fonts()} == {"ttf"}
    assert b"CreationDate" not in path.read_bytes()


def test_what_is_missing_is_noticed(few: Path) -> None:
    """The bounds of these tests: one label less, or one moved by its height, is beyond them."""
    svg = (few / "rings-light.svg").read_text()
    picture = pixels(Image.open(few / "rings-light.png"))
    label = next(found for found in re.findall(r"<text [^>]*>[^<]*</text>", svg) if ">receiveq0<" in found)
    moved = re.sub(r' y="([\d.]+)"', lambda found: f' y="{float(found[1]) + 14}"', label, count=1)
    for other in ("", moved):
        assert apart(picture, of_svg(svg.replace(label, other)))[1] > WORST


@pytest.mark.parametrize("view", QUICK)
def test_every_sign_is_in_our_fonts(view: str, few: Path) -> None:
    """No view paints a sign that only another font has."""
    known = {family: set(TTFont(font_file(family, False, False)).getBestCmap()) for family in FONT_FAMILIES}
    signs = set().union(*known.values())
    said = "".join(texts_of((few / f"{view}-light.svg").read_text()))
    assert not {sign for sign in said if ord(sign) not in signs}


def test_same_bytes_after_another_theme(few: Path, tmp_path: Path) -> None:
    """What was drawn before leaves nothing behind; a screen's scale and style, and a person's fonts, have no say."""
    draw_in_process(tmp_path, ["types:dark:.svg", *all_of(("realize",), ("dark", "light"), (".svg",))], ELSEWHERE)
    assert (tmp_path / "realize-light.svg").read_bytes() == (few / "realize-light.svg").read_bytes()
