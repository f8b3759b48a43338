"""Checksums and segmentation that one side leaves to the other: what to leave, and how to do it in software.

A stack hands down whole frames with correct checksums, some longer than the MTU.  `plan` makes the header that lets the other side do the
rest (Linux: virtio_net_hdr_from_skb); `software_pieces` cuts a frame as a stack would (Linux: skb_gso_segment, ip_fragment), and
`complete_checksum` does what a header left undone.
"""

from __future__ import annotations

from typing import Final, final

from mypy_extensions import i64

from ringscope_core.net import gso
from ringscope_core.net.checksum import checksum, fold, pseudo_sum
from ringscope_core.net.gso import segment
from ringscope_core.net.packet import ETH_P_IP, IPPROTO_TCP, IPPROTO_UDP, be16
from ringscope_core.net.parse import ParsedFrame, parse, u16
from ringscope_core.net.vnet_header import GSO_ECN, GSO_NONE, GSO_TCPV4, GSO_TCPV6, GSO_UDP, NEEDS_CSUM, VnetHeader

TCP_CWR: Final[i64] = 0x80
"""Needs a driver that takes ECN (RFC 3168, 6.1.2)."""
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

    def takes(self, kind: i64) -> bool:
        """Whether it takes frames of this gso_type."""
        base = kind & ~GSO_ECN
        if base == GSO_NONE:
            return True
        if kind & GSO_ECN and not self.ecn:
            return False
        return (base == GSO_TCPV4 and self.tso4) or (base == GSO_TCPV6 and self.tso6) or (base == GSO_UDP and self.ufo)


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
    """`frame` in frames that fit `mtu`; nothing when it cannot be cut (neither TCP nor UDP over IP)."""
    parsed = parse(frame)
    if parsed.l4 < 0 or parsed.error or parsed.protocol not in (IPPROTO_TCP, IPPROTO_UDP):
        return []
    four = parsed.ethertype == ETH_P_IP
    kind = GSO_UDP if parsed.protocol == IPPROTO_UDP else GSO_TCPV4 if four else GSO_TCPV6
    return segment(frame[: parsed.end], kind, _piece_size(parsed, mtu))


def finish(frame: bytes, header: VnetHeader) -> list[bytes]:
    """The frames that `frame` becomes on a wire once everything is done that its header left undone; nothing for one that makes no sense."""
    if header.problem(len(frame)):
        return []
    if header.gso_type == GSO_NONE:
        return [complete_checksum(frame, header)]
    # whatever is cut gets checksums of its own
    return segment(frame, header.gso_type, header.gso_size)


def complete_checksum(frame: bytes, header: VnetHeader) -> bytes:
    """`frame` with the checksum computed that its header, which must not be a `problem`, left undone (Linux: skb_checksum_help)."""
    if not header.flags & NEEDS_CSUM:
        return frame
    return gso.complete_checksum(frame, header.csum_start, header.csum_offset)


def repair_coalesced(frame: bytes) -> bytes:
    """A frame that a device coalesced, with a right IPv4 header checksum: QEMU changes the length and not the sum."""
    if len(frame) < 34 or u16(frame, 12) != ETH_P_IP or frame[14] != 0x45:
        return frame
    head = frame[14:24] + b"\x00\x00" + frame[26:34]
    return frame[:24] + be16(checksum(head)) + frame[26:]
