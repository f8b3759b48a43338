"""The transport's side of the virtio bus: "virtio-pci-bus" and its hooks (virtio-pci.c)."""

from __future__ import annotations

from mypy_extensions import i64

from ringscope_core.hw.pci import regs as r
from ringscope_core.hw.pci.config_space import put_le
from ringscope_core.hw.pci.memory_region import RegionOps, memory_region_init
from ringscope_core.hw.pci.msix import msix_init_exclusive_bar
from ringscope_core.hw.qdev.device import DeviceState
from ringscope_core.hw.virtio.virtio_bus import VirtioBusClass, set_host_features
from ringscope_core.hw.virtio_pci import constants as c
from ringscope_core.hw.virtio_pci.common_cfg import CommonOps
from ringscope_core.hw.virtio_pci.legacy import LegacyOps
from ringscope_core.hw.virtio_pci.proxy import F_CONFIG_CAP, VirtIOPCIProxy, VirtIOPCIRegion, proxy_of
from ringscope_core.hw.virtio_pci.regions import DeviceOps, IsrOps, NotifyOps, NotifyPioOps
from ringscope_core.qom.calls import declare
from ringscope_core.qom.errp import Errp
from ringscope_core.qom.klass import ObjectClass
from ringscope_core.trace.bits import bit

FN_PRE_PLUGGED = declare("virtio_pci_pre_plugged", "d:ptr errp:ptr")
FN_PLUGGED = declare("virtio_pci_device_plugged", "d:ptr errp:ptr")
FN_UNPLUGGED = declare("virtio_pci_device_unplugged", "d:ptr")
FN_REGIONS_INIT = declare("virtio_pci_modern_regions_init", "proxy:ptr")
FN_MEM_MAP = declare("virtio_pci_modern_mem_region_map", "proxy:ptr region:unknown cap:unknown")
FN_IO_MAP = declare("virtio_pci_modern_io_region_map", "proxy:ptr region:unknown cap:unknown")
FN_ADD_CAP = declare("virtio_pci_add_mem_cap", "proxy:ptr cap:unknown")
FN_VMSTATE = declare("virtio_pci_vmstate_change", "d:ptr running:bool")


def virtio_pci_notify(dev: DeviceState, vector: i64) -> None:
    """Raise a vector, or set the pin as the interrupt status says (virtio-pci.c:63)."""
    proxy = proxy_of(dev)
    msix = proxy.msix
    if msix is not None and msix.is_enabled():
        msix.notify(vector)
    else:
        proxy.set_irq(proxy.vdev().isr & 1)


def virtio_pci_query_nvectors(dev: DeviceState) -> i64:
    """VirtIOPCIProxy.nvectors."""
    return proxy_of(dev).nvectors


def virtio_pci_ioeventfd_enabled(dev: DeviceState) -> bool:
    """The property ``ioeventfd``."""
    return proxy_of(dev).has_flag(c.USE_IOEVENTFD_BIT)


def virtio_pci_vmstate_change(dev: DeviceState, running: bool) -> None:
    """The machine runs or stops: so do the ioeventfds (virtio-pci.c:1056)."""
    proxy = proxy_of(dev)
    log = dev.world.log
    FN_VMSTATE.enter(log, dev.addr, 1 if running else 0)
    if running:
        if proxy.has_flag(c.BUS_MASTER_BUG_MIGRATION_BIT) and proxy.vdev().status & c.STATUS_DRIVER and not proxy.bus_master():
            proxy.default_write_config(r.PCI_COMMAND, 1, proxy.space.get(r.PCI_COMMAND, 1) | r.PCI_COMMAND_MASTER)
        proxy.start_ioeventfd()
    else:
        proxy.stop_ioeventfd()
    log.leave()


def virtio_pci_pre_plugged(dev: DeviceState, errp: Errp) -> None:
    """Offer what the transport adds: VERSION_1 when modern, and the trap for blind drivers (virtio-pci.c:1504)."""
    proxy = proxy_of(dev)
    log = dev.world.log
    FN_PRE_PLUGGED.enter(log, dev.addr, errp.addr)
    vdev = proxy.vdev()
    features = vdev.host_features
    if proxy.modern():
        features |= bit(c.VERSION_1_BIT)
    set_host_features(vdev, features | bit(c.BAD_FEATURE_BIT))
    log.leave()


def virtio_pci_device_plugged(dev: DeviceState, errp: Errp) -> None:
    """The device has its features: ids, capabilities and BARs follow (virtio-pci.c:1517)."""
    proxy = proxy_of(dev)
    log = dev.world.log
    FN_PLUGGED.enter(log, dev.addr, errp.addr)
    if _check_modes(proxy, errp):
        log.at(1548)
        _set_ids(proxy)
        if proxy.modern():
            _add_modern(proxy)
        if proxy.nvectors:
            log.at(1628)
            _add_msix(proxy)
        log.at(1640)
        proxy.plugged = True
        if proxy.legacy():
            log.at(1643)
            _add_legacy(proxy)
    log.leave()


def _check_modes(proxy: VirtIOPCIProxy, errp: Errp) -> bool:
    """Whether the device's features go with the modes asked for."""
    log = proxy.world.log
    vdev = proxy.vdev()
    log.at(1532)
    if not proxy.ignore_backend_features and not vdev.host_features >> c.VERSION_1_BIT & 1:
        proxy.set_disable_modern(True)
        if not proxy.legacy():
            errp.set(log, "Device doesn't support modern mode, and legacy mode is disabled", "Set disable-legacy to off")
            return False
    log.at(1552)
    if proxy.legacy() and vdev.host_features >> c.IOMMU_PLATFORM_BIT & 1:
        errp.set(log, "VIRTIO_F_IOMMU_PLATFORM was supported by neither legacy nor transitional device")
        return False
    return True


def _set_ids(proxy: VirtIOPCIProxy) -> None:
    """Transitional functions carry the device id as subsystem, modern ones in their device id (virtio 1.x, 4.1.2)."""
    space = proxy.space
    device_id = int(proxy.vdev().device_id)
    if proxy.class_code:
        space.put(r.PCI_CLASS_DEVICE, 2, int(proxy.class_code))
    if proxy.legacy():
        space.put(r.PCI_SUBSYSTEM_ID, 2, device_id)
    else:
        space.put(r.PCI_VENDOR_ID, 2, r.PCI_VENDOR_ID_REDHAT_QUMRANET)
        space.put(r.PCI_DEVICE_ID, 2, 0x1040 + device_id)
        space.put(r.PCI_REVISION_ID, 1, 1)
    proxy.world.log.at(1572)
    space.config[r.PCI_INTERRUPT_PIN] = 1


# -- modern -----------------------------------------------------------------------------------------------------------
def _add_modern(proxy: VirtIOPCIProxy) -> None:
    log = proxy.world.log
    log.at(1595)
    _regions_init(proxy)
    for line, region in ((1597, proxy.common), (1598, proxy.isr), (1599, proxy.device), (1600, proxy.notify)):
        log.at(line)
        _map_mem(proxy, region)
    if proxy.has_flag(c.MODERN_PIO_NOTIFY_BIT):
        log.at(1602)
        io_bar = memory_region_init(proxy, proxy.addr + c.OFFSET_IO_BAR, "virtio-pci-io", 4)
        io_bar.hole = 0xFF
        proxy.io_bar = io_bar
        proxy.register_bar(c.MODERN_IO_BAR, r.PCI_BASE_ADDRESS_SPACE_IO, io_bar)
        _map_io(proxy)
    log.at(1613)
    modern_bar = proxy.modern_bar
    assert modern_bar is not None
    proxy.register_bar(c.MODERN_MEM_BAR, r.PCI_BASE_ADDRESS_MEM_PREFETCH | r.PCI_BASE_ADDRESS_MEM_TYPE_64, modern_bar)
    log.at(1619)
    _add_window(proxy)


def _regions_init(proxy: VirtIOPCIProxy) -> None:
    """virtio_pci_modern_regions_init: the five regions, in the order of their making."""
    log = proxy.world.log
    FN_REGIONS_INIT.enter(log, proxy.addr)
    parts: tuple[tuple[VirtIOPCIRegion, int, str, RegionOps], ...] = (
        (proxy.common, c.OFFSET_COMMON, "virtio-pci-common", CommonOps(proxy)),
        (proxy.isr, c.OFFSET_ISR, "virtio-pci-isr", IsrOps(proxy)),
        (proxy.device, c.OFFSET_DEVICE, "virtio-pci-device", DeviceOps(proxy)),
        (proxy.notify, c.OFFSET_NOTIFY, "virtio-pci-notify", NotifyOps(proxy)),
        (proxy.notify_pio, c.OFFSET_NOTIFY_PIO, "virtio-pci-notify-pio", NotifyPioOps(proxy)),
    )
    # 7.2 says which device they belong to
    suffix = f"-{proxy.vdev().vdev_name}" if proxy.world.v7_2 else ""
    for region, offset, name, ops in parts:
        region.mr = memory_region_init(proxy, proxy.addr + offset, name + suffix, region.size, ops)
    log.leave()


def _add_mem_cap(proxy: VirtIOPCIProxy, cfg_type: int, cap_len: int, bar: int, offset: int, length: int) -> int:
    """A vendor capability that points into a BAR (virtio 1.x, 4.1.4); returns where it lies."""
    log = proxy.world.log
    FN_ADD_CAP.enter(log, proxy.addr)
    space = proxy.space
    cap = proxy.add_capability(r.PCI_CAP_ID_VNDR, cap_len)
    space.config[cap + 2] = cap_len
    space.config[cap + 3] = cfg_type
    space.config[cap + 4] = bar
    space.put(cap + 8, 4, offset)
    space.put(cap + 12, 4, length)
    log.leave(cap)
    return cap


def _map_mem(proxy: VirtIOPCIProxy, region: VirtIOPCIRegion) -> None:
    """virtio_pci_modern_mem_region_map: the region in BAR 4, and its capability."""
    log = proxy.world.log
    FN_MEM_MAP.enter(log, proxy.addr)
    bar, mr = proxy.modern_bar, region.mr
    assert bar is not None and mr is not None
    bar.add_subregion(region.offset, mr)
    notify = region.type == c.CAP_NOTIFY_CFG
    cap = _add_mem_cap(proxy, region.type, 20 if notify else 16, c.MODERN_MEM_BAR, region.offset, region.size)
    if notify:
        proxy.space.put(cap + 16, 4, proxy.queue_mem_mult())
    log.leave()


def _map_io(proxy: VirtIOPCIProxy) -> None:
    """virtio_pci_modern_io_region_map: the notify port in BAR 2; its multiplier is 0, the number written says the queue."""
    log = proxy.world.log
    FN_IO_MAP.enter(log, proxy.addr)
    bar, mr = proxy.io_bar, proxy.notify_pio.mr
    assert bar is not None and mr is not None
    bar.add_subregion(proxy.notify_pio.offset, mr)
    _add_mem_cap(proxy, c.CAP_NOTIFY_CFG, 20, c.MODERN_IO_BAR, proxy.notify_pio.offset, proxy.notify_pio.size)
    log.leave()


def _add_window(proxy: VirtIOPCIProxy) -> None:
    """The configuration access capability, of which a guest writes bar, offset, length and data (virtio 1.x, 4.1.4.8)."""
    cap = _add_mem_cap(proxy, c.CAP_PCI_CFG, 20, 0, 0, 0)
    wmask = proxy.space.wmask
    wmask[cap + 4] = 0xFF
    put_le(wmask, cap + 8, 4, -1)
    put_le(wmask, cap + 12, 4, -1)
    put_le(wmask, cap + 16, 4, -1)
    proxy.world.log.field(proxy.oid, F_CONFIG_CAP, cap, proxy.config_cap)
    proxy.config_cap = cap


# -- MSI-X and legacy -------------------------------------------------------------------------------------------------
def _add_msix(proxy: VirtIOPCIProxy) -> None:
    base = proxy.addr
    done = msix_init_exclusive_bar(proxy, int(proxy.nvectors), c.MSIX_BAR, base + c.OFFSET_MSIX_BAR, base + c.OFFSET_MSIX_TABLE, base + c.OFFSET_MSIX_PBA)
    if not done:
        proxy.world.warn_report(f"unable to init msix vectors to {proxy.nvectors}")
        proxy.set_nvectors(0)


def _add_legacy(proxy: VirtIOPCIProxy) -> None:
    registers = int(c.LEGACY_CONFIG_OFF_MSIX if proxy.msix is not None else c.LEGACY_CONFIG_OFF)
    size = 1
    while size < registers + proxy.vdev().config_len:
        size *= 2
    bar = memory_region_init(proxy, proxy.addr + c.OFFSET_BAR, "virtio-pci", size, LegacyOps(proxy))
    proxy.register_bar(c.LEGACY_IO_BAR, r.PCI_BASE_ADDRESS_SPACE_IO, bar)


def virtio_pci_device_unplugged(dev: DeviceState) -> None:
    """The device goes: kicks stop, the modern regions leave their BARs (virtio-pci.c:1657)."""
    proxy = proxy_of(dev)
    log = dev.world.log
    FN_UNPLUGGED.enter(log, dev.addr)
    proxy.stop_ioeventfd()
    proxy.plugged = False
    for region in proxy.regs():
        mr = region.mr
        if mr is not None and mr.container is not None:
            mr.container.del_subregion(mr)
    log.leave()


def virtio_pci_bus_class_init(klass: ObjectClass) -> None:
    """class_init of "virtio-pci-bus" (virtio-pci.c:2017).  Migration, vhost and DMA hooks have no counterpart here."""
    assert isinstance(klass, VirtioBusClass)
    klass.max_dev = 1
    klass.notify = virtio_pci_notify
    klass.vmstate_change = virtio_pci_vmstate_change
    klass.pre_plugged = virtio_pci_pre_plugged
    klass.device_plugged = virtio_pci_device_plugged
    klass.device_unplugged = virtio_pci_device_unplugged
    klass.query_nvectors = virtio_pci_query_nvectors
    klass.ioeventfd_enabled = virtio_pci_ioeventfd_enabled
