"""What the device remembers of rings and tables for a turn, and frames that land on it: later chains are what memory then holds, as in QEMU."""

from __future__ import annotations

import struct

import pytest

from ringscope_core.net.net import qemu_begin_burst, qemu_end_burst, qemu_send_packet_async
from tests.core.rig import INDIRECT, MRG, NEXT, PACKED, PROFILES, V1, WRITE, Rig

INDIRECT_DESC = 1 << 28
PAGE = 0x180000
X, Y = 0x190000, 0x1A0000
HEADER = bytes(10) + b"\x01\x00"
AVAILABLE = 1 << 7


def frame(number: int, start: bytes = b"") -> bytes:
    """60 bytes that begin with `start`."""
    return start + bytes([0x40 + number]) * (60 - len(start))


def arrive(rig: Rig, frames: list[bytes], burst: bool) -> None:
    """Frames from the peer, as one burst or one by one."""
    if burst:
        qemu_begin_burst(rig.peer)
    for one in frames:
        assert qemu_send_packet_async(rig.peer, one) == len(one)
    if burst:
        qemu_end_burst(rig.peer)


def split_rig(profile: str, features: int = 0) -> Rig:
    rig = Rig(profile=profile)
    rig.start(V1 | MRG | features)
    return rig


def descriptor(address: int, flags: int = WRITE, length: int = 2000) -> bytes:
    return struct.pack("<QIHH", address, length, flags, 0)


def packed_descriptor(address: int, ident: int, flags: int = WRITE, length: int = 2000) -> bytes:
    return struct.pack("<QIHH", address, length, ident, flags | AVAILABLE)


@pytest.mark.parametrize("burst", [True, False])
@pytest.mark.parametrize("profile", PROFILES)
def test_a_frame_over_the_next_chains_table(profile: str, burst: bool) -> None:
    """Tables of one page are read together; the third frame rewrites the fourth's."""
    rig = split_rig(profile, INDIRECT_DESC)
    tables = [PAGE + 0x300, PAGE + 0x340, PAGE, PAGE + 0x100]
    buffers = [X + 0x1000, X + 0x2000, tables[3] - 12, Y]
    for head, (table, buffer) in enumerate(zip(tables, buffers, strict=True)):
        rig.write(table, descriptor(buffer))
        rig.desc(0, head, table, 16, INDIRECT)
    rig.publish(0, 0, 1, 2, 3)
    arrive(rig, [frame(0), frame(1), frame(2, descriptor(X)), frame(3)], burst)
    assert rig.used(0) == [(head, 72) for head in range(4)]
    assert rig.read(X, 72) == HEADER + frame(3)
    assert rig.read(Y, 72) == bytes(72)
    assert rig.read(X + 0x2000, 72) == HEADER + frame(1)


@pytest.mark.parametrize("burst", [True, False])
@pytest.mark.parametrize("profile", PROFILES)
def test_a_frame_over_the_available_ring(profile: str, burst: bool) -> None:
    """The header goes elsewhere, the frame onto the ring: its first word is the next head."""
    rig = split_rig(profile)
    avail = rig.ring_at(0) + 0x4000
    rig.desc(0, 0, X + 0x1000, 12, WRITE | NEXT, 1)
    rig.desc(0, 1, avail + 4 + 2, 500, WRITE)
    rig.desc(0, 2, Y, 2000, WRITE)
    rig.desc(0, 5, X, 2000, WRITE)
    rig.publish(0, 0, 2)
    arrive(rig, [frame(0, b"\x05\x00"), frame(1)], burst)
    assert rig.used(0) == [(0, 72), (5, 72)]
    assert rig.read(X, 72) == HEADER + frame(1)
    assert rig.read(Y, 72) == bytes(72)


@pytest.mark.parametrize("burst", [True, False])
@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("offset", [0x800, 0x4800, 0x8FF0])
def test_a_buffer_beside_a_ring_in_the_same_page_is_a_buffer(profile: str, burst: bool, offset: int) -> None:
    rig = split_rig(profile)
    rig.set_up(0, 64)
    near = rig.ring_at(0) + offset
    for head, buffer in enumerate((near, near + 0x100, Y)):
        rig.desc(0, head, buffer, 0x100, WRITE)
    rig.publish(0, 0, 1, 2)
    arrive(rig, [frame(number) for number in range(3)], burst)
    assert rig.used(0) == [(head, 72) for head in range(3)]
    assert [rig.read(at, 72) for at in (near, near + 0x100, Y)] == [HEADER + frame(number) for number in range(3)]


@pytest.mark.parametrize("burst", [True, False])
def test_a_frame_over_the_packed_ring(burst: bool) -> None:
    rig = Rig(profile="7.2", packed=True)
    rig.start(V1 | MRG | PACKED)
    ring = rig.ring_at(0)
    rig.write(ring, packed_descriptor(X + 0x1000, 0, WRITE | NEXT, 12) + packed_descriptor(ring + 32, 0, WRITE, 500) + packed_descriptor(Y, 2))
    arrive(rig, [frame(0, packed_descriptor(X, 9)), frame(1)], burst)
    assert rig.read(X, 72) == HEADER + frame(1)
    assert rig.read(Y, 72) == bytes(72)
    assert struct.unpack("<IHH", rig.read(ring + 8, 8)) == (72, 0, AVAILABLE | 1 << 15)
    assert struct.unpack("<IHH", rig.read(ring + 40, 8)) == (72, 9, AVAILABLE | 1 << 15)


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize(
    ("cut", "one_behind_the_other"),
    [((12, 500), True), ((12, 500), False), ((4, 8, 500), True), ((4, 8, 500), False), ((12, 30, 500), True), ((600,), True), ((40, 500), False)],
)
@pytest.mark.parametrize("features", [MRG, 0])
def test_wherever_the_buffers_of_a_chain_lie(profile: str, cut: tuple[int, ...], one_behind_the_other: bool, features: int) -> None:
    rig = Rig(profile=profile)
    rig.start(V1 | features)
    places, at = [], X
    for slot, length in enumerate(cut):
        places.append(at)
        rig.write(at, b"\xa5" * length)
        rig.desc(0, slot, at, length, WRITE | (NEXT if slot < len(cut) - 1 else 0), slot + 1)
        at += length if one_behind_the_other else 0x1000
    rig.publish(0, 0)
    arrive(rig, [frame(7)], burst=True)
    got = b"".join(rig.read(place, length) for place, length in zip(places, cut, strict=True))
    assert got[:72] == bytes(10) + (b"\x01\x00" if features else b"\xa5\xa5") + frame(7)
    assert set(got[72:]) == {0xA5}
    assert rig.used(0) == [(0, 72)]


@pytest.mark.parametrize("profile", PROFILES)
def test_header_and_frame_on_the_same_bytes(profile: str) -> None:
    """Written in QEMU's order: header, frame, then num_buffers."""
    rig = split_rig(profile)
    rig.desc(0, 0, X, 12, WRITE | NEXT, 1)
    rig.desc(0, 1, X, 500, WRITE)
    rig.publish(0, 0)
    arrive(rig, [frame(1)], burst=True)
    assert rig.read(X, 60) == frame(1)[:10] + b"\x01\x00" + frame(1)[12:]
