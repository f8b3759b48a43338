"""Pictures without a window: what is allowed, what moment they show, that they are whole and repeatable."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from ringscope.figures.draw import draw
from ringscope.figures.files import write_whole
from ringscope.figures.moments import parse_at, ring_at, telling_moment
from ringscope.figures.parse import check, parse_output, parse_size
from ringscope.figures.spec import FigureSpec
from ringscope_core.scenario.errors import InputError
from ringscope_core.session.reader import SessionReader
from ringscope_core.trace.kinds import EV_FRAME_RX, EV_FRAME_TX
from tests.app.figures.refusals import refusal
from tests.app.synthetic import make_session

SIZE = (900, 620)


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One small recording for all."""
    return make_session(tmp_path_factory.mktemp("figures") / "s.ringscope", turns=20)


def colors(data: bytes) -> int:
    """How many different colours a PNG has: an empty picture has one."""
    from PySide6.QtGui import QImage

    image = QImage.fromData(data)
    return len({image.pixel(x, y) for x in range(0, image.width(), 7) for y in range(0, image.height(), 7)})


@pytest.mark.parametrize("view", ["rings", "realize", "throughput"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_views_draw_the_same_twice(recording: Path, view: str, theme: str, qtbot: QtBot) -> None:
    """Same recording, same bytes; and not an empty surface."""
    pictures = []
    for _ in range(2):
        reader = SessionReader(recording)
        pictures.append(draw(FigureSpec("", view, size=SIZE, theme=theme), reader, ".png"))
        reader.close()
    assert pictures[0] == pictures[1]
    assert colors(pictures[0]) > 8


def test_svg_keeps_vectors(recording: Path, qtbot: QtBot) -> None:
    """The ring picture as SVG has paths and texts and no picture of the slot borders."""
    reader = SessionReader(recording)
    text = draw(FigureSpec("", "rings", size=SIZE), reader, ".svg").decode()
    reader.close()
    assert text.count("<path") + text.count("<rect") > 3 * 64
    assert ">receiveq0</text>" in text


def test_moments(recording: Path) -> None:
    """Marks, events, times; the realize's telling moment is the device's first statement."""
    reader = SessionReader(recording)
    mark = reader.marks()[0]
    assert parse_at(reader, mark.name) == mark.seq
    assert parse_at(reader, "seq:17") == 17
    assert parse_at(reader, "1ms") == reader.seq_at_vt(1_000_000)
    row = reader.events(telling_moment(reader, "realize"), telling_moment(reader, "realize"))[0]
    assert int(row["a1"]) == 2658
    assert telling_moment(reader, "events") == reader.last_seq
    busy = reader.events(telling_moment(reader, "rings"), telling_moment(reader, "rings"))[0]
    assert int(busy["kind"]) in (EV_FRAME_TX, EV_FRAME_RX)
    assert ring_at(reader, int(busy["seq"])) == int(busy["obj"])
    reader.close()


@pytest.mark.parametrize("text", ["nowhere", "seq:99999999", "9999s", "noon", "seq:-1"])
def test_moments_that_do_not_exist(recording: Path, text: str) -> None:
    """One line that names what is allowed."""
    reader = SessionReader(recording)
    with pytest.raises(InputError, match=r"^at: .* is not allowed; "):
        parse_at(reader, text)
    reader.close()


@pytest.mark.parametrize("text", ["", "100", "0x0", "10x10", "9000x100", "800x600x2", "axb"])
def test_sizes_that_are_not(text: str) -> None:
    """Sizes are two numbers within bounds."""
    with pytest.raises(InputError, match="120x80 to 8192x8192"):
        parse_size(text)


def test_names_that_do_not_exist(tmp_path: Path) -> None:
    """View, theme and file type are checked before anything is made."""
    good = FigureSpec("ping", "rings", theme="dark")
    check(good, parse_output(tmp_path / "x.png").suffix)
    for spec, suffix, field in ((good.with_(view="ring"), ".png", "view"), (good.with_(theme="blue"), ".png", "theme"), (good, ".jpg", "format")):
        refusal(field, partial(check, spec, suffix))
    for path in (tmp_path / "missing" / "x.png", tmp_path / "x.jpg"):
        with pytest.raises(InputError, match=r"^output"):
            parse_output(path)
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_whole_or_not_there(tmp_path: Path) -> None:
    """Nothing but the picture is left in the folder; a place that cannot be written leaves nothing."""
    write_whole(tmp_path / "x.png", b"picture")
    assert [path.name for path in tmp_path.iterdir()] == ["x.png"]
    taken = tmp_path / "taken.png"
    taken.mkdir()
    with pytest.raises(InputError, match="this is a folder"):
        write_whole(taken, b"picture")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["taken.png", "x.png"]
