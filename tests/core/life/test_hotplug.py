"""Hot plug and unplug at any moment: what the machine held before it holds after, and memory stays as the guest left it."""

from __future__ import annotations

import struct
from collections.abc import Callable

import pytest

from tests.core.life.inventory import inventory, live_counts
from tests.core.rig import EVENT_IDX, MQ, MRG, PROFILES, V1, Rig

FRAME = bytes(range(60))
CTRL = 1 << 17
USED = [(Rig.ring_at(index) + 0x8000, 4 + 8 * 256) for index in range(3)]
"""The used rings: a kick that waits is handled when the ioeventfds stop, and what the peer held back is given back unsent."""


def nothing(rig: Rig) -> None:
    """Never touched."""


def only_acknowledged(rig: Rig) -> None:
    rig.common(20, 1, 1)
    rig.common(20, 1, 3)


def kick_waits(rig: Rig) -> None:
    """The ioeventfds are set, the main loop has not come by."""
    rig.start()
    rig.put(FRAME)
    rig.kick(1)


def bottom_half_waits(rig: Rig) -> None:
    rig.start()
    rig.settle()
    rig.put(FRAME)
    rig.kick(1, 4)


def half_sent(rig: Rig) -> None:
    """A burst limit was hit: the bottom half is scheduled again."""
    rig.start()
    rig.settle()
    for head in range(100):
        rig.put(FRAME, head)
    rig.kick(1)
    rig.churn(2)


def held_back(rig: Rig) -> None:
    """The peer has refused a frame; its element is in flight."""
    rig.start()
    rig.settle()
    rig.peer.busy = True
    rig.send(FRAME)


def frames_wait(rig: Rig) -> None:
    """Frames came while there was no buffer."""
    rig.start()
    rig.settle()
    for _ in range(3):
        rig.arrive(FRAME)


def both_ways(rig: Rig) -> None:
    held_back(rig)
    rig.give(5)
    rig.arrive(FRAME)
    rig.arrive(FRAME)


def broken(rig: Rig) -> None:
    rig.start()
    rig.settle()
    rig.publish(1, 9999)
    rig.kick(1)
    rig.settle()


def filtered(rig: Rig) -> None:
    """Filters, VLANs and an address of the driver's are set."""
    rig.start(V1 | MRG | CTRL | 1 << 19 | 1 << 23)
    rig.settle()
    rig.command(0, 0, b"\0")
    rig.command(1, 0, struct.pack("<I", 1) + b"\2\0\0\0\0\1" + struct.pack("<I", 0), head=4)
    rig.command(2, 0, struct.pack("<H", 5), head=8)
    rig.command(1, 1, b"\x52\x54\0\x12\x34\x99", head=12)


def interrupt_pending(rig: Rig) -> None:
    """INTx is up, nobody has read the ISR."""
    rig.start(msix=False)
    rig.settle()
    rig.send(FRAME)


def vector_pending(rig: Rig) -> None:
    rig.start()
    rig.settle()
    rig.msix_flags(0xC000)
    rig.send(FRAME)


def link_down(rig: Rig) -> None:
    held_back(rig)
    rig.machine.set_link("net0", False)
    rig.put(FRAME, 3)
    rig.kick(1)


def stopped(rig: Rig) -> None:
    rig.start()
    rig.settle()
    rig.put(FRAME)
    rig.machine.stop()
    rig.kick(1)


def bars_unmapped(rig: Rig) -> None:
    kick_waits(rig)
    rig.cfg_write(4, 2, 0)


SITUATIONS: list[Callable[[Rig], None]] = [
    nothing,
    only_acknowledged,
    kick_waits,
    bottom_half_waits,
    half_sent,
    held_back,
    frames_wait,
    both_ways,
    broken,
    filtered,
    interrupt_pending,
    vector_pending,
    link_down,
    stopped,
    bars_unmapped,
]
OPTIONS = ["", "tx=timer,x-txtimer=5000000", "ioeventfd=off,bootindex=3,mac=52:54:00:12:34:77", "x-txburst=7,page-per-vq=on,modern-pio-notify=on"]


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("option", OPTIONS)
@pytest.mark.parametrize("situation", SITUATIONS)
def test_unplugging_leaves_the_machine_as_it_was(situation: Callable[[Rig], None], option: str, profile: str) -> None:
    rig = Rig(option, profile=profile, plug=False)
    before = inventory(rig.machine)
    for _ in range(2):
        rig.plug()
        rig.place_bars()
        situation(rig)
        image = rig.image(USED)
        rig.unplug()
        assert rig.image(USED) == image, "unplugging touches the used rings alone"
        rig.machine.set_link("n0", True)
        rig.machine.cont()
        rig.peer.busy = False
        assert inventory(rig.machine) == before
    rig.churn(3)
    assert rig.image(USED) == image, "nothing of the device works on"
    rig.assert_fold()


def test_the_interrupt_situations_are_what_they_say() -> None:
    rig = Rig()
    interrupt_pending(rig)
    assert rig.machine.pci_bus.irq_count[0] == 1
    rig = Rig()
    vector_pending(rig)
    assert rig.proxy.msix is not None and any(rig.proxy.msix.pba)


@pytest.mark.parametrize("profile", PROFILES)
def test_a_new_device_in_the_same_place_works(profile: str) -> None:
    rig = Rig(profile=profile)
    for _ in range(3):
        both_ways(rig)
        rig.unplug()
        rig.peer.busy = False
        rig.peer.frames.clear()
        rig.plug()
        rig.start_again(V1 | MRG | EVENT_IDX)
        rig.send(FRAME)
        rig.give(3)
        rig.arrive(FRAME)
        assert rig.peer.frames == [FRAME]
        assert [head for head, _ in rig.used(0)] == [3]
        rig.unplug()
        rig.plug()
        rig.place_bars()


@pytest.mark.parametrize("profile", PROFILES)
def test_multiqueue_comes_and_goes_with_frames_in_every_queue(profile: str) -> None:
    rig = Rig("mq=on,vectors=10", profile=profile, peers=3, plug=False)
    before = inventory(rig.machine)
    for _ in range(3):
        rig.plug()
        rig.place_bars()
        rig.start(V1 | MRG | CTRL | MQ, pairs=3)
        rig.settle()
        assert rig.command(4, 0, struct.pack("<H", 3), queue=6) == 0
        for peer in rig.peers:
            peer.busy = True
        for pair in range(3):
            rig.put(FRAME, queue=2 * pair + 1)
            rig.kick(2 * pair + 1)
            rig.arrive(FRAME, queue=pair)
        rig.unplug()
        for peer in rig.peers:
            peer.busy = False
        assert inventory(rig.machine) == before
    rig.assert_fold()


@pytest.mark.slow
@pytest.mark.parametrize("profile", PROFILES)
def test_a_thousand_times(profile: str) -> None:
    rig = Rig("tx=timer", profile=profile, plug=False, level=0)
    rig.log.sink = None
    before = inventory(rig.machine)
    counts = None
    for turn in range(1000):
        rig.plug()
        rig.place_bars()
        SITUATIONS[turn % len(SITUATIONS)](rig)
        rig.unplug()
        rig.machine.set_link("n0", True)
        rig.machine.cont()
        rig.peer.busy = False
        if turn == 20:
            counts = live_counts()
    assert inventory(rig.machine) == before
    assert live_counts() == counts
    assert len(rig.machine.world.deleted_devices) < 1000


def announcing(rig: Rig) -> None:
    """A timer of announcements runs."""
    rig.start(V1 | MRG | CTRL | 1 << 21)
    rig.settle()
    state = rig.machine.save_state()
    assert rig.machine.load_state(state) == ""
    assert rig.machine.loop.armed_timers() == 1
    rig.machine.cont()


def coalescing(rig: Rig) -> None:
    """A segment waits to be coalesced, its timer runs."""
    offered = int(rig.n.host_features) & 2**64 - 1
    rig.start((V1 | MRG | CTRL | 1 << 61 | 1 << 7 | 2) & offered)
    rig.settle()
    for head in range(4):
        rig.give(head)
    tcp = bytes.fromhex("02000000000252540012345608004500003c000140004006000001020304050607080050005000000001000000015010ffff00000000") + bytes(20)
    rig.peer_sends(bytes(int(rig.n.host_hdr_len)) + tcp)
    assert rig.n.rsc4_enabled and rig.machine.loop.armed_timers() == 1


def hashing(rig: Rig) -> None:
    offered = int(rig.n.host_features) & 2**64 - 1
    rig.start((V1 | MRG | CTRL | MQ | 1 << 60 | 1 << 57) & offered)
    rig.settle()
    rig.command(4, 1, struct.pack("<IHHHHB", 0x1FF, 0, 0, 0, 1, 40) + bytes(range(40)))
    rig.give(0)
    rig.arrive(bytes(int(rig.n.host_hdr_len)) + FRAME)


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("situation", [announcing, coalescing, hashing])
def test_timers_of_the_offloads_go_with_the_device(situation: Callable[[Rig], None], profile: str) -> None:
    option = "guest_rsc_ext=on,mq=on,vectors=4" + (",rss=on,hash=on" if profile == "7.2" else "")
    rig = Rig(option, profile=profile, plug=False, vnet_hdr=True)
    before = inventory(rig.machine)
    counts = None
    for turn in range(6):
        rig.plug()
        rig.place_bars()
        situation(rig)
        if turn % 2:
            rig.common(20, 1, 0)
        rig.unplug()
        assert inventory(rig.machine) == before
        rig.log.flush()
        rig.sink.rows.clear()
        if turn == 1:
            counts = live_counts()
    assert live_counts() == counts


def test_a_standby_comes_and_goes() -> None:
    rig = Rig("failover=on", profile="7.2", plug=False)
    before = inventory(rig.machine)
    listeners = len(rig.machine.device_listeners)
    for _ in range(3):
        rig.plug()
        rig.place_bars()
        rig.start()
        rig.settle()
        rig.unplug()
        assert inventory(rig.machine) == before
        assert len(rig.machine.device_listeners) == listeners


@pytest.mark.parametrize(("machine_type", "profile"), [("pc-q35-4.1", "4.1"), ("pc-q35-7.2", "7.2")])
def test_behind_a_root_port(machine_type: str, profile: str) -> None:
    from ringscope_core.hw.machine import Machine
    from ringscope_core.trace.clock import Clock
    from ringscope_core.trace.log import EventLog
    from ringscope_core.trace.mainloop import MainLoop

    log = EventLog(Clock())
    machine = Machine(log, MainLoop(log.clock), 1 << 20, profile, machine_type)
    assert machine.device_add("pcie-root-port,id=rp0,chassis=1") is not None, machine.world.messages
    machine.system_reset()
    machine.cont()
    before = inventory(machine)
    for _ in range(5):
        assert machine.device_add("virtio-net-pci,id=net0,bus=rp0") is not None, machine.world.messages
        machine.system_reset()
        assert machine.device_del("net0") == ""
        now = inventory(machine)
        assert {key: now[key] for key in now if key != "objects"} == {key: before[key] for key in before if key != "objects"}
    assert set(now["objects"]) == set(before["objects"])  # type: ignore[call-overload]
