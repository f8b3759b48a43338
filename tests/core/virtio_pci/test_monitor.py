"""info qtree, the composition tree and the QOM queries, against the oracle's instances."""

from __future__ import annotations

import pytest

from ringscope_core.hw import monitor
from tests.core.machines import Bench
from tests.oracle.cases import NEWER_PROPERTIES, full_entries
from tests.oracle.target import BDF, RingscopeTarget

ENTRIES = full_entries("instances.json.gz")
OLDER_PROPERTIES = {"command_serr_enable"}
"""4.1 has them, 7.2 does not."""


def ours(text: str) -> list[str]:
    """The part of an info qtree that starts at our device, moved to the left."""
    lines = text.splitlines()
    start = next(number for number, line in enumerate(lines) if "dev: virtio-net-pci" in line)
    indent = len(lines[start]) - len(lines[start].lstrip())
    end = next(number for number in range(start + 1, len(lines) + 1) if number == len(lines) or len(lines[number]) - len(lines[number].lstrip()) <= indent)
    return [line[indent:] for line in lines[start:end]]


def without(lines: list[str], names: set[str]) -> list[str]:
    return [line for line in lines if line.split(" = ")[0].strip() not in names]


@pytest.mark.parametrize("key", list(ENTRIES)[::5])
def test_info_qtree_and_composition_tree(key: str) -> None:
    check(key)


@pytest.mark.slow
def test_every_info_qtree_and_composition_tree() -> None:
    assert len(ENTRIES) == 44
    for key in ENTRIES:
        check(key)


def check(key: str) -> None:
    """The oracle's tree is ours."""
    entry = ENTRIES[key]
    target = RingscopeTarget(entry["config"], level=0)
    assert without(ours(target.machine.info_qtree()), OLDER_PROPERTIES) == without(entry["info_qtree"].splitlines(), NEWER_PROPERTIES)
    dev = target.machine.pci_bus.functions[BDF]
    assert dev is not None
    # 7.2 puts the device's name behind those of the regions
    recorded = [line.strip().replace("-virtio-net[", "[") for line in entry["info_qom_tree"].splitlines()[1:]]
    assert sorted(f"/{child.path_component()} ({child.typename})" for child in dev.children()) == sorted(line for line in recorded if line)


def test_qom_queries() -> None:
    bench = Bench()
    bench.machine.device_add("virtio-net-pci,id=net0,addr=04.0")
    world = bench.machine.world
    path = "/machine/peripheral/net0"
    assert monitor.qom_get(world, path, "vectors") == 3
    assert monitor.qom_get(world, path, "mq") is False
    assert monitor.qom_get(world, path, "mac") == "52:54:00:12:34:56"
    assert monitor.qom_get(world, path, "type") == "virtio-net-pci"
    assert monitor.qom_get(world, path, "legacy-addr") == "04.0"
    assert monitor.qom_get(world, path, "parent_bus") == "/machine/i440fx/pci.0"
    assert monitor.qom_get(world, path, "virtio-backend") == f"{path}/virtio-backend"
    rows = {row["name"]: row["type"] for row in monitor.qom_list(world, path)}
    assert rows["virtio-bus"] == "child<virtio-pci-bus>"
    assert (rows["rx_queue_size"], rows["disable-legacy"], rows["parent_bus"]) == ("uint16", "OnOffAuto", "link<bus>")
    with pytest.raises(monitor.MonitorError, match=r"^Property '\.nosuch' not found$"):
        monitor.qom_get(world, path, "nosuch")
    with pytest.raises(monitor.MonitorError, match=r"^Device '/nosuch' not found$") as caught:
        monitor.qom_list(world, "/nosuch")
    assert caught.value.not_found


def test_asking_for_a_type_s_properties_leaves_no_trace() -> None:
    bench = Bench()
    world = bench.machine.world
    seq = bench.log.seq
    rows = {row["name"]: row for row in monitor.device_list_properties(world, "virtio-net-pci")}
    assert bench.log.seq == seq
    assert rows["mac"] == {"name": "mac", "type": "str", "description": "Ethernet 6-byte MAC Address, example: 52:54:00:12:34:56"}
    assert rows["disable-legacy"]["description"] == "on/off/auto"
    assert not {"type", "realized", "hotplugged", "hotpluggable", "parent_bus", "legacy-addr"} & set(rows)
    assert [row["name"] for row in monitor.qom_list_properties(world, "virtio-net-pci-base")] == ["type"]
    with pytest.raises(monitor.MonitorError, match=r"expects non-abstract device type"):
        monitor.device_list_properties(world, "virtio-net-pci-base")
    with pytest.raises(monitor.MonitorError, match=r"^Device 'nosuch' not found$"):
        monitor.device_list_properties(world, "nosuch")


def test_listing_types_by_what_they_implement() -> None:
    world = Bench().machine.world
    rows = monitor.qom_list_types(world, "virtio-device", True)
    assert rows == [{"name": "virtio-device", "abstract": True, "parent": "device"}, {"name": "virtio-net-device", "parent": "virtio-device"}]
    assert monitor.qom_list_types(world, "nosuch") == []
