"""Events in columns by kind: the form of a block, before compression.

Rows are sorted by kind, so that a column holds what one kind of event says one time after another: a packet number that grows by
one, a ring index that wraps, a length that stays.  Each such run becomes a first value and a step where it is an arithmetic
sequence, else differences at the narrowest width that holds its values (they wrap, and so does the sum).  The order of the
kinds, and the two times, stand for the whole block.  A million events of bulk traffic take some 50 KB after zstd.
"""

from __future__ import annotations

import struct
from typing import Final

import numpy as np

from ringscope_core.session.packing import PackingError
from ringscope_core.session.rows import EVENT_DTYPE, Events, Ints

MAX_KINDS: Final = 256
"""Kinds in one block; a block with more has the plain form."""
_HEADER: Final = struct.Struct("<BIBH")
"""Format, rows, flags, kinds."""
FORMAT: Final = 2
_RELATIVE: Final = 1
"""Flag: causes are stored as distances, 0 for none."""
_WIDTHS: Final = ("<i1", "<i2", "<i4", "<i8")
COLUMNS: Final = ("obj", "cause", "a0", "a1", "a2", "a3", "a4", "a5")
_PLACES: Final = {"seq": 0, "vt": 1, "wall": 2, "cause": 4, "a0": 5, "a1": 6, "a2": 7, "a3": 8, "a4": 9, "a5": 10}
"""Columns of an event as words of eight bytes; the third holds kind and object."""
LIMIT: Final = 16 + 65536 * (88 + 16) + MAX_KINDS * (4 + len(COLUMNS) * 17)
"""A block is never larger than this before compression."""


def _codes(low: Ints, high: Ints) -> Ints:
    """The narrowest width, as a place in `_WIDTHS`, for each pair of bounds."""
    out = np.zeros(len(low), np.int64)
    for bits in (7, 15, 31):
        out += (low < -(1 << bits)) | (high >= 1 << bits)
    return out


def kind_groups(kinds: Ints) -> tuple[Ints, Ints, Ints]:
    """The kinds that occur, in order, how often each does, and for each row the place of its kind among them."""
    kinds = kinds.astype(np.intp)
    if int(kinds.min()) >= 0 and int(kinds.max()) < 4 * MAX_KINDS:
        totals = np.bincount(kinds)
        numbers = np.flatnonzero(totals)
        places = np.zeros(len(totals), np.int64)
        places[numbers] = np.arange(len(numbers))
        return numbers, totals[numbers], places[kinds]
    numbers, where, counts = np.unique(kinds, return_inverse=True, return_counts=True)
    return numbers, counts, where


def encode(first_seq: int, rows: Events) -> bytes | None:
    """`rows` (`RAW_DTYPE`, first of number `first_seq`) as bytes; None when they hold too many kinds."""
    count = len(rows)
    numbers, counts, places = kind_groups(rows["kind"])
    if len(numbers) > MAX_KINDS:
        return None
    places = places.astype(np.uint8)
    order = np.argsort(places, kind="stable")
    starts = np.concatenate(([0], np.cumsum(counts)[:-1]))
    words = np.ascontiguousarray(rows).view("<i8").reshape(count, 10)
    causes, relative = _distances(first_seq, words[:, 3])
    firsts = np.empty((len(COLUMNS), len(numbers)), "<i8")
    steps = np.zeros((len(COLUMNS), len(numbers)), "<i8")
    widths = np.zeros((len(COLUMNS), len(numbers)), np.uint8)
    streams: list[bytes] = []
    for i, name in enumerate(COLUMNS):
        source: Ints = rows["obj"].astype(np.int64) if name == "obj" else causes if name == "cause" else words[:, _PLACES[name] - 1]
        column = source[order]
        firsts[i] = column[starts]
        deltas = np.empty(count, np.int64)
        np.subtract(column[1:], column[:-1], out=deltas[1:])
        # the first of a group has no row before it: let it say the same as the second
        deltas[starts] = np.where(counts > 1, deltas[np.minimum(starts + 1, count - 1)], 0)
        steps[i] = np.minimum.reduceat(deltas, starts)
        uneven = np.flatnonzero(np.maximum.reduceat(deltas, starts) != steps[i])
        if len(uneven):
            deltas[starts] = firsts[i]
            codes = _codes(np.minimum.reduceat(column, starts), np.maximum.reduceat(column, starts))
            steps[i, uneven] = 0
            widths[i, uneven] = codes[uneven] + 1
            for group in uneven.tolist():
                piece = deltas[starts[group] : starts[group] + counts[group]]
                streams.append(piece.astype(_WIDTHS[codes[group]]).tobytes())
    head = _HEADER.pack(FORMAT, count, _RELATIVE if relative else 0, len(numbers))
    tables = numbers.astype("<i4").tobytes() + widths.tobytes() + firsts.tobytes() + steps.tobytes()
    return b"".join((head, tables, _times(words[:, 0]), _times(words[:, 1]), places.tobytes(), *streams))


def _distances(first_seq: int, causes: Ints) -> tuple[Ints, bool]:
    """How far back each cause lies, 0 for none (-1); the causes themselves where one is not of an event before."""
    own = np.arange(first_seq, first_seq + len(causes), dtype=np.int64)
    none = causes == -1
    if bool(np.all(none | ((causes >= 0) & (causes < own)))):
        return np.where(none, 0, own - causes), True
    return causes, False


def _times(column: Ints) -> bytes:
    """A column that seldom changes: its first value, then where it changes and by how much."""
    deltas = np.diff(column)
    places = np.flatnonzero(deltas)
    values = deltas[places]
    first = np.array([column[0]], "<i8").tobytes()
    return struct.pack("<I", len(places)) + first + np.diff(places, prepend=0).astype("<u2").tobytes() + values.astype("<i8").tobytes()


class Cursor:
    """Takes pieces off the front; raises PackingError where there is not enough."""

    def __init__(self, data: bytes) -> None:
        self._data: bytes = data
        self.at: int = 0
        """How far it has come, in bytes."""

    def array(self, dtype: str, count: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        size = np.dtype(dtype).itemsize * count
        if self.at + size > len(self._data):
            raise PackingError("a block of events is too short")
        out = np.frombuffer(self._data, dtype, count, self.at)
        self.at += size
        return out

    def struct(self, form: struct.Struct) -> tuple[int, ...]:
        return tuple(form.unpack(self.array("u1", form.size).tobytes()))

    def end(self) -> None:
        if self.at != len(self._data):
            raise PackingError("a block of events is too long")


def take_header(cursor: Cursor) -> tuple[int, int]:
    """How many rows and kinds a block has."""
    _, rows, _, groups = cursor.struct(_HEADER)
    return rows, groups


def decode(first_seq: int, count: int, data: bytes) -> Events:
    """The block's events (`EVENT_DTYPE`); raises PackingError when the bytes are not `count` rows."""
    cursor = Cursor(data)
    form, rows, flags, groups = cursor.struct(_HEADER)
    if (form, rows) != (FORMAT, count) or not 0 < groups <= min(count, MAX_KINDS) or count > 65536:
        raise PackingError("a block of events is not in its format")
    numbers = cursor.array("<i4", groups)
    widths = cursor.array("u1", groups * len(COLUMNS)).reshape(len(COLUMNS), groups)
    firsts = cursor.array("<i8", groups * len(COLUMNS)).reshape(len(COLUMNS), groups)
    steps = cursor.array("<i8", groups * len(COLUMNS)).reshape(len(COLUMNS), groups)
    events = np.empty(count, EVENT_DTYPE)
    words = events.view("<i8").reshape(count, 11)
    words[:, 0] = np.arange(first_seq, first_seq + count)
    words[:, 1] = _take_times(cursor, count)
    words[:, 2] = _take_times(cursor, count)
    places = cursor.array("u1", count)
    counts = np.bincount(places, minlength=groups)
    if len(counts) != groups or int(counts.min()) == 0 or int(widths.max()) > len(_WIDTHS):
        raise PackingError("a block of events has rows of no kind")
    events["kind"] = numbers[places]
    order = np.argsort(places, kind="stable")
    ends = np.cumsum(counts)
    for i, name in enumerate(COLUMNS):
        column = _take_column(cursor, i, widths, firsts, steps, counts, ends)
        if name == "obj":
            events["obj"][order] = column
        else:
            words[:, _PLACES[name]][order] = column
    cursor.end()
    if flags & _RELATIVE:
        distances = words[:, 4]
        words[:, 4] = np.where(distances == 0, -1, words[:, 0] - distances)
    return events


def _take_times(cursor: Cursor, count: int) -> Ints:
    changes = int(cursor.array("<u4", 1)[0])
    if changes >= count:
        raise PackingError("a block of events has more changes of time than events")
    first = cursor.array("<i8", 1)
    places = np.cumsum(cursor.array("<u2", changes), dtype=np.int64) + 1
    values = cursor.array("<i8", changes)
    if changes and int(places[-1]) >= count:
        raise PackingError("a block of events has times out of place")
    bounds = np.concatenate(([0], places, [count]))
    return np.repeat(np.cumsum(np.concatenate((first, values))), np.diff(bounds))


def _take_column(cursor: Cursor, i: int, widths: Ints, firsts: Ints, steps: Ints, counts: Ints, ends: Ints) -> Ints:
    """Column `i` of all rows, sorted by kind."""
    column = np.repeat(firsts[i], counts)
    for group in np.flatnonzero((steps[i] != 0) | (widths[i] != 0)).tolist():
        size, end = int(counts[group]), int(ends[group])
        code = int(widths[i, group])
        if code:
            width = _WIDTHS[code - 1]
            column[end - size : end] = np.cumsum(cursor.array(width, size), dtype=width)
        else:
            column[end - size : end] += steps[i, group] * np.arange(size)
    return column
