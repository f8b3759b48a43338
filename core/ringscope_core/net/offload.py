"""Checksums and segmentation that one side leaves to the other: what to leave, and how to do it in software.

A stack hands down whole frames with correct checksums, some longer than the MTU.  `plan` makes the header that lets the other side do the
rest (Linux: virtio_net_hdr_from_skb); `software_pieces` cuts a frame as a stack would (Linux: skb_gso_segment, ip_fragment), and
`complete_checksum` does what a header left undone.
"""

from __future__ import annotations

from typing import Final, final

from mypy_extensions import i64

from ringscope_core.net.checksum import checksum, fold, pseudo_sum
from ringscope_core.net.packet import ETH_P_IP, IP_MF, IPPROTO_TCP, IPPROTO_UDP, be16, ipv4, ipv6, tcp
from ringscope_core.net.parse import ParsedFrame, parse, u16
from ringscope_core.net.vnet_header import GSO_ECN, GSO_NONE, GSO_TCPV4, GSO_TCPV6, GSO_UDP, NEEDS_CSUM, VnetHeader

TCP_FIN_PSH: Final[i64] = 0x09
"""Flags that only the last segment of a piece keeps."""
TCP_CWR: Final[i64] = 0x80
"""The flag that only the first one keeps (RFC 3168, 6.1.2)."""
TCP_CSUM_AT: Final[i64] = 16
UDP_CSUM_AT: Final[i64] = 6


@final
class Accepts:
    """What the other side takes unfinished."""

    def __init__(self, csum: bool = False, tso4: bool = False, tso6: bool = False, ecn: bool = False, ufo: bool = False) -> None:
        self.csum: bool = csum
        self.tso4: bool = tso4
        self.tso6: bool = tso6
        self.ecn: bool = ecn
        self.ufo: bool = ufo

    def large(self) -> bool:
        """Whether it takes any frame longer than the MTU."""
        return self.tso4 or self.tso6 or self.ufo


@final
class Offloaded:
    """A frame as it goes into the ring: its header, and its bytes with the checksum undone."""

    def __init__(self, header: VnetHeader, frame: bytes) -> None:
        self.header: VnetHeader = header
        self.frame: bytes = frame


def plan(frame: bytes, accepts: Accepts, mtu: i64) -> Offloaded | None:
    """How to hand `frame` over; None when that is impossible: longer than `mtu`, and not of a kind that is accepted.

    `accepts.csum` must hold.  Frames without a transport checksum go with an empty header.
    """
    parsed = parse(frame)
    long = parsed.l3 > 0 and len(frame) - parsed.l3 > mtu
    header = VnetHeader()
    at = _checksum_at(parsed)
    if at < 0:
        return None if long else Offloaded(header, frame)
    if long:
        kind = _gso_type(parsed, accepts)
        if kind < 0:
            return None
        header.gso_type = kind
        header.hdr_len = parsed.payload
        header.gso_size = _piece_size(parsed, mtu)
    header.flags = NEEDS_CSUM
    header.csum_start = parsed.l4
    header.csum_offset = at - parsed.l4
    partial = fold(pseudo_sum(parsed.source_ip(), parsed.destination_ip(), parsed.protocol, parsed.end - parsed.l4)) ^ 0xFFFF
    return Offloaded(header, frame[:at] + be16(partial) + frame[at + 2 :])


def _checksum_at(parsed: ParsedFrame) -> i64:
    """Where the transport checksum stands, -1 where there is none to compute."""
    if parsed.error or parsed.l4 < 0 or parsed.fragment:
        return -1
    if parsed.protocol == IPPROTO_TCP:
        return parsed.l4 + TCP_CSUM_AT
    if parsed.protocol == IPPROTO_UDP and u16(parsed.frame, parsed.l4 + UDP_CSUM_AT):
        return parsed.l4 + UDP_CSUM_AT
    return -1


def _gso_type(parsed: ParsedFrame, accepts: Accepts) -> i64:
    """The type of a frame that is too long, -1 for one that is not accepted."""
    four = parsed.ethertype == ETH_P_IP
    if parsed.protocol == IPPROTO_UDP:
        return GSO_UDP if four and accepts.ufo else -1
    if not (accepts.tso4 if four else accepts.tso6):
        return -1
    kind = GSO_TCPV4 if four else GSO_TCPV6
    if i64(parsed.frame[parsed.l4 + 13]) & TCP_CWR:
        if not accepts.ecn:
            return -1
        kind |= GSO_ECN
    return kind


def _piece_size(parsed: ParsedFrame, mtu: i64) -> i64:
    """Payload of one piece: TCP's maximum segment size, or a fragment's length in units of 8 bytes."""
    if parsed.protocol == IPPROTO_UDP:
        return (mtu - (parsed.l4 - parsed.l3)) // 8 * 8
    return mtu - (parsed.payload - parsed.l3)


def software_pieces(frame: bytes, mtu: i64) -> list[bytes]:
    """`frame` in frames that fit `mtu`; nothing when it cannot be cut (neither TCP nor UDP over IPv4, or options)."""
    parsed = parse(frame)
    return _cut(parsed, _piece_size(parsed, mtu)) if parsed.l4 >= 0 and not parsed.error else []


def finish(frame: bytes, header: VnetHeader) -> list[bytes]:
    """The frames that `frame` becomes on a wire once everything is done that its header left undone; nothing for one that makes no sense."""
    if header.problem(len(frame)):
        return []
    if header.gso_type == GSO_NONE:
        return [complete_checksum(frame, header)]
    # a fragmented datagram has its checksum in the first fragment; segments get their own
    parsed = parse(complete_checksum(frame, header))
    return _cut(parsed, header.gso_size) if parsed.l4 >= 0 and not parsed.error and header.gso_size else []


def _cut(parsed: ParsedFrame, size: i64) -> list[bytes]:
    """A frame in pieces of `size` bytes of payload, with checksums of their own."""
    if parsed.protocol == IPPROTO_UDP and parsed.ethertype == ETH_P_IP:
        return _fragments(parsed, size)
    # headers without options, as the stack's are
    plain = parsed.l4 - parsed.l3 == (20 if parsed.ethertype == ETH_P_IP else 40) and parsed.payload - parsed.l4 == 20
    if parsed.protocol != IPPROTO_TCP or not plain:
        return []
    return _segments(parsed, size)


def _segments(parsed: ParsedFrame, size: i64) -> list[bytes]:
    """TCP: each segment has its own sequence number, checksum and, over IPv4, identification."""
    frame, at = parsed.frame, parsed.l4
    data = parsed.data()
    source, destination = parsed.source_ip(), parsed.destination_ip()
    sequence = int.from_bytes(frame[at + 4 : at + 8], "big")
    acknowledgement = int.from_bytes(frame[at + 8 : at + 12], "big")
    flags = i64(frame[at + 13])
    ident = u16(frame, parsed.l3 + 4)
    out: list[bytes] = []
    offset: i64 = 0
    total: i64 = len(data)
    while offset < total:
        piece = data[offset : offset + size]
        own = flags
        if offset + size < total:
            own &= ~TCP_FIN_PSH
        if offset:
            own &= ~TCP_CWR
        seq = (sequence + offset) & 0xFFFFFFFF
        segment = tcp(source, destination, parsed.source_port, parsed.destination_port, seq, acknowledgement, own, piece, u16(frame, at + 14))
        if parsed.ethertype == ETH_P_IP:
            packet = ipv4(source, destination, IPPROTO_TCP, segment, (ident + len(out)) & 0xFFFF, i64(frame[parsed.l3 + 8]))
        else:
            packet = ipv6(source, destination, IPPROTO_TCP, segment, i64(frame[parsed.l3 + 7]))
        out.append(frame[: parsed.l3] + packet)
        offset += size
    return out


def _fragments(parsed: ParsedFrame, size: i64) -> list[bytes]:
    """UDP over IPv4: IP fragments of one datagram (RFC 791, 3.2), its checksum in the first."""
    frame = parsed.frame
    header = frame[parsed.l3 : parsed.l4]
    datagram = frame[parsed.l4 : parsed.end]
    out: list[bytes] = []
    offset: i64 = 0
    total: i64 = len(datagram)
    while offset < total:
        piece = datagram[offset : offset + size]
        more = IP_MF if offset + size < total else 0
        head = header[:2] + be16(len(header) + len(piece)) + header[4:6] + be16(more | offset // 8) + header[8:10] + b"\x00\x00" + header[12:]
        out.append(frame[: parsed.l3] + head[:10] + be16(checksum(head)) + head[12:] + piece)
        offset += size
    return out


def complete_checksum(frame: bytes, header: VnetHeader) -> bytes:
    """`frame` with the checksum computed that its header left undone (Linux: skb_checksum_help)."""
    if not header.flags & NEEDS_CSUM:
        return frame
    at = header.csum_start + header.csum_offset
    value = checksum(frame[header.csum_start :])
    return frame[:at] + be16(0xFFFF if value == 0 else value) + frame[at + 2 :]


def repair_coalesced(frame: bytes) -> bytes:
    """A frame that a device coalesced, with a right IPv4 header checksum: QEMU changes the length and not the sum."""
    if len(frame) < 34 or u16(frame, 12) != ETH_P_IP or frame[14] != 0x45:
        return frame
    head = frame[14:24] + b"\x00\x00" + frame[26:34]
    return frame[:24] + be16(checksum(head)) + frame[26:]
