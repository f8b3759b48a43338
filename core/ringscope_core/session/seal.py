"""Checksums of a finished file, a page each, behind the database's last page.

SQLite has none of its own: a flipped bit in a number would be believed.  A session that its writer closed carries them after the
pages that the database counts, where SQLite does not look.  They hold as long as nobody has written into the database since: the
change counter in its header says so.  A changed file is one without a seal, not a damaged one.
"""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import BinaryIO, Final

MAX_SEALED: Final = 64 << 20
"""Larger files are not sealed: reading them through would delay closing and opening.  Their events, keyframes and frames have checksums in any case."""
PAGE: Final = 4096
"""SQLite's page size, of every session."""
_PAGES_AT_ONCE: Final = 256
_MAGIC: Final = b"RSCPSEAL"
_HEAD: Final = struct.Struct("<8sIII")
"""Magic, page size, pages, change counter; then a CRC-32 of each page, then one of all that."""
_TAIL: Final = struct.Struct("<I")


def seal(path: Path) -> None:
    """Add the checksums to a database that nobody writes any more.  Raises OSError."""
    log = path.with_name(path.name + "-wal")
    if log.exists() and log.stat().st_size:
        return
    with path.open("r+b") as file:
        head = file.read(100)
        pages, counter = struct.unpack_from(">I", head, 28)[0], struct.unpack_from(">I", head, 24)[0]
        if struct.unpack_from(">H", head, 16)[0] != PAGE or not 0 < pages * PAGE <= MAX_SEALED:
            return
        body = _HEAD.pack(_MAGIC, PAGE, pages, counter) + b"".join(_TAIL.pack(crc) for crc in _sums(file, pages))
        file.seek(pages * PAGE)
        file.truncate()
        file.write(body + _TAIL.pack(zlib.crc32(body)))


def broken_pages(path: Path) -> list[int] | None:
    """Numbers (from 1) of the pages that are not as they were when the file was sealed; None for a file that carries no valid seal.

    Raises OSError.
    """
    with path.open("rb") as file:
        found = _find(file)
        if found is None:
            return None
        return [number for number, (said, is_now) in enumerate(zip(found, _sums(file, len(found)), strict=False), 1) if said != is_now]


def missing_bytes(path: Path) -> int:
    """How much shorter the file is than its header says; 0 where a log may hold the rest, or where it is no database.  Raises OSError."""
    log = path.with_name(path.name + "-wal")
    if log.exists() and log.stat().st_size:
        return 0
    with path.open("rb") as file:
        head = file.read(100)
        if len(head) < 100 or not head.startswith(b"SQLite format 3\0") or head[24:28] != head[92:96]:
            return 0
        (page,), (pages,) = struct.unpack_from(">H", head, 16), struct.unpack_from(">I", head, 28)
        return max(int(pages * page) - file.seek(0, 2), 0)


def _find(file: BinaryIO) -> list[int] | None:
    """The pages' checksums, found from the end of the file: its beginning may be what is damaged."""
    # end = pages * (page and its checksum) + head + tail
    pages, rest = divmod(file.seek(0, 2) - _HEAD.size - _TAIL.size, PAGE + _TAIL.size)
    if rest or not 0 < pages * PAGE <= MAX_SEALED:
        return None
    file.seek(pages * PAGE)
    body = file.read()
    if body[:8] != _MAGIC or _TAIL.unpack(body[-4:])[0] != zlib.crc32(body[:-4]):
        return None
    _, page, said, counter = _HEAD.unpack_from(body)
    if (page, said) != (PAGE, pages):
        return None
    # whoever writes into the database counts, in two places: one damaged copy is no change
    file.seek(0)
    head = file.read(100)
    if counter not in (struct.unpack_from(">I", head, 24)[0], struct.unpack_from(">I", head, 92)[0]):
        return None
    return [_TAIL.unpack_from(body, _HEAD.size + 4 * place)[0] for place in range(pages)]


def _sums(file: BinaryIO, pages: int) -> list[int]:
    file.seek(0)
    sums: list[int] = []
    while len(sums) < pages:
        data = memoryview(file.read(PAGE * min(pages - len(sums), _PAGES_AT_ONCE)))
        if not data:
            break
        sums += [zlib.crc32(data[at : at + PAGE]) for at in range(0, len(data), PAGE)]
    return sums
