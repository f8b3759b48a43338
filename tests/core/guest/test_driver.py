"""The driver against the emulated device, end to end."""

from __future__ import annotations

import hashlib

import pytest

from ringscope_core.guest.config import RX_BIG, RX_SMALL, TRANSPORT_MODERN, TX_SPLIT
from ringscope_core.guest.virtio_net import F_DRIVER_STATE, F_PAIRS
from ringscope_core.hw.ports import GuestPorts
from ringscope_core.net.backends.backend import Backend
from ringscope_core.net.backends.registry import inject
from ringscope_core.trace.kinds import EV_GUEST_IRQ, EV_IND_WRITE, EV_KICK_SUPPRESSED, EV_NAPI
from ringscope_core.trace.slot_states import SLOT_AVAILABLE
from ringscope_core.trace.slots import slot_states
from tests.core.guest.box import Box, driver, traffic


def _backend(box: Box, queue: int = 0) -> Backend:
    found = [client for client in box.machine.net.clients if isinstance(client, Backend)]
    return found[queue]


def assert_fold_is_guest(box: Box) -> None:
    """Every ring image and driver field of the snapshot stands in the fold alike."""
    folded, real = box.folded(), box.snapshot()
    assert set(folded.rings) == set(real.rings)
    for oid, ring in real.rings.items():
        assert folded.rings[oid].to_plain() == ring.to_plain(), hex(oid)
    for oid, fields in real.fields.items():
        assert {key: folded.value(oid, key) for key in fields} == fields, hex(oid)


def test_probe_goes_through_every_step() -> None:
    box = Box()
    assert box.guest.boot() == 1
    info = box.guest.interfaces[0]
    assert info.driver_state == 1 | 2 | 8 | 4
    assert info.transport is not None
    assert info.transport.status() == 15
    assert info.transport.vectors == 3
    assert (info.pairs, info.max_pairs, info.link) == (1, 1, 1)
    assert info.stack.mac == bytes.fromhex("525400123456")
    assert [ring.num for ring in info.rings] == [256, 256, 64]
    assert info.rings[0].num_free == 0, "receive buffers are posted"
    assert info.control is not None
    assert info.control.ring.last_used_idx == 2, "promisc and allmulti"


def test_snapshot_equals_fold_after_boot_and_traffic() -> None:
    box = Box(traffic=[traffic("ping", rate_pps=1000, count=5), traffic("bulk-tx", count=700, size=100), traffic("udp-echo", count=50, size=300)])
    box.guest.boot()
    assert_fold_is_guest(box)
    for _ in range(60):
        box.turn()
        assert_fold_is_guest(box)
    box.run()
    assert_fold_is_guest(box)
    oid = box.guest.interfaces[0].oid
    assert box.folded().value(int(oid), int(F_DRIVER_STATE)) == 15
    assert box.folded().value(int(oid), int(F_PAIRS)) == 1


def test_ping_is_answered() -> None:
    box = Box(netdev="responder,id=n0,latency-ns=250000", traffic=[traffic("ping", rate_pps=10, count=20, size=56)])
    box.guest.boot()
    box.run()
    stats = box.guest.stats()[0]
    assert (stats["sent"], stats["received"], stats["lost"], stats["wrong"]) == (20, 20, 0, 0)
    assert 250_000 <= int(str(stats["rtt_min_ns"])) < 300_000


@pytest.mark.parametrize("size", [8, 512, 1472])
def test_udp_echo_comes_back_unchanged(size: int) -> None:
    box = Box(traffic=[traffic("udp-echo", count=300, size=size)])
    box.guest.boot()
    box.run()
    stats = box.guest.stats()[0]
    assert (stats["received"], stats["lost"], stats["wrong"]) == (300, 0, 0)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"event_idx": False},
        {"indirect": False, "tx_layout": TX_SPLIT},
        {"tx_layout": TX_SPLIT},
        {"tx_fragments": 17, "tx_layout": TX_SPLIT, "indirect": False},
        {"tx_fragments": 5},
        {"napi_tx": False},
        {"napi_tx": False, "event_idx": False, "indirect": False, "tx_fragments": 3},
        {"xmit_more": False},
        {"msix": False},
    ],
)
def test_bulk_transmit_arrives_in_order_whatever_the_settings(settings: dict[str, object]) -> None:
    box = Box(config=driver(**settings), traffic=[traffic("bulk-tx", count=1500, size=90)])
    seen = hashlib.sha256()
    backend = _backend(box)
    box.guest.boot()
    counted = _Recording(box, seen)
    box.run()
    assert box.guest.sent.count == 1501, "with one ARP request"
    assert counted.frames == 1501
    assert seen.hexdigest() == box.guest.sent.sha256()
    assert backend.rx_frames == 1501
    assert not box.guest.drops()
    assert_fold_is_guest(box)


@pytest.mark.parametrize(
    "options",
    [
        "tx=timer",
        "x-txburst=8",
        "page-per-vq=on",
        "modern-pio-notify=on",
        "vectors=0",
        "vectors=2",
        "vectors=1",
        "ioeventfd=off",
        "rx_queue_size=1024",
        "host_mtu=1400",
        "mrg_rxbuf=off",
        "event_idx=off,indirect_desc=off",
        "ctrl_vq=off",
        "status=off",
        "disable-legacy=on",
        "disable-modern=on",
        "disable-modern=on,mrg_rxbuf=off",
        "disable-modern=on,any_layout=off,mrg_rxbuf=off",
        "disable-modern=on,any_layout=off,mrg_rxbuf=off,indirect_desc=off,event_idx=off",
        "disable-modern=on,vectors=0",
        "disable-modern=on,vectors=2,ctrl_vq=off",
        "disable-modern=on,host_mtu=1300,speed=1000,duplex=full",
    ],
)
def test_every_kind_of_device_is_driven(options: str) -> None:
    box = Box(device=f"virtio-net-pci,netdev=n0,id=net0,{options}", traffic=[traffic("udp-echo", count=60, size=900), traffic("bulk-tx", count=600, size=200)])
    assert box.guest.boot() == 1
    box.run()
    echo, bulk = box.guest.stats()
    assert (echo["received"], echo["wrong"], bulk["sent"]) == (60, 0, 600)
    assert not box.guest.drops()
    assert_fold_is_guest(box)


def test_a_legacy_only_device_is_driven_by_the_modern_driver_alone_never() -> None:
    box = Box(device="virtio-net-pci,netdev=n0,id=net0,disable-modern=on", config=driver(transport=TRANSPORT_MODERN), traffic=[traffic("ping", count=1)])
    assert box.guest.boot() == 0
    assert any("leaving for legacy driver" in text for text in box.log.strings.texts)
    box.run(10)


def test_mixed_traffic_is_of_three_kinds() -> None:
    box = Box(traffic=[traffic("mixed", rate_pps=10000, count=200, size=120)])
    box.guest.boot()
    box.run()
    rows = {str(row["kind"]): row for row in box.guest.stats()}
    assert {name: row["sent"] for name, row in rows.items()} == {"ping": 20, "udp-echo": 60, "bulk-tx": 120}
    assert (rows["ping"]["received"], rows["udp-echo"]["received"]) == (20, 60)


class _Recording:
    """Digests what the device hands to its peer, from the packet log."""

    def __init__(self, box: Box, sha: hashlib._Hash) -> None:
        from ringscope_core.trace.packets import PacketSink

        outer = self
        self.frames = 0

        class Sink(PacketSink):
            def on_packet(self, packet: int, vt: int, wall: int, direction: int, queue: int, head: int, seq: int, frame: bytes, header: bytes) -> None:
                if direction == 0:
                    outer.frames += 1
                    sha.update(frame)

        box.machine.packets.sink = Sink()


def _inject_all(box: Box, frames: list[bytes]) -> None:
    backend = _backend(box)
    for frame in frames:
        inject(backend, frame)
        for _ in range(4):
            box.turn()
    box.run()


@pytest.mark.parametrize(
    ("settings", "longest"),
    [({}, 65550), ({"event_idx": False}, 9000), ({"rx_mode": RX_SMALL, "mrg_rxbuf": False}, 1518), ({"rx_buffer": 128}, 20000), ({"msix": False}, 9000)],
)
def test_frames_of_any_length_arrive_unchanged(settings: dict[str, object], longest: int) -> None:
    box = Box(config=driver(**settings))
    box.guest.boot()
    lengths = [length for length in (1, 2, 13, 14, 60, 115, 116, 117, 1514, 1523, 1524, 1525, 4096, 9000, 20000, 65535, 65550) if length <= longest]
    frames = [bytes((i * 7 + length) & 0xFF for i in range(length)) for length in lengths]
    _inject_all(box, frames)
    assert box.guest.delivered.count == len(frames)
    assert box.guest.delivered.sha256() == hashlib.sha256(b"".join(frames)).hexdigest()
    assert_fold_is_guest(box)


def test_big_buffers_without_indirect_and_with() -> None:
    for indirect in (False, True):
        box = Box(config=driver(rx_mode=RX_BIG, mrg_rxbuf=False, indirect=indirect))
        box.guest.boot()
        ring = box.guest.interfaces[0].rings[0]
        assert ring.num_free == (0 if indirect else 256 % 19)
        _inject_all(box, [bytes(60), bytes(range(256)) * 40])
        assert box.guest.delivered.bytes == 60 + 10240
        assert_fold_is_guest(box)


def test_bulk_receive_refills_and_polls() -> None:
    box = Box(netdev="source,id=n0,size=64,count=5000", traffic=[traffic("bulk-rx", count=5000)])
    box.guest.boot()
    box.run()
    assert box.guest.delivered.count == 5000
    info = box.guest.interfaces[0]
    assert info.rings[0].counters.packets == 5000
    assert info.rings[0].counters.driver_packets == 5000
    box.folded()
    polls = box.folding.counts[int(EV_NAPI)]
    assert polls < 5000 / 8, "polling takes many frames at once"
    assert box.folding.counts[int(EV_GUEST_IRQ)] < polls
    assert_fold_is_guest(box)


def test_transmit_stops_and_wakes() -> None:
    box = Box(traffic=[traffic("bulk-tx", count=4000, size=64)])
    box.guest.boot()
    box.run()
    ring = box.guest.interfaces[0].rings[1]
    assert ring.counters.ring_full > 5
    assert not box.guest.interfaces[0].senders[0].stopped
    assert ring.counters.kicks + ring.counters.kicks_suppressed > 0
    assert ring.counters.interrupts_suppressed > ring.counters.interrupts
    assert box.guest.sent.count == 4001


@pytest.mark.parametrize("settings", [{}, {"napi_tx": False}])
def test_a_stopped_queue_whose_completions_somebody_took_goes_on(settings: dict[str, object]) -> None:
    """No interrupt comes for elements that are taken already, so whoever takes them has to wake the queue."""
    box = Box(config=driver(**settings))
    box.guest.boot()
    box.run()
    sender = box.guest.interfaces[0].senders[0]
    sender.begin()
    while sender.put(bytes(60)):
        pass
    sender.finish()
    assert sender.stopped
    while box.loop.run_bottom_halves():
        pass
    box.machine.memory.turn += 1
    sender.begin()
    assert not sender.stopped and sender.ready()
    assert_fold_is_guest(box)


def test_single_frames_have_their_kicks_suppressed_while_the_device_is_busy() -> None:
    box = Box(config=driver(xmit_more=False), traffic=[traffic("bulk-tx", count=200, size=64)])
    box.guest.boot()
    box.run()
    box.folded()
    assert box.folding.counts[int(EV_KICK_SUPPRESSED)] > 100


def test_control_commands_go_through_indirect_tables() -> None:
    box = Box(config=driver(vlans=[7, 9], multicast=["33:33:00:00:00:01"], promisc=False, mac="52:54:00:aa:bb:cc"))
    box.guest.boot()
    box.folded()
    assert box.folding.counts[int(EV_IND_WRITE)] == 3 * 6, "promisc, allmulti, mac, table, two VLANs"
    assert box.guest.interfaces[0].stack.mac == bytes.fromhex("525400aabbcc")
    _inject_all(box, [bytes.fromhex("525400aabbcc") + bytes(54), bytes.fromhex("525400000009") + bytes(54)])
    assert box.guest.delivered.count == 1, "the other address is filtered"


def test_four_pairs_carry_eight_flows() -> None:
    box = Box(
        netdev="responder,id=n0,queues=4",
        device="virtio-net-pci,netdev=n0,id=net0,mq=on,vectors=10",
        traffic=[traffic("udp-echo", count=400, size=64, flows=8), traffic("bulk-tx", count=800, size=64, flows=8)],
    )
    box.guest.boot()
    info = box.guest.interfaces[0]
    assert (info.pairs, len(info.rings)) == (4, 9)
    assert info.transport is not None and info.transport.vectors == 9
    box.run()
    assert all(info.rings[index].counters.driver_packets > 0 for index in range(8))
    assert box.guest.stats()[0]["received"] == 400
    assert sum(int(str(row["sent"])) for row in box.guest.stats()[1:]) == 800
    assert_fold_is_guest(box)


def test_few_vectors_are_shared() -> None:
    box = Box(
        netdev="responder,id=n0,queues=4",
        device="virtio-net-pci,netdev=n0,id=net0,mq=on",
        traffic=[traffic("udp-echo", count=100, size=64, flows=4)],
    )
    box.guest.boot()
    info = box.guest.interfaces[0]
    assert info.transport is not None and info.transport.vectors == 2
    box.run()
    assert box.guest.stats()[0]["received"] == 100


def test_link_down_stops_and_up_goes_on() -> None:
    box = Box(traffic=[traffic("ping", rate_pps=100, count=10)])
    box.guest.boot()
    box.run()
    box.machine.set_link("net0", False)
    box.turn()
    box.turn()
    info = box.guest.interfaces[0]
    assert info.link == 0
    assert not info.senders[0].ready()
    box.machine.set_link("net0", True)
    box.turn()
    box.turn()
    assert info.link == 1
    assert info.senders[0].ready()
    assert_fold_is_guest(box)


def test_two_cards_have_their_own_addresses() -> None:
    box = Box(
        netdev="responder,id=n0 responder,id=n1",
        device="virtio-net-pci,netdev=n0,id=net0 virtio-net-pci,netdev=n1,id=net1",
        traffic=[traffic("ping", rate_pps=100, count=3), traffic("ping", rate_pps=100, count=4, device=1)],
    )
    assert box.guest.boot() == 2
    box.run()
    assert [row["received"] for row in box.guest.stats()] == [3, 4]
    assert box.guest.interfaces[1].stack.mac == bytes.fromhex("525400123457")


def test_removed_and_probed_again() -> None:
    box = Box(traffic=[])
    box.guest.boot()
    box.run()
    box.guest.remove(0)
    assert not box.folded().rings
    assert all(not box.folded().value(int(box.guest.interfaces[0].oid), key) for key in (int(F_DRIVER_STATE), int(F_PAIRS)))
    info = box.guest.interfaces[0]
    info.probe(0x40)
    box.run()
    _inject_all(box, [bytes(60)])
    assert info.stack.delivered.count == 1
    assert_fold_is_guest(box)


def test_slots_of_the_receive_ring_are_available() -> None:
    box = Box()
    box.guest.boot()
    box.run()
    state = box.folded()
    oid = int(box.guest.interfaces[0].rings[0].oid)
    states = slot_states(state.rings[oid], state.fields[oid])
    assert states.consistent
    assert states.count(SLOT_AVAILABLE) == 256


def test_same_run_same_events() -> None:
    def digest() -> tuple[int, str]:
        box = Box(traffic=[traffic("ping", rate_pps=1000, count=5), traffic("bulk-tx", count=300)])
        box.guest.boot()
        box.run()
        plain = box.folded().to_plain()
        plain["wall"] = 0
        return int(box.log.seq), hashlib.sha256(repr(plain).encode()).hexdigest()

    assert digest() == digest()


def test_the_guest_touches_only_its_ports() -> None:
    """The driver is handed a `GuestPorts`; that is the whole of its view."""
    box = Box()
    assert isinstance(box.guest.ports, GuestPorts)
    assert not hasattr(box.guest.ports, "world")
