"""Frames that we build are what dpkt, which knows nothing of us, reads; frames that are anything never break `parse`."""

from __future__ import annotations

import dpkt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringscope_core.net import packet as p
from ringscope_core.net.addresses import ip4_from_text, ip6_from_text, ip_to_text, link_local_of, mac_from_text, mac_to_text, solicited_node_of
from ringscope_core.net.parse import flow_hash, parse

GUEST_MAC = mac_from_text("52:54:00:12:34:56")
HOST_MAC = mac_from_text("52-55-0a-0-2-2")
GUEST, HOST = ip4_from_text("10.0.2.15"), ip4_from_text("10.0.2.2")
GUEST6, HOST6 = ip6_from_text("fec0::15"), ip6_from_text("fec0::2")


def test_udp_over_ipv4() -> None:
    frame = p.udp_frame(HOST_MAC, GUEST_MAC, GUEST, HOST, 4000, 7, b"hello")
    ethernet = dpkt.ethernet.Ethernet(frame)
    assert (ethernet.dst, ethernet.src, ethernet.type) == (HOST_MAC, GUEST_MAC, 0x0800)
    packet = ethernet.data
    assert (packet.src, packet.dst, packet.ttl, packet.len) == (GUEST, HOST, 64, 33)
    assert (packet.data.sport, packet.data.dport, packet.data.data) == (4000, 7, b"hello")
    # dpkt computes a checksum anew when it is zero
    packet.sum = packet.data.sum = 0
    assert bytes(ethernet) == frame


def test_icmp_echo_and_tcp_checksums_are_those_of_dpkt() -> None:
    ping = dpkt.ip.IP(p.ipv4(GUEST, HOST, p.IPPROTO_ICMP, p.icmp_echo(p.ICMP_ECHO, 7, 1, b"abc")))
    assert isinstance(ping.data, dpkt.icmp.ICMP) and (ping.data.data.id, ping.data.data.seq) == (7, 1)
    before = bytes(ping)
    ping.data.sum = 0
    assert bytes(ping) == before
    segment = dpkt.ip.IP(p.ipv4(GUEST, HOST, p.IPPROTO_TCP, p.tcp(GUEST, HOST, 1, 80, 2**32 - 1, 5, p.TCP_SYN | p.TCP_ACK, b"x")))
    assert (segment.data.seq, segment.data.ack, segment.data.flags) == (2**32 - 1, 5, 0x12)
    before = bytes(segment)
    segment.sum = segment.data.sum = 0
    assert bytes(segment) == before


def test_ipv6_neighbor_solicitation_goes_to_the_solicited_group() -> None:
    frame = p.neighbor_solicitation(GUEST_MAC, GUEST6, HOST6)
    assert frame[:6].hex() == "3333ff000002"
    packet = dpkt.ip6.IP6(frame[14:])
    assert packet.dst == solicited_node_of(HOST6) and packet.hlim == 255
    assert parse(frame).transport_checksum_ok()
    assert ip_to_text(link_local_of(GUEST_MAC)) == "fe80::5054:ff:fe12:3456"


@pytest.mark.parametrize("source,destination", [(GUEST, HOST), (GUEST6, HOST6)])
@pytest.mark.parametrize("size", [0, 1, 1000, 65000])
def test_parse_finds_what_was_built(source: bytes, destination: bytes, size: int) -> None:
    data = bytes(range(256)) * (size // 256 + 1)
    frame = p.udp_frame(HOST_MAC, GUEST_MAC, source, destination, 4000, 7, data[:size])
    parsed = parse(p.pad(frame))
    assert parsed.error == ""
    assert (parsed.source_ip(), parsed.destination_ip()) == (source, destination)
    assert (parsed.source_port, parsed.destination_port, parsed.protocol) == (4000, 7, p.IPPROTO_UDP)
    assert parsed.data() == data[:size]
    assert parsed.transport_checksum_ok()
    damaged = frame[:-1] + bytes((frame[-1] ^ 1,))
    assert not (parse(damaged).error == "" and parse(damaged).transport_checksum_ok()) or size == 0


def test_parse_says_what_is_wrong() -> None:
    good = p.udp_frame(HOST_MAC, GUEST_MAC, GUEST, HOST, 1, 2, b"data")
    assert parse(good[:13]).error == "runt"
    assert parse(good[:30]).error == "IPv4 header cut"
    assert parse(good[:40]).error == "IPv4 length"
    assert parse(good[:24] + b"\0\0" + good[26:]).error == "IPv4 header checksum"
    assert parse(good[:38] + b"\xff\xff" + good[40:]).error == "UDP length"
    assert parse(p.arp_request(GUEST_MAC, GUEST, HOST)[:30]).error == "ARP packet cut"
    tagged = p.vlan(HOST_MAC, GUEST_MAC, 0x2005, p.ETH_P_IP, good[14:])
    assert (parse(tagged).vlan_tci, parse(tagged).data()) == (0x2005, b"data")


def test_a_fragment_has_no_transport_header() -> None:
    first = p.ethernet(HOST_MAC, GUEST_MAC, p.ETH_P_IP, p.ipv4(GUEST, HOST, p.IPPROTO_UDP, bytes(16), 1, 64, p.IP_MF))
    assert parse(first).l4 == -1 and parse(first).fragment == p.IP_MF and parse(first).data() == bytes(16)


@given(st.binary(max_size=120), st.sampled_from([b"", b"\x08\x00\x45", b"\x08\x06", b"\x86\xdd\x60", b"\x81\x00\x00\x01\x08\x00\x45"]))
def test_any_bytes_are_parsed_without_a_sound(rest: bytes, start: bytes) -> None:
    frame = (HOST_MAC + GUEST_MAC + start + rest) if start else rest
    parsed = parse(frame)
    assert parsed.data() in frame
    assert len(parsed.source_ip()) == len(parsed.destination_ip()) in (0, 4, 16)
    assert parsed.transport_checksum_ok() in (True, False)
    assert flow_hash(frame) >= 0


def test_both_directions_of_a_flow_share_a_hash_and_flows_spread() -> None:
    there = p.udp_frame(HOST_MAC, GUEST_MAC, GUEST, HOST, 4000, 7, b"x")
    back = p.udp_frame(GUEST_MAC, HOST_MAC, HOST, GUEST, 7, 4000, b"yy")
    assert flow_hash(there) == flow_hash(back)
    queues = {int(flow_hash(p.udp_frame(HOST_MAC, GUEST_MAC, GUEST, HOST, 4000 + n, 7, b""))) % 4 for n in range(64)}
    assert queues == {0, 1, 2, 3}


def test_addresses_that_are_none_are_refused() -> None:
    assert mac_to_text(GUEST_MAC) == "52:54:00:12:34:56"
    for text in ("", "52:54:00:12:34", "52:54:00:12:34:5g", "52:54:00:12:34:567", "52:54:00:12:34:", "5 :54:00:12:34:56", "52:54:00:12:34:+6"):
        with pytest.raises(ValueError):
            mac_from_text(text)
