"""How accesses are cut into what a region takes, and where BARs answer."""

from __future__ import annotations

import pytest

from ringscope_core.hw.pci.device import PCIDevice
from ringscope_core.hw.pci.memory_region import access_size
from tests.core.machines import Bench


@pytest.mark.parametrize(
    ("length", "offset", "room", "largest", "size"),
    [(8, 0, 100, 4, 4), (4, 2, 100, 4, 2), (4, 1, 100, 4, 1), (3, 0, 100, 4, 2), (4, 0, 2, 4, 2), (1, 0, 100, 4, 1), (8, 0x1000, 100, 4, 4)],
)
def test_an_access_steps_by_aligned_powers_of_two(length: int, offset: int, room: int, largest: int, size: int) -> None:
    assert access_size(length, offset, room, largest) == size


def placed() -> tuple[Bench, PCIDevice]:
    bench = Bench()
    bench.machine.device_add("virtio-net-pci,id=net0,addr=04.0")
    bench.machine.system_reset()
    dev = bench.machine.pci_bus.functions[32]
    assert dev is not None
    return bench, dev


def test_a_bar_answers_only_while_decoding_is_on_and_its_address_makes_sense() -> None:
    bench, dev = placed()
    cfg = bench.machine.cfg_write
    cfg(32, 0x14, 4, 0xFEB00000)
    assert int(dev.io_regions[1].addr) == -1
    cfg(32, 4, 2, 2)
    assert int(dev.io_regions[1].addr) == 0xFEB00000
    for address, at in ((0, -1), (0xFFFFF000, -1), (0xFEB01234, 0xFEB01000)):
        cfg(32, 0x14, 4, address)
        assert int(dev.io_regions[1].addr) == at
    # a 64 bit BAR may lie above 4 GiB
    cfg(32, 0x20, 4, 0)
    cfg(32, 0x24, 4, 1)
    assert int(dev.io_regions[4].addr) == 1 << 32
    cfg(32, 0x24, 4, 0xFFFFFFFF)
    assert int(dev.io_regions[4].addr) == -1


def test_nothing_reads_as_zeros_in_memory_and_as_ones_in_io() -> None:
    bench, _ = placed()
    machine = bench.machine
    assert machine.mmio_read(0xFEB00000, 4) == 0
    assert machine.io_read(0xC000, 2) == 0xFFFF
    assert machine.cfg_read(5 << 3, 0, 4) == 0xFFFFFFFF
    machine.mmio_write(0xFEB00000, 4, 1)
    machine.io_write(0xC000, 2, 1)
    machine.cfg_write(5 << 3, 4, 2, 7)


def test_configuration_mechanism_1() -> None:
    bench, _ = placed()
    machine = bench.machine
    machine.io_write(0xCF8, 4, 0x80000000 | 32 << 8)
    assert machine.io_read(0xCFC, 4) == 0x10001AF4
    assert machine.io_read(0xCFE, 2) == 0x1000
    machine.io_write(0xCF8, 4, 0x80000000 | 32 << 8 | 4)
    machine.io_write(0xCFC, 2, 7)
    assert machine.cfg_read(32, 4, 2) == 7
    machine.io_write(0xCF8, 4, 0)
    assert machine.io_read(0xCFC, 4) == 0xFFFFFFFF


def test_ram_answers_before_any_bar() -> None:
    bench, _ = placed()
    bench.machine.mmio_write(0x100, 4, 0x11223344)
    assert bench.machine.mmio_read(0x100, 4) == 0x11223344
    bench.machine.mmio_write(0x108, 8, -2)
    assert bench.machine.mmio_read(0x108, 8) == -2


def test_slots() -> None:
    bench = Bench()
    machine = bench.machine
    assert machine.device_add("virtio-net-pci,id=a") is not None
    assert machine.device_add("virtio-net-pci,id=b,addr=5,multifunction=on") is not None
    assert machine.device_add("virtio-net-pci,id=c,addr=5.3") is not None
    taken = [devfn for devfn, dev in enumerate(machine.pci_bus.functions) if dev is not None]
    chipset = [0, 1 << 3, 1 << 3 | 1, 1 << 3 | 3]
    assert taken == [*chipset, 2 << 3, 5 << 3, 5 << 3 | 3]
    assert machine.device_add("virtio-net-pci,addr=2.1") is None
    assert machine.device_add("virtio-net-pci,addr=5.3") is None
    assert machine.device_add("virtio-net-pci,addr=0") is None
    assert [text.split(": ", 1)[1] for text in machine.world.messages] == [
        "PCI: single function device can't be populated in function 2.1",
        "PCI: slot 5 function 3 not available for virtio-net-pci, in use by virtio-net-pci",
        "PCI: slot 0 function 0 not available for virtio-net-pci, in use by i440FX",
    ]
