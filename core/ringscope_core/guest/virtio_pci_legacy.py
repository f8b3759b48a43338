"""The virtio-pci legacy interface from the driver's side: one I/O BAR (Linux: drivers/virtio/virtio_pci_legacy.c; virtio 1.1, 4.1.4.8).

Feature bits are 32, there is no FEATURES_OK, a ring is one run of pages that a page frame number names, its size is the device's.
"""

from __future__ import annotations

from typing import Final, final

from mypy_extensions import i64

from ringscope_core.guest.alloc import PageAllocator
from ringscope_core.guest.pci import PciFunction
from ringscope_core.guest.transport import NO_VECTOR, ProbeError, Region, VirtioTransport
from ringscope_core.guest.virtqueue import RingMode, Virtqueue
from ringscope_core.hw.ports import GuestPorts

L_HOST_FEATURES: Final[i64] = 0
L_GUEST_FEATURES: Final[i64] = 4
L_QUEUE_PFN: Final[i64] = 8
L_QUEUE_NUM: Final[i64] = 12
L_QUEUE_SEL: Final[i64] = 14
L_QUEUE_NOTIFY: Final[i64] = 16
L_STATUS: Final[i64] = 18
L_ISR: Final[i64] = 19
L_CONFIG_VECTOR: Final[i64] = 20
L_QUEUE_VECTOR: Final[i64] = 22
L_CONFIG: Final[i64] = 20
L_CONFIG_MSIX: Final[i64] = 24
"""Where the device's configuration begins without MSI-X, and with MSI-X enabled."""
PFN_SHIFT: Final[i64] = 12


@final
class LegacyPciDevice(VirtioTransport):
    """A function with the legacy interface: a legacy device, or a transitional one."""

    def __init__(self, ports: GuestPorts, function: PciFunction, pages: PageAllocator) -> None:
        """Raises ProbeError for a function without an I/O BAR 0, or with a revision that is not the legacy interface's."""
        super().__init__(ports, function, pages)
        self.legacy = True
        bar = function.bar(0)
        if bar is None or not bar.io:
            raise ProbeError("virtio_pci: no legacy interface: BAR 0 is no I/O BAR")
        if function.revision != 0:
            raise ProbeError(f"virtio_pci: no legacy interface: revision {function.revision}")
        self.io: Region = Region(ports, True, bar.address, bar.size)

    # -- status and features ------------------------------------------------------------------------------------------
    def status(self) -> i64:
        return self.io.read(L_STATUS, 1)

    def write_status(self, value: i64) -> None:
        self.io.write(L_STATUS, 1, value)

    def device_features(self) -> int:
        """The low 32 bits: there are no others here."""
        low: int = self.io.read(L_HOST_FEATURES, 4)
        return low

    def write_features(self, features: int) -> None:
        self.io.write(L_GUEST_FEATURES, 4, features & 0xFFFFFFFF)

    def _config_at(self) -> i64:
        return L_CONFIG_MSIX if self.vectors else L_CONFIG

    def config_read(self, offset: i64, size: i64) -> i64:
        return self.io.read(self._config_at() + offset, size)

    def config_write(self, offset: i64, size: i64, value: i64) -> None:
        self.io.write(self._config_at() + offset, size, value)

    def read_isr(self) -> i64:
        return self.io.read(L_ISR, 1)

    def set_config_vector(self, vector: i64) -> None:
        self.io.write(L_CONFIG_VECTOR, 2, vector)
        if self.io.read(L_CONFIG_VECTOR, 2) != vector:
            raise ProbeError(f"virtio_pci: device refuses configuration vector {vector}")

    # -- queues -------------------------------------------------------------------------------------------------------
    def setup_queue(self, index: i64, vector: i64, mode: RingMode, size: i64) -> Virtqueue:
        """The queue is in use from the moment its page frame number is written; `size` cannot be chosen."""
        io = self.io
        io.write(L_QUEUE_SEL, 2, index)
        num = io.read(L_QUEUE_NUM, 2)
        if num == 0 or io.read(L_QUEUE_PFN, 4):
            raise ProbeError(f"virtio_pci: queue {index} is not available")
        if num & (num - 1):
            raise ProbeError(f"virtio_pci: bad queue size {num}")
        ring = self.make_ring(index, num, mode)
        io.write(L_QUEUE_PFN, 4, ring.desc_gpa >> PFN_SHIFT)
        if vector != NO_VECTOR:
            io.write(L_QUEUE_VECTOR, 2, vector)
            if io.read(L_QUEUE_VECTOR, 2) != vector:
                raise ProbeError(f"virtio_pci: device refuses vector {vector} for queue {index}")
        return ring

    def enable_queue(self, index: i64) -> None:
        """Nothing: `setup_queue` did."""

    def kick(self, ring: Virtqueue) -> None:
        log = self.ports.log
        cause = log.cause
        log.cause = ring.published_seq
        self.io.write(L_QUEUE_NOTIFY, 2, ring.index)
        log.cause = cause
