"""A queue of the NIC on the network's side (net_virtio_info)."""

from __future__ import annotations

from typing import Final, final

from mypy_extensions import i64

from ringscope_core.hw.virtio_net.announce import virtio_net_announce
from ringscope_core.hw.virtio_net.detour import receive_detour
from ringscope_core.hw.virtio_net.device import VirtIONet
from ringscope_core.hw.virtio_net.rx import virtio_net_can_receive, virtio_net_receive
from ringscope_core.hw.virtio_net.status import virtio_net_set_link_status
from ringscope_core.hw.virtio_net.tx import virtio_net_tx_complete
from ringscope_core.net.client import NetClientState
from ringscope_core.qom.calls import declare
from ringscope_core.trace.levels import LEVEL_FULL

FN_RECEIVE: Final = declare("virtio_net_receive", "nc:unknown buf:unknown size:bytes")


@final
class VirtIONetClient(NetClientState):
    """The network client of one queue pair."""

    def __init__(self, n: VirtIONet, model: str, name: str) -> None:
        super().__init__(n.ctx.net, model, name)
        self.n: VirtIONet = n

    def receive(self, frame: bytes) -> i64:
        """virtio_net_receive."""
        n = self.n
        if not n.bursting:
            n.ctx.memory.turn += 1
        log = n.ctx.log
        if log.level < LEVEL_FULL:
            if n.rx_detour:
                return receive_detour(n, self.queue_index, frame)
            return virtio_net_receive(n, self.queue_index, frame)
        FN_RECEIVE.enter(log, len(frame))
        cause = log.cause
        log.cause = log.frames[-1].seq
        ret = receive_detour(n, self.queue_index, frame) if n.rx_detour else virtio_net_receive(n, self.queue_index, frame)
        log.cause = cause
        log.leave(ret)
        return ret

    def can_receive(self) -> bool:
        """virtio_net_can_receive."""
        return virtio_net_can_receive(self.n, self.queue_index)

    def tx_complete(self, ret: i64) -> None:
        """virtio_net_tx_complete."""
        virtio_net_tx_complete(self.n.vqs[self.queue_index])

    def begin_burst(self) -> None:
        """Hold back the used ring until `end_burst`."""
        self.n.ctx.memory.turn += 1
        self.n.bursting = True

    def end_burst(self) -> None:
        """Publish what the burst has used."""
        self.n.bursting = False
        if self.n.rx_detour:
            # frames of this queue may have gone to any
            for pair in self.n.vqs:
                pair.rx_vq.publish()
        elif self.queue_index < len(self.n.vqs):
            # 7.2 makes the pair when the driver wants it
            self.n.vqs[self.queue_index].rx_vq.publish()

    def announce(self) -> None:
        """virtio_net_announce."""
        virtio_net_announce(self.n)

    def link_status_changed(self) -> None:
        """virtio_net_set_link_status."""
        virtio_net_set_link_status(self.n)
