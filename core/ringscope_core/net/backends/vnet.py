"""A backend's frames with a virtio_net_hdr in front, as a tap with IFF_VNET_HDR has them: what the guest left undone is done here, and what it
takes unfinished is left to it.

The host's kernel does this behind a real tap (drivers/net/tun.c); no backend of QEMU without one offers it.
"""

from __future__ import annotations

from typing import Final, final

from mypy_extensions import i64

from ringscope_core.net.offload import Accepts, finish, plan, software_pieces
from ringscope_core.net.packet import IPPROTO_UDP
from ringscope_core.net.parse import ParsedFrame, parse, u16
from ringscope_core.net.vnet_header import DATA_VALID, GSO_NONE, HDR_HASH, HDR_LEGACY, HDR_MERGEABLE, NEEDS_CSUM, VnetHeader, parse_header

HOST_MTU: Final[i64] = 1500
"""What the host's side of the cable takes in one frame."""
LINK_ROOM: Final[i64] = 18
"""Ethernet header and a VLAN tag beside it (bytes)."""


RX_NONE: Final[i64] = 0
RX_VALID: Final[i64] = 1
RX_PARTIAL: Final[i64] = 2
RX_NAMES: Final = ("none", "valid", "partial")
"""How checksums of frames to the guest are presented: whole and not spoken of, whole and vouched for, or left for the guest to complete."""


@final
class VnetSide:
    """One queue's half of the header: what the guest accepts, and counts of what was done for each other."""

    def __init__(self, whole: bool = False, rx_csum: i64 = RX_PARTIAL, mtu: i64 = HOST_MTU, own: bool = True) -> None:
        """`whole`: never hand over a frame longer than the MTU, whatever the guest takes (a NIC behind the host cut it already).

        `own`: the host makes its frames itself, so their checksums need not be looked at before they are left or vouched for.
        """
        self.own: bool = own
        self.whole: bool = whole
        self.rx_csum: i64 = rx_csum
        self.mtu: i64 = mtu
        self.accepts: Accepts = Accepts()
        """What the guest takes unfinished (TUNSETOFFLOAD)."""
        self.checksums_done: i64 = 0
        """For the guest: frames whose checksum was completed."""
        self.frames_cut: i64 = 0
        """For the guest: frames that were segmented."""
        self.pieces: i64 = 0
        """What they became."""
        self.bad_headers: i64 = 0
        """Frames from the guest whose header makes no sense; they are dropped."""
        self.checksums_left: i64 = 0
        """To the guest: frames without a complete checksum."""
        self.large_left: i64 = 0
        """To the guest: frames that carry the data of several."""

    def set_offload(self, csum: bool, tso4: bool, tso6: bool, ecn: bool, ufo: bool) -> None:
        """What the guest accepts; without checksums nothing else."""
        self.accepts = Accepts(csum, csum and tso4, csum and tso6, csum and ecn, csum and ufo)

    # -- from the guest -----------------------------------------------------------------------------------------------
    def unwrap(self, data: bytes, length: i64) -> list[bytes]:
        """The whole frames that `data`, a header of `length` bytes and a frame, stands for."""
        if len(data) <= length:
            self.bad_headers += 1
            return []
        header = parse_header(data, length)
        frames = finish(data[length:], header)
        if not frames:
            self.bad_headers += 1
        elif header.gso_type != GSO_NONE:
            self.frames_cut += 1
            self.pieces += len(frames)
        elif header.flags & NEEDS_CSUM:
            self.checksums_done += 1
        return frames

    # -- to the guest -------------------------------------------------------------------------------------------------
    def wrap(self, frame: bytes, length: i64) -> list[bytes]:
        """`frame` as the guest gets it: header and frame, once; or more often, when it is too long for what the guest takes."""
        long = len(frame) > self.mtu + LINK_ROOM
        if not self.accepts.csum or (long and self.whole):
            return self._finished(frame, length, 0)
        if long or (self.own and self.rx_csum == RX_PARTIAL):
            return self._unfinished(frame, length)
        parsed = parse(frame)
        if self.rx_csum == RX_NONE or not _is_good(parsed):
            return self._finished(frame, length, 0)
        # what is behind the packet the guest would sum up too
        if self.rx_csum == RX_PARTIAL and parsed.end == len(frame):
            return self._unfinished(frame, length)
        return self._finished(frame, length, DATA_VALID)

    def relay(self, data: bytes, length: i64, source: VnetSide, source_length: i64) -> list[bytes]:
        """A frame of another guest, with that guest's header: untouched when this guest takes it so, finished otherwise."""
        if len(data) > source_length and self.accepts.takes(data[1]) and (self.accepts.csum or data[0] & NEEDS_CSUM == 0):
            if length == source_length:
                return [data]
            return [data[:HDR_LEGACY] + bytes(int(length - HDR_LEGACY)) + data[source_length:]]
        return [bytes(int(length)) + piece for piece in source.unwrap(data, source_length)]

    def _finished(self, frame: bytes, length: i64, flags: i64) -> list[bytes]:
        """Whole frames behind empty headers."""
        header = VnetHeader()
        header.flags = flags
        head = header.to_bytes(length)
        pieces = software_pieces(frame, self.mtu) if len(frame) > self.mtu + LINK_ROOM else []
        return [head + piece for piece in pieces or [frame]]

    def _unfinished(self, frame: bytes, length: i64) -> list[bytes]:
        way = plan(frame, self.accepts, self.mtu)
        if way is None:
            return self._finished(frame, length, DATA_VALID if self.own else 0)
        if way.header.gso_type != GSO_NONE:
            self.large_left += 1
        if way.header.flags & NEEDS_CSUM:
            self.checksums_left += 1
        elif self.own:
            # no checksum to undo: as from a NIC that verified what there was
            way.header.flags = DATA_VALID
        return [way.header.to_bytes(length) + way.frame]


def header_possible(length: i64) -> bool:
    """Whether the header can be so long (tap_probe_vnet_hdr_len)."""
    return length in (HDR_LEGACY, HDR_MERGEABLE, HDR_HASH)


def _is_good(parsed: ParsedFrame) -> bool:
    """Whether a frame has a TCP or UDP checksum, and it is right."""
    if parsed.error or parsed.source_port < 0 or parsed.fragment or not parsed.transport_checksum_ok():
        return False
    return parsed.protocol != IPPROTO_UDP or u16(parsed.frame, parsed.l4 + 6) != 0
