"""``ringscope export``: a session, or a part of it, in the format of another tool."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from ringscope.cli.progress import Meter

if TYPE_CHECKING:
    from ringscope_core.export.request import Request, Summary

_FORMATS: Final = ("pcapng", "perfetto", "csv", "jsonl", "parquet", "markdown")
_SUFFIXES: Final = {".pcapng": "pcapng", ".pftrace": "perfetto", ".perfetto-trace": "perfetto", ".csv": "csv", ".jsonl": "jsonl", ".md": "markdown"}
_WHATS: Final = "events|packets|counters|marks|states"


@click.command(name="export")
@click.argument("session", type=click.Path(path_type=Path))
@click.option("--to", "to", default="", metavar="FORMAT", help=f"{', '.join(_FORMATS)}. Default: what the name of OUT ends in.")
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, metavar="OUT", help="The file to write; for parquet a folder.")
@click.option("--what", "whats", multiple=True, metavar=_WHATS, help="csv, jsonl, parquet: which tables, with commas or again. Default: events.")
@click.option("--from", "since", default="", metavar="MOMENT", help="Begin at a time (1.5s), seq:N, mark:NAME or packet:N.")
@click.option("--until", default="", metavar="MOMENT", help="End with a moment of the same forms.")
@click.option("--filter", "filters", multiple=True, metavar="EXPR", help="Only what the filter takes; given again, all of them.")
@click.option(
    "--vnet-hdr", "vnet_hdr", default=None, metavar="none|link|comment", help="pcapng: leave virtio_net_hdr out, or keep it (link type USER0, or comments)."
)
@click.option("--interfaces", default=None, metavar="queue|direction|device", help="pcapng: what an interface stands for.")
@click.option("--time", "clock", default=None, metavar="virtual|wall|events", help="pcapng, perfetto: the clock of the times (events: perfetto only).")
@click.option("--instants", default=None, metavar="main|all", help="perfetto: notifications, frames and errors, or every event.")
@click.option("--text", default=None, metavar="no|yes", help="csv: a last column with the event in words.")
@click.option("--partition", default=None, metavar="10s", help="parquet: how much virtual time a file holds.")
@click.option("--force", is_flag=True, help="Replace OUT when it is there.")
def command(
    session: Path,
    to: str,
    output: Path,
    whats: tuple[str, ...],
    since: str,
    until: str,
    filters: tuple[str, ...],
    vnet_hdr: str | None,
    interfaces: str | None,
    clock: str | None,
    instants: str | None,
    text: str | None,
    partition: str | None,
    force: bool,
) -> int:
    """Write SESSION, a .ringscope file, or what a range and a filter take of it, as OUT.

    OUT appears when it is whole; what is interrupted leaves nothing.
    """
    from ringscope_core.export.formats import check
    from ringscope_core.export.request import Request

    given = {"vnet-hdr": vnet_hdr, "interfaces": interfaces, "time": clock, "instants": instants, "text": text, "partition": partition}
    request = Request(
        to or _guessed(output),
        tuple(word.strip() for part in whats for word in part.split(",") if word.strip()),
        since,
        until,
        " and ".join(f"({part})" for part in filters if part.strip()) if len(filters) > 1 else "".join(filters),
        {name: value for name, value in given.items() if value is not None},
        force,
    )
    check(request)
    return _export(session, request, output)


def _guessed(output: Path) -> str:
    found = _SUFFIXES.get(output.suffix.lower())
    if found is None:
        raise click.UsageError(f"the name {output.name!r} tells no format: say --to with one of {', '.join(_FORMATS)}")
    return found


def _export(session: Path, request: Request, output: Path) -> int:
    from ringscope_core.export.formats import export
    from ringscope_core.export.request import Cancelled
    from ringscope_core.query.recording import Recording
    from ringscope_core.session.salvage import open_session

    meter = Meter("steps", sys.stderr)
    try:
        with open_session(session) as reader:
            summary = export(Recording(reader), request, output, meter)
    except Cancelled:
        click.echo("ringscope: cancelled; nothing was written", err=True)
        return 130
    finally:
        meter.done()
    print_summary(output, summary)
    return 0


def print_summary(output: Path, summary: Summary) -> None:
    """What was written, and what is worth knowing about it."""
    rows = ", ".join(f"{number} {what}" for what, number in summary.rows.items()) or "nothing"
    click.echo(f"{output}: {rows}, {summary.size} bytes")
    for text in summary.remarks:
        click.echo(f"ringscope: {text}", err=True)
