"""``ringscope run``: a scenario, headless with a report, or in the window."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ringscope.cli.output import print_json
from ringscope.cli.scenario_options import ScenarioOptions, scenario_options

if TYPE_CHECKING:
    from ringscope_core.engine.headless import Goal
    from ringscope_core.engine.recorder import Recorder
    from ringscope_core.engine.run import Run
    from ringscope_core.scenario.model import Scenario

    FloatParam = click.ParamType[float]
    IntParam = click.ParamType[int]
else:
    # generic only from click 8.3 on
    FloatParam = IntParam = click.ParamType


class Speed(FloatParam):
    """``max``, ``realtime``, or virtual time per wall time."""

    name = "speed"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The factor; 0 is flat out."""
        words = {"max": 0.0, "realtime": 1.0}
        if isinstance(value, float):
            return value
        if value in words:
            return words[str(value)]
        try:
            factor = float(str(value))
        except ValueError:
            factor = -1.0
        if not 0 < factor <= 1e6:
            self.fail(f"{value!r} is not allowed; max, realtime, or a number above 0 (virtual time per wall time)", param, ctx)
        return factor


class Duration(IntParam):
    """A duration such as ``3s``, in ns."""

    name = "duration"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Nanoseconds."""
        from ringscope_core.scenario.errors import InputError
        from ringscope_core.scenario.units import duration_ns

        try:
            ns = duration_ns("--for", str(value))
        except InputError as error:
            self.fail(str(error), param, ctx)
        if ns <= 0:
            self.fail(f"{value!r} is not allowed; a duration above 0, such as 3s", param, ctx)
        return ns


@click.command(name="run")
@click.argument("scenario")
@click.option("--headless", is_flag=True, help="No window: run to the end and report.")
@click.option("--for", "duration", type=Duration(), default=None, metavar="3s", help="End after that much virtual time (wall time with --speed realtime).")
@click.option("--packets", type=click.IntRange(1, 2**62), default=None, metavar="N", help="End when N frames were delivered.")
@click.option("--speed", type=Speed(), default=None, metavar="X|max", help="Virtual time per wall time; realtime is 1. Default: max headless, 1 in the window.")
@click.option("--trace", type=click.Choice(["counters", "packets", "full"]), default=None, help="Trace level. Default: packets; full with --record.")
@click.option("--record", type=click.Path(path_type=Path), default=None, metavar="FILE", help="Write a session file.")
@click.option("--keep", default="", metavar="SIZE|all", help="Keep the recording within SIZE, dropping the oldest. Default: all; 2G for an unsaved run.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as one JSON object (headless).")
@scenario_options
@click.pass_context
def command(
    ctx: click.Context,
    scenario: str,
    headless: bool,
    duration: int | None,
    packets: int | None,
    speed: float | None,
    trace: str | None,
    record: Path | None,
    keep: str,
    as_json: bool,
    options: ScenarioOptions,
) -> int:
    """Run SCENARIO, a shipped one's name or a .toml file.

    Without --headless (or --json) the window opens on it.  A device that QEMU would refuse ends the run with QEMU's message
    and exit code 2, unless the scenario expects just that message.
    """
    if not headless and not as_json:
        return _in_window(ctx, scenario, options, speed, trace, record, keep)
    from ringscope_core.engine.headless import Goal, default_goal

    wanted = options.load(scenario)
    # what is asked for here stands for all that the scenario says about its end
    asked = duration is not None or packets is not None
    goal = Goal(duration or 0, packets or 0) if asked else default_goal(wanted)
    return _headless(wanted, goal, speed or 0.0, trace or ("full" if record else "packets"), record, _keep(keep, record), as_json)


def _in_window(ctx: click.Context, scenario: str, options: ScenarioOptions, speed: float | None, trace: str | None, record: Path | None, keep: str) -> int:
    """Hand everything to the window's verb, as its own arguments."""
    from ringscope.cli.window import command as window

    options.load(scenario)
    args = [scenario]
    for setting in options.all_settings:
        args += ["--set", setting]
    if speed is not None:
        args += ["--speed", str(speed) if speed else "max"]
    if trace is not None:
        args += ["--trace", trace]
    if record is not None:
        args += ["--record", str(record)]
    if keep:
        args += ["--keep", keep]
    code = window.main(args, prog_name="ringscope window", standalone_mode=False)
    return code if isinstance(code, int) else 0


def _keep(keep: str, record: Path | None) -> int:
    from ringscope_core.scenario.errors import InputError
    from ringscope_core.session.keep import keep_bytes

    if keep and record is None:
        raise InputError("keep", keep, "given with --record FILE")
    return keep_bytes("keep", keep) if keep else 0


def _headless(scenario: Scenario, goal: Goal, speed: float, trace: str, record: Path | None, keep: int, as_json: bool) -> int:
    from ringscope_core.engine.headless import Headless, limit_replay
    from ringscope_core.engine.results import result
    from ringscope_core.engine.run import Run
    from ringscope_core.trace.levels import LEVEL_NAMES

    recorder = _recorder(scenario, goal, trace, record, keep) if record is not None else None
    try:
        run = Run(scenario, trace_level=LEVEL_NAMES.index(trace), recorder=recorder, factor=speed)
        if recorder is not None:
            _add_types(recorder, run)
        built = run.build()
        limit_replay(run, goal.packets)
        headless = Headless(run, goal)
        ended = headless.to_the_end() if built else run.failures[-1]
        report = result(run, headless, ended)
        run.close()
    finally:
        if recorder is not None:
            recorder.writer.close()
    if not built and not _is_expected(scenario, run.failures):
        if record is not None:
            record.unlink()
        return _complain(run.failures, 2)
    if as_json:
        print_json(report)
    else:
        _print_report(report)
    if not built:
        return _complain(run.failures, 0)
    if scenario.expect_error:
        return _complain([f"ringscope: the error that {scenario.name} expects did not come: {scenario.expect_error}"], 2)
    if not report["complete"]:
        click.echo(f"ringscope: {ended}", err=True)
    return 0


def _recorder(scenario: Scenario, goal: Goal, trace: str, record: Path, keep: int) -> Recorder:
    from ringscope_core.engine.recorder import Recorder
    from ringscope_core.engine.session_meta import session_meta
    from ringscope_core.session.writer import SessionWriter

    meta = session_meta(scenario, scenario.seed, trace)
    if goal.packets:
        # it limits what a capture's replay sends, so whoever runs this again has to know
        meta["packets"] = goal.packets
    return Recorder(SessionWriter(record, meta, keep_bytes=keep))


def _add_types(recorder: Recorder, run: Run) -> None:
    from ringscope_core.qom.types_json import types_json

    recorder.writer.add_types(list(types_json(run.world)))


def _is_expected(scenario: Scenario, failures: list[str]) -> bool:
    return bool(scenario.expect_error) and any(line.endswith(scenario.expect_error) for line in failures)


def _complain(failures: list[str], code: int) -> int:
    """QEMU's lines, as QEMU prints them."""
    for line in failures:
        click.echo(line, err=True)
    return code


def _print_report(report: dict[str, object]) -> None:
    """The report for people."""
    click.echo(f"{report['scenario']}: {report['ended']}")
    for side, words in (("tx", "guest to network"), ("rx", "network to guest")):
        part = report[side]
        assert isinstance(part, dict)
        same = part["frames_sent"] == part["frames_delivered"] and part["sha256_sent"] is not None and part["sha256_sent"] == part["sha256_delivered"]
        note = ", every byte in order" if same and part["frames_sent"] else ""
        click.echo(f"  {words}: {part['frames_sent']} frames sent, {part['frames_delivered']} delivered{note}")
    messages, drops = report["messages"], report["drops"]
    assert isinstance(messages, list)
    for line in messages:
        click.echo(f"  {line}")
    assert isinstance(drops, dict)
    if drops:
        click.echo("  dropped: " + ", ".join(f"{count} {reason}" for reason, count in drops.items()))
    click.echo(f"  {report['events']} events, {report['virtual_s']:.6f} s virtual in {report['wall_s']:.3f} s, {report['packets_per_s']:.0f} packets/s")
