"""Clients, queues and peers behave as net/net.c and net/queue.c do."""

from __future__ import annotations

import pytest

from ringscope_core.net.errors import NetOptionError
from ringscope_core.net.net import (
    NET_BUFSIZE,
    NetHost,
    net_vm_change_state,
    qemu_begin_burst,
    qemu_can_send_packet,
    qemu_del_net_client,
    qemu_del_nic,
    qemu_end_burst,
    qemu_flush_queued_packets,
    qemu_net_client_setup,
    qemu_new_nic,
    qemu_purge_queued_packets,
    qemu_send_packet,
    qemu_send_packet_async,
    qemu_set_link,
    qmp_set_link,
)
from tests.core.net.boxes import Box, make_host


def pair() -> tuple[NetHost, Box, Box]:
    host = make_host()
    backend = Box(host, "box", "n0", "box")
    qemu_net_client_setup(backend)
    nic = Box(host, "virtio-net-pci")
    qemu_new_nic([nic], [backend])
    return host, nic, backend


def test_frames_reach_the_peer_at_once() -> None:
    _, nic, backend = pair()
    assert qemu_send_packet_async(nic, b"one") == 3
    assert qemu_send_packet(backend, b"four") == 4
    assert backend.frames == [b"one"]
    assert nic.frames == [b"four"]
    assert nic.notes == backend.notes == []


def test_a_refused_frame_waits_and_later_ones_behind_it() -> None:
    _, nic, backend = pair()
    nic.answers = [0]
    assert qemu_send_packet_async(backend, b"a") == 0
    assert nic.receive_disabled
    assert not qemu_can_send_packet(backend)
    assert qemu_send_packet_async(backend, b"b") == 0
    assert nic.frames == []
    qemu_flush_queued_packets(nic)
    assert nic.frames == [b"a", b"b"]
    assert nic.notes == ["begin", "end"]
    assert backend.notes == ["complete 1", "complete 1"]
    assert qemu_can_send_packet(backend)


def test_a_flush_stops_at_the_next_refusal_and_keeps_the_order() -> None:
    _, nic, backend = pair()
    nic.answers = [0]
    for frame in (b"a", b"b", b"c"):
        qemu_send_packet_async(backend, frame)
    nic.answers = [1, 0]
    qemu_flush_queued_packets(nic)
    assert nic.frames == [b"a"]
    qemu_flush_queued_packets(nic)
    assert nic.frames == [b"a", b"b", b"c"]


def test_an_error_consumes_the_frame() -> None:
    _, nic, backend = pair()
    nic.answers = [-1]
    assert qemu_send_packet_async(backend, b"gone") == -1
    assert not nic.receive_disabled
    assert nic.incoming_queue.nq_count == 0


def test_a_client_that_cannot_receive_makes_frames_wait_without_being_asked() -> None:
    _, nic, backend = pair()
    backend.ready = False
    assert qemu_send_packet_async(nic, b"waits") == 0
    assert not backend.receive_disabled
    backend.ready = True
    # a later frame does not overtake: delivering it flushes, but only after itself (as QEMU does)
    assert qemu_send_packet_async(nic, b"next") == 4
    assert backend.frames == [b"next", b"waits"]
    assert nic.notes == ["complete 5"]


def test_a_frame_sent_during_a_delivery_waits_for_its_end() -> None:
    _, nic, backend = pair()
    backend.echo = b"reply"
    nic.echo = b"again"
    qemu_send_packet_async(nic, b"ask")
    assert nic.frames == [b"reply"]
    # "again" came while "ask" was being delivered
    assert backend.frames == [b"ask", b"again"]
    assert nic.notes == ["complete 5"]


def test_frames_too_long_link_down_or_without_peer_count_as_sent() -> None:
    host, nic, backend = pair()
    long_frame = bytes(int(NET_BUFSIZE) + 1)
    assert qemu_send_packet_async(nic, long_frame) == len(long_frame)
    assert qemu_send_packet(nic, long_frame) == len(long_frame)
    assert nic.oversize_drops == 2
    assert qemu_send_packet_async(nic, long_frame[1:]) == NET_BUFSIZE
    nic.link_down = True
    assert qemu_send_packet_async(nic, b"x") == 1
    nic.link_down = False
    backend.link_down = True
    assert qemu_send_packet_async(nic, b"x") == 1
    assert qemu_send_packet(nic, b"x") == 1
    alone = Box(host)
    qemu_net_client_setup(alone)
    assert qemu_send_packet_async(alone, b"x") == 1
    assert qemu_can_send_packet(alone)
    assert [len(frame) for frame in backend.frames] == [NET_BUFSIZE]


def test_without_callback_ten_thousand_wait_and_the_rest_is_dropped() -> None:
    _, nic, backend = pair()
    nic.ready = False
    for number in range(10_003):
        qemu_send_packet(backend, number.to_bytes(2, "big"))
    assert nic.incoming_queue.nq_count == 10_000
    assert nic.incoming_queue.dropped == 3
    # one that wants to hear of it always fits
    qemu_send_packet_async(backend, b"asked")
    nic.ready = True
    qemu_flush_queued_packets(nic)
    assert len(nic.frames) == 10_001
    assert nic.frames[9_999] == (9_999).to_bytes(2, "big")
    assert backend.notes == ["complete 5"]


def test_purge_completes_with_zero_what_the_sender_has_waiting() -> None:
    _, nic, backend = pair()
    backend.ready = False
    qemu_send_packet_async(nic, b"a")
    qemu_send_packet(nic, b"b")
    qemu_purge_queued_packets(nic)
    assert nic.notes == ["complete 0"]
    assert backend.incoming_queue.nq_count == 0


def test_nothing_moves_while_the_machine_is_stopped() -> None:
    host, nic, backend = pair()
    nic.ready = False
    qemu_send_packet_async(backend, b"late")
    net_vm_change_state(host, False)
    # on stopping, what the NIC still takes is delivered (flush does not ask can_receive)
    assert nic.frames == [b"late"]
    assert qemu_send_packet_async(backend, b"stopped") == 0
    nic.ready = True
    net_vm_change_state(host, True)
    assert nic.frames == [b"late", b"stopped"]


def test_stopping_purges_what_is_refused() -> None:
    host, nic, backend = pair()
    nic.answers = [0, 0]
    qemu_send_packet_async(backend, b"x")
    net_vm_change_state(host, False)
    assert nic.frames == []
    assert backend.notes == ["complete 0"]


def test_bursts_do_not_nest() -> None:
    _, nic, backend = pair()
    nic.ready = False
    for frame in (b"a", b"b"):
        qemu_send_packet_async(backend, frame)
    nic.ready = True
    qemu_begin_burst(backend)
    qemu_begin_burst(backend)
    qemu_flush_queued_packets(nic)
    qemu_end_burst(backend)
    qemu_end_burst(backend)
    assert nic.notes == ["begin", "end"]


def test_link_of_a_backend_takes_the_nic_with_it() -> None:
    host, nic, backend = pair()
    qmp_set_link(host, "n0", False)
    assert nic.link_down and backend.link_down
    assert nic.notes == ["link"] and backend.notes == ["link"]
    qmp_set_link(host, "n0", True)
    assert not nic.link_down


def test_link_of_a_nic_leaves_the_backend_up() -> None:
    _, nic, backend = pair()
    qemu_set_link([nic], False)
    assert nic.link_down and not backend.link_down
    with pytest.raises(NetOptionError, match=r"^Device 'nobody' not found$"):
        qmp_set_link(nic.host, "nobody", True)


def test_names_and_mac_addresses_as_qemu_gives_them() -> None:
    host, nic, _ = pair()
    second = Box(host, "virtio-net-pci")
    qemu_new_nic([second, Box(host, "virtio-net-pci")], [])
    assert nic.name == "virtio-net-pci.0"
    assert [nc.name for nc in host.clients[2:]] == ["virtio-net-pci.1", "virtio-net-pci.1"]
    assert [int(nc.queue_index) for nc in host.clients[2:]] == [0, 1]
    first = host.macaddr_default_if_unset(bytes(6))
    assert first.hex(":") == "52:54:00:12:34:56"
    assert host.macaddr_default_if_unset(bytes.fromhex("525400123457"))[5] == 0x57
    assert host.macaddr_default_if_unset(bytes(6))[5] == 0x58
    host.macaddr_set_free(first)
    assert host.macaddr_default_if_unset(bytes(6)) == first
    assert host.macaddr_default_if_unset(bytes.fromhex("020304050607")).hex() == "020304050607"


def test_a_deleted_backend_stays_until_its_nic_goes() -> None:
    host, nic, backend = pair()
    qemu_del_net_client(backend)
    qemu_del_net_client(backend)
    assert backend.notes == ["cleanup"]
    assert nic.link_down and nic.notes == ["link"]
    assert nic.peer is backend and host.clients == [nic]
    assert nic.nic is not None
    qemu_del_nic(nic.nic)
    assert nic.peer is None and backend.peer is None
    assert host.clients == []


def test_deleting_a_nic_first_leaves_its_backend_free() -> None:
    host, nic, backend = pair()
    backend.ready = False
    qemu_send_packet_async(nic, b"way")
    assert nic.nic is not None
    nic.nic.mac = host.macaddr_default_if_unset(bytes(6))
    qemu_del_nic(nic.nic)
    assert nic.notes == ["complete 0", "cleanup"]
    assert backend.peer is None and backend.incoming_queue.nq_count == 0
    assert host.macaddr_default_if_unset(bytes(6))[5] == 0x56
    qemu_del_net_client(backend)
    assert host.clients == []
