"""Scan, BAR sizing and capability walk over a configuration space of the tests."""

from __future__ import annotations

from itertools import pairwise

import pytest
from mypy_extensions import i64

from ringscope_core.guest.pci import CAP_MSIX, CAP_VENDOR, PciBus, PciResourceError
from ringscope_core.hw.ports import GuestPorts
from ringscope_core.memory.ram import anonymous_ram
from ringscope_core.trace.clock import Clock
from ringscope_core.trace.log import EventLog
from ringscope_core.trace.mainloop import MainLoop


class ConfigSpaces(GuestPorts):
    """Functions as 256 bytes and a mask of the writable bits."""

    def __init__(self) -> None:
        log = EventLog(Clock())
        super().__init__(anonymous_ram(4096), log, MainLoop(log.clock))
        self.spaces: dict[int, bytearray] = {}
        self.masks: dict[int, bytearray] = {}

    def add(self, bdf: int, vendor: int, device: int, header: int = 0) -> None:
        space = bytearray(256)
        space[0:4] = vendor.to_bytes(2, "little") + device.to_bytes(2, "little")
        space[0x0E] = header
        self.spaces[bdf] = space
        self.masks[bdf] = bytearray(256)
        self.masks[bdf][4:6] = b"\xff\xff"

    def bar(self, bdf: int, register: int, size: int, low: int) -> None:
        mask = (-size) & 0xFFFFFFFFFFFFFFFF
        self.spaces[bdf][register] = low
        self.masks[bdf][register : register + 4] = (mask & 0xFFFFFFFF & (~3 if low & 1 else ~15)).to_bytes(4, "little")
        if low & 6 == 4:
            self.masks[bdf][register + 4 : register + 8] = (mask >> 32).to_bytes(4, "little")

    def cfg_read(self, bdf: i64, offset: i64, size: i64) -> i64:
        space = self.spaces.get(int(bdf))
        if space is None:
            return (1 << 8 * int(size)) - 1
        return int.from_bytes(space[offset : offset + size], "little")

    def cfg_write(self, bdf: i64, offset: i64, size: i64, value: i64) -> None:
        space, mask = self.spaces[int(bdf)], self.masks[int(bdf)]
        for i, byte in enumerate(int(value).to_bytes(int(size), "little")):
            at = offset + i
            space[at] = space[at] & ~mask[at] | byte & mask[at]


def _nic(ports: ConfigSpaces, bdf: int) -> None:
    ports.add(bdf, 0x1AF4, 0x1000)
    ports.bar(bdf, 0x10, 32, 1)
    ports.bar(bdf, 0x14, 0x1000, 0)
    ports.bar(bdf, 0x20, 0x4000, 0xC)
    ports.bar(bdf, 0x30, 0x40000, 0)
    space = ports.spaces[bdf]
    space[6] = 0x10
    space[0x34] = 0x98
    space[0x98:0x9A] = bytes([CAP_MSIX, 0x40])
    space[0x40:0x42] = bytes([CAP_VENDOR, 0])


def test_bars_are_sized_placed_and_apart() -> None:
    ports = ConfigSpaces()
    _nic(ports, 0x18)
    _nic(ports, 0x20)
    bus = PciBus(ports)
    bus.scan()
    assert [function.bdf for function in bus.functions] == [0x18, 0x20]
    spans: list[tuple[bool, int, int]] = []
    for function in bus.functions:
        assert [(bar.index, bar.io, bar.wide, bar.size) for bar in function.bars] == [
            (0, True, False, 32),
            (1, False, False, 0x1000),
            (4, False, True, 0x4000),
            (6, False, False, 0x40000),
        ]
        for bar in function.bars:
            assert bar.address % bar.size == 0
            spans.append((bar.io, int(bar.address), int(bar.address + bar.size)))
    spans.sort()
    for (io, _, end), (next_io, start, _) in pairwise(spans):
        assert io != next_io or end <= start
    wide = bus.functions[0].bar(4)
    assert wide is not None
    assert ports.cfg_read(0x18, 0x20, 4) & ~15 == wide.address


def test_capabilities_are_walked_and_a_loop_ends() -> None:
    ports = ConfigSpaces()
    _nic(ports, 0x18)
    bus = PciBus(ports)
    bus.scan()
    function = bus.functions[0]
    assert [(cap.number, cap.offset) for cap in function.capabilities] == [(CAP_MSIX, 0x98), (CAP_VENDOR, 0x40)]
    ports.spaces[0x18][0x41] = 0x98
    bus = PciBus(ports)
    bus.scan()
    assert len(bus.functions[0].capabilities) == 48


def test_other_functions_of_a_slot_only_where_the_header_says_so() -> None:
    ports = ConfigSpaces()
    ports.add(0x08, 0x8086, 0x7000, header=0x80)
    ports.add(0x0B, 0x8086, 0x7113)
    ports.add(0x18, 0x1AF4, 0x1000)
    ports.add(0x19, 0x1AF4, 0x1001)
    bus = PciBus(ports)
    bus.scan()
    assert [function.bdf for function in bus.functions] == [0x08, 0x0B, 0x18]


def test_command_bits_come_and_go() -> None:
    ports = ConfigSpaces()
    _nic(ports, 0x18)
    bus = PciBus(ports)
    bus.scan()
    function = bus.functions[0]
    function.set_command(7)
    function.clear_command(2)
    assert ports.cfg_read(0x18, 4, 2) == 5


def test_a_bar_that_fits_nowhere_is_refused() -> None:
    ports = ConfigSpaces()
    ports.add(0x18, 0x1AF4, 0x1000)
    ports.bar(0x18, 0x10, 0x40000000, 8)
    with pytest.raises(PciResourceError, match="does not fit"):
        PciBus(ports).scan()
