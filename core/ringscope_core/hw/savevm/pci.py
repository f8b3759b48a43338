"""A PCI function's state: configuration space, interrupt pin, MSI-X table and pending bits (pci_device_save, msix_save)."""

from __future__ import annotations

from ringscope_core.hw.pci import regs as r
from ringscope_core.hw.pci.device import F_IRQ_STATE, PCIDevice
from ringscope_core.hw.savevm.stream import LoadError, LoadStream, SaveStream


def save_pci(pci: PCIDevice, out: SaveStream) -> None:
    """Configuration bytes and the level of the pin; the status register's interrupt bit follows from the level."""
    space = pci.space
    config = bytearray(space.config)
    config[r.PCI_STATUS] &= ~r.PCI_STATUS_INTERRUPT & 0xFF
    out.put(space.size, 4)
    out.raw(bytes(config))
    out.put(int(pci.irq_state), 1)


def load_pci(pci: PCIDevice, stream: LoadStream) -> None:
    """Take what a guest may have written; what it may not have to be this device's.  The function was reset just before."""
    space = pci.space
    size = stream.get(4)
    if size != space.size:
        raise LoadError(f"{stream.name}: configuration space of {size} bytes, the device has {space.size}")
    config = stream.raw(space.size)
    for i in range(space.size):
        checked = space.cmask[i] & ~space.wmask[i] & ~space.w1cmask[i] & 0xFF
        if (config[i] ^ space.config[i]) & checked:
            raise LoadError(
                f"get_pci_config_device: Bad config data: i=0x{i:x} read: {config[i]:x} device: {space.config[i]:x} "
                f"cmask: {space.cmask[i]:x} wmask: {space.wmask[i]:x} w1cmask:{space.w1cmask[i]:x}"
            )
    for i in range(space.size):
        # what no guest can write stays as realize made it
        writable = space.wmask[i] | space.w1cmask[i]
        space.config[i] = (space.config[i] & ~writable & 0xFF) | (config[i] & writable)
    pci.update_mappings()
    region = pci.bus_master_region
    if region is not None:
        region.set_enabled(pci.bus_master())
    level = stream.get(1)
    if level > 1:
        raise LoadError(f"irq state {level}: must be 0 or 1.")
    if level and space.config[r.PCI_INTERRUPT_PIN] == 0:
        raise LoadError(f"{stream.name}: the interrupt pin of a function without one is up")
    pci.world.log.field(pci.oid, F_IRQ_STATE, 0, int(pci.irq_state))
    pci.irq_state = 0
    pci.set_irq(level)
    pci.sync_command_status()


def save_msix(pci: PCIDevice, out: SaveStream) -> None:
    """Table and pending bits; who uses a vector is told by the queues."""
    msix = pci.msix
    out.put(0 if msix is None else int(msix.entries_nr), 2)
    if msix is not None:
        out.raw(bytes(msix.table))
        out.raw(bytes(msix.pba))


def load_msix(pci: PCIDevice, stream: LoadStream) -> None:
    """The table, and what is pending; nothing is sent before the machine runs."""
    msix = pci.msix
    entries = stream.get(2)
    own = 0 if msix is None else int(msix.entries_nr)
    if entries != own:
        raise LoadError(f"{stream.name}: {entries} MSI-X vectors, the device has {own}")
    if msix is None:
        return
    msix.table[:] = stream.raw(len(msix.table))
    pba = bytearray(stream.raw(len(msix.pba)))
    for vector in range(entries, 8 * len(pba)):
        pba[vector // 8] &= ~(1 << vector % 8) & 0xFF
    msix.pba[:] = pba
    msix.set_function_masked(not msix.is_enabled() or msix.flags() & 0x40 != 0)
    msix.sync_enabled()
    for vector in range(entries):
        at = 16 * vector
        if msix.is_pending(vector) or any(msix.table[at : at + 12]) or msix.table[at + 12] != 1:
            msix.entries.touch(vector)
