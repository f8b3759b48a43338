"""PCI Express capabilities of a function: endpoint, power management, AER, ATS, function level reset (hw/pci/pcie.c, hw/pci/pcie_aer.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ringscope_core.hw.pci import regs as r
from ringscope_core.hw.pci.config_space import put_le

if TYPE_CHECKING:
    from ringscope_core.hw.pci.device import PCIDevice


PCI_CAP_ID_PM: Final = 0x01
PCI_CAP_ID_EXP: Final = 0x10
PCI_EXT_CAP_ID_ERR: Final = 0x01
PCI_EXT_CAP_ID_ATS: Final = 0x0F

# PCI Express capability (PCI Express 3.0, 7.8), offsets from its start
EXP_SIZE: Final = 0x3C
EXP_FLAGS: Final = 0x02
EXP_DEVCAP: Final = 0x04
EXP_DEVCTL: Final = 0x08
EXP_DEVSTA: Final = 0x0A
EXP_LNKCAP: Final = 0x0C
EXP_LNKCTL: Final = 0x10
EXP_LNKSTA: Final = 0x12
EXP_DEVCAP2: Final = 0x24
EXP_DEVCTL2: Final = 0x28

EXP_VERSION_2: Final = 2
DEVCAP_RBER: Final = 0x8000
DEVCAP_FLR: Final = 1 << 28
DEVCTL_ERRORS: Final = 0x000F
"""Reporting of correctable, non-fatal and fatal errors and of unsupported requests."""
DEVCTL_FLR: Final = 0x8000
DEVSTA_ERRORS: Final = 0x000F
LNKCAP_ONE_LANE: Final = 0x0411
"""2.5 GT/s, one lane, ASPM L0s."""
LNKCTL_INIT: Final = 0x00C0
"""Common clock, extended synch."""
LNKSTA_ONE_LANE: Final = 0x0011
DEVCAP2_INIT: Final = 0x300000
DEVCTL2_EETLPPB: Final = 0x8000

# power management (PCI Power Management 1.2)
PM_SIZE: Final = 8
PM_PMC: Final = 2
PM_CTRL: Final = 4
PM_PMC_INIT: Final = 3
PM_CTRL_STATE: Final = 3

# advanced error reporting (PCI Express 3.0, 7.10)
ERR_VER: Final = 2
ERR_SIZE: Final = 0x48
ERR_UNCOR_STATUS: Final = 0x04
ERR_UNCOR_SEVER: Final = 0x0C
ERR_COR_STATUS: Final = 0x10
ERR_COR_MASK: Final = 0x14
ERR_CAP: Final = 0x18
UNC_SUPPORTED: Final = 0x03FFF030
UNC_SEVERITY_DEFAULT: Final = 0x00462030
COR_SUPPORTED: Final = 0xF1C1
COR_MASK_DEFAULT: Final = 0xE000
ERR_CAP_INIT: Final = 0xA0
ERR_CAP_WMASK: Final = 0x140
ERR_CAP_LOGS: Final = 0x200
ERR_CAP_LOGS_WMASK: Final = 0x400
"""More when errors are logged in a queue (``aer_log_max``)."""

# address translation services
ATS_VER: Final = 1
ATS_SIZE: Final = 8
ATS_CAP: Final = 4
ATS_CTRL: Final = 6
ATS_PAGE_ALIGNED: Final = 0x20
ATS_CTRL_WMASK: Final = 0x800F


def pcie_cap_init(pci: PCIDevice, flags: int) -> int:
    """pcie_cap_init: a version 2 capability with `flags` (port type, slot), the extended list's head left empty; returns where it lies."""
    space = pci.space
    pos = pci.add_capability(PCI_CAP_ID_EXP, EXP_SIZE)
    pci.exp_cap = pos
    space.put(pos + EXP_FLAGS, 2, EXP_VERSION_2 | flags)
    space.put(pos + EXP_DEVCAP, 4, DEVCAP_RBER)
    space.put(pos + EXP_LNKCAP, 4, LNKCAP_ONE_LANE)
    space.put(pos + EXP_LNKSTA, 2, LNKSTA_ONE_LANE)
    space.put(pos + EXP_DEVCAP2, 4, DEVCAP2_INIT)
    put_le(space.wmask, pos + EXP_DEVCTL2, 2, DEVCTL2_EETLPPB)
    if pci.cap_present >> r.QEMU_PCIE_EXTCAP_INIT_BIT & 1:
        # reads as an empty extended capability
        put_le(space.wmask, r.PCI_CONFIG_SPACE_SIZE, 4, 0)
    return pos


def pcie_endpoint_cap_init(pci: PCIDevice) -> int:
    """pcie_endpoint_cap_init."""
    return pcie_cap_init(pci, 0)


def pcie_cap_deverr_init(pci: PCIDevice) -> None:
    """Error reporting may be switched, errors are cleared by writing ones."""
    put_le(pci.space.wmask, pci.exp_cap + EXP_DEVCTL, 2, DEVCTL_ERRORS)
    put_le(pci.space.w1cmask, pci.exp_cap + EXP_DEVSTA, 2, DEVSTA_ERRORS)


def pcie_cap_lnkctl_init(pci: PCIDevice) -> None:
    """A driver may say how the link runs."""
    put_le(pci.space.wmask, pci.exp_cap + EXP_LNKCTL, 2, LNKCTL_INIT)


def pci_pm_init(pci: PCIDevice) -> int:
    """The power management capability; its state stays read-only until `pci_pm_ctrl_init`."""
    pos = pci.add_capability(PCI_CAP_ID_PM, PM_SIZE)
    pci.pm_cap = pos
    pci.space.put(pos + PM_PMC, 2, PM_PMC_INIT)
    return pos


def pci_pm_ctrl_init(pci: PCIDevice) -> None:
    """A driver may choose the power state."""
    put_le(pci.space.wmask, pci.pm_cap + PM_CTRL, 2, PM_CTRL_STATE)


# -- extended capabilities --------------------------------------------------------------------------------------------
def pcie_add_capability(pci: PCIDevice, cap_id: int, version: int, offset: int, size: int) -> None:
    """pcie_add_capability: at the end of the extended list, read-only."""
    space = pci.space
    if offset != r.PCI_CONFIG_SPACE_SIZE:
        last = r.PCI_CONFIG_SPACE_SIZE
        while space.get(last, 4) >> 20:
            last = space.get(last, 4) >> 20
        space.put(last, 4, space.get(last, 4) & 0xFFFFF | offset << 20)
    space.put(offset, 4, cap_id | version << 16)
    space.wmask[offset : offset + size] = bytes(size)
    space.w1cmask[offset : offset + size] = bytes(size)
    space.cmask[offset : offset + size] = b"\xff" * size


def pcie_aer_init(pci: PCIDevice, offset: int, logs: int = 0) -> int:
    """pcie_aer_init; returns where the next extended capability may start."""
    pcie_add_capability(pci, PCI_EXT_CAP_ID_ERR, ERR_VER, offset, ERR_SIZE)
    space = pci.space
    put_le(space.w1cmask, offset + ERR_UNCOR_STATUS, 4, UNC_SUPPORTED)
    space.put(offset + ERR_UNCOR_SEVER, 4, UNC_SEVERITY_DEFAULT)
    put_le(space.wmask, offset + ERR_UNCOR_SEVER, 4, UNC_SUPPORTED)
    put_le(space.w1cmask, offset + ERR_COR_STATUS, 4, COR_SUPPORTED)
    space.put(offset + ERR_COR_MASK, 4, COR_MASK_DEFAULT)
    put_le(space.wmask, offset + ERR_COR_MASK, 4, COR_SUPPORTED)
    space.put(offset + ERR_CAP, 4, ERR_CAP_INIT | (ERR_CAP_LOGS if logs else 0))
    put_le(space.wmask, offset + ERR_CAP, 4, ERR_CAP_WMASK | (ERR_CAP_LOGS_WMASK if logs else 0))
    return offset + ERR_SIZE


def pcie_ats_init(pci: PCIDevice, offset: int, aligned: bool) -> int:
    """pcie_ats_init; returns where the next extended capability may start."""
    pcie_add_capability(pci, PCI_EXT_CAP_ID_ATS, ATS_VER, offset, ATS_SIZE)
    pci.space.put(offset + ATS_CAP, 2, ATS_PAGE_ALIGNED if aligned else 0)
    put_le(pci.space.wmask, offset + ATS_CTRL, 2, ATS_CTRL_WMASK)
    return offset + ATS_SIZE


# -- resets -----------------------------------------------------------------------------------------------------------
def pcie_cap_flr_init(pci: PCIDevice) -> None:
    """pcie_cap_flr_init: a driver may reset the function alone."""
    space = pci.space
    at = pci.exp_cap + EXP_DEVCAP
    space.put(at, 4, space.get(at, 4) | DEVCAP_FLR)
    at = pci.exp_cap + EXP_DEVCTL
    put_le(space.wmask, at, 2, int.from_bytes(space.wmask[at : at + 2], "little") | DEVCTL_FLR)


def pcie_flr_wanted(pci: PCIDevice) -> bool:
    """Whether the driver has just asked for a function level reset (pcie_cap_flr_write_config)."""
    return pci.exp_cap != 0 and pci.space.get(pci.exp_cap + EXP_DEVCTL, 2) & DEVCTL_FLR != 0


def pcie_flr_done(pci: PCIDevice) -> None:
    """The request is gone."""
    at = pci.exp_cap + EXP_DEVCTL
    pci.space.put(at, 2, pci.space.get(at, 2) & ~DEVCTL_FLR)


def pcie_reset_registers(pci: PCIDevice) -> None:
    """pcie_cap_deverr_reset, pcie_cap_lnkctl_reset, and the power state: what a proxy on an express port does at reset."""
    if not pci.exp_cap:
        return
    space = pci.space
    at = pci.exp_cap + EXP_DEVCTL
    space.put(at, 2, space.get(at, 2) & ~DEVCTL_ERRORS)
    at = pci.exp_cap + EXP_LNKCTL
    space.put(at, 2, space.get(at, 2) & ~LNKCTL_INIT)
    if pci.pm_cap:
        space.put(pci.pm_cap + PM_CTRL, 2, 0)
