"""The scenarios that ship with Ringscope."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from ringscope_core.scenario.resources import resource_root

SHIPPED: Final = (
    "default",
    "realize",
    "ping",
    "udp-echo",
    "bulk-tx",
    "bulk-rx",
    "pcap-replay",
    "multiqueue",
    "legacy",
    "packed",
    "offloads",
    "rss",
    "virtio-user",
    "recovery",
    "bad-option",
)
"""Names, in the order lists show them."""


def shipped_path(name: str) -> Path:
    """The file of shipped scenario `name`."""
    return resource_root() / "scenarios" / f"{name}.toml"
