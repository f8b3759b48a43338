"""Names of registers, for reading a case."""

from __future__ import annotations

from typing import Final

COMMON: Final = {
    0x00: "device_feature_select",
    0x04: "device_feature",
    0x08: "driver_feature_select",
    0x0C: "driver_feature",
    0x10: "config_msix_vector",
    0x12: "num_queues",
    0x14: "device_status",
    0x15: "config_generation",
    0x16: "queue_select",
    0x18: "queue_size",
    0x1A: "queue_msix_vector",
    0x1C: "queue_enable",
    0x1E: "queue_notify_off",
    0x20: "queue_desc_lo",
    0x24: "queue_desc_hi",
    0x28: "queue_driver_lo",
    0x2C: "queue_driver_hi",
    0x30: "queue_device_lo",
    0x34: "queue_device_hi",
    0x38: "queue_notify_data",
    0x3A: "queue_reset",
}
"""The common configuration structure (virtio 1.x, 4.1.4.3)."""
LEGACY: Final = {
    0x00: "host_features",
    0x04: "guest_features",
    0x08: "queue_pfn",
    0x0C: "queue_num",
    0x0E: "queue_sel",
    0x10: "queue_notify",
    0x12: "status",
    0x13: "isr",
    0x14: "config_vector",
    0x16: "queue_vector",
}
"""The legacy I/O BAR (virtio 0.9.5)."""
PCI_CONFIG: Final = {0x00: "vendor", 0x02: "device", 0x04: "command", 0x06: "status", 0x34: "capabilities", 0x3C: "interrupt_line"}
COMMON_END: Final = 0x3C


def register_name(bar: int, offset: int, given: str = "") -> str:
    """What is at `offset` of a BAR, "" when that is not known; a name from the case goes first."""
    if given:
        return given
    if bar == 0:
        return f"legacy.{LEGACY[offset]}" if offset in LEGACY else ""
    if bar == 1:
        return f"msix[{offset >> 4}].{('address', 'address_hi', 'data', 'control')[offset >> 2 & 3]}" if offset < 0x800 else "msix.pba"
    if bar == 4:
        if offset < COMMON_END:
            return f"common.{COMMON[offset]}" if offset in COMMON else "common"
        return {1: "isr", 2: "device"}.get(offset >> 12, f"notify.{(offset - 0x3000) >> 2}" if offset >= 0x3000 else "")
    return "notify (i/o)" if bar == 2 else ""
