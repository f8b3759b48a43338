"""The monitor's queries over QMP: the answers and the errors of a real QEMU 7.2.22."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from ringscope_core.engine.commands import EngineCommands
from ringscope_core.engine.live import LiveListener, LiveRun
from ringscope_core.engine.qmp import QmpError
from ringscope_core.engine.run import Run
from ringscope_core.scenario.load import scenario_from_text

PROXY = "/machine/peripheral/net0"
BACKEND = f"{PROXY}/virtio-backend"
SCENARIO = """
name = "queries"
profile = "{profile}"
device = ["virtio-net-pci,id=net0,netdev=n0,addr=04.0"]
netdev = ["responder,id=n0"]

[[traffic]]
kind = "ping"
rate_pps = 10
count = 1000
"""


def commands(profile: str) -> Iterator[EngineCommands]:
    run = Run(scenario_from_text(SCENARIO.format(profile=profile)), live=True, digests=False, factor=1.0)
    live = LiveRun(run, LiveListener())
    live.start()
    until = time.monotonic() + 10
    while live.ask(lambda: run.world.resolve_path(BACKEND)) is None:
        assert time.monotonic() < until
        time.sleep(0.01)
    live.debugger.pause()
    yield EngineCommands(live, lambda: None)
    assert live.stop()
    run.close()


@pytest.fixture(scope="module")
def newer() -> Iterator[EngineCommands]:
    yield from commands("7.2")


@pytest.fixture(scope="module")
def older() -> Iterator[EngineCommands]:
    yield from commands("4.1")


def human(engine: EngineCommands, line: str) -> str:
    text = engine.execute("human-monitor-command", {"command-line": line})
    assert isinstance(text, str)
    return text


def test_pci(newer: EngineCommands) -> None:
    (bus,) = newer.execute("query-pci", {})  # type: ignore[misc]
    device = next(one for one in bus["devices"] if one["slot"] == 4)
    assert device["id"] == {"device": 4096, "vendor": 6900, "subsystem": 1, "subsystem-vendor": 6900}
    assert device["qdev_id"] == "net0"
    text = human(newer, "info pci")
    assert "Ethernet controller: PCI device 1af4:1000" in text
    assert 'id "net0"' in text


def test_virtio(newer: EngineCommands) -> None:
    assert newer.execute("x-query-virtio", {}) == [{"name": "virtio-net", "path": BACKEND}]
    status: Any = newer.execute("x-query-virtio-status", {"path": BACKEND})
    assert status["device-id"] == 1
    assert any(name.startswith("VIRTIO_NET_F_MAC:") for name in status["host-features"]["dev-features"])
    queue: Any = newer.execute("x-query-virtio-queue-status", {"path": BACKEND, "queue": 0})
    assert (queue["name"], queue["queue-index"], queue["vring-num-default"]) == ("virtio-net", 0, 256)


@pytest.mark.parametrize(
    ("command", "arguments", "text"),
    [
        ("x-query-virtio-queue-status", {"path": BACKEND, "queue": -1}, "Parameter 'queue' expects uint16_t"),
        ("x-query-virtio-queue-status", {"path": BACKEND, "queue": 1 << 16}, "Parameter 'queue' expects uint16_t"),
        ("x-query-virtio-queue-status", {"path": BACKEND, "queue": (1 << 64) - 1}, "Parameter 'queue' expects uint16_t"),
        ("x-query-virtio-queue-status", {"path": BACKEND, "queue": 1 << 64}, "Parameter 'queue' expects uint64"),
        ("x-query-virtio-queue-status", {"path": BACKEND, "queue": 1.5}, "Parameter 'queue' expects uint64"),
        ("x-query-virtio-queue-status", {"path": BACKEND, "queue": True}, "Parameter 'queue' expects uint64"),
        ("x-query-virtio-queue-status", {"path": BACKEND, "queue": "1"}, "Parameter 'queue' expects uint64"),
        ("x-query-virtio-queue-status", {"path": BACKEND, "queue": 1024}, "Invalid virtqueue number 1024"),
        ("x-query-virtio-queue-status", {"path": BACKEND, "queue": 65535}, "Invalid virtqueue number 65535"),
        ("x-query-virtio-queue-status", {"path": BACKEND}, "Parameter 'queue' is missing"),
        ("x-query-virtio-queue-element", {"path": BACKEND, "queue": 0, "index": -1}, "Parameter 'index' expects uint16_t"),
        ("x-query-virtio-queue-element", {"path": BACKEND, "queue": 9}, "Invalid virtqueue number 9"),
        ("x-query-virtio-vhost-queue-status", {"path": BACKEND, "queue": 0}, "Error: vhost device has not started yet"),
        ("x-query-virtio-status", {"path": "/machine"}, "Path /machine is not a VirtIODevice"),
        ("x-query-virtio-status", {"path": 1}, "Invalid parameter type for 'path', expected: string"),
        ("x-query-virtio-status", {"path": BACKEND, "x": 1}, "Parameter 'x' is unexpected"),
        ("query-pci", {"x": 1}, "Parameter 'x' is unexpected"),
        ("query-rx-filter", {"name": "nope"}, "invalid net client name: nope"),
        ("qom-get", {"path": "/nope", "property": "x"}, "Device '/nope' not found"),
    ],
)
def test_errors(newer: EngineCommands, command: str, arguments: dict[str, object], text: str) -> None:
    with pytest.raises(QmpError) as caught:
        newer.execute(command, arguments)
    assert str(caught.value) == text


def test_4_1_has_no_queries_about_virtio(older: EngineCommands) -> None:
    with pytest.raises(QmpError, match="The command x-query-virtio has not been found"):
        older.execute("x-query-virtio", {})
    assert older.version["qemu"] == {"major": 4, "minor": 1, "micro": 0}
    assert older.execute("query-pci", {})


def test_the_human_monitor(newer: EngineCommands) -> None:
    assert human(newer, "") == ""
    assert human(newer, "bogus 1") == "unknown command: 'bogus'\r\n"
    assert human(newer, "info bogus") == "unknown command: 'info bogus'\r\n"
    assert human(newer, "info pci x") == 'pci: extraneous characters at the end of line\r\nTry "help info pci" for more information\r\n'
    assert human(newer, "info qom-tree /nope") == "Path '/nope' could not be resolved.\r\n"
    assert human(newer, f"info qom-tree {PROXY}").startswith("/net0 (virtio-net-pci)\r\n  /bus master container[0] (memory-region)\r\n")
    assert "info pci  -- show PCI info\r\n" in human(newer, "info")
    assert human(newer, "  info   network ").startswith("net0: index=0,type=nic,model=virtio-net-pci,macaddr=52:54:00:12:34:56\r\n")
    assert 'dev: virtio-net-pci, id "net0"' in human(newer, "info qtree")


def test_every_query_survives_any_argument(newer: EngineCommands) -> None:
    names = [row["name"] for row in newer.execute("query-commands", {})]  # type: ignore[attr-defined]
    values = (None, True, -1, 1 << 70, 1.5, "", "/", "net0", BACKEND, "\0", "é", [], {}, ["a"])
    for name in names:
        if name in ("quit", "cont", "stop", "qmp_capabilities") or name.startswith("x-ringscope"):
            continue
        for value in values:
            for other in values:
                arguments = {"path": value, "queue": other, "property": other, "typename": value, "name": value, "command-line": value, "implements": value}
                for keys in (("path", "queue"), ("path", "property"), ("path",), ("typename",), ("name",), ("command-line",), ("implements",)):
                    try:
                        newer.execute(name, {key: arguments[key] for key in keys})
                    except QmpError as error:
                        assert str(error)
