"""The other modern regions: ISR, device configuration, notify (virtio 1.x, 4.1.4.4 to 4.1.4.6)."""

from __future__ import annotations

from typing import final

from mypy_extensions import i64

from ringscope_core.hw.pci.memory_region import RegionOps
from ringscope_core.hw.virtio.virtio import virtio_config_modern_read, virtio_config_modern_write
from ringscope_core.hw.virtio_pci.proxy import VirtIOPCIProxy
from ringscope_core.qom.calls import declare
from ringscope_core.trace.levels import LEVEL_FULL
from ringscope_core.trace.log import EventLog

FN_ISR_READ = declare("virtio_pci_isr_read", "opaque:ptr addr:flags size:bytes")
FN_DEVICE_WRITE = declare("virtio_pci_device_write", "opaque:ptr addr:flags val:flags size:bytes")
FN_NOTIFY_WRITE = declare("virtio_pci_notify_write", "opaque:ptr addr:flags val:flags size:bytes")
FN_NOTIFY_WRITE_PIO = declare("virtio_pci_notify_write_pio", "opaque:ptr addr:flags val:flags size:bytes")


@final
class IsrOps(RegionOps):
    """Reading takes the interrupt status and silences the pin, at any offset."""

    def __init__(self, proxy: VirtIOPCIProxy) -> None:
        super().__init__()
        self.proxy: VirtIOPCIProxy = proxy

    def read(self, offset: i64, size: i64) -> i64:
        log = self.proxy.world.log
        FN_ISR_READ.enter(log, self.proxy.addr, offset, size)
        isr = take_isr(self.proxy)
        log.leave(isr)
        return isr

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
        log = self.proxy.world.log
        FN_DEVICE_WRITE.enter(log, self.proxy.addr, offset, value, size)
        virtio_config_modern_write(self.proxy.vdev(), offset, size, value)
        log.leave()


@final
class NotifyOps(RegionOps):
    """A write kicks the queue whose place it hits; what is written does not matter."""

    def __init__(self, proxy: VirtIOPCIProxy) -> None:
        super().__init__()
        self.proxy: VirtIOPCIProxy = proxy
        self.log: EventLog = proxy.world.log
        self.mult: i64 = proxy.queue_mem_mult()

    def read(self, offset: i64, size: i64) -> i64:
        return 0

    def write(self, offset: i64, size: i64, value: i64) -> None:
        # the data path's one register: frames at the full level only
        log = self.log
        full = log.level >= LEVEL_FULL
        if full:
            FN_NOTIFY_WRITE.enter(log, self.proxy.addr, offset, value, size)
        queue = offset // self.mult
        # an ioeventfd sits at the start of a queue's place only
        self.proxy.kick(queue, size if offset == queue * self.mult else 0)
        if full:
            log.leave()


@final
class NotifyPioOps(RegionOps):
    """A write kicks the queue whose number is written."""

    def __init__(self, proxy: VirtIOPCIProxy) -> None:
        super().__init__()
        self.log: EventLog = proxy.world.log
        self.proxy: VirtIOPCIProxy = proxy

    def read(self, offset: i64, size: i64) -> i64:
        return 0

    def write(self, offset: i64, size: i64, value: i64) -> None:
        log = self.log
        full = log.level >= LEVEL_FULL
        if full:
            FN_NOTIFY_WRITE_PIO.enter(log, self.proxy.addr, offset, value, size)
        self.proxy.kick(value, size if offset == 0 else 0)
        if full:
            log.leave()
