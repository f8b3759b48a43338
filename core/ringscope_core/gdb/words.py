"""The table of the console's words: name, aliases, what they do, and the search for the one that was meant."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ringscope_core.gdb.errors import ConsoleError
from ringscope_core.query.suggest import suggestion

if TYPE_CHECKING:
    from ringscope_core.gdb.console import Console

Action = Callable[["Console", str], str]


@dataclass(frozen=True)
class Word:
    """One command.  `usage` shows its arguments; `repeats` says that an empty line does it again."""

    name: str
    action: Action
    usage: str
    help: str
    group: str
    aliases: tuple[str, ...] = ()
    repeats: bool = False


WORDS: Final[dict[str, Word]] = {}
"""Commands by full name (``info breakpoints`` with its space)."""
_ALIASES: Final[dict[str, str]] = {}


def word(name: str, group: str, usage: str = "", aliases: str = "", repeats: bool = False) -> Callable[[Action], Action]:
    """Enter a function into the table; its docstring is the help."""

    def enter(action: Action) -> Action:
        short = tuple(aliases.split(",")) if aliases else ()
        WORDS[name] = Word(name, action, usage, " ".join((action.__doc__ or "").split()), group, short, repeats)
        for alias in short:
            _ALIASES[alias] = name
        return action

    return enter


def find_word(line: str) -> tuple[Word, str]:
    """The command of a line and its arguments; raises ConsoleError, with a suggestion, for a word that is none."""
    first, rest = _split(line)
    if first in ("info", "i", "set", "show") or first and "info".startswith(first) and len(first) > 2:
        family = "info" if first.startswith("i") else first
        return _in_family(family, rest)
    name = _ALIASES.get(first) or (first if first in WORDS else "") or _by_prefix(first, "")
    if not name:
        near = suggestion(first, [*plain_names(), "info", "set", "show", *(alias for alias in _ALIASES if " " not in alias)])
        raise ConsoleError(f'Undefined command: "{first}".  Try "help".' + (f"  Did you mean {near}?" if near else ""))
    return WORDS[name], rest


def _split(line: str) -> tuple[str, str]:
    """The first word and the rest; ``p/x n`` and ``p*obj`` part behind the p."""
    line = line.strip()
    end = 0
    while end < len(line) and (line[end].isalnum() or line[end] in "_-" and end):
        end += 1
    return line[:end], line[end:].strip()


def _in_family(family: str, rest: str) -> tuple[Word, str]:
    second, after = _split(rest)
    members = {name.split(" ", 1)[1]: name for name in WORDS if name.startswith(f"{family} ")}
    if not second:
        raise ConsoleError(f'"{family}" must be followed by one of: {", ".join(sorted(members))}.')
    alias = _ALIASES.get(f"{family} {second}")
    name = alias or members.get(second) or _by_prefix(second, family)
    if name:
        return WORDS[name], after
    if family == "set":
        # gdb takes set NAME = VALUE as set var
        return WORDS["set variable"], rest
    near = suggestion(second, members)
    raise ConsoleError(f'Undefined {family} command: "{second}".  Try "help {family}".' + (f"  Did you mean {family} {near}?" if near else ""))


def _by_prefix(start: str, family: str) -> str:
    if not start:
        return ""
    lead = f"{family} " if family else ""
    found = [name for name in WORDS if name.startswith(lead + start) and (" " in name) == bool(family)]
    if len(found) > 1:
        raise ConsoleError(
            f'Ambiguous {family + " " if family else ""}command "{lead}{start}": {", ".join(sorted(name.removeprefix(lead) for name in found))}.'
        )
    return found[0] if found else ""


def plain_names() -> list[str]:
    """Commands of one word."""
    return [name for name in WORDS if " " not in name]
