"""The Toeplitz hash against the vectors that Microsoft publishes for RSS ("Verifying the RSS hash calculation")."""

from __future__ import annotations

import ipaddress
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringscope_core.net.toeplitz import toeplitz

KEY = bytes.fromhex("6d5a56da255b0ec24167253d43a38fb0d0ca2bcbae7b30b477cb2da38030f20c6a42b73bbeac01fa")

VECTORS = [
    ("66.9.149.187", 2794, "161.142.100.80", 1766, 0x323E8FC2, 0x51CCC178),
    ("199.92.111.2", 14230, "65.69.140.83", 4739, 0xD718262A, 0xC626B0EA),
    ("24.19.198.95", 12898, "12.22.207.184", 38024, 0xD2D0A5DE, 0x5C2B394A),
    ("38.27.205.30", 48228, "209.142.163.6", 2217, 0x82989176, 0xAFC7327F),
    ("153.39.163.191", 44251, "202.188.127.2", 1303, 0x5D1809C5, 0x10E828A2),
    ("3ffe:2501:200:1fff::7", 2794, "3ffe:2501:200:3::1", 1766, 0x2CC18CD5, 0x40207D3D),
    ("3ffe:501:8::260:97ff:fe40:efab", 14230, "ff02::1", 4739, 0x0F0C461C, 0xDDE51BBF),
    ("3ffe:1900:4545:3:200:f8ff:fe21:67cf", 44251, "fe80::200:f8ff:fe21:67cf", 38024, 0x4B61E985, 0x02D1FEEF),
]


@pytest.mark.parametrize(("source", "source_port", "destination", "destination_port", "addresses_only", "with_ports"), VECTORS)
def test_published_vectors(source: str, source_port: int, destination: str, destination_port: int, addresses_only: int, with_ports: int) -> None:
    addresses = ipaddress.ip_address(source).packed + ipaddress.ip_address(destination).packed
    assert toeplitz(KEY, addresses) == addresses_only
    assert toeplitz(KEY, addresses + struct.pack(">HH", source_port, destination_port)) == with_ports


@given(st.binary(min_size=40, max_size=40), st.binary(max_size=36), st.binary(max_size=36))
def test_it_is_linear(key: bytes, one: bytes, other: bytes) -> None:
    size = max(len(one), len(other))
    one, other = one.ljust(size, b"\0"), other.ljust(size, b"\0")
    both = bytes(a ^ b for a, b in zip(one, other, strict=True))
    assert toeplitz(key, one) ^ toeplitz(key, other) == toeplitz(key, both)


@pytest.mark.parametrize("bit", range(288))
def test_a_bit_selects_its_window_of_the_key(bit: int) -> None:
    data = (1 << (287 - bit)).to_bytes(36, "big")
    assert toeplitz(KEY, data) == int.from_bytes(KEY, "big") >> (320 - 32 - bit) & 0xFFFFFFFF
