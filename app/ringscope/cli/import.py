"""``ringscope import``: a session made of a capture or of an export."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from ringscope.cli.export import print_summary
from ringscope.cli.progress import Meter


@click.command(name="import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, metavar="SESSION", help="The .ringscope file to write.")
@click.option("--force", is_flag=True, help="Replace SESSION when it is there.")
def command(file: Path, output: Path, force: bool) -> int:
    """Make SESSION of FILE: a pcap or pcapng capture, or JSON lines that `ringscope export` wrote.

    Of a capture only the frames are known; what a device did stays unknown, and the session says so.
    """
    from ringscope_core.export.imports import import_file
    from ringscope_core.export.request import Cancelled

    meter = Meter("bytes", sys.stderr)
    try:
        summary = import_file(file, output, force, meter)
    except Cancelled:
        click.echo("ringscope: cancelled; nothing was written", err=True)
        return 130
    finally:
        meter.done()
    print_summary(output, summary)
    return 0
