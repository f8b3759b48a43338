"""Every type of the machine, registered in one place."""

from __future__ import annotations

from ringscope_core.hw.board import register_board_types
from ringscope_core.hw.pci.memory_region import register_memory_types
from ringscope_core.hw.pci.root_port import register_root_port_types
from ringscope_core.hw.pci.types import register_pci_types
from ringscope_core.hw.qdev.types import register_qdev_types
from ringscope_core.hw.virtio.types import register_virtio_types
from ringscope_core.hw.virtio.virtio_bus import register_virtio_bus_types
from ringscope_core.hw.virtio_net.types import register_virtio_net_types
from ringscope_core.hw.virtio_pci.types import register_virtio_pci_types
from ringscope_core.qom.world import World


def register_all_types(world: World) -> None:
    """What the constructors of a QEMU binary register before main."""
    table = world.types
    register_memory_types(table)
    register_qdev_types(table)
    register_pci_types(table)
    register_virtio_bus_types(table)
    register_virtio_types(table)
    register_virtio_net_types(table)
    register_virtio_pci_types(table)
    register_root_port_types(table)
    register_board_types(table, world.machine_type)
