"""Profile 7.2: the driver's packed rings, hashes and steering against the emulated device."""

from __future__ import annotations

import hashlib

import pytest

from ringscope_core.guest.config import FAULTS, RX_BIG, RX_SMALL, RX_VECTOR, TX_SPLIT, VIRTIO_USER
from ringscope_core.guest.features import F_RING_PACKED, F_RSS, has
from ringscope_core.guest.packed_ring import PackedRing
from ringscope_core.qom.profile import PROFILE_7_2
from tests.core.guest.box import Box, action, driver, traffic
from tests.core.guest.test_driver import _inject_all, assert_fold_is_guest

MACHINE = "pc-i440fx-7.2"


def _box(settings: dict[str, object] | None = None, options: str = "", **box: object) -> Box:
    device = f"virtio-net-pci,netdev=n0,id=net0,packed=on{options}"
    return Box(config=driver(**(settings or {})), profile=PROFILE_7_2, machine=MACHINE, device=device, **box)  # type: ignore[arg-type]


SETTINGS: list[dict[str, object]] = [
    {},
    {"event_idx": False},
    {"indirect": False, "tx_layout": TX_SPLIT},
    {"tx_layout": TX_SPLIT, "tx_fragments": 5},
    {"tx_fragments": 17, "tx_layout": TX_SPLIT, "indirect": False},
    {"napi_tx": False},
    {"napi_tx": False, "event_idx": False, "indirect": False, "tx_fragments": 3},
    {"xmit_more": False},
    {"msix": False},
    {"rx_mode": RX_BIG, "mrg_rxbuf": False},
    {"rx_mode": RX_BIG, "mrg_rxbuf": False, "indirect": False},
    {"rx_mode": RX_SMALL, "mrg_rxbuf": False},
    {"rx_ring": 16, "tx_ring": 8},
    {"rx_ring": 1024, "tx_ring": 1024},
    {"personality": VIRTIO_USER},
    {"personality": VIRTIO_USER, "tx_layout": TX_SPLIT, "indirect": False},
    {"personality": VIRTIO_USER, "rx_mode": RX_VECTOR, "mrg_rxbuf": False},
]


@pytest.mark.parametrize("settings", SETTINGS)
def test_traffic_through_packed_rings(settings: dict[str, object]) -> None:
    box = _box(settings, traffic=[traffic("udp-echo", rate_pps=5000, count=80, size=900), traffic("bulk-tx", count=1500, size=200)])
    assert box.guest.boot() == 1
    info = box.guest.interfaces[0]
    assert all(isinstance(ring, PackedRing) for ring in info.rings)
    for turn in range(150):
        box.turn()
        if turn % 3 == 0:
            assert_fold_is_guest(box)
    box.run()
    echo, bulk = box.guest.stats()
    assert (echo["received"], echo["lost"], echo["wrong"], bulk["sent"]) == (80, 0, 0, 1500)
    assert not box.guest.drops()
    assert all(ring.counters.driver_packets for ring in info.rings[:2])
    assert_fold_is_guest(box)


@pytest.mark.parametrize("settings", [{}, {"rx_buffer": 128}, {"rx_mode": RX_BIG, "mrg_rxbuf": False}, {"personality": VIRTIO_USER}])
def test_frames_of_any_length_arrive_unchanged(settings: dict[str, object]) -> None:
    box = _box(settings)
    box.guest.boot()
    longest = 20000 if "rx_buffer" in settings else 65550
    lengths = [length for length in (1, 13, 60, 115, 116, 117, 1514, 1523, 1524, 1525, 9000, 20000, 65550) if length <= longest]
    frames = [bytes((i * 7 + length) & 0xFF for i in range(length)) for length in lengths]
    _inject_all(box, frames)
    assert box.guest.delivered.sha256() == hashlib.sha256(b"".join(frames)).hexdigest()
    assert_fold_is_guest(box)


def test_a_receive_flood_wraps_many_times() -> None:
    box = _box(netdev="source,id=n0,size=64,count=5000", traffic=[traffic("bulk-rx", count=5000)])
    box.guest.boot()
    box.run()
    assert box.guest.delivered.count == 5000
    ring = box.guest.interfaces[0].rings[0]
    assert ring.counters.interrupts < 5000 / 8
    assert_fold_is_guest(box)


def test_packed_is_taken_only_where_offered_and_wanted() -> None:
    box = _box({"packed": False})
    box.guest.boot()
    assert not has(box.guest.interfaces[0].features, F_RING_PACKED)
    box = Box(profile=PROFILE_7_2, machine=MACHINE)
    box.guest.boot()
    assert not has(box.guest.interfaces[0].features, F_RING_PACKED)


@pytest.mark.parametrize("fault", FAULTS)
def test_recovery(fault: str) -> None:
    box = _box(
        {"recover": True},
        traffic=[traffic("udp-echo", rate_pps=1000, count=30, size=300)],
        actions=[action("break", 10_000_000, queue=1, text=fault), action("queue-reset", 15_000_000, queue=0), action("queue-reset", 20_000_000, queue=1)],
    )
    box.guest.boot()
    box.run()
    info = box.guest.interfaces[0]
    assert (info.recoveries, info.queue_resets, box.guest.program.failed) == (1, 2, 0)
    assert int(str(box.guest.stats()[0]["received"])) >= 25
    assert_fold_is_guest(box)


def test_the_same_run_twice() -> None:
    def digest() -> tuple[int, str]:
        box = _box(traffic=[traffic("ping", rate_pps=1000, count=5), traffic("bulk-tx", count=300)])
        box.guest.boot()
        box.run()
        plain = box.folded().to_plain()
        plain["wall"] = 0
        return int(box.log.seq), hashlib.sha256(repr(plain).encode()).hexdigest()

    assert digest() == digest()


# -- receive-side scaling ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize("settings", [{}, {"personality": VIRTIO_USER}, {"packed": False}, {"queue_pairs": 3}])
def test_steering_by_hash(settings: dict[str, object]) -> None:
    box = _box(
        {"rss": True, **settings},
        ",mq=on,rss=on,vectors=10",
        netdev="responder,id=n0,queues=4,latency-ns=1000",
        traffic=[traffic("udp-echo", rate_pps=10000, count=400, size=100, flows=32)],
    )
    box.guest.boot()
    info = box.guest.interfaces[0]
    assert has(info.features, F_RSS)
    table = info.receivers[0].rss_table
    pairs = int(str(settings.get("queue_pairs", 4)))
    assert len(table) == 128 and set(table) == set(range(pairs))
    box.run()
    assert (box.guest.stats()[0]["received"], box.guest.stats()[0]["wrong"]) == (400, 0)
    assert all(info.rings[2 * pair].counters.driver_packets > 20 for pair in range(pairs)), "32 flows over the queues"
    assert not any(info.rings[2 * pair].counters.driver_packets for pair in range(pairs, 4))
    assert_fold_is_guest(box)


def test_fewer_pairs_get_a_new_table() -> None:
    box = _box(
        {"rss": True},
        ",mq=on,rss=on,vectors=10",
        netdev="responder,id=n0,queues=4,latency-ns=1000",
        traffic=[traffic("udp-echo", rate_pps=10000, count=300, size=100, flows=32)],
        actions=[action("pairs", 10_000_000, number=2)],
    )
    box.guest.boot()
    box.run()
    info = box.guest.interfaces[0]
    assert (info.pairs, set(info.receivers[0].rss_table)) == (2, {0, 1})
    assert int(str(box.guest.stats()[0]["received"])) > 290
    assert_fold_is_guest(box)
