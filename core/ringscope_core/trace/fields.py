"""The fields that events and keyframes speak of: ``Struct.field`` of QEMU's structures, and a few of our own.

A field's id is its place in one list that does not depend on import order, so two runs record the same numbers.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from mypy_extensions import i64

from ringscope_core.trace.structs import STRUCTS

EXTRA_FIELDS: Final = (
    # nested or derived places inside QEMU's structures
    "VirtIONet.mac_table.in_use",
    "VirtIONet.mac_table.first_multi",
    "VirtIONet.mac_table.multi_overflow",
    "VirtIONet.mac_table.uni_overflow",
    "VirtIONet.mac_table.macs",
    "VirtIONet.vlans",
    "VirtIONet.mac",
    "PCIDevice.config",
    "PCIDevice.config.command",
    "PCIDevice.config.status",
    "PCIDevice.bar0",
    "PCIDevice.bar1",
    "PCIDevice.bar2",
    "PCIDevice.bar3",
    "PCIDevice.bar4",
    "PCIDevice.bar5",
    "PCIDevice.bar6",
    "PCIDevice.msix.enabled",
    "PCIDevice.msix.function_masked",
    "MSIXEntry.address",
    "MSIXEntry.data",
    "MSIXEntry.masked",
    "MSIXEntry.pending",
    "MSIXEntry.used",
    # the driver's side of a ring, in the words of Linux's virtio_ring.c
    "vring_virtqueue.num",
    "vring_virtqueue.num_free",
    "vring_virtqueue.free_head",
    "vring_virtqueue.num_added",
    "vring_virtqueue.last_used_idx",
    "vring_virtqueue.avail_flags_shadow",
    "vring_virtqueue.avail_idx_shadow",
    "vring_virtqueue.event",
    "vring_virtqueue.indirect",
    # the driver
    "virtio_device.driver_state",
    "virtnet_info.curr_queue_pairs",
    "virtnet_info.status",
    "send_queue.stopped",
    "receive_queue.filled",
    "receive_queue.napi_scheduled",
    "send_queue.napi_scheduled",
    "driver.features",
    "driver.mac",
    "driver.mtu",
    # what 7.2 has beside 4.1's structures; new names go to the end, so that ids stay
    "VirtQueue.last_avail_wrap_counter",
    "VirtQueue.shadow_avail_wrap_counter",
    "VirtQueue.used_wrap_counter",
    "VirtIOPCIQueue.reset",
    "vring_virtqueue.packed",
    "vring_virtqueue.next_avail_idx",
    "vring_virtqueue.avail_wrap_counter",
    "vring_virtqueue.used_wrap_counter",
    "vring_virtqueue.event_flags_shadow",
    "VirtIODevice.disabled",
    "VirtIODevice.use_disabled_flag",
    "VirtIONet.rss_data.enabled",
    "VirtIONet.rss_data.redirect",
    "VirtIONet.rss_data.populate_hash",
    "VirtIONet.rss_data.hash_types",
    "VirtIONet.rss_data.key",
    "VirtIONet.rss_data.indirections_table",
    "VirtIONet.rss_data.default_queue",
    "VirtIODevice.disable_legacy_check",
    "PCIDevice.romsize",
    "PCIDevice.failover_pair_id",
    "PCIDevice.acpi_index",
    "VirtIONet.failover",
    "virtnet_info.speed",
    "virtnet_info.duplex",
    "driver.resets",
    "driver.recoveries",
)


class FieldSpec(NamedTuple):
    """A field: its id, its structure, its name inside it, its C type ("" for ours), its offset in bytes (-1 unknown)."""

    number: int
    struct: str
    name: str
    ctype: str
    offset: int
    unit: str


def _all_fields() -> list[tuple[str, str, str, int]]:
    rows: list[tuple[str, str, str, int]] = []
    for struct in sorted(STRUCTS):
        rows.extend((struct, name, ctype, offset) for offset, name, ctype in STRUCTS[struct][2])
    known = {f"{struct}.{name}" for struct, name, _, _ in rows}
    for full in EXTRA_FIELDS:
        if full not in known:
            struct, name = full.split(".", 1)
            rows.append((struct, name, "", -1))
    return rows


_ROWS: Final[list[tuple[str, str, str, int]]] = _all_fields()
_IDS: Final[dict[str, int]] = {f"{struct}.{name}": number for number, (struct, name, _, _) in enumerate(_ROWS)}
_UNITS: Final[dict[int, str]] = {}


def field(name: str, unit: str = "") -> i64:
    """The id of the field ``Struct.field``; `unit` (see `kinds.ArgSpec`) says how to print it.

    Raises KeyError for a field that neither QEMU's structures nor `EXTRA_FIELDS` have.
    """
    number = _IDS[name]
    if unit:
        _UNITS[number] = unit
    return number


def field_table() -> dict[int, FieldSpec]:
    """Every field by id, with the units declared so far."""
    return {number: FieldSpec(number, struct, name, ctype, offset, _UNITS.get(number, "")) for number, (struct, name, ctype, offset) in enumerate(_ROWS)}
