"""What a damaged session lacks, counted and in one sentence."""

from __future__ import annotations

from typing import Final

_WORDS: Final[dict[str, tuple[str, str]]] = {
    "meta": ("statement about the run", "statements about the run"),
    "string": ("text", "texts"),
    "kind": ("declaration of a kind", "declarations of kinds"),
    "function": ("declaration of a function", "declarations of functions"),
    "field": ("declaration of a field", "declarations of fields"),
    "type": ("type", "types"),
    "keyframe": ("keyframe", "keyframes"),
    "counter": ("counter sample", "counter samples"),
    "mark": ("mark", "marks"),
    "control": ("control command", "control commands"),
    "breakpoint": ("breakpoint", "breakpoints"),
    "log": ("log message", "log messages"),
    "note": ("note", "notes"),
    "gap": ("declared loss", "declared losses"),
}
_SAME: Final = {"keyframe_data": "keyframe"}
_EVENTS: Final = ("block", "block_data")
_PACKETS: Final = ("packet", "packet_block", "packet_data")
_RANGES: Final = 4
"""So many ranges of events stand in the sentence."""


class Losses:
    """`kept` says whether anything is left at all."""

    def __init__(self, incomplete: list[str]) -> None:
        self.ranges: list[tuple[int, int]] = []
        """Numbers of lost events, first and last."""
        self.packets: int = 0
        self.kept: bool = False
        self._counts: dict[str, int] = {}
        self._incomplete: set[str] = {_SAME.get(name, name) for name in incomplete}
        self._open_end: bool = False

    @property
    def any(self) -> bool:
        """Something is, or may be, missing."""
        return bool(self.ranges or self.packets or any(self._counts.values()) or self._incomplete)

    def lacks(self, table: str) -> bool:
        """Whether rows of `table` are, or may be, missing."""
        return bool(self._counts.get(table)) or table in self._incomplete

    def count(self, table: str) -> None:
        """One row more is lost."""
        self._counts[table] = self._counts.get(table, 0) + 1

    def at_least(self, table: str, number: int) -> None:
        """So many rows are missing by their numbers; those that were counted are among them."""
        self._counts[table] = max(self._counts.get(table, 0), number)

    def events(self, first: int, last: int) -> None:
        """A range of events."""
        self.ranges.append((first, last))

    def extend(self, last: int) -> None:
        """The last range goes on to here."""
        self.ranges[-1] = (self.ranges[-1][0], max(self.ranges[-1][1], last))

    def tail(self, first: int, last: int) -> None:
        """Events at the end: from `first` to at least `last`, if any; how many more nobody can know when their table is not whole."""
        if last >= first:
            self.ranges.append((first, last))
        self._open_end = bool(self._incomplete & set(_EVENTS)) and (last >= first or not self.ranges)

    def sentence(self) -> str:
        """What is missing; "" for nothing."""
        parts: list[str] = []
        if self.ranges:
            spans = [f"{first} to {last}" if last > first else str(first) for first, last in self.ranges[:_RANGES]]
            more = len(self.ranges) - _RANGES
            total = sum(last - first + 1 for first, last in self.ranges)
            parts.append(f"{total} events ({', '.join(spans)}{f' and {more} more stretches' if more > 0 else ''}{' or beyond' if self._open_end else ''})")
        elif self._open_end:
            parts.append("perhaps events at the end")
        if self.packets or self._incomplete & set(_PACKETS):
            parts.append(f"{self.packets} packets" if self.packets else "perhaps packets")
        for table, (one, many) in _WORDS.items():
            number = self._counts.get(table, 0)
            if number:
                parts.append(f"{number} {one if number == 1 else many}")
            elif table in self._incomplete:
                parts.append(f"perhaps {many}")
        return f"part of the file is damaged; left out: {', '.join(parts)}" if parts else ""
