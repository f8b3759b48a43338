"""The legacy I/O BAR (virtio 0.9; virtio-pci.c: virtio_ioport_read, _write, virtio_pci_config_read, _write)."""

from __future__ import annotations

from typing import final

from mypy_extensions import i64

from ringscope_core.hw.pci import regs as r
from ringscope_core.hw.pci.memory_region import RegionOps
from ringscope_core.hw.virtio.features import VIRTIO_QUEUE_MAX
from ringscope_core.hw.virtio.virtio import (
    VirtIODevice,
    virtio_config_read,
    virtio_config_write,
    virtio_queue_get_addr,
    virtio_queue_get_num,
    virtio_queue_set_addr,
    virtio_queue_vector,
    virtio_set_features,
)
from ringscope_core.hw.virtio_pci import constants as c
from ringscope_core.hw.virtio_pci.common_cfg import set_config_vector, set_queue_vector, write_status
from ringscope_core.hw.virtio_pci.proxy import VirtIOPCIProxy
from ringscope_core.hw.virtio_pci.regions import take_isr
from ringscope_core.hw.virtio_pci.reset import virtio_pci_reset
from ringscope_core.qom.calls import declare
from ringscope_core.trace.levels import LEVEL_FULL

FN_IOPORT_WRITE = declare("virtio_ioport_write", "opaque:ptr addr:flags val:flags")


@final
class LegacyOps(RegionOps):
    """Registers, then the device's configuration, which begins 4 bytes later while MSI-X is enabled."""

    def __init__(self, proxy: VirtIOPCIProxy) -> None:
        super().__init__()
        self.proxy: VirtIOPCIProxy = proxy

    def _config_start(self) -> i64:
        msix = self.proxy.msix
        return c.LEGACY_CONFIG_OFF_MSIX if msix is not None and msix.is_enabled() else c.LEGACY_CONFIG_OFF

    def read(self, offset: i64, size: i64) -> i64:
        start = self._config_start()
        if offset < start:
            return _ioport_read(self.proxy, self.proxy.vdev(), offset)
        return virtio_config_read(self.proxy.vdev(), offset - start, size)

    def write(self, offset: i64, size: i64, value: i64) -> None:
        start = self._config_start()
        if offset < start:
            log = self.proxy.world.log
            full = offset != c.LEGACY_QUEUE_NOTIFY or log.level >= LEVEL_FULL
            if full:
                FN_IOPORT_WRITE.enter(log, self.proxy.addr, offset, value)
            _ioport_write(self.proxy, self.proxy.vdev(), offset, size, value)
            if full:
                log.leave()
        else:
            virtio_config_write(self.proxy.vdev(), offset - start, size, value)


def _ioport_read(proxy: VirtIOPCIProxy, vdev: VirtIODevice, offset: i64) -> i64:
    if offset == c.LEGACY_ISR:
        return take_isr(proxy)
    if offset == c.LEGACY_HOST_FEATURES:
        return vdev.host_features & 0xFFFFFFFF
    if offset == c.LEGACY_GUEST_FEATURES:
        return vdev.guest_features & 0xFFFFFFFF
    if offset == c.LEGACY_QUEUE_PFN:
        return virtio_queue_get_addr(vdev, vdev.queue_sel) >> c.QUEUE_ADDR_SHIFT & 0xFFFFFFFF
    if offset == c.LEGACY_QUEUE_NUM:
        return virtio_queue_get_num(vdev, vdev.queue_sel)
    if offset == c.LEGACY_QUEUE_SEL:
        return vdev.queue_sel
    if offset == c.LEGACY_STATUS:
        return vdev.status
    if offset == c.LEGACY_MSI_CONFIG_VECTOR:
        return vdev.config_vector
    if offset == c.LEGACY_MSI_QUEUE_VECTOR:
        return virtio_queue_vector(vdev, vdev.queue_sel)
    return 0xFFFFFFFF


def _ioport_write(proxy: VirtIOPCIProxy, vdev: VirtIODevice, offset: i64, size: i64, value: i64) -> None:
    if offset == c.LEGACY_QUEUE_NOTIFY:
        proxy.kick(value, size)
    elif offset == c.LEGACY_GUEST_FEATURES:
        _guest_features(vdev, value)
    elif offset == c.LEGACY_QUEUE_PFN:
        if value == 0:
            virtio_pci_reset(proxy)
        else:
            virtio_queue_set_addr(vdev, vdev.queue_sel, value << c.QUEUE_ADDR_SHIFT)
    elif offset == c.LEGACY_QUEUE_SEL:
        if value < VIRTIO_QUEUE_MAX:
            vdev.queue_sel = value
            vdev.sync_fields()
    elif offset == c.LEGACY_STATUS:
        write_status(proxy, vdev, value)
        # drivers before Linux 2.6.34 did not turn bus master on
        if value == c.STATUS_ACKNOWLEDGE | c.STATUS_DRIVER:
            proxy.default_write_config(r.PCI_COMMAND, 1, proxy.space.get(r.PCI_COMMAND, 1) | r.PCI_COMMAND_MASTER)
    elif offset == c.LEGACY_MSI_CONFIG_VECTOR:
        set_config_vector(proxy, vdev, value)
    elif offset == c.LEGACY_MSI_QUEUE_VECTOR:
        set_queue_vector(proxy, vdev, value)
    elif not vdev.v7_2:
        # 7.2 tells its guest error log only
        proxy.world.error_report(f"virtio_ioport_write: unexpected address {int(offset):#x} value {int(value):#x}")


def _guest_features(vdev: VirtIODevice, value: i64) -> None:
    """A driver that acknowledges the bad bit acknowledges everything blindly: assume the little that is safe."""
    if value >> c.BAD_FEATURE_BIT & 1:
        bad = vdev.vdc().bad_features
        value = bad(vdev) if bad is not None else 0
    virtio_set_features(vdev, value)
