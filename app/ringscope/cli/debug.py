"""``ringscope debug``: gdb's words on a run or on a recording, at a terminal or from a script."""

from __future__ import annotations

import sys
from contextlib import ExitStack, nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ringscope.cli.scenario_options import ScenarioOptions, scenario_options

if TYPE_CHECKING:
    from ringscope_core.gdb.console import Console
    from ringscope_core.gdb.inferior import RecordedInferior
    from ringscope_core.gdb.script import Driver

EXIT_ERROR = 1


@click.command(name="debug")
@click.argument("target", metavar="SCENARIO|SESSION")
@click.option("-x", "scripts", multiple=True, metavar="SCRIPT", help="Do the lines of a file, or of a script that ships (realize-walk).")
@click.option("-ex", "commands", multiple=True, metavar="CMD", help="Do one line; after the scripts, in the order given.")
@click.option("--batch", is_flag=True, help="Leave after the scripts and commands; exit code 1 when one was wrong.")
@click.option("-o", "--output", type=click.Path(path_type=Path), default=None, metavar="FILE", help="Keep the recording of the run.")
@click.option("--speed", default=None, metavar="X|max", help="Virtual time per wall time. Default: 1 at a terminal, max otherwise.")
@click.option(
    "--source", "tree", type=click.Path(path_type=Path, exists=True, file_okay=False), default=None, metavar="DIR", help="Your QEMU tree, for source lines."
)
@click.option("--echo", is_flag=True, help="Print each line of a script behind the prompt.")
@scenario_options
def command(
    target: str,
    scripts: tuple[str, ...],
    commands: tuple[str, ...],
    batch: bool,
    output: Path | None,
    speed: str | None,
    tree: Path | None,
    echo: bool,
    options: ScenarioOptions,
) -> int:
    """Debug a run of SCENARIO from its start, or a recorded SESSION, with gdb's words; `help` lists them.

    Every step also goes backwards (rs, rn, rc, reverse-finish).  Without a terminal on stdin its lines are a script.
    """
    from ringscope_core.gdb.console import WIDTH, Console
    from ringscope_core.gdb.script import Driver

    interactive = sys.stdin.isatty() and not batch
    texts = [(name, _lines(name)) for name in scripts]
    with ExitStack() as stack:
        console = Console(_inferior(stack, target, options, output, speed or ("1" if interactive else "max")), _columns() if interactive else WIDTH)
        if tree is not None:
            console.source.set_tree(tree)
        driver = Driver(console, click.echo, lambda text: click.echo(text, err=True), echo)
        for name, lines in texts:
            if not console.finished:
                driver.script(lines, name)
        with console.nested() if batch else nullcontext():
            for line in commands:
                if not console.finished:
                    driver.line(line)
        if not batch and not console.finished:
            if interactive:
                _terminal(console, driver, target)
            else:
                for line in sys.stdin:
                    if console.finished:
                        break
                    driver.line(line.rstrip("\n"))
        driver.end()
    return EXIT_ERROR if batch and driver.failed else 0


def _lines(name: str) -> list[str]:
    """The lines of a script: a file, or one of those that ship."""
    from ringscope_core.scenario.errors import InputError
    from ringscope_core.scenario.resources import resource_root

    shipped = resource_root() / "scripts"
    path = Path(name)
    if not path.exists() and "/" not in name:
        path = shipped / f"{name}.gdb"
    try:
        return path.read_text().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        known = ", ".join(sorted(file.stem for file in shipped.glob("*.gdb")))
        raise InputError("-x", name, f"a text file, or one of {known} ({getattr(error, 'strerror', None) or 'not a text'})") from None


def _columns() -> int:
    import shutil

    return shutil.get_terminal_size().columns


def _inferior(stack: ExitStack, target: str, options: ScenarioOptions, output: Path | None, speed: str) -> RecordedInferior:
    from ringscope_core.engine.monitor_at import MonitorAt
    from ringscope_core.gdb.inferior import LiveInferior, RecordedInferior
    from ringscope_core.query.recording import Recording
    from ringscope_core.scenario.errors import InputError
    from ringscope_core.session.reader import SessionReader
    from ringscope_core.session.salvage import open_session

    if _is_session(target):
        if output is not None:
            raise InputError("--output", str(output), "nothing: a recording is debugged, which is a file already")
        reader = stack.enter_context(open_session(target))
        if reader.damage:
            click.echo(f"ringscope: {target}: {reader.damage}", err=True)
        if reader.last_seq < 0:
            raise InputError("session", target, "a recording with events")
        inferior = RecordedInferior(Recording(reader))
        inferior.monitor = MonitorAt(reader)
        return _recorded(stack, inferior)
    from ringscope_core.engine.start import StartedEngine

    options.load(target)
    engine = stack.enter_context(StartedEngine(target, options.all_settings, session=output, options=["--paused", "--speed", speed, "--trace", "full"]))
    return LiveInferior(Recording(stack.enter_context(SessionReader(engine.session))), engine.client)


def _recorded(stack: ExitStack, inferior: RecordedInferior) -> RecordedInferior:
    """With the breakpoints that the session keeps, and which it keeps afterwards."""
    from ringscope_core.session.errors import SessionError
    from ringscope_core.session.kept_points import KeptPoints

    kept = KeptPoints(inferior.recording.reader)
    before = kept.read()
    inferior.set_points(before)

    def keep() -> None:
        points = [point.to_plain() for point in inferior.points()]
        if _lasting(points) != _lasting(before):
            try:
                kept.write(points)
            except SessionError as error:
                click.echo(f"ringscope: {error}", err=True)

    stack.callback(keep)
    return inferior


def _lasting(points: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What of breakpoints is worth keeping: how often one was hit while somebody looked is not."""
    return [{name: value for name, value in point.items() if name != "hits"} for point in points]


def _is_session(target: str) -> bool:
    """Whether `target` is a session file rather than a scenario."""
    path = Path(target)
    return target.endswith(".ringscope") or path.is_file() and path.suffix != ".toml"


def _terminal(console: Console, driver: Driver, target: str) -> None:
    """Lines from a person, with history and completion."""
    history = _readline(console)
    if not driver.failed:
        click.echo(f"Ringscope: {'a run' if console.inferior.live else 'a recording'} of {target}. Type help for the words, quit to leave.")
    try:
        while not console.finished:
            try:
                line = input(console.prompt)
            except EOFError:
                click.echo("quit")
                break
            except KeyboardInterrupt:
                click.echo("Quit")
                continue
            try:
                driver.line(line)
            except KeyboardInterrupt:
                click.echo("Quit")
    finally:
        if history is not None:
            import readline

            with suppress(OSError):
                history.parent.mkdir(parents=True, exist_ok=True)
                readline.write_history_file(history)


def _readline(console: Console) -> Path | None:
    """Set up line editing where there is any; returns the file of the history."""
    try:
        import readline
    except ImportError:
        return None
    from platformdirs import user_state_path

    found: list[str] = []

    def complete(text: str, state: int) -> str | None:
        nonlocal found
        if state == 0:
            found = console.complete(readline.get_line_buffer())
        return found[state] if state < len(found) else None

    readline.set_completer(complete)
    # a completion is a whole line
    readline.set_completer_delims("")
    readline.parse_and_bind("tab: complete")
    history = user_state_path("ringscope") / "debug_history"
    with suppress(OSError):
        readline.read_history_file(history)
    readline.set_history_length(2000)
    return history
