"""``ringscope tour``: the default scenario without a display, recorded, and every view of it as a picture."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Final

import click

TOUR_NS: Final = 3_000_000_000
"""Virtual time that the tour records."""
SCENARIO: Final = "default"
SESSION: Final = "tour.ringscope"


@click.command(name="tour")
@click.option("-o", "folder", required=True, type=click.Path(file_okay=False, path_type=Path), metavar="DIR", help="Where to put everything; made if missing.")
@click.option("--size", "size", default="1600x1000", show_default=True, metavar="WxH", help="Pixels of each picture.")
def command(folder: Path, size: str) -> None:
    """Run the default scenario, record it, draw the window and every view in both themes, and say what happened."""
    from rich.console import Console

    from ringscope.figures.files import make_folder
    from ringscope.figures.parse import parse_size
    from ringscope.figures.record import record
    from ringscope_core.scenario.load import load

    pixels = parse_size(size, "window")
    make_folder(folder, "output")
    console = Console(highlight=False)
    scenario = load(SCENARIO)
    console.print(f"Recording [bold]{scenario.title}[/bold] ({TOUR_NS / 1e9:.0f} s of virtual time) ...")
    session = folder / SESSION
    session.unlink(missing_ok=True)
    report = record(scenario, session, TOUR_NS)
    began = time.monotonic()
    files = _draw_all(folder, session, pixels, console)
    _summary(console, folder, session, report, files, time.monotonic() - began)


def _draw_all(folder: Path, session: Path, size: tuple[int, int], console: object) -> list[Path]:
    """The window and each view, light as NAME.png and dark as NAME-dark.png."""
    from ringscope.figures.draw import draw
    from ringscope.figures.files import write_whole
    from ringscope.figures.parse import WINDOW
    from ringscope.figures.spec import FigureSpec
    from ringscope.theme import THEMES
    from ringscope.views import ALL_VIEWS
    from ringscope_core.session.reader import SessionReader

    files: list[Path] = []
    for theme in THEMES:
        for view in (WINDOW, *ALL_VIEWS):
            path = folder / (f"{view}.png" if theme == "light" else f"{view}-{theme}.png")
            reader = SessionReader(session)
            try:
                write_whole(path, draw(FigureSpec(str(session), view, size=size, theme=theme), reader, path.suffix))
            finally:
                reader.close()
            files.append(path)
    return files


def _summary(console: object, folder: Path, session: Path, report: dict[str, object], files: list[Path], drawing_s: float) -> None:
    """What was recorded and what was written, as two tables."""
    from rich.console import Console
    from rich.table import Column, Table

    assert isinstance(console, Console)
    run = Table("recorded", Column("", overflow="fold"), header_style="bold")
    for name, key in (("scenario", "scenario"), ("seed", "seed"), ("events", "events"), ("virtual time", "virtual_s"), ("wall time", "wall_s")):
        value = report[key]
        run.add_row(name, f"{value:,}" if isinstance(value, int) else f"{value:.3f} s" if isinstance(value, float) else str(value))
    for side, word in (("tx", "guest to network"), ("rx", "network to guest")):
        counts = report[side]
        assert isinstance(counts, dict)
        run.add_row(word, f"{counts['frames_delivered']:,} of {counts['frames_sent']:,} frames delivered")
    run.add_row("speed", f"{report['packets_per_s']:,} packets/s, {int(str(report['events'])) / max(float(str(report['wall_s'])), 1e-9):,.0f} events/s")
    drops = report["drops"]
    run.add_row("drops", ", ".join(f"{reason} {count}" for reason, count in drops.items()) if isinstance(drops, dict) and drops else "none")
    run.add_row("event digest", str(report["event_digest"]))
    console.print(run)
    written = Table("written", "bytes", header_style="bold")
    for path in [session, *files]:
        written.add_row(str(path.relative_to(folder)), f"{path.stat().st_size:,}")
    console.print(written)
    console.print(f"{len(files)} pictures in {drawing_s:.1f} s. Open the recording with:\nringscope open {session}", soft_wrap=True)
