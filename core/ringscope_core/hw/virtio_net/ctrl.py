"""The control queue: commands that set filters, queues and offloads (virtio_net_handle_ctrl; virtio 1.x, 5.1.6.5)."""

from __future__ import annotations

from typing import Final

from mypy_extensions import i64

from ringscope_core.hw.virtio.element import VirtQueueElement
from ringscope_core.hw.virtio.features import VIRTIO_NET_F_CTRL_GUEST_OFFLOADS, VIRTIO_NET_F_RSC_EXT, with_bit
from ringscope_core.hw.virtio.virtio import virtio_queue_host_notifier_set
from ringscope_core.hw.virtio.virtqueue import OutputHandler, VirtQueue
from ringscope_core.hw.virtio_net import constants as c
from ringscope_core.hw.virtio_net.announce import handle_announce
from ringscope_core.hw.virtio_net.ctrl_request import COMMANDS_PER_KICK, read_request
from ringscope_core.hw.virtio_net.device import VirtIONet
from ringscope_core.hw.virtio_net.features import supported_guest_offloads, virtio_net_apply_guest_offloads, virtio_net_set_queues
from ringscope_core.hw.virtio_net.rsc import rsc_enable
from ringscope_core.hw.virtio_net.rss_ctrl import handle_mq_7_2
from ringscope_core.hw.virtio_net.rxfilter import rxfilter_notify
from ringscope_core.hw.virtio_net.status import virtio_net_set_status
from ringscope_core.qom.calls import declare
from ringscope_core.trace.kinds import EV_CTRL

FN_HANDLE_RX_MODE: Final = declare("virtio_net_handle_rx_mode", "n:ptr cmd:value")
FN_HANDLE_MAC: Final = declare("virtio_net_handle_mac", "n:ptr cmd:value")
FN_HANDLE_VLAN: Final = declare("virtio_net_handle_vlan_table", "n:ptr cmd:value")
FN_HANDLE_ANNOUNCE: Final = declare("virtio_net_handle_announce", "n:ptr cmd:value")
FN_HANDLE_MQ: Final = declare("virtio_net_handle_mq", "n:ptr cmd:value")
FN_HANDLE_OFFLOADS: Final = declare("virtio_net_handle_offloads", "n:ptr cmd:value")
FN_HANDLE_CTRL: Final = declare("virtio_net_handle_ctrl", "vdev:ptr vq:unknown")
ETH_ALEN: Final = 6
_NO_ACK: Final[i64] = -1


def handle_rx_mode(n: VirtIONet, cmd: i64, data: bytes) -> i64:
    """virtio_net_handle_rx_mode.  The feature bits are not checked, the byte is stored as it is."""
    if not data:
        return c.VIRTIO_NET_ERR
    on: i64 = data[0]
    if cmd == c.VIRTIO_NET_CTRL_RX_PROMISC:
        n.promisc = on
    elif cmd == c.VIRTIO_NET_CTRL_RX_ALLMULTI:
        n.allmulti = on
    elif cmd == c.VIRTIO_NET_CTRL_RX_ALLUNI:
        n.alluni = on
    elif cmd == c.VIRTIO_NET_CTRL_RX_NOMULTI:
        n.nomulti = on
    elif cmd == c.VIRTIO_NET_CTRL_RX_NOUNI:
        n.nouni = on
    elif cmd == c.VIRTIO_NET_CTRL_RX_NOBCAST:
        n.nobcast = on
    else:
        return c.VIRTIO_NET_ERR
    return c.VIRTIO_NET_OK


def handle_mac(n: VirtIONet, cmd: i64, data: bytes) -> i64:
    """virtio_net_handle_mac: the device's own address, or the filter table."""
    if cmd == c.VIRTIO_NET_CTRL_MAC_ADDR_SET:
        if len(data) != ETH_ALEN:
            return c.VIRTIO_NET_ERR
        n.mac = data
        n.format_info_str()
        return c.VIRTIO_NET_OK
    if cmd != c.VIRTIO_NET_CTRL_MAC_TABLE_SET:
        return c.VIRTIO_NET_ERR
    limit = int(c.MAC_TABLE_ENTRIES)
    if len(data) < 4:
        return c.VIRTIO_NET_ERR
    unicast = int.from_bytes(data[:4], "little")
    rest = data[4:]
    # QEMU multiplies in 32 bits
    taken = unicast * ETH_ALEN & 0xFFFFFFFF
    if taken > len(rest):
        return c.VIRTIO_NET_ERR
    macs: list[bytes] = []
    uni_overflow = unicast > limit
    if not uni_overflow:
        macs += [rest[ETH_ALEN * i : ETH_ALEN * i + ETH_ALEN] for i in range(unicast)]
    rest = rest[taken:]
    first_multi = len(macs)
    if len(rest) < 4:
        return c.VIRTIO_NET_ERR
    multicast = int.from_bytes(rest[:4], "little")
    rest = rest[4:]
    if multicast * ETH_ALEN & 0xFFFFFFFF != len(rest):
        return c.VIRTIO_NET_ERR
    multi_overflow = multicast > limit - len(macs)
    if not multi_overflow:
        macs += [rest[ETH_ALEN * i : ETH_ALEN * i + ETH_ALEN] for i in range(multicast)]
    table = n.mac_table
    table.in_use = len(macs)
    table.first_multi = first_multi
    table.uni_overflow = uni_overflow
    table.multi_overflow = multi_overflow
    table.macs = macs
    return c.VIRTIO_NET_OK


def handle_vlan_table(n: VirtIONet, cmd: i64, data: bytes) -> i64:
    """virtio_net_handle_vlan_table: let one VLAN pass, or no longer."""
    if len(data) < 2:
        return c.VIRTIO_NET_ERR
    vid = int.from_bytes(data[:2], "little")
    if vid >= c.MAX_VLAN:
        return c.VIRTIO_NET_ERR
    if cmd == c.VIRTIO_NET_CTRL_VLAN_ADD:
        n.vlans[vid >> 3] |= 1 << (vid & 7)
    elif cmd == c.VIRTIO_NET_CTRL_VLAN_DEL:
        n.vlans[vid >> 3] &= ~(1 << (vid & 7)) & 0xFF
    else:
        return c.VIRTIO_NET_ERR
    return c.VIRTIO_NET_OK


def handle_mq(n: VirtIONet, cmd: i64, data: bytes) -> i64:
    """virtio_net_handle_mq: how many queue pairs take part."""
    if len(data) < 2 or cmd != c.VIRTIO_NET_CTRL_MQ_VQ_PAIRS_SET:
        return c.VIRTIO_NET_ERR
    queues = int.from_bytes(data[:2], "little")
    if queues < 1 or queues > c.VIRTIO_NET_CTRL_MQ_VQ_PAIRS_MAX or queues > n.max_queues or not n.multiqueue:
        return c.VIRTIO_NET_ERR
    n.curr_queues = queues
    # stop the queues that no longer take part before the peer's are moved
    virtio_net_set_status(n, n.status)
    virtio_net_set_queues(n)
    return c.VIRTIO_NET_OK


def handle_offloads(n: VirtIONet, cmd: i64, data: bytes) -> i64:
    """virtio_net_handle_offloads: which unfinished frames the driver takes from now on."""
    if not n.has_guest_feature(VIRTIO_NET_F_CTRL_GUEST_OFFLOADS) or len(data) < 8:
        return c.VIRTIO_NET_ERR
    if cmd != c.VIRTIO_NET_CTRL_GUEST_OFFLOADS_SET or not n.has_vnet_hdr:
        return c.VIRTIO_NET_ERR
    offloads: i64 = int.from_bytes(data[:8], "little", signed=True)
    rsc_enable(n, offloads)
    offloads = with_bit(offloads, VIRTIO_NET_F_RSC_EXT, False)
    if offloads & ~supported_guest_offloads(n):
        return c.VIRTIO_NET_ERR
    n.curr_guest_offloads = offloads
    virtio_net_apply_guest_offloads(n)
    return c.VIRTIO_NET_OK


def run_command(n: VirtIONet, klass: i64, cmd: i64, data: bytes) -> i64:
    """One command; its ack, or -1 for a class that the device does not know."""
    log = n.ctx.log
    ack: i64
    if klass == c.VIRTIO_NET_CTRL_RX:
        FN_HANDLE_RX_MODE.enter(log, n.addr, cmd)
        ack = handle_rx_mode(n, cmd, data)
    elif klass == c.VIRTIO_NET_CTRL_MAC:
        FN_HANDLE_MAC.enter(log, n.addr, cmd)
        ack = handle_mac(n, cmd, data)
    elif klass == c.VIRTIO_NET_CTRL_VLAN:
        FN_HANDLE_VLAN.enter(log, n.addr, cmd)
        ack = handle_vlan_table(n, cmd, data)
    elif klass == c.VIRTIO_NET_CTRL_ANNOUNCE:
        FN_HANDLE_ANNOUNCE.enter(log, n.addr, cmd)
        ack = handle_announce(n, cmd)
    elif klass == c.VIRTIO_NET_CTRL_MQ:
        FN_HANDLE_MQ.enter(log, n.addr, cmd)
        ack = handle_mq_7_2(n, cmd, data) if n.v7_2 else handle_mq(n, cmd, data)
    elif klass == c.VIRTIO_NET_CTRL_GUEST_OFFLOADS:
        FN_HANDLE_OFFLOADS.enter(log, n.addr, cmd)
        ack = handle_offloads(n, cmd, data)
    else:
        return _NO_ACK
    if ack == c.VIRTIO_NET_OK and klass <= c.VIRTIO_NET_CTRL_VLAN:
        rxfilter_notify(n)
    log.leave(ack)
    return ack


class CtrlHandler(OutputHandler):
    """virtio_net_handle_ctrl."""

    def __init__(self, n: VirtIONet) -> None:
        self.name = "virtio_net_handle_ctrl"
        self.n: VirtIONet = n
        self.element: VirtQueueElement = VirtQueueElement()

    def handle(self, vq: VirtQueue) -> None:
        """Run every command that waits."""
        log = vq.log
        FN_HANDLE_CTRL.enter(log, self.n.addr)
        self._handle(vq)
        vq.publish()
        self.n.sync_fields()
        log.leave()

    def _handle(self, vq: VirtQueue) -> None:
        n = self.n
        elem = self.element
        # 4.1 sets the ack once a kick: a class it does not know repeats the answer before
        ack = c.VIRTIO_NET_ERR
        done: i64 = 0
        while vq.pop(elem):
            if elem.in_len < 1 or elem.out_len < 2:
                n.virtio_error("virtio-net ctrl missing headers")
                vq.detach(elem)
                return
            request = read_request(elem, vq.memory)
            klass: i64 = request[0]
            cmd: i64 = request[1]
            answer = run_command(n, klass, cmd, request[2:])
            if answer != _NO_ACK:
                ack = answer
            elif n.v7_2:
                ack = c.VIRTIO_NET_ERR
            elem.write_in(vq.memory, 0, bytes([ack]))
            vq.forget()
            counters = vq.counters
            if counters is not None:
                counters.packets += 1
                counters.bytes += elem.out_len
            vq.log.emit(EV_CTRL, vq.oid, klass, cmd, elem.out_len, ack)
            vq.push(elem, 1)
            n.virtio_notify(vq)
            done += 1
            if done == COMMANDS_PER_KICK:
                # the rest in another turn of the main loop, where others get theirs
                virtio_queue_host_notifier_set(n, vq.queue_index)
                return
