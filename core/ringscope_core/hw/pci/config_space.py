"""A function's configuration space: 256 bytes and the masks that say what a guest may write (hw/pci/pci.c)."""

from __future__ import annotations

from typing import final

from mypy_extensions import i64

from ringscope_core.hw.pci import regs as r


@final
class ConfigSpace:
    """`config` with `cmask` (checked on migration), `wmask` (writable), `w1cmask` (write one to clear), `used` (taken by capabilities)."""

    def __init__(self, size: int) -> None:
        self.size: int = size
        self.config: bytearray = bytearray(size)
        self.cmask: bytearray = bytearray(size)
        self.wmask: bytearray = bytearray(size)
        self.w1cmask: bytearray = bytearray(size)
        self.used: bytearray = bytearray(size)

    # -- the device's own access --------------------------------------------------------------------------------------
    def get(self, offset: int, size: int) -> int:
        """A little-endian value of the space, whatever the guest may do there."""
        return int.from_bytes(self.config[offset : offset + size], "little")

    def put(self, offset: int, size: int, value: int) -> None:
        """Store a little-endian value."""
        put_le(self.config, offset, size, value)

    # -- the guest's access -------------------------------------------------------------------------------------------
    def read(self, offset: i64, size: i64) -> i64:
        """What a guest reads; bytes behind the end read as zeros."""
        value: i64 = 0
        n: i64 = 0
        while n < size and offset + n < self.size:
            value |= i64(self.config[offset + n]) << (8 * n)
            n += 1
        return value

    def write(self, offset: i64, size: i64, value: i64) -> None:
        """What a guest writes lands through the masks (pci_default_write_config)."""
        n: i64 = 0
        while n < size and offset + n < self.size:
            at = offset + n
            byte: i64 = value >> (8 * n) & 0xFF
            wmask: i64 = self.wmask[at]
            w1cmask: i64 = self.w1cmask[at]
            old: i64 = self.config[at]
            self.config[at] = ((old & ~wmask) | (byte & wmask)) & ~(byte & w1cmask) & 0xFF
            n += 1

    # -- masks of a plain device --------------------------------------------------------------------------------------
    def init_cmask(self) -> None:
        """pci_init_cmask: what both sides of a migration must agree on."""
        put_le(self.cmask, r.PCI_VENDOR_ID, 2, 0xFFFF)
        put_le(self.cmask, r.PCI_DEVICE_ID, 2, 0xFFFF)
        self.cmask[r.PCI_STATUS] = r.PCI_STATUS_CAP_LIST
        self.cmask[r.PCI_REVISION_ID] = 0xFF
        self.cmask[r.PCI_CLASS_PROG] = 0xFF
        put_le(self.cmask, r.PCI_CLASS_DEVICE, 2, 0xFFFF)
        self.cmask[r.PCI_HEADER_TYPE] = 0xFF
        self.cmask[r.PCI_CAPABILITY_LIST] = 0xFF

    def init_wmask(self, serr: bool) -> None:
        """pci_init_wmask: the command bits, two bytes of the header, and everything behind the header."""
        self.wmask[r.PCI_CACHE_LINE_SIZE] = 0xFF
        self.wmask[r.PCI_INTERRUPT_LINE] = 0xFF
        command = r.PCI_COMMAND_IO | r.PCI_COMMAND_MEMORY | r.PCI_COMMAND_MASTER | r.PCI_COMMAND_INTX_DISABLE
        put_le(self.wmask, r.PCI_COMMAND, 2, command | (r.PCI_COMMAND_SERR if serr else 0))
        self.wmask[r.PCI_CONFIG_HEADER_SIZE :] = b"\xff" * (self.size - r.PCI_CONFIG_HEADER_SIZE)

    def init_w1cmask(self) -> None:
        """pci_init_w1cmask: the error bits of STATUS."""
        put_le(self.w1cmask, r.PCI_STATUS, 2, r.PCI_STATUS_ERRORS)

    # -- capabilities -------------------------------------------------------------------------------------------------
    def find_space(self, size: int) -> int:
        """The first gap of `size` bytes behind the header (pci_find_space), 0 when there is none."""
        start = r.PCI_CONFIG_HEADER_SIZE
        for at in range(start, r.PCI_CONFIG_SPACE_SIZE):
            if self.used[at]:
                start = at + 1
            elif at - start + 1 == size:
                return start
        return 0

    def add_capability(self, cap_id: int, size: int) -> int:
        """Put a capability of `size` bytes at the head of the list, read-only (pci_add_capability); returns its offset.

        Raises AssertionError when there is no room, as QEMU aborts.
        """
        offset = self.find_space(size)
        assert offset, "out of PCI configuration space"
        self.config[offset] = cap_id
        self.config[offset + 1] = self.config[r.PCI_CAPABILITY_LIST]
        self.config[r.PCI_CAPABILITY_LIST] = offset
        self.config[r.PCI_STATUS] |= r.PCI_STATUS_CAP_LIST
        taken = (size + 3) // 4 * 4
        self.used[offset : offset + taken] = b"\xff" * taken
        self.wmask[offset : offset + size] = bytes(size)
        self.cmask[offset : offset + size] = b"\xff" * size
        return offset


def put_le(data: bytearray, offset: int, size: int, value: int) -> None:
    """Store a little-endian value of `size` bytes."""
    data[offset : offset + size] = (value & ((1 << (8 * size)) - 1)).to_bytes(size, "little")


def ranges_overlap(first: i64, length: i64, other: i64, other_length: i64) -> bool:
    """Whether two ranges of bytes share one."""
    return first < other + other_length and other < first + length
