"""``ringscope bench --against-qemu``: a real QEMU's device and ours side by side."""

from __future__ import annotations

from pathlib import Path

import click

from ringscope.cli.output import print_json


def run_against_qemu(quick: bool, only: str | None, form: str, update: Path | None) -> None:
    """Measure, telling each case as it is done, and print the whole as `form`: text, json or markdown."""
    from ringscope_core.conform.bench.case import all_cases, trace_cases
    from ringscope_core.conform.bench.compare import QUICK, Effort, compare, compare_traces
    from ringscope_core.conform.bench.report import Report, comparison_line, describe_host, trace_line
    from ringscope_core.conform.live.errors import HarnessError
    from ringscope_core.conform.live.qemu_process import PROGRAM, qemu_version
    from ringscope_core.engine.bench import compiled

    version = qemu_version()
    if not version:
        raise click.ClickException(f"--against-qemu: {PROGRAM} is not installed")
    cases = [case for case in all_cases() if not only or only in case.name]
    traced = [case for case in trace_cases() if not only or only in case.name]
    if not cases and not traced:
        raise click.UsageError(f"--only: no case's name holds {only!r}; names are such as {all_cases()[0].name!r}")
    host = describe_host(version, compiled())
    effort = QUICK if quick else Effort()
    if not host.compiled:
        click.echo("the core is not compiled: our numbers are those of the plain sources", err=True)
    comparisons, traces = [], []
    try:
        for comparison in compare(cases, effort):
            comparisons.append(comparison)
            click.echo(comparison_line(comparison), err=form != "text")
        for trace in compare_traces(traced, effort):
            traces.append(trace)
            click.echo(trace_line(trace), err=form != "text")
    except HarnessError as error:
        raise click.ClickException(f"--against-qemu: {error}") from None
    report = Report(host, effort, comparisons, traces)
    if update is not None:
        try:
            report.update(update)
        except ValueError as error:
            raise click.ClickException(f"--update: {error}") from None
    if form == "json":
        print_json(report.to_json())
    elif form == "markdown":
        click.echo(report.markdown())
    else:
        for target in report.targets():
            click.echo(f"  {target.sentence}")
