"""Receiving: lengths, num_buffers, filter, waiting frames (examples observed on a real QEMU)."""

from __future__ import annotations

import struct

import pytest

from ringscope_core.hw.virtio_net.rx import receive_filter
from ringscope_core.net.net import qemu_begin_burst, qemu_end_burst, qemu_send_packet_async
from tests.core.virtio.bare import MRG, V1, Bare

FRAME = bytes(range(60))


@pytest.mark.parametrize(
    ("buffers", "lengths", "num_buffers"),
    [([2000], [72], 1), ([12, 2000], [12, 60], 2), ([40, 40, 40], [40, 32], 2), ([72], [72], 1), ([12, 20, 20, 20], [12, 20, 20, 20], 4)],
)
def test_a_frame_over_several_buffers(buffers: list[int], lengths: list[int], num_buffers: int) -> None:
    bare = Bare()
    places = [bare.give(head * 4, length)[0] for head, length in enumerate(buffers)]
    assert bare.arrive(FRAME) == 60
    assert [length for _, length in bare.used(0)] == lengths
    data = b"".join(bare.read(at, length) for at, length in zip(places, lengths, strict=False))
    assert data == bytes(10) + struct.pack("<H", num_buffers) + FRAME
    assert bare.read(bare.vq(0).vring_used, 2) == b"\x01\x00"
    assert (bare.n.isr, bare.vectors) == (1, [0])


@pytest.mark.parametrize("cut", [(4, 8, 100), (11, 1, 100), (10, 2, 30, 30), (1,) * 11 + (200,), (12, 60)])
def test_the_header_may_lie_over_several_buffers_of_a_chain(cut: tuple[int, ...]) -> None:
    bare = Bare()
    places = bare.give(0, *cut)
    bare.arrive(FRAME)
    got = b"".join(bare.read(at, length) for at, length in zip(places, cut, strict=True))
    assert got[:72] == bytes(10) + b"\x01\x00" + FRAME
    assert bare.used(0) == [(0, 72)]


def test_without_mergeable_buffers_num_buffers_is_left_as_it_was() -> None:
    bare = Bare(V1)
    (at,) = bare.give(0, 2000)
    bare.arrive(FRAME)
    assert bare.read(at, 72) == bytes(10) + b"\xa5\xa5" + FRAME


def test_a_legacy_header_is_ten_bytes() -> None:
    bare = Bare(0)
    (at,) = bare.give(0, 2000)
    bare.arrive(FRAME)
    assert bare.read(at, 70) == bytes(10) + FRAME
    assert bare.used(0) == [(0, 70)]


def test_too_small_without_mergeable_buffers_drops_but_has_written() -> None:
    bare = Bare(V1)
    (at,) = bare.give(0, 40)
    assert bare.arrive(FRAME) == 60
    assert bare.used(0) == []
    assert bare.read(at, 40) == bytes(10) + b"\xa5\xa5" + FRAME[:28]
    assert (bare.vq(0).last_avail_idx, bare.vq(0).inuse) == (0, 0)
    assert bare.vq(0).counters is not None and bare.vq(0).counters.drops == 1


def test_a_header_that_does_not_fit_is_a_device_error_where_qemu_aborts() -> None:
    bare = Bare(V1)
    bare.give(0, 8)
    bare.arrive(FRAME)
    assert bare.n.status == 0x4F
    assert len(bare.world.messages) == 1
    assert bare.vq(0).inuse == 0


def test_a_frame_waits_until_the_driver_gives_buffers() -> None:
    bare = Bare()
    assert bare.arrive(FRAME) == 0
    assert bare.arrive(b"second" * 10) == 0
    places = [bare.give(head, 2000)[0] for head in (0, 1)]
    assert bare.used(0) == []
    bare.kick(0)
    assert [length for _, length in bare.used(0)] == [72, 72]
    assert bare.read(places[1] + 12, 60) == b"second" * 10


def test_a_frame_that_needs_more_than_is_there_waits_whole() -> None:
    bare = Bare()
    bare.give(0, 100)
    assert bare.arrive(bytes(200)) == 0
    assert (bare.used(0), bare.vq(0).inuse) == ([], 0)
    bare.give(1, 200)
    bare.kick(0)
    assert [length for _, length in bare.used(0)] == [100, 112]


def test_the_largest_frames_pass() -> None:
    bare = Bare()
    for head in range(50):
        bare.desc(0, head, 0x200000 + 2048 * head, 1500, 2)
    bare.publish(0, *range(50))
    frame = bytes(i * 7 & 0xFF for i in range(65550))
    assert bare.arrive(frame) == 65550
    used = bare.used(0)
    data = b"".join(bare.read(0x200000 + 2048 * head, length) for head, length in used)
    assert data == bytes(10) + struct.pack("<H", 44) + frame


def test_a_burst_is_published_at_its_end() -> None:
    bare = Bare()
    for head in range(3):
        bare.give(head, 2000)
    qemu_begin_burst(bare.peer)
    for i in range(3):
        assert qemu_send_packet_async(bare.peer, bytes([i]) * 60) == 60
    assert bare.used(0) == []
    qemu_end_burst(bare.peer)
    assert bare.used(0) == [(0, 72), (1, 72), (2, 72)]
    assert bare.vectors == [0, 0, 0]


def test_before_driver_ok_nothing_comes_in() -> None:
    bare = Bare(ready=False)
    assert bare.arrive(FRAME) == 0
    assert bare.peer.peer is not None and bare.peer.peer.incoming_queue.nq_count == 1


MULTICAST = b"\x01\x00\x5e\x00\x00\x01"
OTHER = b"\x52\x54\x00\x00\x00\x99"
BROADCAST = b"\xff" * 6


def frame_to(mac: bytes, vid: int | None = None) -> bytes:
    """A frame to `mac`, tagged when `vid` is given."""
    tag = b"" if vid is None else b"\x81\x00" + struct.pack(">H", vid)
    return mac + bytes(6) + tag + b"\x08\x00" + bytes(46)


def test_the_filter_in_its_order() -> None:
    bare = Bare(V1 | MRG | 1 << 19)
    n = bare.n
    n.promisc = 0
    assert receive_filter(n, frame_to(n.mac))
    assert not receive_filter(n, frame_to(OTHER))
    assert receive_filter(n, frame_to(BROADCAST))
    assert not receive_filter(n, frame_to(MULTICAST))
    n.mac_table.macs = [OTHER, MULTICAST]
    n.mac_table.in_use, n.mac_table.first_multi = 2, 1
    assert receive_filter(n, frame_to(OTHER)) and receive_filter(n, frame_to(MULTICAST))
    assert not receive_filter(n, frame_to(n.mac, vid=5))
    n.vlans[5 >> 3] |= 1 << 5
    assert receive_filter(n, frame_to(n.mac, vid=5))
    n.nouni, n.nomulti, n.nobcast = 1, 1, 1
    assert not any(receive_filter(n, frame_to(mac)) for mac in (n.mac, OTHER, MULTICAST, BROADCAST))
    n.promisc = 1
    assert receive_filter(n, frame_to(OTHER))


@pytest.mark.parametrize("length", range(17))
def test_runts_do_no_harm_to_the_filter(length: int) -> None:
    bare = Bare(V1 | MRG)
    bare.n.promisc = 0
    bare.give(0, 2000)
    bare.arrive((BROADCAST + bytes(20))[:length])
    assert not bare.n.broken
