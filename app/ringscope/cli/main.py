"""``ringscope``: finds the verb, runs it, and turns what people can get wrong into one line and exit code 2.

A verb is a module ``ringscope.cli.<verb>`` that exports ``command``, and one line in `VERBS`.  Nothing heavier than click is
imported before the verb is known, so ``--version`` and ``--help`` answer at once.
"""

from __future__ import annotations

import importlib
import os
import sys
from typing import Final, NoReturn

import click

from ringscope_core import __version__

PROGRAM: Final = "ringscope"
EXIT_INPUT: Final = 2
"""Something that was asked for cannot be: an option, a scenario, a file."""
EXIT_INTERRUPTED: Final = 130

VERBS: Final[dict[str, str]] = {
    "window": "Open the window on a live run (the same as no verb).",
    "open": "Open a recorded session in the window.",
    "run": "Run a scenario, headless or in the window.",
    "info": "Say what a session file holds.",
    "verify": "Fold a session's events and compare with every keyframe.",
    "diff": "Find the first event where two sessions part.",
    "export": "Write a session as pcapng, Perfetto, CSV, JSON lines, Parquet or Markdown.",
    "import": "Make a session of a capture or of exported JSON lines.",
    "scenarios": "List the scenarios that ship.",
    "types": "Print the QOM types of the model.",
    "qtree": "Print the device tree, as QEMU's `info qtree`.",
    "bt": "Print the call stack at a function, as gdb does.",
    "branch": "Run on from a moment of a session with something changed.",
    "debug": "Debug a run or a recording with gdb's words, both ways.",
    "figure": "Draw a view of a scenario or a session, or print what commands say, into a file.",
    "figures": "Draw the figures of a file that changed, or check them.",
    "animate": "Draw a view over a range of time as a GIF, a WebP or PNG files.",
    "tour": "Record the default scenario and draw every view.",
    "conform": "Replay cases recorded on a real QEMU and compare.",
    "bench": "Measure the device and the driver on this machine.",
}
"""Every verb with the line that the help shows; the order is the help's."""

_INPUT_ERRORS: Final = ("InputError", "SessionError", "NetOptionError")
"""Exceptions of the core that a person's input causes, by name: naming the classes would import their modules."""


class VerbLoader(click.Group):
    """Loads a verb's module when the verb is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Every verb, without loading any."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The verb's command, None for a verb that does not exist."""
        if cmd_name not in VERBS:
            return None
        command = importlib.import_module(f"ringscope.cli.{cmd_name}").command
        assert isinstance(command, click.Command)
        return command

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does, but a wrong verb's message says which there are."""
        if args and args[0] not in VERBS and not args[0].startswith("-"):
            raise click.UsageError(f"{args[0]!r} is no verb; one of {', '.join(VERBS)}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The help's list, from the table."""
        with formatter.section("Verbs"):
            formatter.write_dl(list(VERBS.items()))


@click.command(cls=VerbLoader, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name=PROGRAM)
@click.pass_context
def cli(ctx: click.Context) -> None:
    """Watch QEMU 4.1.0's virtio-net-pci come alive: types, realize, rings, packets.

    Without a verb the window opens on the default scenario.
    """
    if ctx.invoked_subcommand is None:
        command = cli.get_command(ctx, "window")
        assert command is not None
        command.main([], prog_name=f"{PROGRAM} window", standalone_mode=False)


def fail(text: str, code: int = EXIT_INPUT) -> NoReturn:
    """End the program with one line on stderr."""
    click.echo(f"{PROGRAM}: {' '.join(text.split())}", err=True)
    sys.exit(code)


def is_input_error(error: BaseException) -> bool:
    """Whether a person's input caused this exception of the core."""
    return any(kind.__name__ in _INPUT_ERRORS and kind.__module__.startswith("ringscope") for kind in type(error).__mro__)


def main(args: list[str] | None = None) -> NoReturn:
    """The program.  Exits 0, 2 for anything wrong with the input, 1 for a defect of ours (with its traceback)."""
    try:
        code = cli.main(args, prog_name=PROGRAM, standalone_mode=False)
    except click.exceptions.Exit as done:
        sys.exit(done.exit_code)
    except click.UsageError as error:
        where = f"{error.ctx.command_path.removeprefix(PROGRAM).strip()}: " if error.ctx is not None and error.ctx.parent is not None else ""
        fail(where + error.format_message())
    except click.ClickException as error:
        fail(error.format_message())
    except (click.Abort, KeyboardInterrupt):
        sys.exit(EXIT_INTERRUPTED)
    except BrokenPipeError:
        # the reader of our output has gone, as in `ringscope types | head`; Python would complain once more when it flushes
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except Exception as error:
        if is_input_error(error):
            fail(str(error))
        raise
    sys.exit(code if isinstance(code, int) else 0)
