"""Words about the console itself."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ringscope_core.gdb.errors import ConsoleError
from ringscope_core.gdb.printer import show
from ringscope_core.gdb.words import word

if TYPE_CHECKING:
    from ringscope_core.gdb.console import Console


@word("quit", "Settings", aliases="q,exit")
def _quit(console: Console, rest: str) -> str:
    """Leave. A run that this console started ends."""
    console.finished = True
    return ""


@word("echo", "Settings", "TEXT")
def _echo(console: Console, rest: str) -> str:
    """Print a text."""
    return rest.replace("\\n", "\n").removesuffix("\n")


@word("directory", "Settings", "[DIR]", "dir")
def _directory(console: Console, rest: str) -> str:
    """Where your QEMU tree is, so that lines can be shown; without one none is read."""
    if rest and not Path(rest).expanduser().is_dir():
        raise ConsoleError(f"{rest}: No such directory.")
    console.source.set_tree(Path(rest).expanduser() if rest else None)
    return f"Source directories searched: {rest or 'none'}"


@word("set width", "Settings", "N")
def _width(console: Console, rest: str) -> str:
    """Columns after which lines are broken; 0 for never."""
    if not rest.isdigit() or int(rest) > 100_000:
        raise ConsoleError("Argument required (a number of columns; 0 for unlimited).")
    console.width = int(rest)
    return ""


def _pretty_long(console: Console, rest: str) -> str:
    """One member a line in structures."""
    if rest not in ("", "on", "off", "1", "0"):
        raise ConsoleError('"on" or "off" expected.')
    console.pretty = rest in ("", "on", "1")
    return ""


@word("set print", "Settings", "pretty on|off")
def _print(console: Console, rest: str) -> str:
    """How values are printed: set print pretty on."""
    name, _, value = rest.partition(" ")
    if name != "pretty":
        raise ConsoleError(f'Undefined set print command: "{name}".  Try "set print pretty on".')
    return _pretty_long(console, value.strip())


@word("set pagination", "Settings", "on|off", "set height,set confirm,set logging,set disassembly-flavor,set listsize")
def _taken(console: Console, rest: str) -> str:
    """Taken, so that scripts for gdb go through; nothing is ever paged or asked back here."""
    return ""


@word("show values", "Settings", "", "history,show history")
def _values(console: Console, rest: str) -> str:
    """The last ten values of the history."""
    first = max(len(console.history) - 10, 0)
    return "\n".join(show(value, console.style(), f"${first + place + 1} = ") for place, value in enumerate(console.history[first:])) or "The history is empty."


@word("show convenience", "Settings", "", "show conv")
def _convenience(console: Console, rest: str) -> str:
    """Every $ variable that has a value now."""
    from ringscope_core.gdb.context import Context

    context = Context(console)
    return "\n".join(show(context.variable(name), console.style(), f"{name} = ") for name in context.convenience())


@word("show width", "Settings")
def _show_width(console: Console, rest: str) -> str:
    """How wide lines may be."""
    return f"Number of characters gdb thinks are in a line is {console.width or 'unlimited'}."


@word("show version", "Settings")
def _version(console: Console, rest: str) -> str:
    """Which program this is."""
    from ringscope_core import __version__

    return f"Ringscope {__version__}: gdb's words on a model of QEMU 4.1.0's virtio-net, not gdb."


@word("complete", "Settings", "TEXT")
def _complete(console: Console, rest: str) -> str:
    """What a line may become."""
    return "\n".join(console.complete(rest))


@word("source", "Settings", "FILE")
def _source(console: Console, rest: str) -> str:
    """Do the lines of a file."""
    try:
        lines = Path(rest).expanduser().read_text().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConsoleError(f"{rest}: {getattr(error, 'strerror', None) or 'not a text file'}.") from None
    with console.nested():
        return "\n".join(text for line in lines if line.strip() and (text := console.execute(line)))
