"""The other modern regions: ISR, device configuration, notify (virtio 1.x, 4.1.4.4 to 4.1.4.6)."""

from __future__ import annotations

from typing import final

from mypy_extensions import i64

from ringscope_core.hw.pci.memory_region import RegionOps
from ringscope_core.hw.virtio.virtio import virtio_config_modern_read, virtio_config_modern_write
from ringscope_core.hw.virtio_pci.proxy import VirtIOPCIProxy


@final
class IsrOps(RegionOps):
    """Reading takes the interrupt status and silences the pin, at any offset."""

    def __init__(self, proxy: VirtIOPCIProxy) -> None:
        super().__init__()
        self.proxy: VirtIOPCIProxy = proxy

    def read(self, offset: i64, size: i64) -> i64:
        return take_isr(self.proxy)

    def write(self, offset: i64, size: i64, value: i64) -> None:
        """Ignored."""


def take_isr(proxy: VirtIOPCIProxy) -> i64:
    """Read and clear the interrupt status."""
    vdev = proxy.vdev()
    isr = vdev.isr
    vdev.set_isr(0)
    proxy.set_irq(0)
    return isr


@final
class DeviceOps(RegionOps):
    """The device's own configuration."""

    def __init__(self, proxy: VirtIOPCIProxy) -> None:
        super().__init__()
        self.proxy: VirtIOPCIProxy = proxy

    def read(self, offset: i64, size: i64) -> i64:
        return virtio_config_modern_read(self.proxy.vdev(), offset, size)

    def write(self, offset: i64, size: i64, value: i64) -> None:
        virtio_config_modern_write(self.proxy.vdev(), offset, size, value)


@final
class NotifyOps(RegionOps):
    """A write kicks the queue whose place it hits; what is written does not matter."""

    def __init__(self, proxy: VirtIOPCIProxy) -> None:
        super().__init__()
        self.proxy: VirtIOPCIProxy = proxy
        self.mult: i64 = proxy.queue_mem_mult()

    def read(self, offset: i64, size: i64) -> i64:
        return 0

    def write(self, offset: i64, size: i64, value: i64) -> None:
        # an ioeventfd sits at the start of a queue's place only
        queue = offset // self.mult
        self.proxy.kick(queue, size if offset == queue * self.mult else 0)


@final
class NotifyPioOps(RegionOps):
    """A write kicks the queue whose number is written."""

    def __init__(self, proxy: VirtIOPCIProxy) -> None:
        super().__init__()
        self.proxy: VirtIOPCIProxy = proxy

    def read(self, offset: i64, size: i64) -> i64:
        return 0

    def write(self, offset: i64, size: i64, value: i64) -> None:
        self.proxy.kick(value, size if offset == 0 else 0)
