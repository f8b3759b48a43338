"""The common configuration structure (virtio 1.x, 4.1.4.3; virtio-pci.c: virtio_pci_common_read, _write).

Registers are decoded by their exact offset; the size of an access does not matter.
"""

from __future__ import annotations

from typing import final

from mypy_extensions import i64

from ringscope_core.hw.pci.memory_region import RegionOps
from ringscope_core.hw.virtio.features import VIRTIO_NO_VECTOR, VIRTIO_QUEUE_MAX
from ringscope_core.hw.virtio.virtio import (
    VirtIODevice,
    virtio_get_num_queues,
    virtio_queue_get_num,
    virtio_queue_reset,
    virtio_queue_set_num,
    virtio_queue_set_rings,
    virtio_queue_set_vector,
    virtio_queue_vector,
    virtio_set_features,
    virtio_set_status,
)
from ringscope_core.hw.virtio_pci import constants as c
from ringscope_core.hw.virtio_pci.proxy import F_DFSELECT, F_GFSELECT, VirtIOPCIProxy
from ringscope_core.hw.virtio_pci.reset import virtio_pci_reset
from ringscope_core.qom.calls import declare

FN_WRITE = declare("virtio_pci_common_write", "opaque:ptr addr:flags val:flags size:bytes")


@final
class CommonOps(RegionOps):
    """The region "virtio-pci-common"."""

    def __init__(self, proxy: VirtIOPCIProxy) -> None:
        super().__init__()
        self.proxy: VirtIOPCIProxy = proxy

    def read(self, offset: i64, size: i64) -> i64:
        proxy = self.proxy
        vdev = proxy.vdev()
        if offset < c.COMMON_Q_SELECT:
            return _read_device(proxy, vdev, offset)
        return _read_queue(proxy, vdev, offset)

    def write(self, offset: i64, size: i64, value: i64) -> None:
        proxy = self.proxy
        vdev = proxy.vdev()
        log = proxy.world.log
        FN_WRITE.enter(log, proxy.addr, offset, value, size)
        if offset < c.COMMON_Q_SELECT:
            _write_device(proxy, vdev, offset, value)
        elif offset < c.COMMON_Q_DESCLO:
            _write_queue(proxy, vdev, offset, value)
        else:
            _write_ring_address(proxy, vdev, offset, value)
        log.leave()


def _read_device(proxy: VirtIOPCIProxy, vdev: VirtIODevice, offset: i64) -> i64:
    if offset == c.COMMON_STATUS:
        return vdev.status
    if offset == c.COMMON_DFSELECT:
        return proxy.dfselect
    if offset == c.COMMON_DF:
        if proxy.dfselect > 1:
            return 0
        features = vdev.host_features & ~vdev.vdc().legacy_features
        return features >> (32 * proxy.dfselect) & 0xFFFFFFFF
    if offset == c.COMMON_GFSELECT:
        return proxy.gfselect
    if offset == c.COMMON_GF:
        if proxy.gfselect == 0:
            return proxy.guest_features_lo
        return proxy.guest_features_hi if proxy.gfselect == 1 else 0
    if offset == c.COMMON_MSIX:
        return vdev.config_vector
    if offset == c.COMMON_NUMQ:
        return virtio_get_num_queues(vdev)
    if offset == c.COMMON_CFGGENERATION:
        return vdev.generation
    return 0


def _read_queue(proxy: VirtIOPCIProxy, vdev: VirtIODevice, offset: i64) -> i64:
    select = vdev.queue_sel
    staged = proxy.vqs[select]
    if offset == c.COMMON_Q_SELECT or offset == c.COMMON_Q_NOFF:
        return select
    if offset == c.COMMON_Q_SIZE:
        return virtio_queue_get_num(vdev, select)
    if offset == c.COMMON_Q_MSIX:
        return virtio_queue_vector(vdev, select)
    if offset == c.COMMON_Q_ENABLE:
        return 1 if staged.enabled else 0
    if offset == c.COMMON_Q_DESCLO:
        return staged.desc_lo
    if offset == c.COMMON_Q_DESCHI:
        return staged.desc_hi
    if offset == c.COMMON_Q_AVAILLO:
        return staged.avail_lo
    if offset == c.COMMON_Q_AVAILHI:
        return staged.avail_hi
    if offset == c.COMMON_Q_USEDLO:
        return staged.used_lo
    if offset == c.COMMON_Q_USEDHI:
        return staged.used_hi
    if offset == c.COMMON_Q_RESET and vdev.v7_2:
        return 1 if staged.reset else 0
    return 0


def _write_device(proxy: VirtIOPCIProxy, vdev: VirtIODevice, offset: i64, value: i64) -> None:
    log = proxy.world.log
    if offset == c.COMMON_STATUS:
        write_status(proxy, vdev, value)
    elif offset == c.COMMON_DFSELECT:
        log.field(proxy.oid, F_DFSELECT, value, proxy.dfselect)
        proxy.dfselect = value
    elif offset == c.COMMON_GFSELECT:
        log.field(proxy.oid, F_GFSELECT, value, proxy.gfselect)
        proxy.gfselect = value
    elif offset == c.COMMON_GF:
        if proxy.gfselect <= 1:
            proxy.set_guest_features_word(proxy.gfselect, value)
            # bits that were not offered are masked off; the transport does not refuse them
            virtio_set_features(vdev, proxy.guest_features())
    elif offset == c.COMMON_MSIX:
        set_config_vector(proxy, vdev, value)


def _write_queue(proxy: VirtIOPCIProxy, vdev: VirtIODevice, offset: i64, value: i64) -> None:
    select = vdev.queue_sel
    staged = proxy.vqs[select]
    if offset == c.COMMON_Q_SELECT:
        if value < VIRTIO_QUEUE_MAX:
            vdev.queue_sel = value
            vdev.sync_fields()
    elif offset == c.COMMON_Q_SIZE:
        staged.num = value & 0xFFFF
        if vdev.v7_2:
            # 4.1 takes the size when the queue is enabled
            virtio_queue_set_num(vdev, select, staged.num)
    elif offset == c.COMMON_Q_MSIX:
        set_queue_vector(proxy, vdev, value)
    elif offset == c.COMMON_Q_ENABLE and vdev.v7_2 and value != 1:
        vdev.virtio_error(f"wrong value for queue_enable {value & 0xFFFFFFFF:x}")
    elif offset == c.COMMON_Q_ENABLE:
        # 4.1 enables for any value
        virtio_queue_set_num(vdev, select, staged.num)
        virtio_queue_set_rings(
            vdev,
            select,
            _address(staged.desc_lo, staged.desc_hi),
            _address(staged.avail_lo, staged.avail_hi),
            _address(staged.used_lo, staged.used_hi),
        )
        staged.enabled = True
        staged.reset = False


def _address(low: i64, high: i64) -> i64:
    """A 64 bit guest address, as a signed number."""
    if high >= 1 << 31:
        high -= 1 << 32
    return high << 32 | low


def _write_ring_address(proxy: VirtIOPCIProxy, vdev: VirtIODevice, offset: i64, value: i64) -> None:
    staged = proxy.vqs[vdev.queue_sel]
    if offset == c.COMMON_Q_DESCLO:
        staged.desc_lo = value
    elif offset == c.COMMON_Q_DESCHI:
        staged.desc_hi = value
    elif offset == c.COMMON_Q_AVAILLO:
        staged.avail_lo = value
    elif offset == c.COMMON_Q_AVAILHI:
        staged.avail_hi = value
    elif offset == c.COMMON_Q_USEDLO:
        staged.used_lo = value
    elif offset == c.COMMON_Q_USEDHI:
        staged.used_hi = value
    elif offset == c.COMMON_Q_RESET and vdev.v7_2 and value == 1:
        staged.reset = True
        virtio_queue_reset(vdev, vdev.queue_sel)
        staged.reset = False
        staged.enabled = False


# -- what the legacy registers do too -----------------------------------------------------------------------------------
def write_status(proxy: VirtIOPCIProxy, vdev: VirtIODevice, value: i64) -> None:
    """A driver writes device_status; 0 resets the whole transport."""
    if value & c.STATUS_DRIVER_OK == 0:
        proxy.stop_ioeventfd()
    virtio_set_status(vdev, value & 0xFF)
    if value & c.STATUS_DRIVER_OK:
        proxy.start_ioeventfd()
    if vdev.status == 0:
        virtio_pci_reset(proxy)


def _use_vector(proxy: VirtIOPCIProxy, old: i64, value: i64) -> i64:
    """Change a vector; a number that is too large reads back as none, which tells the driver."""
    msix = proxy.msix
    if msix is None:
        return VIRTIO_NO_VECTOR
    msix.vector_unuse(old)
    return value if msix.vector_use(value) else VIRTIO_NO_VECTOR


def set_config_vector(proxy: VirtIOPCIProxy, vdev: VirtIODevice, value: i64) -> None:
    """The vector of configuration changes."""
    vdev.config_vector = _use_vector(proxy, vdev.config_vector, value)
    vdev.sync_fields()


def set_queue_vector(proxy: VirtIOPCIProxy, vdev: VirtIODevice, value: i64) -> None:
    """The vector of the selected queue."""
    select = vdev.queue_sel
    virtio_queue_set_vector(vdev, select, _use_vector(proxy, virtio_queue_vector(vdev, select), value))
