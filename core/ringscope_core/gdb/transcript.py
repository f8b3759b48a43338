"""Transcripts: what a console prints when it is given a list of lines, entry by entry, for documents that must not go stale.

A console of its own stands at the moment, without the breakpoints that people left in the session; each line goes on where the one before
ended.  The same recording, moment and lines give the same entries.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from ringscope_core.gdb.console import Console
from ringscope_core.gdb.errors import ConsoleError
from ringscope_core.gdb.excerpt import excerpt
from ringscope_core.gdb.inferior import RecordedInferior
from ringscope_core.gdb.words import find_word
from ringscope_core.scenario.errors import InputError

if TYPE_CHECKING:
    from ringscope_core.gdb.inferior import Monitor
    from ringscope_core.gdb.tables import Table
    from ringscope_core.query.recording import Recording

WIDTH: Final = 90
"""Columns, so that lines fit a page; the command ``set width`` says otherwise."""
MONITOR_PROMPT: Final = "(qemu) "
OWN_PROMPT: Final = "(ringscope) "
MONITOR: Final = ("info qtree", "info network", "info qom-tree", "info pci")
"""What QEMU's monitor is asked."""
_OWN_GROUPS: Final = ("Recording",)
_OWN: Final = ("goto", "packet", "kick", "reverse-packet", "reverse-kick", "info events", "rings")
"""Words that gdb does not have, outside of the group of them."""
_TABLES: Final = ("ring", "rings", "events", "packets", "fields", "types", "stack")
"""Words that print tables."""
_ERROR, _SILENT, _TABLE, _PART, _PART_END = "!", "@", "|", "{", "}"
"""What may stand in front of a line."""
MARKS: Final = _ERROR + _SILENT + _TABLE
"""Those of one sign."""


class Entry(NamedTuple):
    """One line and its answer.  `output` has no line end at its end; `tables` is what a line behind ``|`` gave instead of text."""

    command: str
    prompt: str
    output: str
    tables: tuple[Table, ...] = ()


class CommandError(InputError):
    """A line that is wrong: its place, from 1, and the console's complaint."""

    def __init__(self, number: int, line: str, complaint: str) -> None:
        super().__init__(f"command {number}", line, complaint)
        self.args = (f"command {number} ({line}): {complaint}",)


def run_lines(recording: Recording, lines: Sequence[str], seq: int | None = None, focus: int = 0, monitor: Monitor | None = None) -> list[Entry]:
    """The entries of `lines`, begun at event `seq` (None: the first).

    `focus` is the object or ring of words that are given none, `monitor` who is asked for ``info qtree`` and its like.
    Empty lines and those that begin with ``#`` say nothing.  In front of a line may stand ``@`` (do it, show neither it nor its
    answer), ``!`` (it is wrong, and the complaint is what is to be shown), ``|`` (its tables as tables, without the line) and
    ``{PART}`` (only this of the answer, see `excerpt`).
    Raises `CommandError` for one that is wrong, and for one behind ``!`` that is not.
    """
    inferior = RecordedInferior(recording, seq, points=())
    inferior.monitor = monitor
    console = Console(inferior, WIDTH)
    console.focus = focus
    found: list[Entry] = []
    for number, line in enumerate(lines, 1):
        wanted = _line_of(number, line)
        if not wanted.text or wanted.text.startswith("#"):
            continue
        entry = _entry(console, wanted)
        if _SILENT not in wanted.marks:
            found.append(entry)
    return found


class _Line(NamedTuple):
    """A line with what stood in front of it."""

    number: int
    marks: str
    part: str
    """What of the answer is shown, "" for all."""
    text: str


def _line_of(number: int, line: str) -> _Line:
    text, marks, part = line.strip(), "", ""
    while text[:1] and text[0] in (_ERROR, _SILENT, _TABLE, _PART):
        if text[0] == _PART:
            part, end, rest = text[1:].partition(_PART_END)
            if not end or not part.strip():
                raise CommandError(number, line.strip(), "a part of the answer is {FIRST..LAST} or {TEXT} in front of the command")
            text = rest.lstrip()
            continue
        marks, text = marks + text[0], text[1:].lstrip()
    return _Line(number, marks, part, text)


def _entry(console: Console, line: _Line) -> Entry:
    number, marks, part, text = line
    if console.finished:
        raise CommandError(number, text, "no command can follow quit")
    prompt = prompt_of(console, text)
    console.tables = ()
    try:
        output = console.execute(text).rstrip("\n")
    except ConsoleError as error:
        if _ERROR in marks:
            return Entry(text, prompt, str(error))
        raise CommandError(number, text, str(error)) from None
    if _ERROR in marks:
        raise CommandError(number, text, "it is not wrong, and ! is for a command whose complaint is to be shown")
    if _TABLE in marks:
        if not console.tables:
            raise CommandError(number, text, f"it prints no table (| is for {', '.join(_TABLES)}): {output.strip().partition(chr(10))[0]}")
        return Entry("", "", "", console.tables)
    try:
        return Entry(text, prompt, excerpt(output, part) if part else output)
    except ConsoleError as error:
        raise CommandError(number, text, str(error)) from None


def prompt_of(console: Console, text: str) -> str:
    """Who is spoken to: gdb, QEMU's monitor or Ringscope; inside of ``commands`` the prompt is gdb's ``>``."""
    if console.collecting:
        return console.prompt
    try:
        word, _ = find_word(text)
    except ConsoleError:
        return console.prompt
    if word.name in MONITOR:
        return MONITOR_PROMPT
    return OWN_PROMPT if word.group in _OWN_GROUPS or word.name in _OWN else console.prompt


def transcript_text(entries: Sequence[Entry]) -> str:
    """Entries as they stand at a terminal."""
    lines: list[str] = []
    for entry in entries:
        if entry.command:
            lines.append(f"{entry.prompt}{entry.command}")
        lines += [table.text() for table in entry.tables]
        if entry.output:
            lines.append(entry.output)
    return "\n".join(lines)
