"""A figure's bytes, whatever it is: a picture or a text."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from ringscope.figures.interrupt import interrupt_later
from ringscope.figures.spec import FigureSpec, TextSpec

if TYPE_CHECKING:
    from ringscope.figures.shots import Film
    from ringscope_core.session.reader import SessionReader


def produce(spec: FigureSpec | TextSpec, reader: SessionReader, suffix: str) -> bytes:
    """What `spec` gives as a file of type `suffix`; raises InputError for what the recording does not have.

    The same arguments give the same bytes, in any process, time zone and locale.
    """
    if isinstance(spec, TextSpec) and not spec.view:
        return _produced(spec, reader, suffix.lower())
    with interrupt_later():
        return _produced(spec, reader, suffix.lower())


def _produced(spec: FigureSpec | TextSpec, reader: SessionReader, suffix: str) -> bytes:
    if isinstance(spec, TextSpec):
        from ringscope.figures.text_forms import as_text
        from ringscope.figures.transcript import transcript

        return as_text(transcript(spec, reader), suffix).encode()
    from ringscope.figures.draw import draw

    return draw(spec, reader, suffix)


def produce_moving(spec: FigureSpec, reader: SessionReader, suffix: str, film: Film) -> bytes:
    """An animation's bytes, a GIF or a WebP of the stretch that `film` says; raises InputError."""
    from ringscope.figures.animation import animate

    with interrupt_later(), tempfile.TemporaryDirectory(prefix="ringscope-") as folder:
        path = Path(folder) / f"moving{suffix}"
        animate(spec, reader, path, film)
        return path.read_bytes()
