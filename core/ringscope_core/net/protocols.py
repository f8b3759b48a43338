"""Which protocols a received frame speaks, in the way of QEMU's receive filter of packets (eth_get_protocols, eth_parse_ipv6_hdr).

More forgiving than `parse`: a frame counts as IP by its version alone, lengths and checksums are not looked at.
"""

from __future__ import annotations

from typing import Final, final

from mypy_extensions import i64

from ringscope_core.net.packet import ETH_HLEN, ETH_P_IP, ETH_P_IPV6, ETH_P_VLAN, IPPROTO_TCP, IPPROTO_UDP
from ringscope_core.net.parse import u16

ETH_P_DVLAN: Final[i64] = 0x88A8
IP6_HOP_BY_HOP: Final[i64] = 0
IP6_ROUTING: Final[i64] = 43
IP6_FRAGMENT: Final[i64] = 44
IP6_AUTHENTICATION: Final[i64] = 51
IP6_DESTINATION: Final[i64] = 60
IP6_MOBILITY: Final[i64] = 135
IP6_OPT_PAD1: Final[i64] = 0
IP6_OPT_HOME: Final[i64] = 0xC9


@final
class Protocols:
    """What the frame that was looked at last is (NetRxPkt); offsets in bytes from its start.

    The IP headers stay from one frame to the next: of one that is cut, QEMU takes the missing bytes from the frame before.
    """

    def __init__(self) -> None:
        self.frame: bytes = b""
        self.l4: i64 = 0
        self.is_ip4: bool = False
        self.is_ip6: bool = False
        self.is_tcp: bool = False
        self.is_udp: bool = False
        self.fragment: bool = False
        self.ip4_header: bytes = bytes(20)
        self.ip6_header: bytes = bytes(40)
        self.ex_source: bytes = b""
        """The home address of a destination options header; empty without."""
        self.ex_destination: bytes = b""
        """The address of a type 2 routing header; empty without."""

    def look_at(self, frame: bytes) -> None:
        """Look at `frame`, which may be anything."""
        self.frame = frame
        self.is_ip4 = False
        self.is_ip6 = False
        self.is_tcp = False
        self.is_udp = False
        self.fragment = False
        l3 = _l2_header_length(frame)
        ethertype: i64 = u16(frame, l3 - 2) if l3 >= 2 else 0
        protocol: i64 = -1
        if ethertype == ETH_P_IP:
            self.is_ip4 = True
            protocol = self._ip4(l3)
        elif ethertype == ETH_P_IPV6:
            self.is_ip6 = True
            protocol = self._ip6(l3)
        if not self.fragment:
            room = i64(len(frame)) - self.l4
            self.is_tcp = protocol == IPPROTO_TCP and room >= 20
            self.is_udp = protocol == IPPROTO_UDP and room >= 8

    def _ip4(self, l3: i64) -> i64:
        """Take the IPv4 header; its protocol, -1 when it is none or cut."""
        here = self.frame[l3 : l3 + 20]
        header = here + self.ip4_header[len(here) :]
        self.ip4_header = header
        if len(here) < 20 or header[0] >> 4 != 4:
            return -1
        self.fragment = u16(header, 6) & 0x3FFF != 0
        self.l4 = l3 + (i64(header[0]) & 15) * 4
        return header[9]

    def _ip6(self, l3: i64) -> i64:
        """Take the IPv6 header and walk the extension headers; the protocol after them, -1 when they are cut."""
        frame = self.frame
        size: i64 = len(frame)
        self.ex_source = b""
        self.ex_destination = b""
        here = frame[l3 : l3 + 40]
        self.ip6_header = here + self.ip6_header[len(here) :]
        if len(here) < 40:
            return -1
        at = l3 + 40
        kind: i64 = here[6]
        while _is_extension(kind):
            if size < at + 2:
                return -1
            units: i64 = frame[at + 1]
            if kind == IP6_ROUTING:
                # one address: the header is 24 bytes
                if units == 2:
                    self.ex_destination = _routing_address(frame, at)
            elif kind == IP6_DESTINATION:
                self.ex_source = _home_address(frame, at, (units + 1) * 8 - 2)
            elif kind == IP6_FRAGMENT:
                self.fragment = True
            kind = frame[at]
            at += (units + 1) * 8
        self.l4 = at
        return kind

    def addresses(self, ex: bool) -> bytes:
        """Source and destination address; with `ex` those that extension headers put in their place."""
        if self.is_ip4:
            return self.ip4_header[12:20]
        source, destination = self.ip6_header[8:24], self.ip6_header[24:40]
        if ex and self.ex_source:
            source = self.ex_source
        if ex and self.ex_destination:
            destination = self.ex_destination
        return source + destination

    def ports(self) -> bytes:
        """Source and destination port of TCP or UDP."""
        return self.frame[self.l4 : self.l4 + 4]


def _l2_header_length(frame: bytes) -> i64:
    """Bytes in front of the network header; a frame with no room for a VLAN tag is taken to be nothing else (eth_get_l2_hdr_length_iov)."""
    size: i64 = len(frame)
    if size < ETH_HLEN + 4:
        return size
    ethertype = u16(frame, 12)
    if ethertype == ETH_P_DVLAN and u16(frame, 16) == ETH_P_VLAN:
        return ETH_HLEN + 8 if size >= ETH_HLEN + 8 else 0
    return ETH_HLEN + 4 if ethertype in (ETH_P_VLAN, ETH_P_DVLAN) else ETH_HLEN


def _is_extension(kind: i64) -> bool:
    return kind in (IP6_HOP_BY_HOP, IP6_ROUTING, IP6_FRAGMENT, IP6_AUTHENTICATION, IP6_DESTINATION, IP6_MOBILITY)


def _routing_address(frame: bytes, at: i64) -> bytes:
    """The home address of a type 2 routing header (RFC 6275, 6.4), empty when it is another or cut."""
    if len(frame) < at + 24 or frame[at + 2] != 2 or frame[at + 3] != 1:
        return b""
    return frame[at + 8 : at + 24]


def _home_address(frame: bytes, at: i64, left: i64) -> bytes:
    """The address in the Home Address option (RFC 6275, 6.3) of the `left` bytes of options at `at` + 2, empty when there is none."""
    size: i64 = len(frame)
    option = at + 2
    while left > 2:
        if size < option + 2:
            return b""
        kind: i64 = frame[option]
        length: i64 = 1 if kind == IP6_OPT_PAD1 else i64(frame[option + 1]) + 2
        if length > left:
            return b""
        if kind == IP6_OPT_HOME:
            return frame[option + 2 : option + 18] if size >= option + 18 else b""
        option += length
        left -= length
    return b""
