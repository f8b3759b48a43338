"""Making and deleting queue pairs (virtio_net_add_queue, virtio_net_del_queue, virtio_net_change_num_queues)."""

from __future__ import annotations

from typing import Final

from mypy_extensions import i64

from ringscope_core.hw.virtio.virtio import virtio_add_queue, virtio_del_queue, virtio_get_num_queues
from ringscope_core.hw.virtio.virtqueue import OutputHandler
from ringscope_core.hw.virtio_net.constants import CTRL_QUEUE_SIZE
from ringscope_core.hw.virtio_net.device import VirtIONet, VirtIONetQueue
from ringscope_core.hw.virtio_net.rx import RxHandler
from ringscope_core.hw.virtio_net.tx import TxBhHandler, TxBottomHalf, TxTimer, TxTimerHandler
from ringscope_core.net.net import qemu_purge_queued_packets
from ringscope_core.qom.calls import declare

FN_ADD_QUEUE: Final = declare("virtio_net_add_queue", "n:ptr index:value")
FN_DEL_QUEUE: Final = declare("virtio_net_del_queue", "n:ptr index:value")
FN_CHANGE_NUM_QUEUES: Final = declare("virtio_net_change_num_queues", "n:ptr new_max_queues:value")


def virtio_net_add_queue(n: VirtIONet, index: i64) -> None:
    """Make pair `index`: a receive queue, then a transmit queue with its timer or bottom half."""
    log = n.ctx.log
    FN_ADD_QUEUE.enter(log, n.addr, index)
    by_timer = n.net_conf.tx == "timer"
    sender: OutputHandler = TxTimerHandler(n) if by_timer else TxBhHandler(n)
    rx = virtio_add_queue(n, n.net_conf.rx_queue_size, RxHandler(n))
    tx = virtio_add_queue(n, n.net_conf.tx_queue_size, sender)
    pair = VirtIONetQueue(n, rx, tx)
    if by_timer:
        pair.tx_timer = TxTimer(pair)
    else:
        pair.tx_bh = TxBottomHalf(pair)
    if index < len(n.vqs):
        n.vqs[index] = pair
    else:
        n.vqs.append(pair)
    log.leave()


def virtio_net_add_ctrl_queue(n: VirtIONet) -> None:
    """The control queue comes after all pairs."""
    handler = n.ctrl_handler
    assert handler is not None
    n.ctrl_vq = virtio_add_queue(n, CTRL_QUEUE_SIZE, handler)


def virtio_net_del_queue(n: VirtIONet, index: i64) -> None:
    """Delete pair `index`, what waits for it with it."""
    log = n.ctx.log
    FN_DEL_QUEUE.enter(log, n.addr, index)
    pair = n.vqs[index]
    if n.nic is not None:
        qemu_purge_queued_packets(n.nic.ncs[index])
    virtio_del_queue(n, index * 2)
    timer = pair.tx_timer
    half = pair.tx_bh
    if timer is not None:
        n.ctx.loop.timer_del(timer)
    if half is not None:
        n.ctx.loop.bh_cancel(half)
    pair.set_tx_waiting(False)
    pair.set_async_tx(-1)
    virtio_del_queue(n, index * 2 + 1)
    log.leave()


def virtio_net_change_num_queues(n: VirtIONet, new_num: i64) -> None:
    """Have `new_num` queues (an odd number); the control queue moves behind the last pair."""
    old_num = virtio_get_num_queues(n)
    if old_num == new_num:
        return
    log = n.ctx.log
    FN_CHANGE_NUM_QUEUES.enter(log, n.addr, new_num)
    virtio_del_queue(n, old_num - 1)
    index = (new_num - 1) // 2
    while index < (old_num - 1) // 2:
        virtio_net_del_queue(n, index)
        index += 1
    index = (old_num - 1) // 2
    while index < (new_num - 1) // 2:
        virtio_net_add_queue(n, index)
        index += 1
    virtio_net_add_ctrl_queue(n)
    log.leave()
