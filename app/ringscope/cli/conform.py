"""``ringscope conform``: recorded behaviour of a real QEMU, replayed on our device and compared."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ringscope.cli.output import print_json

if TYPE_CHECKING:
    from ringscope_core.conform.case_file import CaseFile
    from ringscope_core.conform.report import FileReport, Options, Report

SHOWN_CASES = 40
SHOWN_DIFFERENCES = 4
EXIT_DIFFERENT = 1


@click.command(name="conform")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path), metavar="PATH...")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option("--show", metavar="CASE", help="Print both sides of one case step by step.")
@click.option("--only", default="", metavar="TEXT", help="Only cases with TEXT in their name, family or title.")
@click.option("--profile", type=click.Choice(["4.1", "7.2"]), help="The QEMU to be; without it the one that recorded the case.")
@click.option("--deviations", type=click.Path(path_type=Path), metavar="FILE", help="The list of deliberate differences, instead of the one that ships.")
@click.option("-v", "--verbose", is_flag=True, help="Print every difference.")
@click.option("--live", is_flag=True, help="Random sequences on a real QEMU, which has to be installed, instead of recorded cases.")
@click.option("--count", type=click.IntRange(1), default=None, help="With --live: so many sequences (1000 when --for is not given).")
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), default=None, help="With --live: the seed; without it a new one, which is printed.")
@click.option("--for", "duration", default=None, metavar="TIME", help="With --live: stop after this long, such as 30s or 2m.")
@click.option("--save", type=click.Path(path_type=Path), metavar="DIR", help="With --live: write what was found there, as case files.")
@click.option("--jobs", type=click.IntRange(0, 64), default=0, help="With --live: so many QEMUs at the same time; 0 for one a processor, at most 4.")
@click.option("--start", type=click.IntRange(0), default=0, help="With --live: the number of the first sequence.")
def command(
    paths: tuple[Path, ...],
    as_json: bool,
    show: str | None,
    only: str,
    profile: str | None,
    deviations: Path | None,
    verbose: bool,
    live: bool,
    count: int | None,
    seed: int | None,
    duration: str | None,
    save: Path | None,
    start: int,
    jobs: int,
) -> int:
    """Replay cases recorded on a real QEMU (files or directories) and compare field by field.

    Exits 1 when something differs that is not on the list of deliberate differences.
    """
    from ringscope_core.conform.deviations import load_deviations
    from ringscope_core.conform.report import Options, Report, run_paths

    if live:
        if paths or show is not None:
            raise click.UsageError("--live: it takes no PATH and no --show; what it saves can be replayed afterwards")
        from ringscope.cli.conform_live import LiveRequest, run_live

        return run_live(LiveRequest(count, seed, duration, profile, save, start, jobs, as_json), load_deviations(deviations))
    for name, value in (("--count", count), ("--seed", seed), ("--for", duration), ("--save", save), ("--start", start), ("--jobs", jobs)):
        if value:
            raise click.UsageError(f"{name}: it needs --live")
    if not paths:
        raise click.UsageError("PATH: at least one file or directory of cases is needed")
    options = Options(profile or "", only)
    if show is not None:
        return _show(list(paths), show, options)
    listed = load_deviations(deviations)
    report = Report()
    line = ProgressLine()
    stopped = False
    try:
        run_paths(list(paths), options, listed, report, line.update)
    except KeyboardInterrupt:
        stopped = True
    line.clear()
    unused = [] if stopped or only or report.total.cases == 0 else listed.unused(report.profiles)
    if as_json:
        print_json({**report.to_json(), "stopped": stopped, "deviations_unused": unused})
    else:
        _print_report(report, verbose)
        for name in unused:
            click.echo(f"deviation '{name}' matched nothing")
        if stopped:
            click.echo("stopped: what was done so far")
    return EXIT_DIFFERENT if report.total.different else 0


class ProgressLine:
    """One line on a terminal that tells how far it is; nothing elsewhere."""

    def __init__(self) -> None:
        self.on: bool = sys.stderr.isatty()
        self.count: int = 0

    def update(self, report: FileReport) -> None:
        """One more case is done."""
        self.count += 1
        if self.on and self.count % 10 == 0:
            click.echo(f"\r\033[K{report.path}: {report.counts.cases} cases, {report.counts.different} different", nl=False, err=True)

    def clear(self) -> None:
        """Take the line away."""
        if self.on:
            click.echo("\r\033[K", nl=False, err=True)


def _print_report(report: Report, verbose: bool) -> None:
    for one in report.files:
        if one.different:
            click.echo(f"{one.path}:")
        for outcome, differences in one.different if verbose else one.different[:SHOWN_CASES]:
            click.echo(f"  {outcome.case}: {outcome.title}")
            for difference in differences if verbose else differences[:SHOWN_DIFFERENCES]:
                click.echo(f"      {difference}")
            if len(differences) > SHOWN_DIFFERENCES and not verbose:
                click.echo(f"      and {len(differences) - SHOWN_DIFFERENCES} more")
        if len(one.different) > SHOWN_CASES and not verbose:
            click.echo(f"  and {len(one.different) - SHOWN_CASES} more cases")
    width = max((len(one.path) for one in report.files), default=0)
    click.echo(f"{'':<{width}}  {'cases':>7} {'equal':>7} {'different':>9} {'deviations':>10} {'skipped':>7}")
    rows = [(one.path, one.counts) for one in report.files]
    for name, counts in [*rows, ("in all", report.total)]:
        click.echo(f"{name:<{width}}  {counts.cases:>7} {counts.equal:>7} {counts.different:>9} {counts.deviations:>10} {counts.skipped:>7}")
    for one in report.files:
        for reason, count in one.reasons.items():
            click.echo(f"{one.path}: {count} skipped: {reason}")


def _show(paths: list[Path], name: str, options: Options) -> int:
    from ringscope_core.conform.case_file import read_case_file
    from ringscope_core.conform.report import case_files
    from ringscope_core.scenario.errors import InputError

    files = [read_case_file(path) for path in case_files(paths)]
    for wanted_exactly in (True, False):
        for file in files:
            shown = _show_in(file, name, options, wanted_exactly)
            if shown is not None:
                return shown
    raise InputError("show", name, "a case of these files, by its name or a part of it")


def _show_in(file: CaseFile, name: str, options: Options, exactly: bool) -> int | None:
    """Show the case of `file` called `name`; None when it has none."""
    from ringscope_core.conform.machine_target import MachineTarget
    from ringscope_core.conform.report import outcomes, why_not
    from ringscope_core.conform.show import show_case
    from ringscope_core.conform.target import TargetError
    from ringscope_core.scenario.errors import InputError

    profile = options.profile or file.profile
    for case in file.cases:
        if case.id == name or (not exactly and name in case.id):
            reason = why_not(case, profile)
            if reason:
                raise InputError("show", name, f"a case that can be run: {reason}")
            try:
                target = MachineTarget(case.config, profile)
            except TargetError as error:
                click.echo(f"{case.id}: the device is not made: {error}")
                return EXIT_DIFFERENT
            for line in show_case(case, target):
                click.echo(line)
            target.close()
            return 0
    if file.static is not None:
        for ident, _, run in outcomes(file, options):
            if ident == name or (not exactly and name in ident):
                outcome = run()
                click.echo(f"{outcome.case}: {outcome.title}")
                for difference in outcome.differences:
                    click.echo(f"  {difference.where}\n    qemu: {difference.expected}\n    ours: {difference.got}")
                click.echo(outcome.skipped or f"{len(outcome.differences)} differences")
                return 0
    return None
