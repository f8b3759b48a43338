"""The split ring: what comes out of good chains, and QEMU's answer to bad ones (facts observed on a real QEMU)."""

from __future__ import annotations

import struct

import pytest

from ringscope_core.hw.virtio import virtio
from tests.core.virtio.bare import BUFFERS_AT, EVENT_IDX, INDIRECT, MRG, NEXT, RAM, V1, WRITE, Bare

FRAME = bytes(range(60))


def state(bare: Bare) -> tuple[int, int, int, int]:
    """device_status, ISR, config generation, used.idx of the transmit queue."""
    return bare.n.status, bare.n.isr, bare.n.generation, bare.ctx.memory.read_u16(bare.vq(1).vring_used + 2)


def test_a_good_frame_goes_out() -> None:
    bare = Bare()
    bare.send(FRAME)
    assert bare.peer.frames == [FRAME]
    assert bare.used(1) == [(0, 0)]
    assert state(bare) == (0x0F, 1, 0, 1)
    assert bare.vectors == [1]


@pytest.mark.parametrize("cuts", [(12, 60), (1, 11, 30, 30), (5, 67), (72,), tuple([1] * 72)])
def test_header_and_data_may_be_cut_anywhere(cuts: tuple[int, ...]) -> None:
    bare = Bare()
    data = bytes(12) + FRAME
    at = BUFFERS_AT
    start = 0
    for slot, cut in enumerate(cuts):
        bare.write(at, data[start : start + cut])
        bare.desc(1, slot, at, cut, NEXT if slot < len(cuts) - 1 else 0, slot + 1)
        at += cut + 100
        start += cut
    bare.publish(1, 0)
    bare.kick(1)
    assert bare.peer.frames == [FRAME]


def bad_head(bare: Bare) -> None:
    bare.publish(1, 300)


def bad_next(bare: Bare) -> None:
    bare.desc(1, 0, BUFFERS_AT, 20, NEXT, 300)
    bare.publish(1, 0)


def loop_of_two(bare: Bare) -> None:
    bare.desc(1, 0, BUFFERS_AT, 20, NEXT, 1)
    bare.desc(1, 1, BUFFERS_AT, 20, NEXT, 0)
    bare.publish(1, 0)


def length_zero(bare: Bare) -> None:
    bare.desc(1, 0, BUFFERS_AT, 0)
    bare.publish(1, 0)


def wrong_order(bare: Bare) -> None:
    bare.desc(1, 0, BUFFERS_AT, 20, NEXT | WRITE, 1)
    bare.desc(1, 1, BUFFERS_AT, 20)
    bare.publish(1, 0)


def indirect_length(length: int):  # type: ignore[no-untyped-def]
    def inject(bare: Bare) -> None:
        bare.desc(1, 0, BUFFERS_AT, length, INDIRECT)
        bare.publish(1, 0)

    return inject


def long_table(bare: Bare) -> None:
    for i in range(1100):
        bare.write(BUFFERS_AT + 16 * i, struct.pack("<QIHH", 0x200000, 1, NEXT if i < 1099 else 0, i + 1))
    bare.desc(1, 0, BUFFERS_AT, 1100 * 16, INDIRECT)
    bare.publish(1, 0)


def only_writable(bare: Bare) -> None:
    bare.desc(1, 0, BUFFERS_AT, 100, WRITE)
    bare.publish(1, 0)


def unassigned(bare: Bare) -> None:
    bare.desc(1, 0, 1 << 40, 8000)
    bare.publish(1, 0)


@pytest.mark.parametrize(
    ("inject", "message"),
    [
        (bad_head, "Guest says index 300 is available"),
        (bad_next, "Desc next is 300"),
        (loop_of_two, "Looped descriptor"),
        (length_zero, "virtio: zero sized buffers are not allowed"),
        (wrong_order, "Incorrect order for descriptors"),
        (indirect_length(0), "Invalid size for indirect buffer table"),
        (indirect_length(17), "Invalid size for indirect buffer table"),
        (long_table, "virtio: too many write descriptors in indirect table"),
        (only_writable, "virtio-net header not in first element"),
        (unassigned, "virtio: bogus descriptor or out of resources"),
    ],
)
def test_bad_chains_break_the_device(inject, message: str) -> None:  # type: ignore[no-untyped-def]
    bare = Bare()
    inject(bare)
    bare.kick(1)
    assert bare.world.messages == [message]
    assert state(bare) == (0x4F, 3, 1, 0)
    assert bare.vectors == [0xFFFF]
    assert bare.n.broken
    bare.send(FRAME, head=5)
    assert bare.peer.frames == []


def test_a_legacy_driver_is_not_asked_for_a_reset() -> None:
    bare = Bare(MRG)
    bare.publish(1, 300)
    bare.kick(1)
    assert state(bare) == (0x0F, 0, 0, 0)
    assert bare.n.broken


def test_only_a_reset_mends_a_broken_device() -> None:
    bare = Bare()
    bare.publish(1, 300)
    bare.kick(1)
    virtio.virtio_set_status(bare.n, 0x0F)
    bare.send(FRAME, head=5)
    assert (bare.n.status, bare.peer.frames) == (0x0F, [])
    virtio.virtio_reset(bare.n)
    bare.write(bare.vq(1).vring_avail, bytes(2))
    for index in range(3):
        base = 0x10000 + index * 0x10000
        bare.write(base + 0x4000, bytes(4))
        bare.write(base + 0x8000, bytes(4))
    bare.start(V1 | MRG, 256)
    bare.send(FRAME)
    assert bare.peer.frames == [FRAME]


def test_indirect_tables_need_no_feature_and_do_not_nest() -> None:
    bare = Bare()
    bare.write(0x200000, bytes(12) + FRAME)
    bare.write(BUFFERS_AT, struct.pack("<QIHHQIHH", 0x200000, 12, NEXT, 1, 0x20000C, 60, INDIRECT, 0))
    bare.desc(1, 7, BUFFERS_AT, 32, INDIRECT)
    bare.publish(1, 7)
    bare.kick(1)
    assert (bare.peer.frames, bare.used(1)) == ([FRAME], [(7, 0)])


def test_a_small_buffer_outside_ram_goes_through_the_bounce_buffer() -> None:
    bare = Bare()
    bare.desc(1, 0, 1 << 40, 100)
    bare.publish(1, 0)
    bare.kick(1)
    assert (bare.world.messages, bare.peer.frames, state(bare)) == ([], [bytes(88)], (0x0F, 1, 0, 1))
    assert not bare.ctx.memory.bounce_busy


def test_a_jump_of_the_available_index_is_taken_on_transmit() -> None:
    bare = Bare()
    bare.desc(1, 0, BUFFERS_AT, 72)
    bare.write(bare.vq(1).vring_avail + 2, struct.pack("<H", 300))
    bare.kick(1)
    assert (len(bare.peer.frames), state(bare)) == (300, (0x0F, 1, 0, 300))


def test_a_jump_of_the_available_index_breaks_mergeable_receive() -> None:
    bare = Bare()
    bare.write(bare.vq(0).vring_avail + 2, struct.pack("<H", 300))
    bare.arrive(FRAME)
    assert bare.world.messages == ["Guest moved used index from 0 to 300"]
    assert bare.n.status == 0x4F


@pytest.mark.parametrize(("part", "message"), [(0, "Cannot map desc"), (1, "Cannot map avail"), (2, "Cannot map used")])
def test_a_ring_across_the_end_of_ram_cannot_be_mapped(part: int, message: str) -> None:
    bare = Bare()
    addresses = [0x10000, 0x14000, 0x18000]
    addresses[part] = RAM - 16
    virtio.virtio_queue_set_rings(bare.n, 1, *addresses)
    assert bare.world.messages == [message]
    assert bare.n.status == 0x4F


def test_a_ring_where_there_is_no_memory_is_no_error() -> None:
    bare = Bare()
    virtio.virtio_queue_set_rings(bare.n, 1, 1 << 40, 0x14000, 0x18000)
    assert (bare.world.messages, bare.n.status) == ([], 0x0F)


def test_event_index_decides_about_interrupts_and_kicks() -> None:
    bare = Bare(V1 | MRG | EVENT_IDX)
    vq = bare.vq(1)
    bare.write(vq.vring_avail + 4 + 2 * 256, struct.pack("<H", 2))
    bare.vectors.clear()
    for head in range(4):
        bare.send(FRAME, head=head)
    # the first push is notified because nothing was signalled before, the third because it passes used_event = 2
    assert bare.vectors == [1, 1]
    assert vq.signalled_used == 4
    assert bare.ctx.memory.read_u16(vq.vring_used + 4 + 8 * 256) == 4


def test_without_event_index_a_flag_suppresses_interrupts() -> None:
    bare = Bare()
    bare.write(bare.vq(1).vring_avail, b"\x01\x00")
    bare.send(FRAME)
    assert bare.vectors == []
    bare.write(bare.vq(1).vring_avail, b"\x00\x00")
    bare.send(FRAME, head=1)
    assert bare.vectors == [1]


def test_indices_wrap_at_65536() -> None:
    bare = Bare(size=4)
    for i in range(65540):
        if i < 4:
            bare.send(FRAME, head=i)
        else:
            bare.write(bare.vq(1).vring_avail + 2, struct.pack("<H", (i + 1) & 0xFFFF))
            bare.kick(1)
    assert len(bare.peer.frames) == 65540
    assert (bare.vq(1).last_avail_idx, bare.vq(1).used_idx, bare.vq(1).inuse) == (4, 4, 0)
    assert bare.ctx.memory.read_u16(bare.vq(1).vring_used + 2) == 4
