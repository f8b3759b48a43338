"""A device behind a PCI Express root port: bus numbers, windows, the extended configuration space, and a reset of the function alone."""

from __future__ import annotations

import pytest

from ringscope_core.conform.root_port import BEHIND_BDF, BRIDGE_SETUP, PORT_BDF, PORT_OPTION
from ringscope_core.hw.pci.root_port import RootPort
from ringscope_core.qom.profile import PROFILE_4_1, PROFILE_7_2
from tests.core.machines import Bench

ABSENT = 0xFFFFFFFF
VIRTIO_NET = 0x10411AF4
BAR4 = 0xFE000000
MACHINES = [(PROFILE_4_1, "pc-q35-4.1"), (PROFILE_7_2, "pc-q35-4.1"), (PROFILE_7_2, "q35")]


class Behind(Bench):
    """A device in the slot of a root port; the guest has done nothing yet."""

    def __init__(self, profile: str, machine_type: str, option: str = "") -> None:
        super().__init__(profile=profile, machine_type=machine_type)
        assert self.machine.device_add(PORT_OPTION) is not None, self.machine.last_error
        assert self.machine.device_add(f"virtio-net-pci,id=net0,bus=rp0{option}") is not None, self.machine.last_error
        self.machine.system_reset()
        self.machine.cont()

    def setup(self) -> None:
        for offset, size, value in BRIDGE_SETUP:
            self.machine.cfg_write(PORT_BDF, offset, size, value)

    def place_bar4(self) -> None:
        self.machine.cfg_write(BEHIND_BDF, 0x20, 4, BAR4)
        self.machine.cfg_write(BEHIND_BDF, 0x24, 4, 0)
        self.machine.cfg_write(BEHIND_BDF, 4, 2, 6)

    def capability(self, cap_id: int) -> int:
        """Where a capability lies."""
        at = int(self.machine.cfg_read(BEHIND_BDF, 0x34, 1))
        while at and self.machine.cfg_read(BEHIND_BDF, at, 1) != cap_id:
            at = int(self.machine.cfg_read(BEHIND_BDF, at + 1, 1))
        return at


@pytest.mark.parametrize(("profile", "machine_type"), MACHINES)
def test_the_device_answers_where_the_guest_numbers_the_bus(profile: str, machine_type: str) -> None:
    bench = Behind(profile, machine_type)
    machine = bench.machine
    assert machine.cfg_read(BEHIND_BDF, 0, 4) == ABSENT
    bench.setup()
    assert machine.cfg_read(BEHIND_BDF, 0, 4) == VIRTIO_NET
    machine.cfg_write(PORT_BDF, 0x18, 4, 0x00030300)
    assert machine.cfg_read(BEHIND_BDF, 0, 4) == ABSENT
    assert machine.cfg_read(3 << 8, 0, 4) == VIRTIO_NET
    bench.assert_fold()


@pytest.mark.parametrize(("profile", "machine_type"), MACHINES)
def test_memory_answers_only_through_the_window(profile: str, machine_type: str) -> None:
    bench = Behind(profile, machine_type)
    machine = bench.machine
    bench.setup()
    bench.place_bar4()
    assert machine.mmio_read(BAR4 + 0x12, 2) == 3
    # the window ends below, the bridge does not decode, the window is back
    machine.cfg_write(PORT_BDF, 0x24, 4, 0xFD00FD00)
    assert machine.mmio_read(BAR4 + 0x12, 2) != 3
    machine.cfg_write(PORT_BDF, 0x24, 4, 0xFE00FE00)
    assert machine.mmio_read(BAR4 + 0x12, 2) == 3
    machine.cfg_write(PORT_BDF, 4, 2, 4)
    assert machine.mmio_read(BAR4 + 0x12, 2) != 3
    machine.cfg_write(PORT_BDF, 4, 2, 7)
    assert machine.mmio_read(BAR4 + 0x12, 2) == 3
    bench.assert_fold()


def test_the_slot_says_that_something_is_in_it() -> None:
    bench = Behind(PROFILE_7_2, "q35")
    port = bench.machine.world.resolve_path("/machine/peripheral/rp0")
    assert isinstance(port, RootPort)
    slot_status = port.exp_cap + 0x1A
    assert port.space.get(slot_status, 2) == 0x40
    assert bench.machine.device_del("net0") == ""
    assert [dev for dev in port.secondary().functions if dev is not None] == []


def test_the_extended_space_has_what_was_asked_for() -> None:
    bench = Behind(PROFILE_7_2, "q35", ",aer=on,ats=on")
    bench.setup()
    machine = bench.machine
    first = machine.cfg_read(BEHIND_BDF, 0x100, 4)
    assert first & 0xFFFF == 1
    second = machine.cfg_read(BEHIND_BDF, first >> 20, 4)
    assert second & 0xFFFF == 0xF
    assert second >> 20 == 0


def test_without_them_it_is_empty() -> None:
    bench = Behind(PROFILE_7_2, "q35")
    bench.setup()
    assert bench.machine.cfg_read(BEHIND_BDF, 0x100, 4) == 0


@pytest.mark.parametrize(("option", "resets"), [("", True), (",x-pcie-flr-init=off", False)])
def test_a_function_level_reset(option: str, resets: bool) -> None:
    bench = Behind(PROFILE_7_2, "q35", option)
    machine = bench.machine
    bench.setup()
    bench.place_bar4()
    machine.mmio_write(BAR4 + 0x14, 1, 3)
    assert machine.mmio_read(BAR4 + 0x14, 1) == 3
    exp = bench.capability(0x10)
    machine.cfg_write(BEHIND_BDF, exp + 8, 2, 0x8000)
    assert machine.cfg_read(BEHIND_BDF, exp + 8, 2) & 0x8000 == 0
    bench.place_bar4()
    assert machine.mmio_read(BAR4 + 0x14, 1) == (0 if resets else 3)
    bench.assert_fold()


def test_the_conventional_board_has_no_slot_for_express() -> None:
    bench = Bench(profile=PROFILE_7_2)
    assert bench.machine.device_add("virtio-net-pci,id=net0,bus=pcie.0") is None
    assert bench.machine.last_error == "Bus 'pcie.0' not found"
