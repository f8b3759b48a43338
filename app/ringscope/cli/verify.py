"""``ringscope verify``: whether a session says the same thing twice."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ringscope.cli.output import print_json
from ringscope.cli.progress import Meter

if TYPE_CHECKING:
    from ringscope_core.query.verify import Report


@click.command(name="verify")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--jobs", type=click.IntRange(0, 64), default=0, metavar="N", help="Processes; 0, the default: as many as help.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(file: Path, jobs: int, as_json: bool) -> int:
    """Fold every event of FILE and compare with each keyframe; check blocks, packets, counters and what events name.

    Exits 1 when anything differs, and names the first difference: field, ring or byte, and both values.
    """
    from ringscope_core.query.verify import verify
    from ringscope_core.session.errors import DamagedSession

    meter = Meter("events", sys.stderr)
    try:
        report = verify(file, jobs=jobs, progress=meter)
    except DamagedSession as error:
        # damage is what this verb looks for
        if as_json:
            print_json({"file": str(file), "equal": False, "complete": False, "findings": [{"check": "file", "seq": -1, "text": error.reason}]})
        else:
            click.echo(f"{file}: {error.reason}\nDIFFERENT: the file is damaged; `ringscope info` shows what of it is whole")
        return 1
    finally:
        meter.done()
    if as_json:
        print_json(_plain(file, report))
    else:
        _print(file, report)
    return 130 if not report.complete else 0 if report.equal else 1


def _plain(file: Path, report: Report) -> dict[str, object]:
    return {
        "file": str(file),
        "equal": report.equal,
        "complete": report.complete,
        "events": report.events,
        "keyframes": report.keyframes,
        "compared": report.compared,
        "not_compared": dict(report.not_compared),
        "packets": report.packets,
        "samples": report.samples,
        "lost_events": report.lost_events,
        "differences": report.wrong,
        "findings": [found._asdict() for found in report.findings],
        "wall_s": round(report.wall_s, 3),
    }


def _print(file: Path, report: Report) -> None:
    rate = report.events / report.wall_s if report.wall_s else 0.0
    click.echo(f"{file}: {report.events} events, {report.packets} packets, {report.samples} counter samples in {report.wall_s:.1f} s ({rate:,.0f} events/s)")
    rest = "".join(f"; {count} not compared ({reason})" for reason, count in sorted(report.not_compared.items()))
    click.echo(f"  keyframes: {report.compared} of {report.keyframes} compared with the fold of the events{rest}")
    if report.lost_events:
        click.echo(f"  {report.lost_events} events are missing and declared lost")
    for found in report.findings:
        click.echo(f"  {found.text}")
    if report.wrong > len(report.findings):
        click.echo(f"  ... and {report.wrong - len(report.findings)} more")
    if not report.complete:
        click.echo("cancelled: what was checked so far stands above")
    else:
        click.echo("equal" if report.equal else f"DIFFERENT: {report.wrong} finding{'s' if report.wrong > 1 else ''}")
