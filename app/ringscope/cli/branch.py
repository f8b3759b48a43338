"""``ringscope branch``: run on from a moment of a recording with something changed."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ringscope.cli.output import print_json
from ringscope.cli.run import Duration

if TYPE_CHECKING:
    from collections.abc import Callable

    from ringscope_core.engine.branch import Outcome
    from ringscope_core.engine.change import Change


@click.command(name="branch")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--at", default="end", metavar="MOMENT", help="1.5s, #123, mark:NAME, packet:7, start, or end (the default).")
@click.option("--change", "text", default="none", metavar="CHANGE", help="What is changed there; see below.")
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), default=None, metavar="OUT", help="Default: FILE-branch-N beside FILE.")
@click.option("--for", "duration", type=Duration(), default=None, metavar="1s", help="Virtual time after the moment. Default: to where FILE ends.")
@click.option("--trace", type=click.Choice(["keep", "counters", "packets", "full"]), default="keep", help="Trace level from the moment on.")
@click.option("--json", "as_json", is_flag=True, help="Print what came of it as one JSON object.")
def command(file: Path, at: str, text: str, output: Path | None, duration: int | None, trace: str, as_json: bool) -> int:
    """Run FILE again to a moment, and on from there with something changed.

    The result is a session of its own, whole from the beginning: up to the moment it has FILE's events with their numbers, and they are
    compared on the way.  Both stay; `ringscope diff FILE OUT` shows where they part.

    \b
    CHANGE is one of
      none                                 go on as it would have
      inject net=hostnet0 frame=HEX        a frame comes from a backend
      link net0 off                        pull a cable, or plug it in (on)
      feature net0 -MRG_RXBUF +EVENT_IDX   reset, and negotiate without or with bits
      option net0 rx_queue_size=512        unplug, and plug in with other options
      option net0 mq=off from=start        the same from the start of the run
      action break queue=1 fault=bad-order what a scenario's [[action]] can do
      traffic 0 rate_pps=100               a program goes on with other fields
      set traffic.0.rate_pps=100           another scenario, from the start
    """
    from ringscope_core.engine.branch import Parent, default_level, run_branch
    from ringscope_core.engine.branch_live import change_from_text
    from ringscope_core.engine.branch_path import free_path
    from ringscope_core.engine.moment import parse_moment
    from ringscope_core.session.reader import SessionReader

    change = change_from_text(text)
    with SessionReader(file) as reader:
        moment = parse_moment(reader, at)
    out = output or free_path(file)
    meter = _Meter()
    outcome = run_branch(Parent(file, moment, change), out, duration or 0, default_level(trace), meter if sys.stderr.isatty() else None)
    meter.end()
    if as_json:
        print_json({"session": str(out), "change": change.to_plain(), **outcome.__dict__})
    else:
        _print(file, out, change, outcome, click.echo)
    return 0


class _Meter:
    """How far the replay is, on a terminal."""

    def __init__(self) -> None:
        self._due = time.monotonic() + 0.5
        self._shown = False

    def __call__(self, made: int, wanted: int) -> bool:
        now = time.monotonic()
        if now >= self._due:
            self._due, self._shown = now + 0.2, True
            click.echo(f"\rrunning again: event {made} of {wanted} ", nl=False, err=True)
        return True

    def end(self) -> None:
        """Take the line away."""
        if self._shown:
            click.echo("\r\033[K", nl=False, err=True)


def _print(file: Path, out: Path, change: Change, outcome: Outcome, echo: Callable[[str], object]) -> None:
    echo(f"{out}: {change.describe()}")
    if change.from_start:
        echo(f"  a run of its own from event 0; {outcome.events} events, {outcome.vt / 1e9:.6f} s, ended: {outcome.ended}")
    else:
        echo(f"  {outcome.compared} events as recorded, changed before event {outcome.took_effect}")
        echo(f"  {outcome.events} events, {outcome.vt / 1e9:.6f} s, ended: {outcome.ended}")
    for line in outcome.messages:
        echo(f"  {line}")
    echo(f"  compare with: ringscope diff {file} {out}")
