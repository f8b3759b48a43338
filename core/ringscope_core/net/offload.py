"""virtio_net_hdr for backends: what the device leaves unfinished is finished here, once, before it goes to a place that cannot.

The other way round, frames may come to the driver unfinished, or bigger than the wire's, as far as it has said that it takes them
(virtio 1.x, 5.1.6.2 and 5.1.6.4).
"""

from __future__ import annotations

from typing import Final, final

from mypy_extensions import i64

from ringscope_core.net.checksum import fold, pseudo_sum
from ringscope_core.net.gso import (
    GSO_ECN,
    GSO_NONE,
    GSO_TCPV4,
    GSO_TCPV6,
    GSO_UDP,
    TH_CWR,
    Layout,
    complete_checksum,
    fragment_udp,
    segment,
    segment_tcp,
)
from ringscope_core.net.packet import ETH_HLEN, IPPROTO_TCP, be16
from ringscope_core.net.parse import parse

HDR_LEN: Final[i64] = 10
HDR_F_NEEDS_CSUM: Final[i64] = 1
HDR_F_DATA_VALID: Final[i64] = 2
HDR_LENGTHS: Final = (10, 12, 20)
"""Headers that a driver can have agreed on; only the first 10 bytes say something."""
VLAN_ROOM: Final[i64] = 8
"""Two tags do not make a frame too big."""
TCP_CHECKSUM: Final[i64] = 16
UDP_CHECKSUM: Final[i64] = 6

RX_NONE: Final[i64] = 0
RX_VALID: Final[i64] = 1
RX_PARTIAL: Final[i64] = 2
RX_NAMES: Final = ("none", "valid", "partial")
"""How checksums of frames to the driver are presented: whole and not spoken of, whole and vouched for, or for the driver to finish."""


def _le16(value: i64) -> bytes:
    return bytes((value & 0xFF, (value >> 8) & 0xFF))


def _u16_le(data: bytes, at: i64) -> i64:
    return i64(data[at]) | i64(data[at + 1]) << 8


@final
class Offload:
    """The header's two ends for one client of a backend."""

    def __init__(self, rx_csum: i64 = RX_NONE, mtu: i64 = 1500) -> None:
        self.rx_csum: i64 = rx_csum
        self.mtu: i64 = mtu
        """Largest IP packet (bytes) of the place behind the backend."""
        self.hdr_len: i64 = 0
        """0 until a NIC uses headers."""
        self.csum: bool = False
        """What the driver takes unfinished, from here on."""
        self.tso4: bool = False
        self.tso6: bool = False
        self.ecn: bool = False
        self.ufo: bool = False
        self.completed: i64 = 0
        """Checksums finished."""
        self.segmented: i64 = 0
        """Frames that became several."""
        self.bad_headers: i64 = 0
        """Frames whose header contradicts them: dropped."""

    # -- from the device ----------------------------------------------------------------------------------------------
    def payload(self, frame: bytes) -> bytes:
        """The frame behind the header, as it is."""
        return frame[self.hdr_len :]

    def finish(self, frame: bytes) -> list[bytes]:
        """The plain frames that `frame`, with its header, stands for."""
        at = self.hdr_len
        if at == 0:
            return [frame]
        if len(frame) < at:
            self.bad_headers += 1
            return []
        plain = frame[at:]
        kind: i64 = frame[1]
        if kind != GSO_NONE:
            # every segment's checksum is made anew
            pieces = segment(plain, kind, _u16_le(frame, 4))
            if not pieces:
                self.bad_headers += 1
            elif len(pieces) > 1:
                self.segmented += 1
            return pieces
        if frame[0] & HDR_F_NEEDS_CSUM == 0:
            return [plain]
        whole = complete_checksum(plain, _u16_le(frame, 6), _u16_le(frame, 8))
        if not whole:
            self.bad_headers += 1
            return []
        self.completed += 1
        return [whole]

    def finish_whole(self, frame: bytes) -> bytes:
        """The same for a place that takes any size: its checksums are right, but it stays one frame; empty for a bad header."""
        at = self.hdr_len
        if at == 0 or len(frame) < at:
            return frame if at == 0 else b""
        kind: i64 = frame[1]
        if kind == GSO_NONE:
            pieces = self.finish(frame)
            return pieces[0] if pieces else b""
        # one segment as big as the frame
        whole = segment(frame[at:], kind, len(frame))
        if not whole:
            self.bad_headers += 1
            return b""
        self.completed += 1
        return whole[0]

    # -- to the device ------------------------------------------------------------------------------------------------
    def takes(self, kind: i64) -> bool:
        """Whether the driver takes frames of this gso_type."""
        if kind & GSO_ECN and not self.ecn:
            return False
        base = kind & ~GSO_ECN
        if base == GSO_NONE:
            return True
        if not self.csum:
            return False
        return (base == GSO_TCPV4 and self.tso4) or (base == GSO_TCPV6 and self.tso6) or (base == GSO_UDP and self.ufo)

    def relay(self, frame: bytes, source: Offload) -> list[bytes]:
        """A frame with the header of `source`, for this side: untouched when the driver here takes it so, finished otherwise."""
        size = source.hdr_len
        if self.hdr_len == 0 or size == 0 or len(frame) < size:
            return [self.plain(piece) for piece in source.finish(frame)]
        if self.takes(frame[1]) and (self.csum or frame[0] & HDR_F_NEEDS_CSUM == 0):
            if self.hdr_len == size:
                return [frame]
            return [frame[:HDR_LEN] + bytes(int(self.hdr_len - HDR_LEN)) + frame[size:]]
        return [self.plain(piece) for piece in source.finish(frame)]

    def plain(self, frame: bytes) -> bytes:
        """`frame` with an empty header, when there are headers."""
        return bytes(int(self.hdr_len)) + frame

    def present(self, frame: bytes) -> list[bytes]:
        """A plain frame for the driver: with its header, as one big frame or in pieces as the driver wants."""
        if self.hdr_len == 0:
            return [frame]
        if len(frame) > self.mtu + ETH_HLEN + VLAN_ROOM:
            return self._present_big(frame)
        if not self.csum or self.rx_csum == RX_NONE:
            return [self.plain(frame)]
        parsed = parse(frame)
        if parsed.error or parsed.source_port < 0 or not parsed.transport_checksum_ok():
            return [self.plain(frame)]
        offset = TCP_CHECKSUM if parsed.protocol == IPPROTO_TCP else UDP_CHECKSUM
        field = parsed.l4 + offset
        if offset == UDP_CHECKSUM and frame[field : field + 2] == b"\0\0":
            return [self.plain(frame)]
        # padding would be summed by the driver, so such a frame is vouched for instead
        if self.rx_csum == RX_VALID or parsed.end != len(frame):
            return [bytes((HDR_F_DATA_VALID,)) + bytes(int(self.hdr_len - 1)) + frame]
        start = fold(pseudo_sum(parsed.source_ip(), parsed.destination_ip(), parsed.protocol, parsed.end - parsed.l4)) ^ 0xFFFF
        partial = frame[:field] + be16(start) + frame[field + 2 :]
        return [self._header(HDR_F_NEEDS_CSUM, GSO_NONE, 0, 0, parsed.l4, offset) + partial]

    def _header(self, flags: i64, kind: i64, hdr_len: i64, gso_size: i64, start: i64, offset: i64) -> bytes:
        head = bytes((flags, kind)) + _le16(hdr_len) + _le16(gso_size) + _le16(start) + _le16(offset)
        return head + bytes(int(self.hdr_len - HDR_LEN))

    def _present_big(self, frame: bytes) -> list[bytes]:
        layout = Layout(frame)
        if layout.protocol < 0:
            return [self.plain(frame)]
        ip_header = layout.l4 - layout.l3
        tcp = layout.protocol == IPPROTO_TCP
        start: i64 = layout.data(frame) if tcp else layout.l4
        # what fits behind the IP header, and behind TCP's
        room = (self.mtu - ip_header) & ~7
        if tcp:
            room = self.mtu - (start - layout.l3)
        if room < 8:
            return [self.plain(frame)]
        kind = GSO_UDP
        if tcp:
            kind = GSO_TCPV4 if layout.is_ip4 else GSO_TCPV6
            if frame[layout.l4 + 13] & TH_CWR:
                kind |= GSO_ECN
        if self.takes(kind):
            return [self._as_gso(frame, layout, kind, start if tcp else layout.l4 + 8, room)]
        self.segmented += 1
        pieces = segment_tcp(frame, layout, room) if tcp else fragment_udp(frame, layout, room)
        return [self.plain(piece) for piece in pieces]

    def _as_gso(self, frame: bytes, layout: Layout, kind: i64, headers: i64, gso_size: i64) -> bytes:
        source, destination = layout.addresses(frame)
        offset = TCP_CHECKSUM if layout.protocol == IPPROTO_TCP else UDP_CHECKSUM
        length = i64(len(frame)) - layout.l4
        field = layout.l4 + offset
        start = fold(pseudo_sum(source, destination, layout.protocol, length)) ^ 0xFFFF
        partial = frame[:field] + be16(start) + frame[field + 2 :]
        return self._header(HDR_F_NEEDS_CSUM, kind, headers, gso_size, layout.l4, offset) + partial
