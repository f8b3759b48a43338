"""Reset, stop and cont at any moment: the device comes back to what it was, and traffic goes on."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from tests.core.life.inventory import Inventory, inventory
from tests.core.life.test_hotplug import FRAME, SITUATIONS
from tests.core.rig import EVENT_IDX, MRG, PROFILES, V1, Rig

CTRL = 1 << 17


def status_zero(rig: Rig) -> None:
    rig.cfg_write(4, 2, 7)
    rig.common(20, 1, 0)


def legacy_status_zero(rig: Rig) -> None:
    rig.cfg_write(4, 2, 7)
    rig.bar_write(0, 18, 1, 0)


def pfn_zero(rig: Rig) -> None:
    rig.cfg_write(4, 2, 7)
    rig.bar_write(0, 8, 4, 0)


def window_status_zero(rig: Rig) -> None:
    """Through the configuration access capability."""
    cap = rig.proxy.config_cap
    rig.cfg_write(cap + 8, 4, 20)
    rig.cfg_write(cap + 12, 4, 1)
    rig.cfg_write(cap + 16, 1, 0)


def system_reset(rig: Rig) -> None:
    rig.machine.system_reset()


RESETS = [status_zero, legacy_status_zero, pfn_zero, window_status_zero, system_reset]


def quiet(rig: Rig) -> tuple[object, ...]:
    """What a reset makes of the device."""
    n = rig.n
    return (
        int(n.status),
        int(n.isr),
        int(n.guest_features),
        bool(n.broken),
        int(n.config_vector),
        int(n.queue_sel),
        [
            (int(vq.vring_num), int(vq.vring_desc), int(vq.last_avail_idx), int(vq.used_idx), int(vq.inuse), int(vq.vector), bool(vq.signalled_used_valid))
            for vq in n.vq
            if vq.counters is not None
        ],
        # tx_waiting stays, as in QEMU: DRIVER_OK schedules the bottom half then, which finds nothing
        [int(pair.async_tx) for pair in n.vqs],
        (int(n.promisc), int(n.allmulti), int(n.curr_queues), int(n.mac_table.in_use), bytes(n.mac)),
        [(staged.enabled, int(staged.desc_lo)) for staged in rig.proxy.vqs[:4]],
        bool(rig.proxy.virtio_bus().ioeventfd_started),
        rig.machine.memory.bounce_busy,
        [int(use) for use in rig.proxy.msix.entry_used] if rig.proxy.msix else [],
        rig.machine.pci_bus.irq_count,
    )


def without_frames(held: Inventory) -> Inventory:
    """All but what waits in the network."""
    return {key: value for key, value in held.items() if key != "clients"}


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("reset", RESETS)
@pytest.mark.parametrize("situation", SITUATIONS)
def test_a_reset_in_any_situation(situation: Callable[[Rig], None], reset: Callable[[Rig], None], profile: str) -> None:
    rig = Rig(profile=profile)
    rig.start()
    rig.settle()
    reset(rig)
    rig.place_bars()
    clean, held = quiet(rig), inventory(rig.machine)
    situation(rig)
    reset(rig)
    rig.place_bars()
    rig.machine.set_link("net0", True)
    rig.machine.cont()
    rig.peer.busy = False
    assert quiet(rig) == clean
    image = rig.image()
    rig.settle()
    assert rig.image() == image, "a device that was reset leaves the old rings alone"
    assert quiet(rig) == clean
    # frames for the NIC wait on, as in QEMU, and are dropped when the next driver is ready
    assert without_frames(inventory(rig.machine)) == without_frames(held)
    rig.peer.frames.clear()
    rig.start_again()
    rig.send(FRAME)
    rig.give(3)
    rig.arrive(FRAME)
    assert (rig.peer.frames, rig.used(0)) == ([FRAME], [(3, len(FRAME) + 12)])
    rig.assert_fold()


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("option", ["", "tx=timer,x-txtimer=3000000", "ioeventfd=off"])
def test_stop_and_cont_lose_and_double_nothing(option: str, profile: str) -> None:
    rig = Rig(option, profile=profile)
    rig.start(V1 | MRG | CTRL | EVENT_IDX)
    rig.settle()
    # every frame wants an interrupt and a kick
    sent: list[bytes] = []
    choose = random.Random(7)
    given = taken = 0
    for turn in range(1000):
        frame = turn.to_bytes(4, "big") + FRAME
        act = choose.randrange(5)
        if act == 0:
            rig.machine.stop()
        elif act == 1:
            rig.machine.cont()
        elif act == 2 and len(sent) - len(rig.peer.frames) < 100:
            sent.append(frame)
            rig.put(frame, len(sent) % 128)
            rig.kick(1, choose.choice([1, 2, 4]))
        elif act == 3:
            if given - taken < 100:
                rig.give(given % 128)
                given += 1
                rig.kick(0)
        elif given - taken > 1 and rig.machine.vm_running and rig.arrive(frame) > 0:
            taken += 1
            head = rig.used(0)[-1][0]
            assert head == (taken - 1) % 128 and rig.read(rig.buffer(head, 0) + 12, 64) == frame
        rig.churn(choose.randrange(3))
        assert rig.peer.frames == sent[: len(rig.peer.frames)]
    rig.machine.cont()
    for _ in range(4):
        rig.kick(1)
        rig.settle()
    assert rig.peer.frames == sent
    assert int(rig.vq(1).inuse) == 0 and int(rig.vq(1).used_idx) == len(sent) & 0xFFFF
    assert int(rig.vq(0).used_idx) == taken > 50
    rig.assert_fold()


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("seed", range(6))
def test_resets_stops_and_plugs_in_any_order(seed: int, profile: str) -> None:
    choose = random.Random(seed)
    rig = Rig(choose.choice(["", "tx=timer", "ioeventfd=off,page-per-vq=on"]), profile=profile)
    before = inventory(rig.machine)
    plain = {key: before[key] for key in before if key not in ("objects", "mappings", "instances")}
    acts: list[Callable[[], object]] = [
        rig.machine.stop,
        rig.machine.cont,
        lambda: choose.choice(SITUATIONS)(rig),
        lambda: choose.choice(RESETS)(rig),
        lambda: rig.churn(choose.randrange(4)),
        lambda: rig.cfg_write(4, 2, choose.choice([0, 3, 6, 7, 0x407])),
        lambda: rig.machine.set_link("net0", choose.random() < 0.5),
        lambda: rig.common(20, 1, choose.choice([0, 1, 3, 7, 11, 15, 0x8F, 0xFF])),
        lambda: rig.kick(choose.randrange(1024), choose.choice([1, 2, 4])),
        lambda: setattr(rig.peer, "busy", choose.random() < 0.3),
        rig.place_bars,
    ]
    for turn in range(400):
        if turn % 50 == 49:
            rig.unplug()
            rig.plug()
            rig.place_bars()
        choose.choice(acts)()
    rig.unplug()
    rig.peer.busy = False
    rig.machine.set_link("n0", True)
    rig.machine.cont()
    rig.settle()
    rig.plug()
    rig.place_bars()
    now = inventory(rig.machine)
    assert {key: now[key] for key in plain} == plain
    assert now["instances"] == before["instances"]
    rig.assert_fold()
