"""One machine a case: what the monitor says of it (info qtree, info network, query-pci, x-query-virtio*, QOM, ...), compared with a real QEMU's answers."""

from __future__ import annotations

import json
from typing import Any, Final

from ringscope_core.conform.outcome import Outcome
from ringscope_core.conform.static_compare import Comparer, placed_entry, without_fds
from ringscope_core.conform.static_machine import NEWER_PROPERTIES, CannotMake, NotOfProfile, StaticMachine
from ringscope_core.hw import monitor, monitor_pci, monitor_virtio
from ringscope_core.hw.monitor_error import MonitorError
from ringscope_core.hw.monitor_queries import check_arguments, queries_of
from ringscope_core.hw.virtio_net.rxfilter import query_rx_filter
from ringscope_core.net.backends import info_network
from ringscope_core.net.errors import NetOptionError
from ringscope_core.qom.errp import Errp
from ringscope_core.qom.profile import PROFILE_4_1

NET0: Final = "/machine/peripheral/net0"
BACKEND: Final = f"{NET0}/virtio-backend"
DEVICES: Final = ("virtio-net-pci", "virtio-net-pci-transitional", "virtio-net-pci-non-transitional", "virtio-net")
NEWER_FIELDS: Final = ("x_query_virtio", "x_query_virtio_status", "x_query_virtio_queue_status", "queries_with_errors")
"""4.1 has no such queries."""
OLDER_PROPERTIES: Final = ("command_serr_enable",)
REGION_SUFFIX: Final = "-virtio-net["
"""7.2 says which device a region belongs to, 4.1 does not."""


def recognize(data: Any) -> bool:
    """Entries by name, the whole ones with a configuration and a tree."""
    return isinstance(data, dict) and any(
        isinstance(entry, dict) and "config" in entry and ("info_qtree" in entry or "qom_proxy" in entry) for entry in data.values()
    )


def cases(data: Any) -> list[str]:
    """A case for each entry."""
    return list(data)


def run(data: Any, case_id: str, profile: str) -> Outcome:
    """Make the machine and ask it what was asked."""
    comparer = Comparer(case_id)
    try:
        entry = placed_entry(data, case_id)
    except ValueError as error:
        comparer.equal("entry", "one that can be resolved", str(error))
        return comparer.outcome
    try:
        machine = StaticMachine(entry, profile)
    except CannotMake as error:
        return _not_made(comparer, entry, error)
    machine.setup_bridge()
    machine.probe()
    answers = Answers(machine, profile)
    for name, expected in entry.items():
        if name in ("config", "root_port"):
            continue
        if profile == PROFILE_4_1 and name in NEWER_FIELDS:
            continue
        compare = getattr(answers, name, None)
        if compare is None:
            comparer.equal(name, expected, "nothing: the query is not known here")
        else:
            compare(comparer, expected)
    return comparer.outcome


def _not_made(comparer: Comparer, entry: dict[str, Any], why: CannotMake) -> Outcome:
    if isinstance(why, NotOfProfile) or entry["config"]["device"] not in DEVICES:
        return comparer.skip(str(why))
    comparer.equal("machine", "made", str(why))
    return comparer.outcome


class Answers:
    """Our answers; one method a field of the entries."""

    def __init__(self, machine: StaticMachine, profile: str) -> None:
        self.target: StaticMachine = machine
        self.v7_2: bool = profile != PROFILE_4_1

    def warnings(self, comparer: Comparer, expected: list[str]) -> None:
        """What was printed until the machine ran."""
        comparer.equal("warnings", [without_fds(line) for line in expected], [without_fds(line) for line in self.target.messages])

    def info_qtree(self, comparer: Comparer, expected: str) -> None:
        """The part below our device."""
        lines = self.target.machine.info_qtree().splitlines()
        start = next(number for number, line in enumerate(lines) if line.endswith(', id "net0"'))
        indent = len(lines[start]) - len(lines[start].lstrip())
        end = start + 1
        while end < len(lines) and len(lines[end]) - len(lines[end].lstrip()) > indent:
            end += 1
        ours = [line[indent:] for line in lines[start:end]]
        recorded = [line for line in expected.replace("\r", "").splitlines() if line.strip()]
        if not self.v7_2:
            ours = _without_properties(ours, OLDER_PROPERTIES)
            recorded = _without_properties(recorded, NEWER_PROPERTIES)
        comparer.lines("info_qtree", recorded, ours)

    def info_network(self, comparer: Comparer, expected: str) -> None:
        """Clients and their peers."""
        recorded = without_fds(expected.replace("\r", "")).splitlines()
        comparer.lines("info_network", recorded, without_fds(info_network(self.target.machine.net)).splitlines())

    def query_pci(self, comparer: Comparer, expected: list[dict[str, Any]]) -> None:
        """The functions that were kept, as they stand in ours."""
        ours: list[Any] = []
        for bus in monitor_pci.query_pci(self.target.machine.pci_bus):
            devices = bus["devices"]
            assert isinstance(devices, list)
            ours.extend(devices)
        for row in expected:
            place = (row["bus"], row["slot"], row["function"])
            found = next((one for one in ours if (one["bus"], one["slot"], one["function"]) == place), None)
            where = f"query_pci {place[0]:02x}:{place[1]:02x}.{place[2]}"
            if found is None:
                comparer.equal(where, row, "nothing")
            else:
                comparer.members(where, row if self.v7_2 else _without_pins(row), found)

    def info_pci(self, comparer: Comparer, expected: list[str]) -> None:
        """The same functions as text, in the same order; entries of bridges were not kept by every recorder."""
        text = monitor_pci.info_pci(self.target.machine.pci_bus)
        ours = [f"  Bus {part}".splitlines() for part in text.split("  Bus ")[1:]]
        recorded = [part.replace("\r", "").splitlines() for part in expected]
        if not any("secondary bus" in line for part in recorded for line in part):
            ours = [part for part in ours if not any("secondary bus" in line for line in part)]
        if not self.v7_2:
            recorded = [[line.split(", pin")[0] + "." if line.startswith("      IRQ ") else line for line in part] for part in recorded]
        comparer.equal("info_pci functions", [part[0] for part in recorded], [part[0] for part in ours])
        for left, right in zip(recorded, ours, strict=False):
            comparer.lines(f"info_pci {left[0].strip()}", left, right)

    def query_rx_filter(self, comparer: Comparer, expected: list[dict[str, Any]]) -> None:
        """The receive filters; a VLAN table may be given as runs, highest first."""
        ours: list[dict[str, Any]] = [dict(row) for row in query_rx_filter(self.target.machine.net)]
        comparer.equal("query_rx_filter names", [row["name"] for row in expected], [row["name"] for row in ours])
        for left, right in zip(expected, ours, strict=False):
            # 7.2's reset lets every VLAN in, 4.1's none; no driver has said anything yet
            table = _vlans(left["vlan-table"]) if self.v7_2 else []
            comparer.members("query_rx_filter", {**left, "vlan-table": table}, right)

    # -- x-query-virtio* ----------------------------------------------------------------------------------------------
    def x_query_virtio(self, comparer: Comparer, expected: Any) -> None:
        """The devices there are."""
        comparer.equal("x_query_virtio", expected, monitor_virtio.query_virtio(self.target.machine.world))

    def x_query_virtio_status(self, comparer: Comparer, expected: dict[str, Any]) -> None:
        """Features and state by name."""
        comparer.members("x_query_virtio_status", expected, monitor_virtio.query_virtio_status(self.target.machine.world, BACKEND))

    def x_query_virtio_queue_status(self, comparer: Comparer, expected: list[dict[str, Any]]) -> None:
        """Each queue, and one that is not there."""
        for number, row in enumerate(expected):
            got = self._answer("x-query-virtio-queue-status", {"path": BACKEND, "queue": number})
            comparer.members(f"x_query_virtio_queue_status {number}", row, got if isinstance(got, dict) else {"return": got})

    def queries_with_errors(self, comparer: Comparer, expected: dict[str, Any]) -> None:
        """Queries by their text: the command, and its arguments as JSON."""
        for text, answer in expected.items():
            command, _, arguments = text.partition(" ")
            got = self._answer(command, json.loads(arguments) if arguments else {})
            comparer.equal(f"queries_with_errors {text}", answer, got)

    def _answer(self, command: str, arguments: dict[str, Any]) -> Any:
        query = queries_of(self.target.machine).get(command)
        if query is None:
            return f"{command} is not known here"
        try:
            check_arguments(query.params, arguments)
            return query.answer(self.target.machine, arguments)
        except MonitorError as error:
            return {"error": {"class": "DeviceNotFound" if error.not_found else "GenericError", "desc": str(error)}}
        except NetOptionError as error:
            return {"error": {"class": "GenericError", "desc": str(error)}}

    # -- QOM ----------------------------------------------------------------------------------------------------------
    def qom_proxy(self, comparer: Comparer, expected: dict[str, Any]) -> None:
        """Properties of the function."""
        self._properties(comparer, "qom_proxy", NET0, expected)

    def qom_vdev(self, comparer: Comparer, expected: dict[str, Any]) -> None:
        """Properties of the device behind it."""
        self._properties(comparer, "qom_vdev", BACKEND, expected)

    def qom_virtio_bus(self, comparer: Comparer, expected: dict[str, Any]) -> None:
        """Properties of the bus between them."""
        self._properties(comparer, "qom_virtio_bus", f"{NET0}/virtio-bus", expected)

    def _properties(self, comparer: Comparer, where: str, path: str, expected: dict[str, Any]) -> None:
        """Names in their order, types, and the values that were read."""
        obj = self.target.object(path)
        assert obj is not None
        rows = monitor.qom_list(self.target.machine.world, path)
        ours = {str(row["name"]): row["type"] for row in rows}
        recorded = expected
        if not self.v7_2:
            recorded = {name.replace(REGION_SUFFIX, "["): row for name, row in expected.items() if name not in NEWER_PROPERTIES}
            ours = {name: kind for name, kind in sorted(ours.items()) if name not in OLDER_PROPERTIES}
            recorded = dict(sorted(recorded.items()))
        comparer.equal(f"{where} names", list(recorded), list(ours))
        for name, row in recorded.items():
            if name not in ours:
                continue
            comparer.equal(f"{where} {name} type", row["type"], ours[name])
            if "value" in row:
                value = row["value"]
                if not self.v7_2 and isinstance(value, str):
                    value = value.replace(REGION_SUFFIX, "[")
                comparer.equal(f"{where} {name}", value, obj.property_get(name, Errp()))

    def info_qom_tree(self, comparer: Comparer, expected: str) -> None:
        """The composition tree below the function."""
        recorded = [line for line in expected.replace("\r", "").splitlines() if line.strip()]
        ours = monitor.info_qom_tree(self.target.machine.world, NET0).splitlines()
        if not self.v7_2:
            recorded = sorted(line.replace(REGION_SUFFIX, "[") for line in recorded)
            ours = sorted(ours)
        comparer.lines("info_qom_tree", recorded, ours)


def _without_properties(lines: list[str], names: tuple[str, ...]) -> list[str]:
    return [line for line in lines if line.split(" = ")[0].strip() not in names]


def _without_pins(row: Any) -> Any:
    """4.1 does not tell the pin of a function."""
    if isinstance(row, dict):
        return {name: _without_pins(value) for name, value in row.items() if name != "irq_pin"}
    return [_without_pins(value) for value in row] if isinstance(row, list) else row


def _vlans(table: list[Any]) -> list[int]:
    out: list[int] = []
    for row in table:
        out.extend(range(row[0], row[1] - 1, -1) if isinstance(row, list) else [row])
    return out
