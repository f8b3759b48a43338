"""``ringscope figure``: a scenario or a session as a picture or a text."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import click

from ringscope.cli.figure_options import figure_options
from ringscope.figures.request import Words

STDOUT = "-"


@click.command(name="figure")
@click.option("--at", "at", default="", metavar="MOMENT", help="1.5s, seq:N, packet:N, mark:NAME, break:FUNCTION; without it the view's telling moment.")
@click.option("--text", "texts", multiple=True, metavar="COMMAND", help="Print what a command says (bt, p *n, info qtree) instead of drawing.")
@click.option("-o", "output", required=True, metavar="FILE", help="The file to write: .png .svg .pdf, or .rst .md .txt; - is standard output.")
@click.option("--format", "form", default="", metavar="TYPE", help="With -o -: png, svg, pdf, rst, md or txt.")
@figure_options
def command(words: Words, at: str, texts: tuple[str, ...], output: str, form: str) -> None:
    """Draw a view of a scenario or of a recorded session, or print what commands say, without a window or a display.

    The same command gives the same bytes, on any machine.
    """
    from ringscope.figures.files import write_whole
    from ringscope.figures.produce import produce
    from ringscope.figures.recordings import Recordings
    from ringscope.figures.request import spec_of

    path, suffix = _where(output, form)
    spec = spec_of(replace(words, at=at, texts=texts), suffix)
    with Recordings() as recordings:
        data = produce(spec, recordings.open(words.source, words.settings), suffix)
    if path is None:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    else:
        write_whole(path, data)


def _where(output: str, form: str) -> tuple[Path | None, str]:
    """The file to write, None for standard output, and its type."""
    from ringscope.figures.parse import parse_output
    from ringscope.figures.spec import PICTURES, TEXTS
    from ringscope_core.scenario.errors import InputError

    known = (*PICTURES, *TEXTS)
    if output != STDOUT:
        if form:
            raise InputError("format", form, "given with -o - only: a file's name says what it is")
        path = parse_output(output, known)
        return path, path.suffix.lower()
    suffix = f".{form.lower().removeprefix('.')}"
    if suffix not in known:
        raise InputError("format", form, f"one of {', '.join(name[1:] for name in known)}, with -o -")
    return None, suffix
