"""``ringscope animate``: a view over a range of a recording, as a GIF, a WebP or a folder of PNG files."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import click

from ringscope.cli.figure_options import figure_options
from ringscope.cli.progress import Meter
from ringscope.figures.request import Words
from ringscope.figures.spec import DEFAULT_FPS


@click.command(name="animate")
@click.option(
    "--from", "first", default="start", show_default=True, metavar="MOMENT", help="Where it begins: 1.5s, seq:N, packet:N, mark:NAME, break:FUNCTION."
)
@click.option("--to", "last", default="end", show_default=True, metavar="MOMENT", help="The last picture's moment.")
@click.option("--speed", "speed", default="", metavar="S", help="1x, 1e-6x (times virtual time), 100ev/s, or 10s for all of it.")
@click.option("--fps", "fps", default=str(DEFAULT_FPS), show_default=True, metavar="N", help="Pictures a second.")
@click.option("--every", "every", default="", metavar="STEP", help="A picture for each event, packet, kick or frame (a call's beginning, line or end).")
@click.option("--once", is_flag=True, help="Play once; without it, over and over.")
@click.option(
    "-o", "output", required=True, type=click.Path(path_type=Path), metavar="FILE|FOLDER/", help="A .gif, a .webp, or a folder of numbered PNG files."
)
@figure_options
def command(words: Words, first: str, last: str, speed: str, fps: str, every: str, once: bool, output: Path) -> int:
    """Draw a view of a scenario or of a recorded session at many moments into one moving picture.

    The same command gives the same bytes.  Each picture shows exactly its moment, the last one that of --to.
    """
    from ringscope.figures.animation import FOLDER, Cancelled, animate
    from ringscope.figures.parse import parse_output
    from ringscope.figures.picture_folder import check_folder
    from ringscope.figures.recordings import Recordings
    from ringscope.figures.request import picture_of
    from ringscope.figures.shots import Film, parse_every, parse_fps, parse_speed
    from ringscope.figures.spec import ANIMATIONS

    suffix = FOLDER if output.is_dir() or not output.suffix else parse_output(output, ANIMATIONS).suffix.lower()
    if suffix == FOLDER:
        check_folder(output)
    film = Film(first, last, parse_fps(fps, suffix), parse_speed(speed) if speed else None, parse_every(every), once)
    spec = picture_of(replace(words, at=""), suffix or ".png")
    meter = Meter("steps", sys.stderr)
    try:
        with Recordings() as recordings:
            made = animate(spec, recordings.open(words.source, words.settings), output, film, meter)
    except Cancelled:
        click.echo("ringscope: cancelled; nothing was written", err=True)
        return 130
    finally:
        meter.done()
    click.echo(f"{output}: {made.shots} pictures ({made.stills} different), {float(made.seconds):.2f} s, {made.width}x{made.height}")
    return 0
