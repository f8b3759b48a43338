"""``ringscope scenarios``: what ships."""

from __future__ import annotations

import click

from ringscope.cli.output import print_json


@click.command(name="scenarios")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list.")
def command(as_json: bool) -> None:
    """List the scenarios that ship, with a line about each."""
    from ringscope_core.scenario.load import load
    from ringscope_core.scenario.shipped import SHIPPED

    rows = [load(name) for name in SHIPPED]
    if as_json:
        print_json([{"name": row.name, "title": row.title, "description": row.description} for row in rows])
        return
    width = max(len(row.name) for row in rows)
    for row in rows:
        click.echo(f"{row.name:<{width}}  {row.title}")
