"""The blocks of a pcapng file (draft-ietf-opsawg-pcapng), little-endian, as bytes."""

from __future__ import annotations

import struct
from typing import Final

LINKTYPE_ETHERNET: Final = 1
LINKTYPE_USER0: Final = 147

OPT_COMMENT: Final = 1
SHB_USERAPPL: Final = 4
IF_NAME: Final = 2
IF_DESCRIPTION: Final = 3
IF_TSRESOL: Final = 9
IF_HARDWARE: Final = 15
EPB_FLAGS: Final = 2
EPB_PACKETID: Final = 5
EPB_QUEUE: Final = 6
ISB_STARTTIME: Final = 2
ISB_ENDTIME: Final = 3
ISB_IFRECV: Final = 4
ISB_IFDROP: Final = 5

FLAG_INBOUND: Final = 1
FLAG_OUTBOUND: Final = 2
NANOSECONDS: Final = b"\x09"
_MAX_OPTION: Final = 0xFFFF


def option(code: int, value: bytes) -> bytes:
    """One option, padded to 32 bits."""
    return struct.pack("<HH", code, len(value)) + value + bytes(-len(value) % 4)


def text(code: int, value: str) -> bytes:
    """A text as an option, nothing for an empty one; a very long one loses its end."""
    data = value.encode()[:_MAX_OPTION].decode("utf-8", "ignore").encode()
    return option(code, data) if data else b""


def block(kind: int, body: bytes) -> bytes:
    """A block around its body, which ends with its options."""
    total = len(body) + 12
    return struct.pack("<II", kind, total) + body + struct.pack("<I", total)


def section(comment: str, application: str) -> bytes:
    """A section header: of unknown length."""
    options = text(OPT_COMMENT, comment) + text(SHB_USERAPPL, application) + option(0, b"")
    return block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1) + options)


def interface(linktype: int, name: str, description: str, hardware: str) -> bytes:
    """An interface description: time stamps in ns."""
    options = text(IF_NAME, name) + text(IF_DESCRIPTION, description) + option(IF_TSRESOL, NANOSECONDS) + text(IF_HARDWARE, hardware) + option(0, b"")
    return block(1, struct.pack("<HHI", linktype, 0, 0) + options)


def packet(number: int, time_ns: int, data: bytes, original: int, options: bytes) -> bytes:
    """An enhanced packet of interface `number`; `original` is its length before it was cut."""
    head = struct.pack("<IIIII", number, time_ns >> 32 & 0xFFFFFFFF, time_ns & 0xFFFFFFFF, len(data), original)
    tail = options + option(0, b"") if options else b""
    return block(6, head + data + bytes(-len(data) % 4) + tail)


def statistics(number: int, time_ns: int, received: int, dropped: int) -> bytes:
    """What an interface saw and lost."""
    options = option(ISB_IFRECV, struct.pack("<Q", received)) + option(ISB_IFDROP, struct.pack("<Q", dropped)) + option(0, b"")
    return block(5, struct.pack("<III", number, time_ns >> 32 & 0xFFFFFFFF, time_ns & 0xFFFFFFFF) + options)
