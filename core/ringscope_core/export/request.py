"""What is asked of an export, and how it tells how far it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

Progress = Callable[[int, int], bool]
"""Called with (done, total) now and then; false ends the export."""

WHATS: Final = ("events", "packets", "counters", "marks", "states")
"""What a session's tables of rows can be."""


class Cancelled(Exception):
    """The export was called off: nothing of it is left."""


@dataclass(frozen=True)
class Request:
    """An export as a person asks for it.

    `since` and `until` are moments (``1.5s``, ``seq:123``, ``mark:NAME``, ``packet:7``; empty: the whole session), `filter` is in the filter
    language of every list, `options` are the format's own.
    """

    format: str
    whats: tuple[str, ...] = ()
    since: str = ""
    until: str = ""
    filter: str = ""
    options: Mapping[str, str] = field(default_factory=dict)
    force: bool = False


@dataclass
class Summary:
    """What an export wrote: rows by what they are, and bytes of all files."""

    rows: dict[str, int] = field(default_factory=dict)
    size: int = 0
    remarks: list[str] = field(default_factory=list)
    """What the person should know: what the recording does not have, say."""

    def count(self, what: str, number: int) -> None:
        """`number` more rows of `what`."""
        self.rows[what] = self.rows.get(what, 0) + number

    def remark(self, text: str) -> None:
        """Something to know, once."""
        if text not in self.remarks:
            self.remarks.append(text)


class Meter:
    """Hands progress on and raises `Cancelled` when it is called off."""

    def __init__(self, progress: Progress | None, total: int) -> None:
        self._progress: Progress | None = progress
        self.total: int = max(total, 1)
        self.done: int = 0

    def add(self, steps: int) -> None:
        """So many steps further.  Raises Cancelled."""
        self.at(self.done + steps)

    def at(self, done: int) -> None:
        """`done` steps of the total.  Raises Cancelled."""
        self.done = min(done, self.total)
        if self._progress is not None and not self._progress(self.done, self.total):
            raise Cancelled
