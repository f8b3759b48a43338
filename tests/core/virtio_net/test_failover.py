"""Failover (profile 7.2): the primary stays hidden until the driver takes STANDBY, with the messages and events of a real QEMU 7.2.22."""

from __future__ import annotations

import pytest

from ringscope_core.hw.machine import Machine
from ringscope_core.hw.virtio import virtio
from ringscope_core.hw.virtio_net.device import VirtIONet
from ringscope_core.qom.profile import PROFILE_7_2
from ringscope_core.qom.world import QapiEventSink
from ringscope_core.trace.clock import Clock
from ringscope_core.trace.log import EventLog
from ringscope_core.trace.mainloop import MainLoop

STANDBY, V1 = 1 << 62, 1 << 32
NOT_FOUND = [
    "warning: Primary device not found",
    "Virtio-net failover will not work. Make sure primary device has parameter failover_pair_id=net0",
]
PORT = "pcie-root-port,id=rp0,chassis=1,addr=05.0"


class Heard(QapiEventSink):
    def __init__(self) -> None:
        self.events: list[tuple[str, dict[str, object]]] = []

    def qapi_event(self, name: str, data: dict[str, object]) -> None:
        self.events.append((name, data))


class Pair:
    """A machine with a standby and what else is asked for."""

    def __init__(self, machine: str, *devices: str, failover: str = "on") -> None:
        log = EventLog(Clock())
        self.machine = Machine(log, MainLoop(log.clock), 1 << 20, PROFILE_7_2, machine)
        self.heard = Heard()
        self.machine.world.event_sink = self.heard
        assert self.machine.device_add(f"virtio-net-pci,id=net0,failover={failover}") is not None
        for text in devices:
            self.machine.device_add(text)
        self.machine.system_reset()
        self.machine.cont()
        self.seen = len(self.machine.world.messages)
        found = self.machine.world.resolve_path("/machine/peripheral/net0/virtio-backend")
        assert isinstance(found, VirtIONet)
        self.n = found

    def negotiate(self, features: int) -> list[str]:
        """The driver writes its features; what was said."""
        virtio.virtio_set_features(self.n, features)
        messages = self.machine.world.messages[self.seen :]
        self.seen = len(self.machine.world.messages)
        return [line for message in messages for line in message.splitlines()]

    def has_primary(self) -> bool:
        return self.machine.world.resolve_path("/machine/peripheral/prim0") is not None


def test_the_bit_is_offered_with_the_property_only() -> None:
    assert Pair("pc-i440fx-4.1").n.host_features & STANDBY
    assert not Pair("pc-i440fx-4.1", failover="off").n.host_features & STANDBY


def test_without_a_primary() -> None:
    pair = Pair("pc-i440fx-4.1")
    assert pair.negotiate(V1) == []
    assert pair.heard.events == []
    assert pair.negotiate(V1 | STANDBY) == NOT_FOUND
    assert pair.heard.events == [("FAILOVER_NEGOTIATED", {"device-id": "net0"})]


def test_a_primary_behind_a_root_port_comes_with_the_feature() -> None:
    pair = Pair("pc-q35-7.2", PORT, "virtio-net-pci,id=prim0,failover_pair_id=net0,bus=rp0")
    assert not pair.has_primary()
    assert pair.negotiate(V1) == []
    assert not pair.has_primary()
    assert pair.negotiate(V1 | STANDBY) == []
    assert pair.has_primary()
    before = len(pair.machine.net.clients)
    assert pair.negotiate(V1 | STANDBY) == []
    assert len(pair.machine.net.clients) == before


@pytest.mark.parametrize(
    ("machine", "devices", "message"),
    [
        ("pc-i440fx-4.1", ["virtio-net-pci,id=prim0,failover_pair_id=net0"], ["warning: failover primary device must be on PCIExpress bus"]),
        ("pc-q35-7.2", [PORT, "virtio-net-pci,id=prim0,failover_pair_id=net0,bus=rp0,nonsense=1"], ["warning: Property 'virtio-net-pci.nonsense' not found"]),
    ],
)
def test_a_primary_that_cannot_be_made(machine: str, devices: list[str], message: list[str]) -> None:
    pair = Pair(machine, *devices)
    assert not pair.has_primary()
    assert pair.negotiate(V1 | STANDBY) == message
    assert not pair.has_primary()
    # its options are forgotten
    assert pair.negotiate(V1 | STANDBY) == NOT_FOUND


def test_a_primary_of_another_pair_is_not_hidden() -> None:
    pair = Pair("pc-q35-7.2", PORT, "virtio-net-pci,id=prim0,failover_pair_id=other,bus=rp0")
    assert pair.has_primary()
    assert pair.negotiate(V1 | STANDBY) == NOT_FOUND


def test_there_is_one_primary_a_standby() -> None:
    pair = Pair("pc-q35-7.2", PORT, "pcie-root-port,id=rp1,chassis=2,addr=06.0", "virtio-net-pci,id=prim0,failover_pair_id=net0,bus=rp0")
    assert pair.machine.device_add("virtio-net-pci,id=prim1,failover_pair_id=net0,bus=rp1") is None
    assert pair.machine.last_error == "Cannot attach more than one primary device to 'net0': 'prim0' and 'prim1'"
