"""``python -m ringscope_core.engine``: start an engine process.  Prints one JSON line when it can be talked to."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from ringscope_core.engine.process import EngineProcess, Options
from ringscope_core.net.errors import NetOptionError
from ringscope_core.scenario.errors import InputError
from ringscope_core.session.errors import SessionError
from ringscope_core.session.keep import keep_bytes
from ringscope_core.trace.levels import LEVEL_NAMES


def _speed(text: str) -> float:
    """``max``, or virtual time per wall time."""
    if text == "max":
        return 0.0
    value = float(text)
    if not 0 < value <= 1e6:
        raise ValueError(text)
    return value


def parse(args: list[str]) -> Options:
    """The options, or an exit with a usage line."""
    parser = argparse.ArgumentParser(prog="ringscope-engine", description="Run a scenario, record it, and serve its control over QMP.")
    parser.add_argument("--scenario", default="", help="a shipped scenario's name or a .toml file")
    parser.add_argument("--session", required=True, type=Path, help="the session file to write")
    parser.add_argument("--socket", required=True, help="path of a unix socket, or 127.0.0.1:PORT (0 picks one)")
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--speed", type=_speed, default=1.0, help="virtual time per wall time, or max (default 1)")
    parser.add_argument("--trace", choices=LEVEL_NAMES, default=None, help="trace level; given, it stays also flat out")
    parser.add_argument("--paused", action="store_true", help="stop at the first event")
    parser.add_argument("--set", dest="settings", action="append", default=[], metavar="KEY=VALUE", help="change the scenario")
    parser.add_argument("--branch-of", type=Path, default=None, metavar="FILE", help="run this recording again and go on from there, instead of --scenario")
    parser.add_argument("--at", default="end", metavar="MOMENT", help="of --branch-of: 1.5s, #123, mark:NAME, packet:7, start, end")
    parser.add_argument("--change", default="none", metavar="CHANGE", help="of --branch-of: what is changed there, as a line or as JSON")
    parser.add_argument("--breakpoints-of", type=Path, default=None, metavar="FILE", help="take this session's breakpoints, in place of the scenario's")
    parser.add_argument("--leave-with-client", action="store_true", help="end when the last control client has gone")
    parser.add_argument("--keep", default="all", metavar="SIZE", help="keep the session file within that size, such as 2G, dropping the oldest (default all)")
    given = parser.parse_args(args)
    if bool(given.scenario) == (given.branch_of is not None):
        parser.error("one of --scenario and --branch-of is needed")
    if given.branch_of is not None and (given.seed is not None or given.settings):
        parser.error("--seed and --set belong to --scenario; a branch changes its scenario by --change 'set KEY=VALUE'")
    return Options(
        scenario=given.scenario,
        session=given.session,
        socket=given.socket,
        seed=given.seed,
        speed=given.speed,
        trace=given.trace or "full",
        trace_pinned=given.trace is not None,
        paused=given.paused,
        settings=given.settings,
        leave_with_client=given.leave_with_client,
        branch_of=given.branch_of,
        at=given.at,
        change=given.change,
        keep_bytes=keep_bytes("keep", given.keep),
        breakpoints_of=given.breakpoints_of,
    )


def main(args: list[str]) -> int:
    """The process; returns its exit code."""
    try:
        return EngineProcess(parse(args)).main()
    except (InputError, SessionError, NetOptionError, OSError) as error:
        print(f"ringscope-engine: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
