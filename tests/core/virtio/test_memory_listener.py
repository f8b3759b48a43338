"""Rings are mapped again when the layout of memory changes, with the sizes that they have by then (virtio_memory_listener_commit)."""

from __future__ import annotations

import pytest

from ringscope_core.hw.virtio.device import VirtIODevice
from ringscope_core.qom.errp import Errp
from ringscope_core.qom.profile import PROFILE_7_2
from tests.core.virtio.bare import Bare
from tests.oracle.target import RingscopeTarget

CONFIG = {"machine": "pc-i440fx-4.1", "device": "virtio-net-pci", "props": {"romfile": "", "ioeventfd": "off"}, "peer": {"kind": "none"}, "ram": 2 << 20}
COMMAND, BAR4 = 4, 0x20


def grown() -> tuple[RingscopeTarget, VirtIODevice]:
    """A device whose queue 0 got more entries after it had been mapped with 16."""
    target = RingscopeTarget(CONFIG, profile=PROFILE_7_2)
    for offset, size, value in ((0x16, 2, 0), (0x18, 2, 16), (0x20, 4, 0x20000), (0x28, 4, 0x21000), (0x30, 4, 0x22000), (0x1C, 2, 1), (0x18, 2, 64)):
        target.bar_write(4, offset, size, value)
    device = target.device()
    assert (device.vq[0].mapped_num, device.vq[0].vring_num) == (16, 64)
    return target, device


@pytest.mark.parametrize(("offset", "value"), [(COMMAND, 2), (COMMAND, 3), (COMMAND, 6), (BAR4, 0xFE100000)])
def test_a_change_of_the_layout_maps_the_ring_anew(offset: int, value: int) -> None:
    target, device = grown()
    target.cfg_write(offset, 2 if offset == COMMAND else 4, value)
    assert device.vq[0].mapped_num == 64


@pytest.mark.parametrize("value", [7, 0x407])
def test_a_write_that_changes_nothing_does_not(value: int) -> None:
    target, device = grown()
    target.cfg_write(COMMAND, 2, value)
    assert device.vq[0].mapped_num == 16


def test_nothing_listens_for_a_device_that_is_gone() -> None:
    bare = Bare()
    assert len(bare.ctx.memory_listeners) == 1
    bare.n.property_set_bool(False, "realized", Errp())
    assert bare.ctx.memory_listeners == []
