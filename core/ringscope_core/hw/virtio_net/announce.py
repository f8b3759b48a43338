"""Asking the driver to announce itself (VIRTIO_NET_F_GUEST_ANNOUNCE; virtio 1.x, 5.1.6.5.4)."""

from __future__ import annotations

from typing import Final, final

from mypy_extensions import i64

from ringscope_core.hw.virtio.features import VIRTIO_NET_F_CTRL_VQ, VIRTIO_NET_F_GUEST_ANNOUNCE
from ringscope_core.hw.virtio.virtio import virtio_notify_config
from ringscope_core.hw.virtio_net import constants as c
from ringscope_core.hw.virtio_net.device import VirtIONet
from ringscope_core.net.announce import AnnounceParameters, AnnounceTimer
from ringscope_core.qom.calls import declare
from ringscope_core.trace.kinds import EV_TIMER
from ringscope_core.trace.levels import LEVEL_FULL

FN_ANNOUNCE: Final = declare("virtio_net_announce", "nc:unknown")
FN_ANNOUNCE_NOTIFY: Final = declare("virtio_net_announce_notify", "net:ptr")
FN_ANNOUNCE_TIMER: Final = declare("virtio_net_announce_timer", "opaque:ptr")


@final
class NetAnnounceTimer(AnnounceTimer):
    """virtio_net_announce_timer: after the device's state was loaded, one request a round."""

    def __init__(self, n: VirtIONet) -> None:
        super().__init__(n.ctx.loop)
        self.n: VirtIONet = n

    def fire(self) -> None:
        """Ask the driver."""
        n = self.n
        log = n.ctx.log
        if log.level >= LEVEL_FULL:
            log.emit(EV_TIMER, n.oid, 0, 0)
        FN_ANNOUNCE_TIMER.enter(log, n.addr)
        self.round -= 1
        announce_notify(n)
        log.leave()


def announce_notify(n: VirtIONet) -> None:
    """virtio_net_announce_notify: the bit of the configuration space, and an interrupt."""
    log = n.ctx.log
    FN_ANNOUNCE_NOTIFY.enter(log, n.addr)
    n.link_status |= c.VIRTIO_NET_S_ANNOUNCE
    n.sync_fields()
    virtio_notify_config(n)
    log.leave()


def _driver_announces(n: VirtIONet) -> bool:
    return n.has_guest_feature(VIRTIO_NET_F_GUEST_ANNOUNCE) and n.has_guest_feature(VIRTIO_NET_F_CTRL_VQ)


def virtio_net_announce(n: VirtIONet) -> None:
    """The host announces its NICs: so does the driver, unless the rounds after a load do it anyway."""
    log = n.ctx.log
    FN_ANNOUNCE.enter(log)
    timer = n.announce_timer
    if (timer is None or timer.round == 0) and _driver_announces(n):
        announce_notify(n)
    log.leave()


def announce_after_load(n: VirtIONet, params: AnnounceParameters) -> None:
    """The device runs somewhere else now: begin the rounds, the first at once (virtio_net_post_load_device)."""
    if not _driver_announces(n):
        return
    timer = NetAnnounceTimer(n)
    announce_stop(n)
    n.announce_timer = timer
    timer.reset(params)
    if timer.round > 0:
        timer.start()
    else:
        announce_stop(n)


def announce_stop(n: VirtIONet) -> None:
    """No more rounds: the device is reset or goes."""
    timer = n.announce_timer
    if timer is not None:
        timer.stop()
        n.announce_timer = None


def handle_announce(n: VirtIONet, cmd: i64) -> i64:
    """virtio_net_handle_announce: the driver has sent its announcements, which makes room for the next round."""
    if cmd != c.VIRTIO_NET_CTRL_ANNOUNCE_ACK or n.link_status & c.VIRTIO_NET_S_ANNOUNCE == 0:
        return c.VIRTIO_NET_ERR
    n.link_status &= ~c.VIRTIO_NET_S_ANNOUNCE
    timer = n.announce_timer
    if timer is not None and timer.round > 0:
        timer.step()
    return c.VIRTIO_NET_OK
