"""``ringscope window`` (also without a verb): the window on a live run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from ringscope.cli.scenario_options import ScenarioOptions, scenario_options
from ringscope.cli.window_options import window_options

if TYPE_CHECKING:
    from ringscope.launch import WindowOptions

TOUR_FOLDER: Final = "ringscope-tour"
"""Where the tour's pictures go when there is no display."""


@click.command(name="window")
@click.argument("scenario", default="default")
@click.option("--speed", default="1", metavar="X|max", help="Virtual time per wall time; max is flat out.")
@click.option("--trace", type=click.Choice(["counters", "packets", "full"]), default=None, help="Trace level, kept also flat out.")
@click.option("--record", type=click.Path(path_type=Path, dir_okay=False), default=None, metavar="FILE", help="Keep the recording.")
@click.option("--keep", default="", metavar="SIZE|all", help="Keep the recording within SIZE, dropping the oldest. Default: 2G, all with --record.")
@click.option("--paused", is_flag=True, help="Stop at the first event.")
@scenario_options
@window_options
def command(
    scenario: str,
    speed: str,
    trace: str | None,
    record: Path | None,
    keep: str,
    paused: bool,
    options: ScenarioOptions,
    window: Callable[[], WindowOptions],
) -> int:
    """Open the window on SCENARIO, a shipped one's name or a .toml file, with traffic flowing.

    Without a display the tour runs instead: the scenario headless, a recording, and a picture of every view.
    """
    from ringscope.display import missing_display
    from ringscope_core.scenario.errors import InputError

    options.load(scenario)
    if keep:
        from ringscope_core.session.keep import keep_bytes

        keep_bytes("keep", keep)
    why = missing_display()
    if why:
        if scenario != "default" or options.all_settings or record is not None:
            # the tour shows the default scenario, not what was asked for
            raise InputError("display", why, "a display, or `ringscope run SCENARIO --headless`")
        return _tour(why)
    from ringscope.launch import open_live
    from ringscope.sources.engine import EngineOptions

    return open_live(EngineOptions(scenario, tuple(options.all_settings), _speed(speed), trace or "", record, paused, keep=keep), window())


def _speed(text: str) -> str:
    """Checked here, so that a mistake is one line and not an engine that does not start."""
    from ringscope_core.scenario.errors import InputError

    if text in ("max", "realtime"):
        return "max" if text == "max" else "1"
    try:
        factor = float(text)
    except ValueError:
        factor = 0.0
    if not 0 < factor <= 1e6:
        raise InputError("speed", text, "max, realtime, or a number above 0 (virtual time per wall time)")
    return text


def _tour(why: str) -> int:
    from ringscope.cli.tour import command as tour

    click.echo(f"ringscope: no window can be opened: {why}.")
    click.echo(f"Running the tour instead; its recording and pictures go to ./{TOUR_FOLDER}.")
    code = tour.main(["-o", TOUR_FOLDER], prog_name="ringscope tour", standalone_mode=False)
    return code if isinstance(code, int) else 0
