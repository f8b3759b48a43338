"""query-rx-filter and its event, as a real QEMU 7.2.22 answers."""

from __future__ import annotations

import struct

import pytest

from ringscope_core.hw.virtio import features as f
from ringscope_core.hw.virtio_net.rxfilter import query_rx_filter
from ringscope_core.net.errors import NetOptionError
from ringscope_core.qom.world import QapiEventSink
from tests.core.machines import Bench
from tests.core.virtio.bare import MRG, V1, Bare
from tests.core.virtio_net.test_ctrl import command

FILTERS = V1 | MRG | 1 << f.VIRTIO_NET_F_CTRL_VQ | 1 << f.VIRTIO_NET_F_CTRL_VLAN


class Heard(QapiEventSink):
    def __init__(self) -> None:
        self.events: list[tuple[str, dict[str, object]]] = []

    def qapi_event(self, name: str, data: dict[str, object]) -> None:
        self.events.append((name, data))


def info(bare: Bare) -> dict[str, object]:
    (one,) = query_rx_filter(bare.ctx.net)
    return one


def test_after_power_on() -> None:
    bench = Bench()
    bench.machine.netdev_add("responder,id=n0")
    bench.machine.device_add("virtio-net-pci,id=net0,netdev=n0")
    assert query_rx_filter(bench.machine.net, "net0") == [
        {
            "promiscuous": True,
            "name": "net0",
            "main-mac": "52:54:00:12:34:56",
            "unicast": "normal",
            "vlan": "all",
            "vlan-table": [],
            "unicast-table": [],
            "multicast": "normal",
            "multicast-overflow": False,
            "unicast-overflow": False,
            "multicast-table": [],
            "broadcast-allowed": False,
        }
    ]


def test_names() -> None:
    bench = Bench()
    bench.machine.netdev_add("responder,id=n0")
    for number in range(2):
        bench.machine.device_add(f"virtio-net-pci,id=net{number}")
    assert [one["name"] for one in query_rx_filter(bench.machine.net)] == ["net0", "net1"]
    for name, text in (("n0", "net client(n0) isn't a NIC"), ("zz", "invalid net client name: zz")):
        with pytest.raises(NetOptionError) as caught:
            query_rx_filter(bench.machine.net, name)
        assert caught.value.text == text


def test_states() -> None:
    bare = Bare(FILTERS)
    assert info(bare)["vlan"] == "none"
    for vid in (5, 9, 4095):
        command(bare, 2, 0, struct.pack("<H", vid))
    assert (info(bare)["vlan"], info(bare)["vlan-table"]) == ("normal", [4095, 9, 5])
    for cmd, name, state in ((2, "unicast", "all"), (4, "unicast", "none"), (1, "multicast", "all"), (3, "multicast", "none")):
        command(bare, 0, cmd, b"\1")
        assert info(bare)[name] == state
    command(bare, 0, 0, b"\0")
    command(bare, 0, 5, b"\1")
    assert (info(bare)["promiscuous"], info(bare)["broadcast-allowed"]) == (False, True)


def test_tables_and_overflow() -> None:
    bare = Bare(FILTERS)

    def table(unicast: int, multicast: int) -> bytes:
        macs = [bytes((0, 0, 0, 0, 0, i)) for i in range(unicast)], [bytes((1, 0, 0, 0, 0, i)) for i in range(multicast)]
        return b"".join(struct.pack("<I", len(some)) + b"".join(some) for some in macs)

    command(bare, 1, 0, table(2, 1))
    assert info(bare)["unicast-table"] == ["00:00:00:00:00:01", "00:00:00:00:00:00"]
    assert info(bare)["multicast-table"] == ["01:00:00:00:00:00"]
    command(bare, 1, 0, table(65, 1))
    assert (info(bare)["unicast-overflow"], info(bare)["multicast-overflow"], info(bare)["unicast-table"]) == (True, False, [])
    command(bare, 1, 0, table(3, 62))
    assert (info(bare)["unicast-overflow"], info(bare)["multicast-overflow"]) == (False, True)


def test_the_event_comes_once_until_somebody_asks() -> None:
    bare = Bare(FILTERS)
    heard = Heard()
    bare.world.event_sink = heard
    bare.n.netclient_name = "net0"
    event = ("NIC_RX_FILTER_CHANGED", {"name": "net0", "path": "/net0"})
    command(bare, 2, 0, struct.pack("<H", 9000))
    assert heard.events == []
    for _ in range(3):
        command(bare, 2, 0, struct.pack("<H", 7))
    command(bare, 1, 1, bytes(6))
    assert heard.events == [event]
    info(bare)
    command(bare, 4, 0, b"\1\0")
    assert heard.events == [event]
    command(bare, 0, 0, b"\1")
    assert heard.events == [event, event]
    bare.n.netclient_name = ""
    info(bare)
    command(bare, 1, 1, bytes(6))
    assert heard.events[2:] == [("NIC_RX_FILTER_CHANGED", {"path": "/net0"})]
