"""struct virtio_net_hdr, before every frame in a virtio-net buffer and on a tap (virtio 1.2, 5.1.6): 10 bytes, 12 with num_buffers, 20 with a hash."""

from __future__ import annotations

from typing import Final, final

from mypy_extensions import i64

HDR_LEGACY: Final[i64] = 10
HDR_MERGEABLE: Final[i64] = 12
HDR_HASH: Final[i64] = 20

NEEDS_CSUM: Final[i64] = 1
"""The checksum at csum_start + csum_offset holds the pseudo header's sum: whoever needs it completes it."""
DATA_VALID: Final[i64] = 2
"""The checksum was verified."""
RSC_INFO: Final[i64] = 4
"""csum_start and csum_offset count coalesced segments and duplicate acknowledgements."""

GSO_NONE: Final[i64] = 0
GSO_TCPV4: Final[i64] = 1
GSO_UDP: Final[i64] = 3
GSO_TCPV6: Final[i64] = 4
GSO_ECN: Final[i64] = 0x80

NO_HASH: Final[i64] = 0


@final
class VnetHeader:
    """One header's fields; sizes and offsets in bytes from the frame's start."""

    def __init__(self) -> None:
        self.flags: i64 = 0
        self.gso_type: i64 = GSO_NONE
        self.hdr_len: i64 = 0
        self.gso_size: i64 = 0
        self.csum_start: i64 = 0
        self.csum_offset: i64 = 0
        self.num_buffers: i64 = 0
        self.hash_value: i64 = 0
        self.hash_report: i64 = NO_HASH

    def to_bytes(self, size: i64) -> bytes:
        """The header in `size` bytes (one of the three)."""
        data = bytes([self.flags, self.gso_type]) + le16(self.hdr_len) + le16(self.gso_size) + le16(self.csum_start) + le16(self.csum_offset)
        return data + bytes(int(size) - 10)

    def problem(self, size: i64) -> str:
        """What is wrong with it before a frame of `size` bytes, empty when nothing is."""
        kind = self.gso_type & ~GSO_ECN
        if kind not in (GSO_NONE, GSO_TCPV4, GSO_UDP, GSO_TCPV6):
            return "unknown gso type"
        if kind != GSO_NONE and self.gso_size == 0 and not self.flags & RSC_INFO:
            return "gso size 0"
        if self.flags & NEEDS_CSUM and self.csum_start + self.csum_offset + 2 > size:
            return "checksum outside of the frame"
        return ""


def le16(value: i64) -> bytes:
    """A little-endian 16 bit number."""
    return bytes([value & 0xFF, value >> 8 & 0xFF])


def parse_header(data: bytes, size: i64) -> VnetHeader:
    """The header in the first `size` bytes of `data`."""
    header = VnetHeader()
    header.flags = data[0]
    header.gso_type = data[1]
    header.hdr_len = i64(data[2]) | i64(data[3]) << 8
    header.gso_size = i64(data[4]) | i64(data[5]) << 8
    header.csum_start = i64(data[6]) | i64(data[7]) << 8
    header.csum_offset = i64(data[8]) | i64(data[9]) << 8
    if size >= HDR_MERGEABLE:
        header.num_buffers = i64(data[10]) | i64(data[11]) << 8
    if size >= HDR_HASH:
        header.hash_value = int.from_bytes(data[12:16], "little")
        header.hash_report = i64(data[16]) | i64(data[17]) << 8
    return header
