"""VirtIOPCIProxy: the PCI function in front of a virtio device (hw/virtio/virtio-pci.h)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, final

from mypy_extensions import i64

from ringscope_core.hw.pci import regs as r
from ringscope_core.hw.pci.config_space import put_le, ranges_overlap
from ringscope_core.hw.pci.device import PCIDevice, PCIDeviceClass
from ringscope_core.hw.pci.express import pcie_flr_done, pcie_flr_wanted
from ringscope_core.hw.pci.memory_region import MemoryRegion
from ringscope_core.hw.qdev.device import DeviceState
from ringscope_core.hw.qdev.properties import ON_OFF_AUTO_OFF
from ringscope_core.hw.qdev.realize import qdev_reset_all
from ringscope_core.hw.virtio.features import VIRTIO_QUEUE_MAX
from ringscope_core.hw.virtio.virtio import VirtIODevice, virtio_queue_host_notifier_set, virtio_queue_notify, virtio_set_status
from ringscope_core.hw.virtio.virtio_bus import VirtioBusState, virtio_bus_start_ioeventfd, virtio_bus_stop_ioeventfd
from ringscope_core.hw.virtio_pci import constants as c
from ringscope_core.qom.calls import declare
from ringscope_core.qom.errp import Errp
from ringscope_core.qom.klass import ObjectClass
from ringscope_core.qom.object import Object
from ringscope_core.trace.fields import field

FN_WRITE_CONFIG = declare("virtio_write_config", "pci_dev:ptr address:flags val:flags len:bytes")

F_LEGACY_IO_BAR_IDX: Final[i64] = field("VirtIOPCIProxy.legacy_io_bar_idx", "count")
F_MSIX_BAR_IDX: Final[i64] = field("VirtIOPCIProxy.msix_bar_idx", "count")
F_MODERN_IO_BAR_IDX: Final[i64] = field("VirtIOPCIProxy.modern_io_bar_idx", "count")
F_MODERN_MEM_BAR_IDX: Final[i64] = field("VirtIOPCIProxy.modern_mem_bar_idx", "count")
F_CONFIG_CAP: Final[i64] = field("VirtIOPCIProxy.config_cap", "flags")
F_DISABLE_LEGACY: Final[i64] = field("VirtIOPCIProxy.disable_legacy", "count")
F_DISABLE_MODERN: Final[i64] = field("VirtIOPCIProxy.disable_modern", "bool")
F_NVECTORS: Final[i64] = field("VirtIOPCIProxy.nvectors", "count")
F_DFSELECT: Final[i64] = field("VirtIOPCIProxy.dfselect", "count")
F_GFSELECT: Final[i64] = field("VirtIOPCIProxy.gfselect", "count")
F_GUEST_FEATURES: Final[i64] = field("VirtIOPCIProxy.guest_features", "flags")


class VirtioPCIClass(PCIDeviceClass):
    """Class of proxies."""

    def __init__(self) -> None:
        super().__init__()
        self.parent_dc_realize: Callable[[DeviceState, Errp], None] | None = None
        """DeviceClass.realize as "pci-device" has it."""
        self.vpci_realize: Callable[[VirtIOPCIProxy, Errp], None] | None = None
        """VirtioPCIClass.realize: makes the virtio device alive."""

    def copy_from(self, parent: ObjectClass) -> None:
        super().copy_from(parent)
        if isinstance(parent, VirtioPCIClass):
            self.parent_dc_realize = parent.parent_dc_realize
            self.vpci_realize = parent.vpci_realize


@final
class VirtIOPCIQueue:
    """What a driver has written of one queue; it counts from the write of Q_ENABLE on."""

    def __init__(self) -> None:
        self.num: i64 = 0
        self.enabled: bool = False
        self.reset: bool = False
        """Q_RESET as it reads (7.2); the reset ends within the write."""
        self.desc_lo: i64 = 0
        self.desc_hi: i64 = 0
        self.avail_lo: i64 = 0
        self.avail_hi: i64 = 0
        self.used_lo: i64 = 0
        self.used_hi: i64 = 0

    def clear(self) -> None:
        """As after reset."""
        self.num = 0
        self.enabled = False
        self.reset = False
        self.desc_lo = self.desc_hi = 0
        self.avail_lo = self.avail_hi = 0
        self.used_lo = self.used_hi = 0


@final
class VirtIOPCIRegion:
    """One of the modern regions: its place in the BAR, its capability type, and the memory region once it is there."""

    def __init__(self, offset: int, size: int, cap_type: int) -> None:
        self.offset: int = offset
        self.size: int = size
        self.type: int = cap_type
        self.mr: MemoryRegion | None = None


class VirtIOPCIProxy(PCIDevice):
    """The proxy.  `backend` is the virtio device that its type embeds; `vdev` is it while it sits on the virtio bus."""

    def __init__(self) -> None:
        super().__init__()
        self.common: VirtIOPCIRegion = VirtIOPCIRegion(0, 0, 0)
        self.isr: VirtIOPCIRegion = VirtIOPCIRegion(0, 0, 0)
        self.device: VirtIOPCIRegion = VirtIOPCIRegion(0, 0, 0)
        self.notify: VirtIOPCIRegion = VirtIOPCIRegion(0, 0, 0)
        self.notify_pio: VirtIOPCIRegion = VirtIOPCIRegion(0, 0, 0)
        self.modern_bar: MemoryRegion | None = None
        self.io_bar: MemoryRegion | None = None
        self.legacy_io_bar_idx: i64 = 0
        self.msix_bar_idx: i64 = 0
        self.modern_io_bar_idx: i64 = 0
        self.modern_mem_bar_idx: i64 = 0
        self.config_cap: int = 0
        """Offset of the configuration access capability, 0 for none."""
        self.flags: i64 = 0
        self.disable_modern: bool = False
        self.ignore_backend_features: bool = False
        self.disable_legacy: i64 = 0
        self.class_code: i64 = 0
        self.nvectors: i64 = 0
        self.dfselect: i64 = 0
        self.gfselect: i64 = 0
        self.guest_features_lo: i64 = 0
        """guest_features[0] and [1], as the driver wrote them."""
        self.guest_features_hi: i64 = 0
        self.vqs: list[VirtIOPCIQueue] = [VirtIOPCIQueue() for _ in range(int(VIRTIO_QUEUE_MAX))]
        self.bus: VirtioBusState | None = None
        self.backend: VirtIODevice | None = None
        self.plugged: bool = False
        """The configuration hooks are in place (from device_plugged on)."""

    def snapshot(self, fields: dict[int, int]) -> None:
        super().snapshot(fields)
        fields[F_LEGACY_IO_BAR_IDX] = self.legacy_io_bar_idx
        fields[F_MSIX_BAR_IDX] = self.msix_bar_idx
        fields[F_MODERN_IO_BAR_IDX] = self.modern_io_bar_idx
        fields[F_MODERN_MEM_BAR_IDX] = self.modern_mem_bar_idx
        fields[F_CONFIG_CAP] = self.config_cap
        fields[F_DISABLE_LEGACY] = self.disable_legacy
        fields[F_DISABLE_MODERN] = 1 if self.disable_modern else 0
        fields[F_NVECTORS] = self.nvectors
        fields[F_DFSELECT] = self.dfselect
        fields[F_GFSELECT] = self.gfselect
        fields[F_GUEST_FEATURES] = self.guest_features()

    # -- fields on record ---------------------------------------------------------------------------------------------
    def guest_features(self) -> i64:
        """Both words as one (a signed number when bit 63 is set)."""
        high = self.guest_features_hi
        if high >= 1 << 31:
            high -= 1 << 32
        return high << 32 | self.guest_features_lo

    def set_guest_features_word(self, select: i64, value: i64) -> None:
        """VirtIOPCIProxy.guest_features[select]."""
        old = self.guest_features()
        if select == 0:
            self.guest_features_lo = value
        else:
            self.guest_features_hi = value
        self.world.log.field(self.oid, F_GUEST_FEATURES, self.guest_features(), old)

    def set_disable_legacy(self, value: i64) -> None:
        """VirtIOPCIProxy.disable_legacy."""
        self.world.log.field(self.oid, F_DISABLE_LEGACY, value, self.disable_legacy)
        self.disable_legacy = value

    def set_disable_modern(self, value: bool) -> None:
        """VirtIOPCIProxy.disable_modern."""
        self.world.log.field(self.oid, F_DISABLE_MODERN, 1 if value else 0, 1 if self.disable_modern else 0)
        self.disable_modern = value

    def set_nvectors(self, value: i64) -> None:
        """VirtIOPCIProxy.nvectors."""
        self.world.log.field(self.oid, F_NVECTORS, value, self.nvectors)
        self.nvectors = value

    # -- what it is ---------------------------------------------------------------------------------------------------
    def has_flag(self, bit: int) -> bool:
        """A bit of `flags`."""
        return self.flags >> bit & 1 != 0

    def modern(self) -> bool:
        """virtio_pci_modern."""
        return not self.disable_modern

    def legacy(self) -> bool:
        """virtio_pci_legacy."""
        return self.disable_legacy == ON_OFF_AUTO_OFF

    def queue_mem_mult(self) -> int:
        """Bytes of the notify region for each queue."""
        return c.PAGE_PER_VQ_MULT if self.has_flag(c.PAGE_PER_VQ_BIT) else c.NOTIFY_MULT

    def regs(self) -> list[VirtIOPCIRegion]:
        """The regions in the order in which the configuration access window looks for one."""
        return [self.common, self.isr, self.device, self.notify, self.notify_pio]

    def vdev(self) -> VirtIODevice:
        """virtio_bus_get_device; there from device_plugged until unplug."""
        backend = self.backend
        assert backend is not None
        return backend

    def virtio_bus(self) -> VirtioBusState:
        """The bus of the virtio device."""
        bus = self.bus
        assert bus is not None
        return bus

    # -- kicks --------------------------------------------------------------------------------------------------------
    def kick(self, queue: i64, size: i64) -> None:
        """A notify register was written: with an ioeventfd the handler runs from the main loop, else at once."""
        if queue >= VIRTIO_QUEUE_MAX:
            return
        vdev = self.vdev()
        # 7.2 hands every kick to the notifier, 4.1 those that the ioeventfd matches
        if (size == 2 or vdev.v7_2) and self.virtio_bus().ioeventfd_started:
            virtio_queue_host_notifier_set(vdev, queue)
        else:
            virtio_queue_notify(vdev, queue)

    def start_ioeventfd(self) -> None:
        """virtio_pci_start_ioeventfd."""
        virtio_bus_start_ioeventfd(self.virtio_bus())

    def stop_ioeventfd(self) -> None:
        """virtio_pci_stop_ioeventfd."""
        virtio_bus_stop_ioeventfd(self.virtio_bus())

    # -- configuration space ------------------------------------------------------------------------------------------
    def config_read(self, offset: i64, size: i64) -> i64:
        """virtio_read_config: the data register of the access window reads the BAR first."""
        if self.plugged and self._is_window(offset, size):
            window = self._window()
            if window is not None:
                region, inner, length = window
                value = region.read(inner, length)
                put_le(self.space.config, self.config_cap + 16, length, int(value))
        return self.space.read(offset, size)

    def config_write(self, offset: i64, size: i64, value: i64) -> None:
        """virtio_write_config: losing bus master stops the device; the access window's data register writes the BAR."""
        if not self.plugged:
            self.default_write_config(offset, size, value)
            return
        log = self.world.log
        FN_WRITE_CONFIG.enter(log, self.addr, offset, value, size)
        self.default_write_config(offset, size, value)
        if self.has_flag(c.INIT_FLR_BIT) and pcie_flr_wanted(self):
            qdev_reset_all(self)
            self.pci_reset()
            pcie_flr_done(self)
        if offset <= r.PCI_COMMAND < offset + size:
            vdev = self.vdev()
            if self.bus_master():
                vdev.set_disabled(False)
            else:
                vdev.set_disabled(True)
                self.stop_ioeventfd()
                virtio_set_status(vdev, vdev.status & ~c.STATUS_DRIVER_OK)
        if self._is_window(offset, size):
            window = self._window()
            if window is not None:
                region, inner, length = window
                region.write(inner, length, self.space.get(self.config_cap + 16, length))
        log.leave()

    def _is_window(self, offset: i64, size: i64) -> bool:
        return self.config_cap != 0 and ranges_overlap(offset, size, self.config_cap + 16, 4)

    def _window(self) -> tuple[MemoryRegion, int, int] | None:
        """The region, the offset in it and the length that the access window names; its BAR number does not count."""
        length = self.space.get(self.config_cap + 12, 4)
        if length not in (1, 2, 4):
            return None
        offset = self.space.get(self.config_cap + 8, 4) & ~(length - 1)
        for region in self.regs():
            if region.offset <= offset and offset + length <= region.offset + region.size and region.mr is not None:
                return region.mr, offset - region.offset, length
        return None


def proxy_of(obj: Object) -> VirtIOPCIProxy:
    """VIRTIO_PCI."""
    assert isinstance(obj, VirtIOPCIProxy)
    return obj
