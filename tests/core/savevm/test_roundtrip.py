"""A machine saved at any moment goes on in another one: the same device, nothing lost, nothing twice."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable

import pytest

from ringscope_core.hw.savevm.device import load
from ringscope_core.hw.virtio_pci.proxy import VirtIOPCIProxy
from ringscope_core.hw.virtio_pci.reset import virtio_pci_reset
from tests.core.life.test_hotplug import FRAME, SITUATIONS
from tests.core.rig import EVENT_IDX, MQ, MRG, PROFILES, V1, Rig
from tests.core.savevm.saving import device_state, fresh, moved, picture

CTRL = 1 << 17


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("option", ["", "tx=timer", "ioeventfd=off,vectors=7", "vectors=0", "disable-modern=on,vectors=0"])
@pytest.mark.parametrize("situation", SITUATIONS)
def test_the_device_is_the_same(situation: Callable[[Rig], None], option: str, profile: str) -> None:
    if ("vectors=0" in option) and situation.__name__ == "vector_pending":
        pytest.skip("no vectors")
    if "disable-modern" in option and situation.__name__ != "nothing":
        pytest.skip("the situations speak to modern registers")
    rig = Rig(option, profile=profile)
    rig.start = _without_msix(rig) if "vectors=0" in option else rig.start  # type: ignore[method-assign]
    situation(rig)
    rig.machine.stop()
    before = picture(rig)
    other = moved(rig, run=False)
    assert picture(other) == before
    assert other.image() == rig.image()
    assert other.machine.save_state() == rig.machine.save_state()
    other.machine.cont()
    other.churn(5)
    other.assert_fold()


def _without_msix(rig: Rig) -> Callable[..., None]:
    start = rig.start
    rig.msix_flags = lambda flags: None  # type: ignore[method-assign]
    return lambda features=V1 | MRG | CTRL, size=256, pairs=1, msix=False: start(features, size, pairs, False)


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("option", ["", "tx=timer,x-txtimer=2000000", "ioeventfd=off"])
@pytest.mark.parametrize("seed", range(3))
def test_traffic_goes_on_from_machine_to_machine(seed: int, option: str, profile: str) -> None:
    rig = Rig(option, profile=profile)
    rig.start(V1 | MRG | CTRL | EVENT_IDX)
    rig.settle()
    choose = random.Random(seed)
    sent: list[bytes] = []
    heard: list[bytes] = []
    given = taken = moves = 0
    for turn in range(400):
        frame = turn.to_bytes(4, "big") + FRAME
        act = choose.randrange(6)
        if act < 2 and len(sent) - len(heard) - len(rig.peer.frames) < 100:
            sent.append(frame)
            rig.put(frame, len(sent) % 128)
            rig.kick(1, choose.choice([1, 2]))
        elif act == 2 and given - taken < 100:
            rig.give(given % 128)
            given += 1
            rig.kick(0)
        elif act == 3 and given - taken > 1 and rig.arrive(frame) > 0:
            taken += 1
            head = rig.used(0)[-1][0]
            assert head == (taken - 1) % 128 and rig.read(rig.buffer(head, 0) + 12, 64) == frame
        elif act == 4 and choose.random() < 0.4:
            heard += rig.peer.frames
            rig = moved(rig)
            moves += 1
        rig.churn(choose.randrange(3))
    for _ in range(4):
        rig.kick(1)
        rig.settle()
    assert moves > 10
    assert heard + rig.peer.frames == sent
    assert (int(rig.vq(1).inuse), int(rig.vq(1).used_idx)) == (0, len(sent))
    assert int(rig.vq(0).used_idx) == taken
    rig.assert_fold()


@pytest.mark.parametrize("profile", PROFILES)
def test_what_the_peer_holds_back_is_given_back_before(profile: str) -> None:
    rig = Rig(profile=profile)
    rig.start()
    rig.settle()
    rig.peer.busy = True
    for head in range(3):
        rig.put(FRAME + bytes([head]), head)
    rig.kick(1)
    rig.settle()
    assert int(rig.n.vqs[0].async_tx) == 0 and int(rig.vq(1).inuse) == 1
    other = moved(rig, run=False)
    # stopping ends the frame on its way, as in QEMU; the next ones wait for the new machine, which needs no kick
    assert int(rig.vq(1).inuse) == 1
    assert int(other.vq(1).inuse) == 0 and other.used(1) == [(0, 0)]
    other.machine.cont()
    other.settle()
    assert other.used(1) == [(0, 0), (1, 0), (2, 0)]
    assert other.peer.frames == [FRAME + b"\1", FRAME + b"\2"]


@pytest.mark.parametrize("profile", PROFILES)
def test_queues_filters_and_vectors_move(profile: str) -> None:
    rig = Rig("mq=on,vectors=10,host_mtu=1400", profile=profile, peers=3)
    rig.start(V1 | MRG | CTRL | MQ | 1 << 19, pairs=3)
    rig.settle()
    assert rig.command(4, 0, struct.pack("<H", 2), queue=6) == 0
    assert rig.command(1, 0, struct.pack("<I", 1) + b"\2\0\0\0\0\1" + struct.pack("<I", 1) + b"\3\0\0\0\0\1", head=4, queue=6) == 0
    assert rig.command(2, 0, struct.pack("<H", 5), head=8, queue=6) == 0
    rig.machine.stop()
    before = picture(rig)
    other = moved(rig, run=False)
    assert picture(other) == before
    assert (int(other.n.curr_queues), other.n.vlans_text(), int(other.n.mac_table.first_multi)) == (2, "5", 1)
    other.machine.cont()
    for pair in range(2):
        other.send(FRAME, queue=2 * pair + 1)
    assert [peer.frames for peer in other.peers] == [[FRAME], [FRAME], []]


def test_hashing_moves() -> None:
    rig = Rig("mq=on,vectors=10,rss=on,hash=on", profile="7.2", peers=3, vnet_hdr=True)
    rig.start(V1 | MRG | CTRL | MQ | 1 << 60 | 1 << 57, pairs=3)
    rig.settle()
    key = bytes(range(40))
    config = struct.pack("<IHH4H", 7, 3, 1, 2, 1, 0, 777) + struct.pack("<HB", 3, 40) + key
    assert rig.command(4, 1, config, queue=6) == 0
    rig.machine.stop()
    before = picture(rig)
    other = moved(rig, run=False)
    assert picture(other) == before
    rss = other.n.rss
    assert (rss.enabled, rss.redirect, rss.populate_hash, [int(entry) for entry in rss.indirections_table], rss.key) == (True, True, True, [2, 1, 0, 777], key)
    assert other.n.rx_detour and int(other.n.guest_hdr_len) == 20


def test_the_driver_announces_itself_after_the_move() -> None:
    rig = Rig()
    rig.start(V1 | MRG | CTRL | 1 << 21)
    rig.settle()
    other = moved(rig)
    other.settle(jump=False)
    rounds = 0
    while int(other.n.link_status) == 3:
        rounds += 1
        assert other.command(3, 0, head=4 * rounds) == 0
    assert rounds == 5
    assert other.command(3, 0, head=40) == 1


def test_a_running_machine_stops_for_it_and_goes_on() -> None:
    rig = Rig()
    rig.start()
    data = rig.machine.save_state()
    assert rig.machine.vm_running
    rig.send(FRAME)
    assert rig.machine.load_state(data) == ""
    assert not rig.machine.vm_running
    rig.machine.cont()
    rig.put(FRAME)
    rig.kick(1)
    rig.settle()
    assert rig.used(1) == [(0, 0)]


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"device": "vectors=5"}, "get_pci_config_device: Bad config data: i=0x9a read: 3 device: 4 cmask: ff wmask: 0 w1cmask:0"),
        ({"peers": 2, "device": "vectors=4,mq=on"}, "virtio-net: max_queues 1, the device has 2"),
        ({"device": "vectors=4,ctrl_vq=off"}, "unsupported. Allowed features: 0x"),
        ({"profile": "7.2"}, "profile '4.1' is not '7.2'"),
        ({"device": "vectors=4,disable-legacy=on"}, "get_pci_config_device: Bad config data: i=0x2 read: 0 device: 41"),
    ],
)
def test_a_device_of_other_options_refuses_it(change: dict[str, object], error: str) -> None:
    rig = Rig("vectors=4")
    rig.start()
    rig.settle()
    data = device_state(rig)
    other = fresh(rig, **change)
    other.machine.stop()
    found = load(other.proxy, data)
    assert error in found
    clean = fresh(rig, **change)
    clean.machine.system_reset()
    assert other.status() == 0
    assert bytes(other.proxy.space.config) == bytes(clean.proxy.space.config)
    other.machine.cont()
    other.start_again()
    if int(other.n.max_queues) == 1 and "ctrl_vq" not in str(change):
        other.send(FRAME)
        assert other.peer.frames == [FRAME]
    other.assert_fold()


@pytest.mark.parametrize("profile", PROFILES)
def test_a_machine_with_two_devices(profile: str) -> None:
    rig = Rig(profile=profile)
    assert rig.machine.device_add("virtio-net-pci,id=net1,addr=05.0,vectors=5") is not None
    rig.start()
    rig.settle()
    rig.send(FRAME)
    data = rig.machine.save_state()
    other = fresh(rig)
    assert other.machine.load_state(data) == "Unknown savevm section or instance '/machine/peripheral/net1'"
    assert other.machine.device_add("virtio-net-pci,id=net1,addr=05.0,vectors=5") is not None
    assert other.machine.load_state(data) == ""
    other.sizes = dict(rig.sizes)
    other.machine.cont()
    other.send(FRAME, 1)
    assert other.used(1) == [(0, 0), (1, 0)]
    other.unplug()
    assert other.machine.load_state(data).startswith("Unknown savevm section or instance '/machine/peripheral/net0'")
    other.assert_fold()


def test_one_device_holds_the_bounce_buffer_while_the_other_is_reset() -> None:
    rig = Rig()
    assert rig.machine.device_add("virtio-net-pci,id=net1,addr=05.0") is not None
    rig.start()
    rig.settle()
    rig.peer.busy = True
    rig.desc(1, 0, 1 << 40, 72)
    rig.publish(1, 0)
    rig.kick(1)
    rig.settle()
    assert rig.machine.memory.bounce_busy
    second = rig.machine.pci_bus.functions[5 << 3]
    assert isinstance(second, VirtIOPCIProxy)
    virtio_pci_reset(second)
    assert rig.machine.memory.bounce_busy
    rig.release()
    assert not rig.machine.memory.bounce_busy
    assert rig.peer.frames == [bytes(60)]
