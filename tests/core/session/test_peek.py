"""A look at a block says the same as reading it."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringscope_core.session import blocks
from ringscope_core.session.packing import PackingError, pack, unpack
from ringscope_core.session.peek import ANY, LEAST, MOST, Wanted, may_hold
from ringscope_core.session.rows import RAW_DTYPE

_ROW = st.tuples(st.integers(1, 4), st.integers(0, 3), st.one_of(st.integers(0, 5), st.integers(-(1 << 62), 1 << 62)))


def blob_of(rows: list[tuple[int, int, int]]) -> bytes:
    events = np.zeros(len(rows), RAW_DTYPE)
    events["kind"], events["obj"], events["a0"] = zip(*rows, strict=True)
    events["cause"] = -1
    return blocks.encode(0, events)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(_ROW, min_size=1, max_size=40), st.sampled_from([ANY, 1, 2, 9]), st.sampled_from([ANY, 0, 2, 7]), st.sampled_from([(LEAST, MOST), (3, 3), (0, 9)])
)
def test_a_look_tells_what_reading_tells(rows: list[tuple[int, int, int]], kind: int, oid: int, bounds: tuple[int, int]) -> None:
    wanted = Wanted(kind, oid, *bounds)
    truth = any(kind in (ANY, k) and oid in (ANY, o) and bounds[0] <= a <= bounds[1] for k, o, a in rows)
    assert may_hold(len(rows), blob_of(rows), [wanted]) == truth
    assert may_hold(len(rows), blob_of(rows), [Wanted(99, 99), wanted]) == truth
    assert not may_hold(len(rows), blob_of(rows), [])


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 400), st.integers(0, 255), st.integers(0, 60))
def test_damage_is_said_or_does_no_harm(place: int, value: int, cut: int) -> None:
    data = bytearray(unpack(blob_of([(n % 3 + 1, n % 2, n * n) for n in range(50)]), blocks.BLOCK_LIMIT))
    data[place % len(data)] = value
    with contextlib.suppress(PackingError):
        may_hold(50, pack(bytes(data[: len(data) - cut])), [Wanted(1, 1, 4, 4), Wanted(ANY, 0)])


def test_another_number_of_rows_is_damage() -> None:
    with pytest.raises(PackingError):
        may_hold(3, blob_of([(1, 1, 1), (2, 2, 2)]), [Wanted(1, 1)])
