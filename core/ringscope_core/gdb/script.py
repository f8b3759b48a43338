"""A console driven by lines: scripts, pipes, command-line options.  What goes wrong is told, and told again in the exit code."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from ringscope_core.gdb.errors import ConsoleError

if TYPE_CHECKING:
    from ringscope_core.gdb.console import Console

Print = Callable[[str], None]


class Driver:
    """Gives lines to a console.  `failed` says whether any of them was wrong."""

    def __init__(self, console: Console, out: Print, err: Print, echo: bool = False) -> None:
        """`echo` prints each line behind the prompt, as a terminal would show it."""
        self.console: Console = console
        self.failed: bool = False
        self._out: Print = out
        self._err: Print = err
        self._echo: bool = echo

    def line(self, text: str, place: str = "") -> bool:
        """One line; false when it was wrong.  `place` (FILE:LINE) stands in front of the complaint."""
        if self._echo:
            self._out(f"{self.console.prompt}{text}")
        try:
            printed = self.console.execute(text)
        except ConsoleError as error:
            self._err(f"{place}: {error}" if place else str(error))
            self.failed = True
            return False
        if printed:
            self._out(printed)
        return True

    def script(self, lines: Iterable[str], name: str) -> bool:
        """A script, up to the first line that is wrong."""
        with self.console.nested():
            return self._lines(lines, name) and self.end()

    def _lines(self, lines: Iterable[str], name: str) -> bool:
        for number, text in enumerate(lines, 1):
            if self.console.finished:
                break
            if not text.strip() and self.console.prompt != ">":
                # an empty line repeats at a terminal; in a script it is only space
                continue
            if not self.line(text.rstrip("\n"), f"{name}:{number}"):
                return False
        return True

    def end(self) -> bool:
        """No more lines come."""
        try:
            printed = self.console.end_of_input()
        except ConsoleError as error:
            self._err(str(error))
            self.failed = True
            return False
        if printed:
            self._out(printed)
        return True
