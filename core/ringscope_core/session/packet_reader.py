"""Reads frames: where and when, and their bytes.  Version 1 had a row each, later versions have blocks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Final, Protocol

import numpy as np

from ringscope_core.session.kept import Kept
from ringscope_core.session.packet_blocks import HEADER, LENGTH, MAX_BYTES, MAX_FRAMES, decode_rows
from ringscope_core.session.packing import unpack
from ringscope_core.session.rows import FrameRow, Ints, PacketRow

Query = Callable[..., list[Any]]
Place = tuple[int, int, int, int, int, int]
"""Of a frame: id, vt, seq, length, block, offset in its bytes."""
_KEPT_BYTES: Final = 24 << 20
"""Decoded blocks in memory."""


class PacketSource(Protocol):
    """What the session's reader asks."""

    TABLE: str
    """Where the bytes are."""

    def last(self) -> int:
        """Number of the last frame, 0 for none."""

    def rows(self, first: int, last: int) -> list[PacketRow]:
        """The frames numbered `first` to `last`, both included, as far as they are there."""

    def array(self, first: int, last: int) -> Ints:
        """The same, a row each, columns as in `PacketRow`."""

    def frames(self, first: int, last: int) -> list[FrameRow]:
        """The same with their bytes.  Raises ValueError for what cannot be."""

    def places(self, first: int, last: int) -> list[Place]:
        """The same: id, vt, seq, length, block, offset in its bytes."""

    def block(self, number: int) -> bytes:
        """A block's bytes."""


class PacketBlockReader:
    """Frames in blocks."""

    TABLE = "packet_data"

    def __init__(self, query: Query) -> None:
        self._query: Query = query
        self._rows: Kept[Ints] = Kept(_KEPT_BYTES // 3)
        self._bytes: Kept[bytes] = Kept(2 * _KEPT_BYTES // 3)

    def last(self) -> int:
        rows = self._query("SELECT first_id, count FROM packet_block ORDER BY first_id DESC LIMIT 1")
        return int(rows[0][0]) + int(rows[0][1]) - 1 if rows else 0

    def _blocks(self, first: int, last: int) -> list[tuple[int, int]]:
        """First number and count of the blocks that hold frames `first` to `last`."""
        statement = (
            "SELECT first_id, count FROM packet_block WHERE first_id BETWEEN"
            " coalesce((SELECT max(first_id) FROM packet_block WHERE first_id <= ?), 0) AND ? ORDER BY first_id"
        )
        return [(int(number), int(count)) for number, count in self._query(statement, first, last)]

    def _pieces(self, first: int, last: int) -> Iterator[tuple[int, Ints, Ints]]:
        """First number of each block, the rows that are asked for, and where their frames end in its bytes."""
        for number, count in self._blocks(first, last):
            rows = self._rows.get((number, count), partial(self._load_rows, number, count))
            part = slice(max(first - number, 0), max(last - number + 1, 0))
            yield number, rows[part, :-1], rows[part, -1]

    def array(self, first: int, last: int) -> Ints:
        parts = [rows for _, rows, _ in self._pieces(first, last)]
        return np.concatenate(parts) if parts else np.zeros((0, len(PacketRow._fields)), np.int64)

    def rows(self, first: int, last: int) -> list[PacketRow]:
        return [PacketRow(*row) for row in self.array(first, last).tolist()]

    def _load_rows(self, number: int, count: int) -> tuple[int, Ints]:
        """The block's rows, and behind the columns where each frame ends."""
        if not 0 < count <= MAX_FRAMES:
            raise ValueError(f"a block of {count} packets")
        blob = self._query("SELECT rows FROM packet_data WHERE first_id = ?", number)
        rows = decode_rows(blob[0][0], count)
        lengths, headers = rows[:, LENGTH], rows[:, HEADER]
        bad = (lengths < 0) | (headers < -1) | (lengths > MAX_BYTES) | (headers > MAX_BYTES)
        if not np.array_equal(rows[:, 0], np.arange(number, number + count)) or bool(bad.any()):
            raise ValueError(f"packets from {number} on have impossible numbers")
        out = np.column_stack((rows, np.cumsum(lengths + np.maximum(headers, 0))))
        return out.nbytes, out

    def block(self, number: int) -> bytes:
        (count,) = self._query("SELECT count FROM packet_block WHERE first_id = ?", number)[0]
        return self._bytes.get((number, int(count)), partial(self._load_bytes, number, int(count)))

    def _load_bytes(self, number: int, count: int) -> tuple[int, bytes]:
        rows = self._rows.get((number, count), partial(self._load_rows, number, count))
        data = unpack(self._query("SELECT data FROM packet_data WHERE first_id = ?", number)[0][0], MAX_BYTES)
        if int(rows[-1, -1]) != len(data):
            raise ValueError(f"packets from {number} on do not fill their block")
        return len(data), data

    def frames(self, first: int, last: int) -> list[FrameRow]:
        found: list[FrameRow] = []
        for number, rows, ends in self._pieces(first, last):
            data = self.block(number)
            for values, end in zip(rows.tolist(), ends.tolist(), strict=True):
                row = PacketRow(*values)
                start = end - row.length
                found.append(FrameRow(row, data[start - row.header : start] if row.header >= 0 else None, data[start:end]))
        return found

    def places(self, first: int, last: int) -> list[Place]:
        found: list[Place] = []
        for number, rows, ends in self._pieces(first, last):
            for row, end in zip(rows.tolist(), ends.tolist(), strict=True):
                found.append((row[0], row[1], row[6], row[LENGTH], number, end - row[LENGTH]))
        return found


class PacketRowReader:
    """Frames of version 1: a row each, their bytes many in a blob, without headers."""

    TABLE = "packet_block"

    def __init__(self, query: Query) -> None:
        self._query: Query = query
        self._blobs: Kept[bytes] = Kept(_KEPT_BYTES)

    def last(self) -> int:
        return int(self._query("SELECT coalesce(max(id), 0) FROM packet")[0][0])

    def _values(self, first: int, last: int) -> list[list[int]]:
        statement = "SELECT id, vt, wall, direction, queue, head, seq, length, block, offset FROM packet WHERE id BETWEEN ? AND ? ORDER BY id"
        return [list(map(int, row)) for row in self._query(statement, first, last)]

    def rows(self, first: int, last: int) -> list[PacketRow]:
        return [PacketRow(*values[:8]) for values in self._values(first, last)]

    def array(self, first: int, last: int) -> Ints:
        return np.array(self.rows(first, last), np.int64).reshape(-1, len(PacketRow._fields))

    def frames(self, first: int, last: int) -> list[FrameRow]:
        found: list[FrameRow] = []
        for *values, block, offset in self._values(first, last):
            row = PacketRow(*values)
            data = self.block(block)
            if offset < 0 or row.length < 0 or offset + row.length > len(data):
                raise ValueError(f"packet {row.id} is out of its block")
            found.append(FrameRow(row, None, data[offset : offset + row.length]))
        return found

    def places(self, first: int, last: int) -> list[Place]:
        return [(v[0], v[1], v[6], v[7], v[8], v[9]) for v in self._values(first, last)]

    def block(self, number: int) -> bytes:
        return self._blobs.get((number, 0), partial(self._load, number))

    def _load(self, number: int) -> tuple[int, bytes]:
        data = unpack(self._query("SELECT data FROM packet_block WHERE id = ?", number)[0][0], MAX_BYTES)
        return len(data), data
