"""The guest's stack, asked from outside through the device."""

from __future__ import annotations

from pathlib import Path

import pytest

from ringscope_core.net.backends.backend import Backend
from ringscope_core.net.backends.registry import inject
from ringscope_core.net.packet import IPPROTO_TCP, arp_request, ethernet, ipv4, ping_frame, tcp, udp_frame
from ringscope_core.net.parse import parse
from ringscope_core.trace.packets import DIR_TX, PacketSink
from tests.core.guest.box import Box, traffic

PEER_MAC = bytes.fromhex("525500000001")
PEER = bytes((10, 0, 2, 77))
GUEST_MAC = bytes.fromhex("525400123456")
GUEST = bytes((10, 0, 2, 15))


class Sent(PacketSink):
    """Frames the device handed to its peer."""

    def __init__(self) -> None:
        self.frames: list[bytes] = []

    def on_packet(self, packet: int, vt: int, wall: int, direction: int, queue: int, head: int, seq: int, frame: bytes, header: bytes) -> None:
        if direction == DIR_TX:
            self.frames.append(frame)


def _ask(*frames: bytes) -> tuple[Box, list[bytes]]:
    """Boot, inject, return what the guest sent."""
    box = Box()
    sent = Sent()
    box.machine.packets.sink = sent
    box.guest.boot()
    box.run()
    backend = next(client for client in box.machine.net.clients if isinstance(client, Backend))
    for frame in frames:
        inject(backend, frame)
        box.run()
    return box, sent.frames


def test_the_guest_answers_arp() -> None:
    _, frames = _ask(arp_request(PEER_MAC, PEER, GUEST))
    assert [(frame[:6], frame[6:12], frame[20:22], frame[22:28], frame[28:32]) for frame in frames] == [
        (PEER_MAC, GUEST_MAC, b"\x00\x02", GUEST_MAC, GUEST),
    ]


def test_the_guest_answers_ping_and_udp_echo() -> None:
    data = bytes(range(200))
    box, frames = _ask(
        ping_frame(GUEST_MAC, PEER_MAC, PEER, GUEST, 7, 9, data),
        udp_frame(GUEST_MAC, PEER_MAC, PEER, GUEST, 5000, 7, data),
    )
    ping, echo = (parse(frame) for frame in frames)
    assert (ping.error, ping.transport_checksum_ok(), ping.data(), ping.destination_ip()) == ("", True, data, PEER)
    assert frames[0][34] == 0, "an echo reply"
    assert (echo.source_port, echo.destination_port, echo.data(), echo.transport_checksum_ok()) == (7, 5000, data, True)
    stack = box.guest.interfaces[0].stack
    assert (stack.echo_replies, stack.udp_echoes) == (1, 1)


@pytest.mark.parametrize(
    "frame",
    [
        arp_request(PEER_MAC, PEER, PEER),
        udp_frame(GUEST_MAC, PEER_MAC, PEER, GUEST, 5000, 4444, b"nobody listens"),
        ping_frame(GUEST_MAC, PEER_MAC, PEER, bytes((10, 0, 2, 99)), 1, 1, b"for another host"),
        ethernet(GUEST_MAC, PEER_MAC, 0x0800, ipv4(PEER, GUEST, IPPROTO_TCP, tcp(PEER, GUEST, 1, 2, 3, 4, 2, b""))),
        b"\x00",
        bytes(60),
    ],
)
def test_what_nobody_asked_for_is_counted_and_left(frame: bytes) -> None:
    box, frames = _ask(frame)
    stack = box.guest.interfaces[0].stack
    assert not frames
    assert stack.delivered.count == 1
    assert stack.ignored + stack.malformed == 1


def test_a_broken_checksum_is_not_answered() -> None:
    frame = bytearray(ping_frame(GUEST_MAC, PEER_MAC, PEER, GUEST, 7, 9, b"abcd"))
    frame[-1] ^= 1
    box, frames = _ask(bytes(frame))
    assert not frames
    assert box.guest.interfaces[0].stack.malformed == 1


def test_an_address_nobody_has_is_asked_for_once_a_second(tmp_path: Path) -> None:
    box = Box(netdev=f"pcap,id=n0,out={tmp_path / 'sent.pcap'}", traffic=[traffic("ping", rate_pps=10, count=5)])
    sent = Sent()
    box.machine.packets.sink = sent
    box.guest.boot()
    box.run()
    assert [frame[12:14] for frame in sent.frames] == [b"\x08\x06"] * 4
    stats = box.guest.stats()[0]
    assert (stats["sent"], stats["received"], stats["lost"]) == (5, 0, 5)
    assert box.guest.finished()
    box.close()


def test_bulk_goes_to_everybody_where_nobody_answers_arp(tmp_path: Path) -> None:
    box = Box(netdev=f"pcap,id=n0,out={tmp_path / 'sent.pcap'}", traffic=[traffic("bulk-tx", count=10, size=64)])
    sent = Sent()
    box.machine.packets.sink = sent
    box.guest.boot()
    box.run()
    bulk = [frame for frame in sent.frames if frame[12:14] == b"\x08\x00"]
    assert len(bulk) == 10
    assert {frame[:6] for frame in bulk} == {b"\xff" * 6}
    assert box.log.clock.now_ns >= 3_000_000_000
    box.close()
