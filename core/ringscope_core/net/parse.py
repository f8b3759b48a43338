"""Reading frames: where each header begins, and what is wrong, for frames that may be anything.

`parse` never raises; what it could not make sense of is `error`.
"""

from __future__ import annotations

from typing import Final, final

from librt.strings import read_i16_be
from mypy_extensions import i64

from ringscope_core.net.checksum import fold, ones_sum, pseudo_sum
from ringscope_core.net.packet import (
    ETH_HLEN,
    ETH_P_ARP,
    ETH_P_IP,
    ETH_P_IPV6,
    ETH_P_VLAN,
    IPPROTO_ICMP,
    IPPROTO_ICMPV6,
    IPPROTO_TCP,
    IPPROTO_UDP,
)

MAX_VLAN_TAGS: Final[i64] = 2


@final
class ParsedFrame:
    """Offsets (bytes from the frame's start, -1: not there) and numbers of one frame's headers."""

    def __init__(self, frame: bytes) -> None:
        self.frame: bytes = frame
        self.error: str = ""
        """Why it goes no further; empty when every header it knows is whole."""
        self.ethertype: i64 = -1
        self.vlan_tci: i64 = -1
        self.l3: i64 = -1
        self.protocol: i64 = -1
        self.fragment: i64 = 0
        """IPv4's flags and offset field without DF: nonzero for a piece of a datagram."""
        self.l4: i64 = -1
        self.end: i64 = len(frame)
        """End of the IP packet; padding follows."""
        self.payload: i64 = -1
        self.source_port: i64 = -1
        self.destination_port: i64 = -1

    def source_mac(self) -> bytes:
        """Who sent it; empty for a runt."""
        return self.frame[6:12] if len(self.frame) >= 14 else b""

    def destination_mac(self) -> bytes:
        """Whom it is for; empty for a runt."""
        return self.frame[:6] if len(self.frame) >= 14 else b""

    def source_ip(self) -> bytes:
        """4 or 16 bytes, empty without IP."""
        return self._ip(12, 8)

    def destination_ip(self) -> bytes:
        """4 or 16 bytes, empty without IP."""
        return self._ip(16, 24)

    def _ip(self, offset4: i64, offset6: i64) -> bytes:
        if self.protocol < 0:
            return b""
        if self.ethertype == ETH_P_IP:
            return self.frame[self.l3 + offset4 : self.l3 + offset4 + 4]
        return self.frame[self.l3 + offset6 : self.l3 + offset6 + 16]

    def data(self) -> bytes:
        """What follows the last header that was understood, without padding."""
        return self.frame[self.payload : self.end] if self.payload >= 0 else b""

    def transport_checksum_ok(self) -> bool:
        """Whether the TCP, UDP, ICMP or ICMPv6 checksum holds; True where there is none to check."""
        if self.l4 < 0 or self.fragment != 0:
            return True
        total = ones_sum(self.frame, self.l4, self.end)
        if self.protocol == IPPROTO_ICMP and self.ethertype == ETH_P_IP:
            return fold(total) == 0
        if self.protocol == IPPROTO_UDP and self.frame[self.l4 + 6] == 0 and self.frame[self.l4 + 7] == 0:
            # RFC 768: none was computed; IPv6 does not allow that (RFC 8200, 8.1)
            return self.ethertype == ETH_P_IP
        if self.protocol in (IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMPV6):
            return fold(total + pseudo_sum(self.source_ip(), self.destination_ip(), self.protocol, self.end - self.l4)) == 0
        return True


def u16(frame: bytes, at: i64) -> i64:
    """The big-endian 16 bit number at `at`, which must lie inside."""
    return i64(read_i16_be(frame, at)) & 0xFFFF


def parse(frame: bytes) -> ParsedFrame:
    """Take `frame` apart as far as it goes."""
    parsed = ParsedFrame(frame)
    if len(frame) < ETH_HLEN:
        parsed.error = "runt"
        return parsed
    at: i64 = 12
    ethertype = u16(frame, at)
    tags: i64 = 0
    while ethertype == ETH_P_VLAN and tags < MAX_VLAN_TAGS and at + 6 <= len(frame):
        parsed.vlan_tci = u16(frame, at + 2)
        at += 4
        tags += 1
        ethertype = u16(frame, at)
    parsed.ethertype = ethertype
    parsed.l3 = at + 2
    parsed.payload = parsed.l3
    if ethertype == ETH_P_IP:
        _parse_ipv4(parsed)
    elif ethertype == ETH_P_IPV6:
        _parse_ipv6(parsed)
    elif ethertype == ETH_P_ARP and len(frame) < parsed.l3 + 28:
        parsed.error = "ARP packet cut"
    return parsed


def _parse_ipv4(parsed: ParsedFrame) -> None:
    frame = parsed.frame
    at = parsed.l3
    room: i64 = len(frame) - at
    if room < 20:
        parsed.error = "IPv4 header cut"
        return
    header: i64 = (i64(frame[at]) & 15) * 4
    total = u16(frame, at + 2)
    if frame[at] >> 4 != 4 or header < 20:
        parsed.error = "not an IPv4 header"
        return
    if total < header or total > room:
        parsed.error = "IPv4 length"
        return
    if fold(ones_sum(frame, at, at + header)) != 0:
        parsed.error = "IPv4 header checksum"
        return
    parsed.protocol = frame[at + 9]
    parsed.end = at + total
    parsed.payload = at + header
    parsed.fragment = u16(frame, at + 6) & 0x3FFF
    if parsed.fragment == 0:
        _parse_transport(parsed, at + header)


def _parse_ipv6(parsed: ParsedFrame) -> None:
    frame = parsed.frame
    at = parsed.l3
    room: i64 = len(frame) - at
    if room < 40:
        parsed.error = "IPv6 header cut"
        return
    total = 40 + u16(frame, at + 4)
    if frame[at] >> 4 != 6:
        parsed.error = "not an IPv6 header"
        return
    if total > room:
        parsed.error = "IPv6 length"
        return
    parsed.protocol = frame[at + 6]
    parsed.end = at + total
    parsed.payload = at + 40
    _parse_transport(parsed, at + 40)


def _parse_transport(parsed: ParsedFrame, at: i64) -> None:
    """Ports and payload; `l4` is set only for a transport header that is whole."""
    frame = parsed.frame
    room = parsed.end - at
    protocol = parsed.protocol
    if protocol == IPPROTO_UDP:
        if room < 8 or u16(frame, at + 4) < 8 or u16(frame, at + 4) > room:
            parsed.error = "UDP length"
            return
        # what lies between the datagram's end and the packet's is padding too
        parsed.end = at + u16(frame, at + 4)
        parsed.payload = at + 8
    elif protocol == IPPROTO_TCP:
        if room < 20 or (i64(frame[at + 12]) >> 4) * 4 < 20 or (i64(frame[at + 12]) >> 4) * 4 > room:
            parsed.error = "TCP header"
            return
        parsed.payload = at + (i64(frame[at + 12]) >> 4) * 4
    elif protocol in (IPPROTO_ICMP, IPPROTO_ICMPV6):
        if room < 8:
            parsed.error = "ICMP header cut"
            return
        parsed.payload = at + 8
    else:
        return
    parsed.l4 = at
    if protocol in (IPPROTO_UDP, IPPROTO_TCP):
        parsed.source_port = u16(frame, at)
        parsed.destination_port = u16(frame, at + 2)


def flow_hash(frame: bytes) -> i64:
    """A number that both directions of one flow share, for choosing a queue; 0 where there is no IP."""
    parsed = parse(frame)
    if parsed.protocol < 0:
        return 0
    total = ones_sum(frame, parsed.l3 + 12, parsed.l3 + 20) if parsed.ethertype == ETH_P_IP else ones_sum(frame, parsed.l3 + 8, parsed.l3 + 40)
    if parsed.source_port >= 0:
        total += parsed.source_port + parsed.destination_port
    # spread: the sum of few bits that differ must reach the low bits (Knuth's multiplier)
    return (((total & 0xFFFFFFF) * 2654435761) >> 12) & 0x7FFFFFFF
