"""Segmentation in software: a frame too big for the wire becomes the frames that a network card would have made of it.

TCP segments over IPv4 and IPv6, and fragments of UDP datagrams.  Lengths are bytes of whole frames from the Ethernet header on.
"""

from __future__ import annotations

from typing import Final, final

from mypy_extensions import i64

from ringscope_core.net.checksum import checksum, fold, ones_sum, transport_checksum
from ringscope_core.net.packet import ETH_HLEN, ETH_P_IP, ETH_P_IPV6, ETH_P_VLAN, IPPROTO_TCP, IPPROTO_UDP, be16
from ringscope_core.net.parse import MAX_VLAN_TAGS, u16
from ringscope_core.net.vnet_header import GSO_ECN, GSO_TCPV4, GSO_TCPV6, GSO_UDP

TH_FIN_PSH: Final[i64] = 0x09
TH_CWR: Final[i64] = 0x80
IP6_HOP_BY_HOP: Final[i64] = 0
IP6_ROUTING: Final[i64] = 43
IP6_FRAGMENT: Final[i64] = 44
IP6_DESTINATION: Final[i64] = 60
MIN_FRAGMENT: Final[i64] = 8
"""Fragments but the last hold a multiple of 8 bytes."""


def be32(value: i64) -> bytes:
    """Four bytes, most significant first."""
    return bytes(((value >> 24) & 0xFF, (value >> 16) & 0xFF, (value >> 8) & 0xFF, value & 0xFF))


@final
class Layout:
    """Where the headers of a TCP or UDP frame are; `protocol` is -1 for anything else, and for a fragment."""

    def __init__(self, frame: bytes) -> None:
        self.l3: i64 = -1
        self.l4: i64 = -1
        self.is_ip4: bool = False
        self.protocol: i64 = -1
        self.next_header_at: i64 = -1
        """IPv6: where the number of the transport protocol stands."""
        size: i64 = len(frame)
        if size < ETH_HLEN:
            return
        at: i64 = 12
        tags: i64 = 0
        while u16(frame, at) == ETH_P_VLAN and tags < MAX_VLAN_TAGS and at + 6 <= size:
            at += 4
            tags += 1
        self.l3 = at + 2
        ethertype = u16(frame, at)
        if ethertype == ETH_P_IP:
            self._ip4(frame, size)
        elif ethertype == ETH_P_IPV6:
            self._ip6(frame, size)

    def _ip4(self, frame: bytes, size: i64) -> None:
        at = self.l3
        if size < at + 20 or frame[at] >> 4 != 4 or frame[at] & 15 < 5 or u16(frame, at + 6) & 0x3FFF != 0:
            return
        self.is_ip4 = True
        self.l4 = at + (i64(frame[at]) & 15) * 4
        self._transport(frame, size, frame[at + 9])

    def _ip6(self, frame: bytes, size: i64) -> None:
        if size < self.l3 + 40 or frame[self.l3] >> 4 != 6:
            return
        self.next_header_at = self.l3 + 6
        at = self.l3 + 40
        protocol: i64 = frame[self.next_header_at]
        while protocol in (IP6_HOP_BY_HOP, IP6_ROUTING, IP6_DESTINATION):
            if size < at + 8:
                return
            self.next_header_at = at
            protocol = frame[at]
            at += (i64(frame[at + 1]) + 1) * 8
        self.l4 = at
        self._transport(frame, size, protocol)

    def _transport(self, frame: bytes, size: i64, protocol: i64) -> None:
        room = size - self.l4
        if protocol == IPPROTO_UDP:
            whole = room >= 8
        else:
            whole = protocol == IPPROTO_TCP and room >= 20 and frame[self.l4 + 12] >> 4 >= 5 and size >= self.data(frame)
        if whole:
            self.protocol = protocol

    def data(self, frame: bytes) -> i64:
        """Where TCP's data begins."""
        return self.l4 + (i64(frame[self.l4 + 12]) >> 4) * 4

    def addresses(self, frame: bytes) -> tuple[bytes, bytes]:
        """Source and destination."""
        at = self.l3
        if self.is_ip4:
            return frame[at + 12 : at + 16], frame[at + 16 : at + 20]
        return frame[at + 8 : at + 24], frame[at + 24 : at + 40]

    def ip_headers(self, frame: bytes, length: i64, ident: i64, fragment: i64) -> bytes:
        """Everything in front of the transport header, for a packet whose transport part has `length` bytes; IPv4's checksum comes out right.

        `ident` and `fragment` are IPv4's, `fragment` the flags and offset.
        """
        at = self.l3
        if not self.is_ip4:
            return frame[: at + 4] + be16(self.l4 - at - 40 + length) + frame[at + 6 : self.l4]
        header = frame[at : at + 2] + be16(self.l4 - at + length) + be16(ident) + be16(fragment) + frame[at + 8 : at + 10] + b"\0\0" + frame[at + 12 : self.l4]
        return frame[:at] + header[:10] + be16(checksum(header)) + header[12:]


def complete_checksum(frame: bytes, start: i64, offset: i64) -> bytes:
    """`frame` with the sum from `start` to its end in the field at `start` + `offset`, which holds the pseudo header's sum so far.

    Empty when the field does not lie inside.
    """
    size: i64 = len(frame)
    at = start + offset
    if start >= size or at + 2 > size:
        return b""
    value = fold(ones_sum(frame, start, size))
    # for UDP zero means "none" (RFC 768); for the others all ones is as good
    return frame[:at] + be16(0xFFFF if value == 0 else value) + frame[at + 2 :]


def segment_tcp(frame: bytes, layout: Layout, gso_size: i64) -> list[bytes]:
    """TCP segments with at most `gso_size` bytes of data each.

    FIN and PSH go with the last one, CWR with the first; IPv4's identification counts up.
    """
    l4 = layout.l4
    data_at = layout.data(frame)
    size: i64 = len(frame)
    source, destination = layout.addresses(frame)
    sequence = u16(frame, l4 + 4) << 16 | u16(frame, l4 + 6)
    flags: i64 = frame[l4 + 13]
    ident: i64 = u16(frame, layout.l3 + 4) if layout.is_ip4 else 0
    fragment: i64 = u16(frame, layout.l3 + 6) if layout.is_ip4 else 0
    ports = frame[l4 : l4 + 4]
    middle = frame[l4 + 8 : l4 + 13]
    window = frame[l4 + 14 : l4 + 16]
    rest = frame[l4 + 18 : data_at]
    out: list[bytes] = []
    at = data_at
    while True:
        end = min(size, at + gso_size)
        now = flags
        if end < size:
            now &= ~TH_FIN_PSH
        if at > data_at:
            now &= ~TH_CWR
        segment = ports + be32(sequence + at - data_at) + middle + bytes((now & 0xFF,)) + window + b"\0\0" + rest + frame[at:end]
        value = transport_checksum(source, destination, IPPROTO_TCP, segment)
        headers = layout.ip_headers(frame, len(segment), ident, fragment)
        out.append(headers + segment[:16] + be16(value) + segment[18:])
        ident += 1
        at = end
        if at >= size:
            return out


def fragment_udp(frame: bytes, layout: Layout, gso_size: i64) -> list[bytes]:
    """Fragments of a UDP datagram, whose checksum is made anew, with at most `gso_size` bytes behind the IP header each."""
    l4 = layout.l4
    size: i64 = len(frame)
    source, destination = layout.addresses(frame)
    datagram = frame[l4 : l4 + 4] + be16(size - l4) + b"\0\0" + frame[l4 + 8 :]
    value = transport_checksum(source, destination, IPPROTO_UDP, datagram)
    datagram = datagram[:6] + be16(0xFFFF if value == 0 else value) + datagram[8:]
    total: i64 = len(datagram)
    if total <= gso_size:
        ident: i64 = u16(frame, layout.l3 + 4) if layout.is_ip4 else 0
        return [layout.ip_headers(frame, total, ident, u16(frame, layout.l3 + 6) if layout.is_ip4 else 0) + datagram]
    # IPv6 has its fragment header among them
    room = (gso_size if layout.is_ip4 else gso_size - 8) & ~7
    if room < MIN_FRAGMENT:
        return []
    out: list[bytes] = []
    at: i64 = 0
    while at < total:
        end = min(total, at + room)
        more: i64 = 1 if end < total else 0
        if layout.is_ip4:
            out.append(layout.ip_headers(frame, end - at, u16(frame, layout.l3 + 4), at >> 3 | more << 13) + datagram[at:end])
        else:
            out.append(_fragment6(frame, layout, value, datagram[at:end], at | more))
        at = end
    return out


def _fragment6(frame: bytes, layout: Layout, ident: i64, piece: bytes, offset: i64) -> bytes:
    """An IPv6 fragment (RFC 8200, 4.5); the datagram's checksum serves as identification."""
    headers = layout.ip_headers(frame, 8 + i64(len(piece)), 0, 0)
    at = layout.next_header_at
    headers = headers[:at] + bytes((IP6_FRAGMENT,)) + headers[at + 1 :]
    return headers + bytes((IPPROTO_UDP, 0)) + be16(offset) + be32(ident) + piece


def segment(frame: bytes, gso_type: i64, gso_size: i64) -> list[bytes]:
    """The frames that `frame` becomes; empty when type, size and headers do not fit each other."""
    kind = gso_type & ~GSO_ECN
    layout = Layout(frame)
    if gso_size <= 0:
        return []
    if kind in (GSO_TCPV4, GSO_TCPV6):
        if layout.protocol != IPPROTO_TCP or layout.is_ip4 != (kind == GSO_TCPV4):
            return []
        return segment_tcp(frame, layout, gso_size)
    if kind == GSO_UDP and layout.protocol == IPPROTO_UDP:
        return fragment_udp(frame, layout, gso_size)
    return []
