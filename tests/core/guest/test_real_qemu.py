"""The driver on a real QEMU: every path of it must work there too, or it fits our device alone."""

from __future__ import annotations

import shutil

import pytest

from ringscope_core.conform.case import CaseConfig, PeerSpec
from ringscope_core.conform.live.qemu_process import qemu_path, qemu_version
from ringscope_core.guest.config import FAULTS, RX_BIG, RX_SMALL, RX_VECTOR, TRANSPORT_LEGACY, TX_SPLIT, VIRTIO_USER, ActionSpec, TrafficSpec
from ringscope_core.guest.packed_ring import PackedRing
from tests.core.guest.box import action, driver, traffic
from tests.core.guest.real_machine import RealBox

pytestmark = [
    pytest.mark.skipif(qemu_path() is None, reason="no qemu-system-x86_64"),
    pytest.mark.skipif(not qemu_version().startswith("7.2"), reason="the options are those of QEMU 7.2"),
]
needs_tap = pytest.mark.skipif(shutil.which("cc") is None, reason="the tap's stand-in is compiled")
MS = 1_000_000
MACHINE = "pc-i440fx-7.2"


def _real(
    settings: dict[str, object],
    props: str = "",
    load: list[TrafficSpec] | None = None,
    peer: PeerSpec | None = None,
    actions: list[ActionSpec] | None = None,
    machine: str = MACHINE,
) -> RealBox:
    options = {"ioeventfd": "off", "romfile": ""}
    options.update(dict(part.split("=") for part in props.split(",") if part))
    config = CaseConfig(machine, "virtio-net-pci", options, peer or PeerSpec(), 64 << 20)
    if load is None:
        load = [traffic("udp-echo", count=60, size=900), traffic("bulk-tx", count=400, size=200)]
    box = RealBox(config, driver(**settings), load, actions)
    try:
        assert box.guest.boot() == 1, box.guest.problems
        box.run()
    except BaseException:
        box.close()
        raise
    return box


def _answered(box: RealBox, count: int = 60) -> None:
    echo = box.guest.stats()[0]
    assert (echo["received"], echo["wrong"], echo["lost"]) == (count, 0, 0)
    assert not box.guest.drops()
    assert not any(ring.broken for ring in box.guest.interfaces[0].rings)


PATHS: list[tuple[dict[str, object], str]] = [
    ({}, ""),
    ({"event_idx": False}, ""),
    ({"msix": False}, ""),
    ({"tx_layout": TX_SPLIT, "tx_fragments": 5}, ""),
    ({"tx_layout": TX_SPLIT, "indirect": False, "napi_tx": False}, ""),
    ({"rx_mode": RX_SMALL, "mrg_rxbuf": False}, ""),
    ({"rx_mode": RX_BIG, "mrg_rxbuf": False}, ""),
    ({"rx_mode": RX_BIG, "mrg_rxbuf": False, "indirect": False}, ""),
    ({"rx_ring": 32, "tx_ring": 16}, ""),
    ({"rx_ring": 1024, "tx_ring": 512}, ""),
    ({}, "modern-pio-notify=on"),
    ({}, "page-per-vq=on"),
    ({}, "vectors=2"),
    ({}, "disable-legacy=on,speed=10000,duplex=full,host_mtu=1400"),
    ({}, "disable-modern=on"),
    ({"mrg_rxbuf": False}, "disable-modern=on"),
    ({"mrg_rxbuf": False, "any_layout": False}, "disable-modern=on"),
    ({"transport": TRANSPORT_LEGACY, "event_idx": False, "indirect": False}, ""),
    ({"personality": VIRTIO_USER, "transport": TRANSPORT_LEGACY}, ""),
    ({"personality": VIRTIO_USER}, ""),
    ({"personality": VIRTIO_USER, "rx_mode": RX_VECTOR, "mrg_rxbuf": False}, ""),
    ({}, "packed=on"),
    ({"event_idx": False}, "packed=on"),
    ({"tx_layout": TX_SPLIT, "tx_fragments": 5}, "packed=on"),
    ({"tx_layout": TX_SPLIT, "tx_fragments": 3, "indirect": False}, "packed=on"),
    ({"rx_mode": RX_BIG, "mrg_rxbuf": False, "indirect": False}, "packed=on"),
    ({"rx_ring": 32, "tx_ring": 16, "msix": False}, "packed=on"),
    ({"personality": VIRTIO_USER}, "packed=on"),
    ({"rss": True}, "rss=on,packed=on"),
]


@pytest.mark.parametrize(("settings", "props"), PATHS)
def test_traffic(settings: dict[str, object], props: str) -> None:
    box = _real(settings, props)
    try:
        _answered(box)
        info = box.guest.interfaces[0]
        assert all(isinstance(ring, PackedRing) for ring in info.rings) == ("packed" in props)
        assert box.responder.rx_frames == 461
        assert info.control is None or info.control.outcomes[1:] == [0, 0, 0, 0]
    finally:
        box.close()


@pytest.mark.parametrize(
    ("machine", "props"),
    [("pc-q35-7.2", ""), ("pc-q35-7.2", "bus=rp0,packed=on"), ("pc-q35-4.1", "bus=rp0"), ("pc-q35-7.2", "bus=rp0,disable-legacy=off,disable-modern=on")],
)
def test_wherever_the_card_sits(machine: str, props: str) -> None:
    box = _real({}, props, machine=machine)
    try:
        _answered(box)
        assert box.guest.interfaces[0].function.bdf >> 8 == (1 if "rp0" in props else 0)
    finally:
        box.close()


@pytest.mark.parametrize("props", ["", "packed=on", "disable-modern=on"])
def test_frames_of_any_length_come_and_go(props: str) -> None:
    for size in (1, 14, 1472):
        box = _real({"rx_buffer": 256}, props, [traffic("udp-echo", count=30, size=size)])
        try:
            _answered(box, 30)
        finally:
            box.close()


@pytest.mark.parametrize("settings", [{}, {"personality": VIRTIO_USER}])
@pytest.mark.parametrize("props", ["", "packed=on"])
@pytest.mark.parametrize("fault", FAULTS)
def test_needs_reset_and_back(fault: str, props: str, settings: dict[str, object]) -> None:
    load = [traffic("udp-echo", rate_pps=1000, count=30, size=100)]
    box = _real({"recover": True, **settings}, props, load, actions=[action("break", 10 * MS, queue=1, text=fault)])
    try:
        info = box.guest.interfaces[0]
        assert (info.recoveries, info.resets, info.up) == (1, 1, True)
        said = {"bad-table": "Invalid size for indirect buffer table", "zero-length": "virtio: zero sized buffers are not allowed"}
        assert box.process.messages() == [said.get(fault, "Incorrect order for descriptors")]
        assert int(str(box.guest.stats()[0]["received"])) >= 25
    finally:
        box.close()


@pytest.mark.parametrize("props", ["", "packed=on"])
def test_resets_and_queue_resets(props: str) -> None:
    load = [traffic("udp-echo", rate_pps=2000, count=100, size=300)]
    steps = [action("queue-reset", 5 * MS, queue=1), action("queue-reset", 10 * MS, queue=0), action("reset", 15 * MS), action("queue-reset", 20 * MS, queue=2)]
    steps += [action("remove", 25 * MS), action("probe", 26 * MS), action("promisc", 30 * MS, number=0), action("mac", 35 * MS, text="52:54:00:12:34:99")]
    box = _real({}, props, load, actions=steps)
    try:
        info = box.guest.interfaces[0]
        assert (info.queue_resets, info.resets, box.guest.program.failed) == (3, 1, 0)
        assert int(str(box.guest.stats()[0]["received"])) >= 90
        assert box.process.messages() == []
    finally:
        box.close()


@pytest.mark.parametrize(
    "settings",
    [{"alluni": True, "nobcast": True, "promisc": False}, {"vlans": [1, 5], "multicast": ["01:00:5e:00:00:01"], "unicast": ["02:00:00:00:00:01"] * 70}],
)
def test_commands_are_acknowledged(settings: dict[str, object]) -> None:
    box = _real(settings, load=[])
    try:
        control = box.guest.interfaces[0].control
        assert control is not None
        assert control.outcomes[0] >= 4 and control.outcomes[1:] == [0, 0, 0, 0]
        assert not control.add_vlan(5000)
        assert not control.acknowledge_announce()
        assert control.outcomes[1] == 2
    finally:
        box.close()


# -- a tap takes a header ---------------------------------------------------------------------------------------------
TAP = PeerSpec("tap", 1, True)
TX: dict[str, object] = {"tx_csum": True, "tx_tso": True, "tx_ufo": True}
RX: dict[str, object] = {"rx_csum": True, "rx_gso": True}


@needs_tap
@pytest.mark.parametrize("props", ["", "packed=on", "disable-modern=on"])
@pytest.mark.parametrize("settings", [{}, {"tx_layout": TX_SPLIT, "indirect": False}, {"personality": VIRTIO_USER}])
def test_offloads(props: str, settings: dict[str, object]) -> None:
    load = [traffic("udp-echo", count=40, size=900), traffic("tcp-bulk", count=20, size=60000), traffic("udp-bulk", count=10, size=30000)]
    box = _real({**TX, **RX, **settings}, props, load, TAP)
    try:
        _answered(box, 40)
        stats = box.guest.driver_stats()[0]
        assert (stats["segmentations left to the device"], stats["checksums left to the device"]) == (30, 40)
        assert stats["checksums completed"] == 40
        host = box.responder.stats()
        assert (host["frames_cut"], host["pieces"], host["checksums_done"]) == (30, 20 * 42 + 10 * 21, 40)
        assert (host["bad_headers"], host["malformed"]) == (0, 0)
    finally:
        box.close()


@needs_tap
@pytest.mark.parametrize("settings", [{}, {"mrg_rxbuf": False}, {"personality": VIRTIO_USER}])
def test_hashes_are_reported(settings: dict[str, object]) -> None:
    box = _real({"hash_report": True, **settings}, "hash=on,packed=on", [traffic("udp-echo", count=40, size=300)], TAP)
    try:
        _answered(box, 40)
        assert box.guest.driver_stats()[0]["hashes"] == 40
        assert box.guest.interfaces[0].receivers[0].header == 20
    finally:
        box.close()


@needs_tap
@pytest.mark.parametrize("settings", [{}, {"personality": VIRTIO_USER}, {"packed": False}, {"mrg_rxbuf": False}])
def test_steering_by_hash_over_four_pairs(settings: dict[str, object]) -> None:
    """Every frame comes in on the first queue of the tap; the device hashes it and chooses another."""
    load = [traffic("udp-echo", count=200, size=100, flows=32), traffic("bulk-tx", count=200, flows=8)]
    steps = [action("pairs", 2 * MS, number=2)]
    box = _real({"rss": True, "hash_report": True, **settings}, "mq=on,rss=on,hash=on,vectors=10,packed=on", load, PeerSpec("tap", 4, True), steps)
    try:
        _answered(box, 200)
        info = box.guest.interfaces[0]
        stats = box.guest.driver_stats()[0]
        assert (info.max_pairs, info.pairs, stats["hashes"]) == (4, 2, 200)
        assert "frames on another queue than their hash's" not in stats
        assert all(info.rings[2 * pair].counters.driver_packets > 5 for pair in range(2))
        assert all(info.rings[2 * pair + 1].counters.driver_packets > 0 for pair in range(4))
    finally:
        box.close()


@needs_tap
def test_large_frames_are_received() -> None:
    box = _real({**RX, "rx_ufo": True}, load=[traffic("ping", rate_pps=100, count=30)], peer=TAP)
    try:
        box.responder.start_stream(1000, 40000, 20, int(box.log.clock.now_ns))
        for _ in range(2000):
            box.turn()
            if box.guest.driver_stats()[0].get("large frames received", 0) == 20:
                break
        stack = box.guest.interfaces[0].stack
        assert (stack.tcp_bytes, stack.malformed) == (20 * 40000, 0)
    finally:
        box.close()
