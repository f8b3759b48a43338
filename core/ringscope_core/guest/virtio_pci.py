"""The virtio-pci modern transport from the driver's side (Linux: drivers/virtio/virtio_pci_modern.c; virtio 1.1, 4.1)."""

from __future__ import annotations

from typing import Final, final

from mypy_extensions import i64

from ringscope_core.guest.alloc import PageAllocator
from ringscope_core.guest.pci import CAP_MSIX, CAP_VENDOR, COMMAND_IO, COMMAND_MASTER, COMMAND_MEMORY, PciFunction
from ringscope_core.guest.ring import Vring, ring_bytes
from ringscope_core.hw.ports import GuestPorts
from ringscope_core.trace.oids import ring_oid

VIRTIO_VENDOR: Final[i64] = 0x1AF4

CFG_COMMON: Final[i64] = 1
CFG_NOTIFY: Final[i64] = 2
CFG_ISR: Final[i64] = 3
CFG_DEVICE: Final[i64] = 4

STATUS_ACKNOWLEDGE: Final[i64] = 1
STATUS_DRIVER: Final[i64] = 2
STATUS_DRIVER_OK: Final[i64] = 4
STATUS_FEATURES_OK: Final[i64] = 8
STATUS_NEEDS_RESET: Final[i64] = 0x40
STATUS_FAILED: Final[i64] = 0x80

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

NO_VECTOR: Final[i64] = 0xFFFF

MSIX_ENABLE: Final[i64] = 0x8000
MSIX_MASK_ALL: Final[i64] = 0x4000
MSI_ADDRESS: Final[i64] = 0xFEE00000
"""The local APIC's; the vector number is the message's data."""


class ProbeError(Exception):
    """The driver gave the device up; the text is what it says in the guest's log."""


@final
class Region:
    """A window of a BAR that a vendor capability names."""

    def __init__(self, ports: GuestPorts, io: bool, address: i64, length: i64) -> None:
        self.ports: GuestPorts = ports
        self.io: bool = io
        self.address: i64 = address
        self.length: i64 = length

    def read(self, offset: i64, size: i64) -> i64:
        """Read `size` (1, 2, 4) bytes at `offset`."""
        if self.io:
            return self.ports.io_read(self.address + offset, size)
        return self.ports.mmio_read(self.address + offset, size)

    def write(self, offset: i64, size: i64, value: i64) -> None:
        """Write `size` bytes at `offset`.  What the device sees of memory may have changed, so its snapshots end here."""
        self.ports.memory.turn += 1
        if self.io:
            self.ports.io_write(self.address + offset, size, value)
        else:
            self.ports.mmio_write(self.address + offset, size, value)


@final
class VirtioPciDevice:
    """One virtio function and its registers."""

    def __init__(self, ports: GuestPorts, function: PciFunction, pages: PageAllocator) -> None:
        """Finds the regions; raises ProbeError for a function without the modern interface."""
        self.ports: GuestPorts = ports
        self.function: PciFunction = function
        self.pages: PageAllocator = pages
        self.bdf: i64 = function.bdf
        self.notify_multiplier: i64 = 0
        self.common: Region = self._find(CFG_COMMON)
        self.isr: Region = self._find(CFG_ISR)
        self.notify: Region = self._find(CFG_NOTIFY)
        self.config: Region | None = self._find_optional(CFG_DEVICE)
        self.msix_entries: i64 = 0
        self.msix_table: i64 = 0
        self.vectors: i64 = 0
        """MSI-X vectors in use, 0 for the interrupt pin."""
        self._vector_base: i64 = 0
        self._notify_offsets: dict[int, int] = {}

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

    def _cap(self, offset: i64, size: i64) -> i64:
        return self.ports.cfg_read(self.bdf, offset, size)

    # -- status and features ------------------------------------------------------------------------------------------
    def enable(self) -> None:
        """Let the function decode its BARs and read guest memory."""
        self.function.set_command(COMMAND_IO | COMMAND_MEMORY | COMMAND_MASTER)

    def status(self) -> i64:
        """device_status."""
        return self.common.read(C_STATUS, 1)

    def add_status(self, bits: i64) -> None:
        """Turn on bits of device_status."""
        self.common.write(C_STATUS, 1, self.status() | bits)

    def reset(self) -> None:
        """Write 0 and wait until the device says 0 (virtio 1.1, 4.1.4.3.2)."""
        self.common.write(C_STATUS, 1, 0)
        for _ in range(1000):
            if self.status() == 0:
                return
        raise ProbeError("virtio_pci: device does not leave reset")

    def device_features(self) -> int:
        """The 64 feature bits the device offers."""
        self.common.write(C_DFSELECT, 4, 0)
        low: int = self.common.read(C_DF, 4)
        self.common.write(C_DFSELECT, 4, 1)
        high: int = self.common.read(C_DF, 4)
        return low | high << 32

    def write_features(self, features: int) -> None:
        """Tell the device which features the driver uses."""
        self.common.write(C_GFSELECT, 4, 0)
        self.common.write(C_GF, 4, features & 0xFFFFFFFF)
        self.common.write(C_GFSELECT, 4, 1)
        self.common.write(C_GF, 4, features >> 32 & 0xFFFFFFFF)

    def config_read(self, offset: i64, size: i64) -> i64:
        """A field of the device's own configuration; for more than one field see `generation`."""
        region = self.config
        if region is None:
            raise ProbeError("virtio_pci: no device configuration")
        return region.read(offset, size)

    def generation(self) -> i64:
        """config_generation: changes when the configuration changed between two reads."""
        return self.common.read(C_GENERATION, 1)

    def read_isr(self) -> i64:
        """The ISR byte; reading clears it and lowers the interrupt pin."""
        return self.isr.read(0, 1)

    # -- interrupts ---------------------------------------------------------------------------------------------------
    def find_msix(self) -> i64:
        """How many MSI-X vectors the function has, 0 for none."""
        cap = self.function.capability(CAP_MSIX)
        if cap is None:
            return 0
        table = self._cap(cap.offset + 4, 4)
        bar = self.function.bar(table & 7)
        if bar is None:
            return 0
        self.msix_table = bar.address + (table & ~7)
        self.msix_entries = (self._cap(cap.offset + 2, 2) & 0x7FF) + 1
        return self.msix_entries

    def enable_msix(self, count: i64, base: i64) -> None:
        """Program `count` table entries, to send the messages `base`, `base` + 1, ..., and turn MSI-X on.

        Masked as a whole while the table is written, as Linux does, so that no half-written entry is used.
        """
        cap = self.function.capability(CAP_MSIX)
        assert cap is not None
        control = self._cap(cap.offset + 2, 2)
        self.ports.cfg_write(self.bdf, cap.offset + 2, 2, control | MSIX_ENABLE | MSIX_MASK_ALL)
        for entry in range(count):
            at = self.msix_table + 16 * entry
            self.ports.mmio_write(at, 4, MSI_ADDRESS)
            self.ports.mmio_write(at + 4, 4, 0)
            self.ports.mmio_write(at + 8, 4, base + entry)
            self.ports.mmio_write(at + 12, 4, 0)
        self.ports.cfg_write(self.bdf, cap.offset + 2, 2, (control | MSIX_ENABLE) & ~MSIX_MASK_ALL)
        self.vectors = count
        self._vector_base = base

    def set_config_vector(self, vector: i64) -> None:
        """Route configuration changes; raises ProbeError when the device refuses the vector."""
        self.common.write(C_MSIX, 2, vector)
        if self.common.read(C_MSIX, 2) != vector:
            raise ProbeError(f"virtio_pci: device refuses configuration vector {vector}")

    def vector_of_message(self, message: i64) -> i64:
        """The MSI-X vector that sends `message`, -1 when it is not this device's."""
        vector = message - self._vector_base
        return vector if 0 <= vector < self.vectors else -1

    # -- queues -------------------------------------------------------------------------------------------------------
    def queue_count(self) -> i64:
        """num_queues."""
        return self.common.read(C_NUMQ, 2)

    def setup_queue(self, index: i64, vector: i64, event: bool, indirect: bool) -> Vring:
        """Allocate the ring of queue `index`, tell the device where it is, route its interrupt (not yet enabled)."""
        common = self.common
        common.write(C_Q_SELECT, 2, index)
        num = common.read(C_Q_SIZE, 2)
        if num == 0 or common.read(C_Q_ENABLE, 2):
            raise ProbeError(f"virtio_pci: queue {index} is not available")
        if num & (num - 1):
            raise ProbeError(f"virtio_pci: bad queue size {num}")
        self._notify_offsets[int(index)] = int(common.read(C_Q_NOFF, 2) * self.notify_multiplier)
        _, _, total, _ = ring_bytes(num)
        gpa = self.pages.alloc(total)
        oid = ring_oid(self.bdf, index)
        ring = Vring(self.ports.memory, self.ports.log, self.ports.counters(oid), oid, index, num, gpa, event, indirect)
        common.write(C_Q_SIZE, 2, num)
        self._write_address(C_Q_DESC, ring.desc_gpa)
        self._write_address(C_Q_AVAIL, ring.avail_gpa)
        self._write_address(C_Q_USED, ring.used_gpa)
        if vector != NO_VECTOR:
            common.write(C_Q_MSIX, 2, vector)
            if common.read(C_Q_MSIX, 2) != vector:
                raise ProbeError(f"virtio_pci: device refuses vector {vector} for queue {index}")
        return ring

    def _write_address(self, offset: i64, gpa: i64) -> None:
        self.common.write(offset, 4, gpa & 0xFFFFFFFF)
        self.common.write(offset + 4, 4, gpa >> 32)

    def enable_queue(self, index: i64) -> None:
        """queue_enable: from now on the device may use the ring."""
        self.common.write(C_Q_SELECT, 2, index)
        self.common.write(C_Q_ENABLE, 2, 1)

    def kick(self, ring: Vring) -> None:
        """Notify the device of queue `ring.index` (virtqueue_notify).  The kick event is recorded where it arrives."""
        log = self.ports.log
        cause = log.cause
        log.cause = ring.published_seq
        self.notify.write(self._notify_offsets[int(ring.index)], 2, ring.index)
        log.cause = cause

    def kick_if_wanted(self, ring: Vring) -> bool:
        """virtqueue_kick: publish, then notify unless the device asked not to; returns whether it notified."""
        ring.publish()
        if not ring.kick_prepare():
            return False
        self.kick(ring)
        return True
