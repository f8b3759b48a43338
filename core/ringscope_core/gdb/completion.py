"""What an unfinished line may become: commands, functions, kinds of events, variables, members."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ringscope_core.gdb import ctypes as c
from ringscope_core.gdb.context import Context
from ringscope_core.gdb.errors import ConsoleError
from ringscope_core.gdb.words import WORDS, find_word, plain_names
from ringscope_core.query.seek import completions

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ringscope_core.gdb.console import Console

_MOST: Final = 200
_MEMBER: Final = re.compile(r"(?P<head>.*?)(?P<object>[\w$][\w$\[\]\->.()* ]*?)(?P<op>->|\.)(?P<start>\w*)$", re.DOTALL)
_NAME: Final = re.compile(r"(?P<head>.*?)(?P<start>[\w$]*)$", re.DOTALL)
_FAMILIES: Final = ("info", "set", "show")


def complete(console: Console, text: str) -> list[str]:
    """Whole lines that `text` may become, in order, at most a few hundred."""
    line = text.lstrip()
    first, space, rest = line.partition(" ")
    if not space:
        return _sorted("", line, {*plain_names(), *_FAMILIES})
    if first in (*_FAMILIES, "i"):
        family = "info" if first == "i" else first
        second, more, _ = rest.lstrip().partition(" ")
        if not more:
            return _sorted(f"{first} ", second, [name.split(" ", 1)[1] for name in WORDS if name.startswith(f"{family} ")])
    try:
        word, after = find_word(line)
    except ConsoleError:
        return []
    # the whole line stays as it was written, but for its last piece
    lead = line[: len(line) - len(after)] if after else line
    return [f"{lead}{one}" for one in _arguments(console, word.name, after)][:_MOST]


def _arguments(console: Console, name: str, text: str) -> list[str]:
    recording = console.inferior.recording
    functions = [spec.name for spec in recording.functions.values()]
    if name in ("break", "tbreak", "advance", "until", "clear", "list", "info functions", "info line", "dprintf"):
        return _sorted("", text, functions)
    if name == "catch":
        return _sorted("", text, [spec.name for spec in recording.kinds.values()])
    if name in ("goto", "why"):
        return sorted(completions(recording, text))
    if name == "help":
        return _sorted("", text, WORDS)
    if name in ("print", "output", "display", "watch", "ptype", "whatis", "x", "set variable", "last-write", "next-change", "condition", "info symbol"):
        return _expression(console, text)
    return []


def _expression(console: Console, text: str) -> list[str]:
    found = _MEMBER.match(text)
    if found is not None:
        lead = text[: len(text) - len(found["start"])]
        return _sorted(lead, found["start"], _members(console, found["object"]))
    split = _NAME.match(text)
    assert split is not None
    known: set[str] = set()
    if console.frames:
        known = {name for name, _ in console.frame.arguments} | {name for name, _ in console.frame.locals}
    if split["start"].startswith("$"):
        known = set(Context(console).convenience())
    elif re.search(r"(?:struct\s+|\(\s*)$", split["head"]):
        known |= set(c.struct_names())
    return _sorted(split["head"], split["start"], known)


def _members(console: Console, text: str) -> list[str]:
    """Members of what an expression is, as far back as it can be understood."""
    while text:
        try:
            value = console.value(text)
        except ConsoleError:
            # what stands in front belongs to something else: (vdev->, 1+vdev->
            shorter = re.sub(r"^(?:[\w$]+|.)\s*", "", text, count=1)
            text = shorter if shorter != text else ""
            continue
        ctype = value.ctype
        if ctype.kind == "pointer" and ctype.target is not None:
            ctype = ctype.target
            target = value.target
            if target is not None:
                return target.names()
        return (
            value.place.names() if value.place is not None and ctype.kind == "struct" and value.ctype is ctype else [one.name for one in c.members(ctype.name)]
        )
    return []


def _sorted(lead: str, start: str, names: Iterable[str]) -> list[str]:
    return [f"{lead}{name}" for name in sorted(set(names)) if name.startswith(start)][:_MOST]
