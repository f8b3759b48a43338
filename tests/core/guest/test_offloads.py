"""Offloads end to end: driver, device, and a peer that finishes what was left undone."""

from __future__ import annotations

import pytest

from ringscope_core.guest.config import TRANSPORT_LEGACY, TX_SPLIT, VIRTIO_USER, TrafficSpec
from ringscope_core.net.backends.backend import Backend
from ringscope_core.qom.profile import PROFILE_7_2
from ringscope_core.trace.packets import PacketSink
from tests.core.guest.box import Box, action, driver, traffic
from tests.core.guest.test_driver import assert_fold_is_guest

TX = {"tx_csum": True, "tx_tso": True, "tx_ufo": True}
RX = {"rx_csum": True, "rx_gso": True, "rx_ufo": True}


def _box(settings: dict[str, object], load: list[TrafficSpec], netdev: str = "", device: str = "", **more: object) -> Box:
    box = Box(
        netdev=f"responder,id=n0,vnet-hdr=on{netdev}",
        device=f"virtio-net-pci,netdev=n0,id=net0{device}",
        config=driver(**settings),
        traffic=load,
        **more,  # type: ignore[arg-type]
    )
    assert box.guest.boot() == 1, box.guest.problems
    box.run()
    assert_fold_is_guest(box)
    return box


def _peer(box: Box) -> dict[str, int]:
    return next(client for client in box.machine.net.clients if isinstance(client, Backend)).stats()


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"tx_layout": TX_SPLIT},
        {"tx_layout": TX_SPLIT, "indirect": False, "tx_fragments": 3},
        {"transport": TRANSPORT_LEGACY},
        {"transport": TRANSPORT_LEGACY, "any_layout": False, "mrg_rxbuf": False},
        {"personality": VIRTIO_USER},
        {"napi_tx": False},
    ],
)
def test_large_frames_are_handed_down_whole(settings: dict[str, object]) -> None:
    load = [traffic("tcp-bulk", count=60, size=60000), traffic("tcp-bulk", count=10, size=9000, ipv6=True, ecn=True), traffic("udp-bulk", count=10, size=30000)]
    box = _box({**TX, **settings}, load)
    stats = box.guest.driver_stats()[0]
    assert stats["segmentations left to the device"] == 80
    assert "frames cut" not in stats
    peer = _peer(box)
    assert peer["frames_cut"] == 80
    assert peer["pieces"] == 60 * 42 + 10 * 7 + 10 * 21
    assert peer["bad_headers"] == peer["malformed"] == 0
    assert not box.guest.drops()
    sender = box.guest.interfaces[0].senders[0]
    sender.free_old_xmit()
    assert len(sender.long_free) == 32, "every buffer came back"


def test_what_was_not_negotiated_the_driver_does() -> None:
    load = [traffic("tcp-bulk", count=20, size=60000), traffic("udp-bulk", count=20, size=30000)]
    box = _box({"tx_csum": True}, load)
    stats = box.guest.driver_stats()[0]
    assert stats["frames cut"] == 40
    assert "segmentations left to the device" not in stats
    assert stats["checksums left to the device"] == 20 * 42, "fragments have no checksum of their own to leave"
    assert _peer(box)["frames_cut"] == 0
    assert _peer(box)["rx_frames"] == 20 * 42 + 20 * 21 + 1
    box = _box({}, load)
    assert "checksums left to the device" not in box.guest.driver_stats()[0]
    assert _peer(box)["rx_frames"] == 20 * 42 + 20 * 21 + 1
    assert _peer(box)["malformed"] == 0


def test_both_ways_put_the_same_frames_on_the_wire() -> None:
    """Segmented by the peer or by the driver: the peer sees the same bytes in the same order."""
    seen: list[list[bytes]] = []
    for settings in (TX, {}):
        box = Box(netdev="responder,id=n0,vnet-hdr=on", config=driver(**settings), traffic=[traffic("tcp-bulk", count=5, size=20000)])
        box.guest.boot()
        peer = next(client for client in box.machine.net.clients if isinstance(client, Backend))
        wire: list[bytes] = []

        class Wire(PacketSink):
            def on_packet(
                self, packet: int, vt: int, wall: int, direction: int, queue: int, head: int, seq: int, frame: bytes, header: bytes, wire: list[bytes] = wire
            ) -> None:
                if direction == 0:
                    wire.append(frame)

        box.machine.packets.sink = Wire()
        box.run()
        if settings:
            assert len(wire) == 6
            assert peer.stats()["pieces"] == 70
            from ringscope_core.net.offload import software_pieces

            # what the device carried is the undone frame; the peer's cutting of it is tested beside `finish`
            wire = [piece for frame in wire for piece in (software_pieces(frame, 1500) if len(frame) > 1514 else [frame])]
        seen.append(wire)
    assert seen[0][1:] == seen[1][1:]


@pytest.mark.parametrize("settings", [{}, {"mrg_rxbuf": False}, {"transport": TRANSPORT_LEGACY}, {"personality": VIRTIO_USER}])
def test_large_frames_are_received(settings: dict[str, object]) -> None:
    box = _box({**RX, **settings}, [], ",stream.size=40000,stream.count=30,stream.pps=2000")
    stats = box.guest.driver_stats()[0]
    assert (stats["large frames received"], stats["checksums completed"]) == (30, 30)
    stack = box.guest.interfaces[0].stack
    assert (stack.delivered.count, stack.tcp_bytes, stack.malformed) == (30, 30 * 40000, 0)


@pytest.mark.parametrize(("settings", "frames"), [({"rx_csum": True}, 840), ({}, 840)])
def test_without_large_receive_they_come_in_pieces(settings: dict[str, object], frames: int) -> None:
    box = _box(settings, [], ",stream.size=40000,stream.count=30,stream.pps=2000")
    stack = box.guest.interfaces[0].stack
    assert (stack.delivered.count, stack.tcp_bytes, stack.malformed) == (frames, 30 * 40000, 0)
    assert box.guest.driver_stats()[0].get("checksums verified by the device", 0) == (840 if settings else 0)


def test_checksums_are_left_and_completed_in_both_directions() -> None:
    box = _box({"tx_csum": True, "rx_csum": True}, [traffic("udp-echo", count=100, size=900)])
    assert (box.guest.stats()[0]["received"], box.guest.stats()[0]["wrong"]) == (100, 0)
    stats = box.guest.driver_stats()[0]
    assert (stats["checksums left to the device"], stats["checksums completed"]) == (100, 100)
    assert _peer(box)["checksums_done"] == 100


def test_receive_offloads_are_switched_by_command() -> None:
    box = _box(
        RX,
        [],
        ",stream.size=40000,stream.count=40,stream.pps=2000",
        actions=[action("offloads", 10_000_000, number=0), action("offloads", 15_000_000, number=1 << 1 | 1 << 7)],
    )
    assert box.guest.program.failed == 0
    stats = box.guest.driver_stats()[0]
    stack = box.guest.interfaces[0].stack
    assert stack.tcp_bytes == 40 * 40000
    large = stats["large frames received"]
    assert 0 < large < 40
    assert stack.delivered.count == large + (40 - large) * 28, "in between they came in pieces"


def test_coalesced_segments() -> None:
    settings = {**RX, "rsc": True}
    box = _box(settings, [], ",stream.size=14600,stream.count=40,stream.pps=2000,gso=off", ",guest_rsc_ext=on")
    # the last ones stay cached until the chain's timer fires
    for _ in range(5):
        box.log.clock.advance_to(box.log.clock.now_ns + 1_000_000)
        box.turn()
    stats = box.guest.driver_stats()[0]
    stack = box.guest.interfaces[0].stack
    assert stats["coalesced segments"] == 400
    assert stack.delivered.count < 100, "400 segments came over the cable"
    assert stack.malformed == 0
    assert stack.tcp_bytes == 40 * 14600


@pytest.mark.parametrize(
    "settings", [{}, {"mrg_rxbuf": False}, {"rx_mode": 2, "mrg_rxbuf": False, "rx_ring": 64}, {"personality": VIRTIO_USER}, {"packed": False}]
)
def test_hashes_are_reported_and_name_the_queue(settings: dict[str, object]) -> None:
    box = _box(
        {"hash_report": True, "rss": True, **settings},
        [traffic("udp-echo", rate_pps=20000, count=200, size=300, flows=16)],
        ",queues=4",
        ",hash=on,rss=on,mq=on,vectors=10,packed=on",
        profile=PROFILE_7_2,
        machine="pc-i440fx-7.2",
    )
    stats = box.guest.driver_stats()[0]
    assert stats["hashes"] == 200, "all but the answer to ARP"
    assert "frames on another queue than their hash's" not in stats
    assert box.guest.interfaces[0].receivers[0].header == 20
    assert (box.guest.stats()[0]["received"], box.guest.stats()[0]["wrong"]) == (200, 0)


def test_a_reset_in_the_middle_of_large_frames() -> None:
    box = _box({**TX, **RX}, [traffic("tcp-bulk", rate_pps=5000, count=100, size=60000)], actions=[action("reset", 5_000_000), action("reset", 11_000_000)])
    info = box.guest.interfaces[0]
    assert info.resets == 2
    assert box.guest.stats()[0]["sent"] == 100
    info.senders[0].free_old_xmit()
    assert len(info.senders[0].long_free) == 32
