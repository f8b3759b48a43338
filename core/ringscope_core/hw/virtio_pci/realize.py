"""How the proxy comes alive: virtio_pci_dc_realize, virtio_pci_realize and their inverse (virtio-pci.c)."""

from __future__ import annotations

from ringscope_core.hw.pci import express
from ringscope_core.hw.pci import regs as r
from ringscope_core.hw.pci.device import PCIDevice
from ringscope_core.hw.pci.memory_region import memory_region_init
from ringscope_core.hw.pci.msix import msix_uninit
from ringscope_core.hw.qdev.bus import qbus_create_inplace
from ringscope_core.hw.qdev.device import DeviceState
from ringscope_core.hw.qdev.properties import ON_OFF_AUTO_AUTO, ON_OFF_AUTO_OFF, ON_OFF_AUTO_ON
from ringscope_core.hw.virtio.features import VIRTIO_QUEUE_MAX
from ringscope_core.hw.virtio.virtio_bus import VirtioBusState
from ringscope_core.hw.virtio_pci import constants as c
from ringscope_core.hw.virtio_pci.proxy import (
    F_LEGACY_IO_BAR_IDX,
    F_MODERN_IO_BAR_IDX,
    F_MODERN_MEM_BAR_IDX,
    F_MSIX_BAR_IDX,
    VirtioPCIClass,
    VirtIOPCIProxy,
    VirtIOPCIRegion,
    proxy_of,
)
from ringscope_core.qom.calls import declare
from ringscope_core.qom.errp import Errp

FN_DC_REALIZE = declare("virtio_pci_dc_realize", "qdev:ptr errp:ptr")
FN_REALIZE = declare("virtio_pci_realize", "pci_dev:ptr errp:ptr")
FN_EXIT = declare("virtio_pci_exit", "pci_dev:ptr")
FN_BUS_NEW = declare("virtio_pci_bus_new", "bus:ptr bus_size:bytes dev:ptr")

VIRTIO_BUS_STATE_SIZE = 120


def _class(proxy: VirtIOPCIProxy) -> VirtioPCIClass:
    klass = proxy.klass
    assert isinstance(klass, VirtioPCIClass)
    return klass


def virtio_pci_dc_realize(dev: DeviceState, errp: Errp) -> None:
    """DeviceClass.realize of proxies: a modern one may be an express function (virtio-pci.c:1848)."""
    proxy = proxy_of(dev)
    log = dev.world.log
    FN_DC_REALIZE.enter(log, dev.addr, errp.addr)
    log.at(1854)
    if not proxy.has_flag(c.DISABLE_PCIE_BIT) and proxy.modern():
        proxy.set_cap_present(proxy.cap_present | r.QEMU_PCI_CAP_EXPRESS)
    parent = _class(proxy).parent_dc_realize
    assert parent is not None
    log.at(1859)
    parent(dev, errp)
    log.leave()


def virtio_pci_realize(pci: PCIDevice, errp: Errp) -> None:
    """PCIDeviceClass.realize of proxies: modes, regions, the virtio bus, then the virtio device (virtio-pci.c:1676)."""
    proxy = proxy_of(pci)
    log = pci.world.log
    FN_REALIZE.enter(log, pci.addr, errp.addr)
    log.at(1680)
    pcie_port = proxy.pci_bus().is_express() and not proxy.pci_bus().is_root()
    _lay_out(proxy)
    log.at(1722)
    notify_end = proxy.notify.offset + proxy.notify.size
    proxy.modern_bar = memory_region_init(proxy, proxy.addr + c.OFFSET_MODERN_BAR, "virtio-pci", _pow2ceil(notify_end))
    log.at(1726)
    if proxy.disable_legacy == ON_OFF_AUTO_AUTO:
        proxy.set_disable_legacy(ON_OFF_AUTO_ON if pcie_port else ON_OFF_AUTO_OFF)
    log.at(1730)
    if not proxy.modern() and not proxy.legacy():
        errp.set(log, "device cannot work as neither modern nor legacy mode is enabled", "Set either disable-modern or disable-legacy to off")
    else:
        if pcie_port and proxy.cap_present & r.QEMU_PCI_CAP_EXPRESS:
            log.at(1738)
            _add_express(proxy)
        else:
            # on a conventional or root bus the function shows no express capability
            log.at(1783)
            proxy.set_cap_present(proxy.cap_present & ~r.QEMU_PCI_CAP_EXPRESS)
        _bring_up(proxy, errp)
    log.leave()


def _add_express(proxy: VirtIOPCIProxy) -> None:
    """The capabilities of an express endpoint, as far as the properties want them (virtio-pci.c:1738 to 1776)."""
    express.pcie_endpoint_cap_init(proxy)
    express.pci_pm_init(proxy)
    end = r.PCI_CONFIG_SPACE_SIZE
    if proxy.has_flag(c.AER_BIT):
        end = express.pcie_aer_init(proxy, end)
    if proxy.has_flag(c.INIT_DEVERR_BIT):
        express.pcie_cap_deverr_init(proxy)
    if proxy.has_flag(c.INIT_LNKCTL_BIT):
        express.pcie_cap_lnkctl_init(proxy)
    if proxy.has_flag(c.INIT_PM_BIT):
        express.pci_pm_ctrl_init(proxy)
    if proxy.has_flag(c.ATS_BIT):
        express.pcie_ats_init(proxy, end, proxy.has_flag(c.ATS_PAGE_ALIGNED_BIT))
    if proxy.has_flag(c.INIT_FLR_BIT):
        express.pcie_cap_flr_init(proxy)


def _bring_up(proxy: VirtIOPCIProxy, errp: Errp) -> None:
    log = proxy.world.log
    log.at(1786)
    proxy.bus = virtio_pci_bus_new(proxy)
    backend = proxy.backend
    if backend is not None:
        backend.bdf = proxy.ring_bdf()
    realize = _class(proxy).vpci_realize
    if realize is not None:
        log.at(1788)
        realize(proxy, errp)


def _pow2ceil(value: int) -> int:
    size = 1
    while size < value:
        size *= 2
    return size


def _lay_out(proxy: VirtIOPCIProxy) -> None:
    """Which BAR holds what, and where the modern regions lie in theirs."""
    log = proxy.world.log
    log.at(1696)
    log.field(proxy.oid, F_LEGACY_IO_BAR_IDX, c.LEGACY_IO_BAR, proxy.legacy_io_bar_idx)
    log.field(proxy.oid, F_MSIX_BAR_IDX, c.MSIX_BAR, proxy.msix_bar_idx)
    log.field(proxy.oid, F_MODERN_IO_BAR_IDX, c.MODERN_IO_BAR, proxy.modern_io_bar_idx)
    log.field(proxy.oid, F_MODERN_MEM_BAR_IDX, c.MODERN_MEM_BAR, proxy.modern_mem_bar_idx)
    proxy.legacy_io_bar_idx = c.LEGACY_IO_BAR
    proxy.msix_bar_idx = c.MSIX_BAR
    proxy.modern_io_bar_idx = c.MODERN_IO_BAR
    proxy.modern_mem_bar_idx = c.MODERN_MEM_BAR
    log.at(1701)
    size = c.REGION_SIZE
    proxy.common = VirtIOPCIRegion(0, size, c.CAP_COMMON_CFG)
    proxy.isr = VirtIOPCIRegion(size, size, c.CAP_ISR_CFG)
    proxy.device = VirtIOPCIRegion(2 * size, size, c.CAP_DEVICE_CFG)
    proxy.notify = VirtIOPCIRegion(3 * size, proxy.queue_mem_mult() * int(VIRTIO_QUEUE_MAX), c.CAP_NOTIFY_CFG)
    proxy.notify_pio = VirtIOPCIRegion(0, 4, c.CAP_NOTIFY_CFG)


def virtio_pci_bus_new(proxy: VirtIOPCIProxy) -> VirtioBusState:
    """The bus inside the proxy (virtio-pci.c:2007)."""
    log = proxy.world.log
    addr = proxy.addr + c.OFFSET_BUS
    FN_BUS_NEW.enter(log, addr, VIRTIO_BUS_STATE_SIZE, proxy.addr)
    bus = qbus_create_inplace(proxy.world, addr, "virtio-pci-bus", proxy, "virtio-bus")
    assert isinstance(bus, VirtioBusState)
    log.leave()
    return bus


def virtio_pci_exit(pci: PCIDevice) -> None:
    """PCIDeviceClass.exit of proxies (virtio-pci.c:1792)."""
    log = pci.world.log
    FN_EXIT.enter(log, pci.addr)
    msix_uninit(pci)
    pci.exp_cap = 0
    pci.pm_cap = 0
    log.leave()
