"""``ringscope figure``: a view of a scenario or a session as a picture."""

from __future__ import annotations

import tempfile
from pathlib import Path

import click


@click.command(name="figure")
@click.argument("source", metavar="SCENARIO|FILE")
@click.option("--view", "view", required=True, metavar="NAME", help="What to draw: window, types, objects, realize, rings, throughput, events.")
@click.option("--at", "at", metavar="MARK|TIME|seq:N", help="The moment; without it the view's telling one.")
@click.option("--size", "size", default="1600x1000", show_default=True, metavar="WxH", help="Pixels.")
@click.option("--theme", "theme", default="light", show_default=True, metavar="T", help="light or dark.")
@click.option("-o", "output", required=True, type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="The file to write: .png or .svg.")
def command(source: str, view: str, at: str | None, size: str, theme: str, output: Path) -> None:
    """Draw a view of a scenario or of a recorded session into a file."""
    from ringscope.figures.render import check_names, parse_size

    check_names(view, theme, output)
    pixels = parse_size(size)
    with tempfile.TemporaryDirectory() as folder:
        _draw(_recording(source, Path(folder)), view, at, pixels, theme, output)


def _recording(source: str, folder: Path) -> Path:
    """The session file: `source` itself, or a recording made of the scenario that it names."""
    path = Path(source)
    if path.suffix != ".toml" and path.is_file():
        return path
    from ringscope.figures.record import record_named

    made = folder / "figure.ringscope"
    record_named(source, made)
    return made


def _draw(recording: Path, view: str, at: str | None, size: tuple[int, int], theme: str, output: Path) -> None:
    from ringscope.figures.moments import parse_at
    from ringscope.figures.render import draw
    from ringscope_core.session.reader import SessionReader

    reader = SessionReader(recording)
    try:
        draw(view, reader, output, parse_at(reader, at) if at is not None else None, size, theme)
    finally:
        reader.close()
