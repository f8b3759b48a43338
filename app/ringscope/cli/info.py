"""``ringscope info``: what a session file is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ringscope.cli.output import print_json


@click.command(name="info")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(file: Path, as_json: bool) -> None:
    """Say what FILE, a .ringscope session, holds: the run, times, events by kind, packets, marks, controls, losses."""
    from ringscope_core.query.about import about
    from ringscope_core.query.recording import Recording
    from ringscope_core.session.salvage import reading

    found = reading(file, lambda reader: about(Recording(reader)))
    if as_json:
        print_json(found)
    else:
        _print(found)


def _branch(about: Any) -> str:
    """Where a branch comes from, and what it changed."""
    from ringscope_core.engine.change import Change
    from ringscope_core.scenario.errors import InputError

    if not isinstance(about, dict):
        return str(about)
    try:
        change = Change.from_plain(about.get("change")).describe()
    except InputError:
        change = str(about.get("change"))
    return f"of {about.get('name')} ({about.get('of')}), other from event {about.get('seq')} on: {change}"


def _print(found: dict[str, Any]) -> None:
    from ringscope_core.query.decode import format_clock

    echo = click.echo
    echo(found["file"])
    if found["damage"]:
        echo(f"  DAMAGED: {found['damage']}")
    for line in _origin(found):
        echo(line)
    if found["branch"]:
        echo(f"  branch     {_branch(found['branch'])}")
    echo(f"  times      {format_clock(found['virtual_ns'])} s virtual, {format_clock(found['wall_ns'])} s wall")
    echo(f"  size       {_bytes(found['size'])}; {_stored(found)}")
    echo(f"  events     {found['events']}, numbers {found['first_event']} to {found['last_event']}" if found["events"] else "  events     none")
    for group, kinds in sorted(found["kinds"].items(), key=lambda item: -sum(item[1].values())):
        words = ", ".join(f"{name} {count}" for name, count in sorted(kinds.items(), key=lambda item: -item[1]))
        echo(f"    {group:<9}{sum(kinds.values()):>12}  {words}")
    echo(f"  packets    {found['packets']}")
    echo(f"  keyframes  {found['keyframes']}; {found['samples']} counter samples of {', '.join(found['rings']) or 'no ring'}")
    for name in ("marks", "controls"):
        echo(f"  {name:<10} {len(found[name]) or 'none'}")
        for row in found[name]:
            rest = row.get("note") or (row["arguments"] if name == "controls" and row["arguments"] else "")
            echo(f"    {format_clock(row['vt'])} s, event {row['seq']}: {row['name']}{f'  {rest}' if rest else ''}")
    echo(f"  debugging  {len(found['breakpoints'])} breakpoints, {found['logs']} log messages, {found['notes']} notes")
    echo(f"  losses     {'none' if not found['losses'] else ''}".rstrip())
    for loss in found["losses"]:
        where = f"events {loss['first']} to {loss['last']}" if loss["first"] is not None and loss["last"] >= loss["first"] else "somewhere"
        echo(f"    {where}: {loss['events']} events and {loss['packets']} packets ({loss['reason']})")


def _origin(found: dict[str, Any]) -> list[str]:
    """What ran, or which capture this was made of; who wrote it."""
    if found["source"] == "capture":
        return [f"  capture    {found['title']}; {found['fidelity']}", f"  written    by {found['program']}; {_ending(found)}"]
    return [
        f"  run        {found['scenario']}: {found['title']}; profile {found['profile']}, seed {found['seed']}, trace {found['trace']}, {found['time']} time",
        f"  written    {found['started']} by {found['program']}; {_ending(found)}",
    ]


def _ending(found: dict[str, Any]) -> str:
    if found["closed"]:
        return f"closed ({found['ended']})" if found["ended"] else "closed"
    return "not closed: it still grows, or its writer was killed"


def _stored(found: dict[str, Any]) -> str:
    stored = found["stored"]
    each = f" ({found['bytes_per_event']} an event)" if found["bytes_per_event"] is not None else ""
    return f"events {_bytes(stored['events'])}{each}, keyframes {_bytes(stored['keyframes'])}, packets {_bytes(stored['packets'])}"


def _bytes(size: int) -> str:
    for unit in ("B", "KiB", "MiB"):
        if size < 1024:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1024  # type: ignore[assignment]
    return f"{size:.2f} GiB"
