"""Segmentation: what comes out is what went in, cut; every length and checksum right, nothing bigger than asked for."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringscope_core.net.gso import GSO_ECN, GSO_TCPV4, GSO_TCPV6, GSO_UDP, Layout, complete_checksum, segment
from ringscope_core.net.packet import ethernet, ipv4, ipv6, tcp, udp
from ringscope_core.net.parse import parse

A4, B4 = bytes((10, 0, 0, 1)), bytes((10, 0, 0, 2))
A6, B6 = bytes(15) + b"\1", bytes(15) + b"\2"
VLAN = b"\x81\0\0\x07"
HOP = b"\0\x01\x04\0\0\0\0"


def framed(v6: bool, protocol: int, body: bytes, tagged: bool = False, hop: bool = False, ident: int = 7) -> bytes:
    if v6:
        packet = ipv6(A6, B6, 0, bytes([protocol]) + HOP + body) if hop else ipv6(A6, B6, protocol, body)
    else:
        packet = ipv4(A4, B4, protocol, body, ident)
        if hop:
            # options instead of an extension header
            packet = b"\x46" + packet[1:20] + b"\1\1\1\0" + packet[20:]
    frame = ethernet(bytes(6), bytes(6), 0x86DD if v6 else 0x800, packet)
    return frame[:12] + VLAN + frame[12:] if tagged else frame


def tcp_of(v6: bool, data: bytes, flags: int, options: bytes = b"", seq: int = 1000) -> bytes:
    """A TCP segment whose checksum is still to be made."""
    whole = tcp(A6 if v6 else A4, B6 if v6 else B4, 5, 6, seq, 77, flags, data)
    return whole[:12] + bytes([(5 + len(options) // 4) << 4]) + whole[13:16] + b"\xde\xad" + whole[18:20] + options + data


ANY = {"v6": st.booleans(), "tagged": st.booleans(), "hop": st.booleans()}


@given(
    data=st.binary(min_size=1, max_size=4000),
    gso=st.integers(1, 1500),
    flags=st.integers(0, 255),
    options=st.sampled_from([b"", bytes(12)]),
    seq=st.integers(0, 2**32 - 1),
    ident=st.integers(0, 65535),
    **ANY,
)
def test_segments_reassemble(data: bytes, gso: int, flags: int, options: bytes, seq: int, ident: int, v6: bool, tagged: bool, hop: bool) -> None:
    if len(data) // gso > 200:
        gso = len(data) // 200 + 1
    frame = framed(v6, 6, tcp_of(v6, data, flags, options, seq), tagged, hop, ident)
    pieces = segment(frame, GSO_TCPV6 if v6 else GSO_TCPV4, gso)
    assert len(pieces) == -(-len(data) // gso)
    got = b""
    for number, piece in enumerate(pieces):
        layout = Layout(piece)
        assert layout.protocol == 6
        at = layout.data(piece)
        assert 1 <= len(piece) - at <= gso
        assert struct.unpack(">I", piece[layout.l4 + 4 : layout.l4 + 8])[0] == (seq + len(got)) & 0xFFFFFFFF
        last, first = number == len(pieces) - 1, number == 0
        assert piece[layout.l4 + 13] == flags & ~(0 if last else 9) & ~(0 if first else 0x80)
        assert piece[layout.l4 + 20 : at] == options
        if not v6:
            assert struct.unpack(">H", piece[layout.l3 + 4 : layout.l3 + 6])[0] == (ident + number) & 0xFFFF
        assert piece[: layout.l3] == frame[: layout.l3]
        assert parse(piece).error == ""
        if not (v6 and hop):
            # the reader of frames does not know extension headers
            assert parse(piece).transport_checksum_ok()
        else:
            assert checksum_of(piece, layout) == 0
        got += piece[at:]
    assert got == data


def checksum_of(piece: bytes, layout: Layout) -> int:
    """The transport checksum, 0 when it is right."""
    source, destination = layout.addresses(piece)
    body = piece[layout.l4 :]
    pseudo = source + destination + struct.pack(">HH", 6, len(body))
    total = sum(struct.unpack(f">{(len(pseudo + body) + 1) // 2}H", (pseudo + body).ljust((len(pseudo + body) + 1) // 2 * 2, b"\0")))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


@given(data=st.binary(max_size=4000), gso=st.integers(16, 1480), **ANY)
def test_fragments_reassemble(data: bytes, gso: int, v6: bool, tagged: bool, hop: bool) -> None:
    body = udp(A6 if v6 else A4, B6 if v6 else B4, 5, 6, data)
    frame = framed(v6, 17, body[:6] + b"\xde\xad" + body[8:], tagged, hop)
    pieces = segment(frame, GSO_UDP, gso)
    l3 = 18 if tagged else 14
    got = b""
    for number, piece in enumerate(pieces):
        if v6:
            start = l3 + 40 + (8 if hop else 0)
            assert struct.unpack(">H", piece[l3 + 4 : l3 + 6])[0] == len(piece) - l3 - 40
            assert len(piece) - start <= gso
            if len(pieces) > 1:
                assert piece[start - 8 if hop else l3 + 6] == 44
                following, _, offset, _ = struct.unpack(">BBHI", piece[start : start + 8])
                assert (following, offset & ~1, offset & 1) == (17, len(got), int(number < len(pieces) - 1))
                start += 8
        else:
            start = l3 + (24 if hop else 20)
            assert struct.unpack(">H", piece[l3 + 2 : l3 + 4])[0] == len(piece) - l3
            assert len(piece) - start <= gso
            field = struct.unpack(">H", piece[l3 + 6 : l3 + 8])[0]
            if len(pieces) > 1:
                assert (field & 0x1FFF) * 8 == len(got)
                assert field >> 13 == int(number < len(pieces) - 1)
            assert struct.unpack(">H", piece[l3 + 4 : l3 + 6])[0] == 7
            header = piece[l3:start]
            assert sum(struct.unpack(f">{len(header) // 2}H", header)) % 0xFFFF == 0
        got += piece[start:]
    assert got == body


@given(st.binary(max_size=120), st.integers(0, 255), st.integers(-1, 3000))
def test_anything_may_come(rest: bytes, kind: int, gso: int) -> None:
    for ethertype in (b"\x08\0", b"\x86\xdd", b"\x81\0"):
        for start in (b"", b"\x45\0\0\x20\0\0\0\0\x40\x06", b"\x60\0\0\0\0\x20\x11\x40"):
            segment(bytes(12) + ethertype + start + rest, kind, gso)
    segment(rest, kind, gso)


@pytest.mark.parametrize(
    ("kind", "gso", "frame"),
    [
        (GSO_TCPV4, 0, framed(False, 6, tcp_of(False, bytes(9), 0))),
        (GSO_TCPV6, 100, framed(False, 6, tcp_of(False, bytes(9), 0))),
        (GSO_TCPV4, 100, framed(False, 17, udp(A4, B4, 1, 2, bytes(9)))),
        (GSO_UDP, 100, framed(False, 6, tcp_of(False, bytes(9), 0))),
        (GSO_UDP, 7, framed(False, 17, udp(A4, B4, 1, 2, bytes(99)))),
        (2, 100, framed(False, 6, tcp_of(False, bytes(9), 0))),
        (5, 100, framed(False, 17, udp(A4, B4, 1, 2, bytes(99)))),
        (GSO_TCPV4, 100, framed(False, 6, tcp_of(False, b"", 0)[:19])),
        (GSO_TCPV4, 100, ethernet(bytes(6), bytes(6), 0x800, ipv4(A4, B4, 6, tcp_of(False, bytes(9), 0), fragment=0x2000))),
    ],
)
def test_what_does_not_fit_is_refused(kind: int, gso: int, frame: bytes) -> None:
    assert segment(frame, kind, gso) == []


def test_ecn_is_a_flag_beside_the_type() -> None:
    frame = framed(False, 6, tcp_of(False, bytes(30), 0x90))
    assert [piece[47] for piece in segment(frame, GSO_TCPV4 | GSO_ECN, 10)] == [0x90, 0x10, 0x10]


@given(st.binary(min_size=1, max_size=300), st.integers(0, 65535), st.integers(0, 65535))
def test_a_checksum_lies_inside_or_nothing_happens(frame: bytes, start: int, offset: int) -> None:
    done = complete_checksum(frame, start, offset)
    if start >= len(frame) or start + offset + 2 > len(frame):
        assert done == b""
    else:
        at = start + offset
        assert (done[:at], done[at + 2 :]) == (frame[:at], frame[at + 2 :])
