"""Frames with the peer's header: DHCP replies get their checksum, short frames take nothing from elsewhere."""

from __future__ import annotations

import struct

import pytest

from ringscope_core.hw.virtio_net.vnet_hdr import work_around_broken_dhclient
from ringscope_core.net.packet import ethernet, ipv4, udp
from ringscope_core.net.parse import parse
from tests.core.virtio.bare import MRG, V1, Bare

SERVER, CLIENT = bytes((10, 0, 2, 2)), bytes((10, 0, 2, 15))
NEEDS_CSUM = b"\x01" + bytes(5) + b"\x22\x00\x06\x00" + bytes(2)


def reply(source_port: int = 67, data: bytes = b"dhcp" * 9, fragment: int = 0x4000) -> bytes:
    """A frame whose UDP checksum is not there."""
    datagram = udp(SERVER, CLIENT, source_port, 68, data)
    return ethernet(bytes(6), bytes(6), 0x0800, ipv4(SERVER, CLIENT, 17, datagram[:6] + b"\0\0" + datagram[8:], fragment=fragment))


@pytest.mark.parametrize("v7_2", [False, True])
@pytest.mark.parametrize("data", [b"", b"x", b"dhcp" * 9, b"odd" * 5])
def test_the_checksum_is_completed_and_the_flag_goes(v7_2: bool, data: bytes) -> None:
    frame = work_around_broken_dhclient(NEEDS_CSUM + reply(data=data), 12, v7_2)
    assert frame[:12] == b"\x00" + NEEDS_CSUM[1:]
    parsed = parse(frame[12:])
    assert frame[12 + 40 : 12 + 42] != b"\0\0"
    assert parsed.error == "" and parsed.transport_checksum_ok()
    assert parsed.data() == data


def test_a_sum_of_zero_is_all_ones() -> None:
    # choose the data so that the sum comes out as zero
    bare = reply(data=b"\0\0")
    whole = work_around_broken_dhclient(NEEDS_CSUM + bare, 12, True)[12:]
    (value,) = struct.unpack(">H", whole[40:42])
    zero = work_around_broken_dhclient(NEEDS_CSUM + reply(data=struct.pack(">H", value)), 12, True)[12:]
    assert zero[40:42] == b"\xff\xff"


@pytest.mark.parametrize(
    ("header", "frame"),
    [
        (bytes(12), reply()),
        (NEEDS_CSUM, reply(68)),
        (NEEDS_CSUM, reply()[:12] + b"\x86\xdd" + reply()[14:]),
        (NEEDS_CSUM, reply()[:23] + b"\x06" + reply()[24:]),
        (NEEDS_CSUM, reply(data=bytes(1458))),
        (NEEDS_CSUM, reply()[:27]),
    ],
    ids=["finished", "other port", "other protocol", "not udp", "1500 bytes", "27 bytes"],
)
@pytest.mark.parametrize("v7_2", [False, True])
def test_other_frames_stay_as_they_are(header: bytes, frame: bytes, v7_2: bool) -> None:
    assert work_around_broken_dhclient(header + frame, 12, v7_2) == header + frame


def test_a_cut_reply_loses_its_flag_in_4_1_only() -> None:
    cut = NEEDS_CSUM + reply()[:41]
    assert work_around_broken_dhclient(cut, 12, True) == cut
    assert work_around_broken_dhclient(cut, 12, False) == b"\0" + cut[1:]


def test_a_fragment_is_summed_in_4_1_only() -> None:
    piece = NEEDS_CSUM + reply(fragment=0x2000)
    assert work_around_broken_dhclient(piece, 12, True) == b"\0" + piece[1:]
    assert work_around_broken_dhclient(piece, 12, False)[12 + 40 : 12 + 42] != b"\0\0"


@pytest.mark.parametrize("features", [V1 | MRG, V1])
@pytest.mark.parametrize("size", [1, 3, 10, 11])
def test_a_frame_shorter_than_the_header_shows_only_the_peers_buffer(features: int, size: int) -> None:
    bare = Bare(features)
    bare.n.host_hdr_len = bare.n.guest_hdr_len
    (at,) = bare.give(0, 100)
    bare.arrive(b"\x42" * size)
    assert bare.used(0) == [(0, 100)]
    got = bare.read(at, 100)
    assert got[:10] == (b"\x42" * size + bytes(10))[:10]
    assert got[12:] == bytes(88)
    assert bare.vq(0).counters is not None and bare.vq(0).counters.bytes == 0
