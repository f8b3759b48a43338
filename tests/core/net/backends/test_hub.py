"""Hubs do as net/hub.c does."""

from __future__ import annotations

import pytest

from ringscope_core.net.backends import create, info_network, net_check_clients
from ringscope_core.net.errors import NetOptionError
from ringscope_core.net.net import NetHost, qemu_del_net_client, qemu_flush_queued_packets, qemu_net_client_setup, qemu_new_nic, qemu_send_packet_async
from tests.core.net.boxes import Box, make_host


def hub(nics: int) -> tuple[NetHost, list[Box]]:
    """A hub with `nics` NICs on it."""
    host = make_host()
    boxes = []
    for number in range(nics):
        (port,) = create(host, f"hubport,id=h{number},hubid=0")
        box = Box(host, "virtio-net-pci")
        qemu_new_nic([box], [port])
        boxes.append(box)
    return host, boxes


def test_a_frame_goes_to_all_other_ports() -> None:
    _, (a, b, c) = hub(3)
    assert qemu_send_packet_async(a, b"hello") == 5
    assert (a.frames, b.frames, c.frames) == ([], [b"hello"], [b"hello"])


def test_a_port_alone_on_its_hub_takes_nothing() -> None:
    host, (a,) = hub(1)
    assert qemu_send_packet_async(a, b"first") == 0
    assert a.notes == []
    # the moment somebody joins, what comes next goes; the one in flight goes with it
    (port,) = create(host, "hubport,id=h1,hubid=0")
    other = Box(host, "other")
    qemu_new_nic([other], [port])
    assert qemu_send_packet_async(a, b"next") == 4
    assert other.frames == [b"next", b"first"] and a.notes == ["complete 5"]


def test_a_port_without_a_peer_swallows() -> None:
    host, (a,) = hub(1)
    create(host, "hubport,id=h1,hubid=0")
    assert qemu_send_packet_async(a, b"x") == 1


def test_a_slow_taker_does_not_hold_up_the_others_and_catches_up() -> None:
    _, (a, b, c) = hub(3)
    c.ready = False
    for frame in (b"1", b"2"):
        assert qemu_send_packet_async(a, frame) == 1
    assert b.frames == [b"1", b"2"] and c.frames == []
    c.ready = True
    qemu_flush_queued_packets(c)
    assert c.frames == [b"1", b"2"]


def test_when_nobody_can_take_the_sender_waits_until_one_can() -> None:
    _, (a, b) = hub(2)
    b.ready = False
    assert qemu_send_packet_async(a, b"waits") == 0
    b.ready = True
    qemu_flush_queued_packets(b)
    assert b.frames == [b"waits"] and a.notes == ["complete 5"]


def test_bursts_pass_the_hub() -> None:
    _, (a, b) = hub(2)
    from ringscope_core.net.net import qemu_begin_burst, qemu_end_burst

    qemu_begin_burst(a)
    qemu_send_packet_async(a, b"x")
    qemu_end_burst(a)
    assert b.notes == ["begin", "end"] and a.notes == []


def test_a_backend_on_a_hub() -> None:
    host = make_host()
    create(host, "responder,id=r0")
    create(host, "hubport,id=h0,hubid=7,netdev=r0")
    (port,) = create(host, "hubport,id=h1,hubid=7")
    nic = Box(host, "virtio-net-pci")
    qemu_new_nic([nic], [port])
    from ringscope_core.net.packet import arp_request

    qemu_send_packet_async(nic, arp_request(bytes.fromhex("525400123456"), bytes((10, 0, 2, 15)), bytes((10, 0, 2, 2))))
    host.poll()
    assert [frame[12:22].hex() for frame in nic.frames] == ["08060001080006040002"]
    assert net_check_clients(host) == []
    assert info_network(host) == ("hub 7\n \\ h1: virtio-net-pci.0: index=0,type=nic,\n \\ h0: r0: index=0,type=responder,\n")


def test_warnings_are_qemus() -> None:
    host = make_host()
    create(host, "hubport,id=n0,hubid=0")
    qemu_new_nic([Box(host, "virtio-net-pci")], [])
    assert net_check_clients(host) == ["hub port n0 has no peer", "netdev n0 has no peer", "nic virtio-net-pci.0 has no peer"]
    _, nics = hub(1)
    assert net_check_clients(nics[0].host) == ["hub 0 is not connected to host network"]
    host = make_host()
    create(host, "responder,id=r0")
    create(host, "hubport,id=h0,hubid=3,netdev=r0")
    assert net_check_clients(host) == ["hub 3 with no nics"]


def test_a_deleted_port_leaves_its_hub() -> None:
    host, (a, b, c) = hub(3)
    box = Box(host, "spare", "spare", "box")
    qemu_net_client_setup(box)
    (port,) = create(host, "hubport,id=h9,hubid=0,netdev=spare")
    qemu_del_net_client(port)
    assert qemu_send_packet_async(a, b"x") == 1
    assert (len(b.frames), len(c.frames), box.frames) == (1, 1, [])


def test_rings_of_hubs_are_refused() -> None:
    host = make_host()
    create(host, "hubport,id=a,hubid=0")
    with pytest.raises(NetOptionError, match="would close a loop of hubs"):
        create(host, "hubport,id=b,hubid=0,netdev=a")
    create(host, "hubport,id=b,hubid=1,netdev=a")
    create(host, "hubport,id=c,hubid=1")
    with pytest.raises(NetOptionError, match="would close a loop of hubs"):
        create(host, "hubport,id=d,hubid=0,netdev=c")
    with pytest.raises(NetOptionError, match="is in use"):
        create(host, "hubport,id=d,hubid=5,netdev=a")
    assert [nc.name for nc in host.clients] == ["a", "b", "c"]
