"""The oracle's data, and which of it tells how QEMU 4.1.0 behaves."""

from __future__ import annotations

import gzip
import json
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
