"""The Internet checksum against RFC 1071's example and a plain sum."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ringscope_core.net.checksum import checksum, fold, ones_sum, transport_checksum
from ringscope_core.net.packet import IPPROTO_UDP


def plain(data: bytes) -> int:
    """RFC 1071, 4.1, word by word."""
    total = sum(int.from_bytes(data[at : at + 2].ljust(2, b"\0"), "big") for at in range(0, len(data), 2))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


def test_the_example_of_rfc_1071() -> None:
    assert checksum(bytes.fromhex("0001f203f4f5f6f7")) == 0xDDF2 ^ 0xFFFF


@given(st.binary(max_size=200))
def test_short_data_sums_as_the_plain_definition(data: bytes) -> None:
    assert checksum(data) == plain(data)


@given(st.binary(min_size=1, max_size=40), st.integers(60, 3000))
def test_long_data_sums_as_the_plain_definition(seed: bytes, times: int) -> None:
    data = seed * times
    assert checksum(data) == plain(data)


def test_sums_that_are_all_ones_or_nothing() -> None:
    assert checksum(b"") == checksum(bytes(5000)) == 0xFFFF
    assert checksum(b"\xff\xff") == checksum(b"\xff" * 5000) == 0


@given(st.binary(max_size=60), st.binary(max_size=60))
def test_parts_of_even_length_add_up(first: bytes, second: bytes) -> None:
    first = first[: len(first) // 2 * 2]
    whole = b"?" + first + second
    assert fold(ones_sum(whole, 1, 1 + len(first)) + ones_sum(whole, 1 + len(first), len(whole))) == plain(first + second)


@given(st.binary(min_size=4, max_size=4), st.binary(min_size=4, max_size=4), st.binary(min_size=8, max_size=3000))
def test_a_segment_with_its_checksum_in_it_sums_to_zero(source: bytes, destination: bytes, data: bytes) -> None:
    segment = data[:6] + b"\0\0" + data[8:]
    value = int(transport_checksum(source, destination, IPPROTO_UDP, segment))
    assert transport_checksum(source, destination, IPPROTO_UDP, segment[:6] + value.to_bytes(2, "big") + segment[8:]) == 0
