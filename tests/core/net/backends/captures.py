"""Capture files made byte by byte, so that each test says what is in them."""

from __future__ import annotations

import struct

Frame = tuple[int, bytes]
"""Time in ns, bytes."""


def pcap(frames: list[Frame], order: str = "<", magic: int = 0xA1B2C3D4, linktype: int = 1, version: tuple[int, int] = (2, 4)) -> bytes:
    """A pcap file; times in ns when `magic` says so, else in us."""
    out = struct.pack(order + "IHHiIII", magic, *version, 0, 0, 262144, linktype)
    unit = 1 if magic == 0xA1B23C4D else 1000
    for time_ns, frame in frames:
        seconds, rest = divmod(time_ns, 10**9)
        out += struct.pack(order + "IIII", seconds, rest // unit, len(frame), len(frame))
        if magic == 0xA1B2CD34:
            out += struct.pack(order + "IHBB", 1, 0, 0, 0)
        out += frame
    return out


def block(order: str, kind: int, body: bytes) -> bytes:
    """A pcapng block, padded."""
    body += bytes(-len(body) % 4)
    length = struct.pack(order + "I", len(body) + 12)
    return struct.pack(order + "I", kind) + length + body + length


def section(order: str = "<", major: int = 1) -> bytes:
    """A section header of unknown length."""
    return block(order, 0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, major, 0, -1))


def interface(order: str = "<", linktype: int = 1, snaplen: int = 0, options: bytes = b"") -> bytes:
    """An interface description."""
    return block(order, 1, struct.pack(order + "HHI", linktype, 0, snaplen) + options)


def option(code: int, value: bytes, order: str = "<") -> bytes:
    """An option, padded."""
    return struct.pack(order + "HH", code, len(value)) + value + bytes(-len(value) % 4)


def enhanced(frame: bytes, stamp: int = 0, number: int = 0, order: str = "<", captured: int = -1) -> bytes:
    """An enhanced packet; `stamp` in the interface's units."""
    length = len(frame) if captured < 0 else captured
    return block(order, 6, struct.pack(order + "IIIII", number, stamp >> 32, stamp & 0xFFFFFFFF, length, length) + frame)


def simple(frame: bytes, original: int = -1, order: str = "<") -> bytes:
    """A simple packet."""
    return block(order, 3, struct.pack(order + "I", len(frame) if original < 0 else original) + frame)


def obsolete(frame: bytes, stamp: int, number: int = 0, order: str = "<") -> bytes:
    """A packet block of the first pcapng drafts."""
    return block(order, 2, struct.pack(order + "HHIIII", number, 0, stamp >> 32, stamp & 0xFFFFFFFF, len(frame), len(frame)) + frame)
