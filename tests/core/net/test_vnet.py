"""virtio_net_hdr at backends: finished exactly once, presented as the driver wants it, or passed on untouched."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import pytest

from ringscope_core.net.backends import backend_drops, backend_stats, create, inject
from ringscope_core.net.client import NetClientState
from ringscope_core.net.errors import NetOptionError
from ringscope_core.net.host import NetHost
from ringscope_core.net.net import qemu_flush_queued_packets, qemu_new_nic, qemu_send_packet_async
from ringscope_core.net.packet import ETH_P_IP, arp_request, ethernet, ipv4, ipv6, tcp, udp
from ringscope_core.net.parse import parse
from ringscope_core.trace.clock import Clock
from ringscope_core.trace.log import EventLog
from ringscope_core.trace.mainloop import MainLoop

GUEST_MAC, GUEST = bytes.fromhex("525400123456"), bytes((10, 0, 2, 15))
HOST_MAC, HOST = bytes.fromhex("52550a000202"), bytes((10, 0, 2, 2))
G6, H6 = bytes.fromhex("fec0000000000000000000000000000f"), bytes.fromhex("fec00000000000000000000000000002")


class Nic(NetClientState):
    """A device that uses headers of 12 bytes."""

    def __init__(self, host: NetHost) -> None:
        super().__init__(host, "nic", "")
        self.got: list[bytes] = []
        self.full = False

    def receive(self, frame: bytes) -> int:
        if self.full:
            return 0
        self.got.append(frame)
        return len(frame)


class Net:
    """NICs, each on a backend."""

    made: ClassVar[list[Net]] = []

    def __init__(self, *backends: str, offloads: tuple[bool, ...] = (False,) * 5) -> None:
        clock = Clock()
        self.host = NetHost(EventLog(clock), MainLoop(clock))
        self.nics: list[Nic] = []
        Net.made.append(self)
        for text in backends:
            self.nics.append(nic := Nic(self.host))
            peers = create(self.host, text)
            qemu_new_nic([nic], peers[:1])
            peer = peers[0]
            if peer.has_vnet_hdr():
                peer.using_vnet_hdr(True)
                assert peer.has_vnet_hdr_len(12)
                assert not peer.has_vnet_hdr_len(11)
                peer.set_vnet_hdr_len(12)
                peer.set_offload(*offloads)

    @property
    def nic(self) -> Nic:
        return self.nics[0]

    def send(self, header: bytes, frame: bytes, nic: int = 0) -> int:
        ret = qemu_send_packet_async(self.nics[nic], header + frame)
        while self.host.poll():
            pass
        return ret


def header(flags: int = 0, kind: int = 0, hdr_len: int = 0, gso: int = 0, start: int = 0, offset: int = 0) -> bytes:
    """struct virtio_net_hdr_mrg_rxbuf."""
    return struct.pack("<BBHHHHH", flags, kind, hdr_len, gso, start, offset, 0)


def pseudo(source: bytes, destination: bytes, protocol: int, length: int) -> bytes:
    """The sum that a driver leaves in the checksum field."""
    data = source + destination + struct.pack(">HH", protocol, length)
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return struct.pack(">H", total)


def udp_unfinished(data: bytes, port: int = 7) -> bytes:
    """A UDP frame to the host whose checksum the device is to make."""
    body = udp(GUEST, HOST, 1000, port, data)
    body = body[:6] + pseudo(GUEST, HOST, 17, len(body)) + body[8:]
    return ethernet(HOST_MAC, GUEST_MAC, ETH_P_IP, ipv4(GUEST, HOST, 17, body))


def tcp_unfinished(data: bytes, v6: bool = False) -> bytes:
    source, destination = (G6, H6) if v6 else (GUEST, HOST)
    body = tcp(source, destination, 1000, 80, 1, 1, 24, data)
    body = body[:16] + pseudo(source, destination, 6, len(body)) + body[18:]
    if v6:
        return ethernet(HOST_MAC, GUEST_MAC, 0x86DD, ipv6(source, destination, 6, body))
    return ethernet(HOST_MAC, GUEST_MAC, ETH_P_IP, ipv4(source, destination, 6, body))


TCP_HEADER = header(1, 1, 54, 1000, 34, 16)
TCP6_HEADER = header(1, 4, 74, 1000, 54, 16)
UDP_HEADER = header(1, 0, 0, 0, 34, 6)
UFO_HEADER = header(1, 3, 42, 1000, 34, 6)
ALL = (True,) * 5


class Wire:
    """The other end of a dgram backend."""

    def __init__(self) -> None:
        self.near, self.far = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.far.setblocking(False)

    def option(self, rest: str = "") -> str:
        return f"dgram,id=n0,local.type=fd,local.str={self.near.fileno()},vnet_hdr=on{rest}"

    def read(self) -> list[bytes]:
        out = []
        while True:
            try:
                out.append(self.far.recv(1 << 17))
            except BlockingIOError:
                return out


@pytest.fixture
def wire() -> Iterator[Wire]:
    made = Wire()
    yield made
    made.near.close()
    made.far.close()


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    """What a test opens is closed."""
    yield
    while Net.made:
        Net.made.pop().host.close()


def test_a_checksum_is_finished_before_the_socket(wire: Wire) -> None:
    net = Net(wire.option())
    net.send(UDP_HEADER, udp_unfinished(b"hello"))
    (frame,) = wire.read()
    assert parse(frame).transport_checksum_ok() and parse(frame).data() == b"hello"
    net.send(header(), frame)
    assert wire.read() == [frame]
    assert backend_stats(net.host)["n0"]["checksums_done"] == 1


@pytest.mark.parametrize("v6", [False, True])
def test_segments_leave_for_the_socket(wire: Wire, v6: bool) -> None:
    net = Net(wire.option())
    data = bytes(i * 7 & 0xFF for i in range(2500))
    net.send(TCP6_HEADER if v6 else TCP_HEADER, tcp_unfinished(data, v6))
    frames = wire.read()
    assert [len(parse(frame).data()) for frame in frames] == [1000, 1000, 500]
    assert all(parse(frame).transport_checksum_ok() for frame in frames)
    assert b"".join(parse(frame).data() for frame in frames) == data


def test_a_full_socket_loses_and_repeats_nothing(wire: Wire) -> None:
    net = Net(wire.option())
    wire.near.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4608)
    sent = b""
    got: list[bytes] = []
    for number in range(12):
        data = bytes([number]) * 5000
        sent += data
        qemu_send_packet_async(net.nic, TCP_HEADER + tcp_unfinished(data))
    for _ in range(100):
        got += wire.read()
        net.host.poll()
    assert b"".join(parse(frame).data() for frame in got) == sent


@pytest.mark.parametrize(
    ("bad", "frame"),
    [
        (header(1, 0, 0, 0, 300, 6), udp_unfinished(b"x")),
        (header(1, 0, 0, 0, 34, 60000), udp_unfinished(b"x")),
        (header(1, 1, 54, 0, 34, 16), tcp_unfinished(b"x")),
        (header(1, 4, 54, 100, 34, 16), tcp_unfinished(b"x")),
        (header(1, 77, 54, 100, 34, 16), tcp_unfinished(b"x")),
        (b"\1\2", b""),
    ],
    ids=["start outside", "field outside", "no size", "another protocol", "unknown type", "cut"],
)
def test_a_header_that_contradicts_the_frame_is_dropped(wire: Wire, bad: bytes, frame: bytes) -> None:
    net = Net(wire.option())
    assert net.send(bad, frame) == len(bad + frame)
    assert wire.read() == []
    assert backend_drops(net.host) == {"bad header": 1}


def test_a_frame_without_header_stays_plain(wire: Wire) -> None:
    net = Net(wire.option())
    peer = net.nic.peer
    assert peer is not None
    peer.receive_raw(b"raw frame" * 9)
    assert wire.read() == [b"raw frame" * 9]


def finished(frame: bytes) -> bytes:
    """The frame with its checksum, as it comes over a wire."""
    parsed = parse(frame)
    rest = frame[parsed.l4 : parsed.end]
    build = tcp if parsed.protocol == 6 else udp
    if build is tcp:
        whole = tcp(parsed.source_ip(), parsed.destination_ip(), parsed.source_port, parsed.destination_port, 1, 1, rest[13], parsed.data())
    else:
        whole = udp(parsed.source_ip(), parsed.destination_ip(), parsed.source_port, parsed.destination_port, parsed.data())
    return frame[: parsed.l4] + whole


@pytest.mark.parametrize("rx_csum", ["none", "valid", "partial"])
@pytest.mark.parametrize("takes", [False, True])
def test_checksums_towards_the_driver(wire: Wire, rx_csum: str, takes: bool) -> None:
    net = Net(wire.option(f",rx_csum={rx_csum}"), offloads=(takes,) * 5)
    whole = finished(udp_unfinished(b"data" * 10))
    wire.far.send(whole)
    net.host.poll()
    (got,) = net.nic.got
    flags = {"none": 0, "valid": 2, "partial": 1}[rx_csum] if takes else 0
    assert got[0] == flags
    if flags == 1:
        assert got[:12] == UDP_HEADER
        assert got[12:] == udp_unfinished(b"data" * 10)
    else:
        assert (got[1:12], got[12:]) == (bytes(11), whole)


@pytest.mark.parametrize("rx_csum", ["valid", "partial"])
def test_what_is_wrong_or_padded_is_not_vouched_for(wire: Wire, rx_csum: str) -> None:
    net = Net(wire.option(f",rx_csum={rx_csum}"), offloads=ALL)
    whole = finished(udp_unfinished(b"data"))
    for frame in (whole[:-1] + b"X", arp_request(HOST_MAC, HOST, GUEST), whole + bytes(18), whole[:40] + b"\0\0" + whole[42:]):
        wire.far.send(frame)
    net.host.poll()
    assert [got[0] for got in net.nic.got] == [0, 0, 2, 0]


@pytest.mark.parametrize("v6", [False, True])
def test_big_frames_come_as_one_to_a_driver_that_takes_them(wire: Wire, v6: bool) -> None:
    data = bytes(i & 0xFF for i in range(5000))
    big = finished(tcp_unfinished(data, v6))
    one = Net(wire.option(), offloads=ALL)
    wire.far.send(big)
    one.host.poll()
    (got,) = one.nic.got
    mss = 1440 if v6 else 1460
    assert got[:12] == header(1, 4 if v6 else 1, 74 if v6 else 54, mss, 54 if v6 else 34, 16)
    assert got[12:] == tcp_unfinished(data, v6)


@pytest.mark.parametrize("offloads", [(False,) * 5, (True, False, False, False, False), (True, False, True, True, True)])
def test_big_frames_come_in_pieces_to_others(wire: Wire, offloads: tuple[bool, ...]) -> None:
    data = bytes(i & 0xFF for i in range(5000))
    net = Net(wire.option(), offloads=offloads)
    wire.far.send(finished(tcp_unfinished(data)))
    net.host.poll()
    frames = [got[12:] for got in net.nic.got]
    assert all(got[:12] == bytes(12) for got in net.nic.got)
    assert [len(frame) for frame in frames] == [1514, 1514, 1514, 54 + 620]
    assert all(parse(frame).transport_checksum_ok() for frame in frames)
    assert b"".join(parse(frame).data() for frame in frames) == data


def test_pieces_wait_together_and_keep_their_order(wire: Wire) -> None:
    net = Net(wire.option())
    data = bytes(i & 0xFF for i in range(5000))
    net.nic.full = True
    wire.far.send(finished(tcp_unfinished(data)))
    wire.far.send(finished(udp_unfinished(b"last")))
    net.host.poll()
    net.nic.full = False
    qemu_flush_queued_packets(net.nic)
    net.host.poll()
    assert b"".join(parse(got[12:]).data() for got in net.nic.got) == data + b"last"


def test_the_responders_stream_comes_big_or_cut() -> None:
    for offloads, gso, sizes in ((ALL, "on", [5054]), (ALL, "off", [1514] * 3 + [674]), ((False,) * 5, "on", [1514] * 3 + [674])):
        net = Net(f"responder,id=n0,vnet_hdr=on,stream.size=5000,stream.count=1,gso={gso}", offloads=offloads)
        net.host.poll()
        assert [len(got) - 12 for got in net.nic.got] == sizes


def test_the_responder_believes_no_checksum_that_was_not_made() -> None:
    net = Net("responder,id=n0,vnet_hdr=on")
    net.send(header(), udp_unfinished(b"data"))
    assert backend_stats(net.host)["n0"]["malformed"] == 1
    net.send(UDP_HEADER, udp_unfinished(b"data"))
    assert backend_stats(net.host)["n0"]["udp_echo_replies"] == 1


def test_a_capture_holds_finished_frames(tmp_path: Path) -> None:
    out = tmp_path / "out.pcap"
    net = Net(f"pcap,id=n0,out={out},vnet_hdr=on")
    net.send(TCP_HEADER, tcp_unfinished(bytes(1500)))
    net.send(UDP_HEADER, udp_unfinished(b"data"))
    net.host.close()
    replay = Net(f"pcap,id=n0,file={out}")
    replay.host.poll()
    assert [len(parse(frame).data()) for frame in replay.nic.got] == [1000, 500, 4]
    assert all(parse(frame).transport_checksum_ok() for frame in replay.nic.got)


def test_a_hub_passes_the_header_to_a_driver_that_takes_the_frame() -> None:
    ports = [f"hubport,id=h{i},hubid=0,vnet_hdr=on" for i in range(2)]
    frame = tcp_unfinished(bytes(2500))
    taking = Net(*ports, offloads=ALL)
    taking.send(TCP_HEADER, frame)
    assert taking.nics[1].got == [TCP_HEADER + frame]
    other = Net(*ports)
    other.send(TCP_HEADER, frame)
    assert [got[:12] for got in other.nics[1].got] == [bytes(12)] * 3
    mixed = Net(ports[0], "hubport,id=h1,hubid=0", ports[1].replace("h1", "h2"), offloads=ALL)
    mixed.send(TCP_HEADER, frame)
    assert [len(got) for got in mixed.nics[1].got] == [1054, 1054, 554]
    assert mixed.nics[2].got == [TCP_HEADER + frame]
    mixed.send(b"", finished(udp_unfinished(b"plain")), 1)
    assert mixed.nics[0].got == [bytes(12) + finished(udp_unfinished(b"plain"))]


def test_injected_frames_get_a_header(wire: Wire) -> None:
    net = Net(wire.option())
    peer = net.nic.peer
    assert peer is not None
    frame = finished(udp_unfinished(b"x"))
    inject(peer, frame)
    assert net.nic.got == [bytes(12) + frame]


@pytest.mark.parametrize("rest", ["vnet_hdr=perhaps", "vnet_hdr=on,rx_csum=some", "rx_csum=valid", "vnet_hdr=on,mtu=5"])
def test_bad_options(rest: str) -> None:
    clock = Clock()
    with pytest.raises(NetOptionError):
        create(NetHost(EventLog(clock), MainLoop(clock)), f"responder,id=n0,{rest}")


def test_without_the_option_there_is_no_header() -> None:
    net = Net("responder,id=n0,vnet_hdr=off")
    peer = net.nic.peer
    assert peer is not None
    assert not peer.has_vnet_hdr() and not peer.has_ufo() and not peer.has_vnet_hdr_len(12)
