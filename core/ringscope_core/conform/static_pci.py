"""Configuration space, capabilities, BARs, features and registers of a device as a guest finds them, compared with a real QEMU's."""

from __future__ import annotations

from typing import Any, Final

from ringscope_core.conform.outcome import Outcome
from ringscope_core.conform.static_compare import Comparer, placed_entry
from ringscope_core.conform.static_machine import CannotMake, StaticMachine
from ringscope_core.qom.profile import PROFILE_4_1

PCI_CAP_VENDOR: Final = 0x09
PCI_CAP_MSIX: Final = 0x11
CAP_NOTIFY: Final = 2
MAX_CAPS: Final = 48
EXTENDED_START: Final = 0x100
LEGACY_ISR: Final = 19
QUEUE_REGISTERS: Final = {
    "queue_size": (0x18, 2),
    "queue_msix_vector": (0x1A, 2),
    "queue_enable": (0x1C, 2),
    "queue_notify_off": (0x1E, 2),
    "queue_desc_lo": (0x20, 4),
    "queue_desc_hi": (0x24, 4),
    "queue_driver_lo": (0x28, 4),
    "queue_driver_hi": (0x2C, 4),
    "queue_device_lo": (0x30, 4),
    "queue_device_hi": (0x34, 4),
    "queue_notify_data": (0x38, 2),
    "queue_reset": (0x3A, 2),
}
COMMON_REGISTERS: Final = {
    "device_feature_select": (0x00, 4),
    "device_feature": (0x04, 4),
    "driver_feature_select": (0x08, 4),
    "driver_feature": (0x0C, 4),
    "config_msix_vector": (0x10, 2),
    "num_queues": (0x12, 2),
    "device_status": (0x14, 1),
    "config_generation": (0x15, 1),
    "queue_select": (0x16, 2),
}


def recognize(data: Any) -> bool:
    """Entries by name, the whole ones with a configuration and a configuration space."""
    return isinstance(data, dict) and any(
        isinstance(entry, dict) and "config" in entry and ("config_space_at_reset" in entry or "write_masks" in entry) for entry in data.values()
    )


def cases(data: Any) -> list[str]:
    """A case for each entry."""
    return list(data)


def run(data: Any, case_id: str, profile: str) -> Outcome:
    """Make the machine, do what the recorder did, compare."""
    comparer = Comparer(case_id)
    try:
        entry = placed_entry(data, case_id)
    except ValueError as error:
        comparer.equal("entry", "one that can be resolved", str(error))
        return comparer.outcome
    try:
        guest = Guest(StaticMachine(entry, profile), entry, profile)
        masks = StaticMachine(entry, profile) if "write_masks" in entry else None
    except CannotMake as error:
        return comparer.skip(str(error))
    guest.compare(comparer)
    if masks is not None:
        masks.setup_bridge()
        _write_masks(comparer, masks, entry["write_masks"])
    return comparer.outcome


def capability_list(config: bytes) -> list[tuple[int, int]]:
    """Place and id of each capability, in the order of the list."""
    found: list[tuple[int, int]] = []
    at = config[0x34] if config[6] & 0x10 else 0
    while at and len(found) < MAX_CAPS and all(at != place for place, _ in found):
        found.append((at, config[at]))
        at = config[at + 1]
    return found


def virtio_caps(config: bytes) -> dict[str, dict[str, int]]:
    """The vendor capabilities by type, the first of each."""
    found: dict[str, dict[str, int]] = {}
    for at, cap_id in capability_list(config):
        if cap_id == PCI_CAP_VENDOR:
            kind = config[at + 3]
            cap = {
                "pos": at,
                "bar": config[at + 4],
                "offset": int.from_bytes(config[at + 8 : at + 12], "little"),
                "length": int.from_bytes(config[at + 12 : at + 16], "little"),
                "cap_len": config[at + 2],
            }
            if kind == CAP_NOTIFY:
                cap["multiplier"] = int.from_bytes(config[at + 16 : at + 20], "little")
            found.setdefault(str(kind), cap)
    return found


def msix_of(config: bytes) -> dict[str, int] | None:
    """Where table and pending bits lie."""
    for at, cap_id in capability_list(config):
        if cap_id == PCI_CAP_MSIX:
            flags = int.from_bytes(config[at + 2 : at + 4], "little")
            table, pba = (int.from_bytes(config[at + skip : at + skip + 4], "little") for skip in (4, 8))
            return {"pos": at, "vectors": (flags & 0x7FF) + 1, "table_bar": table & 7, "table": table & ~7, "pba_bar": pba & 7, "pba": pba & ~7}
    return None


def extended_list(config: bytes) -> list[dict[str, int]]:
    """The extended capabilities; a place that reads as ones leads nowhere."""
    found: list[dict[str, int]] = []
    at = EXTENDED_START
    while EXTENDED_START <= at < len(config) and len(found) < MAX_CAPS and all(at != cap["pos"] for cap in found):
        header = int.from_bytes(config[at : at + 4], "little")
        if header == 0:
            break
        found.append({"pos": at, "id": header & 0xFFFF, "version": header >> 16 & 0xF})
        at = header >> 20
    return found


class Guest:
    """Looks at the device as the recorder did."""

    def __init__(self, machine: StaticMachine, entry: dict[str, Any], profile: str) -> None:
        self.machine: StaticMachine = machine
        self.entry: dict[str, Any] = entry
        self.v7_2: bool = profile != PROFILE_4_1

    def compare(self, comparer: Comparer) -> None:
        """Everything of the entry but the write masks, in the recorder's order."""
        machine, entry = self.machine, self.entry
        machine.setup_bridge()
        size = len(entry.get("config_space_at_reset", "")) // 2 or 256
        at_reset = machine.dump(size)
        bars = machine.probe()
        config = machine.dump(size)
        if "config_space_at_reset" in entry:
            _compare_bytes(comparer, "config_space_at_reset", bytes.fromhex(entry["config_space_at_reset"]), at_reset)
        if "config_space_after_probe" in entry:
            _compare_bytes(comparer, "config_space_after_probe", bytes.fromhex(entry["config_space_after_probe"]), config)
        if "capability_list" in entry:
            comparer.equal("capability_list", entry["capability_list"], [{"pos": at, "id": cap_id} for at, cap_id in capability_list(config)])
        if "extended_capability_list" in entry:
            self._extended(comparer, entry["extended_capability_list"], config)
        if "virtio_caps" in entry:
            comparer.members("virtio_caps", entry["virtio_caps"], virtio_caps(config))
        if "msix" in entry:
            comparer.equal("msix", entry["msix"], msix_of(config))
        if "bars" in entry:
            ours = {str(number): {"kind": kind, "address": base, "size": length} for number, (kind, base, length) in bars.items()}
            comparer.members("bars", entry["bars"], ours)
        if "0" in entry.get("bars", {}) and 0 in machine.bars:
            self._legacy(comparer)
        if "4" in entry.get("bars", {}) and 4 in machine.bars:
            self._modern(comparer)
        if "msix_table_head" in entry and 1 in machine.bars:
            rows = [[machine.bar_read(1, 16 * row + 4 * word, 4) for word in range(4)] for row in range(len(entry["msix_table_head"]))]
            comparer.equal("msix_table_head", entry["msix_table_head"], rows)

    def _extended(self, comparer: Comparer, recorded: list[dict[str, int]], config: bytes) -> None:
        """A space that reads as ones has no list: what the recorder made of it is left out on both sides."""
        expected = [cap for cap in recorded if cap["id"] != 0xFFFF and cap["pos"] % 4 == 0]
        ours = [cap for cap in extended_list(config) if cap["id"] != 0xFFFF and cap["pos"] % 4 == 0]
        comparer.equal("extended_capability_list", expected, ours)

    def _modern(self, comparer: Comparer) -> None:
        machine, entry = self.machine, self.entry
        common = virtio_caps(machine.dump(256)).get("1", {"offset": 0})["offset"]

        def read(name: str, registers: dict[str, tuple[int, int]]) -> int:
            offset, size = registers[name]
            return machine.bar_read(4, common + offset, size)

        words = []
        for select in (0, 1):
            machine.bar_write(4, common, 4, select)
            words.append(read("device_feature", COMMON_REGISTERS))
        if "device_features" in entry:
            comparer.equal("device_features", entry["device_features"], f"{words[0] | words[1] << 32:#018x}")
        queues = machine.bar_read(4, common + 0x12, 2)
        several = entry["config"]["peer"].get("queues", 1) > 1
        # 4.1 makes every pair at realize, 7.2 one
        if "num_queues" in entry and (self.v7_2 or not several):
            comparer.equal("num_queues", entry["num_queues"], queues)
        if "common" in entry:
            expected = dict(entry["common"])
            if not self.v7_2 and several:
                expected["num_queues"] = queues
            comparer.members("common", expected, {name: read(name, COMMON_REGISTERS) for name in entry["common"] if name in COMMON_REGISTERS})
        if "device_cfg" in entry:
            recorded = bytes.fromhex(entry["device_cfg"])
            device = virtio_caps(machine.dump(256)).get("4", {"offset": 0x2000})["offset"]
            _compare_bytes(comparer, "device_cfg", recorded, bytes(machine.bar_read(4, device + at, 1) for at in range(len(recorded))))
        rows: list[dict[str, int]] = entry.get("queues", [])
        for number, row in enumerate(rows):
            if not self.v7_2 and several and number >= 2:
                break
            machine.bar_write(4, common + 0x16, 2, number)
            comparer.members(f"queues {number}", row, {name: read(name, QUEUE_REGISTERS) for name in row if name in QUEUE_REGISTERS})

    def _legacy(self, comparer: Comparer) -> None:
        machine, entry = self.machine, self.entry
        if "legacy_io" in entry:
            # the ISR is left out: reading it takes what is there
            size = machine.device().io_regions[0].size
            ours = bytes(machine.bar_read(0, at, 1) for at in range(int(size)) if at != LEGACY_ISR)
            _compare_bytes(comparer, "legacy_io", bytes.fromhex(entry["legacy_io"]), ours)
        if "legacy_host_features" in entry:
            comparer.equal("legacy_host_features", entry["legacy_host_features"], f"{machine.bar_read(0, 0, 4):#010x}")
        if "legacy_queue_num" in entry:
            sizes: list[int] = []
            for number in range(len(entry["legacy_queue_num"])):
                machine.bar_write(0, 0x0E, 2, number)
                sizes.append(machine.bar_read(0, 0x0C, 2))
            if self.v7_2 or entry["config"]["peer"].get("queues", 1) == 1:
                comparer.equal("legacy_queue_num", entry["legacy_queue_num"], sizes)


def _write_masks(comparer: Comparer, machine: StaticMachine, recorded: dict[str, Any]) -> None:
    """What each dword reads after ones, after zeros and after its first value were written."""
    initial = bytes.fromhex(recorded["initial"])
    skipped = set(recorded.get("not_written", ()))
    found = {"initial": machine.dump(len(initial)), "after_ones": b"", "after_zero": b"", "after_restore": b""}
    for at in range(0, len(initial), 4):
        value = int.from_bytes(initial[at : at + 4], "little")
        for name, written in (("after_ones", 0xFFFFFFFF), ("after_zero", 0), ("after_restore", value)):
            if at not in skipped:
                machine.cfg_write(at, 4, written)
            found[name] += machine.cfg_read(at, 4).to_bytes(4, "little")
    for name, ours in found.items():
        if name in recorded:
            expected = bytes.fromhex(recorded[name])
            _compare_bytes(comparer, f"write_masks {name}", expected, ours)


def _compare_bytes(comparer: Comparer, where: str, expected: bytes, got: bytes) -> None:
    """Byte strings, by the dwords that differ."""
    if expected == got:
        return
    if len(expected) != len(got):
        comparer.equal(f"{where} length", len(expected), len(got))
    for at in range(0, min(len(expected), len(got)), 4):
        left, right = expected[at : at + 4], got[at : at + 4]
        if left != right:
            comparer.equal(f"{where} at {at:#x}", left.hex(), right.hex())
