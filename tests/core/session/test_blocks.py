"""Any rows come back from a block as they went in; rubbish is refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringscope_core.session import blocks, columns, grouped
from ringscope_core.session.packing import PackingError
from ringscope_core.session.rows import RAW_DTYPE, Events

EXTREME = [0, 1, -1, 127, -128, 128, 32767, -32769, 65535, 2**31 - 1, -(2**31), 2**31, 2**63 - 1, -(2**63)]
WORDS = st.one_of(st.sampled_from(EXTREME), st.integers(-(2**63), 2**63 - 1), st.integers(-3, 3))
HALVES = st.one_of(st.sampled_from([n for n in EXTREME if -(2**31) <= n < 2**31]), st.integers(0, 100))
ROW = st.tuples(WORDS, WORDS, HALVES, HALVES, WORDS, WORDS, WORDS, WORDS, WORDS, WORDS, WORDS)


def same(events: Events, rows: Events, first_seq: int) -> None:
    assert events["seq"].tolist() == list(range(first_seq, first_seq + len(rows)))
    for name in RAW_DTYPE.names or ():
        assert np.array_equal(events[name], rows[name]), name


@settings(max_examples=200, deadline=None)
@given(st.lists(ROW, min_size=1, max_size=60), st.sampled_from([0, 1, 5, 2**40]))
def test_any_rows_come_back(rows: list[tuple[int, ...]], first_seq: int) -> None:
    array = np.array(rows, RAW_DTYPE)
    same(blocks.decode(first_seq, len(array), blocks.encode(first_seq, array)), array, first_seq)


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_rows_of_few_kinds_come_back(data: st.DataObject) -> None:
    """What traffic looks like: kinds that repeat, values that grow, wrap or stay."""
    count, first_seq = data.draw(st.integers(1, 3000)), data.draw(st.integers(0, 2**40))
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    rows = np.zeros(count, RAW_DTYPE)
    rows["vt"] = np.cumsum(rng.integers(0, 3, count) * 1000)
    rows["kind"] = rng.integers(50, 50 + data.draw(st.integers(1, 12)), count)
    rows["obj"] = rng.integers(65536, 65536 + 3, count)
    rows["cause"] = np.where(rng.random(count) < 0.5, -1, np.arange(first_seq, first_seq + count) - rng.integers(1, 9, count)).clip(-1)
    for name in ("a0", "a1", "a2"):
        start, step, wrap = rng.integers(0, 1 << 40), rng.integers(-2, 3), rng.choice([7, 256, 65536, 1 << 62])
        rows[name] = (start + step * np.arange(count)) % wrap
    same(blocks.decode(first_seq, count, blocks.encode(first_seq, rows)), rows, first_seq)


def test_too_many_kinds_take_the_plain_form() -> None:
    rows = np.zeros(1000, RAW_DTYPE)
    rows["kind"] = np.arange(1000)
    assert grouped.encode(0, rows) is None
    same(blocks.decode(0, 1000, blocks.encode(0, rows)), rows, 0)


def test_what_version_1_wrote_is_read() -> None:
    rows = np.zeros(500, RAW_DTYPE)
    rows["kind"], rows["a0"], rows["cause"] = 56, np.arange(500) ** 3, -1
    from ringscope_core.session.packing import pack

    same(blocks.decode(7, 500, pack(blocks._encode_plain(7, rows))), rows, 7)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(WORDS, WORDS, WORDS), min_size=1, max_size=80))
def test_any_columns_come_back(rows: list[tuple[int, int, int]]) -> None:
    array = np.array(rows, np.int64)
    found = columns.decode(columns.encode(list(array.T)), 3, len(array))
    assert np.array_equal(np.stack(found, axis=1), array)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=400), st.integers(1, 70000))
def test_rubbish_is_refused(data: bytes, count: int) -> None:
    for decode in (lambda: grouped.decode(0, count, data), lambda: grouped.decode(0, count, b"\2" + data), lambda: columns.decode(data, 3, count)):
        try:
            decode()
        except PackingError:
            continue


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 2000), st.integers(0, 255), st.integers(0, 2**32))
def test_a_block_with_a_wrong_byte_is_refused_or_has_its_rows(place: int, value: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows = np.zeros(300, RAW_DTYPE)
    rows["kind"], rows["a0"] = rng.integers(1, 5, 300), rng.integers(0, 1 << 40, 300)
    data = bytearray(grouped.encode(9, rows) or b"")
    data[place % len(data)] = value
    try:
        assert len(grouped.decode(9, 300, bytes(data))) == 300
    except PackingError:
        return


def test_a_size_that_lies_is_refused_before_memory_is_taken() -> None:
    with pytest.raises(PackingError):
        grouped.decode(0, 1 << 30, bytes([2]) + (1 << 30).to_bytes(4, "little") + bytes(40))
