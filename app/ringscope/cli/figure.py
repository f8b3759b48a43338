"""``ringscope figure``: a view of a scenario or a session as a picture."""

from __future__ import annotations

from pathlib import Path

import click


@click.command(name="figure")
@click.argument("source", metavar="SCENARIO|FILE")
@click.option("--view", "view", required=True, metavar="NAME", help="What to draw: window, types, objects, realize, rings, throughput, events.")
@click.option("--at", "at", metavar="MARK|TIME|seq:N", help="The moment; without it the view's telling one.")
@click.option("--size", "size", default="1600x1000", show_default=True, metavar="WxH", help="Pixels.")
@click.option("--theme", "theme", default="light", show_default=True, metavar="T", help="light, dark or print.")
@click.option("-o", "output", required=True, type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="The file to write: .png, .svg or .pdf.")
def command(source: str, view: str, at: str | None, size: str, theme: str, output: Path) -> None:
    """Draw a view of a scenario or of a recorded session into a file."""
    from ringscope.figures.draw import draw, write_whole
    from ringscope.figures.parse import check, parse_output, parse_size
    from ringscope.figures.recordings import Recordings
    from ringscope.figures.spec import PICTURES, FigureSpec

    path = parse_output(output, PICTURES)
    spec = FigureSpec(source, view, at=at or "", size=parse_size(size, view), theme=theme)
    check(spec, path.suffix)
    with Recordings() as recordings:
        write_whole(path, draw(spec, recordings.open(source), path.suffix))
