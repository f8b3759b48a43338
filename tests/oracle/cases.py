"""The oracle's data, and which of it tells how QEMU 4.1.0 behaves."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path
from typing import Any

from ringscope_core.conform.static_machine import NEWER_PROPERTIES

FOLDER = Path(__file__).parent


def load(name: str) -> Any:
    """The content of a data file, compressed or not."""
    path = FOLDER / name
    return json.loads(gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes())


def is_of_4_1(config: dict[str, Any]) -> bool:
    """Whether the configuration is one that QEMU 4.1.0 knows, on the board that we have."""
    return config["machine"] == "pc-i440fx-4.1" and not set(NEWER_PROPERTIES) & set(config["props"])


def register_cases() -> list[dict[str, Any]]:
    """Register cases that apply to 4.1 and in which QEMU did not abort."""
    cases: list[dict[str, Any]] = load("registers.json.gz")["cases"]
    return [case for case in cases if is_of_4_1(case["config"]) and case.get("since", "4.1") <= "4.1" and not any(op[0] == "died" for op in case["ops"])]


def full_entries(name: str) -> dict[str, dict[str, Any]]:
    """Entries of a file keyed by option set, ``like`` resolved, of those that are 4.1's."""
    data: dict[str, dict[str, Any]] = load(name)

    def entry(key: str) -> dict[str, Any]:
        found = data[key]
        return {**entry(found["like"]), **found["differs"]} if "like" in found else found

    return {key: value for key, value in ((key, entry(key)) for key in data if key.endswith("@pc-i440fx-4.1")) if is_of_4_1(value["config"])}


_READ = re.compile(r"read bar4\+0x([0-9a-f]+)/(\d+)")
Q_SIZE, Q_ENABLE, Q_NOFF = 0x18, 0x1C, 0x1E


def _enables_oddly(case: dict[str, Any]) -> bool:
    """Whether the case writes something other than 1 to Q_ENABLE: 4.1 enables, 7.2 calls virtio_error."""
    return any(op[0] == "w" and op[1] == 4 and op[2] <= Q_ENABLE < op[2] + op[3] and not (op[2] == Q_ENABLE and op[4] == 1) for op in case["ops"])


def is_known_difference(case: dict[str, Any], text: str) -> bool:
    """Whether a difference that the replayer found is one between 7.2 and 4.1 (facts, sections 5.5, 5.10 and 8)."""
    if " stderr: " in text:
        # 7.2 refuses values other than 1 for Q_ENABLE; 4.1 reports bad legacy writes on stderr where 7.2 logs them
        return "wrong value for queue_enable" in text or "virtio_ioport_write: unexpected address" in text
    read = _READ.search(text)
    if read is not None:
        first, end = int(read[1], 16), int(read[1], 16) + int(read[2])
        # 4.1 takes the size at Q_ENABLE only, and enables for any value
        if first < Q_NOFF and end > Q_SIZE:
            return True
    if " status: " in text or "device_status" in text or "queue_pfn" in text:
        return _enables_oddly(case)
    # 4.1 makes all queue pairs at realize, 7.2 one
    return "common.num_queues" in text and case["config"]["peer"].get("queues", 1) > 1
