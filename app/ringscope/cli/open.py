"""``ringscope open``: the window on a recorded session."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ringscope.cli.window_options import window_options

if TYPE_CHECKING:
    from ringscope.launch import WindowOptions


@click.command(name="open")
@click.argument("file", type=click.Path(path_type=Path))
@window_options
def command(file: Path, window: Callable[[], WindowOptions]) -> int:
    """Open FILE, a .ringscope session: scrub, play back, inspect.

    A capture (pcap, pcapng) or exported JSON lines are opened as a session made of them, which lasts as long as the window; `ringscope import` keeps one.
    """
    from ringscope.display import missing_display
    from ringscope_core.export.imports import session_of
    from ringscope_core.query.opening import open_for_view

    file = session_of(file)
    # a bad file is said before anything of Qt is loaded
    open_for_view(file).close()
    why = missing_display()
    if why:
        raise click.ClickException(f"no window can be opened: {why}; `ringscope figure {file} --view NAME -o FILE.png` draws without one")
    from ringscope.launch import open_file

    return open_file(file, window())
