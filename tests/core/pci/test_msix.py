"""MSI-X vectors: masked, pending, sent; and the pin when MSI-X is off."""

from __future__ import annotations

from typing import Any

import pytest

from ringscope_core.hw.pci.msix import Msix
from ringscope_core.hw.ports import IrqSink
from ringscope_core.trace.fields import field
from tests.core.machines import Bench
from tests.oracle.target import BDF, RingscopeTarget

CAP = 0x98


class Line(IrqSink):
    """Notes what arrives."""

    def __init__(self) -> None:
        self.messages: list[int] = []
        self.levels: list[tuple[int, int]] = []

    def msi(self, vector: int) -> None:
        self.messages.append(int(vector))

    def intx(self, pin: int, level: int) -> None:
        self.levels.append((int(pin), int(level)))


@pytest.fixture
def target() -> RingscopeTarget:
    config: dict[str, Any] = {"device": "virtio-net-pci", "props": {"ioeventfd": "off"}, "peer": {"kind": "none"}, "ram": 1 << 20}
    found = RingscopeTarget(config)
    found.machine.ports.set_irq_sink(Line())
    return found


def msix_of(target: RingscopeTarget) -> Msix:
    dev = target.machine.pci_bus.functions[BDF]
    assert dev is not None and dev.msix is not None
    return dev.msix


def line_of(target: RingscopeTarget) -> Line:
    sink = target.machine.irq_sink
    assert isinstance(sink, Line)
    return sink


def program(target: RingscopeTarget, vector: int, address: int, data: int, mask: int) -> None:
    for at, value in enumerate((address & 0xFFFFFFFF, address >> 32, data, mask)):
        target.bar_write(1, 16 * vector + 4 * at, 4, value)


def enable(target: RingscopeTarget, flags: int = 0x8000) -> None:
    target.cfg_write(CAP + 2, 2, flags)


def test_a_vector_that_nobody_uses_is_silent(target: RingscopeTarget) -> None:
    enable(target)
    program(target, 1, 0xFEE00000, 0x41, 0)
    msix_of(target).notify(1)
    assert line_of(target).messages == []


def test_a_message_goes_to_the_interrupt_controller_or_to_memory(target: RingscopeTarget) -> None:
    enable(target)
    program(target, 1, 0xFEE01000, 0x4041, 0)
    program(target, 2, 0x9000, 0x12345678, 0)
    for vector in (1, 2):
        msix_of(target).vector_use(vector)
        msix_of(target).notify(vector)
    assert line_of(target).messages == [0x41]
    assert target.ram()[0x9000:0x9004].tobytes() == bytes.fromhex("78563412")


def test_a_masked_vector_waits(target: RingscopeTarget) -> None:
    msix = msix_of(target)
    msix.vector_use(1)
    enable(target)
    program(target, 1, 0xFEE00000, 0x41, 1)
    msix.notify(1)
    assert target.bar_read(1, 0x800, 4) == 1 << 1
    target.bar_write(1, 16 + 12, 4, 0)
    assert line_of(target).messages == [0x41]
    assert target.bar_read(1, 0x800, 4) == 0


def test_the_function_mask_holds_everything_back(target: RingscopeTarget) -> None:
    msix = msix_of(target)
    msix.vector_use(1)
    program(target, 1, 0xFEE00000, 0x41, 0)
    enable(target, 0xC000)
    msix.notify(1)
    assert line_of(target).messages == [] and msix.is_pending(1)
    enable(target)
    assert line_of(target).messages == [0x41] and not msix.is_pending(1)


def test_without_bus_master_nothing_leaves_the_function(target: RingscopeTarget) -> None:
    msix = msix_of(target)
    msix.vector_use(1)
    enable(target)
    program(target, 1, 0xFEE00000, 0x41, 0)
    target.cfg_write(4, 2, 3)
    msix.notify(1)
    assert line_of(target).messages == [] and not msix.is_pending(1)


def test_the_table_takes_words_of_4_bytes_only(target: RingscopeTarget) -> None:
    target.bar_write(1, 0, 4, 0xFEE00000)
    target.bar_write(1, 0, 2, 0xFFFF)
    assert target.bar_read(1, 0, 4) == 0xFEE00000
    assert target.bar_read(1, 0, 2) == 0
    assert target.bar_read(1, 0, 8) == 0xFEE00000
    target.bar_write(1, 0, 8, 0x1122334455667788)
    assert (target.bar_read(1, 0, 4), target.bar_read(1, 4, 4)) == (0x55667788, 0x11223344)


def test_vectors_out_of_range_are_none(target: RingscopeTarget) -> None:
    target.bar_write(4, 16, 2, 3)
    assert target.bar_read(4, 16, 2) == 0xFFFF
    target.bar_write(4, 16, 2, 2)
    assert target.bar_read(4, 16, 2) == 2


def test_the_pin_follows_the_interrupt_status_and_its_mask(target: RingscopeTarget) -> None:
    dev = target.machine.pci_bus.functions[BDF]
    assert dev is not None
    dev.set_irq(1)
    target.cfg_write(4, 2, 0x407)
    target.cfg_write(4, 2, 0x007)
    assert target.cfg_read(6, 2) >> 3 & 1 == 1
    assert target.bar_read(4, 0x1000, 1) == 0
    assert line_of(target).levels == [(0, 1), (0, 0), (0, 1), (0, 0)]


def test_reset_masks_and_clears(target: RingscopeTarget) -> None:
    enable(target)
    program(target, 1, 0xFEE00000, 0x41, 0)
    target.machine.system_reset()
    target.place_bars()
    assert not msix_of(target).is_enabled()
    assert [target.bar_read(1, at, 4) for at in (16, 20, 24, 28)] == [0, 0, 0, 1]


def test_vectors_that_are_used_or_programmed_are_shown() -> None:
    bench = Bench()
    machine = bench.machine
    machine.device_add("virtio-net-pci,id=net0,addr=04.0")
    machine.system_reset()
    machine.cont()
    machine.cfg_write(32, 0x14, 4, 0xFEB00000)
    machine.cfg_write(32, 0x20, 4, 0xFE000000)
    machine.cfg_write(32, 4, 2, 7)
    machine.mmio_write(0xFE000010, 2, 1)
    for at, value in enumerate((0xFEE00000, 0, 0x41, 0)):
        machine.mmio_write(0xFEB00010 + 4 * at, 4, value)
    bench.assert_fold()
    state = bench.folded()
    names = {state.objects[oid].name_id: oid for oid in state.objects}
    oid = names[int(bench.log.text("msix[1]"))]
    shown = {name: state.value(oid, int(field(f"MSIXEntry.{name}"))) for name in ("address", "data", "masked", "pending", "used")}
    assert shown == {"address": 0xFEE00000, "data": 0x41, "masked": 0, "pending": 0, "used": 1}
    dev = machine.pci_bus.functions[32]
    assert dev is not None and dev.msix is not None
    dev.msix.notify(1)
    bench.assert_fold()
    machine.system_reset()
    bench.assert_fold()
    assert machine.device_del("net0") == ""
    bench.assert_fold()
    assert int(bench.log.text("msix[1]")) not in {obj.name_id for obj in bench.folded().objects.values()}
