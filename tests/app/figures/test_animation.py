"""Animations taken apart again: each picture is the still figure of its moment, delays add up, bytes repeat."""

from __future__ import annotations

from fractions import Fraction
from functools import partial
from itertools import pairwise
from pathlib import Path

import pytest
from PIL import Image, ImageChops
from PySide6.QtGui import QImage

from ringscope.figures.animation import Cancelled, Summary, animate
from ringscope.figures.draw import draw, image
from ringscope.figures.shots import Film, Speed, shots
from ringscope.figures.spec import Callout, FigureSpec
from ringscope_core.scenario.errors import InputError
from ringscope_core.session.reader import SessionReader
from tests.app.verbs import Verb

SPEC = FigureSpec("", "rings", focus="tx0", size=(640, 420))
FILM = Film("seq:400", "seq:424", Fraction(12), Speed("events", Fraction(30)))
ENDS = (400, 424)


def pixels(picture: QImage) -> Image.Image:
    """As Pillow has them."""
    rows = picture.convertToFormat(QImage.Format.Format_RGB888)
    return Image.frombuffer("RGB", (rows.width(), rows.height()), bytes(rows.constBits()), "raw", "RGB", rows.bytesPerLine(), 1).copy()


def taken_apart(path: Path) -> tuple[list[Image.Image], list[int]]:
    """The pictures of a file, and how long each lasts in ms."""
    found, lasts = [], []
    with Image.open(path) as moving:
        for place in range(getattr(moving, "n_frames", 1)):
            moving.seek(place)
            moving.load()
            found.append(moving.convert("RGB"))
            lasts.append(int(moving.info["duration"]))
    return found, lasts


def stills(reader: SessionReader, spec: FigureSpec = SPEC) -> dict[int, Image.Image]:
    """The still figure of each moment of the film."""
    return {seq: pixels(image(spec.with_(at=f"seq:{seq}"), reader)) for seq in {shot.seq for shot in shots(reader, *ENDS, FILM)}}


def merged(reader: SessionReader, known: dict[int, Image.Image], unit: int) -> tuple[list[Image.Image], list[int]]:
    """What the film must hold: pictures that differ from the one before, and their times in ms on a clock of `unit` ms."""
    out: list[Image.Image] = []
    ends: list[Fraction] = []
    for shot in shots(reader, *ENDS, FILM):
        if out and known[shot.seq].tobytes() == out[-1].tobytes():
            ends[-1] = shot.end
        else:
            out.append(known[shot.seq])
            ends.append(shot.end)
    clock = [0, *(unit * round(end * 1000 / unit) for end in ends)]
    return out, [after - before for before, after in pairwise(clock)]


def test_webp_is_every_still_to_the_pixel(reader: SessionReader, tmp_path: Path) -> None:
    """Without loss, in milliseconds."""
    path = tmp_path / "a.webp"
    made = animate(SPEC, reader, path, FILM)
    wanted, lasting = merged(reader, stills(reader), 1)
    found, lasts = taken_apart(path)
    assert made == Summary(11, len(wanted), Fraction(11, 12), 640, 420)
    assert len(found) == len(wanted) > 4
    assert all(ImageChops.difference(a, b).getbbox() is None for a, b in zip(found, wanted, strict=True))
    assert lasts == lasting and sum(lasts) == round(11_000 / 12)


def test_gif_has_one_palette_and_the_true_length(reader: SessionReader, tmp_path: Path) -> None:
    """Colours that fit are exact; what is left is near, and what does not move does not flicker."""
    path = tmp_path / "a.gif"
    animate(SPEC, reader, path, FILM)
    wanted, lasting = merged(reader, stills(reader), 10)
    found, lasts = taken_apart(path)
    assert lasts == lasting and sum(lasts) == 920
    assert len({color for picture in found for _, color in picture.getcolors(1 << 20) or ()}) <= 255
    for a, b in zip(found, wanted, strict=True):
        assert max(high for _, high in ImageChops.difference(a, b).getextrema()) < 60
        assert a.getpixel((3, 200)) == b.getpixel((3, 200))
    for before, after, was, now in zip(found, found[1:], wanted, wanted[1:], strict=False):
        moved, meant = ImageChops.difference(before, after).getbbox(), ImageChops.difference(was, now).getbbox()
        assert moved is not None and meant is not None
        assert moved[0] >= meant[0] and moved[1] >= meant[1] and moved[2] <= meant[2] and moved[3] <= meant[3]


def test_a_folder_has_a_file_for_every_picture(reader: SessionReader, tmp_path: Path) -> None:
    """Each is, to the byte, the PNG that the verb figure writes; a second time replaces the first."""
    path = tmp_path / "frames"
    for _ in range(2):
        animate(SPEC, reader, path, FILM)
        plan = shots(reader, *ENDS, FILM)
        assert sorted(entry.name for entry in path.iterdir()) == [f"{number:04}.png" for number in range(len(plan))]
    for number in (0, 5, len(plan) - 1):
        assert (path / f"{number:04}.png").read_bytes() == draw(SPEC.with_(at=f"seq:{plan[number].seq}"), reader, ".png")


@pytest.mark.parametrize("name", ["a.gif", "a.webp"])
def test_the_same_bytes_again(reader: SessionReader, tmp_path: Path, name: str) -> None:
    """Nothing but the arguments counts."""
    files = [tmp_path / where / name for where in ("one", "two")]
    for path in files:
        path.parent.mkdir()
        animate(SPEC, reader, path, Film("seq:400", "seq:408", every="event"))
    assert files[0].read_bytes() == files[1].read_bytes()


def test_callouts_stand_still(reader: SessionReader, tmp_path: Path) -> None:
    """All pictures have one size, and the label is at the same pixels in each."""
    path = tmp_path / "a.webp"
    animate(SPEC.with_(callouts=(Callout("part:desc", "the descriptor table"),)), reader, path, Film("seq:400", "seq:440", every="packet"))
    plain = tmp_path / "b.webp"
    animate(SPEC, reader, plain, Film("seq:400", "seq:440", every="packet"))
    found, bare = taken_apart(path)[0], taken_apart(plain)[0]
    assert len(found) == len(bare) > 1
    assert {picture.size for picture in (*found, *bare)} == {found[0].size}
    (place,) = {ImageChops.difference(a, b).getbbox() for a, b in zip(found, bare, strict=True)}
    assert place is not None, "the remark is seen"


def has_place(reader: SessionReader, spec: FigureSpec) -> bool:
    """Whether the still figure has what its callout names."""
    try:
        image(spec, reader)
    except InputError:
        return False
    return True


def test_a_target_that_comes_and_goes(reader: SessionReader, tmp_path: Path) -> None:
    """It has its remark while it is there, and only then; one that never is, is an error."""
    plain = FigureSpec("", "realize", size=(900, 620))
    # two words of one width: pictures are the same where neither is shown
    one, other = (plain.with_(callouts=(Callout("frame:virtio_net_device_realize", word),)) for word in ("now", "won"))
    begin = next(number for number in range(reader.last_seq) if reader.state_at(number).stack) - 3
    film = Film(f"seq:{begin}", f"seq:{begin + 18}", every="event")
    for spec, name in ((one, "one"), (other, "other")):
        animate(spec, reader, tmp_path / name, film)
    shown = [(tmp_path / "one" / f"{n:04}.png").read_bytes() != (tmp_path / "other" / f"{n:04}.png").read_bytes() for n in range(19)]
    assert shown == [has_place(reader, one.with_(at=f"seq:{begin + n}")) for n in range(19)]
    assert shown[0] and shown[-1] and not all(shown)
    with pytest.raises(InputError, match=r"^callout: 'frame:no_such_function' is not allowed"):
        animate(plain.with_(callouts=(Callout("frame:no_such_function", "never"),)), reader, tmp_path / "b.webp", film)
    assert not (tmp_path / "b.webp").exists()


def before(stop: int, done: int, total: int) -> bool:
    """Go on until `stop`: 3 is while pictures are painted, 14 while they are written."""
    return done < stop


def test_stopped_leaves_nothing(reader: SessionReader, tmp_path: Path) -> None:
    """Neither a file nor a folder, and what was there before stays."""
    (tmp_path / "a.gif").write_bytes(b"before")
    for name in ("a.gif", "frames", "a.webp"):
        for stop in (3, 14):
            with pytest.raises(Cancelled):
                animate(SPEC, reader, tmp_path / name, FILM, partial(before, stop))
    assert [entry.name for entry in tmp_path.iterdir() if not entry.name.endswith(".ringscope")] == ["a.gif"]
    assert (tmp_path / "a.gif").read_bytes() == b"before"


def test_too_large(reader: SessionReader, tmp_path: Path) -> None:
    """The message says how many pictures would do."""
    with pytest.raises(InputError, match=r"^size: .*at most \d+ pictures of this one, not 1501"):
        animate(SPEC.with_(size=(8000, 4000)), reader, tmp_path / "a.gif", Film("seq:0", "seq:1500", every="event"))


# -- the verb ---------------------------------------------------------------------------------------------------------------
def test_the_verb(verb: Verb, session_file: Path, tmp_path: Path) -> None:
    """It says what it made."""
    out = tmp_path / "a.webp"
    words = ("--view", "rings", "--from", "seq:400", "--to", "seq:410", "--every", "event", "--speed", "5/s", "--size", "640x420", "--once")
    code, said, wrong = verb("animate", str(session_file), *words, "-o", str(out))
    assert (code, wrong) == (0, "") and said.startswith(f"{out}: 11 pictures (") and said.endswith(", 2.20 s, 640x420\n")
    with Image.open(out) as moving:
        assert moving.info["loop"] == 1


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--from", "seq:9", "--to", "seq:8"), "to: 'seq:8' is not allowed; a moment not before --from"),
        (("--from", "noon"), "from: 'noon' is not allowed; "),
        (("--to", "seq:99999999"), "to: "),
        (("--speed", "quick"), "speed: 'quick' is not allowed; 1x"),
        (("--fps", "200"), "fps: '200' is not allowed; a number from 0.1 to 50 for .gif"),
        (("--every", "turn"), "every: 'turn' is not allowed; one of event, packet"),
        (("-o", "film.mp4"), "output: 'film.mp4' is not allowed; a file name ending in .gif or .webp"),
        (("--view", "ring"), "view: 'ring' is not allowed; "),
    ],
)
def test_what_people_write_wrong(verb: Verb, session_file: Path, tmp_path: Path, words: tuple[str, ...], says: str) -> None:
    """One line, exit 2."""
    code, out, err = verb("animate", str(session_file), "--view", "rings", "-o", str(tmp_path / "a.gif"), *words)
    assert (code, out) == (2, "") and says in err and err.count("\n") == 1


def test_other_files_in_a_folder_stay(verb: Verb, session_file: Path, tmp_path: Path) -> None:
    """A folder with anything but numbered pictures is not written into."""
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "to-mother.txt").write_text("dear")
    code, _, err = verb("animate", str(session_file), "--view", "rings", "-o", str(tmp_path / "letters"))
    assert code == 2 and "this one holds other files" in err
