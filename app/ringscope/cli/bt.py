"""``ringscope bt``: the call stack at a function, as gdb prints it."""

from __future__ import annotations

import click

from ringscope.cli.output import print_json
from ringscope.cli.scenario_options import ScenarioOptions, scenario_options


@click.command(name="bt")
@click.argument("scenario")
@click.option("--at", "function", required=True, metavar="FUNCTION[:LINE]", help="QEMU's function; its first statement, or the given line.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list of frames.")
@scenario_options
def command(scenario: str, function: str, as_json: bool, options: ScenarioOptions) -> None:
    """Run SCENARIO until FUNCTION is called and print the stack there as gdb's `bt`.

    Frames that the optimizer's tail calls hide from gdb are printed without a number.
    """
    from ringscope_core.engine.inspect import stack_at
    from ringscope_core.gdb.backtrace import format_backtrace

    frames = stack_at(options.load(scenario), function)
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
