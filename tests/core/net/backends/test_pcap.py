"""A capture goes into the device whole and in order, at its pace or flat out; what the device sends is written."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ringscope_core.net import packet as p
from ringscope_core.net.backends import backend_drops, backend_stats, backend_warnings, create
from ringscope_core.net.backends.pcap import PcapPort
from ringscope_core.net.backends.pcap_file import Capture
from ringscope_core.net.errors import NetOptionError
from ringscope_core.net.net import qemu_flush_queued_packets, qemu_new_nic, qemu_send_packet_async
from tests.core.net.backends.captures import Frame, pcap
from tests.core.net.boxes import Box, make_host, nic_on


def replay(path: Path, frames: list[Frame], options: str = "") -> tuple[Box, PcapPort]:
    path.write_bytes(pcap(frames, magic=0xA1B23C4D))
    nic, backend = nic_on(make_host(), f"pcap,id=p0,file={str(path).replace(',', ',,')}{options}")
    assert isinstance(backend, PcapPort)
    return nic, backend


def turns(nic: Box, backend: PcapPort) -> list[tuple[int, bytes]]:
    """Run until the replay is over; when each frame came."""
    clock, loop = nic.host.log.clock, nic.host.loop
    came: list[tuple[int, bytes]] = []
    while not backend.done():
        if backend.poll() == 0:
            assert loop.next_deadline_ns() >= 0, "nothing moves and nothing is armed"
            clock.advance_to(loop.next_deadline_ns())
            loop.run_timers()
        came += [(int(clock.now_ns), frame) for frame in nic.take()]
    return came


def test_flat_out_in_bursts(tmp_path: Path) -> None:
    frames = [(n * 10**9, n.to_bytes(2, "big") * (n % 700 + 1)) for n in range(600)]
    nic, backend = replay(tmp_path / "a,b", frames)
    assert [int(backend.poll()) for _ in range(4)] == [256, 256, 88, 0]
    assert nic.frames == [frame for _, frame in frames]
    assert nic.notes == ["begin", "end"] * 3
    assert backend.done() and backend.stats()["replayed"] == 600
    nic.host.close()


def test_recorded_pace_begins_when_the_driver_is_there(tmp_path: Path) -> None:
    frames = [(10**18 + n, bytes((n % 250 + 1,))) for n in (0, 100, 100, 50, 7_000_000_000)]
    nic, backend = replay(tmp_path / "a", frames, ",pace=recorded")
    nic.ready = False
    assert backend.poll() == 0
    nic.host.log.clock.advance_to(5000)
    nic.ready = True
    # a frame that the capture has out of order is late, not early
    assert turns(nic, backend) == [(5000, b"\1"), (5100, b"\x65"), (5100, b"\x65"), (5100, b"\x33"), (7_000_005_000, b"\1")]
    nic.host.close()


def test_a_refused_frame_stops_the_replay_and_nothing_is_lost(tmp_path: Path) -> None:
    frames = [(0, bytes((n,))) for n in range(200)]
    nic, backend = replay(tmp_path / "a", frames)
    nic.answers = [1] * 70 + [0]
    assert backend.poll() == 71
    assert backend.poll() == 0 and not backend.done()
    qemu_flush_queued_packets(nic)
    assert backend.poll() == 129
    assert nic.frames == [frame for _, frame in frames]
    nic.host.close()


def test_frames_longer_than_the_network_layer_takes_are_a_counted_drop(tmp_path: Path) -> None:
    nic, backend = replay(tmp_path / "a", [(0, bytes(69632)), (0, bytes(69633)), (0, b"end")])
    backend.poll()
    assert [len(frame) for frame in nic.frames] == [69632, 3]
    assert backend.done()
    assert backend_drops(nic.host) == {"too long": 1}
    assert backend_stats(nic.host)["p0"]["replayed"] == 3
    nic.host.close()


def test_a_limit_counts_the_frames_that_can_pass(tmp_path: Path) -> None:
    nic, backend = replay(tmp_path / "a", [(0, b"1"), (0, bytes(70000)), (0, b"2"), (0, b"3")])
    backend.limit(2)
    backend.poll()
    assert nic.frames == [b"1", b"2"] and backend.done()
    nic.host.close()


def test_what_the_device_sends_is_written(tmp_path: Path) -> None:
    out = tmp_path / "out.pcap"
    nic, backend = replay(tmp_path / "in", [(0, b"in")], f",out={out}")
    nic.host.log.clock.advance_to(1_234_567_891)
    for frame in (b"first", bytes(65000)):
        assert qemu_send_packet_async(nic, frame) == len(frame)
    assert not out.exists()
    nic.host.close()
    written = Capture.open(str(out))
    assert [(written.time_ns(n), written.frame(n)) for n in range(2)] == [(1_234_567_891, b"first"), (1_234_567_891, bytes(65000))]
    written.close()
    assert backend.info_str == f"file={tmp_path / 'in'},out={out}"


def test_a_writer_alone_needs_no_file(tmp_path: Path) -> None:
    nic, backend = nic_on(make_host(), f"pcap,id=p0,out={tmp_path / 'o'}")
    assert backend.poll() == 0 and backend.done()
    nic.host.close()


def test_flows_go_to_their_queues_in_order(tmp_path: Path) -> None:
    mac = bytes.fromhex("020000000001")
    frames = [(0, p.udp_frame(mac, mac, b"\n\0\0\1", b"\n\0\0\2", 1000 + n % 16, 9, bytes((n,)))) for n in range(160)]
    path = tmp_path / "a"
    path.write_bytes(pcap(frames))
    host = make_host()
    ports = create(host, f"pcap,id=p0,file={path},queues=4")
    queues = [Box(host, "virtio-net-pci") for _ in range(4)]
    qemu_new_nic([*queues], ports)
    host.poll()
    assert sorted(frame for queue in queues for frame in queue.frames) == sorted(frame for _, frame in frames)
    assert sum(bool(queue.frames) for queue in queues) > 1
    for queue in queues:
        assert queue.frames == [frame for _, frame in frames if frame in queue.frames]
    host.close()


def test_a_queue_without_a_taker_leaves_its_flows_to_the_first(tmp_path: Path) -> None:
    mac = bytes.fromhex("020000000001")
    frames = [(0, p.udp_frame(mac, mac, b"\n\0\0\1", b"\n\0\0\2", 1000 + n, 9, b"")) for n in range(32)]
    path = tmp_path / "a"
    path.write_bytes(pcap(frames))
    host = make_host()
    ports = create(host, f"pcap,id=p0,file={path},queues=2")
    queues = [Box(host, "virtio-net-pci") for _ in range(2)]
    queues[1].ready = False
    qemu_new_nic([*queues], ports)
    host.poll()
    assert queues[0].frames == [frame for _, frame in frames]
    assert host.done()
    host.close()


def test_a_capture_that_shrinks_ends_the_replay_with_a_message(tmp_path: Path) -> None:
    nic, backend = replay(tmp_path / "a", [(0, bytes((n,)) * 60000) for n in range(1, 41)])
    os.truncate(tmp_path / "a", 120_100)
    backend.poll()
    assert backend.done()
    (warning,) = backend_warnings(nic.host)
    assert "was cut while it was being replayed" in warning
    assert nic.frames == [bytes((n,)) * 60000 for n in range(1, len(nic.frames) + 1)]
    nic.host.close()


def test_warnings_of_the_file_are_the_backends(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(pcap([(0, b"whole"), (0, b"cut")])[:-1])
    nic, _ = nic_on(make_host(), f"pcap,id=p0,file={path}")
    assert backend_warnings(nic.host) == [f"capture '{path}' is cut at byte 63, in the record at 45: its 1 whole records are used"]
    nic.host.close()


@pytest.mark.parametrize(
    "options,text",
    [
        ("", "Parameter 'file' is missing"),
        (",file=/nonexistent", "Could not open '/nonexistent': No such file or directory"),
        (",file=IN,pace=slow", "Parameter 'pace' does not accept value 'slow'"),
        (",file=IN,out=IN", "Parameter 'out' expects another file than 'file'"),
        (",file=IN,out=/nonexistent/o", "Could not create '/nonexistent/o': No such file or directory"),
        (",file=IN,queues=0", "Parameter 'queues' expects a number between 1 and 1024"),
        (",file=IN,speed=2", "Invalid parameter 'speed'"),
    ],
)
def test_wrong_options(tmp_path: Path, options: str, text: str) -> None:
    path = tmp_path / "in"
    path.write_bytes(pcap([(0, b"x")]))
    host = make_host()
    with pytest.raises(NetOptionError) as caught:
        create(host, "pcap,id=p0" + options.replace("IN", str(path)))
    assert caught.value.text == text
    assert host.clients == [] and [one.name for one in tmp_path.iterdir()] == ["in"]
