"""The virtio-pci modern interface from the driver's side (Linux: drivers/virtio/virtio_pci_modern.c; virtio 1.1, 4.1)."""

from __future__ import annotations

from typing import Final, final

from mypy_extensions import i64

from ringscope_core.guest.alloc import PageAllocator
from ringscope_core.guest.pci import CAP_VENDOR, PciFunction
from ringscope_core.guest.transport import NO_VECTOR, RESET_READS, ProbeError, Region, VirtioTransport
from ringscope_core.guest.virtqueue import RingMode, Virtqueue
from ringscope_core.hw.ports import GuestPorts

CFG_COMMON: Final[i64] = 1
CFG_NOTIFY: Final[i64] = 2
CFG_ISR: Final[i64] = 3
CFG_DEVICE: Final[i64] = 4

# offsets in the common configuration
C_DFSELECT: Final[i64] = 0
C_DF: Final[i64] = 4
C_GFSELECT: Final[i64] = 8
C_GF: Final[i64] = 12
C_MSIX: Final[i64] = 16
C_NUMQ: Final[i64] = 18
C_STATUS: Final[i64] = 20
C_GENERATION: Final[i64] = 21
C_Q_SELECT: Final[i64] = 22
C_Q_SIZE: Final[i64] = 24
C_Q_MSIX: Final[i64] = 26
C_Q_ENABLE: Final[i64] = 28
C_Q_NOFF: Final[i64] = 30
C_Q_DESC: Final[i64] = 32
C_Q_AVAIL: Final[i64] = 40
C_Q_USED: Final[i64] = 48
C_Q_RESET: Final[i64] = 58
"""queue_reset (virtio 1.2, 4.1.4.3)."""


@final
class VirtioPciDevice(VirtioTransport):
    """A function with the modern interface."""

    def __init__(self, ports: GuestPorts, function: PciFunction, pages: PageAllocator) -> None:
        """Finds the regions; raises ProbeError for a function without the modern interface."""
        super().__init__(ports, function, pages)
        self.notify_multiplier: i64 = 0
        self.common: Region = self._find(CFG_COMMON)
        self.isr: Region = self._find(CFG_ISR)
        self.notify: Region = self._find(CFG_NOTIFY)
        self.config: Region | None = self._find_optional(CFG_DEVICE)

    # -- regions ------------------------------------------------------------------------------------------------------
    def _find(self, kind: i64) -> Region:
        found = self._find_optional(kind)
        if found is None:
            raise ProbeError(f"virtio_pci: leaving for legacy driver: no capability of type {kind}")
        return found

    def _find_optional(self, kind: i64) -> Region | None:
        """The first capability of that type whose BAR exists."""
        for cap in self.function.capabilities:
            if cap.number != CAP_VENDOR or self._cap(cap.offset + 3, 1) != kind:
                continue
            bar = self.function.bar(self._cap(cap.offset + 4, 1))
            if bar is None:
                continue
            if kind == CFG_NOTIFY:
                self.notify_multiplier = self._cap(cap.offset + 16, 4)
            return Region(self.ports, bar.io, bar.address + self._cap(cap.offset + 8, 4), self._cap(cap.offset + 12, 4))
        return None

    # -- status and features ------------------------------------------------------------------------------------------
    def status(self) -> i64:
        return self.common.read(C_STATUS, 1)

    def write_status(self, value: i64) -> None:
        self.common.write(C_STATUS, 1, value)

    def device_features(self) -> int:
        """All 64 bits."""
        self.common.write(C_DFSELECT, 4, 0)
        low: int = self.common.read(C_DF, 4)
        self.common.write(C_DFSELECT, 4, 1)
        high: int = self.common.read(C_DF, 4)
        return low | high << 32

    def write_features(self, features: int) -> None:
        self.common.write(C_GFSELECT, 4, 0)
        self.common.write(C_GF, 4, features & 0xFFFFFFFF)
        self.common.write(C_GFSELECT, 4, 1)
        self.common.write(C_GF, 4, features >> 32 & 0xFFFFFFFF)

    def _configuration(self) -> Region:
        region = self.config
        if region is None:
            raise ProbeError("virtio_pci: no device configuration")
        return region

    def config_read(self, offset: i64, size: i64) -> i64:
        return self._configuration().read(offset, size)

    def config_write(self, offset: i64, size: i64, value: i64) -> None:
        self._configuration().write(offset, size, value)

    def generation(self) -> i64:
        return self.common.read(C_GENERATION, 1)

    def read_isr(self) -> i64:
        return self.isr.read(0, 1)

    def set_config_vector(self, vector: i64) -> None:
        self.common.write(C_MSIX, 2, vector)
        if self.common.read(C_MSIX, 2) != vector:
            raise ProbeError(f"virtio_pci: device refuses configuration vector {vector}")

    # -- queues -------------------------------------------------------------------------------------------------------
    def queue_count(self) -> i64:
        """num_queues."""
        return self.common.read(C_NUMQ, 2)

    def setup_queue(self, index: i64, vector: i64, mode: RingMode, size: i64) -> Virtqueue:
        """The queue is not enabled yet."""
        common = self.common
        common.write(C_Q_SELECT, 2, index)
        num = common.read(C_Q_SIZE, 2)
        if num == 0 or common.read(C_Q_ENABLE, 2):
            raise ProbeError(f"virtio_pci: queue {index} is not available")
        if size:
            num = size
        if num & (num - 1) and not mode.packed:
            raise ProbeError(f"virtio_pci: bad queue size {num}")
        ring = self.make_ring(index, num, mode)
        self._tell(ring, vector)
        return ring

    def _tell(self, ring: Virtqueue, vector: i64) -> None:
        """Size, addresses and vector of the queue that is selected."""
        common = self.common
        ring.notify_at = common.read(C_Q_NOFF, 2) * self.notify_multiplier
        common.write(C_Q_SIZE, 2, ring.num)
        self._write_address(C_Q_DESC, ring.desc_gpa)
        self._write_address(C_Q_AVAIL, ring.avail_gpa)
        self._write_address(C_Q_USED, ring.used_gpa)
        if vector != NO_VECTOR:
            common.write(C_Q_MSIX, 2, vector)
            if common.read(C_Q_MSIX, 2) != vector:
                raise ProbeError(f"virtio_pci: device refuses vector {vector} for queue {ring.index}")

    def _write_address(self, offset: i64, gpa: i64) -> None:
        self.common.write(offset, 4, gpa & 0xFFFFFFFF)
        self.common.write(offset + 4, 4, gpa >> 32)

    def enable_queue(self, index: i64) -> None:
        self.common.write(C_Q_SELECT, 2, index)
        self.common.write(C_Q_ENABLE, 2, 1)

    def reset_queue(self, index: i64) -> None:
        """queue_reset, until the device shows it done (virtio 1.2, 2.6.1.2)."""
        common = self.common
        common.write(C_Q_SELECT, 2, index)
        common.write(C_Q_RESET, 2, 1)
        for _ in range(RESET_READS):
            if common.read(C_Q_RESET, 2) == 0 and common.read(C_Q_ENABLE, 2) == 0:
                return
        raise ProbeError(f"virtio_pci: queue {index} does not leave reset")

    def restart_queue(self, ring: Virtqueue, vector: i64) -> None:
        self.common.write(C_Q_SELECT, 2, ring.index)
        self._tell(ring, vector)
        self.enable_queue(ring.index)

    def kick(self, ring: Virtqueue) -> None:
        log = self.ports.log
        cause = log.cause
        log.cause = ring.published_seq
        self.notify.write(ring.notify_at, 2, ring.index)
        log.cause = cause
