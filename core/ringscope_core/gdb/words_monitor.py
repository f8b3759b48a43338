"""Words of QEMU's monitor: device tree, composition tree, network, PCI.

A run is asked; a recording is made again up to the moment and asked there.  One that cannot be made again tells the trees that it recorded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringscope_core.gdb.errors import ConsoleError
from ringscope_core.gdb.words import word

if TYPE_CHECKING:
    from ringscope_core.gdb.console import Console


def _asked(console: Console, topic: str, rest: str = "") -> str | None:
    """The monitor's own answer, None when it cannot be asked.  What it complains of is a ConsoleError."""
    if rest and topic != "qom-tree":
        raise ConsoleError(f'{topic}: extraneous characters at the end of line\nTry "help info {topic}" for more information')
    found = console.inferior.ask_monitor(f"info {topic} {rest}".rstrip())
    if found is not None and rest and found == f"Path '{rest}' could not be resolved.":
        raise ConsoleError(found)
    return found


def _needs(console: Console, topic: str, rest: str) -> str:
    """The answer of a topic of which a recording alone tells nothing."""
    found = _asked(console, topic, rest)
    if found is None:
        raise ConsoleError(f"<unknown>: {_why_not(console)}")
    return found


def _why_not(console: Console) -> str:
    monitor = console.inferior.monitor
    why = monitor.problem() if monitor is not None else "nobody is there to make the run again"
    return f"events do not tell, and the machine cannot be asked at this moment{f': {why}' if why else ''}"


@word("info network", "Information")
def _network(console: Console, rest: str) -> str:
    """The ends of the network and who is connected with whom, as QEMU's monitor prints them."""
    return _needs(console, "network", rest)


@word("info pci", "Information")
def _pci(console: Console, rest: str) -> str:
    """The functions on the PCI buses, as QEMU's monitor prints them."""
    return _needs(console, "pci", rest)


@word("info qom-tree", "Information", "[PATH]")
def _qom_tree(console: Console, rest: str) -> str:
    """The composition tree at this moment, as QEMU's monitor prints it; where it cannot be asked, without memory regions."""
    answer = _asked(console, "qom-tree", rest)
    if answer is not None:
        return answer
    moment = console.moment
    children: dict[int, list[int]] = {}
    for oid, found in moment.state.objects.items():
        children.setdefault(found.parent, []).append(oid)
    start = rest or "/machine"
    roots = [oid for oid in moment.state.objects if moment.path_of(oid) == start]
    if not roots:
        raise ConsoleError(f"Path '{start}' could not be resolved.")
    lines: list[str] = []
    stack = [(roots[0], 0)]
    while stack:
        oid, depth = stack.pop()
        name = moment.recording.names.name(oid)
        lines.append(f"{'  ' * depth}/{name} ({moment.type_of(oid) or 'not in the tree'})")
        stack += [(child, depth + 1) for child in sorted(children.get(oid, ()), key=moment.recording.names.name, reverse=True) if child != oid]
    return "\n".join(lines)


@word("info qtree", "Information")
def _qtree(console: Console, rest: str) -> str:
    """The buses and what is on them, as QEMU's monitor prints it; where it cannot be asked, without properties."""
    answer = _asked(console, "qtree", rest)
    if answer is not None:
        return answer
    moment = console.moment
    by_bus: dict[int, list[int]] = {}
    for oid, found in moment.state.objects.items():
        if found.bus:
            by_bus.setdefault(found.bus, []).append(oid)
    buses = [oid for oid in moment.state.objects if "BusState" in moment.structs_of(oid)]
    owner = {oid: moment.field(oid, "BusState.parent") or 0 for oid in buses}
    lines: list[str] = []

    def bus(oid: int, depth: int) -> None:
        name = moment.field(oid, "BusState.name")
        text = moment.recording.decoder.text(name) if name else moment.recording.names.name(oid)
        lines.extend([f"{'  ' * depth}bus: {text}", f"{'  ' * depth}  type {moment.type_of(oid)}"])
        if depth > 40:
            return
        for dev in by_bus.get(oid, ()):
            ident = moment.field(dev, "DeviceState.id")
            lines.append(f'{"  " * (depth + 1)}dev: {moment.type_of(dev)}, id "{moment.recording.decoder.text(ident) if ident else ""}"')
            for below in buses:
                if owner[below] and owner[below] == moment.address_of(dev):
                    bus(below, depth + 2)

    for oid in buses:
        if not owner[oid]:
            bus(oid, 0)
    return "\n".join(lines) or "There are no buses at this moment."
