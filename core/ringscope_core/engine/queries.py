"""The texts of the human monitor that QMP hands over (``human-monitor-command``)."""

from __future__ import annotations

from typing import Final

from ringscope_core.hw import monitor, monitor_pci
from ringscope_core.hw.machine import Machine
from ringscope_core.net.backends import info_network

TOPICS: Final[dict[str, str]] = {
    "network": " -- show the network state",
    "pci": " -- show PCI info",
    "qom-tree": "[path] -- show QOM composition tree",
    "qtree": " -- show device tree",
}


def human_monitor(machine: Machine, line: str) -> str:
    """What the human monitor prints of a line, with the line ends of a terminal."""
    words = line.split()
    text = f"unknown command: '{words[0]}'\n" if words else ""
    if words[:1] == ["info"]:
        text = _info(machine, words[1:])
    return text.replace("\n", "\r\n")


def _info(machine: Machine, words: list[str]) -> str:
    if not words:
        return "".join(f"info {name} {text}\n" for name, text in TOPICS.items())
    topic = words[0]
    if topic not in TOPICS:
        return f"unknown command: 'info {topic}'\n"
    if len(words) > (2 if topic == "qom-tree" else 1):
        return f'{topic}: extraneous characters at the end of line\nTry "help info {topic}" for more information\n'
    if topic == "qtree":
        return machine.info_qtree() + "\n"
    if topic == "network":
        return info_network(machine.net)
    if topic == "pci":
        return monitor_pci.info_pci(machine.pci_bus)
    path = words[1] if len(words) > 1 else "/machine"
    if machine.world.resolve_path(path) is None:
        return f"Path '{path}' could not be resolved.\n"
    return monitor.info_qom_tree(machine.world, path)
