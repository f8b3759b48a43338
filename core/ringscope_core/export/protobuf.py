"""Protocol buffers' wire format, as much as a writer needs: varints, fixed64, doubles, nested messages."""

from __future__ import annotations

import struct
from typing import Final

_SHORT: Final = [bytes((n,)) if n < 0x80 else bytes((n & 0x7F | 0x80, n >> 7)) for n in range(0x4000)]
"""The numbers of one and two bytes, made once."""


def varint(value: int) -> bytes:
    """An unsigned number; a negative one as its 64 bit twin."""
    if 0 <= value < 0x4000:
        return _SHORT[value]
    value &= 0xFFFF_FFFF_FFFF_FFFF
    parts = bytearray()
    while value >= 0x80:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    parts.append(value)
    return bytes(parts)


def number(field: int, value: int) -> bytes:
    """A field of type int32, int64, uint32, uint64, bool or enum."""
    return varint(field << 3) + varint(value)


def fixed64(field: int, value: int) -> bytes:
    """A field of type fixed64."""
    return varint(field << 3 | 1) + struct.pack("<Q", value & 0xFFFF_FFFF_FFFF_FFFF)


def double(field: int, value: float) -> bytes:
    """A field of type double."""
    return varint(field << 3 | 1) + struct.pack("<d", value)


def data(field: int, value: bytes) -> bytes:
    """A field of type bytes, or a nested message."""
    return varint(field << 3 | 2) + varint(len(value)) + value


def text(field: int, value: str) -> bytes:
    """A field of type string."""
    return data(field, value.encode("utf-8", "replace"))
