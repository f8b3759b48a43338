"""What device status, link and reset do to the queues (virtio_net_set_status, virtio_net_set_link_status, virtio_net_reset)."""

from __future__ import annotations

from typing import Final

from mypy_extensions import i64

from ringscope_core.hw.virtio.features import VIRTIO_CONFIG_S_DRIVER_OK
from ringscope_core.hw.virtio.virtio import virtio_notify_config
from ringscope_core.hw.virtio_net.announce import announce_stop
from ringscope_core.hw.virtio_net.constants import VIRTIO_NET_S_ANNOUNCE, VIRTIO_NET_S_LINK_UP
from ringscope_core.hw.virtio_net.device import VirtIONet, VirtIONetQueue
from ringscope_core.hw.virtio_net.tx import arm_timer, schedule_bh, virtio_net_drop_tx_queue_data
from ringscope_core.net.net import qemu_flush_or_purge_queued_packets, qemu_flush_queued_packets
from ringscope_core.qom.calls import declare

FN_SET_STATUS: Final = declare("virtio_net_set_status", "vdev:ptr status:flags")
FN_SET_LINK_STATUS: Final = declare("virtio_net_set_link_status", "nc:unknown")
FN_RESET: Final = declare("virtio_net_reset", "vdev:ptr")


def virtio_net_started(n: VirtIONet, status: i64) -> bool:
    """virtio_net_started: ready, linked and running."""
    return status & VIRTIO_CONFIG_S_DRIVER_OK != 0 and n.link_status & VIRTIO_NET_S_LINK_UP != 0 and n.vm_running


def virtio_net_set_status(n: VirtIONet, status: i64) -> None:
    """Start or stop each pair as the new device status, the link and the machine's state want it."""
    log = n.ctx.log
    FN_SET_STATUS.enter(log, n.addr, status)
    for index in range(int(n.max_queues)):
        if index >= len(n.vqs):
            break
        takes_part = index < n.curr_queues and (n.multiqueue or index == 0)
        queue_status = status if takes_part else 0
        _set_pair_status(n, n.vqs[index], index, queue_status)
    n.sync_fields()
    log.leave()


def _set_pair_status(n: VirtIONet, q: VirtIONetQueue, index: i64, status: i64) -> None:
    started = virtio_net_started(n, status)
    if started and n.nic is not None:
        n.ctx.memory.turn += 1
        qemu_flush_queued_packets(n.nic.ncs[index])
    if not q.tx_waiting:
        return
    timer = q.tx_timer
    half = q.tx_bh
    if started:
        if timer is not None:
            arm_timer(q)
        if half is not None:
            schedule_bh(q)
        return
    if timer is not None:
        n.ctx.loop.timer_del(timer)
    if half is not None:
        n.ctx.loop.bh_cancel(half)
    if n.link_status & VIRTIO_NET_S_LINK_UP == 0 and status & VIRTIO_CONFIG_S_DRIVER_OK and n.vm_running:
        # nothing would ever send what waits: give it back
        q.set_tx_waiting(False)
        q.tx_vq.set_notification(True)
        virtio_net_drop_tx_queue_data(n, q.tx_vq)


def virtio_net_set_link_status(n: VirtIONet) -> None:
    """The network says that the link of the NIC changed; the driver is told by a configuration interrupt."""
    log = n.ctx.log
    FN_SET_LINK_STATUS.enter(log)
    old = n.link_status
    if n.nc().link_down:
        n.link_status &= ~VIRTIO_NET_S_LINK_UP
    else:
        n.link_status |= VIRTIO_NET_S_LINK_UP
    if n.link_status != old:
        n.sync_fields()
        virtio_notify_config(n)
    virtio_net_set_status(n, n.status)
    log.leave()


def virtio_net_queue_reset(n: VirtIONet, queue_index: i64) -> None:
    """7.2: the driver resets one queue, so what its pair's peer held back is given up."""
    if n.nic is None or queue_index >= n.max_queues * 2:
        return
    peer = n.nic.ncs[queue_index // 2].peer
    if peer is not None:
        qemu_flush_or_purge_queued_packets(peer, True)
        if queue_index // 2 < len(n.vqs):
            n.vqs[queue_index // 2].set_async_tx(-1)


def virtio_net_reset(n: VirtIONet) -> None:
    """Back to compatibility: promiscuous, one queue pair, empty filters.  LINK_UP and the number of queues stay."""
    log = n.ctx.log
    FN_RESET.enter(log, n.addr)
    n.promisc = 1
    n.allmulti = 0
    n.alluni = 0
    n.nomulti = 0
    n.nouni = 0
    n.nobcast = 0
    n.curr_queues = 1
    announce_stop(n)
    n.link_status &= ~VIRTIO_NET_S_ANNOUNCE
    n.mac_table.clear()
    n.mac = n.nic_conf.macaddr
    n.format_info_str()
    n.vlans[:] = bytes(len(n.vlans))
    if n.nic is not None:
        for nc in n.nic.ncs:
            if nc.peer is not None:
                qemu_flush_or_purge_queued_packets(nc.peer, True)
    for pair in n.vqs:
        # what the peer held back was purged, and its completion is for nobody
        pair.set_async_tx(-1)
    n.sync_fields()
    log.leave()
