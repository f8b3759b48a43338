"""Reads what can be read of a table whose b-tree is damaged: from both ends, and in between wherever a search still arrives.

Nothing that the file says about itself is believed: keys must go up, so a tree that loops ends; and rows may not hold more bytes
than the file has.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple

_TRIES: Final = 600
"""Searches into a damaged stretch of one table."""
_TYPES: Final[dict[str, tuple[type, ...]]] = {"INTEGER": (int,), "TEXT": (str,), "BLOB": (bytes,)}

Row = tuple[Any, ...]


class Table(NamedTuple):
    """A table as its statement declares it."""

    name: str
    columns: tuple[str, ...]
    types: tuple[tuple[type, ...], ...]
    key: tuple[int, ...]
    """Places of the columns that rows are ordered by."""


def parse_table(name: str, statement: str) -> Table:
    """Columns and key of one of our own CREATE TABLE statements."""
    inner = statement[statement.index("(") + 1 : statement.rindex(")")]
    columns: list[str] = []
    types: list[tuple[type, ...]] = []
    key: list[int] = []
    for part in re.split(r", (?![^(]*\))", inner):
        words = part.split()
        if words[:2] == ["PRIMARY", "KEY"]:
            key = [columns.index(word.strip("() ,")) for word in part[part.index("(") :].split(",")]
            continue
        columns.append(words[0])
        types.append(_TYPES[words[1]])
        if "PRIMARY" in words:
            key = [len(columns) - 1]
    return Table(name, tuple(columns), tuple(types), tuple(key))


class Budget:
    """What a whole file may give: no more bytes than it has, times a little for what is stored shorter than it reads."""

    def __init__(self, size: int, go_on: Callable[[], bool]) -> None:
        self._left: int = 3 * size + (1 << 20)
        self._go_on = go_on

    def take(self, row: Row) -> bool:
        """Whether this row may still be had."""
        self._left -= sum(len(value) if isinstance(value, str | bytes) else 2 for value in row)
        return self._left >= 0 and self._go_on()


class Rescue:
    """The rows of one table that can be had, in order, each once.  `whole` tells afterwards whether nothing stood in the way."""

    def __init__(self, database: sqlite3.Connection, table: Table, budget: Budget) -> None:
        self._database = database
        self._whole_table = table
        # blobs stay on the disk until they are wanted, one at a time
        self._by_key = table.key == (0,) and (bytes,) in table.types
        self._table = table = Table(table.name, table.columns[:1], table.types[:1], (0,)) if self._by_key else table
        self._budget = budget
        self._tries = _TRIES
        self.whole: bool = True
        names = ", ".join(f'"{column}"' for column in table.columns)
        self._select = f'SELECT {names} FROM main."{table.name}"'
        first = table.columns[table.key[0]]
        self._up = " ORDER BY " + ", ".join(f'"{table.columns[place]}"' for place in table.key)
        self._down = " ORDER BY " + ", ".join(f'"{table.columns[place]}" DESC' for place in table.key)
        self._from = f' WHERE "{first}" >= ?'
        self._numbered = table.types[table.key[0]] == (int,)

    def rows(self) -> Iterator[Row]:
        """Everything, in order."""
        found = self._found()
        if not self._by_key:
            yield from found
            return
        table = self._whole_table
        statement = f'SELECT {", ".join(table.columns)} FROM main."{table.name}" WHERE "{table.columns[0]}" = ?'
        for (key,) in found:
            try:
                row = self._database.execute(statement, (key,)).fetchone()
            except (sqlite3.Error, UnicodeError, MemoryError, OverflowError):
                row = None
            if row is not None and _fits(row, table) and self._budget.take(row):
                yield row
            else:
                self.whole = False

    def _found(self) -> list[Row]:
        head: list[Row] = []
        if self._walk(self._select + self._up, (), head, None):
            return head
        self.whole = False
        tail: list[Row] = []
        self._walk(self._select + self._down, (), tail, self._key(head[-1]) if head else None, down=True)
        tail.reverse()
        low = self._key(head[-1])[0] + 1 if head and self._numbered else 0
        high = self._key(tail[0])[0] - 1 if tail and self._numbered else None
        middle = list(self._between(low, high)) if self._numbered and high is not None else []
        return head + middle + tail

    def _between(self, low: int, high: int) -> Iterator[Row]:
        """Search in the middle of what is missing, then in both halves."""
        if low > high or self._tries <= 0:
            return
        self._tries -= 1
        middle = (low + high) // 2
        found: list[Row] = []
        self._walk(self._select + self._from + self._up, (middle,), found, None, until=high)
        yield from self._between(low, middle - 1)
        yield from found
        reached = self._key(found[-1])[0] + 1 if found else middle + 1
        yield from self._between(reached, high)

    def _walk(self, statement: str, args: Row, into: list[Row], stop: Row | None, down: bool = False, until: int | None = None) -> bool:
        """Gather rows until the end, damage, `stop` or beyond `until`; false when it was damage."""
        last: Row | None = None
        try:
            for row in self._database.execute(statement, args):
                if not _fits(row, self._table):
                    self.whole = False
                    continue
                key = self._key(row)
                if last is not None and (key >= last if down else key <= last):
                    # a tree that leads back to where it was
                    self.whole = False
                    return False
                if (stop is not None and key <= stop) or (until is not None and key[0] > until):
                    return True
                if not self._budget.take(row):
                    return False
                last = key
                into.append(row)
        except (sqlite3.Error, UnicodeError, MemoryError, OverflowError):
            return False
        return True

    def _key(self, row: Row) -> Row:
        return tuple(row[place] for place in self._table.key)


def _fits(row: Row, table: Table) -> bool:
    """Whether every value has the declared type; a text with a zero byte is a page that was wiped."""
    return all(type(value) in wanted and not (type(value) is str and "\0" in value) for value, wanted in zip(row, table.types, strict=True))
