"""Columns of integers in few bytes: a first value and a step, or differences at the narrowest width that holds the values."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Final

import numpy as np

from ringscope_core.session.packing import PackingError
from ringscope_core.session.rows import Ints

_WIDTHS: Final = ("<i1", "<i2", "<i4", "<i8")
_COLUMN: Final = struct.Struct("<Bqq")
"""Width (0: none, a sequence), first value, step."""


def encode(columns: Sequence[Ints] | Ints) -> bytes:
    """The columns, all of one length above zero, as bytes."""
    parts: list[bytes] = []
    for column in np.ascontiguousarray(columns):
        deltas = column[1:] - column[:-1]
        if not len(deltas) or deltas.min() == deltas.max():
            parts.append(_COLUMN.pack(0, int(column[0]), int(deltas[0]) if len(deltas) else 0))
            continue
        low, high = int(column.min()), int(column.max())
        code = sum(low < -(1 << bits) or high >= 1 << bits for bits in (7, 15, 31))
        parts += [_COLUMN.pack(code + 1, int(column[0]), 0), deltas.astype(_WIDTHS[code]).tobytes()]
    return b"".join(parts)


def decode(data: bytes, columns: int, count: int) -> list[Ints]:
    """The inverse of `encode`; raises PackingError."""
    out: list[Ints] = []
    at = 0
    for _ in range(columns):
        if at + _COLUMN.size > len(data):
            raise PackingError("columns end too early")
        code, first, step = _COLUMN.unpack_from(data, at)
        at += _COLUMN.size
        if code > len(_WIDTHS):
            raise PackingError("a column has an unknown width")
        if not code:
            out.append(np.full(count, first, np.int64) + np.int64(step) * np.arange(count))
            continue
        width = np.dtype(_WIDTHS[code - 1])
        size = width.itemsize * (count - 1)
        if at + size > len(data):
            raise PackingError("a column ends too early")
        deltas = np.concatenate((np.array([first], np.int64).astype(width), np.frombuffer(data, width, count - 1, at)))
        out.append(np.cumsum(deltas, dtype=width).astype(np.int64))
        at += size
    if at != len(data):
        raise PackingError("columns go on too long")
    return out
