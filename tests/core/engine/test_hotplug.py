"""device_add and device_del on a run with traffic: the guest's driver loses its card and finds a new one."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from ringscope_core.engine.commands import EngineCommands
from ringscope_core.engine.live import LiveListener, LiveRun
from ringscope_core.engine.qmp import QmpError
from ringscope_core.engine.run import Run
from ringscope_core.qom.world import QapiEventSink
from ringscope_core.scenario.load import load


class Quiet(LiveListener):
    """Hears nothing."""

    def on_stopped(self, reason: str) -> None:
        pass

    def on_resumed(self) -> None:
        pass

    def on_ended(self, reason: str) -> None:
        pass


class Events(QapiEventSink):
    """Keeps the machine's events."""

    def __init__(self) -> None:
        self.told: list[tuple[str, dict[str, object]]] = []

    def qapi_event(self, name: str, data: dict[str, object]) -> None:
        self.told.append((name, data))


class Bench:
    """A live run and its commands."""

    def __init__(self) -> None:
        self.run = Run(load("default"), live=True, digests=False, factor=1000.0)
        self.live = LiveRun(self.run, Quiet())
        self.commands = EngineCommands(self.live, lambda: None)
        self.events = Events()
        self.run.world.event_sink = self.events
        self.live.start()
        self.wait(lambda: bool(self.run.guest.interfaces))

    def ask(self, command: str, **arguments: Any) -> object:
        """A QMP command."""
        return self.commands.execute(command, arguments)

    def wait(self, condition: Any) -> None:
        """Until it holds, ten seconds at most."""
        end = time.monotonic() + 10
        while not condition():
            assert time.monotonic() < end, "it never came to that"
            time.sleep(0.01)

    def sent(self) -> int:
        """Frames that the driver has sent."""
        return int(self.live.ask(lambda: int(self.run.guest.sent_count())))


@pytest.fixture
def bench() -> Iterator[Bench]:
    made = Bench()
    yield made
    assert made.live.stop()
    made.run.close()


def identity(bench: Bench) -> tuple[str, str]:
    """Id and netdev of the scenario's card."""
    rows = bench.ask("qom-list", path="/machine/peripheral")
    assert isinstance(rows, list)
    name = next(row["name"] for row in rows if row["type"].startswith("child<virtio-net"))
    netdev = bench.ask("qom-get", path=f"/machine/peripheral/{name}", property="netdev")
    return str(name), str(netdev)


def test_a_card_goes_and_comes_with_traffic_in_flight(bench: Bench) -> None:
    name, netdev = identity(bench)
    for _ in range(5):
        before = bench.sent()
        bench.wait(lambda before=before: bench.sent() > before)
        assert bench.ask("device_del", id=name) == {}
        assert ("DEVICE_DELETED", {"device": name, "path": f"/machine/peripheral/{name}"}) in bench.events.told
        bench.events.told.clear()
        assert not bench.live.ask(lambda: any(info.up for info in bench.run.guest.interfaces))
        with pytest.raises(QmpError, match=r"Device .* not found"):
            bench.ask("device_del", id=name)
        assert bench.ask("device_add", driver="virtio-net-pci", id=name, netdev=netdev, mq=False, vectors=3) == {}
        assert bench.live.ask(lambda: all(info.up for info in bench.run.guest.interfaces))
    before = bench.sent()
    bench.wait(lambda: bench.sent() > before)
    assert bench.live.failure is None


def test_errors_are_the_machines(bench: Bench) -> None:
    name, netdev = identity(bench)
    for arguments, text in (
        ({"driver": "nosuch"}, "'nosuch' is not a valid device model name"),
        ({"driver": "virtio-net-pci", "id": name}, f"Duplicate ID '{name}' for device"),
        ({"driver": "virtio-net-pci", "netdev": netdev}, "in use"),
        ({"driver": "virtio-net-pci", "vectors": [1]}, "Invalid parameter type for 'vectors', expected: string"),
        ({}, "Parameter 'driver' is missing"),
    ):
        with pytest.raises(QmpError) as problem:
            bench.ask("device_add", **arguments)
        assert text in str(problem.value)
    with pytest.raises(QmpError, match="Parameter 'force' is unexpected"):
        bench.ask("device_del", id=name, force=True)
    assert bench.live.failure is None
