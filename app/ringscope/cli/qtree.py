"""``ringscope qtree``: the device tree as QEMU prints it."""

from __future__ import annotations

import click

from ringscope.cli.scenario_options import ScenarioOptions, scenario_options


@click.command(name="qtree")
@click.argument("scenario", default="realize")
@scenario_options
def command(scenario: str, options: ScenarioOptions) -> None:
    """Print `info qtree` of SCENARIO's machine (default: realize) after its devices were created."""
    from ringscope_core.engine.inspect import built_run

    run = built_run(options.load(scenario))
    click.echo(run.machine.info_qtree(), nl=False)
    run.close()
