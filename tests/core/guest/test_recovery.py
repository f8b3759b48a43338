"""Resets, recovery, removal: at any moment, with traffic, and with everything on record."""

from __future__ import annotations

import struct

import pytest

from ringscope_core.guest.config import FAULTS, TRANSPORT_LEGACY, VIRTIO_USER
from ringscope_core.guest.virtio_net import F_DRIVER_STATE, F_RECOVERIES, F_RESETS, VirtnetInfo
from ringscope_core.net.announce import AnnounceParameters, SelfAnnouncer, qemu_announce_self
from ringscope_core.qom.profile import PROFILE_7_2
from tests.core.guest.box import Box, action, driver, traffic
from tests.core.guest.test_driver import _inject_all, assert_fold_is_guest

MS = 1_000_000


def _value(box: Box, info: VirtnetInfo, field: int) -> int:
    return box.folded().value(int(info.oid), int(field))


@pytest.mark.parametrize("settings", [{}, {"transport": TRANSPORT_LEGACY}, {"personality": VIRTIO_USER}, {"msix": False}, {"tx_layout": 1, "napi_tx": False}])
def test_reset_at_any_moment(settings: dict[str, object]) -> None:
    """A reset every few turns, wherever the traffic stands: nothing breaks, memory comes back, what is lost is counted."""
    box = Box(config=driver(**settings), traffic=[traffic("udp-echo", rate_pps=3000, count=60, size=300), traffic("bulk-tx", rate_pps=20000, count=400)])
    box.guest.boot()
    info = box.guest.interfaces[0]
    end = box.guest.pages._next
    for turn in range(120):
        box.turn()
        if not turn % 7:
            assert info.restart()
            assert_fold_is_guest(box)
    box.run()
    assert info.resets == 18
    assert box.guest.pages._next == end, "the same pages again"
    assert info.driver_state == (7 if settings.get("transport") else 15)
    assert box.guest.stats()[1]["sent"] == 400
    echo = box.guest.stats()[0]
    assert int(str(echo["received"])) + int(str(echo["lost"])) == 60
    assert echo["wrong"] == 0
    assert_fold_is_guest(box)
    assert _value(box, info, int(F_RESETS)) == 18


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("settings", [{}, {"personality": VIRTIO_USER}, {"msix": False}, {"indirect": False}])
def test_a_device_that_needs_a_reset_is_set_up_again(fault: str, settings: dict[str, object]) -> None:
    box = Box(
        config=driver(recover=True, **settings),
        traffic=[traffic("udp-echo", rate_pps=1000, count=30, size=300)],
        actions=[action("break", 10 * MS, queue=1, text=fault), action("break", 20 * MS, queue=1, text=fault)],
    )
    box.guest.boot()
    box.run()
    info = box.guest.interfaces[0]
    assert (info.recoveries, info.resets) == (2, 2)
    assert info.stats()["recoveries"] == 2
    assert info.up and info.senders[0].ready()
    received = int(str(box.guest.stats()[0]["received"]))
    assert 25 <= received <= 30, "all but what was under way"
    assert_fold_is_guest(box)
    assert _value(box, info, int(F_RECOVERIES)) == 2
    assert sum(text == "virtio_net: device needs reset" for text in box.log.strings.texts) == 1, "one string, said twice"


@pytest.mark.parametrize("packed", [False, True])
def test_a_ring_that_the_device_spoils_is_made_anew(packed: bool) -> None:
    """The device gives back an id that nobody gave it."""
    for recover in (True, False):
        device = f"virtio-net-pci,netdev=n0,id=net0,packed={'on' if packed else 'off'}"
        box = Box(config=driver(recover=recover), device=device, profile=PROFILE_7_2, machine="pc-i440fx-7.2")
        box.guest.boot()
        box.run()
        info = box.guest.interfaces[0]
        ring, memory = info.rings[0], box.machine.memory
        if packed:
            memory.write(ring.desc_gpa + 8, struct.pack("<IHH", 60, 300, 0x8080))
        else:
            memory.write(ring.used_gpa + 4, struct.pack("<II", 300, 60))
            memory.write_u16(ring.used_gpa + 2, 1)
        info.receivers[0].schedule()
        for _ in range(4):
            box.turn()
        assert (info.recoveries, info.resets) == ((1, 1) if recover else (0, 0))
        assert info.rings[0].broken != recover
        if recover:
            _inject_all(box, [bytes(60)])
            assert info.stack.delivered.count == 1
            assert_fold_is_guest(box)


def test_without_recovery_the_interface_stays_down() -> None:
    box = Box(traffic=[traffic("ping", rate_pps=1000, count=30)], actions=[action("break", 10 * MS, queue=1, text="bad-table")])
    box.guest.boot()
    for _ in range(3000):
        if not box.turn():
            box.log.clock.advance_to(box.log.clock.now_ns + 100_000)
    info = box.guest.interfaces[0]
    assert (info.recoveries, info.resets) == (0, 0)
    assert not info.senders[0].ready()
    assert 5 < int(str(box.guest.stats()[0]["received"])) < 15
    assert info.restart(), "by hand it comes back"
    _inject_all(box, [bytes(60)])
    assert info.stack.delivered.count > 5
    assert_fold_is_guest(box)


def test_frames_of_the_stack_outlive_a_reset() -> None:
    box = Box()
    box.guest.boot()
    box.run()
    info = box.guest.interfaces[0]
    info.stack.output(b"\xff" * 12 + b"\x08\x00" + bytes(50), 0)
    assert info.restart()
    assert len(info.senders[0].qdisc) == 1
    box.run()
    assert info.stack.sent.count == 1


def test_a_driver_is_unbound_and_bound_again_by_actions() -> None:
    box = Box(
        traffic=[traffic("udp-echo", rate_pps=2000, count=60, size=200)],
        actions=[action("remove", 5 * MS), action("remove", 6 * MS), action("probe", 10 * MS), action("probe", 11 * MS), action("promisc", 12 * MS, number=0)],
    )
    box.guest.boot()
    box.run()
    assert box.guest.program.failed == 2, "what is gone can not go, what is there can not come"
    info = box.guest.interfaces[0]
    assert info.up
    echo = box.guest.stats()[0]
    assert int(str(echo["received"])) + int(str(echo["lost"])) == 60
    assert int(str(echo["received"])) > 40
    assert box.guest.drops().get("guest: no interface", 0) > 0
    assert_fold_is_guest(box)


# -- plugged out and in -----------------------------------------------------------------------------------------------
def test_a_card_that_is_pulled_out_is_let_go_and_a_new_one_driven() -> None:
    box = Box(traffic=[traffic("udp-echo", rate_pps=2000, count=100, size=200)])
    box.guest.boot()
    info = box.guest.interfaces[0]
    while box.log.clock.now_ns < 10 * MS:
        box.turn()
    assert box.machine.device_del("net0") == ""
    for _ in range(20):
        # the driver does not know yet, and touches what is not there any more
        box.turn()
    assert info.up
    box.guest.rescan()
    assert not info.up and info.gone and not info.rings
    assert all(function.bdf != info.function.bdf for function in box.guest.bus.functions)
    assert not box.snapshot().rings and not box.folded().rings
    while box.log.clock.now_ns < 20 * MS:
        if not box.turn():
            box.log.clock.advance_to(box.log.clock.now_ns + 100_000)
    assert box.machine.device_add("virtio-net-pci,netdev=n0,id=net1") is not None
    box.guest.rescan()
    assert len(box.guest.interfaces) == 1 and info.up and not info.gone
    box.run()
    assert int(str(box.guest.stats()[0]["received"])) > 50
    assert_fold_is_guest(box)


def test_cards_come_and_go_for_ever() -> None:
    """Places of BARs, pages and interrupt messages are used again."""
    box = Box()
    box.guest.boot()
    info = box.guest.interfaces[0]
    bars = [(bar.index, bar.address) for bar in info.function.bars]
    end, base = box.guest.pages._next, info.message_base
    for number in range(1, 90):
        assert box.machine.device_del(f"net{number - 1}") == ""
        box.guest.rescan()
        assert box.machine.device_add(f"virtio-net-pci,netdev=n0,id=net{number}") is not None
        box.guest.rescan()
        assert info.up, number
        box.run()
    assert [(bar.index, bar.address) for bar in info.function.bars] == bars
    assert (box.guest.pages._next, info.message_base) == (end, base)
    assert not box.guest.problems
    _inject_all(box, [bytes(60)])
    assert info.stack.delivered.count == 1


def test_a_second_card_is_found_while_the_first_works() -> None:
    box = Box(netdev="responder,id=n0 responder,id=n1")
    box.guest.boot()
    assert box.machine.device_add("virtio-net-pci,netdev=n1,id=net1") is not None
    box.guest.rescan()
    assert [info.up for info in box.guest.interfaces] == [True, True]
    first, second = (info.transport for info in box.guest.interfaces)
    assert first is not None and second is not None
    assert first.vector_of_message(0x21) == 0 and second.vector_of_message(0x24) == 0
    _inject_all(box, [bytes(60)])
    assert_fold_is_guest(box)


def test_after_a_system_reset_a_rescan_starts_over() -> None:
    box = Box(traffic=[traffic("udp-echo", rate_pps=2000, count=60, size=200)])
    box.guest.boot()
    while box.log.clock.now_ns < 10 * MS:
        box.turn()
    box.machine.system_reset()
    box.guest.rescan()
    info = box.guest.interfaces[0]
    assert info.up
    box.run()
    assert int(str(box.guest.stats()[0]["received"])) > 40
    assert_fold_is_guest(box)


# -- one queue --------------------------------------------------------------------------------------------------------
def _with_queue_reset(settings: dict[str, object], device: str = "", **box: object) -> Box:
    return Box(
        config=driver(**settings),
        profile=PROFILE_7_2,
        machine="pc-i440fx-7.2",
        device=f"virtio-net-pci,netdev=n0,id=net0{device}",
        **box,  # type: ignore[arg-type]
    )


@pytest.mark.parametrize("settings", [{}, {"event_idx": False}, {"personality": VIRTIO_USER}, {"tx_layout": 1}])
def test_one_queue_is_reset_while_the_others_work(settings: dict[str, object]) -> None:
    box = _with_queue_reset(
        settings,
        traffic=[traffic("udp-echo", rate_pps=2000, count=100, size=300)],
        actions=[action("queue-reset", place * 5 * MS, queue=queue) for place, queue in enumerate((1, 0, 2, 0, 1, 1), 1)],
    )
    box.guest.boot()
    box.run()
    info = box.guest.interfaces[0]
    assert (info.queue_resets, info.resets) == (6, 0)
    assert box.guest.program.failed == 0
    echo = box.guest.stats()[0]
    assert int(str(echo["received"])) >= 94 and echo["wrong"] == 0
    assert info.control is not None and info.control.set_rx_mode(False, True), "the control queue works after its own reset"
    assert_fold_is_guest(box)


def test_queues_can_not_be_reset_alone_where_that_was_not_negotiated() -> None:
    for box in (Box(), _with_queue_reset({"ring_reset": False}), _with_queue_reset({"transport": TRANSPORT_LEGACY})):
        box.guest.boot()
        info = box.guest.interfaces[0]
        assert not info.reset_queue(1)
        assert not info.reset_queue(-1)
        assert info.queue_resets == 0


# -- what else the configuration tells --------------------------------------------------------------------------------
def test_speed_duplex_and_mtu_are_read() -> None:
    box = Box(device="virtio-net-pci,netdev=n0,id=net0,speed=25000,duplex=half,host_mtu=1280")
    box.guest.boot()
    info = box.guest.interfaces[0]
    assert (info.speed, info.duplex, info.mtu) == (25000, 0, 1280)
    assert_fold_is_guest(box)
    box = Box(device="virtio-net-pci,netdev=n0,id=net0,duplex=full")
    box.guest.boot()
    assert (box.guest.interfaces[0].speed, box.guest.interfaces[0].duplex) == (-1, 1)
    assert_fold_is_guest(box)


def test_an_announcement_is_sent_and_acknowledged() -> None:
    box = Box()
    box.guest.boot()
    box.run()
    qemu_announce_self(SelfAnnouncer(box.machine.net), AnnounceParameters())
    for _ in range(10):
        box.turn()
    info = box.guest.interfaces[0]
    assert info.announces >= 1
    assert info.stack.sent.count >= 1, "a gratuitous ARP request"
    assert info.control is not None and info.control.outcomes[1] == 0, "the acknowledgement was awaited"
    assert_fold_is_guest(box)


def test_a_probe_that_fails_leaves_nothing_behind() -> None:
    box = Box(config=driver(rx_ring=1024, rx_mode=2, mrg_rxbuf=False))
    assert box.guest.boot() == 0, "75 MB of buffers in 64 MB"
    assert "too small" in box.guest.problems[0]
    info = box.guest.interfaces[0]
    assert info.driver_state & 0x80
    assert not info.rings
    assert_fold_is_guest(box)
    info.config = driver()
    assert box.guest.bring_up(info, 0x21, 3)
    _inject_all(box, [bytes(60)])
    assert_fold_is_guest(box)
    assert _value(box, info, int(F_DRIVER_STATE)) == 15
