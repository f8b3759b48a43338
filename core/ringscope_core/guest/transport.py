"""What the driver asks of a virtio device's transport, whichever interface it has (Linux: struct virtio_config_ops), and what both PCI interfaces share."""

from __future__ import annotations

from typing import Final, final

from mypy_extensions import i64, mypyc_attr

from ringscope_core.guest.alloc import PageAllocator
from ringscope_core.guest.packed_ring import PackedRing, packed_ring_bytes
from ringscope_core.guest.pci import CAP_MSIX, COMMAND_IO, COMMAND_MASTER, COMMAND_MEMORY, VENDOR_ID, PciFunction
from ringscope_core.guest.ring import Vring, ring_bytes
from ringscope_core.guest.virtqueue import RingMode, Virtqueue
from ringscope_core.hw.ports import GuestPorts
from ringscope_core.trace.oids import ring_oid

VIRTIO_VENDOR: Final[i64] = 0x1AF4

STATUS_ACKNOWLEDGE: Final[i64] = 1
STATUS_DRIVER: Final[i64] = 2
STATUS_DRIVER_OK: Final[i64] = 4
STATUS_FEATURES_OK: Final[i64] = 8
STATUS_NEEDS_RESET: Final[i64] = 0x40
STATUS_FAILED: Final[i64] = 0x80

NO_VECTOR: Final[i64] = 0xFFFF
NOBODY: Final[i64] = 0xFFFF
"""The vendor id where there is no function (any more)."""

MSIX_ENABLE: Final[i64] = 0x8000
MSIX_MASK_ALL: Final[i64] = 0x4000
MSI_ADDRESS: Final[i64] = 0xFEE00000
"""The local APIC's; the vector number is the message's data."""

RESET_READS: Final[i64] = 1000
"""How often the driver looks whether a reset is over before it gives the device up."""


class ProbeError(Exception):
    """The driver gave the device up; the text is what it says in the guest's log."""


@final
class Region:
    """A window of a BAR."""

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


@mypyc_attr(allow_interpreted_subclasses=True)
class VirtioTransport:
    """One virtio function and its registers.  Subclasses: the modern and the legacy interface."""

    def __init__(self, ports: GuestPorts, function: PciFunction, pages: PageAllocator) -> None:
        self.ports: GuestPorts = ports
        self.function: PciFunction = function
        self.pages: PageAllocator = pages
        self.bdf: i64 = function.bdf
        self.legacy: bool = False
        self.msix_entries: i64 = 0
        self.msix_table: i64 = 0
        self.vectors: i64 = 0
        """MSI-X vectors in use, 0 for the interrupt pin."""
        self._vector_base: i64 = 0

    # -- status and features ------------------------------------------------------------------------------------------
    def enable(self) -> None:
        """Let the function decode its BARs and read guest memory."""
        self.function.set_command(COMMAND_IO | COMMAND_MEMORY | COMMAND_MASTER)

    def present(self) -> bool:
        """Whether the function still answers in configuration space."""
        return self.ports.cfg_read(self.bdf, VENDOR_ID, 2) != NOBODY

    def status(self) -> i64:
        """device_status."""
        raise NotImplementedError

    def write_status(self, value: i64) -> None:
        """Write device_status; 0 resets the device."""
        raise NotImplementedError

    def add_status(self, bits: i64) -> None:
        """Turn on bits of device_status."""
        self.write_status(self.status() | bits)

    def reset(self) -> None:
        """Write 0 and wait until the device says 0 (virtio 1.1, 4.1.4.3.2).  Raises ProbeError."""
        self.write_status(0)
        for _ in range(RESET_READS):
            if self.status() == 0:
                return
        raise ProbeError("virtio_pci: device does not leave reset")

    def device_features(self) -> int:
        """The feature bits the device offers on this interface."""
        raise NotImplementedError

    def write_features(self, features: int) -> None:
        """Tell the device which features the driver uses."""
        raise NotImplementedError

    def config_read(self, offset: i64, size: i64) -> i64:
        """A field of the device's own configuration; see `config_bytes` for one that may change between two reads."""
        raise NotImplementedError

    def config_write(self, offset: i64, size: i64, value: i64) -> None:
        """Write a field of the device's own configuration."""
        raise NotImplementedError

    def generation(self) -> i64:
        """config_generation: changes when the configuration changed between two reads; the legacy interface has none."""
        return 0

    def config_bytes(self, offset: i64, size: i64) -> bytes:
        """`size` bytes of the configuration, read again while the device changes it meanwhile (virtio 1.1, 2.4.1)."""
        data = b""
        for _ in range(RESET_READS):
            before = self.generation()
            data = bytes([self.config_read(offset + i, 1) for i in range(size)])
            if self.generation() == before:
                break
        return data

    def read_isr(self) -> i64:
        """The ISR byte; reading clears it and lowers the interrupt pin."""
        raise NotImplementedError

    # -- interrupts ---------------------------------------------------------------------------------------------------
    def _cap(self, offset: i64, size: i64) -> i64:
        return self.ports.cfg_read(self.bdf, offset, size)

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

    def disable_msix(self) -> None:
        """Back to the interrupt pin (pci_disable_msix); the legacy configuration then begins 4 bytes earlier."""
        cap = self.function.capability(CAP_MSIX)
        if cap is None or self.vectors == 0:
            return
        control = self._cap(cap.offset + 2, 2)
        self.ports.cfg_write(self.bdf, cap.offset + 2, 2, control & ~MSIX_ENABLE)
        self.vectors = 0

    def set_config_vector(self, vector: i64) -> None:
        """Route configuration changes; raises ProbeError when the device refuses the vector."""
        raise NotImplementedError

    def vector_of_message(self, message: i64) -> i64:
        """The MSI-X vector that sends `message`, -1 when it is not this device's."""
        vector = message - self._vector_base
        return vector if 0 <= vector < self.vectors else -1

    # -- queues -------------------------------------------------------------------------------------------------------
    def setup_queue(self, index: i64, vector: i64, mode: RingMode, size: i64) -> Virtqueue:
        """Allocate the ring of queue `index`, tell the device where it is, route its interrupt.

        `size`: descriptors to use, 0 for what the device proposes.  Raises ProbeError.
        """
        raise NotImplementedError

    def enable_queue(self, index: i64) -> None:
        """From now on the device may use the ring."""
        raise NotImplementedError

    def reset_queue(self, index: i64) -> None:
        """Make the device forget one queue (VIRTIO_F_RING_RESET); raises ProbeError when the interface cannot or the device does not."""
        raise ProbeError("virtio_pci: this interface cannot reset a single queue")

    def restart_queue(self, ring: Virtqueue, vector: i64) -> None:
        """Tell the device, after `reset_queue`, where the new `ring` of the queue is, and enable it."""
        raise ProbeError("virtio_pci: this interface cannot restart a single queue")

    def make_ring(self, index: i64, num: i64, mode: RingMode) -> Virtqueue:
        """A ring of `num` descriptors in pages of its own."""
        gpa = self.pages.alloc(packed_ring_bytes(num) if mode.packed else ring_bytes(num)[2])
        return self.place_ring(index, num, gpa, mode)

    def place_ring(self, index: i64, num: i64, gpa: i64, mode: RingMode) -> Virtqueue:
        """A ring of `num` descriptors in zeroed pages at `gpa`."""
        oid = ring_oid(self.function.ring_bdf, index)
        counters = self.ports.counters(oid)
        if mode.packed:
            return PackedRing(self.ports.memory, self.ports.log, counters, oid, index, num, gpa, mode)
        return Vring(self.ports.memory, self.ports.log, counters, oid, index, num, gpa, mode)

    def kick(self, ring: Virtqueue) -> None:
        """Notify the device of queue `ring.index` (virtqueue_notify).  The kick event is recorded where it arrives."""
        raise NotImplementedError

    def kick_if_wanted(self, ring: Virtqueue) -> bool:
        """virtqueue_kick: publish, then notify unless the device asked not to; returns whether it notified."""
        ring.publish()
        if not ring.kick_prepare():
            return False
        self.kick(ring)
        return True
