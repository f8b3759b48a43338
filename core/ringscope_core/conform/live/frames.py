"""Ethernet frames to throw at a device: mostly sensible, some not."""

from __future__ import annotations

import random
import struct
from typing import Final

MAC: Final = bytes.fromhex("525400123456")
BROADCAST: Final = b"\xff" * 6
OTHERS: Final = (
    MAC,
    MAC,
    MAC,
    BROADCAST,
    bytes.fromhex("01005e000001"),
    bytes.fromhex("333300000001"),
    bytes.fromhex("525400aabbcc"),
    bytes.fromhex("01005e7f0001"),
    bytes.fromhex("5254000a0b0c"),
)
TYPES: Final = (0x0800, 0x0800, 0x86DD, 0x0806, 0x8100, 0x8100, 0x88A8, 0x1234)
SIZES: Final = (60, 60, 60, 64, 98, 128, 590, 1514, 1514, 1518, 1400, 100, 342, 60, 1000, 2000, 4000, 9000, 65000)
VIDS: Final = (0, 1, 5, 100, 4095)


def addresses(rng: random.Random) -> bytes:
    """Destination and source."""
    return rng.choice(OTHERS) + bytes.fromhex("525400000001")


def ip_frame(rng: random.Random, size: int) -> bytes:
    """An IPv4 frame with TCP or UDP of about `size` bytes; checksums not filled in."""
    proto = rng.choice((6, 17))
    body = rng.randbytes(max(8, size - 54))
    ports = rng.choice(((1024, 80), (67, 68), (53, 1024), (5000, 5000)))
    if proto == 6:
        segment = struct.pack(">HHIIBBHHH", *ports, rng.choice((1, 1000)), 1, 0x50, 0x18, 1000, 0, 0) + body
    else:
        segment = struct.pack(">HHHH", *ports, 8 + len(body), 0) + body
    header = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(segment) & 0xFFFF, 1, 0, 64, proto, 0, bytes((10, 0, 0, 1)), bytes((10, 0, 0, 2)))
    return addresses(rng) + b"\x08\x00" + header + segment


def frame(rng: random.Random, most: int = 9000) -> bytes:
    """One frame."""
    size = min(most, rng.choice(SIZES) if rng.random() < 0.9 else rng.randrange(1, rng.choice((200, 2000, most))))
    if rng.random() < 0.2 and size >= 60:
        return ip_frame(rng, size)[:most]
    ethertype = rng.choice(TYPES)
    head = addresses(rng)
    if ethertype == 0x8100:
        head += struct.pack(">HHH", 0x8100, rng.choice(VIDS) | rng.choice((0, 0x2000)), 0x0800)
    else:
        head += struct.pack(">H", ethertype)
    return (head + rng.randbytes(max(0, size - len(head))))[:size]


def vnet_header(rng: random.Random, length: int, size: int) -> bytes:
    """A virtio_net_hdr of `length` bytes for a frame of `size` bytes."""
    if rng.random() < 0.7:
        return bytes(length)
    flags = rng.choice((0, 1, 2, 3, rng.randrange(256)))
    gso = rng.choice((0, 0, 1, 3, 4, 0x81, rng.randrange(256)))
    start = rng.choice((14, 34, 54, rng.randrange(0, size + 20)))
    packed = struct.pack("<BBHHHH", flags, gso, rng.choice((0, 34, 54)), rng.choice((0, 100, 1448)), start & 0xFFFF, rng.choice((6, 16, 0)))
    return (packed + bytes(length))[:length]


class Flow:
    """One direction of a TCP connection, segment by segment: what receive coalescing looks for."""

    def __init__(self, rng: random.Random) -> None:
        self.v6: bool = rng.random() < 0.4
        self.ports: tuple[int, int] = (rng.choice((80, 443)), rng.choice((1024, 2048)))
        self.seq: int = rng.choice((1, 1000, 0xFFFFF000, rng.getrandbits(32)))
        self.ack: int = rng.choice((1, 0xFFFFFF00))

    def segment(self, rng: random.Random) -> bytes:
        """The next segment, now and then out of order, empty, or with another flag."""
        size = rng.choice((0, 1, 100, 1448, 1448, 1448, 1400))
        seq = (self.seq + rng.choice((0, 0, 0, 0, 0, 1, -100, 1 << 17))) & 0xFFFFFFFF
        flags = rng.choice((0x10, 0x10, 0x10, 0x18, 0x18, 0x02, 0x11, 0x04, 0x30, 0x50))
        self.ack = (self.ack + rng.choice((0, 0, 0, 1, 1000, 70000))) & 0xFFFFFFFF
        options = bytes(12) if rng.random() < 0.15 else b""
        tcp = struct.pack(">HHIIBBHHH", *self.ports, seq, self.ack, (5 + len(options) // 4) << 4, flags, rng.choice((1000, 1000, 2000)), 0, 0)
        body = tcp + options + rng.randbytes(size)
        self.seq = (self.seq + size) & 0xFFFFFFFF
        if self.v6:
            head = struct.pack(">IHBB", rng.choice((6 << 28, 6 << 28, 6 << 28 | 1 << 20)), len(body) + rng.choice((0, 0, 0, 8)), rng.choice((6, 6, 6, 17)), 64)
            return MAC + bytes.fromhex("525400000001") + b"\x86\xdd" + head + bytes(15) + b"\x01" + bytes(15) + b"\x02" + body
        fragment = rng.choice((0x4000, 0x4000, 0x4000, 0, 0x2000))
        head = struct.pack(
            ">BBHHHBBH4s4s",
            rng.choice((0x45, 0x45, 0x45, 0x46)),
            rng.choice((0, 0, 0, 2, 4)),
            20 + len(body) + rng.choice((0, 0, 0, 0, 4)) & 0xFFFF,
            1,
            fragment,
            64,
            rng.choice((6, 6, 6, 17)),
            0,
            bytes((10, 0, 0, 1)),
            bytes((10, 0, 0, 2)),
        )
        return MAC + bytes.fromhex("525400000001") + b"\x08\x00" + head + body
