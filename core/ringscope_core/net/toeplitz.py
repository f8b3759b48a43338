"""The Toeplitz hash of receive side scaling: the exclusive or of the key's 32 bit windows at the input's set bits."""

from __future__ import annotations

from typing import Final

from mypy_extensions import i64

TOEPLITZ_KEY_SIZE: Final[i64] = 40
"""Bytes of key: enough for 36 bytes of input (two IPv6 addresses and two ports)."""


def toeplitz(key: bytes, data: bytes) -> i64:
    """The hash of `data`, 32 bits; `key` is at least 4 bytes longer."""
    window: i64 = i64(key[0]) << 24 | i64(key[1]) << 16 | i64(key[2]) << 8 | i64(key[3])
    result: i64 = 0
    at: i64 = 0
    size: i64 = len(data)
    while at < size:
        byte: i64 = data[at]
        # the window moves through these 8 bits of the key while the input's byte is looked at
        wide = window << 8 | i64(key[at + 4])
        if byte & 0x80:
            result ^= wide >> 8
        if byte & 0x40:
            result ^= wide >> 7
        if byte & 0x20:
            result ^= wide >> 6
        if byte & 0x10:
            result ^= wide >> 5
        if byte & 0x08:
            result ^= wide >> 4
        if byte & 0x04:
            result ^= wide >> 3
        if byte & 0x02:
            result ^= wide >> 2
        if byte & 0x01:
            result ^= wide >> 1
        result &= 0xFFFFFFFF
        window = wide & 0xFFFFFFFF
        at += 1
    return result
