"""virtio_net_device_realize and its inverse, statement by statement.

Lines are those of the build with the two backports (every line after 1364 is 26 further down than in pristine 4.1.0).
"""

from __future__ import annotations

from typing import Final

from mypy_extensions import i64

from ringscope_core.hw.virtio.features import VIRTIO_NET_F_MTU, VIRTIO_NET_F_RSS, VIRTIO_NET_F_SPEED_DUPLEX, VIRTIO_QUEUE_MAX, VIRTQUEUE_MAX_SIZE, has, with_bit
from ringscope_core.hw.virtio.virtio import VirtIODevice, virtio_cleanup, virtio_del_queue, virtio_init
from ringscope_core.hw.virtio_net import constants as c
from ringscope_core.hw.virtio_net.announce import announce_stop
from ringscope_core.hw.virtio_net.client import VirtIONetClient
from ringscope_core.hw.virtio_net.config import config_size_for
from ringscope_core.hw.virtio_net.ctrl import CtrlHandler
from ringscope_core.hw.virtio_net.device import VirtIONet
from ringscope_core.hw.virtio_net.failover import failover_exit, failover_init
from ringscope_core.hw.virtio_net.features import virtio_net_set_mrg_rx_bufs
from ringscope_core.hw.virtio_net.queues import virtio_net_add_ctrl_queue, virtio_net_add_queue, virtio_net_del_queue
from ringscope_core.hw.virtio_net.rsc import rsc_cleanup
from ringscope_core.hw.virtio_net.status import virtio_net_set_status
from ringscope_core.net.client import NetClientState
from ringscope_core.net.net import qemu_del_nic, qemu_new_nic
from ringscope_core.qom.calls import declare
from ringscope_core.qom.errp import Errp

FIRST_STATEMENT: Final[i64] = 2658
"""Where a breakpoint on virtio_net_device_realize stops."""
FN_REALIZE: Final = declare("virtio_net_device_realize", "dev:ptr errp:ptr")
FN_UNREALIZE: Final = declare("virtio_net_device_unrealize", "dev:ptr errp:ptr")
VIRTIO_ID_NET: Final[i64] = 1
MAX_TX_QUEUE_SIZE_USERSPACE: Final[i64] = 256
"""virtio_net_max_tx_queue_size for every peer but vhost-user."""


def _net(vdev: VirtIODevice) -> VirtIONet:
    assert isinstance(vdev, VirtIONet)
    return vdev


def _is_power_of_2(value: i64) -> bool:
    return value != 0 and value & (value - 1) == 0


def _set_error(n: VirtIONet, errp: Errp, text: str) -> None:
    """error_setg.  4.1.0 aborts on the second error of one realize; here the second one is only reported."""
    if not errp.failed():
        errp.set(n.ctx.log, text)
    else:
        n.world.error_report(text)


def virtio_net_device_realize(vdev: VirtIODevice, errp: Errp) -> None:
    """Make the queues and the NIC as the properties say; on error nothing of them is left."""
    n = _net(vdev)
    log = n.ctx.log
    FN_REALIZE.enter_at(log, FIRST_STATEMENT, n.addr, errp.addr)
    _realize(n, errp)
    if errp.failed() and n.vq:
        # duplex and speed errors do not end 4.1.0's realize, which then leaks what it made
        _undo(n)
    n.sync_fields()
    log.leave()


def _realize(n: VirtIONet, errp: Errp) -> None:
    log = n.ctx.log
    _link_properties(n, errp)
    if n.world.v7_2:
        if errp.failed():
            # 4.1.0 goes on
            return
        if n.failover:
            failover_init(n)
    log.at(2686)
    n.config_size = config_size_for(n.net_features)
    n.sync_fields()
    log.at(2687)
    virtio_init(n, "virtio-net", VIRTIO_ID_NET, n.config_size)
    log.at(2694)
    if not _sizes_are_valid(n, errp):
        virtio_cleanup(n)
        return
    conf = n.net_conf
    log.at(2724)
    n.vqs = []
    n.curr_queues = 1
    n.tx_timeout = conf.txtimer
    n.sync_fields()
    log.at(2728)
    if conf.tx is not None and conf.tx not in ("timer", "bh"):
        n.world.warn_report(f'virtio-net: Unknown option tx={conf.tx}, valid options: "timer" "bh"')
        n.world.error_printf('Defaulting to "bh"')
    log.at(2736)
    if conf.tx_queue_size > MAX_TX_QUEUE_SIZE_USERSPACE:
        conf.tx_queue_size = MAX_TX_QUEUE_SIZE_USERSPACE
    _add_queues(n)
    _address_and_link(n)
    _new_nic(n)
    _finish(n)


def _link_properties(n: VirtIONet, errp: Errp) -> None:
    """host_mtu, duplex and speed offer their features."""
    log = n.ctx.log
    conf = n.net_conf
    log.at(2663)
    if conf.mtu:
        n.net_features = with_bit(n.net_features, VIRTIO_NET_F_MTU, True)
        n.sync_fields()
    log.at(2667)
    if conf.duplex_str is not None:
        if conf.duplex_str == "half":
            conf.duplex = c.DUPLEX_HALF
        elif conf.duplex_str == "full":
            conf.duplex = c.DUPLEX_FULL
        else:
            log.at(2673)
            _set_error(n, errp, "'duplex' must be 'half' or 'full'")
            if n.world.v7_2:
                return
        n.net_features = with_bit(n.net_features, VIRTIO_NET_F_SPEED_DUPLEX, True)
    else:
        conf.duplex = c.DUPLEX_UNKNOWN
    n.sync_fields()
    log.at(2680)
    if conf.speed < c.SPEED_UNKNOWN:
        log.at(2681)
        _set_error(n, errp, "'speed' must be between 0 and INT_MAX")
    elif conf.speed >= 0:
        n.net_features = with_bit(n.net_features, VIRTIO_NET_F_SPEED_DUPLEX, True)
        n.sync_fields()


def _sizes_are_valid(n: VirtIONet, errp: Errp) -> bool:
    conf = n.net_conf
    size = conf.rx_queue_size
    if size < c.VIRTIO_NET_RX_QUEUE_MIN_SIZE or size > VIRTQUEUE_MAX_SIZE or not _is_power_of_2(size):
        text = f"Invalid rx_queue_size (= {size}), must be a power of 2 between {c.VIRTIO_NET_RX_QUEUE_MIN_SIZE} and {VIRTQUEUE_MAX_SIZE}."
        _set_error(n, errp, text)
        return False
    n.ctx.log.at(2705)
    size = conf.tx_queue_size
    if size < c.VIRTIO_NET_TX_QUEUE_MIN_SIZE or size > VIRTQUEUE_MAX_SIZE or not _is_power_of_2(size):
        # no final dot, unlike the receive queue's
        text = f"Invalid tx_queue_size (= {size}), must be a power of 2 between {c.VIRTIO_NET_TX_QUEUE_MIN_SIZE} and {VIRTQUEUE_MAX_SIZE}"
        _set_error(n, errp, text)
        return False
    n.ctx.log.at(2716)
    queues = n.nic_conf.peers.queues
    n.max_queues = max(1, queues)
    n.sync_fields()
    if n.max_queues * 2 + 1 > VIRTIO_QUEUE_MAX:
        what = "queue pairs" if n.world.v7_2 else "queues"
        text = f"Invalid number of {what} (= {n.max_queues}), must be a positive integer less than {(VIRTIO_QUEUE_MAX - 1) // 2}."
        _set_error(n, errp, text)
        return False
    return True


def _add_queues(n: VirtIONet) -> None:
    log = n.ctx.log
    n.ctrl_handler = CtrlHandler(n)
    index: i64 = 0
    # 7.2 makes the other pairs when a driver asks for them
    pairs: i64 = 1 if n.world.v7_2 else n.max_queues
    while index < pairs:
        log.at(2740)
        virtio_net_add_queue(n, index)
        index += 1
    log.at(2743)
    virtio_net_add_ctrl_queue(n)


def _address_and_link(n: VirtIONet) -> None:
    log = n.ctx.log
    log.at(2744)
    n.nic_conf.macaddr = n.ctx.net.macaddr_default_if_unset(n.nic_conf.macaddr)
    n.mac = n.nic_conf.macaddr
    n.sync_fields()
    log.at(2746)
    n.link_status = c.VIRTIO_NET_S_LINK_UP
    n.sync_fields()
    log.at(2747)
    announce_stop(n)


def _new_nic(n: VirtIONet) -> None:
    """The NIC's clients meet the backend's."""
    log = n.ctx.log
    log.at(2752)
    model = n.netclient_type or n.typename
    name = n.netclient_name if n.netclient_type else n.id
    ncs: list[NetClientState] = []
    for index in range(int(n.max_queues)):
        client = VirtIONetClient(n, model, name)
        client.oid = n.vq[index * 2].oid
        ncs.append(client)
    log.at(2756)
    n.nic = qemu_new_nic(ncs, n.nic_conf.peers.ncs)
    n.nic.mac = n.nic_conf.macaddr
    log.at(2763)
    peer = n.nc().peer
    n.has_vnet_hdr = peer is not None and peer.has_vnet_hdr()
    n.has_ufo = n.has_vnet_hdr and peer is not None and peer.has_ufo()
    n.sync_fields()
    log.at(2764)
    if n.has_vnet_hdr:
        for nc in n.nic.ncs:
            if nc.peer is not None:
                nc.peer.using_vnet_hdr(True)
        n.host_hdr_len = c.HDR_LEN
    else:
        n.host_hdr_len = 0
    n.sync_fields()
    log.at(2773)
    n.format_info_str()


def _finish(n: VirtIONet) -> None:
    log = n.ctx.log
    log.at(2775)
    n.vqs[0].set_tx_waiting(False)
    n.tx_burst = n.net_conf.txburst
    n.sync_fields()
    log.at(2777)
    virtio_net_set_mrg_rx_bufs(n, False, False)
    n.sync_fields()
    log.at(2778)
    n.promisc = 1
    n.sync_fields()
    log.at(2780)
    n.mac_table.clear()
    log.at(2782)
    n.vlans[:] = bytes(int(c.MAX_VLAN >> 3))
    log.at(2785)
    n.rxfilter_notify_enabled = True
    n.sync_fields()
    if has(n.net_features, VIRTIO_NET_F_RSS):
        # virtio_net_load_ebpf: a backend that steers by itself is asked, and the device steers when it does not
        peer = n.nc().peer
        if peer is not None:
            peer.set_steering_ebpf(-1)


def virtio_net_device_unrealize(vdev: VirtIODevice) -> None:
    """Stop the queues, delete them and the NIC."""
    n = _net(vdev)
    log = n.ctx.log
    FN_UNREALIZE.enter(log, n.addr)
    virtio_net_set_status(n, 0)
    _undo(n)
    n.sync_fields()
    log.leave()


def _undo(n: VirtIONet) -> None:
    n.netclient_name = ""
    n.netclient_type = ""
    n.mac_table.clear()
    pairs: i64 = n.max_queues if n.multiqueue else 1
    index: i64 = 0
    while index < pairs and index < len(n.vqs):
        virtio_net_del_queue(n, index)
        index += 1
    # 4.1.0 leaves the other queues to virtio_cleanup, which frees the array they are in
    for vq in n.vq:
        if vq.counters is not None:
            virtio_del_queue(n, vq.queue_index)
    announce_stop(n)
    failover_exit(n)
    rsc_cleanup(n)
    n.vqs = []
    n.ctrl_vq = None
    n.ctrl_handler = None
    if n.nic is not None:
        qemu_del_nic(n.nic)
        n.nic = None
    virtio_cleanup(n)
