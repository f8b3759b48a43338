"""The same figure has the same bytes in any process, time zone and locale; it is made of shapes; and other programs see in it what Qt paints."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import warnings
from collections import Counter
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from ringscope.figures.parse import VIEW_NAMES, WINDOW
from ringscope_resources import path
from tests.app.synthetic import make_session

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("anywhere")]

SIZE = (1000, 700)
SUFFIXES = (".png", ".svg", ".pdf")
SCRIPT = """
import sys
from pathlib import Path
from ringscope.figures.draw import draw
from ringscope.figures.spec import Callout, FigureSpec
from ringscope_core.session.reader import SessionReader
from ringscope.figures.parse import VIEW_NAMES
reader = SessionReader(sys.argv[1])
for view in VIEW_NAMES:
    spec = FigureSpec(sys.argv[1], view, size=(1000, 700))
    for suffix in (".png", ".svg", ".pdf"):
        (Path(sys.argv[2]) / (view + suffix)).write_bytes(draw(spec, reader, suffix))
special = FigureSpec(sys.argv[1], "rings", size=(1000, 700), theme="print", lang="zh", callouts=(Callout("desc:1", "\u63cf\u8ff0\u7b26"),))
for suffix in (".png", ".svg", ".pdf"):
    (Path(sys.argv[2]) / ("special" + suffix)).write_bytes(draw(special, reader, suffix))
reader.close()
"""
HERE = {"TZ": "Asia/Shanghai", "LC_ALL": "C.UTF-8", "LANG": "zh_CN.UTF-8", "PYTHONHASHSEED": "1", "QT_HASH_SEED": "0"}
THERE = {"TZ": "America/New_York", "LC_ALL": "C", "PYTHONHASHSEED": "77", "HOME": "/nonexistent", "XDG_CACHE_HOME": "/nonexistent", "COLUMNS": "40"}


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The figures of one recording, drawn by two processes that have little in common."""
    base = tmp_path_factory.mktemp("anywhere")
    session = make_session(base / "s.ringscope", turns=20)
    found = []
    for name, environment in (("here", HERE), ("there", THERE)):
        folder = base / name
        folder.mkdir()
        plain = {key: value for key, value in os.environ.items() if key not in ("LANG", "LC_ALL", "TZ", "QT_QPA_PLATFORM", "QT_HASH_SEED")}
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT, str(session), str(folder)], env={**plain, **environment}, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        assert done.stderr == ""
        found.append(folder)
    return found


@pytest.mark.parametrize("name", [*VIEW_NAMES, "special"])
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_same_bytes(folders: list[Path], name: str, suffix: str) -> None:
    """Byte for byte."""
    here, there = ((folder / f"{name}{suffix}").read_bytes() for folder in folders)
    assert len(here) > 1000
    assert here == there


@pytest.mark.parametrize("name", [*VIEW_NAMES, "special"])
def test_svg_is_shapes_and_texts(folders: list[Path], name: str) -> None:
    """No picture in it; each text has a length; every letter is in a font that the file brings."""
    document = (folders[0] / f"{name}.svg").read_text(encoding="utf-8")
    root = ElementTree.fromstring(document)
    tags = [element.tag.rpartition("}")[2] for element in root.iter()]
    assert "image" not in tags
    assert tags.count("text") >= 3
    # fonts spell anything in base64, and so may texts
    assert "nan" not in re.sub(r">[^<]*<", "><", re.sub(r"base64,[^)]*", "", document)).lower()
    texts = [element for element in root.iter() if element.tag.endswith("}text")]
    assert all(element.get("textLength") for element in texts if len("".join(element.itertext()).strip()) > 1)
    faces = set(re.findall(r"@font-face{font-family:'([^']*)'", document))
    assert faces
    assert all({family.strip("'") for family in (element.get("font-family") or "").split(",")} & faces for element in texts)


@pytest.mark.parametrize("name", [*VIEW_NAMES, "special"])
def test_pdf_has_its_text_and_fonts(folders: list[Path], name: str) -> None:
    """Two programs read the same words out of it; fonts are inside; the page is as large as the figure; no dates."""
    pymupdf, pypdfium2 = _readers()
    data = (folders[0] / f"{name}.pdf").read_bytes()
    assert b"CreationDate" not in data
    page = pymupdf.open(stream=data)[0]
    if name != "special":
        assert (round(page.rect.width / 0.75), round(page.rect.height / 0.75)) == SIZE
    assert page.get_fonts()
    assert all(font[1] == "ttf" for font in page.get_fonts()), "a font that is not embedded"
    words = {word for word in page.get_text().split() if len(word) > 2}
    document = pypdfium2.PdfDocument(data)
    # where columns are narrow and far apart it takes the page for one of upright lines: letters are compared, not words
    others = Counter("".join(document[0].get_textpage().get_text_range().split()).replace("\ufffe", "-"))
    document.close()
    assert len(words) > 3
    letters = Counter("".join(page.get_text().split()))
    assert (letters & others).total() > 0.97 * letters.total()
    shown = " ".join(ElementTree.fromstring((folders[0] / f"{name}.svg").read_bytes()).itertext())
    assert len({word for word in words if word in shown}) > 0.8 * len(words), "the SVG says the same"


@pytest.mark.parametrize("name", [*VIEW_NAMES, "special"])
def test_other_programs_see_the_same(folders: list[Path], name: str) -> None:
    """Two programs for PDF and one for SVG paint what Qt paints, but for the edges of letters and lines."""
    pymupdf, pypdfium2 = _readers()
    import resvg_py

    pdf = (folders[0] / f"{name}.pdf").read_bytes()
    document = pypdfium2.PdfDocument(pdf)
    pictures = {
        "resvg": Image.open(
            io.BytesIO(
                bytes(
                    resvg_py.svg_to_bytes(
                        svg_string=(folders[0] / f"{name}.svg").read_text(encoding="utf-8"), font_dirs=[str(path("fonts"))], skip_system_fonts=True
                    )
                )
            )
        ),
        "mupdf": Image.open(io.BytesIO(pymupdf.open(stream=pdf)[0].get_pixmap(dpi=96).tobytes("png"))),
        "pdfium": document[0].render(scale=96 / 72).to_pil(),
    }
    document.close()
    own = Image.open(folders[0] / f"{name}.png")
    for program, picture in pictures.items():
        assert picture.size == own.size, program
        worst = _largest_difference(own, picture)
        assert worst < (30 if name == WINDOW else 26), f"{program} paints something else: {worst:.1f} of 255 in one place"


def _largest_difference(first: Image.Image, second: Image.Image) -> float:
    """The largest mean difference of a square of 20 pixels, 0 to 255, after a blur that forgives edges."""
    small = [np.asarray(picture.convert("RGB").reduce(20), np.float64) for picture in (first, second)]
    return float(np.abs(small[0] - small[1]).mean(axis=2).max())


def _readers() -> tuple[Any, Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pymupdf
        import pypdfium2
    return pymupdf, pypdfium2
