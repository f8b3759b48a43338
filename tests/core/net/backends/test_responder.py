"""The responder answers what a host answers, counts it, and survives everything else."""

from __future__ import annotations

import dpkt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringscope_core.net import packet as p
from ringscope_core.net.addresses import ip6_from_text, link_local_of
from ringscope_core.net.backends.responder import DEFAULT_GUEST_IP, DEFAULT_GUEST_MAC, DEFAULT_IP, DEFAULT_IP6, DEFAULT_MAC, Responder
from ringscope_core.net.net import qemu_flush_queued_packets, qemu_send_packet_async
from ringscope_core.net.parse import parse
from tests.core.net.boxes import Box, make_host, nic_on

GUEST6 = ip6_from_text("fec0::15")


def responder(options: str = "") -> tuple[Box, Responder]:
    nic, backend = nic_on(make_host(), "responder,id=r0" + options)
    assert isinstance(backend, Responder)
    return nic, backend


def ask(nic: Box, backend: Responder, frame: bytes) -> list[bytes]:
    """Send one frame; what comes back in the backend's turn."""
    assert qemu_send_packet_async(nic, frame) == (len(frame) or -1)
    assert nic.frames == [], "a reply inside the device's transmission"
    backend.poll()
    return nic.take()


def ping(data: bytes, destination: bytes = DEFAULT_IP) -> bytes:
    return p.ping_frame(DEFAULT_MAC, DEFAULT_GUEST_MAC, DEFAULT_GUEST_IP, destination, 0x1234, 5, data)


def echo(data: bytes, port: int = 7) -> bytes:
    return p.udp_frame(DEFAULT_MAC, DEFAULT_GUEST_MAC, DEFAULT_GUEST_IP, DEFAULT_IP, 4000, port, data)


def test_arp() -> None:
    nic, backend = responder(",mac=02:00:00:00:00:01,ip=192.0.2.1")
    (reply,) = ask(nic, backend, p.arp_request(DEFAULT_GUEST_MAC, bytes((192, 0, 2, 9)), bytes((192, 0, 2, 1))))
    answer = dpkt.ethernet.Ethernet(reply).data
    assert (answer.op, answer.sha.hex(), answer.spa, answer.tha, answer.tpa) == (
        2,
        "020000000001",
        bytes((192, 0, 2, 1)),
        DEFAULT_GUEST_MAC,
        bytes((192, 0, 2, 9)),
    )
    assert len(reply) == 60
    assert ask(nic, backend, p.arp_request(DEFAULT_GUEST_MAC, bytes((192, 0, 2, 9)), bytes((192, 0, 2, 3)))) == []
    assert backend.stats()["arp_replies"] == 1 and backend.stats()["sunk"] == 1


@pytest.mark.parametrize("size", [0, 1, 17, 18, 56, 1472, 8972, 65507])
def test_ping_of_any_size(size: int) -> None:
    nic, backend = responder()
    data = (b"0123456789" * 6600)[:size]
    (reply,) = ask(nic, backend, ping(data))
    packet = dpkt.ethernet.Ethernet(reply).data
    assert (packet.src, packet.dst) == (DEFAULT_IP, DEFAULT_GUEST_IP)
    assert (packet.data.type, packet.data.data.id, packet.data.data.seq) == (0, 0x1234, 5)
    parsed = parse(reply)
    assert parsed.error == "" and parsed.transport_checksum_ok()
    assert parsed.data() == data
    assert backend.stats()["icmp_echo_replies"] == 1


@pytest.mark.parametrize("size", [0, 1, 1472, 65507])
def test_udp_echo(size: int) -> None:
    nic, backend = responder()
    data = bytes(range(256)) * 256
    (reply,) = ask(nic, backend, echo(data[:size]))
    parsed = parse(reply)
    assert (parsed.source_port, parsed.destination_port) == (7, 4000)
    assert parsed.data() == data[:size] and parsed.transport_checksum_ok()
    assert (parsed.source_mac(), parsed.destination_mac()) == (DEFAULT_MAC, DEFAULT_GUEST_MAC)
    assert ask(nic, backend, echo(b"bulk", 9)) == []
    assert backend.stats()["udp_echo_replies"] == 1 and backend.stats()["sunk"] == 1


def test_echo_on_every_port_when_asked() -> None:
    nic, backend = responder(",echo-port=0")
    assert parse(ask(nic, backend, echo(b"x", 12345))[0]).source_port == 12345


def test_ipv6_neighbour_echo_and_udp() -> None:
    nic, backend = responder()
    for wanted in (DEFAULT_IP6, link_local_of(DEFAULT_MAC)):
        (reply,) = ask(nic, backend, p.neighbor_solicitation(DEFAULT_GUEST_MAC, GUEST6, wanted))
        parsed = parse(reply)
        assert parsed.transport_checksum_ok() and parsed.source_ip() == wanted
        assert reply[parsed.l4] == 136 and reply[parsed.l4 + 8 : parsed.l4 + 24] == wanted and reply.endswith(DEFAULT_MAC)
    (reply,) = ask(nic, backend, p.ping_frame(DEFAULT_MAC, DEFAULT_GUEST_MAC, GUEST6, DEFAULT_IP6, 9, 1, b"six" * 500))
    assert parse(reply).data() == b"six" * 500 and parse(reply).transport_checksum_ok() and reply[54] == 129
    (reply,) = ask(nic, backend, p.udp_frame(DEFAULT_MAC, DEFAULT_GUEST_MAC, GUEST6, DEFAULT_IP6, 5, 7, b"u6"))
    assert parse(reply).data() == b"u6" and parse(reply).transport_checksum_ok()
    counts = backend.stats()
    assert (counts["neighbor_advertisements"], counts["icmp6_echo_replies"], counts["udp_echo_replies"]) == (2, 1, 1)


def test_a_tagged_request_gets_a_tagged_reply() -> None:
    nic, backend = responder()
    (reply,) = ask(nic, backend, p.vlan(DEFAULT_MAC, DEFAULT_GUEST_MAC, 100, p.ETH_P_IP, ping(b"v")[14:]))
    assert parse(reply).vlan_tci == 100 and parse(reply).data() == b"v"


def test_damage_and_strangers_get_no_answer() -> None:
    nic, backend = responder()
    good = ping(b"hello")
    assert ask(nic, backend, good[:-1] + b"X") == []
    assert ask(nic, backend, good[:20]) == []
    assert ask(nic, backend, b"") == []
    assert backend.stats()["malformed"] == 3
    assert ask(nic, backend, ping(b"x", bytes((10, 0, 2, 99)))) == []
    assert ask(nic, backend, bytes.fromhex("020000000009") + good[6:]) == []
    assert ask(nic, backend, p.ping_frame(DEFAULT_MAC, DEFAULT_GUEST_MAC, DEFAULT_IP, DEFAULT_IP, 1, 1, b"me")) == []
    assert backend.stats()["sunk"] == 3


def test_replies_wait_for_a_driver_without_buffers_and_keep_their_order() -> None:
    nic, backend = responder()
    nic.answers = [0]
    for number in range(5):
        qemu_send_packet_async(nic, ping(bytes((number,))))
    backend.poll()
    backend.poll()
    assert nic.frames == [] and not backend.done()
    qemu_flush_queued_packets(nic)
    backend.poll()
    assert [parse(frame).data() for frame in nic.take()] == [bytes((number,)) for number in range(5)]
    assert backend.done()


def test_a_driver_that_takes_nothing_costs_a_bounded_backlog() -> None:
    nic, backend = responder()
    nic.ready = False
    for _ in range(10_050):
        qemu_send_packet_async(nic, ping(b""))
    assert backend.drops() == {"backlog full": 50}


def test_latency_is_virtual_time() -> None:
    nic, backend = responder(",latency-ns=1000")
    clock, loop = nic.host.log.clock, nic.host.loop
    assert ask(nic, backend, ping(b"a")) == []
    clock.advance_to(400)
    assert ask(nic, backend, ping(b"b")) == []
    assert loop.next_deadline_ns() == 1000 and not backend.done()
    for when, data in ((1000, b"a"), (1400, b"b")):
        clock.advance_to(loop.next_deadline_ns())
        assert clock.now_ns == when
        loop.run_timers()
        backend.poll()
        assert [parse(frame).data() for frame in nic.take()] == [data]
    assert backend.done() and loop.next_deadline_ns() == -1


def test_replies_of_a_turn_are_one_burst() -> None:
    nic, backend = responder()
    for _ in range(3):
        qemu_send_packet_async(nic, ping(b""))
    backend.poll()
    assert nic.notes == ["begin", "end"] and len(nic.frames) == 3


def test_bulk_frames_at_a_rate() -> None:
    nic, backend = nic_on(make_host(), "source,id=s0,pps=1000,size=100,count=5,start-ns=500,flows=2")
    clock, loop = nic.host.log.clock, nic.host.loop
    times: list[int] = []
    while not backend.done():
        if backend.poll() == 0:
            clock.advance_to(loop.next_deadline_ns())
            loop.run_timers()
        times += [int(clock.now_ns)] * len(nic.frames[len(times) :])
    assert times == [500, 1_000_500, 2_000_500, 3_000_500, 4_000_500]
    assert [len(frame) for frame in nic.frames] == [100] * 5
    assert [int.from_bytes(frame[42:50], "big") for frame in nic.frames] == [0, 1, 2, 3, 4]
    for number, frame in enumerate(nic.frames):
        parsed = parse(frame)
        assert parsed.error == "" and parsed.transport_checksum_ok()
        assert (parsed.destination_port, parsed.source_port) == (9, 49152 + number % 2)
        assert (parsed.destination_mac(), parsed.destination_ip()) == (DEFAULT_GUEST_MAC, DEFAULT_GUEST_IP)


@pytest.mark.parametrize("size", [50, 64, 1514, 65549])
def test_bulk_flat_out_stops_when_refused_and_loses_nothing(size: int) -> None:
    nic, backend = nic_on(make_host(), f"responder,id=r0,bulk.size={size},bulk.count=600")
    nic.answers = [1] * 300 + [0]
    assert (backend.poll(), backend.poll(), backend.poll()) == (256, 45, 0)
    qemu_flush_queued_packets(nic)
    while not backend.done():
        backend.poll()
    assert [int.from_bytes(frame[42:50], "big") for frame in nic.frames] == list(range(600))
    assert {len(frame) for frame in nic.frames} == {size}
    assert backend.stats()["tx_frames"] == 600


def test_bulk_goes_where_the_guest_says_it_is() -> None:
    nic, backend = responder(",bulk.count=1")
    mac, ip = bytes.fromhex("020304050607"), bytes((10, 0, 2, 77))
    reply, frame = ask(nic, backend, p.arp_request(mac, ip, DEFAULT_IP))
    assert reply[:6] == mac
    assert (parse(frame).destination_mac(), parse(frame).destination_ip()) == (mac, ip)
    assert parse(frame).error == ""


@settings(max_examples=300, deadline=None)
@given(st.lists(st.one_of(st.binary(max_size=90), st.tuples(st.integers(0, 6), st.integers(0, 120), st.integers(0, 255), st.integers(0, 120))), max_size=6))
def test_no_frame_breaks_it(frames: list[bytes | tuple[int, int, int, int]]) -> None:
    nic, backend = responder()
    samples = (
        ping(b"hello" * 9),
        echo(b"hello" * 9),
        p.arp_request(DEFAULT_GUEST_MAC, DEFAULT_GUEST_IP, DEFAULT_IP),
        p.neighbor_solicitation(DEFAULT_GUEST_MAC, GUEST6, DEFAULT_IP6),
        p.ping_frame(DEFAULT_MAC, DEFAULT_GUEST_MAC, GUEST6, DEFAULT_IP6, 9, 1, b"six" * 9),
        p.vlan(DEFAULT_MAC, DEFAULT_GUEST_MAC, 5, p.ETH_P_IP, ping(b"v")[14:]),
        p.vlan(DEFAULT_MAC, DEFAULT_GUEST_MAC, 5, p.ETH_P_VLAN, b"\0\1\x08\x06"),
    )
    for given_frame in frames:
        if isinstance(given_frame, tuple):
            which, at, value, cut = given_frame
            changed = bytearray(samples[which])
            changed[at % len(changed)] = value
            given_frame = bytes(changed[:cut] if cut % 2 else changed)
        assert qemu_send_packet_async(nic, given_frame) == (len(given_frame) or -1)
        backend.poll()
    counts = backend.stats()
    assert counts["sunk"] + counts["malformed"] + int(backend.replies()) == counts["rx_frames"] == len(frames)
    for reply in nic.frames:
        assert parse(reply).error == "" and parse(reply).transport_checksum_ok() and len(reply) >= 60
