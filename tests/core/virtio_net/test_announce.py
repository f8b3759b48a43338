"""The driver is asked to announce itself: the bit, the interrupt, the acknowledgement, and the rounds after a load."""

from __future__ import annotations

from ringscope_core.hw.virtio import features as f
from ringscope_core.hw.virtio import virtio
from ringscope_core.hw.virtio_net.announce import announce_after_load
from ringscope_core.net.announce import AnnounceParameters
from tests.core.virtio.bare import MRG, V1, Bare
from tests.core.virtio_net.test_ctrl import command

ANNOUNCES = V1 | MRG | 1 << f.VIRTIO_NET_F_GUEST_ANNOUNCE | 1 << f.VIRTIO_NET_F_CTRL_VQ | 1 << f.VIRTIO_NET_F_STATUS
MS = 1_000_000


def status(bare: Bare) -> int:
    """The configuration space's status field."""
    return int(virtio.virtio_config_modern_read(bare.n, 6, 1))


def test_the_driver_is_asked_and_acknowledges() -> None:
    bare = Bare(ANNOUNCES)
    assert command(bare, 3, 0) == 1
    bare.n.nc().announce()
    assert (status(bare), bare.n.isr & 2) == (3, 2)
    assert command(bare, 3, 1) == 1
    assert status(bare) == 3
    assert command(bare, 3, 0) == 0
    assert status(bare) == 1
    assert command(bare, 3, 0) == 1


def test_a_driver_without_the_feature_is_not_asked() -> None:
    for missing in (f.VIRTIO_NET_F_GUEST_ANNOUNCE, f.VIRTIO_NET_F_CTRL_VQ):
        bare = Bare(ANNOUNCES & ~(1 << missing))
        bare.n.nc().announce()
        assert (status(bare), bare.n.isr) == (1, 0)


def fire(bare: Bare) -> int:
    """Let time pass to the next deadline; the time then, in ms, -1 when nothing is armed."""
    loop = bare.ctx.loop
    deadline = int(loop.next_deadline_ns())
    if deadline < 0:
        return -1
    bare.ctx.clock.advance_to(deadline)
    loop.run_timers()
    return deadline // MS


def test_rounds_after_a_load_wait_for_each_acknowledgement() -> None:
    bare = Bare(ANNOUNCES)
    announce_after_load(bare.n, AnnounceParameters())
    # the host's own announcement leaves the rounds alone
    bare.n.nc().announce()
    assert status(bare) == 1
    times = []
    for _ in range(5):
        times.append(fire(bare))
        assert status(bare) == 3
        assert fire(bare) == -1
        assert command(bare, 3, 0) == 0
    # 50, 150, 250, 350 ms apart
    assert times == [0, 50, 200, 450, 800]
    assert fire(bare) == -1


def test_reset_ends_the_rounds() -> None:
    bare = Bare(ANNOUNCES)
    announce_after_load(bare.n, AnnounceParameters())
    fire(bare)
    assert command(bare, 3, 0) == 0
    virtio.virtio_reset(bare.n)
    assert fire(bare) == -1
    assert bare.n.link_status == 1
