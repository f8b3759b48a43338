"""A block of events as a blob.  `grouped` is the form that is written; here is the plain one: each column at the narrowest width that
holds it, times as differences and causes relative to the event's number, which version 1 wrote and which takes any rows.
"""

from __future__ import annotations

import struct
from typing import Final

import numpy as np

from ringscope_core.session import grouped
from ringscope_core.session.packing import PackingError, pack, unpack
from ringscope_core.session.rows import EVENT_DTYPE, RAW_DTYPE, Events, Ints

MAX_BLOCK_ROWS: Final = 65536
_HEADER: Final = struct.Struct("<BI")
_FORMAT: Final = 1
_COLUMNS: Final = ("vt", "wall", "kind", "obj", "cause", "a0", "a1", "a2", "a3", "a4", "a5")
_WIDTHS: Final = ("", "<i1", "<i2", "<i4", "<i8")
"""By code; code 0 is a column of zeros."""
_DELTA: Final = ("vt", "wall")
_LIMIT: Final = _HEADER.size + len(_COLUMNS) + 8 * len(_COLUMNS) * MAX_BLOCK_ROWS
BLOCK_LIMIT: Final = max(_LIMIT, grouped.LIMIT)
"""A block is never larger than this before compression."""


def encode(first_seq: int, rows: Events) -> bytes:
    """`rows` (`RAW_DTYPE`, first of number `first_seq`) as a blob."""
    return pack(grouped.encode(first_seq, rows) or _encode_plain(first_seq, rows))


def _width(low: int, high: int) -> int:
    if low == 0 and high == 0:
        return 0
    for code, bits in ((1, 7), (2, 15), (3, 31)):
        if low >= -(1 << bits) and high < 1 << bits:
            return code
    return 4


def _encode_plain(first_seq: int, rows: Events) -> bytes:
    parts: list[bytes] = []
    codes: list[int] = []
    for name in _COLUMNS:
        column: Ints = rows[name].astype(np.int64)
        if name in _DELTA:
            column[1:] = np.diff(column)
        elif name == "cause":
            column -= np.arange(first_seq, first_seq + len(column))
        code = _width(int(column.min()), int(column.max()))
        codes.append(code)
        if code:
            parts.append(column.astype(_WIDTHS[code]).tobytes())
    return _HEADER.pack(_FORMAT, len(rows)) + bytes(codes) + b"".join(parts)


def decode(first_seq: int, count: int, blob: bytes) -> Events:
    """The block's events (`EVENT_DTYPE`); raises PackingError when the blob is not `count` rows."""
    data = unpack(blob, BLOCK_LIMIT)
    if data[:1] == bytes((grouped.FORMAT,)):
        return grouped.decode(first_seq, count, data)
    return _decode_plain(first_seq, count, data)


def _decode_plain(first_seq: int, count: int, data: bytes) -> Events:
    start = _HEADER.size + len(_COLUMNS)
    if len(data) < start or _HEADER.unpack_from(data) != (_FORMAT, count):
        raise PackingError("a block of events is not in its format")
    events = np.zeros(count, EVENT_DTYPE)
    events["seq"] = np.arange(first_seq, first_seq + count)
    for name, code in zip(_COLUMNS, data[_HEADER.size : start], strict=True):
        if code >= len(_WIDTHS):
            raise PackingError("a block of events has a column of unknown width")
        if code:
            width = np.dtype(_WIDTHS[code])
            if start + count * width.itemsize > len(data):
                raise PackingError("a block of events is too short")
            column: Ints = np.frombuffer(data, width, count, start).astype(np.int64)
            start += count * width.itemsize
        else:
            column = np.zeros(count, np.int64)
        events[name] = np.cumsum(column) if name in _DELTA else column + events["seq"] if name == "cause" else column
    if start != len(data):
        raise PackingError("a block of events is too long")
    return events


def as_rows(data: bytes) -> Events:
    """The bytes of the event log as an array, without a copy."""
    return np.frombuffer(data, RAW_DTYPE)
