"""Whether a block holds certain events, told from a few of its columns: what makes a search through many blocks quick.

A block of 65536 events takes some milliseconds to decode, and a tenth of one to look at in this way.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from ringscope_core.session import grouped
from ringscope_core.session.blocks import BLOCK_LIMIT
from ringscope_core.session.packing import PackingError, unpack
from ringscope_core.session.rows import Ints

ANY: Final = -1
"""Any kind, any object."""
LEAST: Final = -(1 << 63)
MOST: Final = (1 << 63) - 1
_OBJ: Final = 0
_A0: Final = 2
"""Places of these columns in a block."""
_SIZES: Final = np.array([0, 1, 2, 4, 8], np.int64)
"""Bytes of a value, by its width's code."""
_TYPES: Final = ("<i1", "<i2", "<i4", "<i8")


class Wanted(NamedTuple):
    """Events of `kind` on object `oid` (each may be `ANY`) whose first argument is between two values, both included."""

    kind: int
    oid: int
    low: int = LEAST
    high: int = MOST


def may_hold(count: int, blob: bytes, wanted: Sequence[Wanted]) -> bool:
    """Whether a block's blob of `count` events holds any of `wanted`; true also where only reading it whole can tell.

    Raises PackingError for a blob that is none.
    """
    data = unpack(blob, BLOCK_LIMIT)
    if data[:1] != bytes((grouped.FORMAT,)):
        return True
    look = _Look(count, data)
    return any(look.holds(one) for one in wanted)


class _Look:
    """The tables of a block, and single columns of single kinds."""

    def __init__(self, count: int, data: bytes) -> None:
        cursor = grouped.Cursor(data)
        self._data: bytes = data
        rows, groups = grouped.take_header(cursor)
        if rows != count or not 0 < groups <= grouped.MAX_KINDS:
            raise PackingError("a block of events is not in its format")
        columns = len(grouped.COLUMNS)
        self._groups: dict[int, int] = {kind: place for place, kind in enumerate(cursor.array("<i4", groups).tolist())}
        self._widths = cursor.array("u1", groups * columns).reshape(columns, groups)
        self._firsts = cursor.array("<i8", groups * columns).reshape(columns, groups)
        self._steps = cursor.array("<i8", groups * columns).reshape(columns, groups)
        for _ in range(2):
            changes = int(cursor.array("<u4", 1)[0])
            cursor.array("u1", 8 + 10 * changes)
        self._counts: Ints = np.bincount(cursor.array("u1", count), minlength=groups)
        if len(self._counts) != groups or int(self._widths.max()) >= len(_SIZES):
            raise PackingError("a block of events has rows of no kind")
        sizes = _SIZES[self._widths] * self._counts
        self._ends: Ints = cursor.at + np.cumsum(sizes.reshape(-1)).reshape(sizes.shape)
        if int(self._ends[-1, -1]) != len(data):
            raise PackingError("a block of events is too long or too short")
        self._kept: dict[tuple[int, int], Ints] = {}

    def holds(self, wanted: Wanted) -> bool:
        """Whether an event is as wanted."""
        groups = list(self._groups.values()) if wanted.kind == ANY else [self._groups[wanted.kind]] if wanted.kind in self._groups else []
        return any(self._group_holds(group, wanted) for group in groups)

    def _group_holds(self, group: int, wanted: Wanted) -> bool:
        right = None if wanted.oid == ANY else self._column(_OBJ, group) == wanted.oid
        if right is not None and not right.any():
            return False
        if (wanted.low, wanted.high) == (LEAST, MOST):
            return True
        first = self._column(_A0, group)
        inside = (first >= wanted.low) & (first <= wanted.high)
        return bool((inside if right is None else inside & right).any())

    def _column(self, place: int, group: int) -> Ints:
        key = (place, group)
        found = self._kept.get(key)
        if found is None:
            found = self._kept[key] = self._read(place, group)
        return found

    def _read(self, place: int, group: int) -> Ints:
        size, code = int(self._counts[group]), int(self._widths[place, group])
        first, step = self._firsts[place, group], self._steps[place, group]
        if not code:
            # one value, or an even sequence of them
            even: Ints = first + step * np.arange(size if step else 1, dtype=np.int64)
            return even
        width = _TYPES[code - 1]
        end = int(self._ends[place, group])
        piece = np.frombuffer(self._data, width, size, end - size * int(_SIZES[code]))
        column: Ints = np.cumsum(piece, dtype=width).astype(np.int64)
        return column
