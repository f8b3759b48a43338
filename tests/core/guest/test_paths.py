"""The driver's less travelled paths, against the emulated device: interfaces, buffer shapes, ring sizes, polling."""

from __future__ import annotations

import hashlib

import pytest

from ringscope_core.guest.config import RX_BIG, RX_SMALL, RX_VECTOR, TRANSPORT_LEGACY, TX_SPLIT, VIRTIO_USER
from ringscope_core.guest.features import F_EVENT_IDX, F_VERSION_1, has
from ringscope_core.guest.net_queues import header_bytes, receive_shape
from ringscope_core.guest.receive import LAYOUT_BIG, LAYOUT_MERGEABLE, LAYOUT_SMALL
from ringscope_core.guest.transport import NO_VECTOR
from ringscope_core.guest.virtio_pci_legacy import L_CONFIG, L_CONFIG_MSIX, LegacyPciDevice
from ringscope_core.hw.virtio.device import VirtIODevice
from ringscope_core.trace.kinds import EV_GUEST_IRQ, EV_KICK, EV_MSI, EV_NAPI
from tests.core.guest.box import Box, driver, traffic
from tests.core.guest.test_driver import _inject_all, assert_fold_is_guest

ALL = 1 << 64


def _run(box: Box) -> None:
    assert box.guest.boot() == 1, box.guest.problems
    box.run()
    assert not box.guest.drops()
    assert_fold_is_guest(box)


# -- which buffers ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("features", "size"),
    [(0, 10), (1 << 15, 12), (1 << 32, 12), (1 << 32 | 1 << 15, 12), (1 << 32 | 1 << 57, 20), (1 << 57 | 1 << 15, 20)],
)
def test_the_header_grows_with_the_features(features: int, size: int) -> None:
    assert header_bytes(features) == size


@pytest.mark.parametrize(
    ("features", "mtu", "mode", "layout", "pages", "frame"),
    [
        (1 << 32 | 1 << 15, 1500, 0, LAYOUT_MERGEABLE, 18, 1518),
        (1 << 32, 1500, 0, LAYOUT_SMALL, 18, 1518),
        (1 << 32, 9000, 0, LAYOUT_BIG, 4, 9018),
        (1 << 32, 9000, RX_SMALL, LAYOUT_SMALL, 18, 9018),
        (1 << 32 | 1 << 7, 1500, 0, LAYOUT_BIG, 18, 1518),
        (1 << 32 | 1 << 10, 1500, 0, LAYOUT_BIG, 18, 1518),
        (1 << 32, 1500, RX_BIG, LAYOUT_BIG, 18, 1518),
    ],
)
def test_buffers_follow_features_and_mtu(features: int, mtu: int, mode: int, layout: int, pages: int, frame: int) -> None:
    shape = receive_shape(features, driver(rx_mode=mode), mtu)
    assert (shape.layout, shape.pages, shape.frame, shape.own_header) == (layout, pages, frame, False)
    if layout == LAYOUT_BIG and features & 1 << 7:
        assert pages * 4096 >= 65562, "the least that the specification asks for"


# -- the legacy interface ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"mrg_rxbuf": False},
        {"mrg_rxbuf": False, "any_layout": False},
        {"mrg_rxbuf": False, "any_layout": False, "indirect": False},
        {"rx_mode": RX_BIG, "mrg_rxbuf": False},
        {"event_idx": False, "notify_on_empty": True},
        {"msix": False},
        {"napi_tx": False, "tx_layout": TX_SPLIT, "tx_fragments": 4},
        {"personality": VIRTIO_USER},
        {"personality": VIRTIO_USER, "rx_mode": RX_VECTOR, "mrg_rxbuf": False},
    ],
)
def test_a_transitional_device_is_driven_the_legacy_way(settings: dict[str, object]) -> None:
    box = Box(
        config=driver(transport=TRANSPORT_LEGACY, **settings), traffic=[traffic("udp-echo", count=80, size=1400), traffic("bulk-tx", count=700, size=200)]
    )
    _run(box)
    info = box.guest.interfaces[0]
    assert isinstance(info.transport, LegacyPciDevice)
    assert info.driver_state == 1 | 2 | 4, "no FEATURES_OK"
    assert not has(info.features, F_VERSION_1)
    assert info.receivers[0].header == (12 if settings.get("mrg_rxbuf", True) else 10)
    assert (box.guest.stats()[0]["received"], box.guest.stats()[0]["wrong"]) == (80, 0)


def test_the_legacy_configuration_moves_with_msix() -> None:
    box = Box(config=driver(transport=TRANSPORT_LEGACY))
    box.guest.boot()
    info = box.guest.interfaces[0]
    assert isinstance(info.transport, LegacyPciDevice)
    assert info.transport.vectors == 3
    io = info.transport.io
    assert [io.read(L_CONFIG_MSIX + i, 1) for i in range(6)] == list(info.stack.mac)
    info.transport.disable_msix()
    assert [io.read(L_CONFIG + i, 1) for i in range(6)] == list(info.stack.mac)


def test_the_legacy_mac_is_set_through_the_configuration() -> None:
    """Without a control command for it; the device then filters by it."""
    device = "virtio-net-pci,netdev=n0,id=net0,ctrl_mac_addr=off,disable-modern=on"
    box = Box(device=device, config=driver(promisc=False))
    box.guest.boot()
    info = box.guest.interfaces[0]
    assert info.set_mac(bytes.fromhex("020000000001"))
    assert info.stack.mac == bytes.fromhex("020000000001")
    _inject_all(box, [bytes.fromhex("020000000001") + bytes(54), bytes.fromhex("525400123456") + bytes(54)])
    assert box.guest.delivered.count == 1
    assert_fold_is_guest(box)


def test_a_modern_only_device_has_no_legacy_interface() -> None:
    box = Box(device="virtio-net-pci,netdev=n0,id=net0,disable-legacy=on", config=driver(transport=TRANSPORT_LEGACY))
    assert box.guest.boot() == 0
    assert "no legacy interface" in box.guest.problems[0]
    assert_fold_is_guest(box)


def test_a_legacy_device_with_pairs() -> None:
    box = Box(
        netdev="responder,id=n0,queues=2",
        device="virtio-net-pci,netdev=n0,id=net0,mq=on,vectors=6,disable-modern=on",
        traffic=[traffic("udp-echo", count=80, size=64, flows=4)],
    )
    _run(box)
    assert box.guest.interfaces[0].pairs == 2


# -- where the card sits -----------------------------------------------------------------------------------------------
PORTS = "pcie-root-port,id=rp0,chassis=1,slot=1 pcie-root-port,id=rp1,chassis=2,slot=2 "


@pytest.mark.parametrize(
    ("profile", "machine", "device"),
    [
        ("4.1", "pc-q35-4.1", "virtio-net-pci,netdev=n0,id=net0"),
        ("4.1", "pc-q35-4.1", f"{PORTS}virtio-net-pci,netdev=n0,id=net0,bus=rp1"),
        ("4.1", "pc-q35-4.1", f"{PORTS}virtio-net-pci,netdev=n0,id=net0,bus=rp0,disable-legacy=off,disable-modern=on"),
        ("4.1", "pc-q35-4.1", f"{PORTS}virtio-net-pci,netdev=n0,id=net0,bus=rp0,page-per-vq=on"),
        ("7.2", "pc-q35-7.2", f"{PORTS}virtio-net-pci,netdev=n0,id=net0,bus=rp1,packed=on"),
        ("7.2", "pc-i440fx-7.2", "virtio-net-pci,netdev=n0,id=net0,addr=1f.0"),
    ],
)
def test_wherever_the_card_sits(profile: str, machine: str, device: str) -> None:
    load = [traffic("udp-echo", count=60, size=900), traffic("bulk-tx", count=600, size=200)]
    box = Box(device=device, profile=profile, machine=machine, traffic=load)
    _run(box)
    assert (box.guest.stats()[0]["received"], box.guest.stats()[0]["wrong"]) == (60, 0)
    net = box.machine.world.resolve_path("/machine/peripheral/net0/virtio-backend")
    assert isinstance(net, VirtIODevice)
    assert net.vq[0].oid == box.guest.interfaces[0].rings[0].oid, "driver and device name a ring alike"


def test_two_cards_behind_two_ports_and_many_resets() -> None:
    device = f"{PORTS}virtio-net-pci,netdev=n0,id=net0,bus=rp0 virtio-net-pci,netdev=n1,id=net1,bus=rp1"
    box = Box(netdev="responder,id=n0 responder,id=n1", device=device, machine="pc-q35-4.1")
    assert box.guest.boot() == 2
    first = [[(bar.index, bar.address) for bar in info.function.bars] for info in box.guest.interfaces]
    assert len({address for bars in first for _, address in bars}) == sum(len(bars) for bars in first)
    assert [info.function.bdf for info in box.guest.interfaces] == [0x100, 0x200]
    for _ in range(40):
        box.machine.system_reset()
        box.guest.rescan()
        box.run()
    assert [info.up for info in box.guest.interfaces] == [True, True]
    assert [[(bar.index, bar.address) for bar in info.function.bars] for info in box.guest.interfaces] == first
    assert [info.function.bdf for info in box.guest.interfaces] == [0x100, 0x200]
    assert_fold_is_guest(box)


# -- ring sizes -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("rx", "tx"), [(16, 16), (2, 2), (512, 1024), (1024, 32)])
@pytest.mark.parametrize("settings", [{}, {"napi_tx": False}, {"personality": VIRTIO_USER}])
def test_the_driver_chooses_the_rings_sizes(rx: int, tx: int, settings: dict[str, object]) -> None:
    box = Box(config=driver(rx_ring=rx, tx_ring=tx, **settings), traffic=[traffic("udp-echo", rate_pps=2000, count=80, size=900)])
    _run(box)
    info = box.guest.interfaces[0]
    assert [ring.num for ring in info.rings] == [rx, tx, 64]
    # a window of 32 over 2 buffers may lose some, and then says so
    stats = box.guest.stats()[0]
    assert (stats["received"], stats["wrong"], stats["lost"]) == (80, 0, 0)


def test_a_small_ring_is_never_stuck() -> None:
    for settings in ({}, {"napi_tx": False}, {"tx_layout": TX_SPLIT, "indirect": False}, {"personality": VIRTIO_USER}):
        box = Box(config=driver(tx_ring=4, **settings), traffic=[traffic("bulk-tx", count=500, size=100)])
        _run(box)
        assert box.guest.sent.count == 501


# -- frames of every length -------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("settings", "longest"),
    [
        ({"transport": TRANSPORT_LEGACY}, 65550),
        ({"transport": TRANSPORT_LEGACY, "mrg_rxbuf": False}, 1518),
        ({"transport": TRANSPORT_LEGACY, "mrg_rxbuf": False, "any_layout": False, "indirect": False}, 1518),
        ({"transport": TRANSPORT_LEGACY, "rx_mode": RX_BIG, "mrg_rxbuf": False}, 65550),
        ({"rx_mode": RX_BIG, "mrg_rxbuf": False}, 65550),
        ({"personality": VIRTIO_USER}, 65550),
        ({"personality": VIRTIO_USER, "rx_mode": RX_VECTOR, "mrg_rxbuf": False}, 1518),
        ({"rx_mode": RX_SMALL, "mrg_rxbuf": False, "mtu": 9000}, 9018),
    ],
)
def test_frames_of_any_length_arrive_unchanged(settings: dict[str, object], longest: int) -> None:
    box = Box(config=driver(**settings))
    box.guest.boot()
    lengths = [length for length in (1, 13, 14, 60, 1514, 1518, 4070, 4080, 4081, 9018, 20000, 65550) if length <= longest]
    frames = [bytes((i * 7 + length) & 0xFF for i in range(length)) for length in lengths]
    _inject_all(box, frames)
    assert box.guest.delivered.count == len(frames)
    assert box.guest.delivered.sha256() == hashlib.sha256(b"".join(frames)).hexdigest()
    assert_fold_is_guest(box)


# -- polling ----------------------------------------------------------------------------------------------------------
def _polled(settings: dict[str, object] | None = None, **box: object) -> Box:
    return Box(config=driver(personality=VIRTIO_USER, **(settings or {})), **box)  # type: ignore[arg-type]


def test_polling_takes_no_interrupts() -> None:
    box = _polled(traffic=[traffic("udp-echo", count=200, size=300), traffic("bulk-tx", count=2000)])
    _run(box)
    info = box.guest.interfaces[0]
    assert not has(info.features, F_EVENT_IDX)
    assert info.transport is not None and info.transport.vectors == 1, "for configuration changes alone"
    assert info.queues is not None and info.queues.vector_of == [NO_VECTOR] * 3
    counts = box.folding.counts
    assert counts.get(int(EV_GUEST_IRQ), 0) == counts.get(int(EV_MSI), 0) == 0
    assert all(ring.counters.interrupts == 0 for ring in info.rings[:2])
    assert counts[int(EV_NAPI)] > 5


def test_polling_kicks_once_a_burst() -> None:
    kicks = {}
    for burst in (1, 8, 32):
        # a kick is handled inside the notifying write, so that none joins another
        box = _polled({"burst": burst}, device="virtio-net-pci,netdev=n0,id=net0,ioeventfd=off", traffic=[traffic("bulk-tx", count=640)])
        _run(box)
        ring = box.guest.interfaces[0].rings[1]
        kicks[burst] = int(ring.counters.kicks + ring.counters.kicks_suppressed)
    assert kicks[32] <= 640 // 32 + 3
    assert kicks[8] >= 640 // 8 and kicks[1] >= 640


def test_polling_frees_in_batches_and_posts_in_blocks() -> None:
    box = _polled(traffic=[traffic("bulk-tx", rate_pps=50000, count=200)])
    _run(box)
    sender = box.guest.interfaces[0].senders[0]
    assert sender.ring.num_free == 256 - 201, "nothing was short, so nothing was freed"
    box = _polled({"rx_mode": RX_VECTOR, "mrg_rxbuf": False})
    box.guest.boot()
    _inject_all(box, [bytes(60)] * 31)
    ring = box.guest.interfaces[0].rings[0]
    assert ring.num_free == 31
    _inject_all(box, [bytes(60)])
    assert ring.num_free == 0, "a block of 32"
    assert_fold_is_guest(box)


def test_polling_uses_descriptors_in_order() -> None:
    box = _polled(traffic=[traffic("bulk-tx", count=1000)])
    heads: list[int] = []
    box.guest.boot()
    ring = box.guest.interfaces[0].rings[1]
    add = box.folding.counts
    box.run()
    assert add[int(EV_KICK)] > 0
    for slot in range(256):
        heads.append(box.machine.memory.read_u16(ring.avail_gpa + 4 + 2 * slot))
    assert heads == list(range(256)), "slot and descriptor run side by side"


def test_polling_a_receive_flood() -> None:
    box = _polled(netdev="source,id=n0,size=64,count=5000", traffic=[traffic("bulk-rx", count=5000)])
    _run(box)
    assert box.guest.delivered.count == 5000


def test_polling_by_pairs() -> None:
    box = _polled(
        netdev="responder,id=n0,queues=4",
        device="virtio-net-pci,netdev=n0,id=net0,mq=on,vectors=10",
        traffic=[traffic("udp-echo", count=400, size=64, flows=8)],
    )
    _run(box)
    assert box.guest.stats()[0]["received"] == 400
    assert all(ring.counters.driver_packets for ring in box.guest.interfaces[0].rings[:8])


def test_polling_hears_of_the_link() -> None:
    for settings in ({}, {"msix": False}):
        box = _polled(settings)
        box.guest.boot()
        box.run()
        box.machine.set_link("net0", False)
        for _ in range(3):
            box.turn()
        assert not box.guest.interfaces[0].senders[0].ready()
        box.machine.set_link("net0", True)
        for _ in range(3):
            box.turn()
        assert box.guest.interfaces[0].senders[0].ready()
