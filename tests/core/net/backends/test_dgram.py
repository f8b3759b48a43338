"""The datagram backend against real sockets."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ringscope_core.net.backends.dgram import DgramPort
from ringscope_core.net.net import qemu_flush_queued_packets, qemu_send_packet_async
from tests.core.net.boxes import Box, make_host, nic_on


def poll_until(backend: DgramPort, nic: Box, count: int) -> None:
    """Poll until the NIC has `count` frames; datagrams on loopback may take a moment."""
    deadline = time.monotonic() + 5
    while len(nic.frames) < count and time.monotonic() < deadline:
        backend.poll()
    assert len(nic.frames) == count


def client(options: str) -> tuple[Box, DgramPort]:
    nic, backend = nic_on(make_host(), "dgram,id=d0," + options)
    assert isinstance(backend, DgramPort)
    return nic, backend


@pytest.fixture
def far() -> Iterator[socket.socket]:
    """The other end: a UDP socket."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        sock.settimeout(5)
        yield sock


def test_udp_both_ways(far: socket.socket) -> None:
    port = far.getsockname()[1]
    nic, backend = client(f"local.type=inet,local.host=127.0.0.1,local.port=0,remote.type=inet,remote.host=127.0.0.1,remote.port={port}")
    assert backend.info_str == f"udp=127.0.0.1:0/127.0.0.1:{port}"
    for frame in (b"hello", bytes(60000)):
        assert qemu_send_packet_async(nic, frame) == len(frame)
        received, there = far.recvfrom(70000)
        assert received == frame
    for frame in (b"back", b"", bytes(60000)):
        far.sendto(frame, there)
    poll_until(backend, nic, 2)
    assert [len(frame) for frame in nic.frames] == [4, 60000]
    assert backend.empty_datagrams == 1 and not backend.done()
    assert nic.notes.count("begin") == nic.notes.count("end") >= 1
    nic.host.close()


def test_a_frame_too_long_for_udp_is_lost_and_counted(far: socket.socket) -> None:
    port = far.getsockname()[1]
    nic, backend = client(f"local.type=inet,local.host=,local.port=0,remote.type=inet,remote.host=127.0.0.1,remote.port={port}")
    assert qemu_send_packet_async(nic, bytes(69000)) == -1
    assert backend.drops() == {"socket error": 1}
    nic.host.close()


def test_unix_sockets_flow_control_and_cleanup(tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as far:
        far.bind(str(there))
        far.settimeout(5)
        nic, backend = client(f"local.type=unix,local.path={here},remote.type=unix,remote.path={there}")
        assert backend.info_str == f"udp={here}:{there}"
        sent = 0
        while qemu_send_packet_async(nic, sent.to_bytes(4, "big") * 10) == 40:
            sent += 1
            assert sent < 100_000
        assert backend.write_poll and nic.notes == []
        assert backend.poll() == 0, "still full"
        got = [far.recv(100)]
        backend.poll()
        assert nic.notes == ["complete 40"] and not backend.write_poll
        while len(got) <= sent:
            got.append(far.recv(100))
        assert got == [number.to_bytes(4, "big") * 10 for number in range(sent + 1)]
        nic.answers = [0]
        for frame in (b"a", b"b", b"c"):
            far.sendto(frame, str(here))
        assert backend.poll() == 1 and backend.poll() == 0, "the driver has no buffers: nothing more is read"
        qemu_flush_queued_packets(nic)
        assert backend.poll() == 2
        assert nic.frames == [b"a", b"b", b"c"]
        nic.host.close()
        assert not here.exists()


def test_a_left_over_socket_is_replaced_and_a_file_is_not(tmp_path: Path) -> None:
    here = tmp_path / "here"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as old:
        old.bind(str(here))
    nic, _ = client(f"local.type=unix,local.path={here},remote.type=unix,remote.path={tmp_path / 'there'}")
    assert qemu_send_packet_async(nic, b"nobody there") == -1
    nic.host.close()
    here.write_text("precious")
    with pytest.raises(Exception, match="can't bind unix="):
        client(f"local.type=unix,local.path={here},remote.type=unix,remote.path=x")
    assert here.read_text() == "precious"


def test_an_open_descriptor() -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with ours, theirs:
        nic, backend = client(f"local.type=fd,local.str={theirs.fileno()}")
        assert backend.info_str == f"fd={theirs.fileno()}"
        qemu_send_packet_async(nic, b"out")
        assert ours.recv(100) == b"out"
        ours.send(b"in")
        poll_until(backend, nic, 1)
        nic.host.close()
        stream, other = socket.socketpair()
        with stream, other, pytest.raises(Exception, match="not a datagram socket"):
            client(f"local.type=fd,local.str={stream.fileno()}")


def test_multicast_reaches_its_group() -> None:
    try:
        nic, backend = client("local.type=inet,local.host=127.0.0.1,local.port=0,remote.type=inet,remote.host=230.0.0.1,remote.port=23457")
    except Exception as error:
        pytest.skip(f"no multicast here: {error}")
    assert backend.info_str == "mcast=230.0.0.1:23457"
    assert qemu_send_packet_async(nic, b"to all") == 6
    poll_until(backend, nic, 1)
    assert nic.frames == [b"to all"], "QEMU too hears its own"
    nic.host.close()
