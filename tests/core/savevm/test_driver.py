"""Linux's driver while its machine is saved and loaded again and again: it never notices."""

from __future__ import annotations

import hashlib

import pytest

from ringscope_core.guest.config import TX_SPLIT
from tests.core.guest.box import Box, driver, traffic
from tests.core.guest.test_driver import _backend, _Recording, assert_fold_is_guest


def interrupted(box: Box, every: int) -> int:
    """Run to the end; at every so many turns the machine is saved, loaded, and goes on."""
    loads = 0
    for turn in range(100_000):
        if turn % every == every - 1 and loads < 25:
            data = box.machine.save_state()
            assert box.machine.load_state(data) == ""
            box.machine.cont()
            loads += 1
        if box.turn():
            continue
        deadline = box.loop.next_deadline_ns()
        if deadline < 0:
            # nothing waits for a timer either
            return loads
        box.log.clock.advance_to(deadline)
    raise AssertionError(f"still busy: {box.guest.stats()}")


@pytest.mark.parametrize("every", [4])
@pytest.mark.parametrize(
    ("settings", "options", "profile"),
    [
        ({}, "", "4.1"),
        ({}, "", "7.2"),
        ({}, "packed=on", "7.2"),
        ({"event_idx": False, "indirect": False}, "packed=on", "7.2"),
        ({"event_idx": False}, "tx=timer", "4.1"),
        ({"indirect": False, "tx_layout": TX_SPLIT}, "ioeventfd=off", "4.1"),
        ({"msix": False}, "", "4.1"),
        ({}, "vectors=0", "7.2"),
        ({}, "disable-modern=on", "4.1"),
        ({}, "disable-modern=on,any_layout=off,mrg_rxbuf=off,indirect_desc=off,event_idx=off", "4.1"),
        ({"xmit_more": False}, "x-txburst=8", "4.1"),
    ],
)
def test_traffic_survives(settings: dict[str, object], options: str, profile: str, every: int) -> None:
    device = "virtio-net-pci,netdev=n0,id=net0" + (f",{options}" if options else "")
    flows = [traffic("bulk-tx", count=900, size=90), traffic("ping", rate_pps=100_000, count=30)]
    box = Box(device=device, config=driver(**settings), traffic=flows, profile=profile)
    seen = hashlib.sha256()
    assert box.guest.boot() == 1
    counted = _Recording(box, seen)
    assert interrupted(box, every) > 3
    bulk, ping = box.guest.stats()
    assert bulk["sent"] == 900
    assert (ping["sent"], ping["wrong"]) == (30, 0)
    # a frame that is on its way in the network when the machine stops may be lost there, never twice or wrong
    assert int(str(ping["received"])) + int(str(ping["lost"])) == 30 and int(str(ping["received"])) >= 15
    assert counted.frames == box.guest.sent.count, "the backend got every frame that was sent, and each once"
    assert seen.hexdigest() == box.guest.sent.sha256()
    assert _backend(box).rx_frames == counted.frames
    assert not box.machine.world.messages
    assert_fold_is_guest(box)
