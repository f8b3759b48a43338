"""Attacks on virtio-pci and MSI-X: registers beyond their end, odd sizes, vectors, the configuration window."""

from __future__ import annotations

import pytest

from tests.core.cve.attack import FRAME, attacked, victim
from tests.core.rig import BUFFERS_AT, NOTIFY, PROFILES, Rig

both = pytest.mark.parametrize("profile", PROFILES)
HUGE = [0, 1, 3, 1023, 1024, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF]


@both
@pytest.mark.parametrize("option", ["", "page-per-vq=on", "ioeventfd=off,modern-pio-notify=on"])
def test_cve_2011_2512_queue_number_out_of_range(option: str, profile: str) -> None:
    rig = victim(profile, option)
    with attacked(rig):
        before = [int(vq.counters.kicks) for vq in rig.n.vq[:3] if vq.counters is not None]
        for value in HUGE:
            if value < 3:
                continue
            for size in (2, 4):
                rig.bar_write(0, 16, size, value & (1 << 8 * size) - 1) if value & (1 << 8 * size) - 1 > 2 else None
                if "pio" in option and value & (1 << 8 * size) - 1 > 2:
                    rig.bar_write(2, 0, size, value & (1 << 8 * size) - 1)
        for index in (3, 100, 1023):
            rig.kick(index, 4)
        for value in HUGE:
            rig.bar_write(0, 14, 2, value & 0xFFFF)
            rig.common(22, 2, value & 0xFFFF)
            assert int(rig.n.queue_sel) < 1024
            rig.bar_read(0, 8, 4)
            rig.bar_read(4, 24, 2)
        rig.settle()
        assert [int(vq.counters.kicks) for vq in rig.n.vq[:3] if vq.counters is not None] == before


@both
@pytest.mark.parametrize("option", ["", "host_mtu=1400", "speed=1000", "mq=on"])
def test_cve_2013_2016_configuration_beyond_its_end(option: str, profile: str) -> None:
    rig = victim(profile, option)
    with attacked(rig):
        length = int(rig.n.config_len)
        whole = [rig.bar_read(4, 0x2000 + at, 1) for at in range(length)]
        for size in (1, 2, 4):
            for at in (*range(length + 8), 0xFFE, 0xFFF):
                value = rig.bar_read(4, 0x2000 + at, size)
                aligned = at % size == 0
                if aligned:
                    assert value == (int.from_bytes(bytes(whole[at : at + size]), "little") if at + size <= length else (1 << 8 * size) - 1)
                rig.bar_write(4, 0x2000 + at, size, 0xA5A5A5A5 & (1 << 8 * size) - 1)
        for at in range(20, 64):
            rig.bar_read(0, at, 4)
            rig.bar_write(0, at, 4, 0xFFFFFFFF)
        assert len(rig.n.config) == length
        assert [rig.bar_read(4, 0x2000 + at, 1) for at in range(length)] == whole


@both
def test_cve_2015_7549_writes_to_the_pending_bits(profile: str) -> None:
    rig = victim(profile)
    with attacked(rig):
        msix = rig.proxy.msix
        assert msix is not None
        before = bytes(msix.pba)
        for offset in range(0x800, 0x820):
            for size in (1, 2, 4, 8):
                rig.bar_write(1, offset, size, (1 << 8 * size) - 1)
        assert bytes(msix.pba) == before == bytes(len(before))


@both
def test_cve_2020_13754_accesses_of_every_size_at_every_place(profile: str) -> None:
    """MSI-X table and pending bits know 4 bytes; what is larger is split, what is smaller or runs beyond the end does nothing."""
    rig = victim(profile)
    with attacked(rig):
        msix = rig.proxy.msix
        assert msix is not None
        rig.msix_flags(0xC000)
        entries = int(msix.entries_nr)
        for offset in (*range(16 * entries + 16), *range(0x7F8, 0x820), *range(0xFF0, 0x1000)):
            for size in (1, 2, 4, 8):
                rig.bar_read(1, offset, size)
                before = bytes(msix.table)
                rig.bar_write(1, offset, size, 0x0123456789ABCDEF & (1 << 8 * size) - 1)
                changed = [at for at in range(len(before)) if before[at] != msix.table[at]]
                assert all(offset & ~3 <= at < offset + size for at in changed)
                if size < 4:
                    assert not changed
        assert len(msix.table) == 16 * entries


@both
@pytest.mark.parametrize("bar", [0, 1, 4])
def test_cve_2020_13754_eight_bytes_and_the_edges_of_every_bar(bar: int, profile: str) -> None:
    rig = victim(profile)
    with attacked(rig):
        size = int(rig.proxy.io_regions[bar].size)
        places = [*range(64), *range(0xFFC, 0x1004), 0x1FFF, 0x2000, 0x2FFF, 0x3000, 0x3FFF, *range(size - 8, size)]
        for offset in (at for at in places if 0 <= at < size):
            for width in (1, 2, 4) if bar == 0 else (1, 2, 4, 8):
                rig.bar_read(bar, offset, width)
                for value in (0, 1, (1 << 8 * width) - 1):
                    rig.bar_write(bar, offset, width, value)
        rig.churn(10)
        rig.cfg_write(4, 2, 7)
        rig.place_bars_as_they_were()


@both
def test_cve_2024_4693_vectors_change_while_the_driver_runs(profile: str) -> None:
    """After DRIVER_OK, with interrupts pending and masked: the old vector is silent, the new one sends, one that is none reads back so."""
    rig = victim(profile)
    with attacked(rig):
        msix = rig.proxy.msix
        assert msix is not None
        for vector in (2, 0xFFFF, 2047, 2048, 0x8000, 1, 0, 1, 1, 1):
            rig.common(22, 2, 1)
            rig.common(26, 2, vector)
            rig.common(16, 2, vector)
            wanted = vector if vector < int(msix.entries_nr) else 0xFFFF
            assert (rig.bar_read(4, 26, 2), rig.bar_read(4, 16, 2)) == (wanted, wanted)
            rig.send(FRAME, 5)
        # queue 0 and the control queue have one each, and this queue and the configuration share the last
        assert sum(int(use) for use in msix.entry_used) == 4
        rig.msix_flags(0xC000)
        rig.send(FRAME, 6)
        assert msix.is_pending(1)
        rig.common(26, 2, 2)
        rig.common(16, 2, 2)
        assert not msix.is_pending(1), "nobody uses the vector any more"
        rig.msix_flags(0x8000)
        rig.msix_flags(0)
        rig.send(FRAME, 7)


@both
def test_the_configuration_window_at_hostile_places(profile: str) -> None:
    """Any bar, offset and length in the access capability: only registers of the five regions are reached."""
    rig = victim(profile)
    with attacked(rig):
        cap = rig.proxy.config_cap
        config = bytes(rig.proxy.space.config)
        for bar in (0, 1, 4, 5, 6, 0xFF):
            rig.cfg_write(cap + 4, 1, bar)
            for offset in (4, 0x1000, 0x1FFF, 0x2000, 0x2FFF, 0x3FFF, 0x4000, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFF0, 0xFFFFFFFF):
                rig.cfg_write(cap + 8, 4, offset)
                for length in (0, 1, 2, 3, 4, 5, 8, 0x80000000, 0xFFFFFFFF):
                    rig.cfg_write(cap + 12, 4, length)
                    for size in (1, 2, 4):
                        for at in range(cap + 13, cap + 20):
                            rig.cfg_read(at, size)
                    rig.cfg_write(cap + 16, 4, 3)
        rig.churn(3)
        now = bytearray(rig.proxy.space.config)
        now[cap + 4] = config[cap + 4]
        now[cap + 8 : cap + 20] = config[cap + 8 : cap + 20]
        # the command register apart, which belongs to the window's neighbours in no way
        assert bytes(now) == config


@both
def test_configuration_space_beyond_its_end(profile: str) -> None:
    rig = victim(profile)
    with attacked(rig):
        for offset in (253, 254, 255, 256, 300, 4095, 4096, 0xFFFF):
            for size in (1, 2, 4):
                rig.cfg_read(offset, size)
                rig.cfg_write(offset, size, 0xFFFFFFFF & (1 << 8 * size) - 1)
        assert len(rig.proxy.space.config) in (256, 4096)
        machine = rig.machine
        for bdf in (0, 1, 255, 256, 0xFFFF):
            machine.cfg_read(bdf, 0, 4)
            machine.cfg_write(bdf, 0xFC, 4, 0) if bdf != 4 << 3 else None
        for port in (0xCF8, 0xCF9, 0xCFB, 0xCFC, 0xCFF):
            for size in (1, 2, 4):
                machine.io_write(port, size, 0x80002000)
                machine.io_read(port, size)
        rig.place_bars_as_they_were()


@both
def test_bars_anywhere(profile: str) -> None:
    """Over each other, over RAM, over the interrupt controllers, beyond the address space."""
    rig = victim(profile)
    with attacked(rig):
        for bar, address in ((1, 0xFE000000), (4, 0xFEE00000), (0, 0xCF8), (1, 0), (1, 0x100000), (4, 0xFFFFC000), (0, 0xFFE0), (6, 0xFE000801)):
            at = 0x30 if bar == 6 else 0x10 + 4 * bar
            rig.cfg_write(at, 4, address)
            if bar == 4:
                for high in (0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF):
                    rig.cfg_write(0x24, 4, high)
            for where in (address & ~0xF, 0xFEE00000, 0x100000):
                rig.machine.mmio_read(where, 4)
            rig.machine.io_read(0xC000, 4)
        rig.settle()
        rig.place_bars_as_they_were()
        for extra in (0x30,):
            rig.cfg_write(extra, 4, 0)


@both
def test_an_interrupt_that_is_a_write_to_memory_or_to_a_register(profile: str) -> None:
    """A message is a write of four bytes wherever the driver says: to RAM it is one, to a register of a device it is nothing."""
    rig = Rig(profile=profile)
    rig.start()
    rig.settle()
    for low, high in ((BUFFERS_AT + 0x800, 0), (0xFE000014, 0), (0xFEB00000, 0), (0, 0x80000000), (0xFFFFFFFE, 0xFFFFFFFF)):
        with attacked(rig, again=False):
            rig.bar_write(1, 16, 4, low)
            rig.bar_write(1, 20, 4, high)
            status = rig.status()
            rig.send(FRAME, 3)
            assert rig.status() == status
    assert rig.read(BUFFERS_AT + 0x800, 4) == b"\x41\0\0\0"


@both
def test_kicks_in_a_loop_cost_no_memory(profile: str) -> None:
    """A thousand kicks, re-armed timers and cancelled bottom halves before anybody runs."""
    rig = Rig("tx=timer", profile=profile, level=0)
    rig.start()
    rig.settle()
    for _ in range(300):
        rig.bar_write(4, NOTIFY + 4, 4, 1)
        rig.bar_write(4, NOTIFY + 4, 2, 1)
        rig.common(20, 1, 11)
        rig.common(20, 1, 15)
    assert rig.machine.loop.armed_timers() <= 1
    assert rig.machine.loop.pending_halves() <= 4
    rig.settle()
