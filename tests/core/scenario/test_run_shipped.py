"""Every shipped scenario does what its description says, on the real machine."""

from __future__ import annotations

import hashlib
from pathlib import Path

import dpkt
import pytest

from ringscope_core.engine.headless import Goal, Headless
from ringscope_core.engine.run import Run
from ringscope_core.guest.packed_ring import PackedRing
from ringscope_core.guest.ring import Vring
from ringscope_core.scenario.load import load
from ringscope_core.scenario.resources import resource_root, shipped_capture


def _run(name: str, *settings: str, virtual_ns: int = 0) -> Run:
    run = Run(load(name, list(settings)), trace_level=0)
    assert run.build(), run.failures
    Headless(run, Goal(virtual_ns=virtual_ns)).to_the_end()
    run.close()
    return run


def test_ping_is_answered_every_time() -> None:
    stats = _run("ping").guest.stats()[0]
    assert (stats["sent"], stats["received"], stats["lost"], stats["wrong"]) == (20, 20, 0, 0)


def test_udp_echo_returns_what_was_sent() -> None:
    stats = _run("udp-echo", "count=300").guest.stats()[0]
    assert (stats["received"], stats["lost"], stats["wrong"]) == (300, 0, 0)


def test_bulk_transmit_fills_the_ring() -> None:
    run = _run("bulk-tx", "count=3000")
    assert run.guest.sent_count() == 3001
    assert run.guest.interfaces[0].rings[1].counters.ring_full > 0
    assert not run.guest.drops()


def test_bulk_receive_takes_everything() -> None:
    run = _run("bulk-rx", "count=3000")
    assert run.guest.delivered_count() == 3000
    assert run.guest.finished()


def test_multiqueue_uses_every_queue() -> None:
    run = _run("multiqueue", "count=400")
    rings = run.guest.interfaces[0].rings
    assert len(rings) == 9
    assert all(ring.counters.driver_packets for ring in rings[:8])


def test_legacy_and_packed_do_what_udp_echo_does() -> None:
    for name, kind in (("legacy", Vring), ("packed", PackedRing)):
        run = _run(name, "count=300")
        stats = run.guest.stats()[0]
        assert (stats["received"], stats["lost"], stats["wrong"]) == (300, 0, 0)
        info = run.guest.interfaces[0]
        assert all(isinstance(ring, kind) for ring in info.rings)
        assert info.transport is not None and info.transport.legacy == (name == "legacy")
        assert info.receivers[0].header == (10 if name == "legacy" else 12)
        assert not run.guest.drops()


def test_offloads_leave_work_to_each_other() -> None:
    run = _run("offloads")
    stats = run.guest.driver_stats()[0]
    assert stats["segmentations left to the device"] == 400
    assert stats["checksums left to the device"] == 200
    assert 100 < stats["large frames received"] < 200, "for a while whole frames only"
    assert run.guest.interfaces[0].stack.tcp_bytes == 200 * 32000
    assert run.guest.program.failed == 0
    assert not run.guest.drops()


def test_rss_spreads_flows_over_the_queues() -> None:
    run = _run("rss", "count=1200")
    info = run.guest.interfaces[0]
    assert all(ring.counters.driver_packets > 50 for ring in info.rings[0:8:2])
    stats = run.guest.driver_stats()[0]
    assert stats["hashes"] == 1200
    assert "frames on another queue than their hash's" not in stats


def test_virtio_user_takes_no_interrupts() -> None:
    run = _run("virtio-user", "count=1500")
    rings = run.guest.interfaces[0].rings[:2]
    assert [int(ring.counters.interrupts) for ring in rings] == [0, 0]
    assert all(ring.counters.driver_packets >= 1500 for ring in rings)
    assert run.guest.stats()[0]["lost"] == 0


def test_recovery_comes_back_every_time() -> None:
    run = _run("recovery")
    info = run.guest.interfaces[0]
    assert (info.recoveries, info.resets, info.up) == (3, 4, True)
    assert run.world.messages == ["Invalid size for indirect buffer table", "virtio: zero sized buffers are not allowed", "Incorrect order for descriptors"]
    stats = run.guest.stats()[0]
    assert int(str(stats["received"])) >= 275 and stats["wrong"] == 0


def test_default_keeps_both_directions_moving() -> None:
    run = _run("default", virtual_ns=1_000_000_000)
    receive, transmit = run.guest.interfaces[0].rings[:2]
    assert receive.counters.driver_packets > 60
    assert transmit.counters.driver_packets > 100
    assert not run.guest.finished()


def test_realize_creates_the_device_and_no_driver() -> None:
    run = _run("realize")
    assert not run.guest.interfaces
    assert run.log.seq > 300


def test_bad_option_says_what_qemu_says() -> None:
    scenario = load("bad-option")
    run = Run(scenario)
    assert not run.build()
    run.close()
    assert [text.endswith(scenario.expect_error) for text in run.failures] == [True]


def _frames(path: Path) -> list[bytes]:
    with path.open("rb") as file:
        return [bytes(frame) for _, frame in dpkt.pcap.Reader(file)]


@pytest.mark.parametrize("settings", [(), ("driver.event_idx=off",), ("driver.rx_buffer=256",), ("device=virtio-net-pci,netdev=hostnet0",)])
def test_a_capture_reaches_the_driver_bit_exact(settings: tuple[str, ...]) -> None:
    frames = _frames(shipped_capture("mixed.pcap"))
    run = _run("pcap-replay", *settings)
    assert run.guest.delivered.count == len(frames)
    assert run.guest.delivered.sha256() == hashlib.sha256(b"".join(frames)).hexdigest()


def test_runts_reach_the_driver(tmp_path: Path) -> None:
    frames = [bytes([length & 0xFF]) * length for length in [*range(1, 70), 1, 65550, 1, 40000, 13]]
    path = tmp_path / "runts.pcap"
    with path.open("wb") as file:
        writer = dpkt.pcap.Writer(file, snaplen=1 << 18)
        for place, frame in enumerate(frames):
            writer.writepkt(frame, ts=1 + place / 1000)
    run = _run("pcap-replay", f"pcap={path}")
    assert run.guest.delivered.sha256() == hashlib.sha256(b"".join(frames)).hexdigest()


def test_the_shipped_capture_can_be_made_again(tmp_path: Path) -> None:
    """The command that stands in captures/mixed.toml gives the file that ships."""
    path = tmp_path / "again.pcap"
    run = _run(str(resource_root() / "captures" / "mixed.toml"), f"netdev.2=pcap,id=tap,out={path}")
    assert not run.failures
    assert path.read_bytes() == shipped_capture("mixed.pcap").read_bytes()
    lengths = {len(frame) for frame in _frames(path)}
    assert {64, 1514, 9014, 65000} <= lengths


def test_seeds_differ_and_repeat() -> None:
    def digest(seed: int) -> str:
        run = Run(load("udp-echo", ["count=40", f"seed={seed}"]))
        run.build()
        Headless(run, Goal()).to_the_end()
        run.close()
        assert run.event_digest is not None
        return run.event_digest.hexdigest()

    assert digest(1) == digest(1)
    assert digest(1) != digest(2)
