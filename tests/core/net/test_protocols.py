"""Which protocols a frame speaks, as hashing sees it: anything may come, and headers that are cut are completed from the frame before."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ringscope_core.net.packet import ethernet, ipv4, ipv6, tcp, udp
from ringscope_core.net.protocols import Protocols

A, B = bytes((10, 0, 0, 1)), bytes((10, 0, 0, 2))
A6, B6 = bytes(15) + b"\1", bytes(15) + b"\2"


def seen(*frames: bytes) -> Protocols:
    found = Protocols()
    for frame in frames:
        found.look_at(frame)
    return found


def flags(found: Protocols) -> str:
    names = {"4": found.is_ip4, "6": found.is_ip6, "t": found.is_tcp, "u": found.is_udp, "f": found.fragment}
    return "".join(name for name, value in names.items() if value)


UDP4 = ethernet(bytes(6), bytes(6), 0x0800, ipv4(A, B, 17, udp(A, B, 1, 2, b"x")))
TCP6 = ethernet(bytes(6), bytes(6), 0x86DD, ipv6(A6, B6, 6, tcp(A6, B6, 3, 4, 0, 0, 0, b"")))


def test_plain_frames() -> None:
    assert (flags(seen(UDP4)), seen(UDP4).addresses(False), seen(UDP4).ports()) == ("4u", A + B, b"\0\1\0\2")
    assert (flags(seen(TCP6)), seen(TCP6).addresses(True), seen(TCP6).ports()) == ("6t", A6 + B6, b"\0\3\0\4")
    assert flags(seen(UDP4, TCP6, ethernet(bytes(6), bytes(6), 0x0806, bytes(28)))) == ""


def test_a_cut_header_is_completed_from_the_frame_before() -> None:
    cut = ethernet(bytes(6), bytes(6), 0x0800, b"\x45" + bytes(11) + b"\xc0\xa8")
    found = seen(UDP4, TCP6, cut)
    assert (flags(found), found.addresses(False)) == ("4", b"\xc0\xa8" + A[2:] + B)
    assert seen(cut).addresses(False) == b"\xc0\xa8" + bytes(6)


def test_addresses_of_extension_headers_do_not_outlive_their_frame() -> None:
    home = b"\x06\x02" + b"\x01\x02\0\0" + b"\xc9\x10" + bytes(range(16))
    with_home = ethernet(bytes(6), bytes(6), 0x86DD, ipv6(A6, B6, 60, home + tcp(A6, B6, 3, 4, 0, 0, 0, b"")))
    assert seen(with_home).addresses(True) == bytes(range(16)) + B6
    assert seen(with_home).addresses(False) == A6 + B6
    assert seen(with_home, TCP6).addresses(True) == A6 + B6


@given(st.sampled_from([b"\x08\x00", b"\x86\xdd", b"\x81\x00", b"\x88\xa8"]), st.binary(max_size=90))
def test_anything_may_come(ethertype: bytes, rest: bytes) -> None:
    found = seen(UDP4, bytes(12) + ethertype + rest)
    assert len(found.addresses(True)) in (8, 32)
    if found.is_tcp or found.is_udp:
        assert len(found.ports()) == 4
