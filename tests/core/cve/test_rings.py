"""Attacks on the virtio core through descriptors and ring addresses."""

from __future__ import annotations

import struct

import pytest

from tests.core.cve.attack import CTRL, FRAME, attacked, broke, expert, victim
from tests.core.rig import BUFFERS_AT, INDIRECT, MRG, NEXT, PROFILES, RAM, V1, WRITE, Rig

both = pytest.mark.parametrize("profile", PROFILES)
TABLE = 0x300000


def table(rig: Rig, entries: int, length: int, flags: int = 0, at: int = TABLE) -> None:
    """An indirect table whose entries all show one buffer."""
    for i in range(entries):
        more = NEXT if i < entries - 1 else 0
        rig.write(at + 16 * i, struct.pack("<QIHH", BUFFERS_AT, length, flags | more, i + 1))


@both
@pytest.mark.parametrize("flags", [0, WRITE])
@pytest.mark.parametrize("queue", [0, 1, 2])
def test_cve_2011_2212_indirect_table_longer_than_the_element(queue: int, flags: int, profile: str) -> None:
    rig = victim(profile, features=V1 | CTRL)
    with attacked(rig):
        table(rig, 1100, 1, flags)
        rig.desc(queue, 0, TABLE, 1100 * 16, INDIRECT)
        rig.publish(queue, 0)
        rig.kick(queue)
        rig.settle()
        if queue == 0:
            rig.arrive(bytes(1090))
        broke(rig, "virtio: too many write descriptors in indirect table")


@both
def test_cve_2016_5403_more_elements_in_flight_than_the_ring_holds(profile: str) -> None:
    rig = victim(profile, "x-txburst=1000000", level=0)
    with attacked(rig):
        # every entry is the same chain, and the index says that there are 65535
        rig.peer.busy = True
        rig.desc(1, 0, BUFFERS_AT, 72)
        rig.write(rig.ring_at(1) + 0x4000, struct.pack("<HH", 0, 0xFFFF))
        rig.kick(1)
        rig.settle()
        assert int(rig.vq(1).inuse) <= 256
        rig.release()
        assert len(rig.peer.frames) <= 65535
    for head in range(8):
        rig.desc(0, head, BUFFERS_AT + 64 * head, 1, WRITE)
    with attacked(rig):
        # one byte a buffer, the same buffers again and again: a frame takes no more of them than the ring has
        rig.write(rig.ring_at(0) + 0x4000, struct.pack("<HH", 0, 256) + struct.pack("<256H", *[i % 8 for i in range(256)]))
        rig.kick(0)
        rig.arrive(bytes(1000))
        assert int(rig.vq(0).inuse) <= 256


@both
@pytest.mark.parametrize("queue", [0, 1, 2])
def test_cve_2016_6490_descriptor_of_length_zero(queue: int, profile: str) -> None:
    rig = victim(profile)
    with attacked(rig):
        rig.desc(queue, 0, BUFFERS_AT, 16 if queue == 2 else 0, NEXT if queue == 2 else WRITE if queue == 0 else 0, 1)
        rig.desc(queue, 1, BUFFERS_AT, 0, WRITE)
        rig.publish(queue, 0)
        rig.kick(queue)
        rig.settle()
        if queue == 0:
            # with mergeable buffers an empty one offers nothing and is never taken
            rig.arrive(FRAME)
            assert not rig.n.broken and int(rig.vq(0).last_avail_idx) == 0
        else:
            broke(rig, "virtio: zero sized buffers are not allowed")


@both
def test_cve_2016_7422_buffer_that_cannot_be_mapped(profile: str) -> None:
    rig = victim(profile)
    with attacked(rig):
        rig.desc(1, 0, RAM + 4096, 0xFFFFFFFF)
        rig.publish(1, 0)
        rig.kick(1)
        rig.settle()
        broke(rig, "virtio: bogus descriptor or out of resources")


@both
def test_cve_2020_13659_second_mapping_of_what_is_no_memory(profile: str) -> None:
    """address_space_map answers NULL when its one bounce buffer is taken; the device must not believe in the length then."""
    rig = victim(profile)
    with attacked(rig):
        rig.desc(1, 0, 1 << 40, 100, NEXT, 1)
        rig.desc(1, 1, 1 << 41, 100)
        rig.publish(1, 0)
        rig.kick(1)
        rig.settle()
        broke(rig, "virtio: bogus descriptor or out of resources")
        assert not rig.machine.memory.bounce_busy


@both
@pytest.mark.parametrize("part", [0, 1, 2])
@pytest.mark.parametrize("where", [RAM - 16, 0xFEB00000, 0xFE000000, 1 << 40, 2**63, 2**64 - 64])
def test_cve_2020_27821_ring_over_registers_and_holes(where: int, part: int, profile: str) -> None:
    """QEMU's cached access to a ring over the MSI-X table went out of bounds; here registers are no memory for a ring."""
    rig = victim(profile)
    with attacked(rig):
        addresses = [rig.ring_at(1), rig.ring_at(1) + 0x4000, rig.ring_at(1) + 0x8000]
        addresses[part] = where
        rig.common(22, 2, 1)
        for register, address in zip((32, 40, 48), addresses, strict=True):
            rig.common(register, 4, address & 0xFFFFFFFF)
            rig.common(register + 4, 4, address >> 32)
        rig.common(28, 2, 1)
        table_before = bytes(rig.proxy.msix.table)  # type: ignore[union-attr]
        rig.write(rig.ring_at(1) + 0x4000, struct.pack("<HH", 0, 3))
        rig.desc(1, 0, BUFFERS_AT, 72)
        rig.kick(1)
        rig.settle()
        assert bytes(rig.proxy.msix.table) == table_before  # type: ignore[union-attr]
        assert rig.n.broken == (where == RAM - 16 and rig.messages()[-1].startswith("Cannot map") or rig.n.broken)


@both
@pytest.mark.parametrize("where", [0xFEB00000, 0xFEB00800, 0xFE000000 + 20, 0xFE003004, 0xC000, 0xC0000])
@pytest.mark.parametrize("queue", [0, 1, 2])
def test_cve_2023_3019_dma_into_the_devices_own_registers(queue: int, where: int, profile: str) -> None:
    """Buffers on its own BARs: QEMU 4.1 enters the device again, later ones refuse; here nothing is written and nothing is re-entered."""
    rig = victim(profile)
    with attacked(rig):
        state = (rig.status(), bytes(rig.proxy.msix.table))  # type: ignore[union-attr]
        kicks = [int(vq.counters.kicks) for vq in rig.n.vq[:3] if vq.counters is not None]
        rig.desc(queue, 0, where if queue != 2 else BUFFERS_AT, 1500 if queue == 0 else 72, WRITE if queue == 0 else NEXT if queue == 2 else 0, 1)
        rig.desc(queue, 1, where, 1, WRITE)
        if queue == 2:
            rig.write(BUFFERS_AT, b"\0\0\1")
        rig.publish(queue, 0)
        rig.kick(queue)
        rig.settle()
        if queue == 0:
            rig.arrive(b"\4" * 1400)
        assert (rig.status() & 0x0F, bytes(rig.proxy.msix.table)) == (state[0] & 0x0F, state[1])  # type: ignore[union-attr]
        now = [int(vq.counters.kicks) for vq in rig.n.vq[:3] if vq.counters is not None]
        assert [b - a for a, b in zip(kicks, now, strict=True)] == [1 if i == queue else 0 for i in range(3)]


@both
def test_cve_2024_3446_a_bottom_half_that_would_enter_the_device_again(profile: str) -> None:
    """The bottom half transmits from the notify register and sends its interrupt to it: neither reads or writes it."""
    rig = victim(profile)
    with attacked(rig):
        for word, value in enumerate((0xFE003004, 0, 1, 0)):
            rig.bar_write(1, 16 + 4 * word, 4, value)
        for head in range(20):
            rig.desc(1, head, 0xFE003000, 72)
        rig.publish(1, *range(20))
        rig.kick(1)
        rig.churn(1)
        counters = rig.vq(1).counters
        assert counters is not None
        kicks = int(counters.kicks)
        rig.settle()
        assert int(counters.kicks) == kicks == 2
        assert rig.peer.frames == [bytes(60)] * 20


@both
def test_cve_2017_17381_ring_without_alignment(profile: str) -> None:
    """Only virtio-mmio can set the alignment, to 0 too; over PCI it is fixed, and a ring at any odd address is taken as it is."""
    rig = victim(profile)
    with attacked(rig):
        for address in (1, 3, 0xFFF, 0x1001, RAM - 1):
            rig.common(22, 2, 1)
            for register in (32, 40, 48):
                rig.common(register, 4, address)
            rig.common(28, 2, 1)
            rig.kick(1)
            rig.settle()
        assert int(rig.vq(1).vring_align) == 4096
    legacy = Rig(profile=profile)
    for address in (1, 0xFFFFFFFF, 0x80000000):
        legacy.bar_write(0, 14, 2, 1)
        legacy.bar_write(0, 8, 4, address)
        legacy.bar_write(0, 16, 2, 1)
        legacy.settle()
    # an absent queue has no size, and nothing is computed for it
    legacy.bar_write(0, 14, 2, 1000)
    legacy.bar_write(0, 8, 4, 5)
    legacy.bar_write(0, 16, 2, 1000)
    legacy.settle()
    assert int(legacy.n.vq[1000].vring_used) == 0


@both
@pytest.mark.parametrize("length", [0, 8, 15, 17])
@pytest.mark.parametrize("queue", [0, 1, 2])
def test_indirect_table_of_no_bytes_7423192912(queue: int, length: int, profile: str) -> None:
    rig = victim(profile)
    with attacked(rig):
        rig.desc(queue, 0, TABLE, length, INDIRECT)
        rig.publish(queue, 0)
        rig.kick(queue)
        rig.settle()
        if queue == 0:
            rig.arrive(FRAME)
        broke(rig, "Invalid size for indirect buffer table")


@both
def test_stale_maximum_after_an_indirect_head_bbc1c327d7(profile: str) -> None:
    """4.1 went on counting the ring with the size of the last indirect table, and read beyond the ring's end."""
    rig = victim(profile, size=8)
    with attacked(rig):
        table(rig, 2, 16, WRITE)
        rig.desc(0, 0, TABLE, 0x1000, INDIRECT)
        rig.desc(0, 1, BUFFERS_AT, 4, WRITE | NEXT, 200)
        rig.publish(0, 0, 1)
        rig.arrive(bytes(500))
        broke(rig, "Desc next is 200")


@both
def test_a_table_that_claims_four_gigabytes(profile: str) -> None:
    for queue in range(3):
        for where in (TABLE, 1 << 40, 2**63, 2**64 - 4096):
            rig = victim(profile)
            with attacked(rig):
                rig.write(TABLE, struct.pack("<QIHHQIHH", BUFFERS_AT, 4, NEXT | WRITE, 1, BUFFERS_AT, 0, NEXT | WRITE, 1))
                rig.desc(queue, 0, where, 0xFFFFFFF0, INDIRECT)
                rig.publish(queue, 0)
                rig.kick(queue)
                rig.arrive(FRAME)


@both
def test_a_circle_in_a_table_of_all_memory(profile: str) -> None:
    """A table as large as memory whose second entry points at itself: QEMU walks a quarter of a million steps, here a lap is enough."""
    rig = victim(profile)
    with attacked(rig):
        rig.write(0x100000, struct.pack("<QIHHQIHH", 0, 0, NEXT, 1, 0, 0, NEXT, 1))
        rig.desc(0, 0, 0x100000, RAM - 0x100000, INDIRECT)
        rig.publish(0, 0)
        rig.arrive(FRAME)
        broke(rig, "Looped descriptor")


@both
@pytest.mark.parametrize("queue", [1, 2])
def test_buffers_of_terabytes_are_not_read(queue: int, profile: str) -> None:
    """1000 descriptors of all memory: 3 GB of a frame that is too long, or of a command."""
    rig = victim(profile)
    with attacked(rig):
        for i in range(1000):
            rig.write(TABLE + 16 * i, struct.pack("<QIHH", 0x100000, RAM - 0x100000, NEXT, i + 1))
        rig.write(TABLE + 16000, struct.pack("<QIHH", BUFFERS_AT, 1, WRITE if queue == 2 else 0, 0))
        rig.write(0x100000, b"\1\0\xff\xff\xff\0")
        rig.desc(queue, 0, TABLE, 16 * 1001, INDIRECT)
        rig.publish(queue, 0)
        rig.kick(queue)
        rig.settle()
        assert rig.used(queue) == [(0, 1 if queue == 2 else 0)]
        assert not rig.n.broken and rig.peer.frames == []


@both
def test_caches_null_abdd16f468_a_broken_ring_is_looked_at(profile: str) -> None:
    """A ring across the end of memory, then a frame: 4.1.0 asserts that the ring is mapped; here it is an entry of the expert list."""
    rig = victim(profile)
    with attacked(rig):
        rig.common(22, 2, 0)
        rig.common(32, 4, RAM - 16)
        rig.common(28, 2, 1)
        broke(rig, "Cannot map desc")
        rig.arrive(FRAME)
        rig.kick(0)
        rig.settle()
        said = expert(rig)
        if profile == "4.1":
            assert len(said) == 1 and "vring_get_region_caches" in said[0]
        else:
            assert said == []


@both
@pytest.mark.parametrize("features", [V1 | MRG, V1])
def test_caches_null_ring_address_zero_with_avail_set(features: int, profile: str) -> None:
    rig = victim(profile, features=features)
    with attacked(rig):
        rig.give(0)
        rig.common(22, 2, 0)
        rig.common(32, 4, 0)
        rig.common(36, 4, 0)
        rig.common(28, 2, 1)
        assert rig.arrive(FRAME) <= 0
        assert rig.used(0) == []
        if profile == "4.1":
            assert any("vring_get_region_caches" in text for text in expert(rig))
            broke(rig, "Region caches not initialized")
