"""``ringscope bt``: the call stack at a function, as gdb prints it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ringscope.cli.output import print_json
from ringscope.cli.scenario_options import ScenarioOptions, scenario_options

if TYPE_CHECKING:
    from ringscope_core.gdb.backtrace import BtFrame


@click.command(name="bt")
@click.argument("scenario")
@click.option("--at", "function", required=True, metavar="FUNCTION[:LINE]", help="QEMU's function; its first statement, or the given line.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list of frames.")
@click.option(
    "--match", "pasted", type=click.Path(path_type=Path, exists=True, dir_okay=False), default=None, metavar="FILE", help="Compare with a backtrace of gdb's."
)
@scenario_options
def command(scenario: str, function: str, as_json: bool, pasted: Path | None, options: ScenarioOptions) -> None:
    """Run SCENARIO until FUNCTION is called and print the stack there as gdb's `bt`.

    Frames that the optimizer's tail calls hide from gdb are printed without a number.  With --match the stack is compared with one
    that gdb printed elsewhere: frame by frame equal, at another line, with other arguments, missing here, or only here.
    """
    from ringscope_core.engine.inspect import stack_at
    from ringscope_core.gdb.backtrace import format_backtrace

    frames = stack_at(options.load(scenario), function)
    if pasted is not None:
        _compare(pasted, frames, as_json)
        return
    if as_json:
        print_json(
            [
                {
                    "number": frame.number,
                    "address": f"0x{frame.address:016x}" if frame.address else None,
                    "function": frame.function,
                    "args": [{"name": name, "value": value} for name, value in frame.args],
                    "file": frame.source.rsplit(":", 1)[0],
                    "line": frame.line,
                }
                for frame in frames
            ]
        )
        return
    click.echo(format_backtrace(frames))


def _compare(file: Path, frames: list[BtFrame], as_json: bool) -> None:
    """Print how a pasted backtrace and ours differ."""
    from ringscope_core.gdb.pasted import compare, parse_backtrace, table
    from ringscope_core.scenario.errors import InputError

    found = parse_backtrace(file.read_text(errors="replace"))
    if not found:
        raise InputError("--match", str(file), "a file with a backtrace as gdb's `bt` prints it")
    rows = compare(found, frames)
    if not as_json:
        click.echo(table(rows))
        return
    print_json(
        [
            {
                "verdict": row.verdict,
                "theirs": row.pasted.number if row.pasted is not None else None,
                "here": row.ours.number if row.ours is not None else None,
                "function": row.pasted.function if row.pasted is not None else row.ours.function if row.ours is not None else "",
                "notes": list(row.notes),
            }
            for row in rows
        ]
    )
