"""The pseudo header that carries virtio_net_hdr in a pcapng file of link type USER0 (147).

    offset 0   1 byte   version of this layout, 1
    offset 1   1 byte   length of the virtio_net_hdr: 10, 12 or 20; 0 when the frame came to no buffer of the driver's; 255 when it was not recorded
    offset 2   1 byte   direction: 0 sent by the guest, 1 received, 255 unknown
    offset 3   1 byte   0
    offset 4   20 bytes the virtio_net_hdr (virtio 1.x, 5.1.6), zeros behind it
    offset 24           the Ethernet frame

Its length is fixed, so that Wireshark's DLT_USER table dissects what follows: payload ``eth``, header size 24.
"""

from __future__ import annotations

from typing import Final

from ringscope_core.net.vnet_header import parse_header

VERSION: Final = 1
LENGTH: Final = 24
HEADER_AT: Final = 4
NOT_RECORDED: Final = 255
_GSO: Final = {0: "NONE", 1: "TCPV4", 3: "UDP", 4: "TCPV6", 5: "UDP_L4"}
_FLAGS: Final = {1: "NEEDS_CSUM", 2: "DATA_VALID", 4: "RSC_INFO"}


def pseudo_header(header: bytes | None, direction: int) -> bytes:
    """The 24 bytes before a frame."""
    length = NOT_RECORDED if header is None else len(header)
    return bytes((VERSION, length, direction & 0xFF, 0)) + (header or b"").ljust(20, b"\0")


def split(data: bytes) -> tuple[bytes | None, int, bytes] | None:
    """The inverse for ``header + frame``: the virtio_net_hdr, the direction (-1 unknown), the frame; None for anything that is not ours."""
    if len(data) < LENGTH or data[0] != VERSION or data[3] or data[1] not in (0, 10, 12, 20, NOT_RECORDED) or data[2] not in (0, 1, 255):
        return None
    length = data[1]
    header = None if length == NOT_RECORDED else data[HEADER_AT : HEADER_AT + length]
    return header, -1 if data[2] == 255 else data[2], data[LENGTH:]


def fields(header: bytes) -> list[tuple[str, str]]:
    """A virtio_net_hdr's fields, name and value as text, those that its length holds; nothing for one shorter than ten bytes."""
    if len(header) < 10:
        return []
    found = parse_header(header.ljust(20, b"\0"), len(header))
    flags = "|".join(name for bit, name in _FLAGS.items() if found.flags & bit) or "0"
    gso = _GSO.get(int(found.gso_type) & 0x7F, hex(int(found.gso_type))) + ("|ECN" if found.gso_type & 0x80 else "")
    parts = [("flags", flags), ("gso_type", gso), ("hdr_len", str(found.hdr_len)), ("gso_size", str(found.gso_size))]
    parts += [("csum_start", str(found.csum_start)), ("csum_offset", str(found.csum_offset))]
    if len(header) >= 12:
        parts.append(("num_buffers", str(found.num_buffers)))
    if len(header) >= 20:
        parts += [("hash_value", f"0x{int(found.hash_value) & 0xFFFFFFFF:08x}"), ("hash_report", str(found.hash_report))]
    return parts


def words(header: bytes | None) -> str:
    """A virtio_net_hdr as a line: its fields, then its bytes."""
    if header is None:
        return "virtio_net_hdr: not recorded"
    if len(header) < 10:
        return "virtio_net_hdr: none, the frame came to no buffer"
    return f"virtio_net_hdr: {' '.join(f'{name}={value}' for name, value in fields(header))} [{header.hex(' ')}]"
