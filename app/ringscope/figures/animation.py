"""Animations: one figure at many moments, as a GIF, a WebP or a folder of PNG files.

Every picture is painted on one stage, so each shows exactly what a still figure of its moment and focus would.  Pictures that
do not differ are one picture that lasts longer; the same arguments give the same bytes.
"""

from __future__ import annotations

import tempfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from ringscope.figures.gif_file import write_gif
from ringscope.figures.moments import RING_KINDS, RING_VIEWS, parse_at, ring_at
from ringscope.figures.moving import Moving, sampled
from ringscope.figures.picture_folder import write_folder
from ringscope.figures.png_file import painted
from ringscope.figures.shots import Film, Shot, shots
from ringscope.figures.stage import Stage
from ringscope.figures.webp_file import write_webp
from ringscope_core.scenario.errors import InputError

if TYPE_CHECKING:
    from PySide6.QtGui import QImage

    from ringscope.figures.spec import FigureSpec
    from ringscope_core.session.reader import SessionReader

FOLDER: Final = ""
"""The "suffix" of a folder of PNG files."""
MOST_PIXELS: Final = 1 << 33
"""Of all pictures together: what takes hours, or a disk."""
_LOOKED_AT: Final = 4096
Progress = Callable[[int, int], bool]
"""Told how many steps of how many are done; answers whether to go on.  Each picture is painted and written."""


class Cancelled(Exception):
    """Somebody stopped it; nothing was written."""


class Still(NamedTuple):
    """A picture that lasts: the moment it shows first, from when to when in seconds."""

    seq: int
    start: Fraction
    end: Fraction


class Summary(NamedTuple):
    """What was made."""

    shots: int
    stills: int
    seconds: Fraction
    width: int
    height: int


class Spool:
    """Painted pictures on disk, compressed, each different from the one before."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.stills: list[Still] = []
        self.size: tuple[int, int] = (0, 0)
        self._last = b""
        self.on_read: Callable[[int], None] = lambda place: None
        """Told of each picture that a writer takes; may raise `Cancelled`."""

    def add(self, shot: Shot, image: QImage) -> None:
        """Take the picture of `shot`, or let the last one last longer."""
        rows = np.frombuffer(image.constBits(), np.uint32).reshape(image.height(), image.bytesPerLine() // 4)[:, : image.width()]
        data = (rows & 0xFFFFFF).tobytes()
        if data == self._last:
            self.stills[-1] = self.stills[-1]._replace(end=shot.end)
            return
        self._last, self.size = data, (image.width(), image.height())
        self._path(len(self.stills)).write_bytes(zlib.compress(data, 1))
        self.stills.append(Still(shot.seq, shot.start, shot.end))

    def _path(self, place: int) -> Path:
        return self._folder / f"{place}.z"

    def pixels(self, place: int) -> np.ndarray[tuple[int, int], np.dtype[np.uint32]]:
        """A picture as rows of 0xRRGGBB."""
        self.on_read(place)
        width, height = self.size
        return np.frombuffer(zlib.decompress(self._path(place).read_bytes()), np.uint32).reshape(height, width)

    def __iter__(self) -> Iterator[np.ndarray[tuple[int, int], np.dtype[np.uint32]]]:
        return (self.pixels(place) for place in range(len(self.stills)))


def animate(spec: FigureSpec, reader: SessionReader, path: Path, film: Film, progress: Progress | None = None) -> Summary:
    """Write `spec` from `film.first` to `film.last` into `path`: a .gif, a .webp, or a folder when it has no suffix.

    Raises InputError for moments, speeds and callouts that cannot be, and for too many pictures; `Cancelled` when `progress` says so.
    """
    first, last = (_moment(reader, text, field) for text, field in ((film.first, "from"), (film.last, "to")))
    plan = shots(reader, first, last, film)
    _bearable(spec, plan)
    spec = spec.with_(at=f"seq:{first}")
    ring = 0 if spec.focus.strip() or spec.view not in RING_VIEWS else _busiest_ring(reader, first, last)
    with tempfile.TemporaryDirectory(prefix="ringscope-") as folder:
        spool = Spool(Path(folder))
        go_on: Progress = progress or (lambda done, total: True)
        _paint(spec, reader, plan, ring, spool, go_on)

        def told(place: int) -> None:
            if not go_on(len(plan) * (len(spool.stills) + place) // len(spool.stills), 2 * len(plan)):
                raise Cancelled

        spool.on_read = told
        suffix = path.suffix.lower()
        if suffix == ".gif":
            write_gif(path, spool, film.once)
        elif suffix == ".webp":
            write_webp(path, spool, film.once)
        else:
            write_folder(path, spool, plan, spec.scale)
        return Summary(len(plan), len(spool.stills), plan[-1].end, *spool.size)


def _paint(spec: FigureSpec, reader: SessionReader, plan: list[Shot], ring: int, spool: Spool, progress: Progress) -> None:
    # on a stage of its own: what a view scrolled to while it was looked at is not to show
    with Stage(spec, reader) as stage:
        _hold(stage, ring)
        moving = Moving(stage, sampled([shot.seq for shot in plan]) if spec.callouts else [plan[0].seq])
    with Stage(spec, reader) as stage:
        _hold(stage, ring)
        image: QImage | None = None
        shown = -1
        for done, shot in enumerate(plan):
            if not progress(done, 2 * len(plan)):
                raise Cancelled
            if image is None or shot.seq != shown:
                stage.go(shot.seq)
                stage.use(moving.at(stage), moving.frame)
                image, shown = painted(stage), shot.seq
            spool.add(shot, image)


def _hold(stage: Stage, ring: int) -> None:
    """The ring that has most to show stays in the picture, whichever is at work at a moment."""
    if ring:
        stage.focus.oid = ring


def _moment(reader: SessionReader, text: str, field: str) -> int:
    try:
        return parse_at(reader, text)
    except InputError as error:
        raise InputError(field, text, error.allowed) from None


def _bearable(spec: FigureSpec, plan: list[Shot]) -> None:
    pixels = round(spec.size[0] * spec.size[1] * spec.scale**2) * len({shot.seq for shot in plan})
    if pixels > MOST_PIXELS:
        most = MOST_PIXELS * len(plan) // pixels
        raise InputError("size", f"{spec.size[0]}x{spec.size[1]}", f"a smaller --size or --scale, or at most {most} pictures of this one, not {len(plan)}")


def _busiest_ring(reader: SessionReader, first: int, last: int) -> int:
    """The ring with most events in the range, as far as it is looked at; else the one at work at its beginning."""
    rows = reader.find_events(RING_KINDS, first + 1, last, _LOOKED_AT) if last > first else ()
    counts = Counter(int(row["obj"]) for row in rows if int(row["obj"]))
    return min(counts, key=lambda oid: (-counts[oid], oid)) if counts else ring_at(reader, first)
