"""Oddities of frames that carry the peer's virtio_net_hdr: half-finished DHCP replies, frames shorter than the header."""

from __future__ import annotations

from typing import Final

from mypy_extensions import i64

from ringscope_core.hw.virtio_net.constants import NET_BUFSIZE
from ringscope_core.hw.virtio_net.device import VirtIONet
from ringscope_core.net.checksum import transport_checksum
from ringscope_core.net.packet import ETH_HLEN, ETH_P_IP, IPPROTO_UDP, be16
from ringscope_core.net.parse import u16

HDR_F_NEEDS_CSUM: Final[i64] = 1
BOOTPS: Final[i64] = 67
"""UDP port of DHCP servers."""
SOURCE_PORT_AT: Final[i64] = 34
ETH_FRAME_MAX: Final[i64] = 1500


def needs_work(frame: bytes, host_len: i64) -> bool:
    """Whether `complete` would change anything; asked for every frame with a header in front."""
    return len(frame) < host_len or frame[0] & HDR_F_NEEDS_CSUM != 0


def complete(n: VirtIONet, queue_index: i64, frame: bytes) -> bytes:
    """The bytes that the device copies from when `frame` arrives: more than came for one shorter than the header."""
    host_len = n.host_hdr_len
    if len(frame) < host_len:
        return _over_read(n, queue_index, frame)
    return work_around_broken_dhclient(frame, host_len, n.v7_2)


def _over_read(n: VirtIONet, queue_index: i64, frame: bytes) -> bytes:
    """QEMU does not compare a frame with the header's length: it copies what lies behind it in the backend's buffer.

    Here that is what the backend says of its buffer, zeros for one that has none; never other memory.
    """
    peer = n.nic_queue(queue_index).peer
    behind = b"" if peer is None else peer.behind(len(frame))
    return (frame + behind + bytes(int(NET_BUFSIZE)))[: int(NET_BUFSIZE)]


def work_around_broken_dhclient(frame: bytes, host_len: i64, v7_2: bool) -> bytes:
    """work_around_broken_dhclient: a DHCP reply whose checksum the driver should finish gets it, for clients that look at the raw frame.

    4.1 looks at frames of 28 bytes and more, 7.2.22 only where the UDP header is whole.
    """
    data = frame[host_len:]
    size: i64 = len(data)
    shortest: i64 = ETH_HLEN + 20 + 8 if v7_2 else 28
    if size < shortest or size >= ETH_FRAME_MAX or frame[0] & HDR_F_NEEDS_CSUM == 0:
        return frame
    if size < SOURCE_PORT_AT + 2 or u16(data, 12) != ETH_P_IP or data[23] != IPPROTO_UDP or u16(data, SOURCE_PORT_AT) != BOOTPS:
        return frame
    return bytes((frame[0] & ~HDR_F_NEEDS_CSUM & 0xFF,)) + frame[1:host_len] + _with_udp_checksum(data, v7_2)


def _with_udp_checksum(data: bytes, v7_2: bool) -> bytes:
    """net_checksum_calculate for UDP over IPv4: `data` with its checksum, or as it is when the lengths do not hold."""
    version_and_length: i64 = data[ETH_HLEN]
    total = u16(data, ETH_HLEN + 2)
    header: i64 = (version_and_length & 15) * 4
    if version_and_length >> 4 != 4 or total > len(data) - ETH_HLEN or total - header < 8:
        return data
    if v7_2 and u16(data, ETH_HLEN + 6) & 0x3FFF != 0:
        return data
    # options shorten the sum but do not move the UDP header: it is looked for where it is without
    at = ETH_HLEN + 20
    datagram = data[at : at + 6] + b"\x00\x00" + data[at + 8 : at + total - header]
    value = transport_checksum(data[ETH_HLEN + 12 : ETH_HLEN + 16], data[ETH_HLEN + 16 : ETH_HLEN + 20], IPPROTO_UDP, datagram)
    # RFC 768: a sum of zero is sent as all ones
    return data[: at + 6] + be16(0xFFFF if value == 0 else value) + data[at + 8 :]
