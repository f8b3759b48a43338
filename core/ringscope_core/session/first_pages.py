"""The pages that say which tables a session has: the same in every session of a version, so that they can be mended.

SQLite lays tables out in the order of their statements.  A file whose beginning is damaged gets the beginning that an empty session
of its version has; where the file's tables lie follows from that.
"""

from __future__ import annotations

import sqlite3
import struct
import tempfile
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

from ringscope_core.session.old_schemas import OLD_OBJECTS
from ringscope_core.session.schema import APPLICATION_ID, OBJECTS, VERSION

_PAGE: Final = 4096
_ALIKE: Final = 0.75
"""A file of ours agrees with the empty session in at least that share of the pages' bytes."""


class _Template(NamedTuple):
    version: int
    statements: dict[str, str]
    pages: dict[int, bytes]
    """The pages of sqlite_master, by number from 1."""


@cache
def _templates() -> tuple[_Template, ...]:
    return tuple(_make(version, statements) for version, statements in {VERSION: OBJECTS, **OLD_OBJECTS}.items())


def _make(version: int, statements: dict[str, str]) -> _Template:
    with tempfile.TemporaryDirectory(prefix="ringscope-") as folder:
        path = Path(folder) / "empty"
        database = sqlite3.connect(path, isolation_level=None)
        try:
            database.execute(f"PRAGMA page_size = {_PAGE}")
            database.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            database.execute("BEGIN")
            database.execute(f"PRAGMA user_version = {version:d}")
            for statement in statements.values():
                database.execute(statement)
            database.execute("COMMIT")
            roots = {number for (number,) in database.execute("SELECT rootpage FROM sqlite_master")}
        finally:
            database.close()
        data = path.read_bytes()
    pages = {number: data[_PAGE * (number - 1) : _PAGE * number] for number in range(1, len(data) // _PAGE + 1) if number not in roots}
    return _Template(version, statements, pages)


def statements_of(path: Path) -> tuple[int, dict[str, str]]:
    """Version and tables of a file whose header is that of a session; (0, {}) for one whose header is not.  Raises OSError."""
    with path.open("rb") as file:
        head = file.read(100)
    if len(head) < 100 or not head.startswith(b"SQLite format 3\0") or struct.unpack_from(">H", head, 16)[0] != _PAGE:
        return 0, {}
    (version,), (application,) = struct.unpack_from(">I", head, 60), struct.unpack_from(">I", head, 68)
    if application != APPLICATION_ID:
        return 0, {}
    return next(((template.version, template.statements) for template in _templates() if template.version == version), (0, {}))


def mend_first_pages(path: Path, broken: list[int]) -> None:
    """Wipe the `broken` pages (numbers from 1) of the file at `path`, a copy, and put an empty session's first pages where they belong.

    Does nothing to the beginning of a file that resembles none of ours.  Raises OSError.
    """
    size = path.stat().st_size
    with path.open("r+b") as file:
        template = _resembling(file.read(_PAGE * 64))
        for number in broken:
            file.seek(_PAGE * (number - 1))
            file.write(bytes(_PAGE))
        if template is None:
            return
        for number, page in template.pages.items():
            if _PAGE * number <= size:
                file.seek(_PAGE * (number - 1))
                file.write(page)
        # as many pages as there are; no list of free ones
        file.seek(28)
        file.write(struct.pack(">III", size // _PAGE, 0, 0))


def _resembling(data: bytes) -> _Template | None:
    """The version whose first pages the file's resemble most, None when none does."""
    best, most = None, _ALIKE
    for template in _templates():
        same = total = 0
        for number, page in template.pages.items():
            there = data[_PAGE * (number - 1) : _PAGE * number]
            start = 100 if number == 1 else 0
            total += _PAGE - start
            same += sum(a == b for a, b in zip(there[start:], page[start:], strict=False))
        if total and same / total > most:
            best, most = template, same / total
    return best
