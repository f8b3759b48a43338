"""Checksums and segmentation left to the other side, and done in software: one must give what the other does."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringscope_core.net.offload import Accepts, Offloaded, complete_checksum, finish, plan, repair_coalesced, software_pieces
from ringscope_core.net.packet import ETH_P_IP, ETH_P_IPV6, IPPROTO_TCP, IPPROTO_UDP, ethernet, ipv4, ipv6, tcp, udp
from ringscope_core.net.parse import parse
from ringscope_core.net.vnet_header import GSO_ECN, GSO_TCPV4, GSO_TCPV6, GSO_UDP, NEEDS_CSUM, VnetHeader, parse_header

MAC, PEER = bytes.fromhex("525400123456"), bytes.fromhex("52550a000202")
IP4, PEER4 = bytes((10, 0, 2, 15)), bytes((10, 0, 2, 2))
IP6, PEER6 = bytes.fromhex("fe80" + "00" * 13 + "01"), bytes.fromhex("fe80" + "00" * 13 + "02")
EVERYTHING = Accepts(True, True, True, True, True)
CWR, PSH, FIN, ACK = 0x80, 8, 1, 16


def tcp4(data: bytes, flags: int = ACK | PSH, sequence: int = 1000) -> bytes:
    return ethernet(PEER, MAC, ETH_P_IP, ipv4(IP4, PEER4, IPPROTO_TCP, tcp(IP4, PEER4, 40000, 9, sequence, 77, flags, data), 500))


def tcp6(data: bytes, flags: int = ACK) -> bytes:
    return ethernet(PEER, MAC, ETH_P_IPV6, ipv6(IP6, PEER6, IPPROTO_TCP, tcp(IP6, PEER6, 40000, 9, 1000, 77, flags, data)))


def udp4(data: bytes) -> bytes:
    return ethernet(PEER, MAC, ETH_P_IP, ipv4(IP4, PEER4, IPPROTO_UDP, udp(IP4, PEER4, 40000, 9, data), 500, 64, 0))


def handed(frame: bytes, accepts: Accepts = EVERYTHING, mtu: int = 1500) -> Offloaded:
    way = plan(frame, accepts, mtu)
    assert way is not None
    return way


@pytest.mark.parametrize("frame", [tcp4(b"abc"), tcp4(b""), tcp6(b"abcd" * 100), udp4(b"x" * 999)])
def test_a_checksum_that_was_left_is_completed_to_the_same_bytes(frame: bytes) -> None:
    way = handed(frame)
    assert way.header.flags == NEEDS_CSUM
    assert not parse(way.frame).transport_checksum_ok(), "what goes over the ring is undone"
    assert complete_checksum(way.frame, way.header) == frame
    assert finish(way.frame, way.header) == [frame]


def test_a_datagram_without_checksum_goes_as_it_is() -> None:
    frame = udp4(b"data")
    bare = frame[:40] + b"\0\0" + frame[42:]
    way = handed(bare)
    assert (way.header.flags, way.frame) == (0, bare)


@pytest.mark.parametrize("frame", [b"", b"\x01", bytes(60), bytes(range(64)), tcp4(b"abc")[:40]])
def test_what_has_no_transport_goes_as_it_is(frame: bytes) -> None:
    way = handed(frame)
    assert (way.header.flags, way.header.gso_type, way.frame) == (0, 0, frame)
    assert software_pieces(frame, 1500) == []


@pytest.mark.parametrize(
    ("frame", "kind", "header", "size"),
    [
        (tcp4(bytes(5000)), GSO_TCPV4, 54, 1460),
        (tcp4(bytes(5000), ACK | CWR), GSO_TCPV4 | GSO_ECN, 54, 1460),
        (tcp6(bytes(5000)), GSO_TCPV6, 74, 1440),
        (udp4(bytes(5000)), GSO_UDP, 42, 1480),
    ],
)
def test_a_large_frame_says_how_it_is_to_be_cut(frame: bytes, kind: int, header: int, size: int) -> None:
    way = handed(frame)
    assert (way.header.gso_type, way.header.hdr_len, way.header.gso_size) == (kind, header, size)
    assert way.header.flags == NEEDS_CSUM
    assert finish(way.frame, way.header) == software_pieces(frame, 1500), "whoever cuts it, it is the same"


@pytest.mark.parametrize(
    ("frame", "accepts"),
    [
        (tcp4(bytes(5000)), Accepts(True, False, True, True, True)),
        (tcp4(bytes(5000), CWR), Accepts(True, True, True, False, True)),
        (tcp6(bytes(5000)), Accepts(True, True, False, True, True)),
        (udp4(bytes(5000)), Accepts(True, True, True, True, False)),
        (b"\xff" * 12 + b"\x08\x00" + bytes(5000), EVERYTHING),
    ],
)
def test_what_is_not_accepted_is_not_handed_over(frame: bytes, accepts: Accepts) -> None:
    assert plan(frame, accepts, 1500) is None


@given(st.binary(min_size=1, max_size=9000), st.integers(68, 2000), st.integers(0, 255), st.integers(0, 2**32 - 1))
def test_segments_hold_the_data_in_order(data: bytes, mtu: int, flags: int, sequence: int) -> None:
    pieces = [parse(piece) for piece in software_pieces(tcp4(data, flags, sequence), mtu)]
    assert b"".join(piece.data() for piece in pieces) == data
    at = 0
    for place, piece in enumerate(pieces):
        assert not piece.error and piece.transport_checksum_ok()
        assert len(piece.frame) - 14 <= mtu
        assert int.from_bytes(piece.frame[38:42], "big") == (sequence + at) & 0xFFFFFFFF
        assert int.from_bytes(piece.frame[18:20], "big") == (500 + place) & 0xFFFF, "identifications count up"
        last = place + 1 == len(pieces)
        own = piece.frame[47]
        assert own & (PSH | FIN) == (flags & (PSH | FIN) if last else 0)
        assert own & CWR == (flags & CWR if place == 0 else 0)
        at += len(piece.data())


@given(st.binary(min_size=1, max_size=9000), st.integers(68, 2000))
def test_fragments_make_the_datagram_again(data: bytes, mtu: int) -> None:
    whole = udp4(data)
    pieces = software_pieces(whole, mtu)
    body = bytearray()
    for place, piece in enumerate(pieces):
        parsed = parse(piece)
        assert not parsed.error, "length and header checksum"
        assert len(piece) - 14 <= mtu
        field = struct.unpack_from(">H", piece, 20)[0]
        assert (field & 0x1FFF) * 8 == len(body)
        assert bool(field & 0x2000) == (place + 1 < len(pieces))
        body += piece[34:]
    assert bytes(body) == whole[34:]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"gso_type": 2, "gso_size": 100}, "unknown gso type"),
        ({"gso_type": GSO_TCPV4}, "gso size 0"),
        ({"flags": NEEDS_CSUM, "csum_start": 60, "csum_offset": 0}, "checksum outside of the frame"),
    ],
)
def test_a_header_that_makes_no_sense_is_named(change: dict[str, int], problem: str) -> None:
    header = VnetHeader()
    for name, value in change.items():
        setattr(header, name, value)
    assert header.problem(60) == problem
    assert finish(bytes(60), header) == []


@given(st.binary(min_size=20, max_size=20), st.binary(max_size=200))
def test_any_header_before_any_frame_is_survived(head: bytes, frame: bytes) -> None:
    for size in (10, 12, 20):
        for piece in finish(frame, parse_header(head, size)):
            assert len(piece) <= len(frame) + 40


@pytest.mark.parametrize("size", [10, 12, 20])
def test_a_header_is_read_as_it_was_written(size: int) -> None:
    header = VnetHeader()
    header.flags, header.gso_type, header.hdr_len, header.gso_size, header.csum_start, header.csum_offset = 1, 4, 300, 1440, 34, 16
    data = header.to_bytes(size)
    assert len(data) == size
    again = parse_header(data, size)
    assert [getattr(again, name) for name in ("flags", "gso_type", "hdr_len", "gso_size", "csum_start", "csum_offset")] == [1, 4, 300, 1440, 34, 16]


def test_a_coalesced_frame_gets_its_header_checksum() -> None:
    frame = tcp4(bytes(100))
    broken = frame[:16] + b"\x00\x50" + frame[18:]
    assert parse(broken).error
    assert not parse(repair_coalesced(broken)).error
    assert repair_coalesced(b"short") == b"short"
    assert repair_coalesced(tcp6(b"x")) == tcp6(b"x")
