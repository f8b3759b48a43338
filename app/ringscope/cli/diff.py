"""``ringscope diff``: where two sessions part."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from ringscope.cli.output import print_json
from ringscope.cli.progress import Meter

if TYPE_CHECKING:
    from ringscope_core.query.diff import Parting
    from ringscope_core.query.recording import Recording

_LINES: Final = 40
"""So many differences of states are printed."""


@click.command(name="diff")
@click.argument("a", type=click.Path(path_type=Path))
@click.argument("b", type=click.Path(path_type=Path))
@click.option("--ignore", multiple=True, metavar="KIND", help="Leave events of this kind out on both sides; again for more.")
@click.option("--no-times", is_flag=True, help="Do not compare virtual times.")
@click.option("--addresses", is_flag=True, help="Compare host addresses too; without, only whether one is NULL.")
@click.option("--no-packets", is_flag=True, help="Do not compare the bytes of frames.")
@click.option("--all", "everything", is_flag=True, help=f"Print every difference of the states, not the first {_LINES}.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(a: Path, b: Path, ignore: tuple[str, ...], no_times: bool, addresses: bool, no_packets: bool, everything: bool, as_json: bool) -> int:
    """Find the first event where the sessions A and B part, and say how the states differ there.

    Wall times are never compared.  Texts, functions and fields are compared by what they say.  Exits 0 when equal, 1 when not.
    """
    from ringscope_core.query.diff import Options, diff
    from ringscope_core.query.recording import Recording
    from ringscope_core.session.salvage import open_session

    # damage that shows only while reading ends in a line that says so
    with open_session(a) as one, open_session(b) as two:
        first, second = Recording(one), Recording(two)
        _check_kinds(ignore, first, second)
        for path, reader in ((a, one), (b, two)):
            if reader.damage and not as_json:
                click.echo(f"{path} is damaged: {reader.damage}")
        meter = Meter("events", sys.stderr)
        try:
            found = diff(first, second, Options(frozenset(ignore), not no_times, addresses, not no_packets), meter)
        finally:
            meter.done()
        if as_json:
            print_json(_plain(first, second, found))
        else:
            _print(first, second, found, None if everything else _LINES)
    return 130 if not found.complete else 0 if found.equal else 1


def _check_kinds(ignore: tuple[str, ...], *recordings: Recording) -> None:
    from ringscope_core.scenario.errors import InputError

    known = sorted({spec.name for recording in recordings for spec in recording.kinds.values()})
    for name in ignore:
        if name not in known:
            raise InputError("--ignore", name, f"a kind of event: {', '.join(known)}")


def _sides(first: Recording, second: Recording, found: Parting) -> list[tuple[str, str]]:
    from ringscope_core.query.diff import event_words

    return [
        (name, event_words(recording, row) if row is not None else "the recording ends")
        for name, recording, row in (("A", first, found.a), ("B", second, found.b))
    ]


def _plain(first: Recording, second: Recording, found: Parting) -> dict[str, Any]:
    def event(row: Any) -> dict[str, int] | None:
        return None if row is None else {name: int(row[name]) for name in row.dtype.names}

    return {
        "equal": found.equal,
        "complete": found.complete,
        "common": found.common,
        "why": found.why,
        "a": {"event": event(found.a), "text": _sides(first, second, found)[0][1]},
        "b": {"event": event(found.b), "text": _sides(first, second, found)[1][1]},
        "before": [row._asdict() for row in found.before],
        "after": [row._asdict() for row in found.states],
        "about": [row._asdict() for row in found.about],
        "not_compared": found.not_compared,
        "damage": [first.reader.damage or None, second.reader.damage or None],
    }


def _print(first: Recording, second: Recording, found: Parting, limit: int | None) -> None:
    echo = click.echo
    for row in found.about:
        echo(f"{row.where}: A {row.old}, B {row.new}")
    if found.not_compared:
        echo(f"{found.not_compared} events were not compared: the other recording lost them")
    if not found.complete:
        echo(f"cancelled after {found.common} events that are the same")
        return
    if found.equal:
        echo(f"equal: {found.common} events")
        return
    echo(f"{found.common} events are the same, then: {found.why}")
    for name, text in _sides(first, second, found):
        echo(f"  {name}  {text}")
    for title, rows in (("before it the states differ already, in what events do not tell:", found.before), ("after it the states differ:", found.states)):
        if rows:
            echo(title)
        for row in rows[:limit]:
            echo(f"  {row.where}: {row.old} | {row.new}")
        if limit is not None and len(rows) > limit:
            echo(f"  ... and {len(rows) - limit} more (--all prints them)")
