"""Pictures of differences: what changed is found, framed and counted; texts as unified diffs."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image
from pytestqt.qtbot import QtBot

from ringscope.figures.difference import compare, pixels, places, rasterise
from ringscope.figures.draw import draw
from ringscope.figures.png_file import png_bytes
from ringscope.figures.recordings import Recordings
from ringscope.figures.spec import FigureSpec


def picture(width: int, height: int, *spots: tuple[int, int]) -> bytes:
    """A white PNG with black dots."""
    from PySide6.QtGui import QImage

    image = QImage(width, height, QImage.Format.Format_RGB32)
    image.fill(0xFFFFFFFF)
    for x, y in spots:
        image.setPixel(x, y, 0)
    return png_bytes(image)


def test_places_are_framed() -> None:
    """What lies near together is one place; the frames are tight."""
    changed = np.zeros((200, 300), bool)
    changed[10:13, 20:22] = True
    changed[150, 250] = True
    changed[170, 252] = True
    assert places(changed) == [(20, 10, 2, 3), (250, 150, 3, 21)]


def test_pictures_differ(qtbot: QtBot) -> None:
    """Three pictures side by side, the change in a loud colour in the last."""
    found = compare(picture(120, 90), picture(120, 90, (5, 6), (100, 80)), ".png")
    assert found.text == "2 of 10,800 pixels in 2 places, the first at 5,6"
    sheet = rasterise(found.data, ".png")
    assert sheet is not None
    rows = pixels(sheet)
    assert rows.shape[1] > 3 * 120
    assert ((rows == (214, 0, 110)).all(axis=2)).sum() > 2


def test_sizes_differ(qtbot: QtBot) -> None:
    """What one of the two has more is a difference."""
    found = compare(picture(60, 40), picture(50, 44), ".png")
    assert found.text.startswith("60x40 was, 50x44 is; ")


def test_only_bytes_differ(qtbot: QtBot) -> None:
    """The same pixels in another file."""
    data = picture(60, 40)
    found = compare(data, data + b"\n", ".png")
    assert found.text == "the pixels are the same, the bytes of the file are not"
    assert not found.data


def test_vectors_are_rasterised(qtbot: QtBot) -> None:
    """SVG and PDF of two moments differ where the picture does."""
    with Recordings() as recordings:
        reader = recordings.open("realize")
        spec = FigureSpec("realize", "inspector", size=(480, 300))
        for suffix in (".svg", ".pdf"):
            old, new = draw(spec.with_(at="seq:100"), reader, suffix), draw(spec.with_(at="seq:900"), reader, suffix)
            found = compare(old, new, suffix)
            assert "144,000 pixels in" in found.text, suffix
            assert found.data.startswith(b"\x89PNG")
            assert compare(b"no picture", new, suffix).text.endswith("(the old file is no picture)")


def test_animations_differ(qtbot: QtBot) -> None:
    """The first picture that is another is shown."""

    def moving(*spots: tuple[int, int]) -> bytes:
        out = io.BytesIO()
        frames = [Image.open(io.BytesIO(picture(60, 40, spot))).convert("RGB") for spot in spots]
        frames[0].save(out, "GIF", save_all=True, append_images=frames[1:], duration=40)
        return out.getvalue()

    found = compare(moving((1, 1), (2, 2), (3, 3)), moving((1, 1), (9, 2), (3, 3)), ".gif")
    assert found.text.startswith("picture 2 is the first that differs: 2 of 2,400 pixels in 1 place, the first at 2,2")
    assert found.data.startswith(b"\x89PNG")
    assert compare(moving((1, 1), (2, 2)), moving((1, 1)), ".gif").text.startswith("2 pictures were, 1 are; the pictures are the same")
    assert "no animation" in compare(b"", moving((1, 1), (2, 2)), ".gif").text


def test_texts_differ() -> None:
    """A unified diff and a count."""
    found = compare(b"a\nb\nc\n", b"a\nx\ny\nc\n", ".rst", "bt.rst")
    assert found.text == "1 lines gone, 2 lines new"
    assert found.data.decode() == "--- bt.rst (old)\n+++ bt.rst (new)\n@@ -1,3 +1,4 @@\n a\n-b\n+x\n+y\n c\n"
