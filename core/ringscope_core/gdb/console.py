"""The console: a line in gdb's words in, the text to print out.

It has a cursor in a recording (its inferior's), a selected frame, the history of values, displays and what breakpoints do when they are
hit.  The words themselves stand in ``words_*`` modules and enter themselves into `words.WORDS`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from ringscope_core.gdb.context import Context
from ringscope_core.gdb.ctypes import CType
from ringscope_core.gdb.errors import ConsoleError
from ringscope_core.gdb.evaluate import Evaluator
from ringscope_core.gdb.frames import Frame, frames_of
from ringscope_core.gdb.moment import Moment, TypeTable
from ringscope_core.gdb.parse import parse
from ringscope_core.gdb.printer import Style
from ringscope_core.gdb.source import Source
from ringscope_core.gdb.words import Word, find_word
from ringscope_core.query.filters import FilterError
from ringscope_core.scenario.errors import InputError
from ringscope_core.session.errors import SessionError

if TYPE_CHECKING:
    from ringscope_core.gdb.inferior import RecordedInferior
    from ringscope_core.gdb.tables import Table
    from ringscope_core.gdb.value import Value

PROMPT: Final = "(gdb) "
WIDTH: Final = 172
"""Columns, when nobody says how many there are."""
LONGEST: Final = 20_000
"""Characters of a line."""


class Display:
    """An expression shown at every stop."""

    def __init__(self, number: int, text: str, letters: str) -> None:
        self.number: int = number
        self.text: str = text
        self.letters: str = letters
        self.enabled: bool = True


class Console:
    """One console on one inferior.  For one thread, but for `interrupt`."""

    def __init__(self, inferior: RecordedInferior, width: int = WIDTH) -> None:
        from ringscope_core.gdb import every_word  # noqa: F401

        self.inferior: RecordedInferior = inferior
        self.source: Source = Source()
        self.width: int = width
        self.pretty: bool = False
        self.history: list[Value] = []
        """Values printed so far: $1, $2, .."""
        self.variables: dict[str, Value] = {}
        """Convenience variables that were set."""
        self.displays: list[Display] = []
        self.conditions: dict[int, str] = {}
        """C conditions by breakpoint; the filter language's are the breakpoint's own."""
        self.unmet: dict[int, int] = {}
        """Hits that a run counted though a C condition did not hold, by breakpoint."""
        self.once: set[int] = set()
        """Temporary breakpoints with a C condition: what looks for hits does not know it, so they go when it held."""
        self.scripts: dict[int, list[str]] = {}
        """Commands to run when a breakpoint is hit."""
        self.labels: dict[int, str] = {}
        """What a person wrote for a watchpoint."""
        self.level: int = 0
        """The selected frame."""
        self.listed: tuple[str, int] | None = None
        """(file, line) behind the last listing."""
        self.examined: tuple[str, int] | None = None
        """(format, address) behind the last examination of memory."""
        self.focus: int = 0
        """The object or ring of words that are given none, 0 for none."""
        self.tables: tuple[Table, ...] = ()
        """What the last word that prints tables printed."""
        self.finished: bool = False
        """The person has left."""
        self._last: str = ""
        self._collecting: list[str] | None = None
        self._collect_for: list[int] = []
        self._types: TypeTable | None = None
        self._type_rows: int = -1
        self._moment: Moment | None = None
        self._frames: list[Frame] = []
        self._nested: int = 0
        self._pasting: list[str] | None = None

    # -- lines --------------------------------------------------------------------------------------------------------
    @property
    def prompt(self) -> str:
        """What to print in front of the next line."""
        return ">" if self.collecting else PROMPT

    @property
    def collecting(self) -> bool:
        """Whether the next line is taken as it is: one of a breakpoint's commands, or of a pasted text."""
        return self._collecting is not None or self._pasting is not None

    def execute(self, line: str) -> str:
        """Do what a line says; returns the text to print, without a line end at its end.  Raises ConsoleError."""
        if len(line) > LONGEST:
            raise ConsoleError("The line is too long.")
        if self._collecting is not None:
            return self._collect(line)
        if self._pasting is not None:
            return self._paste_line(line)
        text = line.strip()
        if not text:
            text = self._last
            if not text:
                return ""
        if text.startswith("#"):
            return ""
        self._last = ""
        word, rest = find_word(text)
        # a recording may still grow, in this process or in another
        self.inferior.refresh()
        if word.repeats:
            self._last = self._repeat(word, text)
        return self.do(word, rest)

    def _repeat(self, word: Word, text: str) -> str:
        """What an empty line does next: lists and examinations go on where they stopped."""
        if word.name == "list":
            return "list"
        return "x" if word.name == "x" else text

    def do(self, word: Word, rest: str) -> str:
        """One command; what is wrong with the input is a ConsoleError."""
        try:
            return word.action(self, rest)
        except (InputError, FilterError, SessionError) as error:
            raise ConsoleError(str(error)) from None
        except RecursionError:
            raise ConsoleError("Expression is nested too deeply.") from None
        except Exception as error:
            # the control protocol's complaints, whose class lives above this package
            if type(error).__name__ == "QmpError":
                raise ConsoleError(str(error)) from None
            raise

    def collect(self, numbers: list[int]) -> None:
        """Take the lines up to ``end`` as the commands of breakpoints."""
        self._collecting, self._collect_for = [], numbers

    def _collect(self, line: str) -> str:
        assert self._collecting is not None
        if line.strip() == "end":
            for number in self._collect_for:
                self.scripts[number] = list(self._collecting)
            self._collecting = None
        else:
            self._collecting.append(line.strip())
        return ""

    def paste(self) -> None:
        """Take the lines up to an empty one as a backtrace from elsewhere."""
        self._pasting = []

    def _paste_line(self, line: str) -> str:
        from ringscope_core.gdb.words_machine import match_text

        assert self._pasting is not None
        if line.strip():
            self._pasting.append(line)
            return ""
        lines, self._pasting = self._pasting, None
        return match_text(self, "\n".join(lines))

    def end_of_input(self) -> str:
        """No more lines come: what an empty line would have ended is done."""
        return self._paste_line("") if self._pasting is not None else ""

    @contextmanager
    def nested(self) -> Iterator[None]:
        """Lines that come from commands, not from a person: so deep and no deeper."""
        if self._nested > 10:
            raise ConsoleError("Commands are nested too deeply.")
        self._nested += 1
        try:
            yield
        finally:
            self._nested -= 1

    @property
    def scripted(self) -> bool:
        """Whether the line at hand comes from a script or a breakpoint's commands: gdb says less then."""
        return self._nested > 0

    def run_script(self, number: int) -> list[str]:
        """The texts of a breakpoint's commands."""
        with self.nested():
            return [text for line in self.scripts.get(number, ()) if line and line != "silent" and (text := self.execute(line))]

    def interrupt(self) -> None:
        """End what is under way; from any thread."""
        self.inferior.interrupt()

    def complete(self, text: str) -> list[str]:
        """Whole lines that `text` may become."""
        from ringscope_core.gdb.completion import complete

        return complete(self, text)

    # -- the moment ---------------------------------------------------------------------------------------------------
    @property
    def moment(self) -> Moment:
        """The machine at the cursor."""
        seq = self.inferior.seq
        reader = self.inferior.recording.reader
        if self._moment is None or self._moment.seq != seq or self._type_rows != len(reader.types):
            if self._types is None or self._type_rows != len(reader.types):
                self._types, self._type_rows = TypeTable(reader.types), len(reader.types)
            if self._moment is not None and self._moment.seq != seq:
                self.level = 0
            self._moment = Moment(self.inferior.recording, seq, self._types)
            self._frames = frames_of(self._moment)
            self.level = min(self.level, max(len(self._frames) - 1, 0))
        return self._moment

    @property
    def frames(self) -> list[Frame]:
        """The open frames at the cursor, innermost first."""
        _ = self.moment
        return self._frames

    @property
    def frame(self) -> Frame:
        """The selected frame; raises ConsoleError when nothing is called."""
        frames = self.frames
        if not frames:
            raise ConsoleError("No stack.")
        return frames[min(self.level, len(frames) - 1)]

    def moved(self) -> None:
        """The cursor is elsewhere: the innermost frame is selected."""
        self.level = 0
        self.listed = None

    # -- expressions --------------------------------------------------------------------------------------------------
    def value(self, text: str) -> Value:
        """The value of an expression in the selected frame; raises ConsoleError."""
        return Evaluator(Context(self)).value(parse(text))

    def cast(self, value: Value, ctype: CType) -> Value:
        """A value seen as another type."""
        return Evaluator(Context(self)).cast(value, ctype)

    def record(self, value: Value) -> str:
        """Put a value into the history; returns its name."""
        self.history.append(value)
        return f"${len(self.history)}"

    def style(self, letter: str = "") -> Style:
        """How values are printed now."""
        return Style(letter, 0 if self.pretty else self.width, self.pretty)


_FORMAT: Final = re.compile(r"/([A-Za-z0-9]*)\s*(.*)", re.DOTALL)


def split_format(rest: str) -> tuple[str, str]:
    """(letters behind the slash, the rest) of a command's arguments."""
    found = _FORMAT.match(rest)
    return (found[1], found[2]) if found else ("", rest)
