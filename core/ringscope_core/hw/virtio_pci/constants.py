"""Numbers of the virtio-pci transport (virtio 1.x, 4.1; hw/virtio/virtio-pci.h)."""

from __future__ import annotations

from typing import Final

from mypy_extensions import i64

# VirtIOPCIProxy.flags, by bit
BUS_MASTER_BUG_MIGRATION_BIT: Final = 0
USE_IOEVENTFD_BIT: Final = 1
MIGRATE_EXTRA_BIT: Final = 2
MODERN_PIO_NOTIFY_BIT: Final = 3
DISABLE_PCIE_BIT: Final = 4
PAGE_PER_VQ_BIT: Final = 5
ATS_BIT: Final = 6
INIT_DEVERR_BIT: Final = 7
INIT_LNKCTL_BIT: Final = 8
INIT_PM_BIT: Final = 9
INIT_FLR_BIT: Final = 10
AER_BIT: Final = 11
ATS_PAGE_ALIGNED_BIT: Final = 12

DEV_NVECTORS_UNSPECIFIED: Final = 0xFFFFFFFF
"""7.2's default of ``vectors``: as many as the device can use."""

# BARs
LEGACY_IO_BAR: Final = 0
MSIX_BAR: Final = 1
MODERN_IO_BAR: Final = 2
MODERN_MEM_BAR: Final = 4

# cfg_type of the vendor capabilities
CAP_COMMON_CFG: Final = 1
CAP_NOTIFY_CFG: Final = 2
CAP_ISR_CFG: Final = 3
CAP_DEVICE_CFG: Final = 4
CAP_PCI_CFG: Final = 5

REGION_SIZE: Final = 0x1000
NOTIFY_MULT: Final = 4
PAGE_PER_VQ_MULT: Final = 0x1000

# common configuration structure
COMMON_DFSELECT: Final[i64] = 0
COMMON_DF: Final[i64] = 4
COMMON_GFSELECT: Final[i64] = 8
COMMON_GF: Final[i64] = 12
COMMON_MSIX: Final[i64] = 16
COMMON_NUMQ: Final[i64] = 18
COMMON_STATUS: Final[i64] = 20
COMMON_CFGGENERATION: Final[i64] = 21
COMMON_Q_SELECT: Final[i64] = 22
COMMON_Q_SIZE: Final[i64] = 24
COMMON_Q_MSIX: Final[i64] = 26
COMMON_Q_ENABLE: Final[i64] = 28
COMMON_Q_NOFF: Final[i64] = 30
COMMON_Q_DESCLO: Final[i64] = 32
COMMON_Q_DESCHI: Final[i64] = 36
COMMON_Q_AVAILLO: Final[i64] = 40
COMMON_Q_AVAILHI: Final[i64] = 44
COMMON_Q_USEDLO: Final[i64] = 48
COMMON_Q_USEDHI: Final[i64] = 52
COMMON_Q_RESET: Final[i64] = 58

# legacy registers
LEGACY_HOST_FEATURES: Final[i64] = 0
LEGACY_GUEST_FEATURES: Final[i64] = 4
LEGACY_QUEUE_PFN: Final[i64] = 8
LEGACY_QUEUE_NUM: Final[i64] = 12
LEGACY_QUEUE_SEL: Final[i64] = 14
LEGACY_QUEUE_NOTIFY: Final[i64] = 16
LEGACY_STATUS: Final[i64] = 18
LEGACY_ISR: Final[i64] = 19
LEGACY_MSI_CONFIG_VECTOR: Final[i64] = 20
LEGACY_MSI_QUEUE_VECTOR: Final[i64] = 22
LEGACY_CONFIG_OFF: Final[i64] = 20
LEGACY_CONFIG_OFF_MSIX: Final[i64] = 24
QUEUE_ADDR_SHIFT: Final[i64] = 12

BAD_FEATURE_BIT: Final[i64] = 30
VERSION_1_BIT: Final[i64] = 32
IOMMU_PLATFORM_BIT: Final[i64] = 33

STATUS_ACKNOWLEDGE: Final[i64] = 1
STATUS_DRIVER: Final[i64] = 2
STATUS_DRIVER_OK: Final[i64] = 4

# where things lie inside struct VirtIOPCIProxy
OFFSET_BAR: Final = 2272
OFFSET_COMMON: Final = 2512
OFFSET_ISR: Final = 2768
OFFSET_DEVICE: Final = 3024
OFFSET_NOTIFY: Final = 3280
OFFSET_NOTIFY_PIO: Final = 3536
OFFSET_MODERN_BAR: Final = 3792
OFFSET_IO_BAR: Final = 4032
OFFSET_BUS: Final = 33016
OFFSET_VDEV: Final = 33136
"""In struct VirtIONetPCI: right behind the proxy."""
OFFSET_MSIX_BAR: Final = 1184
OFFSET_MSIX_TABLE: Final = 1424
OFFSET_MSIX_PBA: Final = 1664
