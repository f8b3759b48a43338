"""A backend's frames with a virtio_net_hdr in front, as a tap with IFF_VNET_HDR has them: what the guest left undone is done here, and what it
takes unfinished is left to it.

The host's kernel does this behind a real tap (drivers/net/tun.c); no backend of QEMU without one offers it.
"""

from __future__ import annotations

from typing import Final, final

from mypy_extensions import i64

from ringscope_core.net.offload import Accepts, finish, plan, software_pieces
from ringscope_core.net.vnet_header import DATA_VALID, GSO_NONE, HDR_HASH, HDR_LEGACY, HDR_MERGEABLE, NEEDS_CSUM, VnetHeader, parse_header

HOST_MTU: Final[i64] = 1500
"""What the host's side of the cable takes in one frame."""


@final
class VnetSide:
    """One queue's half of the header: what the guest accepts, and counts of what was done for each other."""

    def __init__(self, whole: bool) -> None:
        """`whole`: never hand over a frame longer than the MTU, whatever the guest takes (a NIC behind the host cut it already)."""
        self.whole: bool = whole
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

    def unwrap(self, data: bytes, length: i64) -> list[bytes]:
        """The whole frames that `data`, a header of `length` bytes and a frame, stands for."""
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

    def wrap(self, frame: bytes, length: i64) -> list[bytes]:
        """`frame` as the guest gets it: header and frame, once; or more often, when it is too long for what the guest takes."""
        if self.accepts.csum:
            return self._unfinished(frame, length)
        return [bytes(int(length)) + piece for piece in _whole(frame)]

    def _unfinished(self, frame: bytes, length: i64) -> list[bytes]:
        way = None if self.whole and len(frame) > HOST_MTU + 18 else plan(frame, self.accepts, HOST_MTU)
        if way is None:
            header = VnetHeader()
            header.flags = DATA_VALID
            return [header.to_bytes(length) + piece for piece in _whole(frame)]
        if way.header.gso_type != GSO_NONE:
            self.large_left += 1
        if way.header.flags & NEEDS_CSUM:
            self.checksums_left += 1
        else:
            # no checksum to undo: as from a NIC that verified what there was
            way.header.flags = DATA_VALID
        return [way.header.to_bytes(length) + way.frame]


def header_possible(length: i64) -> bool:
    """Whether the header can be so long (tap_probe_vnet_hdr_len)."""
    return length in (HDR_LEGACY, HDR_MERGEABLE, HDR_HASH)


def _whole(frame: bytes) -> list[bytes]:
    """A frame in pieces that fit the MTU, where it can be cut."""
    return (software_pieces(frame, HOST_MTU) if len(frame) > HOST_MTU + 18 else []) or [frame]
