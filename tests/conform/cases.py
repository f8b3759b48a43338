"""Small cases written for tests: a device on a fresh machine, and what it answers."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

CONFIG = {
    "machine": "pc-i440fx-4.1",
    "device": "virtio-net-pci",
    "props": {"romfile": "", "ioeventfd": "off"},
    "peer": {"kind": "stream"},
    "ram": 2 << 20,
}


def case(ops: list[Any], ident: str = "t-0", **more: Any) -> dict[str, Any]:
    """A case in the form of a file."""
    return {
        "id": ident,
        "family": "test",
        "title": "made for a test",
        "config": CONFIG,
        "isr_at": [4, 4096],
        "status_at": [4, 20],
        "ops": ops,
        "final": {},
    } | more


GOOD = [
    ["r", 4, 0x14, 1, 0, "common.device_status"],
    ["w", 4, 0x14, 1, 1, "common.device_status"],
    ["r", 4, 0x14, 1, 1, "common.device_status"],
    ["cr", 0, 2, 0x1AF4],
    ["mw", 0x10000, "0102"],
    ["mr", 0x10000, 2, "0102"],
    ["check", {"mem": [], "tx": [], "intx": 0, "isr": 0, "status": 1, "gen": 0}],
]
"""A sequence that agrees."""
WRONG = [["w", 4, 0x14, 1, 1], ["r", 4, 0x14, 1, 3, "common.device_status"], ["check", {"mem": [[0x20000, "aa"]], "intx": 0, "status": 1}]]
"""A sequence with two answers that no device gives."""


def write(path: Path, *cases: dict[str, Any], qemu: str = "7.2.22") -> Path:
    """A case file whose form follows its name."""
    head = {"format": "oracle-test-1", "qemu": qemu}
    if ".jsonl" in path.name:
        text = "\n".join(json.dumps(one) for one in [head, *cases]) + "\n"
    else:
        text = json.dumps({"head": head, "cases": list(cases)})
    data = text.encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path
