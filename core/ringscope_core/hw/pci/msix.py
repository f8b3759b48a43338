"""MSI-X: table, pending bits, masks, and the message that a vector sends (hw/pci/msix.c)."""

from __future__ import annotations

from typing import Final, final

from mypy_extensions import i64

from ringscope_core.hw.pci import regs as r
from ringscope_core.hw.pci.config_space import put_le
from ringscope_core.hw.pci.device import PCIDevice
from ringscope_core.hw.pci.memory_region import MemoryRegion, RegionOps, memory_region_init
from ringscope_core.hw.pci.msix_entries import MsixEntries
from ringscope_core.qom.calls import declare
from ringscope_core.trace.fields import field
from ringscope_core.trace.kinds import EV_MSI, EV_MSI_PENDING
from ringscope_core.trace.levels import LEVEL_FULL

F_ENABLED: Final[i64] = field("PCIDevice.msix.enabled", "bool")
F_FUNCTION_MASKED: Final[i64] = field("PCIDevice.msix.function_masked", "bool")
F_CAP: Final[i64] = field("PCIDevice.msix_cap", "flags")
F_ENTRIES_NR: Final[i64] = field("PCIDevice.msix_entries_nr", "count")

FN_INIT_BAR = declare("msix_init_exclusive_bar", "dev:ptr nentries:count bar_nr:count")
FN_MASK_ALL = declare("msix_mask_all", "dev:ptr nentries:count")
FN_INIT = declare("msix_init", "dev:ptr nentries:count")

MSIX_CAP_LENGTH: Final = 12
MSIX_PAGE_SIZE: Final = 4096
ENTRY_SIZE: Final = 16
MAX_ENTRIES: Final = 2048
CTRL_MASKBIT: Final = 1
ENABLE_MASK: Final = 0x80
"""Bits of the high byte of the flags word."""
MASKALL_MASK: Final = 0x40


@final
class MsixTableOps(RegionOps):
    """The vector table: 4 byte accesses only."""

    def __init__(self, msix: Msix) -> None:
        super().__init__(4, 4)
        self.msix: Msix = msix

    def read(self, offset: i64, size: i64) -> i64:
        return self.msix.table_word(offset)

    def write(self, offset: i64, size: i64, value: i64) -> None:
        self.msix.table_write(offset, value)


@final
class MsixPbaOps(RegionOps):
    """The pending bits: 4 byte reads only."""

    def __init__(self, msix: Msix) -> None:
        super().__init__(4, 4)
        self.msix: Msix = msix

    def read(self, offset: i64, size: i64) -> i64:
        return int.from_bytes(self.msix.pba[int(offset) : int(offset) + 4], "little")

    def write(self, offset: i64, size: i64, value: i64) -> None:
        """Read-only."""


@final
class Msix:
    """The MSI-X capability of one function."""

    def __init__(self, dev: PCIDevice, entries_nr: int, cap: int) -> None:
        self.dev: PCIDevice = dev
        self.entries_nr: i64 = entries_nr
        self.cap: int = cap
        """Offset of the capability."""
        self.table: bytearray = bytearray(entries_nr * ENTRY_SIZE)
        self.pba: bytearray = bytearray((entries_nr + 63) // 64 * 8)
        self.entry_used: list[int] = [0] * entries_nr
        """How many users each vector has; one without is never sent."""
        self.function_masked: bool = True
        self.enabled: bool = False
        """The enable bit, as events last said."""
        self.entries: MsixEntries = MsixEntries(self)

    def snapshot(self, fields: dict[int, int]) -> None:
        """Put what events say of it into a keyframe."""
        fields[F_ENABLED] = 1 if self.enabled else 0
        fields[F_FUNCTION_MASKED] = 1 if self.function_masked else 0
        fields[F_CAP] = self.cap
        fields[F_ENTRIES_NR] = self.entries_nr

    # -- flags --------------------------------------------------------------------------------------------------------
    def flags(self) -> int:
        """High byte of the flags word."""
        return self.dev.space.config[self.cap + 3]

    def is_enabled(self) -> bool:
        """msix_enabled."""
        return self.flags() & ENABLE_MASK != 0

    def sync_enabled(self) -> None:
        """Record the enable bit when it changed."""
        enabled = self.is_enabled()
        self.dev.world.log.field(self.dev.oid, F_ENABLED, 1 if enabled else 0, 1 if self.enabled else 0)
        self.enabled = enabled

    def set_function_masked(self, masked: bool) -> None:
        """PCIDevice.msix_function_masked."""
        self.dev.world.log.field(self.dev.oid, F_FUNCTION_MASKED, 1 if masked else 0, 1 if self.function_masked else 0)
        self.function_masked = masked

    def write_config(self, offset: i64, size: i64) -> None:
        """msix_write_config: a guest wrote configuration space; unmasking sends what is pending."""
        at = self.cap + 3
        if not offset <= at < offset + size:
            return
        was_masked = self.function_masked
        self.set_function_masked(not self.is_enabled() or self.flags() & MASKALL_MASK != 0)
        self.sync_enabled()
        if not self.is_enabled():
            return
        self.dev.deassert_intx()
        if self.function_masked == was_masked:
            return
        vector: i64 = 0
        while vector < self.entries_nr:
            self._mask_update(vector, was_masked or self.entry_masked(vector))
            vector += 1

    # -- masks and pending bits ---------------------------------------------------------------------------------------
    def address(self, vector: i64) -> i64:
        """Where the vector's message goes (a signed number when bit 63 is set)."""
        at = int(vector) * ENTRY_SIZE
        return int.from_bytes(self.table[at : at + 8], "little", signed=True)

    def data(self, vector: i64) -> i64:
        """What the vector's message says."""
        at = int(vector) * ENTRY_SIZE + 8
        return int.from_bytes(self.table[at : at + 4], "little")

    def entry_masked(self, vector: i64) -> bool:
        """Whether the vector's own mask bit is set."""
        return self.table[int(vector) * ENTRY_SIZE + 12] & CTRL_MASKBIT != 0

    def is_masked(self, vector: i64) -> bool:
        """msix_is_masked."""
        return self.function_masked or self.entry_masked(vector)

    def is_pending(self, vector: i64) -> bool:
        """msix_is_pending."""
        return self.pba[int(vector) // 8] >> (int(vector) % 8) & 1 != 0

    def set_pending(self, vector: i64) -> None:
        """msix_set_pending."""
        self.pba[int(vector) // 8] |= 1 << (int(vector) % 8)
        self.entries.sync(int(vector))
        log = self.dev.world.log
        if log.level >= LEVEL_FULL:
            log.emit(EV_MSI_PENDING, self.dev.oid, vector)

    def clr_pending(self, vector: i64) -> None:
        """msix_clr_pending."""
        if self.is_pending(vector):
            self.pba[int(vector) // 8] &= ~(1 << (int(vector) % 8)) & 0xFF
            self.entries.sync(int(vector))

    def _mask_update(self, vector: i64, was_masked: bool) -> None:
        """msix_handle_mask_update."""
        masked = self.is_masked(vector)
        if masked == was_masked:
            return
        if not masked and self.is_pending(vector):
            self.clr_pending(vector)
            self.notify(vector)

    def mask_all(self) -> None:
        """msix_mask_all: as after reset."""
        log = self.dev.world.log
        FN_MASK_ALL.enter(log, self.dev.addr, self.entries_nr)
        vector: i64 = 0
        while vector < self.entries_nr:
            was_masked = self.is_masked(vector)
            self.table[int(vector) * ENTRY_SIZE + 12] |= CTRL_MASKBIT
            self._mask_update(vector, was_masked)
            vector += 1
        log.leave()

    # -- the table ----------------------------------------------------------------------------------------------------
    def table_word(self, offset: i64) -> i64:
        """A guest reads 4 bytes of the table."""
        return int.from_bytes(self.table[int(offset) : int(offset) + 4], "little")

    def table_write(self, offset: i64, value: i64) -> None:
        """A guest writes 4 bytes of the table."""
        vector = offset // ENTRY_SIZE
        was_masked = self.is_masked(vector)
        put_le(self.table, int(offset), 4, int(value))
        self.entries.touch(int(vector))
        self._mask_update(vector, was_masked)

    # -- vectors ------------------------------------------------------------------------------------------------------
    def vector_use(self, vector: i64) -> bool:
        """msix_vector_use: someone will send this vector; False when there is no such vector."""
        if vector < 0 or vector >= self.entries_nr:
            return False
        self.entry_used[vector] += 1
        self.entries.touch(int(vector))
        return True

    def vector_unuse(self, vector: i64) -> None:
        """msix_vector_unuse."""
        if vector < 0 or vector >= self.entries_nr or self.entry_used[vector] == 0:
            return
        self.entry_used[vector] -= 1
        if self.entry_used[vector] == 0:
            self.clr_pending(vector)
        self.entries.sync(int(vector))

    def unuse_all_vectors(self) -> None:
        """msix_unuse_all_vectors."""
        vector: i64 = 0
        while vector < self.entries_nr:
            self.entry_used[vector] = 0
            self.clr_pending(vector)
            vector += 1
        self.entries.sync_all()

    def notify(self, vector: i64) -> None:
        """msix_notify: send the vector's message, or mark it pending while it is masked."""
        if vector < 0 or vector >= self.entries_nr or self.entry_used[vector] == 0:
            return
        if self.is_masked(vector):
            self.set_pending(vector)
            return
        address = self.address(vector)
        data = self.data(vector)
        dev = self.dev
        log = dev.world.log
        cause = log.cause
        if log.level >= LEVEL_FULL:
            log.cause = log.emit(EV_MSI, dev.oid, vector, address, data)
        # a function that is no bus master sends nothing
        if dev.bus_master():
            dev.ctx.msi_send(address, data)
        log.cause = cause

    def reset(self) -> None:
        """msix_reset: disabled, every vector masked; the function mask stays as it was, as QEMU leaves it."""
        vector: i64 = 0
        while vector < self.entries_nr:
            self.clr_pending(vector)
            vector += 1
        space = self.dev.space
        space.config[self.cap + 3] &= ~space.wmask[self.cap + 3] & 0xFF
        self.sync_enabled()
        self.table[:] = bytes(len(self.table))
        self.pba[:] = bytes(len(self.pba))
        self.mask_all()
        self.entries.sync_all()


def _pow2ceil(value: int) -> int:
    size = 1
    while size < value:
        size *= 2
    return size


def msix_init_exclusive_bar(dev: PCIDevice, nentries: int, bar: int, bar_addr: i64, table_addr: i64, pba_addr: i64) -> bool:
    """Give `dev` MSI-X in a BAR of its own; False when the number of vectors is invalid.

    The addresses are those of the three MemoryRegions inside the device.
    """
    log = dev.world.log
    FN_INIT_BAR.enter(log, dev.addr, nentries, bar)
    size = MSIX_PAGE_SIZE
    pba_offset = max(size // 2, nentries * ENTRY_SIZE)
    # 4.1 rounds the pending bits up by a whole word even when they fill the last one
    pba_size = (nentries + 63) // 64 * 8 if dev.world.v7_2 else (nentries // 8 + 1) * 8
    size = _pow2ceil(max(size, pba_offset + pba_size))
    region = memory_region_init(dev, bar_addr, f"{dev.name}-msix", size)
    done = _msix_init(dev, nentries, region, bar, pba_offset, table_addr, pba_addr)
    if done:
        dev.register_bar(bar, r.PCI_BASE_ADDRESS_SPACE_MEMORY, region)
    log.leave(0 if done else -22)
    return done


def _msix_init(dev: PCIDevice, nentries: int, region: MemoryRegion, bar: int, pba_offset: int, table_addr: i64, pba_addr: i64) -> bool:
    """msix_init: the capability, the table at the BAR's start, the pending bits at `pba_offset`."""
    log = dev.world.log
    FN_INIT.enter(log, dev.addr, nentries)
    if not 1 <= nentries <= MAX_ENTRIES:
        log.leave(-22)
        return False
    space = dev.space
    cap = dev.add_capability(r.PCI_CAP_ID_MSIX, MSIX_CAP_LENGTH)
    space.put(cap + 2, 2, nentries - 1)
    space.put(cap + 4, 4, bar)
    space.put(cap + 8, 4, pba_offset | bar)
    space.wmask[cap + 3] |= ENABLE_MASK | MASKALL_MASK
    msix = Msix(dev, nentries, cap)
    dev.msix = msix
    dev.ctx.instruments.append(msix.entries)
    dev.set_cap_present(dev.cap_present | r.QEMU_PCI_CAP_MSIX)
    log.field(dev.oid, F_CAP, cap, 0)
    log.field(dev.oid, F_ENTRIES_NR, nentries, 0)
    log.field(dev.oid, F_FUNCTION_MASKED, 1, 0)
    msix.mask_all()
    table = memory_region_init(dev, table_addr, "msix-table", nentries * ENTRY_SIZE, MsixTableOps(msix))
    region.add_subregion(0, table)
    pba = memory_region_init(dev, pba_addr, "msix-pba", len(msix.pba), MsixPbaOps(msix))
    region.add_subregion(pba_offset, pba)
    log.leave()
    return True


def msix_uninit(dev: PCIDevice) -> None:
    """msix_uninit_exclusive_bar: the function has no MSI-X any more."""
    msix = dev.msix
    if msix is None:
        return
    msix.unuse_all_vectors()
    msix.entries.drop()
    dev.ctx.instruments.remove(msix.entries)
    log = dev.world.log
    log.field(dev.oid, F_ENABLED, 0, 1 if msix.enabled else 0)
    log.field(dev.oid, F_FUNCTION_MASKED, 0, 1 if msix.function_masked else 0)
    log.field(dev.oid, F_CAP, 0, msix.cap)
    log.field(dev.oid, F_ENTRIES_NR, 0, msix.entries_nr)
    dev.set_cap_present(dev.cap_present & ~r.QEMU_PCI_CAP_MSIX)
    dev.msix = None
