"""Offsets and bits of PCI configuration space (PCI Local Bus 3.0, chapter 6)."""

from __future__ import annotations

from typing import Final

from mypy_extensions import i64

PCI_VENDOR_ID: Final = 0x00
PCI_DEVICE_ID: Final = 0x02
PCI_COMMAND: Final = 0x04
PCI_STATUS: Final = 0x06
PCI_REVISION_ID: Final = 0x08
PCI_CLASS_PROG: Final = 0x09
PCI_CLASS_DEVICE: Final = 0x0A
PCI_CACHE_LINE_SIZE: Final = 0x0C
PCI_HEADER_TYPE: Final = 0x0E
PCI_BASE_ADDRESS_0: Final = 0x10
PCI_SUBSYSTEM_VENDOR_ID: Final = 0x2C
PCI_SUBSYSTEM_ID: Final = 0x2E
PCI_ROM_ADDRESS: Final = 0x30
PCI_CAPABILITY_LIST: Final = 0x34
PCI_ROM_ADDRESS1: Final = 0x38
PCI_INTERRUPT_LINE: Final = 0x3C
PCI_INTERRUPT_PIN: Final = 0x3D
PCI_CONFIG_HEADER_SIZE: Final = 0x40
PCI_CONFIG_SPACE_SIZE: Final = 0x100
PCIE_CONFIG_SPACE_SIZE: Final = 0x1000

PCI_COMMAND_IO: Final = 0x1
PCI_COMMAND_MEMORY: Final = 0x2
PCI_COMMAND_MASTER: Final = 0x4
PCI_COMMAND_SERR: Final = 0x100
PCI_COMMAND_INTX_DISABLE: Final = 0x400

PCI_STATUS_INTERRUPT: Final = 0x08
PCI_STATUS_CAP_LIST: Final = 0x10
PCI_STATUS_ERRORS: Final = 0xF900
"""The error bits, which a guest clears by writing ones."""

PCI_HEADER_TYPE_MULTI_FUNCTION: Final = 0x80

PCI_BASE_ADDRESS_SPACE_IO: Final = 0x1
PCI_BASE_ADDRESS_SPACE_MEMORY: Final = 0x0
PCI_BASE_ADDRESS_MEM_TYPE_64: Final = 0x4
PCI_BASE_ADDRESS_MEM_PREFETCH: Final = 0x8
PCI_ROM_ADDRESS_ENABLE: Final = 0x1
PCI_ROM_SLOT: Final = 6
PCI_NUM_REGIONS: Final = 7
PCI_BAR_UNMAPPED: Final[i64] = -1
"""All ones: the BAR answers nowhere."""

PCI_CLASS_NETWORK_ETHERNET: Final = 0x0200

PCI_CAP_ID_VNDR: Final = 0x09
PCI_CAP_ID_MSIX: Final = 0x11

PCI_FUNC_MAX: Final = 8
PCI_DEVFN_MAX: Final = 256

PCI_ROMSIZE_UNSET: Final = 0xFFFFFFFF
"""As large as the ROM file is."""

# PCIDevice.cap_present
QEMU_PCI_CAP_MSIX: Final = 0x2
QEMU_PCI_CAP_EXPRESS: Final = 0x4
QEMU_PCI_CAP_MULTIFUNCTION_BIT: Final = 3
QEMU_PCI_CAP_MULTIFUNCTION: Final = 1 << 3
QEMU_PCI_CAP_SERR_BIT: Final = 4
QEMU_PCI_CAP_SERR: Final = 1 << 4
QEMU_PCIE_SLTCAP_PCP_BIT: Final = 7
QEMU_PCIE_LNKSTA_DLLLA_BIT: Final = 8
QEMU_PCIE_EXTCAP_INIT_BIT: Final = 9

PCI_VENDOR_ID_REDHAT_QUMRANET: Final = 0x1AF4
PCI_SUBVENDOR_ID_REDHAT_QUMRANET: Final = 0x1AF4
PCI_SUBDEVICE_ID_QEMU: Final = 0x1100


def pci_slot(devfn: i64) -> i64:
    """Slot of a devfn."""
    return devfn >> 3 & 0x1F


def pci_func(devfn: i64) -> i64:
    """Function of a devfn."""
    return devfn & 7
