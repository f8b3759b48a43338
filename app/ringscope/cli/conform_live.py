"""The part of ``ringscope conform`` that runs random sequences on a real QEMU."""

from __future__ import annotations

import os
import random
import re
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ringscope.cli.output import print_json

if TYPE_CHECKING:
    from ringscope_core.conform.deviations import Deviations
    from ringscope_core.conform.live.campaign import Found, LiveReport

DEFAULT_COUNT = 1000
WITHOUT_END = 1 << 62
EXIT_DIFFERENT = 1
SHOWN_OPERATIONS = 60
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


@dataclass(frozen=True)
class LiveRequest:
    """What was asked for on the command line."""

    count: int | None
    seed: int | None
    duration: str | None
    profile: str | None
    save: Path | None
    start: int
    jobs: int
    as_json: bool


def seconds_of(text: str) -> float:
    """A duration such as ``30s`` or ``2m`` in seconds; raises InputError."""
    from ringscope_core.scenario.errors import InputError

    match = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|s|m|h)", text)
    if match is None or float(match[1]) == 0:
        raise InputError("--for", text, "a number and a unit: ms, s, m or h")
    return float(match[1]) * _UNITS[match[2]]


def run_live(request: LiveRequest, deviations: Deviations) -> int:
    """Run, print, and return the exit status."""
    from ringscope_core.conform.live.campaign import LiveOptions
    from ringscope_core.conform.live.workers import Workers

    seconds = seconds_of(request.duration) if request.duration else 0.0
    seed = request.seed if request.seed is not None else random.SystemRandom().randrange(1 << 31)
    count = request.count or (WITHOUT_END if seconds else DEFAULT_COUNT)
    options = LiveOptions(count, seed, seconds, request.profile or "", request.save, start=request.start)
    workers = Workers(options, deviations, request.jobs or min(4, os.cpu_count() or 1))
    if not request.as_json:
        click.echo(f"QEMU {workers.report.version}, profile {workers.report.profile}, seed {seed}")
        if not workers.with_tap:
            click.echo("no C compiler (cc): no sequences with a tap")
    line = LiveLine()
    stopped = workers.run(line.update)
    report = workers.report
    line.clear()
    if request.as_json:
        print_json({**report.to_json(), "stopped": stopped})
    else:
        _print(report, stopped)
    return EXIT_DIFFERENT if report.different else 0


class LiveLine:
    """How far it is: a line that changes on a terminal, a line now and then elsewhere."""

    def __init__(self) -> None:
        self.on: bool = sys.stderr.isatty()
        self.next: float = 0.0

    def update(self, report: LiveReport) -> None:
        """One more sequence is done."""
        now = time.monotonic()
        if now < self.next:
            return
        self.next = now + (0.2 if self.on else 10.0)
        text = f"{report.sequences} sequences, {report.rate:.1f}/s, {report.different} different, {report.deviations} deviations"
        click.echo(f"\r\033[K{text}" if self.on else text, nl=not self.on, err=True)

    def clear(self) -> None:
        """Take the line away."""
        if self.on:
            click.echo("\r\033[K", nl=False, err=True)


def _print(report: LiveReport, stopped: bool) -> None:
    for found in sorted(report.found.values(), key=lambda one: -one.count):
        _print_found(found)
    skipped = sum(report.unusable.values())
    click.echo(
        f"{report.sequences} sequences ({report.operations} operations) in {report.seconds:.0f} s, {report.rate:.1f}/s: "
        f"{report.equal} equal, {report.different} different, {report.deviations} deviations ({report.aborted} in which QEMU aborted), {skipped} skipped"
    )
    for reason, number in report.unusable.items():
        click.echo(f"{number} skipped: {reason}")
    if report.shaky:
        click.echo(f"{report.shaky} differed once and not on a fresh QEMU")
    if stopped:
        click.echo("stopped: what was done so far")
    click.echo(f"seed {report.seed}")


def _print_found(found: Found) -> None:
    from ringscope_core.conform.show import describe

    case = found.case
    click.echo(f"{found.count} times: {found.signature}")
    click.echo(f"  {case.id}, shrunk from {found.original} to {len(case.ops)} operations{f', saved as {found.path}' if found.path else ''}")
    click.echo(f"  -M {case.config.machine} -device {case.config.device_option()}   peer {case.config.peer.to_json()}")
    for number, op in enumerate(case.ops[-SHOWN_OPERATIONS:], max(0, len(case.ops) - SHOWN_OPERATIONS)):
        click.echo(f"    {number:>4}  {describe(op)}")
    for difference in found.differences[:6]:
        click.echo(f"  ! {difference}")
