"""The monitor's queries about the machine that need no word of their own here: PCI, virtio, and the texts of the human monitor."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from ringscope_core.hw import monitor, monitor_pci, monitor_virtio
from ringscope_core.hw.machine import Machine
from ringscope_core.net.backends import info_network

Query = Callable[[Machine, dict[str, Any]], object]

QUERIES: Final[dict[str, tuple[str, Query]]] = {
    "query-pci": ("", lambda machine, _: monitor_pci.query_pci(machine.pci_bus)),
}
"""Parameters and what answers, by command."""
NEWER_QUERIES: Final[dict[str, tuple[str, Query]]] = {
    "x-query-virtio": ("", lambda machine, _: monitor_virtio.query_virtio(machine.world)),
    "x-query-virtio-status": ("path:string", lambda machine, a: monitor_virtio.query_virtio_status(machine.world, a["path"])),
    "x-query-virtio-queue-status": (
        "path:string queue:integer",
        lambda machine, a: monitor_virtio.query_virtio_queue_status(machine.world, a["path"], a["queue"]),
    ),
    "x-query-virtio-vhost-queue-status": (
        "path:string queue:integer",
        lambda machine, a: monitor_virtio.query_vhost_queue_status(machine.world, a["path"], a["queue"]),
    ),
    "x-query-virtio-queue-element": (
        "path:string queue:integer index?:integer",
        lambda machine, a: monitor_virtio.query_virtio_queue_element(machine.world, a["path"], a["queue"], a.get("index", -1)),
    ),
}
"""Those that 4.1 lacks."""


def queries_of(machine: Machine) -> dict[str, tuple[str, Query]]:
    """The commands that the machine's QEMU has."""
    return QUERIES | NEWER_QUERIES if machine.world.v7_2 else dict(QUERIES)


def human_monitor(machine: Machine, line: str) -> str:
    """What the human monitor prints of a line, with the line ends of a terminal."""
    words = line.split()
    text = f"unknown command: '{words[0]}'\n" if words else ""
    if words[:1] == ["info"]:
        text = _info(machine, words[1:])
    return text.replace("\n", "\r\n")


def _info(machine: Machine, words: list[str]) -> str:
    topic = words[0] if words else ""
    if topic == "qtree":
        return machine.info_qtree() + "\n"
    if topic == "network":
        return info_network(machine.net)
    if topic == "pci":
        return monitor_pci.info_pci(machine.pci_bus)
    if topic == "qom-tree":
        path = words[1] if len(words) > 1 else "/machine"
        if machine.world.resolve_path(path) is None:
            return f"Path '{path}' could not be resolved.\n"
        return monitor.info_qom_tree(machine.world, path)
    return f"unknown command: 'info {topic}'\n"
